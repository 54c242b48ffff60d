//! The filter of no provider: rules for packets on a wire, between two segments and without an address of its own. A list
//! that follows sessions is what clouds call a security group, one that does not a network ACL.
//!
//! ```text
//! toy wire 1
//! tracks                   # answers pass by themselves
//! in udp 50000-60000       # comes from outside and passes
//! not in tcp 22            # comes from outside and is dropped
//! out tcp 1-65535          # comes from inside and passes
//! ```
//!
//! The first line that fits decides; what no line names is dropped.

mod lower;
#[cfg(test)]
mod tests;

use crate::dialect::{
    About, Claim, Counts, Coverage, DeviceBuilder, Dialect, Document, Engine, Export, Facts, Known, Limits, Sniff,
    Standing, Words,
};
use crate::manifest::Proto;
use crate::model::{SourceId, SourceSpan};
use crate::redact::Redactor;
use crate::snapshot::{InputError, Snapshot};
use std::sync::Arc;

/// The toy wire.
pub struct ToyWire;

/// What it says of itself.
static ABOUT: About = About {
    name: "toy-wire",
    title: "toy wire",
    what: "rules of toy wire",
    engine: Some(Engine::Wire),
    standing: Standing::InForce,
    is_system: false,
    offered: false,
    export: Export {
        file: "a text that begins with `toy wire 1`",
        instead: "",
        again: "",
        second: ("a second list for the same filter", "give one file with all rules"),
    },
    limits: Limits { bytes: 1 << 20, called: "a list of rules", statements: 10_000, zero_bytes: false },
    words: Words { outer_address: "it has none", ask_outer: "", load: "load it", not_given: "" },
    target: None,
};

impl Dialect for ToyWire {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        if text.first == "toy wire 1" { Claim::Sure } else { Claim::No }
    }

    fn without_secrets(&self, text: &str) -> String {
        text.to_owned()
    }

    fn vocabulary(&self) -> &'static str {
        "toy wire tracks in out not tcp udp"
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        Some(text.split('\n').map(|line| with.scan(line)).collect::<Vec<_>>().join("\n"))
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        Ok(Arc::new(List { file: [file], lines: parse(file, snapshot.text(file)) }))
    }
}

/// One file that was read.
#[derive(Debug)]
struct List {
    file: [SourceId; 1],
    lines: Vec<Line>,
}

impl Document for List {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sources(&self) -> &[SourceId] {
        &self.file
    }

    fn statements(&self) -> usize {
        self.lines.len()
    }

    fn lower(&self, _: &Facts, _: &Known, into: &mut DeviceBuilder<'_>) -> Coverage {
        let counts: Counts = lower::lower(&self.lines, &mut into.device.pipeline);
        counts.into()
    }
}

/// What a line says.
#[derive(Debug)]
enum Says {
    /// Sessions are followed.
    Tracks,
    /// Packets pass or are dropped: `inwards`, or the other way.
    Rule { passes: bool, inwards: bool, proto: Proto, ports: (u16, u16) },
    /// Not understood; kept, because it may do anything.
    Unread,
}

/// A line and where it stands, without its comment.
#[derive(Debug)]
struct Line {
    at: SourceSpan,
    says: Says,
}

fn parse(source: SourceId, text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (number, whole) in text.split('\n').enumerate() {
        let line = whole.split('#').next().unwrap_or_default().trim_end();
        if number > 0 && !line.is_empty() {
            let [start, end] = [start, start + line.len()].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            lines.push(Line { at: SourceSpan { source, start, end }, says: says(line).unwrap_or(Says::Unread) });
        }
        start += whole.len() + 1;
    }
    lines
}

fn says(line: &str) -> Option<Says> {
    if line == "tracks" {
        return Some(Says::Tracks);
    }
    let (passes, rule) = line.strip_prefix("not ").map_or((true, line), |rest| (false, rest));
    let words: Vec<&str> = rule.split_whitespace().collect();
    let [way @ ("in" | "out"), proto, ports] = words[..] else { return None };
    let proto = [Proto::Tcp, Proto::Udp].into_iter().find(|p| p.name() == proto)?;
    let (lo, hi) = ports.split_once('-').unwrap_or((ports, ports));
    let ports = (lo.parse().ok()?, hi.parse().ok()?);
    (ports.0 <= ports.1).then_some(Says::Rule { passes, inwards: way == "in", proto, ports })
}
