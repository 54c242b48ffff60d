//! Causes: what can be wrong, how it is recognised in a gap, and what to say about it. One file each.

mod administration_open;
mod alias_unresolved;
mod answer_by_another_line;
mod apply_forgotten;
mod blocked_earlier;
mod cgnat;
mod filter_missing;
mod forbidden_open;
mod forward_missing;
mod gap;
mod hairpin_missing;
mod hairpin_no_source_nat;
mod hole_punching_only;
mod not_understood;
mod outbound_nat_missing;
mod plain_http;
mod port_overlap;
mod port_set;
mod range_cut;
mod range_shifted;
mod range_too_small;
mod sip_helper;
mod told_leads_nowhere;
mod udp_closed_tcp_open;
mod wan_address_behind_nat;
mod wider_than_needed;
mod wrong_protocol;
mod wrong_target;

pub use gap::{Gap, Lack, Near, Stands};

use schemars::JsonSchema;
use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Calls fail, or something is open that must not be.
    Error,
    /// Something is worse than it could be, or is not known.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A cause.
#[derive(Debug)]
pub struct Cause {
    /// Its code: `hairpin-missing`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// It in a line.
    pub title: &'static str,
    /// What `callpath explain` prints.
    pub explain: Explain,
    /// Is this gap of this kind?
    pub matches: fn(&Gap) -> bool,
    /// The first line of the finding.
    pub message: fn(&Gap) -> String,
    /// Why it breaks calls, in a sentence or two about the user's own addresses.
    pub because: fn(&Gap) -> String,
}

/// A cause explained, in sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explain {
    /// What happens.
    pub happens: &'static str,
    /// Who notices.
    pub who: &'static str,
    /// How it is recognised.
    pub recognised: &'static str,
    /// What to do.
    pub todo: &'static str,
}

impl Explain {
    /// Its parts, each with its title.
    pub fn parts(&self) -> [(&'static str, &'static str); 4] {
        [
            ("what happens", self.happens),
            ("who notices", self.who),
            ("how it is recognised", self.recognised),
            ("what to do", self.todo),
        ]
    }
}

/// Every cause, in the order in which gaps are tried.
pub const CAUSES: &[&Cause] = &[
    &apply_forgotten::CAUSE,
    &not_understood::CAUSE,
    &sip_helper::CAUSE,
    &alias_unresolved::CAUSE,
    &cgnat::CAUSE,
    &port_set::CAUSE,
    &udp_closed_tcp_open::CAUSE,
    &wan_address_behind_nat::CAUSE,
    &answer_by_another_line::CAUSE,
    &hairpin_no_source_nat::CAUSE,
    &hairpin_missing::CAUSE,
    &range_cut::CAUSE,
    &wrong_protocol::CAUSE,
    &wrong_target::CAUSE,
    &range_shifted::CAUSE,
    &forward_missing::CAUSE,
    &outbound_nat_missing::CAUSE,
    &blocked_earlier::CAUSE,
    &filter_missing::CAUSE,
    &forbidden_open::CAUSE,
    &wider_than_needed::CAUSE,
    &administration_open::CAUSE,
    &hole_punching_only::CAUSE,
    &told_leads_nowhere::CAUSE,
    &plain_http::CAUSE,
    &range_too_small::CAUSE,
    &port_overlap::CAUSE,
];

/// The code of what was not understood.
pub(crate) const NOT_UNDERSTOOD: &str = not_understood::CAUSE.code;

/// The cause of a gap.
pub fn cause(gap: &Gap) -> Option<&'static Cause> {
    CAUSES.iter().find(|c| (c.matches)(gap)).copied()
}

/// A cause by its code.
pub fn find(code: &str) -> Option<&'static Cause> {
    CAUSES.iter().find(|c| c.code == code).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_documented_and_named_once() {
        for (n, cause) in CAUSES.iter().enumerate() {
            assert!(CAUSES.iter().skip(n + 1).all(|c| c.code != cause.code), "{}", cause.code);
            for (title, text) in cause.explain.parts() {
                let sentences = text.ends_with('.') && !text.contains(['\n', '\t']) && !text.contains("  ");
                assert!(sentences, "{}: {title}: {text:?}", cause.code);
            }
            let first = cause.title.split(' ').next().unwrap_or_default();
            assert!(first == "UDP" || first.chars().next().is_some_and(char::is_lowercase), "{}", cause.title);
            assert!(find(cause.code).is_some());
        }
    }
}
