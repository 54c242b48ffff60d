//! Files of one device: read, and put together.

use super::builder::DeviceBuilder;
use super::document::{Coverage, Document, Engine, Facts, Known, Made, Standing};
use super::includes::EmptyInclude;
use super::interface::{Claim, Dialect, Sniff};
use super::{Counts, DIALECTS, iproute, of_text, recognise};
use crate::change::Step;
use crate::manifest::At;
use crate::model::{Device, Pipeline, SourceId};
use crate::snapshot::{InputError, Snapshot};
use rustc_hash::FxHashMap;
use std::sync::{Arc, OnceLock};

/// What a device's files say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// Those with rules, in the order of the manifest.
    rules: Vec<Rules>,
    /// What all of them tell beside rules.
    pub facts: Facts,
    /// What configurations ask for is wanted, not what is in force.
    intended: bool,
    /// Rules that wait for no address are the same on all devices with these files: as they are in force, and as they are
    /// intended.
    early: [Arc<OnceLock<Early>>; 2],
}

/// A file with rules.
#[derive(Debug, Clone)]
struct Rules {
    document: Arc<dyn Document>,
    /// What it tells on this device.
    standing: Standing,
    /// What the file is called.
    name: Box<str>,
}

/// Rules that wait for no address.
#[derive(Debug, Clone, Default)]
struct Early {
    pipeline: Pipeline,
    coverage: Vec<(SourceId, Coverage)>,
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

    /// There are files with rules.
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whose rules there are, each once.
    pub fn engines(&self) -> Vec<Engine> {
        let mut out: Vec<Engine> = self.rules.iter().filter_map(|r| r.document.engine()).collect();
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
        self.engines().iter().any(|e| self.has(*e, Standing::InForce) && self.has(*e, Standing::Intended))
    }

    fn has(&self, engine: Engine, standing: Standing) -> bool {
        self.rules.iter().any(|r| r.document.engine() == Some(engine) && r.standing == standing)
    }

    /// The document that can be changed: the configuration, else the rules that are in force.
    fn changed(&self) -> Option<&dyn Document> {
        self.rules.iter().min_by_key(|r| r.standing).map(|r| &*r.document)
    }

    /// The file that can be changed.
    pub fn file(&self) -> Option<SourceId> {
        self.changed()?.sources().first().copied()
    }

    /// Every text with rules, and the file to whose document it belongs: what stands there is changed there.
    pub fn owners(&self) -> Vec<(SourceId, SourceId)> {
        let parts = self.rules.iter().map(|r| r.document.sources());
        parts.flat_map(|parts| parts.first().into_iter().flat_map(|own| parts.iter().map(|p| (*p, *own)))).collect()
    }

    /// How configurations are put in force, where the rules in force are given beside them: what to do, and how to take it
    /// back.
    pub fn load(&self) -> Option<(Vec<Step>, Vec<Step>)> {
        if !self.has_both() {
            return None;
        }
        let of = |standing| self.rules.iter().filter(move |r| r.standing == standing);
        let made = |object: &String| of(Standing::Intended).any(|r| r.document.made(object) == Made::Own);
        let in_force = of(Standing::InForce).flat_map(|r| r.document.objects());
        let others: Vec<String> = in_force.filter(|o| !made(o)).collect();
        let (mut steps, mut undo) = (Vec::new(), Vec::new());
        for rules in of(Standing::Intended) {
            let (todo, back) = rules.document.load(&rules.name, &others)?;
            steps.extend(todo);
            undo.extend(back);
        }
        undo.dedup();
        Some((steps, undo))
    }

