//! Every kind of input, and where in it values stand.

use callpath_core::dialect::{DIALECTS, recognise};
use callpath_core::model::SourceId;
use callpath_core::snapshot::{Snapshot, Source};
use std::ops::Range;

/// How a file writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// As it is: languages whose words have no escapes.
    Bare,
    /// With its quotation marks and escapes (RFC 8259, 7; TOML 1.0, basic strings).
    Quoted,
    /// With the characters that begin markup escaped (XML 1.0, 2.4).
    Escaped,
}

/// A value of a file: its bytes there, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub at: Range<usize>,
    pub writing: Writing,
}

/// A site with one kind of configuration in it.
pub struct Site {
    pub about: &'static str,
    /// The manifest first.
    pub files: &'static [(&'static str, &'static str)],
    /// The firewall for which a recipe is printed.
    pub target: &'static str,
    /// Names that people choose, as the files hold them; those that say the same thing in several places are one.
    pub names: &'static [Name],
}

/// Rules with plain words in the places of names.
#[derive(Debug, Clone, Default)]
pub struct Worded {
    pub text: String,
    /// Words and the names for which they stand.
    pub words: Vec<(String, String)>,
}

/// A name that people choose: its file, the words there, and the words with the name where `@` stands.
#[derive(Clone, Copy)]
pub struct Name {
    pub file: &'static str,
    pub text: &'static str,
    put: &'static str,
    pub writing: Writing,
    /// Names of one group are bad at once. In group 0 nothing hangs on them but what people read, and there is always a
    /// report; those of the others are tried alone too.
    pub group: u8,
}

const fn bare(file: &'static str, text: &'static str, put: &'static str) -> Name {
    Name { file, text, put, writing: Writing::Bare, group: 1 }
}

const fn quoted(file: &'static str, text: &'static str) -> Name {
    Name { file, text, put: "@", writing: Writing::Quoted, group: 1 }
}

/// A key of the manifest that is a name.
const fn key(file: &'static str, text: &'static str) -> Name {
    Name { file, text, put: "@ = ", writing: Writing::Quoted, group: 1 }
}

/// The whole text of an element.
const fn escaped(file: &'static str, text: &'static str) -> Name {
    Name { file, text, put: "@", writing: Writing::Escaped, group: 1 }
}

/// The same name, on which nothing hangs.
const fn free(name: Name) -> Name {
    in_group(0, name)
}

const fn in_group(group: u8, name: Name) -> Name {
    Name { group, ..name }
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("site/", $name))
    };
}

