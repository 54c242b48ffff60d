//! Texts that a stranger wrote: names that would be more than names in what is printed.
//!
//! `inputs` lists every kind of input, `outputs` every kind of output; each value of the ones goes through each of the
//! others, and what comes out is read by parsers and programs that are not ours. Nothing but what was meant may run, no
//! line, heading, link or element may be made of a value, and no character may be hidden.

mod elements;
mod inputs;
mod judges;
mod names;
mod outputs;
mod shell;

use callpath_core::check::changes;
use callpath_core::dialect::{Patch, apply};
use callpath_core::ports::Choice;
use callpath_core::render::render;
use callpath_core::report::{FORMATS, Report, Style};
use callpath_core::snapshot::Snapshot;
use inputs::{Name, SITES, Site, Worded};
use outputs::{Shown, judge_error, judge_ports, judge_report, judge_steps, judge_trace, no_mark};
use shell::{Blocks, Change};
use std::collections::BTreeSet;

/// What nft says of texts that are no rules at all.
const NO_TEXT: &[&str] = &["syntax error", "Can't parse symbolic invalid expressions"];

/// What was printed for pasting, for the programs that judge all of it at the end, and what was wrong so far.
#[derive(Default)]
struct Run {
    blocks: Blocks,
    changes: Vec<Change>,
    /// Blocks that the kernel is asked about already.
    asked: BTreeSet<String>,
    reports: usize,
    errors: usize,
    faults: Vec<String>,
    /// Sites and places of names with which there was a report.
    told: BTreeSet<(&'static str, &'static str)>,
}

impl Run {
    fn block(&mut self, lines: &[String], about: &str) {
        let ours: Vec<&str> = lines.iter().filter(|l| l.starts_with("nft ")).map(|l| &**l).collect();
        if !ours.is_empty() {
            self.blocks.entry(ours.join("\n") + "\n").or_insert_with(|| about.to_owned());
        }
    }

    /// Everything that can be printed of a site, through its judges; whether there was a report. The recipe is printed
    /// too, where it is asked for.
    fn judge(&mut self, site: &Site, snapshot: &Snapshot, names: &[&str], about: &str, recipe: bool) -> bool {
        self.judge_named(site, snapshot, names, about, recipe, None)
    }

    /// The same, where the kernel can get these names in another way than as a text of nft.
    fn judge_named(
        &mut self,
        site: &Site,
        snapshot: &Snapshot,
        names: &[&str],
        about: &str,
        recipe: bool,
        words: Option<Worded>,
    ) -> bool {
        let shown = Shown::new(names, about);
        let good = self.report(site, snapshot, &shown, words);
        if recipe {
            self.recipe(site, snapshot, &shown);
        }
        self.faults.append(&mut shown.faults.borrow_mut());
        good
    }

    fn report(&mut self, site: &Site, snapshot: &Snapshot, shown: &Shown<'_>, words: Option<Worded>) -> bool {
        let (patches, report) = match changes(snapshot) {
            Ok(both) => both,
            Err(error) => {
                self.errors += 1;
                judge_error(&error, snapshot, shown);
                return false;
            }
        };
        self.reports += 1;
        for format in FORMATS {
            judge_report(format, &report, shown);
        }
        // A trace reads the site again: every eighth is enough to see each name in it.
        if self.reports.is_multiple_of(8) {
            judge_trace(snapshot, shown);
        }
        let (lines, undo) = lines(&report);
        self.block(&lines, shown.about);
        self.block(&undo, shown.about);
        let text = &snapshot.sources[1].text;
        let here: Vec<&Patch> = patches.iter().filter(|(id, _)| id.0 == 1).map(|(_, p)| p).collect();
        if here.is_empty() {
            return true;
        }
        let after = apply(text, &here).unwrap_or_else(|e| panic!("{}: {e}", shown.about));
        if site.target == "pfsense" {
            self.same_xml(text, &after, here, shown);
        } else if !lines.is_empty() && self.asked.insert(lines.join("\n")) {
            let join = |lines: &[String]| lines.join("\n") + "\n";
            let (before, lines, undo) = (text.clone(), join(&lines), join(&undo));
            let words = words.map(|w| (w.text, w.words));
            self.changes.push(Change { about: shown.about.to_owned(), before, after, lines, undo, words });
        }
        true
    }

    fn recipe(&mut self, site: &Site, snapshot: &Snapshot, shown: &Shown<'_>) {
        let rendered = match render(site.target, snapshot) {
            Ok(rendered) => rendered,
            Err(error) => return judge_error(&error, snapshot, shown),
        };
        for steps in [&rendered.guide, &rendered.undo] {
            judge_steps(steps, &rendered.notes, shown);
            let lines: Vec<String> = steps.iter().flat_map(|s| s.lines.clone()).collect();
            self.block(&lines, shown.about);
        }
        let given = rendered.source.and_then(|id| snapshot.source(id)).filter(|_| site.target == "pfsense");
        if let Some(given) = given.filter(|s| s.text.contains("<pfsense>")) {
            let patches: Vec<&Patch> = rendered.patches.iter().collect();
            if let Ok(after) = apply(&given.text, &patches) {
                self.same_xml(&given.text, &after, patches, shown);
            }
        }
    }

