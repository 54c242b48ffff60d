//! Rulesets of nftables as files that are read: text, and what `nft -j` prints.

use super::text::{self, Whole};
use super::{ast, change, json, lower, print, secrets, signs, vocabulary};
use crate::change::Step;
use crate::dialect::includes::{self, EmptyInclude};
use crate::dialect::{
    About, Claim, Coverage, DeviceBuilder, Dialect, Document, Editor, Engine, Export, Facts, Known, Limits, Made, Sign,
    Sniff, Standing, Words, instead,
};
use crate::model::SourceId;
use crate::redact::Redactor;
use crate::snapshot::{InputError, Snapshot};
use std::sync::Arc;

/// Rules of nftables as text.
pub struct Text;

/// `nft -j list ruleset`.
pub struct Json;

const SECOND: (&str, &str) = (
    "a second ruleset for the same device",
    "where one of them is loaded when the device starts, name it in `boot`, and in its place what `nft list ruleset` \
     prints; else give one file with all rules: files can `include` others",
);

const WORDS: Words = Words {
    outer_address: "`ip addr` shows it",
    ask_outer: "",
    load: "check it with `nft -c -f`, then load it",
    not_given: "",
};

static TEXT: About = About {
    name: "nftables",
    title: "nftables",
    what: "rules of nftables",
    engine: Some(Engine::Netfilter),
    standing: Standing::InForce,
    is_system: false,
    offered: true,
    export: Export {
        file: "`nft list ruleset` or `nft -j list ruleset`",
        instead: "nftables rules: what `nft list ruleset` or `nft -j list ruleset` prints",
        again: "save what `nft list ruleset` prints, as root: others get an empty list",
        second: SECOND,
    },
    limits: Limits { bytes: 12 << 20, called: "a ruleset", statements: 100_000, zero_bytes: false },
    words: WORDS,
    target: Some("nftables"),
};

static JSON: About = About {
    name: "nftables-json",
    title: "nftables",
    what: "rules of nftables in JSON",
    engine: Some(Engine::Netfilter),
    standing: Standing::InForce,
    is_system: false,
    offered: false,
    export: Export { file: "`nft -j list ruleset`", instead: "", again: "", second: SECOND },
    limits: Limits { bytes: 24 << 20, called: "a ruleset in JSON", statements: 100_000, zero_bytes: false },
    words: WORDS,
    target: Some("nftables"),
};

impl Dialect for Text {
    fn about(&self) -> &'static About {
        &TEXT
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        let script = text.first.starts_with("#!") && !text.first.contains("nft");
        if text.start.is_empty()
            || script
            || text.is_markup()
            || text.first.starts_with("-----BEGIN ")
            || !text::begins_like_rules(text.start)
        {
            return Claim::No;
        }
        // Any text could be rules of nftables, so those are certain that begin as people save them.
        let mut lines = text.start.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let saved = |l: &str| l.starts_with("table ") && !l.starts_with("table <") || l.starts_with("flush ruleset");
        if lines.next().is_some_and(saved) { Claim::Sure } else { Claim::Weak }
    }

    fn signs(&self) -> &'static [Sign] {
        signs::TEXT
    }

    fn without_secrets(&self, text: &str) -> String {
        secrets::blank(text)
    }

    fn vocabulary(&self) -> &'static str {
        vocabulary::WORDS
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        with.nft(text)
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        let whole = text::read(file, &includes::of_device(snapshot, file))?;
        document(&TEXT, snapshot, whole)
    }

    fn editor(&self, snapshot: &Snapshot, file: SourceId) -> Option<Box<dyn Editor>> {
        Some(Box::new(change::Open::new(snapshot, file)))
    }

    #[cfg(test)]
    fn standard(&self) -> Option<crate::dialect::standard::Standard> {
        Some(super::standard::standard())
    }
}

impl Dialect for Json {
    fn about(&self) -> &'static About {
        &JSON
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        if text.start.starts_with("{\"nftables\"") {
            Claim::Sure
        } else if text.start.starts_with('{') && text.has_key(&["nftables"]) {
            Claim::Weak
        } else {
            Claim::No
        }
    }

    fn signs(&self) -> &'static [Sign] {
        signs::JSON
    }

    fn without_secrets(&self, text: &str) -> String {
        secrets::blank(text)
    }

    fn vocabulary(&self) -> &'static str {
        vocabulary::WORDS
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        with.json(text)
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        let ruleset = json::parse(file, snapshot.text(file))?;
        document(&JSON, snapshot, Whole { ruleset, parts: vec![file], removes: Vec::new() })
    }

    fn editor(&self, snapshot: &Snapshot, file: SourceId) -> Option<Box<dyn Editor>> {
        Some(Box::new(change::Open::new(snapshot, file)))
    }
}

