//! Ruleset text: what `nft list ruleset` prints and what people write for `nft -f`.
//!
//! A rule that holds something unknown keeps the statements before it; the rest becomes one [`Stmt::Unread`]. Unbalanced
//! braces or quotes are an error for the whole text: where the next rule begins would be a guess.

mod block;
mod command;
mod cursor;
mod define;
mod effect;
mod env;
mod expr;
mod lex;
mod lost;
mod remove;
mod select;
mod set;
mod stmt;
#[cfg(test)]
mod tests;
mod variables;
mod words;

use super::ast::{Chain, Removal, Ruleset, Stmt, TableFamily};
use super::build::Build;
use crate::model::{SourceId, SourceSpan};
use crate::snapshot::{ReadError, Source};
use cursor::Parser;
use env::Env;
pub(in crate::dialect::nft) use lex::Kind;
pub(in crate::dialect) use words::begins_like_rules;

/// The tokens of a text and where they stand, without blanks and comments; nothing when it cannot be cut.
pub(in crate::dialect::nft) fn pieces(text: &str) -> Option<Vec<(Kind, std::ops::Range<usize>)>> {
    let tokens = lex::tokens(SourceId(0), text).ok()?;
    let all = (0..tokens.len()).map(|n| tokens.get(n)).filter(|token| token.kind != Kind::End);
    Some(all.map(|token| (token.kind, token.start as usize..token.end as usize)).collect())
}

/// Reads a ruleset text. `main` is an index into `sources`; the others are there for `include`.
///
/// # Errors
/// When braces or quotes do not match, a variable is not defined, includes go in circles, or it is no text.
pub fn parse(main: SourceId, sources: &[Source]) -> Result<Ruleset, ReadError> {
    read(main, sources).map(|whole| whole.ruleset)
}

/// A ruleset text with what it does to others.
#[derive(Debug)]
pub struct Whole {
    /// What it makes.
    pub ruleset: Ruleset,
    /// The sources that were read: its own and all that is included.
    pub parts: Vec<SourceId>,
    /// What it takes away from rules that other texts made.
    pub removes: Vec<Removal>,
}

/// Reads a ruleset text like [`parse`], and tells what else it does.
///
/// # Errors
/// As [`parse`].
pub fn read(main: SourceId, sources: &[Source]) -> Result<Whole, ReadError> {
    let mut env = Env::new(sources);
    parse_file(main, &mut env, cursor::Place::File)?;
    if !env.understood
        && let Some(first) = env.build.ruleset.unread.first()
    {
        return Err(ReadError::new(first.at, "this is no nftables ruleset")
            .help("give the output of `nft list ruleset` or `nft -j list ruleset`, or a file that `nft -f` loads"));
    }
    let mut ruleset = env.build.finish();
    lost::mark(&mut ruleset, sources);
    Ok(Whole { ruleset, parts: env.read, removes: env.removes })
}

/// Reads the commands that stand behind this byte of a text of which everything before it was read. The commands use no
/// variable, and the place is the beginning of a line.
///
/// # Errors
/// As [`parse`].
pub(super) fn more(before: Ruleset, main: SourceId, sources: &[Source], from: usize) -> Result<Ruleset, ReadError> {
    let mut env = Env::new(sources);
    env.build = Build::of(before);
    let text = sources.get(usize::from(main.0)).map_or("", |s| &s.text);
    let tokens = lex::tokens_from(main, text, from)?;
    let mut parser = Parser::new(main, text, tokens, &mut env);
    parser.check_braces()?;
    parser.commands()?;
    Ok(env.build.finish())
}

/// Reads a text that stands at a place of another one.
fn parse_file(id: SourceId, env: &mut Env<'_>, place: cursor::Place) -> Result<(), ReadError> {
    let sources = env.sources;
    let Some(source) = sources.get(usize::from(id.0)) else {
        return Err(ReadError::new(SourceSpan { source: id, start: 0, end: 0 }, "there is no such source"));
    };
    env.including.push(id);
    env.read.push(id);
    let tokens = lex::tokens(id, &source.text)?;
    let mut parser = Parser::new(id, &source.text, tokens, env);
    parser.check_braces()?;
    parser.at_place(place)?;
    env.including.pop();
    Ok(())
}

/// Reads one rule that stands in JSON as text: nft prints what it has no JSON for that way. Chains without a name are
/// counted from `anonymous` on.
pub(super) fn rule(family: TableFamily, text: &str, anonymous: usize) -> Result<(Vec<Stmt>, Vec<Chain>), ReadError> {
    let id = SourceId(0);
    let mut env = Env::new(&[]);
    env.build.anonymous = anonymous;
    let tokens = lex::tokens(id, text)?;
    let mut parser = Parser::new(id, text, tokens, &mut env);
    parser.check_braces()?;
    parser.family = family;
    let rule = parser.rule()?;
    if parser.peek().kind != lex::Kind::End {
        return Err(parser.error("there is more than one rule here"));
    }
    Ok((rule.stmts, env.build.chains_to_add.into_iter().map(|(_, chain)| chain).collect()))
}
