//! Notes under the table: where packets stop, by which rule, and what they look like there.

use super::{WIDTH, Writer, columns, same_reason, shortened};
use crate::model::Family;
use crate::report::callers::in_a_row;
use crate::report::{Action, Alternative, Ends, Finding, Origin, Path, Piece, Reach, Report, Severity, Step, Verdict};
use crate::trace::Phase;
use crate::visible::item;
use crate::vocabulary::{CallerKind, Where};

/// One reason for which packets stop or may stop, and everybody whom it concerns.
pub(in crate::report) struct Note<'r> {
    /// The piece that is told.
    pub piece: &'r Piece,
    /// Who, by what, which ports.
    pub whom: Vec<Whom<'r>>,
    /// Finding that tells the cause, as index into the report's list.
    pub finding: Option<usize>,
}

/// Who, by what, which ports.
pub(in crate::report) type Whom<'r> = (&'r Path, &'r Alternative, &'r Piece);

/// What a hole is.
const HOLE: &str = "no rule lets callers in: the way opens only while both sides send, when each router takes the \
                    other side's packets for answers (hole punching). Routers that pick source ports at random, as in \
                    mobile networks, break it";

/// All reasons, in the order of the table.
pub(in crate::report) struct Notes<'r> {
    pub list: Vec<Note<'r>>,
}

impl<'r> Notes<'r> {
    pub fn collect(report: &'r Report) -> Self {
        let mut list: Vec<Note<'r>> = Vec::new();
        for path in &report.paths {
            for a in path.legs.iter().flat_map(|l| &l.any_of) {
                for piece in a.pieces.iter().filter(|p| p.reach != Reach::Open) {
                    let whom = (path, a, piece);
                    match list.iter_mut().find(|n| same_reason(n.piece, piece)) {
                        Some(note) => note.whom.push(whom),
                        None => list.push(Note { piece, whom: vec![whom], finding: None }),
                    }
                }
            }
        }
        let one_error = report.findings.iter().filter(|f| f.severity == Severity::Error).count() == 1;
        for note in &mut list {
            let says = |f: &Finding| {
                f.reason.is_some()
                    && note.whom.iter().any(|(path, _, piece)| f.paths.contains(&path.id) && piece.reason() == f.reason)
            };
            // Where the changes cure everything, whatever stops these people has its cause among them.
            let cures = |f: &Finding| {
                let theirs = note.whom.iter().any(|(path, ..)| f.paths.contains(&path.id));
                f.severity == Severity::Error && (f.verified && (theirs || one_error) || theirs && one_error)
            };
            let findings = &report.findings;
            note.finding = findings.iter().position(says).or_else(|| findings.iter().position(cures));
        }
        Self { list }
    }

