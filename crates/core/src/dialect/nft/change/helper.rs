//! Statements that give connections to a helper, taken out of the user's own text.

use super::write::shell;
use super::{Found, Plan};
use crate::change::{MarkRole, Patch, Planned, Refused, Step, TextChange, TextEdit, Wanted};
use crate::dialect::nft::ast::{Expr, Field, Stmt};
use crate::dialect::nft::text;
use crate::model::{Device, SourceId};
use crate::snapshot::{Source, line_column};
use crate::visible::{hidden, named};

/// How the statement begins.
const SETS: &str = "ct helper set";

/// Takes the statement of the rule that `wanted` names out of the text.
///
/// # Errors
/// When the rules are given as JSON, or the statement is not in this text.
pub fn without_helper(
    file: SourceId,
    sources: &[Source],
    device: &Device,
    wanted: &Wanted,
) -> Result<Planned, Refused> {
    let plan = Plan::new(file, sources)?;
    let gone = || Refused("the statement that gives them to a helper is not in this text: take it out by hand".into());
    let at = wanted.nearest.map(|id| device.pipeline.origin(id).at).filter(|at| at.source == file).ok_or_else(gone)?;
    let whole_text = &sources[usize::from(file.0)].text;
    let rule = whole_text.get(at.start as usize..at.end as usize).ok_or_else(gone)?;
    let (from, to) = statement(rule).ok_or_else(gone)?;
    if rule.chars().any(|c| c != '\t' && hidden(c)) {
        return Err(Refused(
            "the rule stands on several lines, or holds signs that cannot be seen: change it by hand".into(),
        ));
    }
    let Some(Found::Rule((chain, index))) = wanted.nearest.and_then(|id| plan.find(&device.pipeline, id)) else {
        return Err(gone());
    };
    let name = plan.chain_name(chain)?;
    let declared = plan.declared(chain).and_then(|(_, c)| c.rules.get(index));
    let handle = declared.and_then(|r| r.handle);
    // What is given to nft is the user's own text: it has to be that one rule, whole and without its helper.
    let alone = |rule: &str| matches!(text::rule(name.family, rule, 0), Ok((stmts, more)) if more.is_empty() && !stmts.is_empty());
    if rule.contains([';', '$', '#']) || !alone(&one_line(rule)) {
        return Err(Refused("the rule could mean something else as a command: take the helper out by hand".into()));
    }
    if hides(rule) {
        return Err(Refused(
            "a part of the rule's comment is hidden here, and would be lost where the rule is written anew: take the helper \
             out by hand"
                .into(),
        ));
    }
    let words = rule[from..to].to_owned();
    let shorter = one_line(&format!("{} {}", &rule[..from], &rule[to..]));
    let whole = one_line(rule);
    let number = handle.map_or_else(|| "<the number behind that rule>".to_owned(), |h| h.to_string());
    let mut lines = Vec::new();
    if handle.is_none() {
        lines.push(format!("nft -a list chain {name}"));
    }
    // What is left may do nothing any more.
    let sets_helper = |s: &Stmt| matches!(s, Stmt::Mangle(Expr::Field(Field::Ct { .. } | Field::Other(_)), _));
    let idle = |s: &Stmt| matches!(s, Stmt::Match { .. } | Stmt::NoEffect(_)) || sets_helper(s);
    let nothing_left =
        declared.is_some_and(|r| r.stmts.iter().all(idle) && r.stmts.iter().filter(|s| sets_helper(s)).count() == 1);
    let undo = if nothing_left {
        lines.push(shell(&format!("delete rule {name} handle {number}")));
        shell(&format!("insert rule {name} {whole}"))
    } else {
        lines.push(shell(&format!("replace rule {name} handle {number} {shorter}")));
        shell(&format!("replace rule {name} handle {number} {whole}"))
    };
    let (line, _) = line_column(whole_text, at.start as usize + from);
    let source = &sources[usize::from(file.0)].name;
    let mut keep = vec![format!("take `{words}` out of {source}:{line}")];
    keep.extend(plan.owners());
    keep.push("connections that exist keep their helper until they end".into());
    let place = format!("on {}, as root", named(&device.name));
    let steps = vec![Step::by_hand(&place, lines), Step::by_hand("so that it stays after a restart", keep)];
    let undo = vec![Step::by_hand(&place, vec![undo])];
    let edit = TextEdit::Blanked { at: at.start as usize + from, words };
    let patch = Patch::new(TextChange { edit, steps, undo });
    Ok(Planned { patch, marks: vec![(at, MarkRole::Decides)] })
}

/// A text for people in the rule may have lost a credential when it was read: `***` stands there.
fn hides(rule: &str) -> bool {
    let pieces: Vec<&str> = rule.split('"').collect();
    let told = |n: &usize| ["comment", "prefix"].iter().any(|word| pieces[n - 1].trim_end().ends_with(word));
    (1..pieces.len()).step_by(2).filter(told).any(|n| pieces[n].contains('*'))
}

/// Where the statement stands in a rule: its words and its operand, a name or a map.
fn statement(rule: &str) -> Option<(usize, usize)> {
    let from = rule.find(SETS)?;
    let mut at = from + SETS.len();
    let skip = |at: usize| at + (rule[at..].len() - rule[at..].trim_start().len());
    at = skip(at);
    let rest = &rule[at..];
    let end = |rest: &str| -> Option<usize> {
        let inner = rest.strip_prefix('"');
        match (inner, rest.starts_with('{')) {
            (Some(inner), _) => inner.find('"').map(|n| n + 2),
            (None, true) => rest.find('}').map(|n| n + 1),
            (None, false) => Some(rest.find([' ', '\t', '\n', ';', '}']).unwrap_or(rest.len())),
        }
    };
    if !rest.starts_with('"')
        && let Some(map) = rest.find(" map ")
    {
        at = skip(at + map + " map ".len());
    }
    Some((from, at + end(&rule[at..])?))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn the_statement_ends_with_its_operand() {
        for (rule, words) in [
            ("udp dport 5060 ct helper set \"sip 1\" accept", "ct helper set \"sip 1\""),
            ("udp dport 5060 ct helper set sip", "ct helper set sip"),
            ("ct helper set udp dport map { 5060 : \"a\" } accept", "ct helper set udp dport map { 5060 : \"a\" }"),
            ("ct helper set udp dport map @h accept", "ct helper set udp dport map @h"),
            ("ct helper set  udp dport  map @h", "ct helper set  udp dport  map @h"),
        ] {
            let (from, to) = statement(rule).expect("a statement");
            assert_eq!(&rule[from..to], words);
        }
        assert_eq!(statement("udp dport 5060 accept"), None);
        assert_eq!(statement("ct helper set \"open"), None);
    }
}
