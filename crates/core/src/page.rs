//! Pages that need nothing else: what the HTML of every output shares. They are well-formed XML too, dark and light,
//! and readable on a phone.

use crate::visible::hidden;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// A page. The body is HTML already, the title is text.
pub(crate) fn page(title: &str, style: &str, body: &str) -> String {
    // Texts come from other people's files: should one ever get through, the browser still loads and runs nothing.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

/// A table with its rows; names and cells are HTML already. On a phone each row is a card, its cells with their names.
pub(crate) fn table<'a>(out: &mut String, names: &[&str], rows: impl Iterator<Item = Vec<String>> + 'a) {
    *out += "<table>\n<thead><tr>";
    for name in names {
        let _ = write!(out, "<th scope=\"col\">{name}</th>");
    }
    *out += "</tr></thead>\n<tbody>\n";
    for row in rows {
        *out += "<tr>";
        for (name, cell) in names.iter().zip(row) {
            let _ = write!(out, "<td data-name=\"{name}\"><span>{cell}</span></td>");
        }
        *out += "</tr>\n";
    }
    *out += "</tbody>\n</table>\n";
}

/// A list under a heading, unless it is empty. Items are HTML already.
pub(crate) fn list(out: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>{title}</h2>\n<ul>");
    for item in items {
        let _ = writeln!(out, "<li>{item}</li>");
    }
    *out += "</ul>\n";
}

/// A sentence as HTML: `code` as such, and options and ranges in one piece.
pub(crate) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let paired = parts.len() % 2 == 1;
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        match n % 2 {
            1 if paired => out.extend(["<code>", &escape(part), "</code>"]),
            _ => {
                out += if n > 0 && !paired { "`" } else { "" };
                words(&mut out, part);
            }
        }
    }
    out
}

/// Words, those that must not be broken at a hyphen marked so: `--domain`, `50000-60000`.
fn words(out: &mut String, text: &str) {
    for word in text.split_inclusive(' ') {
        let whole = word.len() < 24 && word.contains('-') && (word.contains("--") || word.contains(char::is_numeric));
        let escaped = escape(word.trim_end_matches(' '));
        if whole {
            out.extend(["<span class=\"whole\">", &escaped, "</span>"]);
        } else {
            *out += &escaped;
        }
        *out += &word[word.trim_end_matches(' ').len()..];
    }
}

/// Text as HTML. What XML forbids, and marks that turn the direction of reading, are shown as replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\t' => out.push(c),
            c if hidden(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escape, prose};

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escape("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;'");
        assert_eq!(escape("a\u{1b}[1m\u{202e}b\u{0}"), "a\u{fffd}[1m\u{fffd}b\u{fffd}");
        assert_eq!(prose("`<b>` <i>"), "<code>&lt;b&gt;</code> &lt;i&gt;");
        assert_eq!(prose("one ` alone"), "one ` alone");
    }

    #[test]
    fn options_and_ranges_stay_in_one_piece() {
        assert_eq!(prose("a --b self-hosted"), "a <span class=\"whole\">--b</span> self-hosted");
        assert_eq!(prose("1-2  3"), "<span class=\"whole\">1-2</span>  3");
    }
}