/// Every kind of configuration, each in a site.
pub const SITES: &[Site] = &[
    Site {
        about: "nftables as text",
        files: &[("callpath.toml", file!("nft.toml")), ("router.nft", file!("router.nft"))],
        target: "nftables",
        names: &[
            bare("router.nft", "table ip filter", "table ip \"@\""),
            bare("router.nft", "table ip nat", "table ip \"@\""),
            bare("router.nft", "chain forward", "chain \"@\""),
            bare("router.nft", "chain prerouting", "chain \"@\""),
            bare("router.nft", "blocked", "\"@\""),
            in_group(2, bare("router.nft", "table ip filter", "table ip @")),
            in_group(2, bare("router.nft", "chain forward", "chain @")),
            in_group(2, bare("router.nft", "blocked", "@")),
            free(bare("router.nft", "known", "\"@\"")),
            free(bare("router.nft", "seen", "\"@\"")),
            free(bare("router.nft", "no calls", "@")),
            free(bare("router.nft", "gone: ", "@")),
            free(quoted("callpath.toml", "router")),
            free(quoted("callpath.toml", "talk")),
            in_group(3, bare("router.nft", "\"lan\"", "\"@\"")),
            in_group(3, bare("router.nft", "\"wan\"", "\"@\"")),
            in_group(3, key("callpath.toml", "wan = ")),
        ],
    },
    Site {
        about: "nftables, addresses, routes and rules as JSON, settings of the kernel",
        files: &[
            ("callpath.toml", file!("json.toml")),
            ("router.json", file!("router.json")),
            ("addr.json", file!("addr.json")),
            ("route.json", file!("route.json")),
            ("rule.json", file!("rule.json")),
            ("settings.txt", file!("settings.txt")),
        ],
        target: "nftables",
        names: &[
            free(quoted("router.json", "fence")),
            free(quoted("router.json", "turned")),
            free(quoted("router.json", "across")),
            free(quoted("router.json", "inwards")),
            free(quoted("router.json", "known")),
            free(quoted("router.json", "seen")),
            free(quoted("router.json", "no calls")),
            free(quoted("router.json", "gone: ")),
            quoted("addr.json", "wan"),
            quoted("route.json", "wan"),
            free(quoted("rule.json", "wan")),
            free(bare("settings.txt", "wan", "@")),
        ],
    },
    Site {
        about: "a backup of pfSense",
        files: &[("callpath.toml", file!("pfsense.toml")), ("config.xml", file!("config.xml"))],
        target: "pfsense",
        names: &[
            free(escaped("config.xml", "gate")),
            free(escaped("config.xml", "home.arpa")),
            free(escaped("config.xml", "Outside")),
            free(escaped("config.xml", "Inside")),
            free(escaped("config.xml", "Phones")),
            free(escaped("config.xml", "Lines")),
            free(escaped("config.xml", "the way out")),
            free(escaped("config.xml", "all lines")),
            free(escaped("config.xml", "the cellar")),
            free(escaped("config.xml", "media")),
            free(escaped("config.xml", "ports of calls")),
            free(escaped("config.xml", "the talking one")),
            free(escaped("config.xml", "no calls from these")),
            free(escaped("config.xml", "one||two")),
            free(escaped("config.xml", "phones go out")),
            free(escaped("config.xml", "media of calls")),
            free(escaped("config.xml", "voice")),
            free(escaped("config.xml", "pages of calls")),
            free(escaped("config.xml", "admin@192.168.1.9 (Local Database)")),
            free(escaped("config.xml", "not these")),
            free(escaped("config.xml", "one port less")),
            free(escaped("config.xml", "NAT media of calls")),
            free(escaped("config.xml", "all from inside")),
            free(escaped("config.xml", "when all sleep")),
            free(escaped("config.xml", "night")),
            free(escaped("config.xml", "bad")),
            free(escaped("config.xml", "nat_67a1c0de01a1b1c")),
            escaped("config.xml", "WANGW"),
            escaped("config.xml", "server"),
            escaped("config.xml", "192.0.2.1 bad.example.org"),
            escaped("config.xml", "igc0"),
            free(quoted("callpath.toml", "router")),
            free(quoted("callpath.toml", "talk")),
        ],
    },
    Site {
        about: "rules of pf",
        files: &[("callpath.toml", file!("pf.toml")), ("rules.debug", file!("rules.debug"))],
        target: "pfsense",
        names: &[
            free(bare("rules.debug", "known", "@")),
            free(bare("rules.debug", "sshguard", "@")),
            free(bare("rules.debug", "relayd/*", "@")),
            free(bare("rules.debug", "USER_RULE: calls", "@")),
            free(bare("rules.debug", "USER_RULE: no calls", "@")),
            free(bare("rules.debug", "Default deny rule IPv4", "@")),
            bare("rules.debug", "WAN", "@"),
            bare("rules.debug", "igc0", "@"),
        ],
    },
    Site {
        about: "every key of the manifest",
        files: &[
            ("callpath.toml", file!("whole.toml")),
            ("router.nft", file!("router.nft")),
            ("caller.nft", file!("caller.nft")),
        ],
        target: "nftables",
        names: &[
            free(quoted("callpath.toml", "provider")),
            free(quoted("callpath.toml", "box")),
            free(quoted("callpath.toml", "router")),
            free(quoted("callpath.toml", "talk")),
            free(quoted("callpath.toml", "aunt")),
            free(quoted("callpath.toml", "trunk")),
            key("callpath.toml", "phones0 = "),
            quoted("callpath.toml", "voice.example.org"),
            quoted("callpath.toml", "livekit"),
            quoted("callpath.toml", "proxy"),
            quoted("callpath.toml", "media-udp"),
            quoted("callpath.toml", "net:phones"),
        ],
    },
];

impl Site {
    /// The site as it is.
    pub fn plain(&self) -> Snapshot {
        let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
        Snapshot { sources: self.files.iter().map(source).collect(), directory: String::new() }
    }

