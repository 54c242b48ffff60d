//! Verdicts: what answers of the trace mean for packets, what these mean for a call, and all of it about a site as values.
//!
//! Nothing here is a sentence: a text is a name of the input, or a line about a fact that is not stated.

pub(crate) mod algebra;
mod either;
mod found;
mod judgement;
pub(crate) mod reach;
pub(crate) mod replay;
mod words;

pub(crate) use either::either;
pub(crate) use found::{Exit, Exposure, Failure, Line, Misled, Reached, Seen, Stray, Strayed};
pub(crate) use judgement::{Alternative, Doubt, Fate, Followed, Judged, Judgement, Leg, Note, Path, Piece, path_id};
pub use words::{Closed, Elsewhere, How, Reach, Searched, Share, Verdict};
