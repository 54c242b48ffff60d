//! What a dialect is to all others: the interface behind which each folder keeps its own.

use super::document::{Document, Engine, Standing};
use super::editor::{Editor, Recipe};
use super::kind::{Kind, Sign};
use crate::change::Context;
use crate::model::SourceId;
use crate::profile::Instance;
use crate::redact::Redactor;
use crate::snapshot::{InputError, ReadError, Snapshot};
use std::fmt;
use std::sync::Arc;

/// One kind of configuration file. Stateless; each has one line in [`DIALECTS`](super::DIALECTS).
pub trait Dialect: Sync {
    /// Names, limits and words.
    fn about(&self) -> &'static About;

    /// Whether a text is one of its own. Every dialect is asked, and the surest wins: order never matters.
    fn claims(&self, text: &Sniff<'_>) -> Claim;

    /// What stands throughout its files: by these it is told apart from all other kinds of files.
    fn signs(&self) -> &'static [Sign] {
        &[]
    }

    /// Other files of the same system, which are not read.
    fn others(&self) -> &'static [Kind] {
        &[]
    }

    /// A text that nobody claims may still be a broken or partial file of this kind: its secrets are blanked as in a
    /// whole one.
    fn may_be_part(&self, _text: &Sniff<'_>) -> bool {
        false
    }

    /// The text without secrets, by a list of what is kept. Same length, same lines.
    fn without_secrets(&self, text: &str) -> String;

    /// Words that its language defines, with blanks between them: pseudonyms leave them as they are.
    fn vocabulary(&self) -> &'static str {
        ""
    }

    /// The text, which is one without secrets, with pseudonyms for all else. As many lines. None: it cannot be cut, and
    /// nothing of it stays.
    fn redacted(&self, _text: &str, _with: &mut Redactor) -> Option<String> {
        None
    }

    /// Reads a file, with what it includes.
    ///
    /// # Errors
    /// When the text as a whole cannot be read.
    fn read(&self, snapshot: &Snapshot, file: SourceId) -> Result<Arc<dyn Document>, InputError>;

    /// Of an object with many lines, the part of the text by which its owner knows it.
    fn telling(&self, _text: &str, start: usize, end: usize) -> (usize, usize) {
        (start, end)
    }

    /// Where an object ends that begins here.
    fn end_of_object(&self, text: &str, start: usize) -> usize {
        end_of_line(text, start)
    }

    /// Opens a file to plan changes of it; none where changes are not printed.
    fn editor(&self, _snapshot: &Snapshot, _file: SourceId) -> Option<Box<dyn Editor>> {
        None
    }

    /// The standard situations in its words: its rules are judged like those of all others.
    #[cfg(test)]
    fn standard(&self) -> Option<super::standard::Standard> {
        None
    }

    /// A recipe for products, in the given file or for a firewall whose file was not given. None: the system has no recipe
    /// of its own, only the changes that `check` finds.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn recipe(
        &self,
        _file: Option<(&str, SourceId)>,
        _instances: &[Instance],
        _context: &Context,
    ) -> Result<Option<Recipe>, ReadError> {
        Ok(None)
    }
}

/// Where the line ends that goes on here.
pub(super) fn end_of_line(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.find('\n').unwrap_or(rest.len())
}

impl PartialEq for dyn Dialect {
    /// A dialect has one name.
    fn eq(&self, other: &Self) -> bool {
        self.about().name == other.about().name
    }
}

impl Eq for dyn Dialect {}

impl fmt::Debug for dyn Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about().name)
    }
}

/// How sure a dialect is of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It is none of its own.
    No,
    /// It could be one.
    Weak,
    /// It is one, and nothing else.
    Sure,
}

/// A text, looked at once for all dialects.
#[derive(Debug, Clone, Copy)]
pub struct Sniff<'t> {
    /// The text without its mark of byte order and what is blank before it.
    pub start: &'t str,
    /// Its first line.
    pub first: &'t str,
    /// The whole text.
    pub whole: &'t str,
}

