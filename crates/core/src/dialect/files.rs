//! Configuration files of one device: recognised by content, read, put together.

use super::pending::Pending;
use crate::dialect::includes::{self, EmptyInclude};
use crate::dialect::iproute::{self, Dump, DumpedRoute, DumpedRule};
use crate::dialect::nft;
use crate::dialect::pfsense::config::Config;
use crate::dialect::pfsense::generate::LeftOut;
use crate::dialect::{Counts, DIALECTS, Dialect, kernel, pf, pfsense};
use crate::manifest::At;
use crate::model::{Interface, Pipeline, SourceId};
use crate::snapshot::{InputError, Snapshot, floor_boundary};
use rustc_hash::FxHashMap;

/// What a device's files say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// What its rules do.
    pub pipeline: Pipeline,
    /// Interfaces of an address dump.
    pub interfaces: Option<Vec<Interface>>,
    /// Routes of route dumps.
    pub routes: Option<Vec<DumpedRoute>>,
    /// Settings of the kernel.
    pub kernel: kernel::Facts,
    /// Routing rules of rule dumps.
    pub rules: Vec<DumpedRule>,
    /// Rulesets: the file and how much of it was understood.
    pub rulesets: Vec<(SourceId, Counts)>,
    /// Files that the ruleset consists of: its own and what it includes.
    pub parts: Vec<SourceId>,
    /// Patterns of includes that no file of the device fits.
    pub empty_includes: Vec<EmptyInclude>,
    /// Rules that wait for addresses.
    pub pending: Pending,
}

impl Files {
    /// The main table was dumped, by family (IPv4, IPv6): each command prints one family's, and no table is empty where
    /// an interface has an address.
    pub fn routes_dumped(&self) -> [bool; 2] {
        [true, false].map(|v4| {
            let mut main = self.routes.iter().flatten().filter(|r| r.table == iproute::MAIN);
            main.any(|r| r.to.addr().is_ipv4() == v4)
        })
    }
}

/// What kind of file a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// nftables rules as text.
    NftText,
    /// `nft -j list ruleset`.
    NftJson,
    /// `ip -j addr`, `ip -j route`, `ip -j rule`.
    IpRoute,
    /// Settings of Linux: `sysctl -a`.
    Kernel,
    /// A backup of pfSense.
    PfSense,
    /// Rules of pf.
    Pf,
    /// A text that says everything by itself: a dialect of the table that is [`Plain`](super::Plain).
    Plain(&'static Dialect),
}

impl Kind {
    /// What a file of this kind is, for people who have one.
    pub fn about(self) -> &'static str {
        match self {
            Self::NftText => "rules of nftables",
            Self::NftJson => "rules of nftables in JSON",
            Self::IpRoute => "addresses or routes of a Linux router",
            Self::Kernel => "settings of a Linux kernel",
            Self::PfSense => "a backup of pfSense",
            Self::Pf => "rules of pf",
            Self::Plain(dialect) => dialect.title,
        }
    }

    /// Larger texts of this kind are refused, and what they are called then. What a byte costs differs: a statement of
    /// pf may be one letter, while a backup may hold pictures of its load.
    fn most_bytes(self) -> (usize, &'static str) {
        match self {
            Self::PfSense => (32 << 20, "a backup"),
            Self::NftJson => (24 << 20, "a ruleset in JSON"),
            Self::NftText => (12 << 20, "a ruleset"),
            Self::IpRoute => (8 << 20, "a list of addresses or routes"),
            Self::Kernel => (1 << 20, "a list of settings"),
            Self::Pf | Self::Plain(_) => (4 << 20, "a list of rules"),
        }
    }

    /// As many statements are read. Far more than people write, and an answer still comes within five seconds or so; of
    /// a backup, changes are made in the whole text, which is read again after each.
    fn most_statements(self) -> usize {
        match self {
            Self::NftText | Self::NftJson => 100_000,
            Self::PfSense => 25_000,
            _ => 50_000,
        }
    }
}