/// A ruleset that was read. Its rules ask for no address of the device: their meaning is the same on all that have it.
#[derive(Debug)]
struct Rules {
    about: &'static About,
    parts: Vec<SourceId>,
    tree: ast::Ruleset,
    removes: Vec<ast::Removal>,
    empty: Vec<EmptyInclude>,
}

fn document(
    about: &'static About,
    snapshot: &Snapshot,
    Whole { ruleset: mut tree, parts, removes }: Whole,
) -> Result<Arc<dyn Document>, InputError> {
    let file = parts.first().copied().unwrap_or_default();
    if let ([], Some(unread)) = (&tree.tables[..], tree.unread.first()) {
        let span = unread.at.start as usize..unread.at.end as usize;
        let error = |what: &str| InputError::at(unread.at.source, span, what).label(&*unread.why);
        return Err(if unread.text.starts_with("include") {
            error("the file with the rules was not given")
                .help("name the included files in `config` too, or give what `nft list ruleset` prints")
        } else {
            error("this is no nftables ruleset").help(instead())
        });
    }
    if let ([], Some(empty)) = (&tree.tables[..], tree.empty.first()) {
        let span = empty.at.start as usize..empty.at.end as usize;
        return Err(InputError::at(empty.at.source, span, "the files with the rules were not given")
            .label(format!("no file of this device fits `{}`", empty.path))
            .help("name the included files in `config` too, or give what `nft list ruleset` prints"));
    }
    if tree.tables.is_empty() {
        let first = snapshot.source(file).and_then(|s| s.text.lines().next()).map_or(0, str::len);
        return Err(InputError::at(file, 0..first, "there is no table in this ruleset")
            .help("save what `nft list ruleset` prints, as root: others get an empty list"));
    }
    // Statements, read or not.
    let rules = tree.tables.iter().flat_map(|t| &t.chains).map(|c| c.rules.len());
    about.limits.countable(file, rules.sum::<usize>() + tree.unread.len())?;
    let empty = std::mem::take(&mut tree.empty);
    Ok(Arc::new(Rules { about, parts, tree, removes, empty }))
}

impl Rules {
    fn is_text(&self) -> bool {
        self.about.name == TEXT.name
    }

    /// The text takes away what there is of a table.
    fn clears(&self, object: &str) -> bool {
        self.removes.iter().any(|r| match r {
            ast::Removal::Tables(only) => {
                only.is_none_or(|family| object.split(' ').next() == Some(print::family(family)))
            }
            ast::Removal::Table(family, name) => object == print::table(*family, name),
            ast::Removal::Part(..) => false,
        })
    }
}

impl Document for Rules {
    fn about(&self) -> &'static About {
        self.about
    }

    fn sources(&self) -> &[SourceId] {
        &self.parts
    }

    fn statements(&self) -> usize {
        let rules = self.tree.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules);
        rules.map(|r| r.stmts.len()).sum::<usize>() + self.tree.unread.len()
    }

    fn lower(&self, _: &Facts, _: &Known, into: &mut DeviceBuilder<'_>) -> Coverage {
        lower::add(&self.tree, self.is_text(), into).total().into()
    }

    fn objects(&self) -> Vec<String> {
        self.tree.tables.iter().map(|t| print::table(t.family, &t.name)).collect()
    }

    fn made(&self, object: &str) -> Made {
        let is = |family, name: &str| object == print::table(family, name);
        let changes = |r: &ast::Removal| matches!(r, ast::Removal::Part(family, name) if is(*family, name));
        if self.tree.tables.iter().any(|t| is(t.family, &t.name)) {
            Made::Own
        } else if self.clears(object) {
            Made::Removed
        } else if self.removes.iter().any(changes) {
            Made::Changed
        } else {
            Made::Left
        }
    }

    fn load(&self, name: &str, others: &[String]) -> Option<(Vec<Step>, Vec<Step>)> {
        self.is_text().then(|| change::load(name, &self.objects(), &|object| self.clears(object), others))
    }

    fn empty_includes(&self) -> &[EmptyInclude] {
        &self.empty
    }
}
