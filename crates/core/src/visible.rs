//! What of a text a reader would not see.

/// Controls, marks that turn the direction of reading, characters without width, and code points that stand for no
/// character (Unicode 16, general categories Cc, Cf, Zl and Zp). In a comment of a configuration they could move a
/// terminal's cursor, or show a rule as another than it is.
pub(crate) fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Ends a line for some reader: a terminal, a browser, a runner of workflows (Unicode annex 14, classes BK, CR, LF and NL).
fn breaks(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Makes one visible line of a text: a break becomes a space, what could not be seen U+FFFD, and a tab stays. The number
/// of characters stays, so columns stay true.
pub fn one_line(text: &mut String) {
    if text.chars().any(|c| c != '\t' && hidden(c)) {
        let seen = |c: char| match c {
            '\t' => '\t',
            c if breaks(c) => ' ',
            c if hidden(c) => '\u{fffd}',
            c => c,
        };
        *text = text.chars().map(seen).collect();
    }
}

/// The same of a text that is made up of others.
#[must_use]
pub fn line(mut text: String) -> String {
    one_line(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_hidden() {
        let text = "a\u{1b}\u{0}\u{7f}\u{9b}\u{200f}\u{2028}\u{202e}\u{2066}\u{feff}\u{e0041}\u{200d}\u{ffff}ä漢";
        assert_eq!(text.chars().filter(|c| !hidden(*c)).collect::<String>(), "aä漢");
    }

    #[test]
    fn a_text_becomes_one_line_of_the_same_length() {
        let mut text = "WAN\r\n2. Diagnostics\u{2028}\tx\u{1b}]8;;\u{7}\u{202e}".to_owned();
        let before = text.chars().count();
        one_line(&mut text);
        assert_eq!(text, "WAN  2. Diagnostics \tx\u{fffd}]8;;\u{fffd}\u{fffd}");
        assert_eq!(text.chars().count(), before);
    }
}
