//! Statements as steps.

use super::Lowering;
use super::coverage::Outcome;
use super::matching::is;
use super::selector::Needs;
use super::sets::may_fail;
use crate::cube::Set;
use crate::dialect::nft::ast::{self, Expr, Lost, Rate, Stmt, TableFamily};
use crate::model::{Action, Doubt, DoubtKind, Key, KeyField, Step, Verdicted, Ways, nfproto};

/// Extensions of xtables that cannot alter a packet's fate. `match "comment"` holds for every packet.
const HARMLESS_XT: &[&str] = &[
    "match \"comment\"",
    "target \"LOG\"",
    "target \"NFLOG\"",
    "target \"TRACE\"",
    "target \"AUDIT\"",
    "target \"CHECKSUM\"",
    "target \"TCPMSS\"",
    "target \"CLASSIFY\"",
    "target \"DSCP\"",
    "target \"TOS\"",
    "target \"ECN\"",
    "target \"TEE\"",
    "target \"IDLETIMER\"",
    "target \"RATEEST\"",
    "target \"LED\"",
    "target \"SECMARK\"",
    "target \"CONNSECMARK\"",
];

/// nft's JSON names an extension and no more; its text shows what some of them say.
const LISTING: &str = "what `nft list ruleset` prints, in place of JSON: it may show what the extension asks for";

/// nft loses targets of the family that stands second in a listing.
const EACH_FAMILY: &str = "what `nft list ruleset ip` and `nft list ruleset ip6` print, each in a file of its own";

/// The reader takes what is written so literally.
const BY_HAND: &str = "the condition by hand, as `iptables-save` shows it: for `--ctstate DNAT` alone, write \
                       `ct status & dnat == dnat` in its place";

/// Figures from which on a limit is taken as not reached by the connections of one call: more a second than two ICE
/// agents begin (RFC 8445 14: one check every 50 ms), and as many at once as they may have pairs in the first second.
const GENEROUS: (u64, u64) = (20, 20);