    /// A changed backup holds what was meant, as a parser of XML reads it, and nothing else is another.
    fn same_xml<'p>(
        &mut self,
        before: &str,
        after: &str,
        patches: impl IntoIterator<Item = &'p Patch>,
        shown: &Shown<'_>,
    ) {
        let found = elements::faults(before, after, &elements::meant(patches));
        self.faults.extend(found.into_iter().map(|f| format!("{}: {f}", shown.about)));
    }

    /// The programs judge, and what all judges found is told.
    fn finish(&self, name: &str, or: &[&str]) {
        shell::record(name, &self.blocks);
        let judged = shell::load(name, &self.changes);
        println!(
            "{name}: {} reports, {} errors, {} blocks to paste; {} of {} changes loaded by the kernel",
            self.reports,
            self.errors,
            self.blocks.len(),
            judged.loaded,
            self.changes.len()
        );
        shell::all_judged(name, &judged, or);
        let few: Vec<&str> = self.faults.iter().take(20).map(|f| &**f).collect();
        assert!(few.is_empty(), "{} faults:\n{}", self.faults.len(), few.join("\n"));
    }
}

/// Lines of steps that are for a shell, and those that take them back.
fn lines(report: &Report) -> (Vec<String>, Vec<String>) {
    let changes = || report.findings.iter().filter_map(|f| f.change.as_ref());
    let shell = |lines: &mut Vec<String>, steps: &[callpath_core::change::Step]| {
        let new = steps.iter().filter(|s| s.shell().is_some()).flat_map(|s| s.lines.clone());
        lines.extend(new.filter(|l| l.starts_with("nft ")));
    };
    let (mut there, mut back) = (Vec::new(), Vec::new());
    changes().for_each(|c| shell(&mut there, &c.steps));
    changes().for_each(|c| shell(&mut back, &c.undo));
    (there, back)
}

/// Names in places of a site, all at once; where that is refused, each half of them, down to each alone.
fn parts(run: &mut Run, site: &Site, chosen: &[(&Name, &str)], recipe: bool) {
    let names: Vec<&str> = chosen.iter().map(|(_, name)| *name).collect();
    let shown: Vec<String> = chosen.iter().map(|(p, n)| format!("{:?} in {} is {n:?}", p.text, p.file)).collect();
    let about = format!("{}: {}", site.about, shown.join(", "));
    let words = site.in_words(chosen);
    if run.judge_named(site, &site.named(chosen), &names, &about, recipe, words) {
        run.told.extend(chosen.iter().map(|(place, _)| (site.about, place.text)));
    } else if chosen.len() > 1 {
        let (one, other) = chosen.split_at(chosen.len() / 2);
        parts(run, site, one, false);
        parts(run, site, other, false);
    }
}

/// Each name in each of the places, all places at once as far as that is not refused.
fn together(run: &mut Run, site: &Site, places: &[&Name], names: &[String]) {
    // Short tests try every fourth of them at each place.
    for n in (0..names.len()).step_by(crate::length::length(1, 4)) {
        let chosen = places.iter().enumerate().map(|(p, place)| (*place, &*names[(n + p * 7) % names.len()]));
        // A name that is what others try to begin a line with would excuse them.
        let (mark, others): (Vec<_>, Vec<_>) = chosen.partition(|(_, name)| name.starts_with("FORGED"));
        for chosen in [mark, others].iter().filter(|part| !part.is_empty()) {
            parts(run, site, chosen, n % 4 == 0 || site.target == "pfsense");
        }
    }
}

fn names_run_nothing(abouts: &[&str]) {
    let names = names::all();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert!(distinct.len() >= 200, "{} names", distinct.len());
    let mut run = Run::default();
    for site in SITES.iter().filter(|s| abouts.iter().any(|a| s.about.starts_with(a))) {
        let whole = changes(&site.plain()).unwrap_or_else(|e| panic!("{}: {e}", site.about));
        assert!(!whole.1.findings.is_empty(), "{}: nothing is wrong with it", site.about);
        let mut groups: Vec<u8> = site.names.iter().map(|n| n.group).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            let places: Vec<&Name> = site.names.iter().filter(|n| n.group == group).collect();
            together(&mut run, site, &places, &names);
            // Alone, where all together stand in each other's way: names that a command can hold are among these.
            for place in places.iter().filter(|_| group > 0) {
                together(&mut run, site, &[place], &names::some());
            }
        }
        let silent = |n: &&Name| n.group == 0 && !run.told.contains(&(site.about, n.text));
        let silent: Vec<&str> = site.names.iter().filter(silent).map(|n| n.text).collect();
        assert!(silent.is_empty(), "{}: no report holds another name for {silent:?}", site.about);
    }
    run.finish(abouts[0].split(' ').next().unwrap_or_default(), &[]);
}

