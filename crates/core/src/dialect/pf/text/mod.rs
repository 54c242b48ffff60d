//! `/tmp/rules.debug`: pf's own syntax, as far as generators write it.

pub(crate) mod rule;
#[cfg(test)]
mod tests;
mod token;

use super::ast::{Action, Direction, Entry, Host, Hosts, On, Rule, Ruleset, Table, Unknown, Unread};
use super::secrets;
use crate::model::{Origin, SourceId, SourceSpan};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use token::tokens;
pub(crate) use token::{Pieces, pieces};

/// Does a text look like pf rules? One of the first lines is no line of another language, and most are of this one.
pub fn is_pf(text: &str) -> bool {
    const TELLING: &[&str] = &[
        "set skip on",
        "set hostid",
        "set optimization",
        "scrub on",
        "scrub in",
        "scrub from",
        "nat-anchor",
        "rdr-anchor",
        "table <",
        "block in",
        "pass in",
        "rdr on",
    ];
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).take(200);
    let (mut telling, mut ours, mut others) = (false, 0, 0);
    for line in lines {
        // A set of nftables can have any name.
        telling |=
            TELLING.iter().any(|s| line.starts_with(s)) || line.starts_with("set limit ") && !line.ends_with('{');
        let word = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').next().unwrap_or_default();
        let defines = !word.is_empty() && line[word.len()..].trim_start().starts_with('=');
        if defines || !line.starts_with(char::is_alphabetic) || secrets::begins(word, line) {
            ours += 1;
        } else {
            others += 1;
        }
    }
    telling && ours >= others
}

/// Reads a text. Statements that are not understood are kept as such.
pub fn parse(source: SourceId, text: &str) -> Ruleset {
    let mut reader = Reader { source, macros: BTreeMap::new(), copies: 0, out: Ruleset::default() };
    let unmarked = text.strip_prefix('\u{feff}').map(|rest| format!("   {rest}"));
    for line in logical_lines(unmarked.as_deref().unwrap_or(text)) {
        reader.line(&line);
    }
    reader.out
}

/// A statement, with lines that end in a backslash joined.
struct Line {
    text: String,
    start: usize,
    end: usize,
}

fn logical_lines(text: &str) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    let mut at = 0;
    let mut open: Option<Line> = None;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let end = at + line.len();
        let (body, more) = match line.strip_suffix('\\') {
            Some(body) => (body, true),
            None => (line, false),
        };
        let current = if let Some(mut o) = open.take() {
            o.text.push(' ');
            o.text.push_str(body);
            o.end = end;
            o
        } else {
            let lead = body.len() - body.trim_start().len();
            Line { text: body.trim_start().to_owned(), start: at + lead, end: end.max(at + lead) }
        };
        if more {
            open = Some(current);
        } else {
            out.push(current);
        }
        at += raw.len();
    }
    out.extend(open);
    out
}

/// Statements without effect on a packet's fate.
const NO_EFFECT: &[&str] = &["scrub", "altq", "queue", "set"];

/// Options that change no packet's fate (pf.conf(5), "OPTIONS"): sizes, lifetimes of states, statistics, how fragments
/// and SYN floods are met, and how the loaded rules are arranged without changing what they say.
pub(super) const HARMLESS_OPTIONS: &[&str] = &[
    "debug",
    "fingerprints",
    "hostid",
    "keepcounters",
    "limit",
    "loginterface",
    "optimization",
    "reassemble",
    "require-order",
    "ruleset-optimization",
    "syncookies",
    "timeout",
];

/// As many words may come out of macros, and entries out of tables in tables: each may double the one before.
const MOST_COPIES: usize = 1_000_000;
const MULTIPLIED: &str = "what it stands for multiplies beyond all measure";

struct Reader {
    source: SourceId,
    macros: BTreeMap<String, Vec<String>>,
    copies: usize,
    out: Ruleset,
}

impl Reader {
    fn origin(&self, line: &Line) -> Origin {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Origin {
            at: SourceSpan { source: self.source, start: place(line.start), end: place(line.end) },
            has_lines: true,
            ..Origin::default()
        }
    }

    fn unread(&mut self, line: &Line, why: &str) {
        let origin = self.origin(line);
        self.out.unread.push(Unread { origin, why: why.into() });
    }

    /// Definitions count as statements only where nobody can tell what they define.
    fn unread_definition(&mut self, line: &Line, why: &str) {
        self.out.statements += 1;
        self.unread(line, why);
    }