/// Refuses a ruleset of more statements than anybody waits for.
fn countable(source: SourceId, kind: Kind, statements: usize) -> Result<(), InputError> {
    let most = kind.most_statements();
    if statements <= most {
        return Ok(());
    }
    let message = format!("too many statements: {statements}, and {most} are the most");
    Err(InputError::at(source, 0..0, message).help(
        "put addresses into sets, tables or aliases, or leave out chains that these calls do not meet; check that it \
         is the right file",
    ))
}

/// Statements that a ruleset of nftables has, read or not.
fn nft_statements(tree: &nft::ast::Ruleset) -> usize {
    let rules = tree.tables.iter().flat_map(|t| &t.chains).map(|c| c.rules.len());
    rules.sum::<usize>() + tree.unread.len()
}

const RULESET: &str =
    "give a pfSense backup (config.xml), or nftables rules: what `nft list ruleset` or `nft -j list ruleset` prints";

/// Recognises a configuration file by its content.
///
/// # Errors
/// Empty, or a kind of file that is not read: what it looks like and what to give instead.
pub fn recognise(source: SourceId, text: &str) -> Result<Kind, InputError> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let at = text.len() - start.len();
    let first = start.lines().next().unwrap_or_default().trim_end();
    // As much of the first line as a message shows.
    let shown = at..at + floor_boundary(first, first.len().min(60));
    let refuse =
        |what: &str, help: &str| Err(InputError::at(source, shown.clone(), format!("this is {what}")).help(help));
    if start.is_empty() {
        return refuse(
            "an empty file",
            "download the backup again, or save what `nft list ruleset` prints, as root: others get an empty list",
        );
    }
    // A backup with a stray byte is named at its place by its own reader.
    if text.as_bytes().iter().take(4096).any(|b| *b == 0) && !pfsense::looks_like(start) {
        return refuse("not a text file", RULESET);
    }
    let plain = DIALECTS.iter().find(|d| d.plain.is_some_and(|p| (p.looks_like)(start)));
    let after_bracket = start.strip_prefix('[').map(str::trim_start);
    let kind = match plain {
        Some(dialect) => Ok(Kind::Plain(dialect)),
        _ if kernel::looks_like(start) => Ok(Kind::Kernel),
        _ if start.starts_with('{') && has_key(start, &["nftables"]) => Ok(Kind::NftJson),
        _ if start.starts_with('{') => refuse("JSON of a kind that is not known", RULESET),
        _ if after_bracket.is_some_and(|t| t.starts_with(['{', ']'])) => {
            // Those of addresses, routes and rules; a list without any key is an empty one.
            if has_key(start, &["ifname", "dst", "priority"]) || !start.contains('"') {
                Ok(Kind::IpRoute)
            } else {
                refuse(
                    "a JSON list, but not one that `ip -j addr`, `ip -j route` or `ip -j rule` prints",
                    "run `ip -j addr` on the router and save what it prints",
                )
            }
        }
        _ if pfsense::looks_like(start) => Ok(Kind::PfSense),
        _ if first.starts_with("---- BEGIN config.xml ----") => refuse(
            "an encrypted backup of pfSense",
            "download it again with \"Encrypt this configuration file\" unticked in Diagnostics > Backup & Restore",
        ),
        _ if start.starts_with('<') => refuse("XML or HTML", RULESET),
        _ if start.starts_with('[') => refuse("a file in INI or TOML style", RULESET),
        _ if pf::text::is_pf(start) => Ok(Kind::Pf),
        _ if is_iptables(start) => refuse(
            "an iptables-save file",
            "iptables rules are not read; where `iptables -V` says nf_tables, `nft list ruleset` prints the same rules",
        ),
        _ if first.starts_with("1: lo:") => refuse("what `ip addr` prints for people", "run `ip -j addr`"),
        _ if first.starts_with("default via ") || first.starts_with("default dev ") => {
            refuse("what `ip route` prints for people", "run `ip -j route`")
        }
        _ if first.starts_with("0:\tfrom all") => refuse("what `ip rule` prints for people", "run `ip -j rule`"),
        _ if first.starts_with("-----BEGIN ") => refuse("a key or certificate", RULESET),
        _ if first.starts_with("#!") && !first.contains("nft") => refuse("a script", RULESET),
        _ if nft::text::begins_like_rules(start) => Ok(Kind::NftText),
        _ => refuse("a text of a kind that is not known", RULESET),
    }?;
    let (most, name) = kind.most_bytes();
    if text.len() > most {
        let (size, most) = (text.len().div_ceil(1 << 20), most >> 20);
        let message = format!("this is too large: {size} MB, and {most} MB are the most for {name}");
        return Err(InputError::at(source, shown, message)
            .help("a configuration is much smaller; check that it is the right file"));
    }
    Ok(kind)
}