    /// Notes whose cause a finding tells: their numbers, in [`runs`], and whom they concern.
    pub fn told_by(&self, finding: usize) -> Option<(Vec<Run>, String)> {
        let here: Vec<(usize, &Note<'_>)> =
            self.list.iter().enumerate().filter(|(_, n)| n.finding == Some(finding)).collect();
        let numbers: Vec<usize> = here.iter().map(|(n, _)| n + 1).collect();
        let whom: Vec<Whom<'_>> = here.iter().flat_map(|(_, n)| n.whom.iter().copied()).collect();
        (!here.is_empty()).then(|| (runs(&numbers), concerned(&whom)))
    }

    /// Numbers of the notes that concern an alternative, in [`runs`].
    pub fn of(&self, a: &Alternative) -> Vec<Run> {
        let concerns = |n: &Note<'_>| n.whom.iter().any(|(_, other, _)| std::ptr::eq(*other, a));
        let here = self.list.iter().enumerate().filter(|(_, n)| concerns(n));
        runs(&here.map(|(i, _)| i + 1).collect::<Vec<_>>())
    }
}

/// Numbers of notes that follow each other, the first and the last; one alone is both.
pub(in crate::report) type Run = (usize, usize);

/// A router with a hundred rules that each drop one port gives a hundred notes: nobody reads their numbers one by one.
const SHORTEST_RUN: usize = 5;

/// Ascending numbers, with the first and the last only where many follow each other.
fn runs(numbers: &[usize]) -> Vec<Run> {
    let together = numbers.chunk_by(|a, b| a + 1 == *b);
    together
        .flat_map(|chunk| match chunk {
            [first, .., last] if chunk.len() >= SHORTEST_RUN => vec![(*first, *last)],
            few => few.iter().map(|n| (*n, *n)).collect(),
        })
        .collect()
}

/// `[3]`, or `[3]-[40]`; each number goes through `link` first.
pub(in crate::report) fn show_runs(runs: &[Run], link: impl Fn(usize) -> String) -> String {
    let shown = runs.iter().map(
        |(first, last)| {
            if first == last { link(*first) } else { format!("{}-{}", link(*first), link(*last)) }
        },
    );
    shown.collect::<Vec<_>>().join(" ")
}

/// Why the packets of a piece stop or may stop, in a sentence.
pub(in crate::report) fn reason(piece: &Piece) -> String {
    match &piece.stop {
        _ if piece.reach == Reach::Punched => HOLE.to_owned(),
        _ if piece.reach == Reach::Chance => format!("{HOLE}; and that only if the right side sends first"),
        Some(stop) if piece.reach != Reach::Unknown => stop.what.clone(),
        _ => {
            let list: Vec<&str> = piece.doubts.iter().map(|d| &*d.what).collect();
            format!("it depends on what is not known: {}", list.join("; "))
        }
    }
}

pub(super) fn note(out: &mut Writer, number: usize, note: &Note<'_>) {
    let piece = note.piece;
    let title = reason(piece);
    let mark = out.style.bold(&format!("[{number}]"));
    out.wrapped_after(&mark, format!("[{number}]").len() + 2, &title);
    out.wrapped(5, &format!("concerns {}", concerned(&note.whom)));
    for doubt in &piece.doubts {
        if let Some(o) = &doubt.origin {
            rule(out, o);
        }
        if !doubt.supply.is_empty() {
            out.wrapped(5, &format!("to know it: {}", doubt.supply));
        }
    }
    if let Some(o) = piece.stop.as_ref().and_then(|s| s.origin.as_ref()).filter(|_| piece.reach != Reach::Unknown) {
        rule(out, o);
    }
    way(out, &piece.steps, false);
}

/// A rule with its place: `file:line` and the line itself, or the object and the text.
pub(super) fn rule(out: &mut Writer, o: &Origin) {
    out.line(&format!("     --> {}", shortened(&o.place(), 70)));
    if !o.text.is_empty() {
        out.line(&format!("         {}", item(&shortened(&o.text, 70))));
    }
}

/// Somebody, as a note names them.
#[derive(PartialEq, Eq)]
struct Person<'r> {
    who: &'r str,
    kinds: &'r [CallerKind],
    family: Family,
    /// Their addresses, where not everybody there is meant.
    from: String,
}

/// People by place: kinds of callers of one place are named together, and who is named already is not named again for
/// IPv6.
fn named(people: &[Person<'_>]) -> Vec<String> {
    let named_by_v4 = |p: &Person<'_>| {
        let same = |q: &&Person<'_>| (q.who, q.kinds, &q.from) == (p.who, p.kinds, &p.from);
        people.iter().filter(same).any(|q| q.family == Family::V4)
    };
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    for person in people {
        if person.family == Family::V6 && person.from.is_empty() && named_by_v4(person) {
            continue;
        }
        let family = if person.family == Family::V6 { ", IPv6" } else { "" };
        let from = if person.from.is_empty() { String::new() } else { format!(", {}", person.from) };
        let (place, kinds) = if person.kinds.is_empty() {
            (format!("{}{family}{from}", person.who), None)
        } else {
            (person.who.to_owned(), Some(format!("{}{family}{from}", in_a_row(person.kinds))))
        };
        match places.iter_mut().find(|(p, _)| *p == place) {
            Some((_, list)) => list.extend(kinds),
            None => places.push((place, kinds.into_iter().collect())),
        }
    }
    let shown = |(place, kinds): (String, Vec<String>)| {
        if kinds.is_empty() { place } else { format!("{place}: {}", kinds.join(", ")) }
    };
    places.into_iter().map(shown).collect()
}