#[test]
fn names_of_nftables_run_nothing_and_forge_nothing() {
    names_run_nothing(&["nftables as text"]);
}

#[test]
fn names_of_other_kinds_run_nothing_and_forge_nothing() {
    names_run_nothing(&["others", "nftables, addresses", "rules of pf", "the pattern"]);
}

#[test]
fn names_of_pfsense_run_nothing_and_forge_nothing() {
    names_run_nothing(&["a backup"]);
}

#[test]
fn names_of_manifests_run_nothing_and_forge_nothing() {
    names_run_nothing(&["every key"]);
}

#[test]
fn every_value_of_every_input_comes_out_as_a_text() {
    let mut run = Run::default();
    let names = names::whole();
    let mut n = 0;
    for site in SITES {
        for (index, (file, text)) in site.files.iter().enumerate() {
            for value in inputs::values(file, text) {
                // Which of the names differs from value to value.
                for name in names.iter().cycle().skip(n % names.len()).take(1) {
                    let about = format!("{}, {file}: {:?} as {name:?}", site.about, &text[value.at.clone()]);
                    run.judge(site, &site.with(index, &value, name), &[name], &about, n % 4 == 0);
                }
                n += 1;
            }
        }
    }
    println!("{n} values");
    // A value in the place of a keyword leaves no rules.
    run.finish("values", NO_TEXT);
}

#[test]
fn names_of_files_come_out_as_texts() {
    let mut run = Run::default();
    for (n, name) in names::all().into_iter().enumerate() {
        for site in SITES.iter().cycle().skip(n).take(2) {
            let mut snapshot = site.plain();
            let old = snapshot.sources[1].name.clone();
            let quoted = serde_json::to_string(&name).expect("a string").replace('\u{7f}', "\\u007f");
            let manifest = snapshot.sources[0].text.replace(&format!("\"{old}\""), &quoted);
            snapshot.sources[0].text = manifest;
            snapshot.sources[1].name.clone_from(&name);
            let about = format!("{}: {old} is called {name:?}", site.about);
            run.judge(site, &snapshot, &[&name], &about, n % 2 == 0);
        }
    }
    run.finish("files", &[]);
}

#[test]
fn choices_of_a_port_sheet_come_out_as_texts() {
    let mut faults = Vec::new();
    for name in names::all() {
        let about = format!("ports with {name:?}");
        let names = [&*name];
        let shown = Shown::new(&names, &about);
        let plain = || Choice { system: "livekit".into(), ..Choice::default() };
        for choice in [
            Choice { system: name.clone(), ..plain() },
            Choice { mode: Some(name.clone()), ..plain() },
            Choice { with: vec![name.clone()], ..plain() },
            Choice { with: vec![format!("udp={name}")], ..plain() },
            Choice { with: vec![format!("{name}=50000-50010")], ..plain() },
            Choice { on: vec![name.clone()], ..plain() },
            Choice { off: vec![name.clone()], ..plain() },
        ] {
            match choice.instance() {
                Err(error) => judge_error(&error, &Snapshot::default(), &shown),
                Ok(instance) => judge_ports(&instance, &shown),
            }
        }
        faults.append(&mut shown.faults.borrow_mut());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_judges_see_what_they_look_for() {
    for bad in [
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "\u{202e}",
        "\r",
        "\u{9b}2J",
        "\u{200b}",
        "\u{1b}Px\u{1b}\\",
        "\u{e0041}",
        "\u{feff}",
    ] {
        assert!(judges::terminal(&format!("a{bad}b")).is_err(), "{bad:?}");
    }
    assert_eq!(judges::terminal("\u{1b}[1;31mé\u{1b}[0m\n").as_deref(), Ok("é\n"));
    assert!(judges::json("{\"a\": 1, \"a\": 2}").is_err() && judges::json("{\"a\": [1, {\"a\": 2}]}").is_ok());
    let page = judges::markdown("# x\n\n- y\n\n[a](//h) <b>\n", true);
    assert_eq!(
        (page.headings, page.items, page.links, page.html.len()),
        (vec!["x".into()], vec!["y".into()], vec!["//h".into()], 1)
    );
    for bad in ["    2. FORGED", "FORGED", "  - FORGED", "error[x]: FORGED"] {
        let shown = Shown::new(&["\nFORGED"], "");
        no_mark(bad, &shown);
        assert_eq!(shown.faults.borrow().len(), 1, "{bad}");
    }
    let plain = SITES[0].plain();
    let (_, report) = changes(&plain).expect("an answer");
    assert!(lines(&report).0.len() > 1, "the site asks for changes");
    let coloured = callpath_core::report::text(&report, Style { colour: true });
    assert!(coloured.contains('\u{1b}') && judges::terminal(&coloured).is_ok());
}
