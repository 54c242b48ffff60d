//! Where a statement comes from, and what could not be decided about it.

use std::sync::Arc;

/// Index of a source text in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u16);

impl SourceId {
    /// The manifest is the first text of every snapshot.
    pub const MANIFEST: Self = Self(0);
}

/// A byte range in a source text; `start == end == 0` where the source has no positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceSpan {
    /// Which source.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Index into [`super::Pipeline::origins`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OriginId(pub u32);

/// Where a rule, policy or stage comes from, in words and places that its owner knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Position; used for `file:line` when `has_lines`.
    pub at: SourceSpan,
    /// The source has lines that people edit (a text, not a one-line JSON dump).
    pub has_lines: bool,
    /// The object that holds it: `table inet filter, chain forward`. Shared by its rules.
    pub object: Arc<str>,
    /// Its handle or number, where its own tool shows one.
    pub handle: Option<u64>,
    /// The statement as its own tool lists it. Empty for text sources: the span shows it.
    pub text: Box<str>,
    /// The owner's comment on it.
    pub comment: Option<Box<str>>,
    /// It is a setting of the object, and `at` is the place of the whole object.
    pub setting: bool,
}

/// Index into [`super::Pipeline::doubts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DoubtId(pub u32);

/// What kind of thing is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DoubtKind {
    /// A fact of the world, or what comes of time and chance.
    #[default]
    Fact,
    /// What an alias holds.
    Alias,
    /// A statement that was not understood at all: a gap of callpath, not of the world.
    Unread,
}

/// Something that the configuration alone does not decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Where it stands.
    pub origin: OriginId,
    /// What is not known, lower case, for a person: ``the rate limit `limit rate 5/second` may be exceeded``.
    pub what: Box<str>,
    /// What to supply so that it is decided; empty when nothing can.
    pub supply: Box<str>,
    /// The answer is the same each time it is asked (an unknown address), not drawn anew (a rate limit).
    pub fixed: bool,
    /// What kind of thing it is.
    pub kind: DoubtKind,
}