/// Ports and people: who has the same ports is named together.
pub(in crate::report) fn concerned(whom: &[Whom<'_>]) -> String {
    // Whoever gets through in another way notices nothing.
    let hurt = |(path, ..): &&Whom<'_>| path.verdict > Verdict::Works;
    let affected: Vec<Whom<'_>> = whom.iter().filter(hurt).copied().collect();
    let whom = if affected.is_empty() { whom } else { &affected };
    let mut people: Vec<(Person<'_>, Vec<String>)> = Vec::new();
    for (path, a, piece) in whom {
        for (ports, from) in piece.told() {
            let who = Person { who: &path.who, kinds: &path.kinds, family: path.family, from };
            let what = format!("{} {ports}", a.proto.name());
            match people.iter_mut().find(|(w, _)| *w == who) {
                Some((_, list)) if list.contains(&what) => {}
                Some((_, list)) => list.push(what),
                None => people.push((who, vec![what])),
            }
        }
    }
    let mut groups: Vec<(Vec<String>, Vec<Person<'_>>)> = Vec::new();
    for (who, what) in people {
        match groups.iter_mut().find(|(w, _)| *w == what) {
            Some((_, list)) => list.push(who),
            None => groups.push((what, vec![who])),
        }
    }
    let groups: Vec<(Vec<String>, Vec<String>)> = groups.into_iter().map(|(what, who)| (what, named(&who))).collect();
    let show = |(what, who): &(Vec<String>, Vec<String>)| format!("{} ({})", who.join("; "), what.join(", "));
    groups.iter().map(show).collect::<Vec<_>>().join("; ")
}

/// One packet's way, a line for each device and each rule that acted. `whole`: and for each chain that let it pass, and
/// each session.
pub(super) fn way(out: &mut Writer, steps: &[Step], whole: bool) {
    let mut packet = None;
    let mut header = &Ends::default();
    let mut at_sender = true;
    for step in steps {
        if packet != Some(step.packet) {
            packet = Some(step.packet);
            (header, at_sender) = (&step.header, true);
            let name = match step.packet {
                Phase::Request => "first packet",
                Phase::Reply => "answer",
                Phase::Next => "next packet",
            };
            out.line(&shortened(&format!("     {name}: {header}"), WIDTH));
            continue;
        }
        // Where addresses have changed, they are said again.
        let same = step.header.is_empty() || step.header == *header;
        let now = if same { String::new() } else { format!("  {}", step.header) };
        if !step.header.is_empty() {
            header = &step.header;
        }
        at_sender &= step.action != Action::Arrives;
        let by = step.by.as_deref().unwrap_or_default();
        let text = match (step.hook, &step.origin, step.action) {
            (Some(hook), Some(o), Action::Rule) => format!("         {hook}  {}  {}", o.place(), o.text),
            (Some(hook), Some(o), Action::PolicyDrop) => {
                format!("         {hook}  {}  policy drop of {}", o.place(), o.object)
            }
            // What a firewall brings along and what accepts all stands in no file.
            (Some(hook), Some(o), Action::PolicyAccept) if whole && (o.line.is_some() || o.handle.is_some()) => {
                format!("         {hook}  {}  policy accept of {}", o.place(), o.object)
            }
            (Some(hook), _, Action::NewSession | Action::KnownSession | Action::KnownAnswer) if whole => {
                format!("         {hook}  {}", step.action.words())
            }
            (Some(hook), _, Action::FitsNoSession) => format!("         {hook}  it fits no session"),
            // The sender's own way out says nothing, unless it changes addresses.
            (None, _, Action::Leaves) if at_sender && now.is_empty() => continue,
            (None, _, Action::Arrives) => format!("       {}, in by {by}{now}", item(&step.device)),
            (None, _, Action::Leaves) => format!("         out by {by}{now}"),
            (None, _, action) => format!("         {}{now}", action.words()),
            _ => continue,
        };
        let head = step.hook.zip(step.origin.as_ref()).map(|(hook, o)| format!("         {hook}  {}", o.place()));
        let long = head.filter(|_| whole && columns(&text) > WIDTH);
        match long.as_ref().and_then(|head| text.strip_prefix(&**head).map(|rest| (head, rest))) {
            // What a rule says stands below its place, whole.
            Some((head, rest)) => {
                out.line(&shortened(head, WIDTH));
                out.wrapped(13, rest);
            }
            None => out.line(&shortened(&text, WIDTH)),
        }
    }
}

/// Which rules let the calls that work through: the ports and places of each list of rules.
pub(in crate::report) fn carried(report: &Report) -> Vec<String> {
    let mut lists: Vec<(String, Vec<&str>, Vec<String>)> = Vec::new();
    for path in report.paths.iter().filter(|p| p.vantage != Where::Outwards) {
        for a in path.legs.iter().flat_map(|l| &l.any_of) {
            let Some(piece) = a.pieces.iter().find(|p| p.reach == Reach::Open) else { continue };
            let rules = piece.steps.iter().filter(|s| s.packet == Phase::Request && s.action == Action::Rule);
            // What the way out does to addresses lets nobody in, and what a firewall brings along stands in no file.
            let inward = rules.filter(|s| !s.outwards);
            let written = inward.filter_map(|s| s.origin.as_ref()).filter(|o| o.line.is_some() || o.handle.is_some());
            let mut places: Vec<String> = Vec::new();
            for place in written.map(Origin::place) {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            let rules = places.join(", ");
            if rules.is_empty() {
                continue;
            }
            let at = lists.iter().position(|(r, ..)| *r == rules).unwrap_or_else(|| {
                lists.push((rules, Vec::new(), Vec::new()));
                lists.len() - 1
            });
            let (_, ports, places) = &mut lists[at];
            if !ports.contains(&&*a.what) {
                ports.push(&a.what);
            }
            let place = path.vantage.to_string();
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    let line = |(rules, ports, places): &(String, Vec<&str>, Vec<String>)| {
        format!("{} from {}: {rules}", ports.join(", "), places.join(", "))
    };
    lists.iter().map(line).collect()
}
