//! Settings of a Linux kernel as a file that is read.

use super::{looks_like, read, signs, without_secrets};
use crate::dialect::{
    About, Claim, Contradiction, Coverage, DeviceBuilder, Dialect, Document, Export, Facts, Known, Limits, Sign, Sniff,
    Standing, Words,
};
use crate::model::SourceId;
use crate::redact::Redactor;
use crate::snapshot::{InputError, Snapshot};
use std::sync::Arc;

/// What `sysctl -a` prints.
pub struct Sysctl;

static ABOUT: About = About {
    name: "sysctl",
    title: "sysctl",
    what: "settings of a Linux kernel",
    engine: None,
    standing: Standing::Facts,
    is_system: false,
    offered: false,
    export: Export { file: "`sysctl -a`", instead: "", again: "", second: ("", "") },
    limits: Limits { bytes: 1 << 20, called: "a list of settings", statements: 50_000, zero_bytes: false },
    words: Words { outer_address: "`ip addr` shows it", ask_outer: "", load: "", not_given: "" },
    target: None,
};

impl Dialect for Sysctl {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        if looks_like(text.start) { Claim::Sure } else { Claim::No }
    }

    fn signs(&self) -> &'static [Sign] {
        signs::SIGNS
    }

    fn without_secrets(&self, text: &str) -> String {
        without_secrets(text)
    }

    fn vocabulary(&self) -> &'static str {
        "conf all default net ipv4 ipv6 bridge netfilter kernel ostype linux"
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        Some(with.settings(text))
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        let facts = read(file, snapshot.text(file))?;
        Ok(Arc::new(Settings { file: [file], facts }))
    }
}

/// One list of settings.
#[derive(Debug)]
struct Settings {
    file: [SourceId; 1],
    facts: super::Facts,
}

impl Document for Settings {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sources(&self) -> &[SourceId] {
        &self.file
    }

    fn facts(&self, into: &mut Facts, name: &str) -> Result<(), Contradiction> {
        into.kernel.add(self.facts.clone()).map_err(|pair| Contradiction {
            message: format!("`{name}` says otherwise about {}", pair.1.setting.what.name()),
            help: "give one file with the settings of this device: what `sysctl -a` prints",
        })
    }

    fn shown(&self, text: &str) -> Vec<String> {
        self.facts.list.iter().map(|f| format!("setting {}", text[f.at.clone()].trim())).collect()
    }

    fn lower(&self, _: &Facts, _: &Known, _: &mut DeviceBuilder<'_>) -> Coverage {
        Coverage::default()
    }
}
