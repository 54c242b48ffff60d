//! Pseudonyms of names: a word has the same one wherever it stands, in whichever text.
//!
//! Names differ in both spellings where they did: `Office` and `OFFICE` become one word in two spellings, for some readers
//! compare without regard to it. Every pseudonym has at most 15 signs, as many as an interface's name.

use super::Redactor;
use super::key::Use;
use super::words::{DEVICES, GATEWAYS, OWNERS, is_known};

/// As many signs can stand before a `*`.
const LONGEST_STEM: usize = 64;

/// What pseudonyms are made of: no vowels, so that none is a word.
const LETTERS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";

/// Letters of a number.
pub(super) fn letters(mut number: u64, count: usize) -> String {
    let mut out = String::with_capacity(count);
    for _ in 0..count {
        out.push(char::from(LETTERS[usize::try_from(number % 20).unwrap_or(0)]));
        number /= 20;
    }
    out
}

impl Redactor {
    /// A name's pseudonym, unless it is a word of a language.
    pub(crate) fn name(&mut self, original: &str) -> String {
        if self.looking || original.is_empty() || is_known(original) {
            return original.to_owned();
        }
        if let Some(new) = self.names.get(original) {
            return new.clone();
        }
        let new = self.new_name(original);
        self.names.insert(original.to_owned(), new.clone());
        new
    }

    fn new_name(&mut self, original: &str) -> String {
        // A program knows its own chains and tunnels by how their names begin.
        if let Some(begins) = OWNERS.iter().find(|o| original.starts_with(**o)) {
            return format!("{begins}{}", self.short(&original[begins.len()..], 6));
        }
        // A gateway that pfSense makes is called after its interface, and so is the table of an interface's networks.
        if let Some((name, made)) = GATEWAYS.iter().find_map(|g| Some((original.strip_suffix(g)?, *g))) {
            return self.name(name) + made;
        }
        match self.stem_of(original) {
            Some(stem) => {
                let rest = self.short(&original[stem.len()..], 6);
                self.stem(&stem) + &rest
            }
            None => self.short(original, 7),
        }
    }

    /// The beginning of names, with a `*` behind it in the text.
    pub(crate) fn wildcard(&mut self, stem: &str) -> String {
        if self.looking {
            // Longer than every name of an interface, it is no beginning of one.
            if stem.len() <= LONGEST_STEM {
                self.stems.insert(stem.to_owned());
            }
            return String::new();
        }
        self.stem(stem)
    }

    /// The longest beginning of a name for which a rule asks with a `*` behind it.
    fn stem_of(&self, name: &str) -> Option<String> {
        if self.stems.is_empty() {
            return None;
        }
        let ends = name.char_indices().map(|(i, _)| i).skip(1).take_while(|i| *i <= LONGEST_STEM).collect::<Vec<_>>();
        ends.into_iter().rev().map(|end| &name[..end]).find(|s| self.stems.contains(*s)).map(str::to_owned)
    }

    /// The pseudonym of such a beginning: every name that begins so begins with it.
    pub(crate) fn stem(&mut self, stem: &str) -> String {
        if stem.is_empty() || begins_a_word(stem) {
            return stem.to_owned();
        }
        match self.stem_of(stem) {
            Some(shorter) => {
                let rest = self.short(&stem[shorter.len()..], 4);
                self.stem(&shorter) + &rest
            }
            None => self.short(stem, 4),
        }
    }

    /// A word with so many letters behind its first, in the spelling of the original. One that ends in a digit still
    /// does: to pf, other names are groups.
    fn short(&mut self, original: &str, count: usize) -> String {
        let lower = original.to_lowercase();
        for again in 0_u32.. {
            let salted = if again == 0 { lower.clone() } else { format!("{again} {lower}") };
            let plain = letters(self.key.number(Use::Name, salted.as_bytes()), count);
            let mut new = spelled(&format!("n{plain}"), original, self.key.number(Use::Case, original.as_bytes()));
            if original.ends_with(|c: char| c.is_ascii_digit()) {
                new.push('0');
            }
            if is_known(&new) {
                continue;
            }
            let of = self.taken.entry(new.clone()).or_insert_with(|| original.to_owned());
            if of == original {
                return new;
            }
        }
        unreachable!("there are more words than names")
    }

    /// A text for people. Space around it stays, and nothing stays nothing.
    pub(crate) fn text(&mut self, original: &str) -> String {
        let body = original.trim();
        // What was hidden before says nothing.
        if body.trim_matches(|c: char| c == '*' || c.is_whitespace()).is_empty() {
            return original.to_owned();
        }
        let new = format!("t{}", letters(self.key.number(Use::Text, body.as_bytes()), 8));
        let lead = original.len() - original.trim_start().len();
        format!("{}{new}{}", &original[..lead], &original[lead + body.len()..])
    }

    /// A name that may have blanks in it: of a network, a box, a caller.
    pub(crate) fn whole(&mut self, original: &str) -> String {
        if original.chars().all(|c| c.is_alphanumeric() || "._-".contains(c)) {
            return self.scan(original);
        }
        let body = original.trim();
        original.replacen(body, &self.name(body), 1)
    }

    /// A host's pseudonym.
    pub(crate) fn host(&mut self, original: &str) -> String {
        format!("h{}.example", letters(self.key.number(Use::Host, original.to_lowercase().as_bytes()), 6))
    }
}

/// The word in the spelling of an original.
fn spelled(word: &str, original: &str, mixed: u64) -> String {
    let upper = original.chars().any(char::is_uppercase);
    let lower = original.chars().any(char::is_lowercase);
    match (upper, lower) {
        (true, false) => word.to_ascii_uppercase(),
        (true, true) => {
            let one = |(n, c): (usize, char)| match n {
                0 => c.to_ascii_uppercase(),
                1 => c,
                _ if mixed >> n & 1 == 1 => c.to_ascii_uppercase(),
                _ => c,
            };
            word.chars().enumerate().map(one).collect()
        }
        _ => word.to_owned(),
    }
}

/// Does a word of a language, or a name that the system gives to devices, begin so?
fn begins_a_word(stem: &str) -> bool {
    let letters = stem.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    letters.is_empty() || is_known(stem) || DEVICES.iter().any(|d| d.starts_with(letters) && !letters.is_empty())
}
