//! The sheet as one page that needs nothing else: dark and light, and readable on a phone.

use super::markdown::sections;
use super::{Line, Sheet};
use crate::page::{self, escape, list, prose};
use std::fmt::Write;

pub(super) fn html(sheet: &Sheet) -> String {
    let title = format!("{}: ports", sheet.title);
    let mut out = format!(
        "<h1>{}</h1>\n<p>{}</p>\n<p class=\"faint\">Mode <code>{}</code>: {}</p>\n",
        escape(&title),
        prose(&sheet.about),
        escape(&sheet.mode),
        prose(&sheet.mode_about)
    );
    if let Some(why) = &sheet.plain_http {
        let _ = writeln!(out, "<p class=\"warn\"><strong>Without TLS:</strong> {}</p>", escape(why));
    }
    table(&mut out, "Must be reachable", &sheet.open, true);
    if !sheet.closed.is_empty() {
        table(&mut out, "Must not be reached", &sheet.closed, false);
    }
    for (title, items) in sections(sheet) {
        list(&mut out, title, &items.iter().map(|i| prose(i)).collect::<Vec<_>>());
    }
    let link =
        |(name, url): (&String, &String)| format!("{}: <a href=\"{}\">{}</a>", escape(name), escape(url), escape(url));
    list(&mut out, "Documents", &sheet.documents.iter().map(link).collect::<Vec<_>>());
    page::page(&title, "", &out)
}

fn table(out: &mut String, title: &str, lines: &[Line], open: bool) {
    let names: &[&str] =
        if open { &["Port", "Protocol", "Who", "Purpose", "Required?"] } else { &["Port", "Protocol", "Purpose"] };
    let row = |l: &Line| {
        let example = if l.example { " <small>example, yours differs</small>" } else { "" };
        let ports = format!("<code>{}</code>{example}", l.ports);
        let label = l.label.as_ref().map_or_else(String::new, |n| format!(" <small>“{}”</small>", escape(n)));
        let purpose = format!("{}{label}", prose(&l.purpose));
        let proto = l.proto.to_uppercase();
        if open {
            vec![ports, proto, escape(&l.who), purpose, escape(&l.required)]
        } else {
            vec![ports, proto, purpose]
        }
    };
    let _ = writeln!(out, "<h2>{title}</h2>");
    page::table(out, names, lines.iter().map(row));
}
