//! A backup, `config.xml`, as a file that is read.

use super::config::Config;
use super::{change, generate, looks_like, pseudonyms, read, secrets, shown, signs, vocabulary};
use crate::change::{Context, Step};
use crate::dialect::{
    About, Claim, Contradiction, Coverage, DeviceBuilder, Dialect, Document, Editor, Engine, Export, Facts, Kind,
    Known, Limits, Recipe, Sign, Sniff, Standing, Words, pf,
};
use crate::model::{Interface, SourceId};
use crate::profile::Instance;
use crate::redact::Redactor;
use crate::snapshot::{InputError, ReadError, Snapshot};
use std::sync::Arc;

/// pfSense.
pub struct PfSense;

static ABOUT: About = About {
    name: "pfsense",
    title: "pfSense",
    what: "a backup of pfSense",
    engine: Some(Engine::Pf),
    standing: Standing::Intended,
    is_system: true,
    offered: true,
    export: Export {
        file: "Diagnostics > Backup & Restore > Download (config.xml)",
        instead: "a pfSense backup (config.xml)",
        again: "download the backup again",
        second: ("a second backup for the same device", "give the newest one only"),
    },
    // Changes are made in the whole text, which is read again after each.
    limits: Limits { bytes: 32 << 20, called: "a backup", statements: 40_000, zero_bytes: true },
    words: Words {
        outer_address: "pfSense shows it in Status > Interfaces",
        ask_outer: "address of WAN on pfSense, as Status > Interfaces shows it",
        load: "restore it with Diagnostics > Backup & Restore; the firewall restarts then",
        not_given: "no backup of pfSense is given",
    },
    target: Some("pfsense"),
};

impl Dialect for PfSense {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        if looks_like(text.start) { Claim::Sure } else { Claim::No }
    }

    fn signs(&self) -> &'static [Sign] {
        signs::SIGNS
    }

    fn others(&self) -> &'static [Kind] {
        signs::OTHERS
    }

    fn may_be_part(&self, text: &Sniff<'_>) -> bool {
        text.start.starts_with('<') || text.whole.contains("<pfsense")
    }

    fn without_secrets(&self, text: &str) -> String {
        secrets::blank(text)
    }

    fn vocabulary(&self) -> &'static str {
        vocabulary::WORDS
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        pseudonyms::redacted(text, with)
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        let config = read::read(file, snapshot.text(file))?;
        ABOUT.limits.countable(file, config.statements)?;
        Ok(Arc::new(Backup { file: [file], config: Arc::new(config) }))
    }

    fn telling(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        shown::telling(text, start, end)
    }

    fn end_of_object(&self, text: &str, start: usize) -> usize {
        shown::end_of_object(text, start)
    }

    fn editor(&self, snapshot: &Snapshot, file: SourceId) -> Option<Box<dyn Editor>> {
        Some(Box::new(change::Backup::new(snapshot, file)))
    }

    fn recipe(
        &self,
        file: Option<(&str, SourceId)>,
        instances: &[Instance],
        context: &Context,
    ) -> Result<Option<Recipe>, ReadError> {
        change::whole(file, instances, context).map(Some)
    }

    #[cfg(test)]
    fn standard(&self) -> Option<crate::dialect::standard::Standard> {
        Some(super::standard::standard())
    }
}

/// One backup.
#[derive(Debug)]
struct Backup {
    file: [SourceId; 1],
    config: Arc<Config>,
}

impl Document for Backup {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sources(&self) -> &[SourceId] {
        &self.file
    }

    fn facts(&self, into: &mut Facts, _: &str) -> Result<(), Contradiction> {
        into.described = Some(generate::device(&self.config, ""));
        into.made_from = Some(Arc::clone(&self.config) as Arc<dyn pf::MadeFrom>);
        Ok(())
    }

    fn waits(&self) -> bool {
        true
    }

    fn lower(&self, _: &Facts, known: &Known, into: &mut DeviceBuilder<'_>) -> Coverage {
        let generated = generate::generate(&self.config, &into.device.interfaces, known);
        Coverage { counts: pf::lower::lower(&generated.rules, into.device), left_out: generated.left_out }
    }

    fn load(&self, _: &str, _: &[String]) -> Option<(Vec<Step>, Vec<Step>)> {
        let press = "Reload Filter (or \"Apply Changes\" on the page where it is asked for)";
        Some((vec![Step::by_hand("Status > Filter Reload", vec![press.into()])], Vec::new()))
    }

    fn given(&self, name: &str) -> Option<String> {
        let given = || format!("no host has asked {name} for a forward of its own (UPnP & NAT-PMP is on)");
        self.config.upnp.then(given)
    }
}

impl pf::MadeFrom for Config {
    fn rules(&self, interfaces: &[Interface], known: &Known) -> pf::ast::Ruleset {
        generate::generate(self, interfaces, known).rules
    }

    fn aliases(&self) -> Vec<(&str, &[String])> {
        self.aliases.iter().map(|a| (a.name.as_str(), &a.members[..])).collect()
    }
}