    /// Where the user of such a firewall sees the address of its outer interface.
    pub fn outer_address_shown(&self) -> &'static str {
        self.changed().map_or("", |d| d.about().words.outer_address)
    }

    /// The files that decide, in the order in which they are loaded: of each engine the rules in force, else the
    /// configuration. `intended`: what configurations ask for, and what they leave of the rules in force.
    fn deciding(&self, intended: bool) -> Vec<&Rules> {
        let wanted = if intended { Standing::Intended } else { Standing::InForce };
        let decides = |r: &&Rules| {
            let left = || intended && !r.document.objects().is_empty();
            r.document.engine().is_some_and(|engine| r.standing == wanted || left() || !self.has(engine, wanted))
        };
        let mut out: Vec<&Rules> = self.rules.iter().filter(decides).collect();
        // What is in force is there before a configuration is loaded.
        out.sort_by_key(|r| std::cmp::Reverse(r.standing));
        out
    }

    /// What is taken as given about rules that come and go while the firewall runs.
    pub fn given(&self, name: &str) -> Vec<String> {
        self.deciding(false).into_iter().filter_map(|r| r.document.given(name)).collect()
    }

    /// The order in which files are taken to be loaded, where one takes away what was there before.
    pub fn given_order(&self, name: &str) -> Vec<String> {
        let deciding = self.deciding(false);
        let mut out = Vec::new();
        for (at, after) in deciding.iter().enumerate() {
            let objects = after.document.objects();
            let touched = |before: &&&Rules| objects.iter().any(|o| before.document.made(o) != Made::Left);
            if let Some(before) = deciding[..at].iter().find(touched) {
                let (file, first) = (&after.name, &before.name);
                out.push(format!("{name}: {file} was loaded after {first}, which takes away what was there before"));
            }
        }
        out
    }

    /// Patterns of includes that fit no file.
    pub fn empty_includes(&self) -> Vec<EmptyInclude> {
        self.rules.iter().flat_map(|r| r.document.empty_includes()).cloned().collect()
    }

    /// Puts rules that need no address into a new device.
    pub fn lower(&self, device: &mut Device) -> Vec<(SourceId, Counts)> {
        let early = self.early[usize::from(self.intended)].get_or_init(|| {
            let mut fresh = Device::default();
            let coverage = self.lowered(&mut fresh, &Known::default(), (self.intended, false));
            Early { pipeline: fresh.pipeline, coverage }
        });
        if !early.coverage.is_empty() {
            device.pipeline = early.pipeline.clone();
        }
        early.coverage.iter().map(|(id, coverage)| (*id, coverage.counts)).collect()
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
        let mut deciding = self.deciding(intended);
        deciding.retain(|r| r.document.waits() == waiting);
        let mut into = DeviceBuilder::new(device);
        let mut out = Vec::new();
        for (at, Rules { document, name, .. }) in deciding.iter().enumerate() {
            let later = deciding[at + 1..].iter().map(|r| (r.name.clone(), Arc::clone(&r.document)));
            into.next(name, later.collect());
            let file = document.sources().first().copied().unwrap_or_default();
            out.push((file, document.lower(&self.facts, known, &mut into)));
        }
        into.finish();
        out
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
    let wire = |d: &dyn Dialect| d.about().engine == Some(Engine::Wire);
    // What no dialect of a wire claims is none of theirs: to ask them is less work than to recognise a text.
    let may_be = |text: &&str| DIALECTS.iter().any(|d| wire(*d) && d.claims(&Sniff::new(text)) != Claim::No);
    let of_wire = |f: &At<String>| {
        let text = snapshot.find(&f.value).map(|id| snapshot.text(id));
        text.filter(may_be).and_then(of_text).is_some_and(wire)
    };
    let files = expand(snapshot, files);
    !files.is_empty() && files.iter().all(of_wire)
}

/// Files that several devices have, read once: devices share what was read.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    known: FxHashMap<[Vec<String>; 2], Files>,
    /// What configurations ask for is wanted.
    intended: bool,
}

impl Readings {
    /// From now on what configurations ask for is wanted, not what is in force.
    pub fn intend(&mut self) {
        self.intended = true;
    }

