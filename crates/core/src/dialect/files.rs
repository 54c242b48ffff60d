//! Files of one device: read, and put together.

use super::document::{Coverage, Document, Engine, Facts, Known, Standing};
use super::includes::EmptyInclude;
use super::interface::Dialect;
use super::{Counts, iproute, of_text, recognise};
use crate::manifest::At;
use crate::model::{Device, Pipeline, SourceId};
use crate::snapshot::{InputError, Snapshot};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a device's files say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// Those with rules.
    pub documents: Vec<Arc<dyn Document>>,
    /// What all of them tell beside rules.
    pub facts: Facts,
}

impl Files {
    /// The main table was dumped, by family (IPv4, IPv6): each command prints one family's, and no table is empty where
    /// an interface has an address.
    pub fn routes_dumped(&self) -> [bool; 2] {
        [true, false].map(|v4| {
            let mut main = self.facts.routes.iter().flatten().filter(|r| r.table == iproute::MAIN);
            main.any(|r| r.to.addr().is_ipv4() == v4)
        })
    }

    /// Whose rules there are, each once.
    pub fn engines(&self) -> Vec<Engine> {
        let mut out: Vec<Engine> = self.documents.iter().filter_map(|d| d.engine()).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Settings of Linux decide beside the rules.
    pub fn has_linux_settings(&self) -> bool {
        self.engines().iter().all(|e| e.has_linux_settings())
    }

    /// Both a configuration and the rules in force are there.
    pub fn has_both(&self) -> bool {
        let there = |e: Engine, s: Standing| self.documents.iter().any(|d| d.engine() == Some(e) && d.standing() == s);
        self.engines().iter().any(|e| there(*e, Standing::InForce) && there(*e, Standing::Intended))
    }

    /// The document that can be changed: the configuration, else the rules that are in force.
    fn changed(&self) -> Option<&dyn Document> {
        self.documents.iter().min_by_key(|d| d.standing()).map(|d| &**d)
    }

    /// The file that can be changed.
    pub fn file(&self) -> Option<SourceId> {
        self.changed()?.sources().first().copied()
    }

    /// Where the user of such a firewall sees the address of its outer interface.
    pub fn outer_address_shown(&self) -> &'static str {
        self.changed().map_or("", |d| d.about().words.outer_address)
    }

    /// What decides: of each engine the rules in force, else the configuration. `intended`: what configurations ask for.
    fn deciding(&self, intended: bool) -> impl Iterator<Item = &Arc<dyn Document>> {
        let wanted = if intended { Standing::Intended } else { Standing::InForce };
        self.documents.iter().filter(move |d| {
            let other = |o: &Arc<dyn Document>| o.engine() == d.engine() && o.standing() == wanted;
            d.standing() == wanted || !self.documents.iter().any(other)
        })
    }

    /// What is taken as given about rules that come and go while the firewall runs.
    pub fn given(&self, name: &str) -> Vec<String> {
        self.deciding(false).filter_map(|d| d.given(name)).collect()
    }

    /// Patterns of includes that fit no file.
    pub fn empty_includes(&self) -> Vec<EmptyInclude> {
        self.documents.iter().flat_map(|d| d.empty_includes()).cloned().collect()
    }

    /// Puts rules that need no address into a new device.
    pub fn lower(&self, device: &mut Device) -> Vec<(SourceId, Counts)> {
        let lowered = self.lowered(device, &Known::default(), (false, false));
        lowered.into_iter().map(|(id, coverage)| (id, coverage.counts)).collect()
    }

    /// Puts rules that wait for addresses into a device that has them all.
    pub fn lower_waiting(&self, device: &mut Device, known: &Known, intended: bool) -> Vec<(SourceId, Coverage)> {
        self.lowered(device, known, (intended, true))
    }

    fn lowered(
        &self,
        device: &mut Device,
        known: &Known,
        (intended, waiting): (bool, bool),
    ) -> Vec<(SourceId, Coverage)> {
        let deciding = self.deciding(intended).filter(|d| d.waits() == waiting);
        let file = |d: &Arc<dyn Document>| d.sources().first().copied().unwrap_or_default();
        deciding.map(|d| (file(d), d.lower(&self.facts, known, device))).collect()
    }
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

/// These files are the rules of a filter on a wire.
pub(crate) fn is_wire(snapshot: &Snapshot, files: &[At<String>]) -> bool {
    let of_wire = |f: &At<String>| {
        let text = snapshot.find(&f.value).map(|id| snapshot.text(id));
        text.and_then(of_text).is_some_and(|d| d.about().engine == Some(Engine::Wire))
    };
    let files = expand(snapshot, files);
    !files.is_empty() && files.iter().all(of_wire)
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
        let all: usize = self.0.values().chain([&read]).flat_map(|f| &f.documents).map(|d| d.statements()).sum();
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

/// As many statements are kept of all devices together: about 600 MB. One ruleset has fewer.
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
        if out.documents.iter().any(|d| d.sources().contains(&id)) {
            continue;
        }
        crate::counters::count(|c| c.reads += 1);
        let dialect = recognise(id, snapshot.text(id))?;
        let about = dialect.about();
        let rival = |d: &Arc<dyn Document>| {
            let same = d.engine() == about.engine && d.standing() == about.standing;
            // pf is told apart where the device is known by its name.
            same || d.engine() != Some(Engine::Pf) && about.engine != Some(Engine::Pf)
        };
        if about.engine.is_some() && out.documents.iter().any(rival) {
            let (message, help) = about.export.second;
            return Err(file.error(message).help(help));
        }
        let document = dialect.read(snapshot, id)?;
        let contradicts = document.facts(&mut out.facts, &file.value);
        contradicts.map_err(|c| file.error(c.message).help(c.help))?;
        if document.engine().is_some() {
            out.documents.push(document);
        }
    }
    Ok(out)
}

/// Reads one ruleset into a pipeline. Addresses that come from the line are not known here: what asks for them stays out.
///
/// # Errors
/// When the text as a whole cannot be read.
pub fn ruleset(
    snapshot: &Snapshot,
    id: SourceId,
    dialect: &dyn Dialect,
    into: &mut Pipeline,
) -> Result<Coverage, InputError> {
    let document = dialect.read(snapshot, id)?;
    let mut facts = Facts::default();
    let name = snapshot.source(id).map_or("", |s| &s.name);
    document.facts(&mut facts, name).map_err(|c| InputError::at(id, 0..0, c.message).help(c.help))?;
    let mut device = facts.described.clone().unwrap_or_default();
    let coverage = document.lower(&facts, &Known::default(), &mut device);
    *into = device.pipeline;
    Ok(coverage)
}