/// Whether JSON has one of these keys near its beginning.
fn has_key(start: &str, keys: &[&str]) -> bool {
    let near = &start[..floor_boundary(start, start.len().min(64 << 10))];
    keys.iter().any(|key| near.contains(&format!("\"{key}\"")))
}

fn is_iptables(start: &str) -> bool {
    let mut lines = start.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    let table = ["*filter", "*nat", "*mangle", "*raw", "*security"];
    lines.next().is_some_and(|l| table.contains(&l.trim()) || l.starts_with("iptables ") || l.starts_with("-A "))
}

/// The files that are meant: for a folder those that lie in it, apart from those that another one includes.
pub(crate) fn expand(snapshot: &Snapshot, files: &[At<String>]) -> Vec<At<String>> {
    let mut out = Vec::new();
    for file in files {
        let folder = format!("{}/", file.value.trim_end_matches('/'));
        let inside = |name: &str| name.strip_prefix(&folder).is_some_and(|rest| !rest.contains('/'));
        let here: Vec<_> = snapshot.sources.iter().skip(1).filter(|s| inside(&s.name)).collect();
        if snapshot.find(&file.value).is_some() || here.is_empty() {
            out.push(file.clone());
            continue;
        }
        let included = |name: &str| {
            let own = &name[folder.len()..];
            let includes = here.iter().filter(|s| s.name != name).flat_map(|s| s.text.lines());
            let mut named = includes.filter_map(|l| l.trim().strip_prefix("include")?.trim().split('"').nth(1));
            named.any(|n| n.trim_start_matches("./") == own)
        };
        out.extend(here.iter().filter(|s| !included(&s.name)).map(|s| file.with(s.name.clone())));
    }
    out
}

/// Files that several devices have, read once: devices share what was read.
#[derive(Debug, Default)]
pub(crate) struct Readings(FxHashMap<Vec<String>, Files>);

impl Readings {
    /// Reads all files of a device: see [`read`].
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&mut self, snapshot: &Snapshot, files: &[At<String>]) -> Result<Files, InputError> {
        let names: Vec<String> = files.iter().map(|f| f.value.clone()).collect();
        if let Some(known) = self.0.get(&names) {
            return Ok(known.clone());
        }
        let read = read(snapshot, files)?;
        let all = self.0.values().chain([&read]).flat_map(|f| &f.rulesets).map(|(_, counts)| counts.statements);
        let all: usize = all.sum();
        if all > MOST_STATEMENTS {
            let message =
                format!("too many statements in all rulesets together: {all}, and {MOST_STATEMENTS} are the most");
            let last = files.last().map_or_else(|| InputError::in_manifest(0..0, ""), |f| f.error(""));
            return Err(InputError { message, ..last }.help("judge a part of the site by itself"));
        }
        self.0.insert(names, read.clone());
        Ok(read)
    }
}

/// As many statements of nftables are read of all devices together: about 600 MB. One ruleset has fewer.
const MOST_STATEMENTS: usize = 300_000;