    /// The site with other names in the places of some.
    pub fn named(&self, names: &[(&Name, &str)]) -> Snapshot {
        let mut snapshot = self.plain();
        for (place, name) in names {
            let source = snapshot.sources.iter_mut().find(|s| s.name == place.file).expect("a file of the site");
            let (old, new) = match place.writing {
                Writing::Quoted if place.put == "@" => (format!("\"{}\"", place.text), write(name, Writing::Quoted)),
                Writing::Escaped if source.text.contains(&format!("<![CDATA[{}]]>", place.text)) => {
                    let inside = name.replace("]]>", "]]]]><![CDATA[>");
                    (format!("<![CDATA[{}]]>", place.text), format!("<![CDATA[{inside}]]>"))
                }
                Writing::Escaped => (format!(">{}<", place.text), format!(">{}<", write(name, Writing::Escaped))),
                how => (place.text.to_owned(), place.put.replace('@', &write(name, how))),
            };
            assert!(source.text.contains(&old), "{} holds {old}", place.file);
            source.text = source.text.replace(&old, &new);
        }
        snapshot
    }

    /// The rules of nftables of a site with names, a plain word for each, and the words with what they stand for: what a
    /// kernel holds that has such names, in whichever way it got them.
    pub fn in_words(&self, names: &[(&Name, &str)]) -> Option<Worded> {
        let (file, text) = self.files.get(1).filter(|(name, _)| name.rsplit('.').next() == Some("nft"))?;
        let mut out = Worded { text: (*text).to_owned(), words: Vec::new() };
        for (n, (place, name)) in names.iter().enumerate().filter(|(_, (p, _))| p.file == *file) {
            let word = format!("word{n}x");
            // A word of a comment stands in quotation marks already.
            let put = if place.put == "@" { word.clone() } else { place.put.replace('"', "").replace('@', &word) };
            out.text = out.text.replace(place.text, &put);
            out.words.push((word, (*name).to_owned()));
        }
        Some(out)
    }

    /// The site with another value in one place.
    pub fn with(&self, file: usize, value: &Value, text: &str) -> Snapshot {
        let mut snapshot = self.plain();
        snapshot.sources[file].text.replace_range(value.at.clone(), &write(text, value.writing));
        snapshot
    }
}

/// A value as a file writes it.
fn write(value: &str, writing: Writing) -> String {
    match writing {
        Writing::Bare => value.to_owned(),
        // What JSON escapes, a basic string of TOML reads the same way.
        Writing::Quoted => serde_json::to_string(value).expect("a string").replace('\u{7f}', "\\u007f"),
        Writing::Escaped => value.replace('&', "&amp;").replace('<', "&lt;").replace("]]>", "]]&gt;"),
    }
}

/// Every value of a file.
pub fn values(name: &str, text: &str) -> Vec<Value> {
    let found = |pattern: &dyn Fn(&str) -> Option<(usize, usize)>, writing| {
        let (mut out, mut from) = (Vec::new(), 0);
        while let Some((start, end)) = pattern(&text[from..]) {
            out.push(Value { at: from + start..from + end, writing });
            from += end;
        }
        out
    };
    let string = |rest: &str| {
        let start = rest.find('"')?;
        let end = rest[start + 1..].find('"')?;
        Some((start, start + 1 + end + 1))
    };
    let word = |rest: &str| {
        let start = rest.find(|c: char| !c.is_whitespace())?;
        let end = rest[start..].find(char::is_whitespace).unwrap_or(rest.len() - start);
        Some((start, start + end))
    };
    let between_tags = |rest: &str| {
        let start = rest.find('>')? + 1;
        let end = rest[start..].find('<')?;
        Some((start, start + end))
    };
    match name.rsplit('.').next() {
        Some("json" | "toml") => {
            let mut out = found(&string, Writing::Quoted);
            // A key of TOML without quotation marks; keys of JSON have them.
            let bare = found(&word, Writing::Quoted).into_iter();
            let key = |v: &Value| name.ends_with("toml") && text[v.at.end..].starts_with(" = ");
            out.extend(bare.filter(key));
            out
        }
        Some("xml") => found(&between_tags, Writing::Escaped)
            .into_iter()
            .filter(|v| !text[v.at.clone()].trim().is_empty())
            .collect(),
        _ => found(&word, Writing::Bare),
    }
}

#[test]
fn a_file_of_every_dialect_is_in_a_site() {
    let files = SITES.iter().flat_map(|s| s.files).filter(|(name, _)| *name != "callpath.toml");
    let there: Vec<&str> = files.map(|(name, text)| recognise(SourceId(0), text).expect(name).about().name).collect();
    for dialect in DIALECTS {
        assert!(there.contains(&dialect.about().name), "no site has a file of {dialect:?}");
    }
}
