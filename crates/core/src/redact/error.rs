//! Messages about a site that is shown under pseudonyms.

use super::{Key, Redactor, run};
use crate::manifest;
use crate::snapshot::{InputError, Snapshot, line_column};

/// A message about a site, for people who get the site with pseudonyms.
///
/// What is wrong with a manifest is found again in the new one. One that cannot be read tells its place alone, and of other
/// messages names, addresses and files have their pseudonyms.
#[must_use]
pub fn redact_error(error: &InputError, snapshot: &Snapshot, key: &Key) -> InputError {
    let (hidden, mut redactor) = run(snapshot, key);
    if !hidden.sources.is_empty()
        && let Err(found) = manifest::parse(hidden.manifest())
    {
        return match (&error.at, broken(snapshot)) {
            (Some((_, span)), true) => {
                let (line, column) = line_column(snapshot.manifest(), span.start.min(snapshot.manifest().len()));
                let file = hidden.sources.first().map_or("", |s| &s.name);
                InputError::about(format!("{file}:{line}:{column}"), "this manifest cannot be read here").help(
                    "without pseudonyms the message says why; of what cannot be read none are made, and nothing is shown",
                )
            }
            _ => found,
        };
    }
    InputError {
        message: redactor.message(&error.message),
        at: None,
        file: error.file.as_deref().map(|file| redactor.place_in(file).into()),
        label: Box::default(),
        help: redactor.message(&error.help).into(),
    }
}

/// Is the manifest no TOML?
fn broken(snapshot: &Snapshot) -> bool {
    toml::from_str::<toml::Table>(snapshot.manifest()).is_err()
}

impl Redactor {
    /// A file, perhaps with line and column behind it.
    fn place_in(&mut self, file: &str) -> String {
        let name = file.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':');
        let place = if file[name.len()..].starts_with(':') { &file[name.len()..] } else { "" };
        self.path(&file[..file.len() - place.len()]) + place
    }

    /// A message: what stands between two backticks comes from the input, and addresses do.
    fn message(&mut self, text: &str) -> String {
        let parts = text.split('`').enumerate().map(|(n, part)| match n % 2 {
            1 if part.contains('/') || part.contains('.') => self.path(part),
            1 => self.scan(part),
            _ => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("`")
    }
}