    fn line(&mut self, line: &Line) {
        let words = match tokens(&line.text) {
            Ok(words) if words.is_empty() => return,
            Ok(words) => words,
            Err(why) => {
                self.out.statements += 1;
                return self.unread(line, &why);
            }
        };
        if words.get(1).is_some_and(|w| w == "=") && words[0] != "set" {
            let value = words.get(2).cloned().unwrap_or_default();
            match tokens(&value) {
                Ok(tokens) => match self.expand(tokens) {
                    Ok(tokens) => {
                        self.macros.insert(words[0].clone(), tokens);
                    }
                    Err(why) => self.unread_definition(line, &why),
                },
                Err(why) => self.unread_definition(line, &why),
            }
            return;
        }
        self.out.statements += 1;
        let words = match self.expand(words) {
            Ok(words) => words,
            Err(why) => return self.unread(line, &why),
        };
        let Some(first) = words.first() else {
            return self.unread(line, "only macros that stand for nothing");
        };
        match first.as_str() {
            "table" => self.table(line, &words),
            "set" => self.set(line, &words),
            first if NO_EFFECT.contains(&first) => {}
            // What packages and services put there while they run is not in this text.
            "anchor" | "nat-anchor" | "rdr-anchor" | "binat-anchor" | "load" if !words.iter().any(|w| w == "{") => {}
            "antispoof" => self.antispoof(line, &words),
            "pass" | "block" | "match" | "nat" | "rdr" | "binat" | "no" => {
                let origin = self.origin(line);
                match rule::parse(&words, origin) {
                    Ok(rule::Parsed::Filter(rule)) => self.out.filter.push(*rule),
                    Ok(rule::Parsed::Nat(rule)) => self.out.nat.push(*rule),
                    Ok(rule::Parsed::Rdr(rule)) => self.out.rdr.push(*rule),
                    Ok(rule::Parsed::Binat(rule)) => self.out.binat.push(*rule),
                    Err(why) => self.unread(line, &why),
                }
            }
            other => {
                let why = format!("statements with `{other}` are not read");
                self.unread(line, &why);
            }
        }
    }

    /// Replaces `$name` by what was assigned to it. Not if that is too much, or if nothing was: pf refuses such rules,
    /// and what the name was meant to stand for may be anything.
    fn expand(&mut self, words: Vec<String>) -> Result<Vec<String>, String> {
        let mut out = Vec::with_capacity(words.len());
        for word in words {
            let Some(name) = word.strip_prefix('$').filter(|n| is_name(n)) else {
                out.push(word);
                continue;
            };
            let Some(value) = self.macros.get(name) else {
                return Err(format!("`${name}` stands for nothing: no line above says `{name} = …`"));
            };
            self.copies = self.copies.saturating_add(value.len());
            if self.copies > MOST_COPIES {
                return Err(MULTIPLIED.into());
            }
            out.extend(value.iter().cloned());
        }
        Ok(out)
    }

    fn set(&mut self, line: &Line, words: &[String]) {
        let word = |n: usize| words.get(n).map(String::as_str);
        match (word(1), word(2)) {
            (Some("state-policy"), Some(policy @ ("if-bound" | "floating"))) => {
                self.out.if_bound = policy == "if-bound";
            }
            (Some("skip"), Some("on")) => {
                let names = words.iter().skip(3).filter(|w| !["{", "}", ","].contains(&w.as_str()));
                self.out.skip.extend(names.map(|w| w.as_str().into()));
            }
            // What pf does anyway.
            (Some("block-policy"), Some("drop")) => {}
            (Some(option), _) if HARMLESS_OPTIONS.contains(&option) => {}
            _ => {
                let shown = words.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(" ");
                self.unread(line, &format!("`{shown}` is not read"));
            }
        }
    }

    /// Nobody outside may use the addresses of an inner interface: two rules for each.
    fn antispoof(&mut self, line: &Line, words: &[String]) {
        let names: Vec<Box<str>> = words
            .iter()
            .skip_while(|w| *w != "for")
            .skip(1)
            .take_while(|w| !["inet", "inet6", "ridentifier", "label"].contains(&w.as_str()))
            .filter(|w| !["{", "}", ","].contains(&w.as_str()))
            .map(|w| w.as_str().into())
            .collect();
        let handle = words.iter().skip_while(|w| *w != "ridentifier").nth(1).and_then(|w| w.parse().ok());
        for name in names {
            let mut origin = self.origin(line);
            origin.handle = handle;
            self.out.filter.extend(antispoof(&name, &origin));
        }
    }

