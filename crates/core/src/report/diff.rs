//! What differs between two sites. The types are the JSON format `callpath.diff/1`; the other forms are made of these alone.

use super::text::headed;
use super::{Loss, Tool, Verdict};
use crate::visible::{item, line};
use crate::vocabulary::list;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write;

/// The format's name and version.
pub const DIFF_SCHEMA: &str = "callpath.diff/1";

/// Entries of a list on a terminal; JSON has all.
const MOST: usize = 20;

/// Which of the two sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The first.
    Old,
    /// The second.
    New,
}

/// What `callpath diff --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "callpath.diff/1")]
pub struct Diff {
    /// Always `callpath.diff/1`.
    #[schemars(extend("const" = DIFF_SCHEMA))]
    pub schema: &'static str,
    /// What made it.
    pub tool: Tool,
    /// The old site's verdict.
    pub old: Verdict,
    /// The new site's verdict.
    pub new: Verdict,
    /// Call paths with another verdict.
    pub paths: Vec<PathChange>,
    /// Packets that got somewhere and do not get there any more.
    pub lost: Vec<Loss>,
    /// Packets that get somewhere where they did not.
    pub gained: Vec<Loss>,
    /// Packets that reached a port which must stay closed to them, and do not any more.
    pub closed: Vec<Loss>,
    /// Packets that reach a port which must stay closed to them, and did not.
    pub opened: Vec<Loss>,
    /// Statements of one side that the other has not.
    pub statements: Vec<Statement>,
}

/// A call path with another verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PathChange {
    /// As in the report of `check`.
    pub id: String,
    /// Who that is, for people.
    pub who: String,
    /// Before; absent where the old site has no such path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Verdict>,
    /// After; absent where the new site has no such path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Verdict>,
}

/// A statement of one side that the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Statement {
    /// Whose.
    pub side: Side,
    /// File and line, or object and handle.
    pub place: String,
    /// The statement, one line.
    pub text: String,
}

impl PathChange {
    fn is_worse(&self) -> bool {
        match (self.old, self.new) {
            // Verdicts stand in order, the best first.
            (Some(old), Some(new)) => new > old,
            (old, None) => old.is_some(),
            (None, Some(_)) => false,
        }
    }
}

impl Diff {
    /// A caller fares worse, or a port that must stay closed is reached.
    pub fn loses(&self) -> bool {
        !self.lost.is_empty() || !self.opened.is_empty() || self.paths.iter().any(PathChange::is_worse)
    }

    /// A caller fares better.
    fn gains(&self) -> bool {
        !self.gained.is_empty() || !self.closed.is_empty() || self.paths.iter().any(|p| !p.is_worse())
    }

    /// The word of the first line.
    fn word(&self) -> &'static str {
        match (self.loses(), self.gains()) {
            (false, false) => "SAME",
            (false, true) => "GAINS",
            (true, _) => "LOSES",
        }
    }

    /// It in a sentence.
    fn sentence(&self) -> String {
        let worse = self.paths.iter().filter(|p| p.is_worse()).count();
        let better = self.paths.len() - worse;
        let flows = |list: &[Loss], verb: &str| -> Option<String> {
            let first = list.first()?;
            let more = if list.len() > 1 { format!(" (and {} more)", list.len() - 1) } else { String::new() };
            Some(format!("{verb} {}: {}{more}", who(first), what(first)))
        };
        let rows = |n: usize, how: &str| {
            (n > 0).then(|| format!("{n} {} {how}", if n == 1 { "row fares" } else { "rows fare" }))
        };
        let parts: Vec<String> = [
            rows(worse, "worse"),
            flows(&self.lost, "lost for"),
            flows(&self.opened, "open, though it must stay closed, for"),
            rows(better, "better"),
            flows(&self.gained, "gained for"),
            flows(&self.closed, "closed, as it must be, for"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() {
            return "nobody gains and nobody loses: every packet ends where it ended before".into();
        }
        parts.join("; ")
    }
}

fn who(loss: &Loss) -> String {
    list(&loss.who)
}

/// `udp 50000-50499 of 203.0.113.5, at 192.168.1.50`.
fn what(loss: &Loss) -> String {
    let ports = loss.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let asked = if loss.asked.is_empty() { String::new() } else { format!(" of {}", loss.asked) };
    format!("{ports}{asked}, at {}", loss.of)
}

/// A form in which a comparison is printed.
pub struct DiffFormat {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Prints it.
    pub print: fn(&Diff) -> String,
}

/// Every form, the default first.
pub const DIFF_FORMATS: [DiffFormat; 3] = [
    DiffFormat { name: "text", about: "For a terminal", print: text },
    DiffFormat { name: "json", about: "For programs: callpath.diff/1", print: json },
    DiffFormat { name: "markdown", about: "For a pull request or a ticket", print: markdown },
];

fn json(diff: &Diff) -> String {
    serde_json::to_string_pretty(diff).map_or_else(|e| e.to_string(), |text| text + "\n")
}

/// Lists with their titles, each entry one line; statements apart.
fn lists(diff: &Diff) -> Vec<(&'static str, Vec<String>)> {
    let verdict = |v: Option<Verdict>| v.map_or("not there", Verdict::word);
    let rows = |p: &PathChange| format!("{} ({}): {}, was {}", p.who, p.id, verdict(p.new), verdict(p.old));
    let flows = |list: &[Loss]| list.iter().map(|l| format!("{}: {}", who(l), what(l))).collect();
    let statements = diff.statements.iter().map(|s| {
        let side = if s.side == Side::Old { "before" } else { "after" };
        format!("{side} {}: {}", s.place, s.text)
    });
    let out = vec![
        ("rows that fare otherwise", diff.paths.iter().map(rows).collect()),
        ("lost", flows(&diff.lost)),
        ("open, though it must stay closed", flows(&diff.opened)),
        ("gained", flows(&diff.gained)),
        ("closed, as it must be", flows(&diff.closed)),
        ("statements that differ", statements.collect()),
    ];
    let moved = diff.statements.is_empty() && (diff.loses() || diff.gains());
    let order = moved.then(|| ("statements", vec!["the same ones, in another order".to_owned()]));
    let out = out.into_iter().chain(order);
    out.filter(|(_, list): &(_, Vec<String>)| !list.is_empty()).collect()
}

fn text(diff: &Diff) -> String {
    let mut out = headed(diff.word(), &diff.sentence());
    for (title, list) in lists(diff) {
        let _ = writeln!(out, "\n{title}");
        for entry in list.iter().take(MOST) {
            let _ = writeln!(out, "  {}", item(&line(entry.clone())));
        }
        if list.len() > MOST {
            let _ = writeln!(out, "  and {} more (--format json has all)", list.len() - MOST);
        }
    }
    out
}

fn markdown(diff: &Diff) -> String {
    let mut out = format!("**{}** {}\n", diff.word(), super::markdown::prose(&diff.sentence()));
    for (title, list) in lists(diff) {
        let _ = writeln!(out, "\n### {title}\n");
        for entry in list.iter().take(MOST) {
            let _ = writeln!(out, "- {}", super::markdown::prose(entry));
        }
        if list.len() > MOST {
            let _ = writeln!(out, "- and {} more", list.len() - MOST);
        }
    }
    out
}
