//! Every text of a report, for what has to be done to all of them.

use super::{
    Alternative, Change, DoubtLine, Elsewhere, Exposure, Fact, Finding, InstanceLine, LeftOut, Leg, Loss, Mark, Origin,
    Path, Piece, Report, Rules, Ruleset, Searched, Step, Stop, Unread,
};
use crate::visible::one_line;

/// Makes one visible line of every text. Names, comments and descriptions of a configuration stand in them, and none of
/// these may begin a line of the report by itself.
pub(crate) fn lines(report: &mut Report) {
    report.each(&mut one_line);
}

/// Makes one visible line of every text of steps for a person.
pub(crate) fn lines_of_steps(steps: &mut [crate::change::Step]) {
    steps.each(&mut one_line);
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
        taken_at, headline, instances, facts, paths, exposures, elsewhere, searched, closed, findings, assumptions, not_judged, left_out,
        unread, rulesets;
        schema, tool, verdict
    }
    InstanceLine { label, system, host, name, told; }
    Fact { name, value, from; }
    Path { id, instance, vantage, who, depends, note, legs; kind, family, verdict }
    Leg { kind, to, any_of; verdict }
    Alternative { requirement, what, purpose, share, pieces; opener, reach, how }
    Piece { ports, from, ends_at, stop, doubts, except, steps; reach, how }
    Stop { device, what, origin, others; kind, packet, hook }
    Rules { source, lines, handles; count }
    DoubtLine { what, supply, origin; }
    Step { device, action, header, origin; packet, hook }
    Origin { source, object, text; line, column, handle }
    Exposure { instance, socket, outside, by, at, forbidden, doubts, steps; family, unknown }
    Elsewhere { host, outside, by; family, unknown }
    Searched { host, by; family }
    Finding { message, at, because, paths, change, apart, refused, repairs; code, severity, verified }
    Mark { source, text, label; line, column, length }
    Change { device, file, steps, undo, takes; applicability }
    Loss { of, what, asked, who; own }
    LeftOut { device, origin, rule, why; }
    Unread { origin, why; }
    Ruleset { source; statements, understood, approximated }
    crate::change::Step { place, lines; save, shell }
}