    fn table(&mut self, line: &Line, words: &[String]) {
        let Some(name) = words.get(1).and_then(|w| w.strip_prefix('<')).and_then(|w| w.strip_suffix('>')) else {
            return self.unread(line, "a table without a name");
        };
        let mut entries = Vec::new();
        let mut unknown = None;
        let mut rest = words[2..].iter();
        let mut listed = false;
        while let Some(word) = rest.next() {
            match word.as_str() {
                "persist" | "const" | "counters" | "," | "}" => {}
                "{" => listed = true,
                "file" => {
                    let file = rest.next().map(String::as_str).unwrap_or_default();
                    match bundled(file) {
                        Some(nets) => {
                            listed = true;
                            entries.extend(nets.iter().filter_map(|n| n.parse().ok()).map(Entry::Net));
                        }
                        None => unknown = Some(contents(name, &format!("it is filled from {file}"))),
                    }
                }
                "!" => match rest.next().and_then(|w| net(w)) {
                    Some(n) => entries.push(Entry::Not(n)),
                    None => return self.unread(line, "an entry of the table is no address"),
                },
                w => match entry(w) {
                    Some(e) => entries.push(e),
                    None if w.starts_with('<') => {
                        // A table in a table: as pf lists it, its own entries count.
                        let inner = w.trim_matches(['<', '>']);
                        match self.out.tables.get(inner) {
                            Some(t) => {
                                self.copies = self.copies.saturating_add(t.entries.len());
                                if self.copies > MOST_COPIES {
                                    return self.unread(line, MULTIPLIED);
                                }
                                entries.extend(t.entries.iter().copied());
                            }
                            None => return self.unread(line, "an entry of the table is no address"),
                        }
                    }
                    None => return self.unread(line, "an entry of the table is no address"),
                },
            }
        }
        if !listed && entries.is_empty() && unknown.is_none() && !is_run_time(name) {
            unknown = Some(contents(name, "the firewall fills it while it runs"));
        }
        let origin = self.origin(line);
        self.out.tables.insert(name.into(), Table { entries: Arc::new(entries), unknown, origin, ..Table::default() });
    }
}

/// Can this be the name of a macro? A quoted text may begin with `$` too.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What `antispoof for` an interface stands for (pf.conf(5)).
pub(crate) fn antispoof(device: &str, origin: &Origin) -> [Rule; 2] {
    let block = |from, on| {
        let mut rule = Rule::new(Action::Block { answer: false }, origin.clone());
        rule.direction = Some(Direction::In);
        rule.from = Hosts::one(from);
        rule.on = on;
        rule.any_flags = true;
        rule
    };
    let elsewhere = On { negate: true, names: vec![device.into()] };
    [block(Host::Network(device.into()), Some(elsewhere)), block(Host::Address(device.into()), None)]
}

/// Tables of blocked senders that services fill (login attempts, intrusion detection): taken to be empty, for whoever
/// is in them is meant to be kept out. And VPN networks without a VPN.
fn is_run_time(name: &str) -> bool {
    ["sshguard", "snort2c", "virusprot", "vpn_networks", "negate_networks", "sshlockout", "webConfiguratorlockout"]
        .contains(&name)
}

fn contents(name: &str, why: &str) -> Unknown {
    Unknown {
        what: format!("what the table <{name}> holds: {why}").into(),
        supply: format!("add `aliases = {{ {name} = [\"…\"] }}` with what Diagnostics > Tables shows").into(),
        ..Unknown::default()
    }
}

/// Files that come with the system. Bogons: what every version of the list holds (RFC 6890 and RFC 5771).
pub(crate) fn bundled(file: &str) -> Option<&'static [&'static str]> {
    match file {
        "/etc/bogons" => Some(&[
            "0.0.0.0/8",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ]),
        "/etc/bogonsv6" => Some(&[]),
        _ => None,
    }
}

/// An address or network.
pub(crate) fn net(word: &str) -> Option<IpNet> {
    let plain = word.split('%').next().unwrap_or(word);
    plain.parse::<IpNet>().ok().or_else(|| plain.parse::<IpAddr>().ok().map(IpNet::from))
}

fn entry(word: &str) -> Option<Entry> {
    if let Some((lo, hi)) = word.split_once('-')
        && let (Ok(IpAddr::V4(lo)), Ok(IpAddr::V4(hi))) = (lo.parse(), hi.parse())
    {
        return Some(Entry::Range(lo.into(), hi.into()));
    }
    net(word).map(Entry::Net)
}
