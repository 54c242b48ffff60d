//! What holds for everything that is read.

use super::printed;
use callpath_core::model::{Pipeline, SourceSpan};
use callpath_core::snapshot::{InputError, Snapshot};
use std::ops::Range;

/// An error says where and what to do, and prints.
pub fn error(error: &InputError, snapshot: &Snapshot) {
    assert!(!error.message.is_empty(), "an error without a message");
    assert!(!error.help.is_empty(), "no help: {error}");
    assert!(error.at.is_some() || error.file.is_some(), "no place: {error}");
    if let Some((source, span)) = &error.at {
        let text = &snapshot.source(*source).expect("an error is about a source that there is").text;
        inside(text, span, &error.message);
    }
    let shown = error.render(snapshot, false);
    assert!(shown.contains("-->"), "no place is shown: {shown}");
    printed::seen(&shown, "an error");
}

/// A place that can be shown: in the text, and not in the middle of a character.
fn inside(text: &str, span: &Range<usize>, what: &str) {
    assert!(text.get(span.clone()).is_some(), "{span:?} is no place in {} bytes: {what}", text.len());
}

/// Everything that a report may show of a pipeline can be shown.
pub fn places(pipeline: &Pipeline, snapshot: &Snapshot) {
    let of = |at: SourceSpan| at.start as usize..at.end as usize;
    for origin in pipeline.origins.iter().filter(|o| o.has_lines) {
        let source = snapshot.source(origin.at.source).expect("a statement stands in a source that there is");
        inside(&source.text, &of(origin.at), &origin.object);
    }
    for doubt in &pipeline.doubts {
        let _ = pipeline.origin(doubt.origin);
        assert!(!doubt.what.is_empty(), "a doubt about nothing");
    }
}

/// The whole way of `callpath check`, in every format.
pub fn judged(snapshot: &Snapshot) {
    match callpath_core::check::analyze(snapshot) {
        Ok(report) => printed::report(&report),
        Err(e) => error(&e, snapshot),
    }
}