    /// Reads all files of a device: see [`read`]. `boot`: what is loaded when it starts.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(
        &mut self,
        snapshot: &Snapshot,
        files: &[At<String>],
        boot: &[At<String>],
    ) -> Result<Files, InputError> {
        let names = [files, boot].map(|list| list.iter().map(|f| f.value.clone()).collect());
        if let Some(known) = self.known.get(&names) {
            return Ok(Files { intended: self.intended, ..known.clone() });
        }
        let read = read(snapshot, files, boot)?;
        let all: usize =
            self.known.values().chain([&read]).flat_map(|f| &f.rules).map(|r| r.document.statements()).sum();
        if all > MOST_STATEMENTS {
            let message =
                format!("too many statements in all rulesets together: {all}, and {MOST_STATEMENTS} are the most");
            let last = files.last().map_or_else(|| InputError::in_manifest(0..0, ""), |f| f.error(""));
            return Err(InputError { message, ..last }.help("judge a part of the site by itself"));
        }
        self.known.insert(names, read.clone());
        Ok(Files { intended: self.intended, ..read })
    }
}

/// As many statements are kept of all devices together: about 600 MB. One ruleset has fewer.
const MOST_STATEMENTS: usize = 300_000;

/// Reads all files of a device.
///
/// # Errors
/// A file that is not there, not one of the known kinds, broken, or one that contradicts another one.
fn read(snapshot: &Snapshot, files: &[At<String>], boot: &[At<String>]) -> Result<Files, InputError> {
    let mut out = Files::default();
    let listed = expand(snapshot, files).into_iter().map(|f| (f, false));
    for (file, at_boot) in listed.chain(expand(snapshot, boot).into_iter().map(|f| (f, true))) {
        let Some(id) = snapshot.find(&file.value) else {
            return Err(file
                .error(format!("`{}` was not given", file.value))
                .help("add the file beside callpath.toml"));
        };
        if out.rules.iter().any(|r| r.document.sources().contains(&id)) {
            continue;
        }
        crate::counters::count(|c| c.reads += 1);
        let dialect = recognise(id, snapshot.text(id))?;
        let about = dialect.about();
        let standing = if at_boot { Standing::Intended } else { about.standing };
        let rival = |r: &Rules| {
            let engine = r.document.engine();
            let same = engine == about.engine && r.standing == standing && about.engine != Some(Engine::Netfilter);
            // pf is told apart where the device is known by its name.
            let other = engine != about.engine;
            same || other && engine != Some(Engine::Pf) && about.engine != Some(Engine::Pf)
        };
        if about.engine.is_some() && out.rules.iter().any(rival) {
            let (message, help) = about.export.second;
            return Err(file.error(message).help(help));
        }
        let document = dialect.read(snapshot, id)?;
        if at_boot && document.load("", &[]).is_none() {
            return Err(file
                .error(format!("`{}` is nothing that is loaded when a device starts: {}", file.value, about.what))
                .help("name it beside the other files of the device"));
        }
        let contradicts = document.facts(&mut out.facts, &file.value);
        contradicts.map_err(|c| file.error(c.message).help(c.help))?;
        if document.engine().is_none() {
            continue;
        }
        // What another file includes is a part of that one.
        let is_part = |r: &Rules| r.document.sources().first().is_some_and(|own| document.sources().contains(own));
        out.rules.retain(|r| !is_part(r));
        let rivals = out.rules.iter().filter(|r| r.standing == standing && r.document.engine() == document.engine());
        for other in rivals {
            if let Some(object) = other.document.objects().iter().find(|o| document.made(o) == Made::Own) {
                return Err(file
                    .error(format!("{} makes {object}, and so does {}", file.value, other.name))
                    .help(about.export.second.1));
            }
        }
        out.rules.push(Rules { document, standing, name: file.value.as_str().into() });
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
    let mut builder = DeviceBuilder::new(&mut device);
    let coverage = document.lower(&facts, &Known::default(), &mut builder);
    builder.finish();
    *into = device.pipeline;
    Ok(coverage)
}
