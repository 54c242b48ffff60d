//! Ruleset text: what `nft list ruleset` prints and what people write for `nft -f`.
//!
//! A rule that holds something unknown keeps the statements before it; the rest becomes one
//! [`Stmt::Unread`](crate::dialect::nft::ast::Stmt::Unread). Unbalanced braces or quotes are an error for the whole text: where the
//! next rule begins would be a guess.

mod block;
mod command;
mod cursor;
mod expr;
mod lex;
mod stmt;
#[cfg(test)]
mod tests;

pub(super) use block::{hook, priority_of};
pub(super) use cursor::{family, one_line};

use super::ast::Ruleset;
use crate::model::{SourceId, SourceSpan};
use crate::snapshot::{ReadError, Source};
use cursor::{Env, Parser};

/// Reads a ruleset text. `main` is an index into `sources`; the others are there for `include`.
///
/// # Errors
/// When braces or quotes do not match, a variable is not defined, includes go in circles, or it is no text.
pub fn parse(main: SourceId, sources: &[Source]) -> Result<Ruleset, ReadError> {
    let mut env = Env::new(sources);
    parse_file(main, &mut env)?;
    Ok(env.ruleset)
}

fn parse_file(id: SourceId, env: &mut Env<'_>) -> Result<(), ReadError> {
    let sources = env.sources;
    let Some(source) = sources.get(usize::from(id.0)) else {
        return Err(ReadError::new(SourceSpan { source: id, start: 0, end: 0 }, "there is no such source"));
    };
    if env.depth >= cursor::MAX_INCLUDES {
        return Err(ReadError::new(
            SourceSpan { source: id, start: 0, end: 0 },
            format!("`{}` is included from itself", source.name),
        ));
    }
    env.depth += 1;
    let tokens = lex::tokens(id, &source.text)?;
    let mut parser = Parser::new(id, &source.text, tokens, env);
    parser.check_braces()?;
    parser.file()?;
    env.depth -= 1;
    Ok(())
}
