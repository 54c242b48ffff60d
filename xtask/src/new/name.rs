//! Names of additions.

/// A name that a file, a module and a user can carry: lower-case letters, digits, single hyphens.
#[derive(Debug, Clone)]
pub struct Name(String);

/// Words that no module can be called (the reference of Rust, "Keywords").
const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern false \
     final fn for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct \
     super trait true try type typeof unsafe unsized use virtual where while yield test tests";

/// Longer names break tables of reports.
const LONGEST: usize = 30;

impl Name {
    /// Checks a name.
    pub fn new(text: &str) -> Result<Self, String> {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let why = if text.is_empty() || !text.chars().all(letters) {
            "use lower-case letters, digits and hyphens"
        } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            "begin with a letter"
        } else if text.ends_with('-') || text.contains("--") {
            "use single hyphens between words"
        } else if text.len() < 2 || text.len() > LONGEST {
            "use 2 to 30 characters"
        } else if KEYWORDS.split_whitespace().any(|k| k == text) {
            "choose one that is no word of Rust"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(format!("`{text}` cannot be a name here: {why}"))
    }

    /// As users write it: `range-cut`.
    pub fn kebab(&self) -> &str {
        &self.0
    }

    /// As a module: `range_cut`.
    pub fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As a type: `RangeCut`.
    pub fn camel(&self) -> String {
        let word = |w: &str| w[..1].to_ascii_uppercase() + &w[1..];
        self.0.split('-').map(word).collect()
    }

    /// As a title: `Range cut`.
    pub fn title(&self) -> String {
        let words = self.0.replace('-', " ");
        let mut letters = words.chars();
        letters.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + letters.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_have_three_forms() {
        let name = Name::new("range-cut-2").expect("a name");
        assert_eq!((name.kebab(), &*name.snake(), &*name.title()), ("range-cut-2", "range_cut_2", "Range cut 2"));
        assert_eq!(name.camel(), "RangeCut2");
    }

    #[test]
    fn bad_names_are_refused_with_what_to_do() {
        for (text, why) in [
            ("", "lower-case"),
            ("Range", "lower-case"),
            ("../x", "lower-case"),
            ("a b", "lower-case"),
            ("größe", "lower-case"),
            ("a_b", "lower-case"),
            ("2nd", "letter"),
            ("-x", "letter"),
            ("x-", "single"),
            ("a--b", "single"),
            ("a", "2 to 30"),
            ("a-name-that-nobody-would-want-to-type", "2 to 30"),
            ("match", "no word of Rust"),
        ] {
            assert!(Name::new(text).is_err_and(|e| e.contains(why)), "{text}");
        }
    }
}
