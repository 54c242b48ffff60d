//! XML as it lies in a file: read into a tree, changed in place, blanked and given pseudonyms.
//!
//! A dialect that is written in XML says which elements mean what; everything that is true of XML alone is here.
//!
//! | to | use |
//! |---|---|
//! | read | [`Tree`] and the functions on its elements, [`text`] for what an element says |
//! | change | [`Splice`]s of a [`Tree`]: all bytes around them stay |
//! | blank secrets | [`blanked`], for any text |
//! | give pseudonyms | [`renamed`], for a text that is well-formed |
//!
//! `roxmltree` reads. It tells where an element, an attribute and a text stand, but neither where a start tag ends nor where
//! a namespace is declared, and it reads nothing of a broken text: the scanner does these three.

mod blank;
mod item;
mod rename;
mod scan;
mod splice;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use blank::{Find, blanked};
pub(crate) use item::Item;
pub(crate) use rename::{Rename, renamed};
pub(crate) use scan::{element_end, root_name, said_at};
pub(crate) use splice::{Splice, spliced};
pub(crate) use tree::{Broken, El, Tree, child, children, elements, has, own_text, says, text};
