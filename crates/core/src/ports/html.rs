//! The sheet as one page that needs nothing else: dark and light, and readable on a phone.

use super::markdown::sections;
use super::{Line, Sheet};
use std::fmt::Write;

const STYLE: &str = "\
:root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--faint:#59636e;--line:#d1d9e0;--soft:#f6f8fa;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--back:#0d1117;--text:#e6edf3;--faint:#9198a1;--line:#3d444d;--soft:#151b23;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.2rem;max-width:64rem;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,sans-serif}
h1{margin:0 0 .3rem;font-size:1.6rem}h2{margin:1.8rem 0 .5rem;font-size:1.15rem}
p{margin:.3rem 0}.faint,small{color:var(--faint)}
.warn{border-left:.25rem solid var(--bad);padding:.4rem .8rem;background:var(--soft)}
table{width:100%;border-collapse:collapse}
th,td{padding:.45rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{color:var(--faint);font-weight:600}
code{font:600 .95em ui-monospace,monospace;white-space:nowrap}
li{margin:.25rem 0;overflow-wrap:anywhere}ul{padding-left:1.2rem}
@media(max-width:40rem){
thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tr{display:block;margin:0 0 .8rem;padding:.5rem .7rem;border:1px solid var(--line);border-radius:.4rem;background:var(--soft)}
td{display:flex;gap:.8rem;padding:.15rem 0;border:0}
td::before{content:attr(data-name);flex:0 0 6rem;color:var(--faint)}}
";

pub(super) fn html(sheet: &Sheet) -> String {
    let title = escape(&format!("{}: ports", sheet.title));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p>{}</p>\n<p class=\"faint\">Mode <code>{}</code>: {}</p>\n",
        escape(&sheet.about),
        escape(&sheet.mode),
        escape(&sheet.mode_about)
    );
    if let Some(why) = &sheet.plain_http {
        let _ = writeln!(out, "<p class=\"warn\"><strong>Without TLS:</strong> {}</p>", escape(why));
    }
    table(&mut out, "Must be reachable", &sheet.open, true);
    if !sheet.closed.is_empty() {
        table(&mut out, "Must not be reached", &sheet.closed, false);
    }
    for (title, items) in sections(sheet) {
        list(&mut out, title, &items.iter().map(|i| escape(i)).collect::<Vec<_>>());
    }
    let link =
        |(name, url): (&String, &String)| format!("{}: <a href=\"{}\">{}</a>", escape(name), escape(url), escape(url));
    list(&mut out, "Documents", &sheet.documents.iter().map(link).collect::<Vec<_>>());
    out + "</body>\n</html>\n"
}

fn table(out: &mut String, title: &str, lines: &[Line], open: bool) {
    let names: &[&str] =
        if open { &["Port", "Protocol", "Who", "Purpose", "Required?"] } else { &["Port", "Protocol", "Purpose"] };
    let _ = write!(out, "<h2>{title}</h2>\n<table>\n<thead><tr>");
    for name in names {
        let _ = write!(out, "<th scope=\"col\">{name}</th>");
    }
    *out += "</tr></thead>\n<tbody>\n";
    for l in lines {
        let example = if l.example { " <small>example, yours differs</small>" } else { "" };
        let ports = format!("<span><code>{}</code>{example}</span>", l.ports);
        let label = l.label.as_ref().map_or_else(String::new, |n| format!(" <small>“{}”</small>", escape(n)));
        let purpose = format!("<span>{}{label}</span>", escape(&l.purpose));
        let proto = l.proto.to_uppercase();
        let cells: Vec<String> = if open {
            vec![ports, proto, escape(&l.who), purpose, escape(&l.required)]
        } else {
            vec![ports, proto, purpose]
        };
        *out += "<tr>";
        for (name, cell) in names.iter().zip(cells) {
            let _ = write!(out, "<td data-name=\"{name}\">{cell}</td>");
        }
        *out += "</tr>\n";
    }
    *out += "</tbody>\n</table>\n";
}

/// Items are HTML already.
fn list(out: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>{title}</h2>\n<ul>");
    for item in items {
        let _ = writeln!(out, "<li>{item}</li>");
    }
    *out += "</ul>\n";
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
