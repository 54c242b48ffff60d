//! The firewall of no device: a whole dialect on a few pages, as a pattern for the next one (`CONTRIBUTING.md`).
//!
//! ```text
//! toy firewall 1
//! outside wan0
//! forward udp 5004-5005 to 192.168.1.50
//! allow tcp 443 to 192.168.1.51     # through the filter, for what is addressed to that host
//! ```
//!
//! What comes by the outside interface is dropped unless a line or a session lets it in; all else passes. What leaves by it
//! gets its address. IPv4 only; order does not matter.

pub mod change;
pub mod lower;
#[cfg(test)]
mod standard;
#[cfg(test)]
mod tests;

use crate::change::{Planned, Refused, Wanted, added};
use crate::dialect::{
    About, Claim, Counts, Coverage, DeviceBuilder, Dialect, Document, Editor, Engine, Export, Facts, Known, Limits, On,
    Sniff, Standing, Words,
};
use crate::manifest::Proto;
use crate::model::{SourceId, SourceSpan};
use crate::redact::Redactor;
use crate::secrets;
use crate::snapshot::{InputError, Snapshot};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The toy firewall.
pub struct Toy;

/// What it says of itself.
static ABOUT: About = About {
    name: "toy",
    title: "toy firewall",
    what: "rules of toy firewall",
    engine: Some(Engine::Own),
    standing: Standing::InForce,
    is_system: false,
    offered: false,
    export: Export {
        file: "a text that begins with `toy firewall 1`",
        instead: "",
        again: "",
        second: ("a second ruleset for the same device", "give one file with all rules"),
    },
    limits: Limits { bytes: 4 << 20, called: "a list of rules", statements: 50_000, zero_bytes: false },
    words: Words {
        outer_address: "it is printed on a label, on the side of the box",
        ask_outer: "",
        load: "load it",
        not_given: "",
    },
    target: None,
};

impl Dialect for Toy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn claims(&self, text: &Sniff<'_>) -> Claim {
        if text.first == "toy firewall 1" { Claim::Sure } else { Claim::No }
    }

    fn without_secrets(&self, text: &str) -> String {
        without_secrets(text)
    }

    fn vocabulary(&self) -> &'static str {
        "toy firewall outside forward allow to tcp udp"
    }

    fn redacted(&self, text: &str, with: &mut Redactor) -> Option<String> {
        Some(redacted(text, with))
    }

    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError> {
        let lines = parse(file, snapshot.text(file));
        ABOUT.limits.countable(file, lines.len())?;
        Ok(Arc::new(Rules { file: [file], lines }))
    }

    fn editor(&self, snapshot: &Snapshot, file: SourceId) -> Option<Box<dyn Editor>> {
        Some(Box::new(Text(snapshot.text(file).to_owned())))
    }

    #[cfg(test)]
    fn standard(&self) -> Option<crate::dialect::standard::Standard> {
        Some(standard::standard())
    }
}

/// One file that was read.
#[derive(Debug)]
struct Rules {
    file: [SourceId; 1],
    lines: Vec<Line>,
}

impl Document for Rules {
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

/// One file that is changed.
struct Text(String);

impl Editor for Text {
    fn plan(&self, wanted: &Wanted, on: &On<'_>) -> Result<Planned, Refused> {
        let printed = change::print(&self.0, std::slice::from_ref(wanted))?;
        Ok(added(&self.0, printed, on.device, wanted))
    }
}

/// A configuration without its comments, and without lines that are none of its own.
fn without_secrets(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut start = 0;
    for (number, whole) in text.split('\n').enumerate() {
        let line = whole.split('#').next().unwrap_or_default();
        let kept = number == 0 || says(line.trim_end()).is_some();
        let from = if kept { line.len() } else { line.find(' ').unwrap_or(0) };
        secrets::hide_in(&mut out, text, start..start + from, secrets::in_code);
        secrets::hide(&mut out[start + from..start + whole.len()]);
        start += whole.len() + 1;
    }
    secrets::finish(out)
}

/// A configuration with pseudonyms for names and addresses, and without its comments.
fn redacted(text: &str, with: &mut Redactor) -> String {
    let line = |whole: &str| match whole.split_once('#') {
        Some((line, _)) => with.scan(line) + "#",
        None => with.scan(whole),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// The interface to the provider.
    Outside(Box<str>),
    /// Packets to a closed range of ports pass: those addressed to the host, or (if true) those that come from outside,
    /// which go on to it.
    Pass(bool, Proto, (u16, u16), Ipv4Addr),
    /// Not understood; kept, because it may do anything.
    Unread,
}

/// A line and where it stands, without its comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its bytes.
    pub at: SourceSpan,
    /// What it says.
    pub says: Says,
}

/// Reads a configuration. Nothing is an error: a line that is not understood stays in the list as such.
pub fn parse(source: SourceId, text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (number, whole) in text.split('\n').enumerate() {
        let line = whole.split('#').next().unwrap_or_default().trim_end();
        if number > 0 && !line.trim().is_empty() {
            let [start, end] = [start, start + line.len()].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            let at = SourceSpan { source, start, end };
            lines.push(Line { at, says: says(line).unwrap_or(Says::Unread) });
        }
        start += whole.len() + 1;
    }
    lines
}

fn says(line: &str) -> Option<Says> {
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["outside", iface] => Some(Says::Outside(iface.into())),
        [word @ ("forward" | "allow"), proto, ports, "to", to] => {
            let proto = [Proto::Tcp, Proto::Udp].into_iter().find(|p| p.name() == proto)?;
            let (lo, hi) = ports.split_once('-').unwrap_or((ports, ports));
            let ports = (lo.parse().ok()?, hi.parse().ok()?);
            let pass = Says::Pass(word == "forward", proto, ports, to.parse().ok()?);
            (ports.0 <= ports.1).then_some(pass)
        }
        _ => None,
    }
}
