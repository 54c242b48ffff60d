//! nftables: `nft -j list ruleset`, `nft list ruleset`, and ruleset files as people write them.
//!
//! Both readers produce the same syntax tree ([`ast`]); lowering turns it into the [model](crate::model).

pub mod ast;
mod build;
pub mod change;
pub mod json;
pub mod lower;
mod normal;
pub mod print;
pub mod text;

/// Is this a ruleset, as text or as JSON?
pub fn looks_like(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('{') {
        return start.contains("\"nftables\"");
    }
    let words = ["table ", "flush ", "define ", "include ", "add ", "create ", "insert ", "delete ", "#!"];
    let mut lines =
        start.lines().map(str::trim_start).filter(|l| !l.is_empty() && (!l.starts_with('#') || l.starts_with("#!")));
    lines.next().is_some_and(|l| words.iter().any(|w| l.starts_with(w)))
}
