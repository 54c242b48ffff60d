//! What of a text a reader would not see.

/// Controls, marks that turn the direction of reading, characters without width, and code points that stand for no
/// character (Unicode 16, general categories Cc, Cf, Zl and Zp). In a comment of a configuration they could move a
/// terminal's cursor, or show a rule as another than it is.
pub(crate) fn hidden(c: char) -> bool {
    // Nearly every character of a report, and all its long pages go through here.
    if c.is_ascii() {
        return c.is_ascii_control();
    }
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

/// A text of several lines as a terminal may get it: line feeds and tabs stay, colours where they are wanted (Select Graphic
/// Rendition, ECMA-48, 8.3.117), and every other sign that cannot be seen becomes U+FFFD.
#[must_use]
pub fn terminal(text: &str, colours: bool) -> std::borrow::Cow<'_, str> {
    if !text.chars().any(|c| hidden(c) && c != '\n' && c != '\t') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let sgr = rest.strip_prefix("\u{1b}[").filter(|_| colours).and_then(|inner| {
            let end = inner.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            inner[end..].starts_with('m').then_some(end + 3)
        });
        let length = sgr.unwrap_or(c.len_utf8());
        if sgr.is_some() || c == '\n' || c == '\t' || !hidden(c) {
            out.push_str(&rest[..length]);
        } else {
            out.push('\u{fffd}');
        }
        rest = &rest[length..];
    }
    out.into()
}

/// Whether a word at the beginning of a line would make an item of it, as steps and lists begin theirs: a number with a
/// stop, or signs alone.
pub(crate) fn begins_an_item(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = rest.len() < word.len() && matches!(rest, "." | ")" | ":");
    number || !word.is_empty() && word.chars().all(|c| "-+*=#|:>".contains(c)) && word != ">"
}

/// Stands before what would otherwise begin a line as an item does.
pub(crate) const GOES_ON: &str = "…";

/// A text of which nothing is known as a line of its own: it does not begin as an item does.
#[must_use]
pub fn item(text: &str) -> std::borrow::Cow<'_, str> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if begins_an_item(first) { format!("{GOES_ON} {}", text.trim_start()).into() } else { text.into() }
}

/// A name as it stands in a heading or at the beginning of a line: in quotation marks, unless it is a plain one that
/// cannot be taken for other words of ours.
#[must_use]
pub fn named(name: &str) -> std::borrow::Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || " ._-'/&".contains(c);
    // The words with which a report begins.
    let verdict = name.split(' ').next().is_some_and(|w| ["WORKS", "DEGRADED", "FAILS", "UNKNOWN"].contains(&w));
    if name.starts_with(char::is_alphabetic) && !name.ends_with(' ') && name.chars().all(plain) && !verdict {
        name.into()
    } else {
        format!("\"{}\"", line(name.to_owned()).replace('"', "'")).into()
    }
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

    #[test]
    fn no_text_begins_as_an_item_does() {
        for (text, shown) in [
            ("2. Diagnostics", "… 2. Diagnostics"),
            ("  3) x", "… 3) x"),
            ("- x", "… - x"),
            ("--> x", "… --> x"),
            ("2.5 x", "2.5 x"),
            ("> x", "> x"),
            ("a - b", "a - b"),
            ("", ""),
        ] {
            assert_eq!(item(text), shown);
        }
    }

    #[test]
    fn names_that_are_not_plain_are_quoted() {
        for plain in ["router", "provider's box", "WAN", "Fritz 7590", "büro/oben", "OUTSIDE"] {
            assert_eq!(named(plain), plain);
        }
        for (name, shown) in [
            ("router (checked: all works)", "\"router (checked: all works)\""),
            ("2. step", "\"2. step\""),
            ("FAILS  x", "\"FAILS  x\""),
            ("a\"b", "\"a'b\""),
            ("", "\"\""),
            ("a ", "\"a \""),
        ] {
            assert_eq!(named(name), shown);
        }
    }

    #[test]
    fn a_terminal_gets_lines_and_colours_and_nothing_else() {
        let text = "a\u{1b}[1;31mb\u{1b}[0m\n\tc\u{1b}[2J\r\u{202e}\u{9b}m\u{1b}]0;x\u{7}";
        let shown = "a\u{1b}[1;31mb\u{1b}[0m\n\tc\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}m\u{fffd}]0;x\u{fffd}";
        assert_eq!(terminal(text, true), shown);
        assert!(!terminal(text, false).contains('\u{1b}'));
        assert_eq!(terminal("plain\n", false), "plain\n");
    }
}