/// Reads all files of a device.
///
/// # Errors
/// A file that is not there, not one of the known kinds, broken, or one kind given twice.
fn read(snapshot: &Snapshot, files: &[At<String>]) -> Result<Files, InputError> {
    let mut out = Files::default();
    for file in &expand(snapshot, files) {
        let Some(id) = snapshot.find(&file.value) else {
            return Err(file
                .error(format!("`{}` was not given", file.value))
                .help("add the file beside callpath.toml"));
        };
        if out.parts.contains(&id) {
            continue;
        }
        crate::counters::count(|c| c.reads += 1);
        let text = snapshot.source(id).map_or("", |s| &s.text);
        match recognise(id, text)? {
            kind @ (Kind::NftText | Kind::NftJson | Kind::Plain(_)) => {
                if !out.rulesets.is_empty() {
                    return Err(file.error("a second ruleset for the same device").help(
                        "give one file with all rules: `nft list ruleset` prints them; files can `include` others",
                    ));
                }
                let read = ruleset_of(snapshot, id, kind, &mut out.pipeline)?;
                out.rulesets.push((id, read.counts));
                out.parts = read.parts;
                out.empty_includes = read.empty;
            }
            Kind::PfSense => {
                if out.pending.config.is_some() {
                    return Err(file.error("a second backup for the same device").help("give the newest one only"));
                }
                out.pending.config = Some((id, backup(id, text)?.into()));
            }
            Kind::Pf => {
                if out.pending.effective.is_some() {
                    return Err(file
                        .error("a second list of pf's rules for the same device")
                        .help("give the newest /tmp/rules.debug only"));
                }
                out.pending.effective = Some((id, pf_rules(id, text)?.into()));
            }
            Kind::Kernel => out.kernel.add(kernel::read(id, text)?).map_err(|pair| {
                let message = format!("`{}` says otherwise about {}", file.value, pair.1.setting.what.name());
                file.error(message).help("give one file with the settings of this device: what `sysctl -a` prints")
            })?,
            Kind::IpRoute => match iproute::parse(id, text)? {
                Dump::Addresses(list) => {
                    if out.interfaces.is_some() {
                        return Err(file
                            .error("a second `ip -j addr` dump for the same device")
                            .help("give one; it holds the addresses of both families"));
                    }
                    out.interfaces = Some(list);
                }
                Dump::Routes(list) => out.routes.get_or_insert_default().extend(list),
                Dump::Rules(list) => out.rules.extend(list),
                Dump::Empty => {}
            },
        }
    }
    Ok(out)
}

/// Reads one ruleset into a pipeline.
///
/// # Errors
/// When the text as a whole cannot be read.
pub fn ruleset(snapshot: &Snapshot, id: SourceId, kind: Kind, into: &mut Pipeline) -> Result<Counts, InputError> {
    ruleset_of(snapshot, id, kind, into).map(|read| read.counts)
}

/// A ruleset that was read.
struct ReadRules {
    counts: Counts,
    /// Sources that it consists of.
    parts: Vec<SourceId>,
    empty: Vec<EmptyInclude>,
}

impl ReadRules {
    fn alone(counts: Counts, id: SourceId) -> Self {
        Self { counts, parts: vec![id], empty: Vec::new() }
    }
}

/// Reads one ruleset, and tells which sources it consists of.
fn ruleset_of(snapshot: &Snapshot, id: SourceId, kind: Kind, into: &mut Pipeline) -> Result<ReadRules, InputError> {
    let text = snapshot.source(id).map_or("", |s| &s.text);
    let waiting = match kind {
        Kind::Plain(dialect) => {
            let counts = dialect.plain.map_or_else(Counts::default, |p| (p.read)(id, text, into));
            return countable(id, kind, counts.statements).map(|()| ReadRules::alone(counts, id));
        }
        Kind::PfSense => Pending { config: Some((id, backup(id, text)?.into())), effective: None },
        Kind::Pf => Pending { effective: Some((id, pf_rules(id, text)?.into())), config: None },
        _ => return nft_ruleset(snapshot, id, kind, into),
    };
    // Addresses that come from the line are not known here: what asks for them stays out.
    let mut device = match &waiting.config {
        Some((_, config)) => pfsense::generate::device(config, ""),
        None => crate::model::Device::default(),
    };
    let lowered = waiting.lower(&mut device, &pfsense::generate::Known::default(), true);
    *into = device.pipeline;
    Ok(ReadRules::alone(lowered.counts.first().map(|(_, c)| *c).unwrap_or_default(), id))
}