impl Lowering<'_> {
    /// The steps of a rule.
    pub(super) fn steps(&mut self, rule: &ast::Rule) -> Vec<Step> {
        let mut steps = Vec::with_capacity(rule.stmts.len() + 1);
        let merged = super::merged::merged(&rule.stmts);
        for (i, stmt) in rule.stmts.iter().enumerate() {
            self.doubted = false;
            self.more = i + 1 < rule.stmts.len();
            match merged.iter().find(|group| group.contains(&i)) {
                Some(group) if i == group[0] => {
                    let all: Vec<&Stmt> = group.iter().map(|at| &rule.stmts[*at]).collect();
                    self.merged(&all, &mut steps);
                }
                Some(_) => self.doubted = true,
                None => self.statement(stmt, &mut steps),
            }
            let outcome = match stmt {
                Stmt::Unread(_) | Stmt::Lost(Lost::Target) => Outcome::Unread,
                _ if self.doubted => Outcome::Approximated,
                _ => Outcome::Understood,
            };
            self.coverage.count(stmt, outcome);
        }
        steps
    }

    fn statement(&mut self, stmt: &Stmt, steps: &mut Vec<Step>) {
        match stmt {
            Stmt::Match { left, op, right } => self.relation(left, *op, right, steps),
            Stmt::Verdict(verdict) => {
                let action = self.verdict(verdict);
                steps.extend(action.map(Step::Act));
            }
            Stmt::Vmap(key, map) => self.verdict_map(key, map, steps),
            Stmt::Nat { .. } => self.nat(stmt, steps),
            Stmt::Mangle(left, value) => self.mangle(left, value, steps),
            Stmt::Limit(rate) => self.limit(*rate, steps),
            Stmt::Quota => steps.push(self.undecided("whether the quota is used up when the packet comes".into(), "")),
            Stmt::CtCount => {
                steps.push(self.undecided("how many connections there are when the packet comes".into(), ""));
            }
            Stmt::NoEffect(_) => {}
            Stmt::Reject(kind) => self.reject(kind, steps),
            Stmt::Notrack => steps.push(Step::Act(Action::Untrack)),
            Stmt::SetUpdate { set, key, data, stmts, .. } => {
                self.set_statement(&format!("`@{set}`"), key, data.as_deref(), stmts, steps);
            }
            Stmt::Meter { key, stmts } => self.set_statement("a meter", key, None, stmts, steps),
            Stmt::Effect(word, text) => self.effect(word, text, steps),
            Stmt::Xt(text) => self.extension(text, steps),
            Stmt::Lost(Lost::Target) => {
                let what = "what this rule does: nft did not list its target".to_owned();
                self.anything(what, EACH_FAMILY, true, steps);
            }
            Stmt::Lost(Lost::Condition(text)) => {
                let what = format!("whether the rule asks for `{text}`: nft lists other conditions of iptables so too");
                steps.push(self.undecided(what, BY_HAND));
            }
            Stmt::Unread(text) => {
                let what = format!("`{text}` was not understood");
                self.anything(what, "", true, steps);
            }
        }
    }

    /// A rate limit. Connections of a call alone do not reach a generous one, so what becomes of their first packets is
    /// certain; of others it is not, for a call sends many.
    fn limit(&mut self, rate: Option<Rate>, steps: &mut Vec<Step>) {
        let what = "whether the rate limit is exceeded when the packet comes";
        let generous = |r: &Rate| r.count / u64::from(r.seconds) >= GENEROUS.0 && r.burst >= GENEROUS.1;
        let Some(rate) = rate.filter(generous) else {
            return steps.push(self.undecided(what.into(), ""));
        };
        let doubt = self.pipeline.add_doubt(Doubt {
            origin: self.origin,
            what: what.into(),
            supply: "".into(),
            fixed: false,
            kind: DoubtKind::Fact,
        });
        self.pipeline.within.push(self.origin);
        steps.push(is(Key::of(KeyField::WithinRate(doubt)), Set::one(u128::from(!rate.over))));
    }

    /// From here on, anything may happen to the packet.
    pub(super) fn anything(&mut self, what: String, supply: &str, unread: bool, steps: &mut Vec<Step>) {
        let doubt = self.doubt(what, supply, unread);
        steps.push(Step::Act(Action::Unmodelled(Ways::Anything, doubt)));
    }

    /// Rejecting with an answer of one protocol asks for packets that can be answered so (`stmt_evaluate_reject` in
    /// nftables' src/evaluate.c).
    fn reject(&mut self, kind: &str, steps: &mut Vec<Step>) {
        let needs = match kind.split(' ').next() {
            Some("tcp") => Needs::protocol(6),
            Some("icmp") => Needs::family(nfproto::IPV4),
            Some("icmpv6") => Needs::family(nfproto::IPV6),
            _ => Needs::default(),
        };
        self.needs(&[needs], steps);
        let kind = if kind.is_empty() { "port-unreachable" } else { kind };
        steps.push(Step::Act(Action::Reject(kind.into())));
    }

    /// `add @set { key statements }`: the key must have a value, the statements may end the rule.
    fn set_statement(&mut self, of: &str, key: &Expr, data: Option<&Expr>, stmts: &[Stmt], steps: &mut Vec<Step>) {
        self.evaluates(key, steps);
        if let Some(data) = data {
            self.evaluates(data, steps);
        }
        if stmts.iter().any(may_fail) {
            steps.push(self.undecided(format!("whether the limit of the packet's element in {of} is exceeded"), ""));
        }
    }

    fn effect(&mut self, word: &str, text: &str, steps: &mut Vec<Step>) {
        let (ways, why) = match word {
            // Later packets of the connection pass by the rules; the first ones are judged as ever.
            "flow" => (Ways::Offloaded, "offloaded connections pass by the rules"),
            "queue" => (Ways::AcceptOrDrop, "a program decides"),
            "tproxy" => (Ways::Anything, "a transparent proxy takes the packet"),
            "fwd" => (Ways::Anything, "the packet leaves by another interface at once"),
            "synproxy" => (Ways::Anything, "the device answers in place of the server"),
            _ => (Ways::Anything, "callpath does not model it"),
        };
        let shown = if text.starts_with(word) { text.to_owned() } else { format!("{word} {text}") };
        let doubt = self.doubt(format!("what becomes of packets at `{shown}`: {why}"), "", false);
        steps.push(Step::Act(Action::Unmodelled(ways, doubt)));
    }

    fn extension(&mut self, text: &str, steps: &mut Vec<Step>) {
        if HARMLESS_XT.contains(&text) {
            return;
        }
        // `CT` sets helpers (`--helper sip`), zones and events, or takes packets out of tracking (`--notrack`).
        let what = if text.contains("\"CT\"") {
            format!("`{text}`: nft cannot show whether this gives packets to a helper (SIP ALG) or does not track them")
        } else {
            format!("`{text}`: nft cannot show what this xtables extension does")
        };
        let supply = if self.has_lines { "" } else { LISTING };
        if text.starts_with("match") {
            steps.push(self.undecided(what, supply));
        } else {
            self.anything(what, supply, false, steps);
        }
    }

    fn verdict(&mut self, verdict: &ast::Verdict) -> Option<Action> {
        Some(match self.verdicted(verdict) {
            Ok(Verdicted::Accept) => Action::Accept,
            Ok(Verdicted::Drop) => Action::Drop,
            Ok(Verdicted::Return) => Action::Return,
            Ok(Verdicted::Jump(to)) => Action::Jump(to),
            Ok(Verdicted::Goto(to)) => Action::Goto(to),
            Ok(Verdicted::Continue) => return None,
            Err(chain) => {
                let doubt = self.doubt(format!("chain `{chain}` is not in this ruleset"), "the whole ruleset", true);
                Action::Unmodelled(Ways::Anything, doubt)
            }
        })
    }

    /// The family of the table whose rules are lowered.
    pub(super) fn table_family(&self) -> TableFamily {
        self.tables[self.table].family
    }
}