impl<'t> Sniff<'t> {
    /// Looks at a text.
    pub fn new(whole: &'t str) -> Self {
        let start = whole.trim_start_matches('\u{feff}').trim_start();
        Self { start, first: start.lines().next().unwrap_or_default().trim_end(), whole }
    }

    /// It holds what no text does, near its beginning.
    pub fn is_binary(&self) -> bool {
        self.whole.as_bytes().iter().take(4096).any(|b| *b == 0)
    }

    /// It holds nothing but comments and blank lines.
    pub fn is_empty(&self) -> bool {
        self.start.lines().map(str::trim_start).all(|line| line.is_empty() || line.starts_with('#'))
    }

    /// It begins as JSON, XML or a file with sections does: no list of lines.
    pub fn is_markup(&self) -> bool {
        self.start.starts_with(['{', '[', '<'])
    }

    /// Whether JSON has one of these keys near its beginning.
    pub fn has_key(&self, keys: &[&str]) -> bool {
        let near = &self.start[..crate::snapshot::floor_boundary(self.start, self.start.len().min(64 << 10))];
        keys.iter().any(|key| near.contains(&format!("\"{key}\"")))
    }
}

/// What a dialect says of itself.
#[derive(Debug)]
pub struct About {
    /// Short name, of this one alone.
    pub name: &'static str,
    /// Name of the system for people.
    pub title: &'static str,
    /// What a file is, for people who have one: `a backup of pfSense`.
    pub what: &'static str,
    /// Whose packets it is about.
    pub engine: Option<Engine>,
    /// What its files tell.
    pub standing: Standing,
    /// The file belongs to this system alone, so that reports can call the device by its name.
    pub is_system: bool,
    /// Messages that ask for a file name it; a pattern or an unfinished dialect is read, but not asked for.
    pub offered: bool,
    /// How a user gets a file.
    pub export: Export,
    /// How much of it is read.
    pub limits: Limits,
    /// Words of its user's world.
    pub words: Words,
    /// The name under which `render` prints for it.
    pub target: Option<&'static str>,
}

/// How a user gets a file, in the words of different messages. Empty: not named there.
#[derive(Debug)]
pub struct Export {
    /// The pages or the command.
    pub file: &'static str,
    /// What to give in place of a file that is not read.
    pub instead: &'static str,
    /// What to do where an empty file was given.
    pub again: &'static str,
    /// Refuses a second file of one device, and what to do then.
    pub second: (&'static str, &'static str),
}

/// Larger files are refused.
#[derive(Debug)]
pub struct Limits {
    /// Bytes. What a byte costs differs: a statement may be one letter, while a backup may hold pictures.
    pub bytes: usize,
    /// What such a file is called when it is too large: `a backup`.
    pub called: &'static str,
    /// Statements: far more than people write, and an answer still comes within five seconds or so.
    pub statements: usize,
    /// Its reader names a zero byte at its place; other files with one are no texts.
    pub zero_bytes: bool,
}

/// Words of a system that messages use.
#[derive(Debug)]
pub struct Words {
    /// Where its user sees the address of the outer interface.
    pub outer_address: &'static str,
    /// What is asked for where a file does not hold that address; empty: it is not asked for.
    pub ask_outer: &'static str,
    /// How a changed copy of the file is put to use.
    pub load: &'static str,
    /// Said where no file was given, so that nobody knows what is there.
    pub not_given: &'static str,
}

impl Limits {
    /// Refuses a ruleset of more statements than anybody waits for.
    ///
    /// # Errors
    /// When there are more.
    pub fn countable(&self, source: SourceId, statements: usize) -> Result<(), InputError> {
        if statements <= self.statements {
            return Ok(());
        }
        let message = format!("too many statements: {statements}, and {} are the most", self.statements);
        Err(InputError::at(source, 0..0, message).help(
            "put addresses into sets, tables or aliases, or leave out chains that these calls do not meet; check that it \
             is the right file",
        ))
    }
}
