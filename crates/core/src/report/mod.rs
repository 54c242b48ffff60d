//! What is told about a site: the verdict, every call path, where packets end and why.
//!
//! The types are the JSON format `callpath.report/1`. Fields that nothing fills yet are there and empty, so that readers
//! of the format need not change. The text form is made from these types alone.

mod callers;
mod diff;
mod formats;
mod github;
mod html;
mod leg;
mod markdown;
mod packets;
mod plans;
mod sarif;
mod text;
mod texts;
mod trace;

pub(crate) use callers::in_a_sentence;
pub use callers::merged;
pub use diff::{DIFF_FORMATS, DIFF_SCHEMA, Diff, PathChange, Side, Statement};
pub use formats::{FORMATS, Format};
pub use github::github;
pub use html::html;
pub use leg::{Alternative, Leg, Piece};
pub use markdown::markdown;
pub use packets::Packets;
pub use plans::{Effect, Plan, plans};
pub use sarif::sarif;
pub(crate) use text::wrap;
pub use text::{Style, columns, expected, explained, paragraph, text, trace};
pub(crate) use texts::{lines, lines_of_steps, lines_of_trace};
pub use trace::{Disposition, TRACE_SCHEMA, Trace, TracedFlow, TracedPiece};

pub use crate::finding::Severity;
use crate::model::Family;
pub use crate::verdict::{Closed, Elsewhere, How, Reach, Searched, Share, Verdict};
use crate::vocabulary::{CallerKind, PortSet, Where, list};
pub use crate::way::{Action, DoubtLine, End, EndForm, Ends, Origin, Rules, Step, Stop, StopKind};
use crate::way::{Reason, words};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

/// The format's name and version.
pub const SCHEMA: &str = "callpath.report/1";

/// What `callpath check --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "callpath.report/1")]
pub struct Report {
    /// Always `callpath.report/1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: &'static str,
    /// What made it.
    pub tool: Tool,
    /// The whole's verdict.
    pub verdict: Verdict,
    /// It in a sentence.
    pub headline: String,
    /// What is installed.
    pub instances: Vec<InstanceLine>,
    /// Facts that the verdict rests on, and where each comes from.
    pub facts: Vec<Fact>,
    /// Every call path that was judged.
    pub paths: Vec<Path>,
    /// Ports that the internet reaches though no call needs them.
    pub exposures: Vec<Exposure>,
    /// Ports by which the internet is led to hosts that the manifest does not describe: nothing about them is judged.
    pub elsewhere: Vec<Elsewhere>,
    /// Hosts of which every port was asked from the internet. What of them is not among `exposures` cannot be reached.
    pub searched: Vec<Searched>,
    /// Ports that must stay closed, and do.
    pub closed: Vec<Closed>,
    /// Causes and repairs, the worst first.
    pub findings: Vec<Finding>,
    /// What was taken as given.
    pub assumptions: Vec<String>,
    /// What was not judged, and why.
    pub not_judged: Vec<String>,
    /// Rules that are on, but that the firewall does not load.
    pub left_out: Vec<LeftOut>,
    /// Statements that were not understood.
    pub unread: Vec<Unread>,
    /// How much of each ruleset was understood.
    pub rulesets: Vec<Ruleset>,
}

/// A rule that is on, but that the firewall does not load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftOut {
    /// Device.
    pub device: String,
    /// Where it stands.
    pub origin: Origin,
    /// Its description.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Why.
    pub why: String,
}

/// What made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tool {
    /// `callpath`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// An installed product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InstanceLine {
    /// Name in reports.
    pub label: String,
    /// Product.
    pub system: String,
    /// Its host's addresses.
    pub host: Vec<String>,
    /// The device that it is on, as ways name it.
    #[serde(skip)]
    pub(crate) device: String,
    /// What people type.
    pub name: Option<String>,
    /// Public addresses that clients are told.
    pub told: Vec<String>,
}

/// Something known, and where from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fact {
    /// What.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it comes from.
    pub from: String,
}

/// Calls of one instance, from one place, by one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Path {
    /// `<instance>/<place>`, with `:<kind>` where there are kinds of callers, with `:<address>` where the administrator
    /// or a machine has several, and with `/v6` for IPv6. No other path has the same.
    pub id: String,
    /// Instance.
    pub instance: String,
    /// Place: `internet`, `lan`, `net:<name>`, `caller:<name>`, `self`, `admin`, `server`, `peer:<name>`.
    #[schemars(with = "String")]
    pub vantage: Where,
    /// Kind of caller, where that makes a difference: the last three are inside. It stands in the id too:
    /// `<instance>/<place>:<kind>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<CallerKind>,
    /// Who that is, for people.
    pub who: String,
    /// Kinds of callers who are one row of a table, where others at their place fare otherwise.
    #[serde(skip)]
    pub(crate) kinds: Vec<CallerKind>,
    /// The address of one who is no caller.
    #[serde(skip)]
    pub(crate) address: Option<String>,
    /// `ipv4` or `ipv6`.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub family: Family,
    /// Verdict.
    pub verdict: Verdict,
    /// What depends on it, where that is not a call: of the server that reaches itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub depends: String,
    /// How it works, or why not quite: `by TCP only`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The parts of a call.
    pub legs: Vec<Leg>,
}

