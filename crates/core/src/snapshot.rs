//! The texts that an analysis starts from.

use crate::model::SourceSpan;

/// A named input text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name as the user gave it: a path relative to the manifest.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Why a text cannot be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// Where; an empty span at the start when it concerns the whole text.
    pub at: SourceSpan,
    /// What is wrong, for a person.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ReadError {
    /// An error at a place.
    pub fn new(at: SourceSpan, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
