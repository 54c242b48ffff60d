//! What of an export is shown for one of its objects.

/// Of an element with many lines, its description: that is how its owner knows it.
pub fn telling(text: &str, start: usize, end: usize) -> (usize, usize) {
    let Some(whole) = text.get(start..end) else { return (start, start) };
    if !whole.starts_with('<') || !whole.contains('\n') {
        return (start, end);
    }
    let Some(at) = whole.find("<descr>") else { return (start, end) };
    let inside = at + "<descr>".len();
    let close = whole[inside..].find("</descr>").map_or(inside, |i| inside + i);
    let plain = whole[inside..close].strip_prefix("<![CDATA[").and_then(|t| t.strip_suffix("]]>"));
    match plain {
        Some(t) if !t.is_empty() => {
            let from = start + inside + "<![CDATA[".len();
            (from, from + t.len())
        }
        _ => (start + inside, start + close),
    }
}

/// Where a rule ends that begins here; of any other text, where the line does.
pub fn end_of_object(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let rule = rest.starts_with('<').then(|| rest.find("</rule>")).flatten();
    start + rule.or_else(|| rest.find('\n')).unwrap_or(rest.len())
}
