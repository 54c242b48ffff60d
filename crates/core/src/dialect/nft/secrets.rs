//! What is kept of a ruleset: statements. Comments go; texts in quotes stay where a name, a file or an address stands.

use crate::secrets::json::{self, Keep};
use crate::secrets::{finish, hide, hide_in, in_code, in_text, names_credential};

/// Keys of libnftables-json(5) whose values decide, or name what does.
const JSON: Keep = Keep {
    keys: &[
        "&",
        "<<",
        ">>",
        "^",
        "accept",
        "add",
        "addr",
        "auto-merge",
        "base",
        "burst",
        "burst_unit",
        "bytes",
        "chain",
        "concat",
        "continue",
        "counter",
        "create",
        "ct",
        "ct count",
        "ct expectation",
        "ct helper",
        "ct timeout",
        "data",
        "dccp option",
        "delete",
        "destroy",
        "dev",
        "devices",
        "dir",
        "dnat",
        "drop",
        "dscp",
        "dup",
        "elem",
        "element",
        "expires",
        "expr",
        "exthdr",
        "family",
        "fib",
        "field",
        "flags",
        "flow",
        "flowtable",
        "flush",
        "fwd",
        "gc-interval",
        "goto",
        "handle",
        "helper",
        "hook",
        "hook_drop",
        "in",
        "index",
        "insert",
        "interval",
        "inv",
        "ip option",
        "ipsec",
        "jhash",
        "json_schema_version",
        "jump",
        "key",
        "l3proto",
        "last",
        "left",
        "len",
        "level",
        "limit",
        "log",
        "mangle",
        "map",
        "masquerade",
        "match",
        "meta",
        "metainfo",
        "meter",
        "mod",
        "mode",
        "mss",
        "name",
        "nftables",
        "notrack",
        "num",
        "numgen",
        "offset",
        "op",
        "osf",
        "packets",
        "payload",
        "per",
        "policy",
        "port",
        "prio",
        "priority",
        "protocol",
        "queue",
        "quota",
        "queue-threshold",
        "range",
        "rate",
        "rate_unit",
        "redirect",
        "reject",
        "rename",
        "replace",
        "reset",
        "result",
        "return",
        "right",
        "rt",
        "rule",
        "ruleset",
        "sctp chunk",
        "seed",
        "set",
        "size",
        "snaplen",
        "snat",
        "socket",
        "spnum",
        "src",
        "stmt",
        "sum",
        "symhash",
        "synproxy",
        "table",
        "target",
        "tcp option",
        "timeout",
        "tproxy",
        "ttl",
        "tunnel",
        "type",
        "type_flags",
        "typeof",
        "used",
        "val",
        "val_unit",
        "value",
        "vmap",
        "wscale",
        "xt",
        "|",
    ],
    texts: &["comment"],
    // A network, and what `log` writes before its lines.
    inner: &["prefix"],
};

/// Words before a text in quotes that is a name, a file or a value.
const BEFORE: &[&str] = &[
    "add",
    "bridge",
    "chain",
    "counter",
    "create",
    "define",
    "delete",
    "destroy",
    "device",
    "devices",
    "element",
    "flow",
    "flowtable",
    "flush",
    "goto",
    "group",
    "hour",
    "ibrname",
    "ibriport",
    "iif",
    "iifgroup",
    "iifname",
    "iifkind",
    "iftype",
    "include",
    "inet",
    "insert",
    "ip",
    "ip6",
    "jump",
    "map",
    "name",
    "netdev",
    "obrname",
    "obriport",
    "oif",
    "oifgroup",
    "oifkind",
    "oifname",
    "policy",
    "priority",
    "quota",
    "day",
    "rename",
    "replace",
    "rule",
    "sdif",
    "sdifname",
    "set",
    "table",
    "time",
    "timeout",
    "to",
    "type",
    "arp",
    "skuid",
    "skgid",
    "helper",
    "expectation",
    "limit",
    "synproxy",
];

