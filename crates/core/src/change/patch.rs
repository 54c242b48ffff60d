//! A change of one file, whatever its dialect makes of it.

use super::{Refused, Step};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A dialect's own form of changes. Those of one file are made together: several may be about one entry.
pub trait Edits: fmt::Debug + PartialEq + Send + Sync + Sized + 'static {
    /// The text with all of them in it.
    ///
    /// # Errors
    /// Why one cannot be made.
    fn apply(text: &str, all: &[&Self]) -> Result<String, Refused>;

    /// What to do by hand, and how to take it back.
    fn steps(text: &str, all: &[&Self]) -> (Vec<Step>, Vec<Step>);
}

/// A change of one file. Only the dialect that planned it looks inside.
#[derive(Clone)]
pub struct Patch(Arc<dyn OfAny>);

/// [`Edits`] of any dialect.
trait OfAny: fmt::Debug + Send + Sync {
    fn inside(&self) -> &dyn Any;
    fn same(&self, other: &Patch) -> bool;
    fn apply(&self, text: &str, all: &[&Patch]) -> Result<String, Refused>;
    fn steps(&self, text: &str, all: &[&Patch]) -> (Vec<Step>, Vec<Step>);
}

impl<E: Edits> OfAny for E {
    fn inside(&self) -> &dyn Any {
        self
    }

    fn same(&self, other: &Patch) -> bool {
        other.of::<E>() == Some(self)
    }

    fn apply(&self, text: &str, all: &[&Patch]) -> Result<String, Refused> {
        let own: Vec<&E> = all.iter().filter_map(|p| p.of()).collect();
        if own.len() < all.len() {
            return Err(Refused("changes of two dialects do not go into one file".into()));
        }
        E::apply(text, &own)
    }

    fn steps(&self, text: &str, all: &[&Patch]) -> (Vec<Step>, Vec<Step>) {
        E::steps(text, &all.iter().filter_map(|p| p.of()).collect::<Vec<_>>())
    }
}

impl Patch {
    /// A dialect's change.
    pub fn new(edits: impl Edits) -> Self {
        Self(Arc::new(edits))
    }

    /// What this dialect made of it, where it is one of its own.
    pub fn of<E: Edits>(&self) -> Option<&E> {
        self.0.inside().downcast_ref()
    }
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Patch {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(other)
    }
}

impl Eq for Patch {}

/// A file with changes made in it.
///
/// # Errors
/// Why one cannot be made.
pub fn apply(text: &str, patches: &[&Patch]) -> Result<String, Refused> {
    patches.first().map_or_else(|| Ok(text.to_owned()), |first| first.0.apply(text, patches))
}

/// What to do by hand, and how to take it back.
pub fn steps(text: &str, patches: &[&Patch]) -> (Vec<Step>, Vec<Step>) {
    patches.first().map_or_else(Default::default, |first| first.0.steps(text, patches))
}
