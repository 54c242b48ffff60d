//! What of a text a reader would not see.

/// Controls, marks that turn the direction of reading, and code points that stand for no character. In a comment of a
/// configuration they could move a terminal's cursor, or show a rule as another than it is.
pub(crate) fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}'
        )
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn what_cannot_be_seen_is_hidden() {
        let text = "a\u{1b}\u{0}\u{7f}\u{9b}\u{200f}\u{2028}\u{202e}\u{2066}\u{ffff}ä\u{200d}漢";
        assert_eq!(text.chars().filter(|c| !hidden(*c)).collect::<String>(), "aä\u{200d}漢");
    }
}