/// What a statement `ct … set` names.
const OBJECTS: &[&str] = &["helper", "timeout", "expectation", "add", "create", "delete", "destroy", "flush", "reset"];

/// A ruleset without secrets.
pub(in crate::dialect) fn blank(text: &str) -> String {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        json::blank(text, &JSON)
    } else {
        of_text(text)
    }
}

fn of_text(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        blank_line(&mut out, text, start, start + body.len());
        start += line.len();
    }
    finish(out)
}

fn blank_line(out: &mut [u8], text: &str, start: usize, end: usize) {
    let line = &text[start..end];
    let lead = line.len() - line.trim_start().len();
    let name =
        line[lead..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').map_or(end, |i| start + lead + i);
    // `PrivateKey = …`, `psk …` and `note: "…"` are no statements of nftables.
    let (first, rest) = (&text[start + lead..name], text[name..end].trim_start());
    let value = rest.starts_with(|c: char| c.is_alphanumeric() || "=:\"'".contains(c));
    let quoted = text[name..end].strip_prefix(':').is_some_and(|v| v.trim_start().starts_with('"'));
    if value && names_credential(first) || quoted && first.starts_with(char::is_alphabetic) {
        hide(&mut out[(name + 1).min(end)..end]);
        return;
    }
    hide_in(out, text, start..end, in_code);
    let mut at = start;
    // The word before a quote says what the quote is.
    let mut word = "";
    while at < end {
        let rest = &text[at..end];
        let Some(next) = rest.find(['"', '#']) else {
            return comment_word(out, text, at, end);
        };
        comment_word(out, text, at, at + next);
        let plain = rest[..next].trim_end();
        if !plain.is_empty() {
            word = plain.rsplit([' ', '\t', ';', '{', '}', '(', ')']).next().unwrap_or_default();
            // `ct helper set "sip"` names an object; what else is set is a value.
            let object = plain.split_whitespace().nth_back(1).is_some_and(|w| OBJECTS.contains(&w));
            word = if word == "set" && !object && plain.split_whitespace().count() > 1 { "value" } else { word };
        }
        at += next;
        let rest = &text[at..end];
        if let Some(name) = rest.strip_prefix("# xt_").filter(|_| !text[start..at].trim().is_empty()) {
            // An extension of xtables, and more of the rule behind it.
            at = end - name.len();
        } else if rest.starts_with('#') {
            if !is_kept(rest) {
                hide(&mut out[at + 1..end]);
            }
            return;
        } else {
            let close = rest[1..].find('"').map(|i| at + 1 + i);
            let inside = at + 1..close.unwrap_or(end);
            // Lists, maps and comparisons hold what their left side is: interfaces, names.
            let sign = word.is_empty() || word.ends_with(['=', '!', ',', ':', '.', '<', '>', '-', '@', '$', '/']);
            match word {
                "comment" => hide_in(out, text, inside, in_text),
                _ if close.is_some() && (sign || BEFORE.contains(&word)) => hide_in(out, text, inside, in_code),
                _ => hide(&mut out[inside]),
            }
            at = close.map_or(end, |c| c + 1);
            word = "";
        }
    }
}

/// A comment of one word needs no quotes.
fn comment_word(out: &mut [u8], text: &str, from: usize, to: usize) {
    let part = &text[from..to];
    if let Some(i) = part.find("comment ") {
        hide_in(out, text, from + i + 8..to, in_text);
    }
}

/// Comments that mean something to a reader: handles, and where to find nft.
fn is_kept(comment: &str) -> bool {
    let handle = comment[1..].trim().strip_prefix("handle ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let nft = comment.strip_prefix("#!").is_some_and(|path| {
        path.len() < 40 && path.contains("nft") && path.bytes().all(|b| b.is_ascii_lowercase() || b"/ -S".contains(&b))
    });
    handle || nft
}