impl Path {
    /// These are calls; else it is the administrator, a machine, or the server on its own way out.
    pub fn is_call(&self) -> bool {
        self.vantage.calls()
    }

    /// Who that is, with the kinds of callers that are meant.
    pub(crate) fn people(&self) -> String {
        if self.kinds.is_empty() {
            self.who.clone()
        } else {
            format!("{}: {}", self.who, callers::in_a_row(&self.kinds))
        }
    }

    /// The same, with the family where it is not the usual one.
    pub(crate) fn people_by_family(&self) -> String {
        let family = if self.family == Family::V6 { ", IPv6" } else { "" };
        format!("{}{family}", self.people())
    }
}

/// A port that the internet reaches though no call needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Exposure {
    /// Instance on whose host it is.
    pub instance: String,
    /// The port on the host: `tcp 7880`.
    #[schemars(with = "String")]
    pub socket: PortSet,
    /// The ports by which the internet gets there: `tcp 7880`.
    #[schemars(with = "String")]
    pub outside: PortSet,
    /// `ipv4` or `ipv6`.
    #[serde(serialize_with = "words::word")]
    #[schemars(with = "String")]
    pub family: Family,
    /// The address by which the internet gets there, where it is not the one that callers are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The address of the container on the host where it arrives, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// It must not be reached: why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forbidden: Option<String>,
    /// It may be reached or not: something is not known.
    pub unknown: bool,
    /// What is not known and decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<DoubtLine>,
    /// The way of one such packet.
    pub steps: Vec<Step>,
}

/// A cause with its repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Its code: `callpath explain <code>` tells more.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Places in the user's files.
    pub at: Vec<Mark>,
    /// Why it breaks calls.
    pub because: String,
    /// What that tells, as data.
    #[serde(skip)]
    pub(crate) reason: Option<Reason>,
    /// Paths that it stops.
    pub paths: Vec<String>,
    /// What to change: nothing that gets through now stops getting through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// What would change it too, and takes something from somebody: no part of the cure, and not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apart: Option<Change>,
    /// Why a change could not be printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Paths that work when all findings are repaired.
    pub repairs: Vec<String>,
    /// With the changes of all findings every path works, and without this one something fails.
    pub verified: bool,
}

/// A place in a file, with the words that matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mark {
    /// File, or object where the source has no lines.
    pub source: String,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column of the first word, in characters, from 1.
    pub column: usize,
    /// Characters.
    pub length: usize,
    /// The line.
    pub text: String,
    /// What is said about it.
    pub label: String,
}

/// What to change on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Device.
    pub device: String,
    /// File that would change.
    pub file: String,
    /// What to do.
    pub steps: Vec<crate::change::Step>,
    /// How to take it back.
    pub undo: Vec<crate::change::Step>,
    /// How sure it is that the steps can be followed.
    pub applicability: &'static str,
    /// What it takes, and from whom; without any of it, the change takes nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<Loss>,
}

/// Packets that get somewhere now, and would not with a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Loss {
    /// Who receives them now: a host, with its port where that is another.
    pub of: String,
    /// Protocols and ports that are asked: `tcp 443`.
    #[schemars(with = "Vec<String>")]
    pub ports: Vec<PortSet>,
    /// The address that is asked; empty where it is any.
    pub asked: String,
    /// Who sends them.
    pub who: Vec<String>,
    /// The changed device itself receives them: perhaps from the person who changes it.
    #[serde(skip)]
    pub(crate) own: bool,
}

impl Loss {
    /// It for a person: who loses what, and who notices.
    pub(crate) fn sentence(&self) -> String {
        let asked = if self.asked.is_empty() { String::new() } else { format!(" of {}", self.asked) };
        let ports = self.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!("it takes {ports}{asked} from {}: {} no longer get there", self.of, list(&self.who))
    }
}

/// A statement that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unread {
    /// Where it stands.
    pub origin: Origin,
    /// Why it was not understood.
    pub why: String,
}

/// How much of a ruleset was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ruleset {
    /// File.
    pub source: String,
    /// Statements.
    pub statements: usize,
    /// Understood exactly.
    pub understood: usize,
    /// Followed both ways, because the text does not decide them.
    pub approximated: usize,
}

/// The JSON schema of the report, for programs that read it.
pub fn schema() -> String {
    // As it is written, not as it could be read: fields that are left out when empty are optional.
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    serde_json::to_string_pretty(&generator.into_root_schema_for::<Report>()).unwrap_or_default() + "\n"
}

impl Report {
    /// The report as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
