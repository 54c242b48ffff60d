//! Every text of a report, for what has to be done to all of them.

use super::{
    Alternative, Change, Closed, DoubtLine, Elsewhere, End, Ends, Exposure, Fact, Finding, InstanceLine, LeftOut, Leg,
    Loss, Mark, Origin, Path, Piece, Report, Rules, Ruleset, Searched, Step, Stop, Trace, TracedFlow, TracedPiece,
    Unread,
};
use crate::manifest::Place;
use crate::visible::one_line;
use crate::vocabulary::{LegKind, Where};
use crate::way::Reason;

/// Makes one visible line of every text. Names, comments and descriptions of a configuration stand in them, and none of
/// these may begin a line of the report by itself.
pub(crate) fn lines(report: &mut Report) {
    report.each(&mut one_line);
}

/// Makes one visible line of every text of steps for a person.
pub(crate) fn lines_of_steps(steps: &mut [crate::change::Step]) {
    steps.each(&mut one_line);
}

/// The same of a flow that was traced.
pub(crate) fn lines_of_trace(trace: &mut Trace) {
    trace.each(&mut one_line);
}

/// Something that holds texts.
trait Texts {
    /// Does it to each.
    fn each(&mut self, f: &mut impl FnMut(&mut String));
}

impl Texts for String {
    fn each(&mut self, f: &mut impl FnMut(&mut String)) {
        f(self);
    }
}

/// Names of the manifest stand in it.
impl Texts for Where {
    fn each(&mut self, f: &mut impl FnMut(&mut String)) {
        if let Self::At(Place::Net(name) | Place::Caller(name) | Place::Peer(name)) = self {
            f(name);
        }
    }
}

/// A profile may name it.
impl Texts for LegKind {
    fn each(&mut self, f: &mut impl FnMut(&mut String)) {
        if let Self::Other(name) = self {
            f(name);
        }
    }
}

/// It stays equal to that of a stop whose texts are treated alike.
impl Texts for Reason {
    fn each(&mut self, f: &mut impl FnMut(&mut String)) {
        if let Self::Stop(stop) = self {
            f(&mut stop.device);
            stop.ends.each(f);
            stop.origin.each(f);
        }
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each(&mut self, f: &mut impl FnMut(&mut String)) {
        if let Some(inner) = self {
            inner.each(f);
        }
    }
}

impl<T: Texts> Texts for Vec<T> {
    fn each(&mut self, f: &mut impl FnMut(&mut String)) {
        self.as_mut_slice().each(f);
    }
}

impl<T: Texts> Texts for [T] {
    fn each(&mut self, f: &mut impl FnMut(&mut String)) {
        for one in self {
            one.each(f);
        }
    }
}

/// A struct is taken apart whole, so that a new field has to be named here. After `;` stand fields without texts of a
/// configuration.
macro_rules! texts {
    ($($name:path { $($text:ident),* ; $($other:ident),* })*) => {$(
        impl Texts for $name {
            fn each(&mut self, f: &mut impl FnMut(&mut String)) {
                let Self { $($text,)* $($other: _,)* } = self;
                $($text.each(f);)*
            }
        }
    )*};
}

texts! {
    Report {
        headline, instances, facts, paths, exposures, elsewhere, searched, closed, findings, assumptions, not_judged, left_out,
        unread, rulesets;
        schema, tool, verdict
    }
    InstanceLine { label, system, host, device, name, told; }
    Fact { name, value, from; }
    Path { id, instance, vantage, who, address, depends, note, legs; kind, kinds, family, verdict }
    Leg { kind, to, any_of, not_for_them; verdict, how }
    Alternative { requirement, what, purpose, pieces; proto, ports, opener, reach, share }
    Piece { ends_at, stop, doubts, except, steps; packets, reach }
    Stop { device, what, ends, origin, others; kind, packet, hook }
    Ends { from, to; }
    End { host, port; form }
    Rules { source; count, lines, handles }
    DoubtLine { what, supply, origin; key }
    Step { device, by, header, origin; packet, hook, outwards, action }
    Closed { purpose; ports }
    Origin { source, object, text; line, column, handle }
    Exposure { instance, by, at, forbidden, doubts, steps; socket, outside, family, unknown }
    Elsewhere { host, by; outside, family, unknown }
    Searched { host, by; family }
    Finding { message, at, because, reason, paths, change, apart, refused, repairs; code, severity, verified }
    Mark { source, text, label; line, column, length }
    Change { device, file, steps, undo, takes; applicability }
    Loss { of, asked, who; ports, own }
    LeftOut { device, origin, rule, why; }
    Unread { origin, why; }
    Ruleset { source; statements, understood, approximated }
    Trace { from, to, flows, not_traced, assumptions; schema, tool, ports, source_ports, reach }
    TracedFlow { who, asked, pieces; family }
    TracedPiece { device, piece, taken_by; disposition }
    crate::change::Step { place, lines; save, kind }
}