fn backup(id: SourceId, text: &str) -> Result<Config, InputError> {
    let config = pfsense::read::read(id, text)?;
    countable(id, Kind::PfSense, config.statements)?;
    Ok(config)
}

fn pf_rules(id: SourceId, text: &str) -> Result<pf::ast::Ruleset, InputError> {
    let rules = pf::text::parse(id, text);
    countable(id, Kind::Pf, rules.statements)?;
    Ok(rules)
}

/// Rules of a configuration that are on, but that its firewall would not load.
///
/// # Errors
/// When the text as a whole cannot be read.
pub fn left_out(snapshot: &Snapshot, id: SourceId, kind: Kind) -> Result<Vec<LeftOut>, InputError> {
    if kind != Kind::PfSense {
        return Ok(Vec::new());
    }
    let config = backup(id, snapshot.source(id).map_or("", |s| &s.text))?;
    let device = pfsense::generate::device(&config, "");
    Ok(pfsense::generate::generate(&config, &device.interfaces, &pfsense::generate::Known::default()).left_out)
}

fn nft_ruleset(snapshot: &Snapshot, id: SourceId, kind: Kind, into: &mut Pipeline) -> Result<ReadRules, InputError> {
    let text = snapshot.source(id).map_or("", |s| &s.text);
    let (tree, parts) = match kind {
        Kind::NftJson => (nft::json::parse(id, text)?, vec![id]),
        _ => nft::text::read(id, &includes::of_device(snapshot, id))?,
    };
    if let ([], Some(unread)) = (&tree.tables[..], tree.unread.first()) {
        let span = unread.at.start as usize..unread.at.end as usize;
        let error = |what: &str| InputError::at(unread.at.source, span, what).label(&*unread.why);
        return Err(if unread.text.starts_with("include") {
            error("the file with the rules was not given")
                .help("name the included files in `config` too, or give what `nft list ruleset` prints")
        } else {
            error("this is no nftables ruleset").help(RULESET)
        });
    }
    if let ([], Some(empty)) = (&tree.tables[..], tree.empty.first()) {
        let span = empty.at.start as usize..empty.at.end as usize;
        return Err(InputError::at(empty.at.source, span, "the files with the rules were not given")
            .label(format!("no file of this device fits `{}`", empty.path))
            .help("name the included files in `config` too, or give what `nft list ruleset` prints"));
    }
    if tree.tables.is_empty() {
        return Err(InputError::at(
            id,
            0..text.lines().next().map_or(0, str::len),
            "there is no table in this ruleset",
        )
        .help("save what `nft list ruleset` prints, as root: others get an empty list"));
    }
    countable(id, kind, nft_statements(&tree))?;
    let counts = nft::lower::lower(&tree, kind == Kind::NftText, into).total();
    Ok(ReadRules { counts, parts, empty: tree.empty })
}

#[cfg(test)]
mod tests {
    use crate::dialect::of_text;

    #[test]
    fn the_dialect_of_a_text_is_that_of_the_kind_that_is_read() {
        for (text, dialect) in [
            ("destroy table inet x\ntable inet x {\n}\n", Some("nftables")),
            ("# made by hand\ntable inet x {\n}\n", Some("nftables")),
            ("\u{feff}{\"nftables\": []}", Some("nftables")),
            ("set skip on lo0\n", Some("pf")),
            ("set limit states 100000\n", Some("pf")),
            ("table ip x {\n\tset limit {\n\t\ttype ipv4_addr\n\t}\n}\n", Some("nftables")),
            ("<?xml version=\"1.0\"?>\n<pfsense>\n</pfsense>\n", Some("pfsense")),
            ("toy firewall 1\n", Some("toy")),
            ("[{\"ifname\": \"lo\"}]", None),
            ("", None),
        ] {
            assert_eq!(of_text(text).map(|d| d.name), dialect, "{text}");
        }
    }
}
