//! What of an export is shown for one of its objects.

use crate::xml::{element_end, said_at};

/// Of an element with many lines, its description: that is how its owner knows it.
pub fn telling(text: &str, start: usize, end: usize) -> (usize, usize) {
    let Some(whole) = text.get(start..end) else { return (start, start) };
    if !whole.starts_with('<') || !whole.contains('\n') {
        return (start, end);
    }
    said_at(text, start, "descr").map_or((start, end), |at| (at.start, at.end))
}

/// Where an element ends that begins here; of any other text, where the line does.
pub fn end_of_object(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    element_end(text, start).unwrap_or_else(|| start + rest.find('\n').unwrap_or(rest.len()))
}
