//! Credentials that their shape or the word before them gives away.

use std::ops::Range;

/// Last parts of names whose value is a credential: all that follows on the line is hidden.
const STRONG: &[&str] = &[
    "accesskey",
    "apikey",
    "apitoken",
    "appkey",
    "authkey",
    "authorization",
    "bearer",
    "cert",
    "certificate",
    "community",
    "cookie",
    "credential",
    "credentials",
    "crt",
    "kennwort",
    "licencekey",
    "licensekey",
    "oinkcode",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "passwort",
    "presharedkey",
    "privatekey",
    "privkey",
    "prv",
    "psk",
    "pwd",
    "pw",
    "rocommunity",
    "rwcommunity",
    "secret",
    "secretkey",
    "secrets",
    "sharedkey",
    "sharedsecret",
    "token",
    "tokens",
];

/// The same for words that also mean something else: one word behind them is hidden.
const WEAK: &[&str] =
    &["auth", "basic", "code", "digest", "hash", "key", "keys", "login", "pass", "pin", "salt", "sid"];

/// How credentials begin that services hand out, and how password hashes do (crypt(5)).
const PREFIXES: &[&str] = &[
    "$1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$apr1$",
    "$argon2",
    "$pbkdf2",
    "$scrypt",
    "{SHA",
    "{SSHA",
    "{CRYPT",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "eyJhbGci",
    "AIza",
    "AKIA",
    "ASIA",
    "tskey-",
    "sk_live_",
    "rk_live_",
    "pk_live_",
    "sk-proj-",
    "hf_",
    "npm_",
    "dop_v1_",
    "AGE-SECRET-KEY-",
    "AAAAB3NzaC1",
    "AAAAC3NzaC1",
    "AAAAE2VjZHNh",
];

/// What can be found in a piece of configuration without hiding a name: keys, hashes and tokens by how they begin, and
/// base 64 with a sign that no name has.
pub(super) fn of_code(text: &str) -> Vec<Range<usize>> {
    let mut out = blocks(text);
    for (start, run) in runs(text) {
        let long = run.len() >= 40 && (run.contains('+') || run.ends_with('=')) && is_mixed(run);
        if long || run.len() >= 16 && begins(run) {
            out.push(start..start + run.len());
        }
    }
    out
}

/// The same in a text for people, and all that looks like a key.
pub(super) fn of_text(text: &str) -> Vec<Range<usize>> {
    let mut out = blocks(text);
    for (start, run) in runs(text) {
        let parts = run.split(['-', '_', '.', ':', ',']).any(|p| is_random(p.trim_matches('/')));
        if begins(run) || parts || is_uuid(run) {
            out.push(start..start + run.len());
        }
    }
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        named(line, from, &mut out);
        from += line.len();
    }
    out
}

/// `-----BEGIN … KEY-----` up to its end.
fn blocks(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("-----BEGIN").map(|i| at + i) {
        let end = text[start..].find("-----END").map_or(text.len(), |i| start + i);
        let end = text[start..end].find('"').map_or(end, |i| start + i);
        let end = text[end..].find(['\n', '"']).map_or(text.len(), |i| end + i);
        out.push(start..end);
        at = end;
    }
    out
}

/// Words: what stands between blanks, quotes and brackets.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let ends = |c: char| c.is_whitespace() || "\"'()<>[],;|".contains(c);
    text.split(ends).scan(0, move |at, run| {
        let start = *at;
        let behind = start + run.len();
        *at = behind + text[behind..].chars().next().map_or(0, char::len_utf8);
        Some((start, run))
    })
}

fn begins(run: &str) -> bool {
    let begins = |part: &str| PREFIXES.iter().any(|p| part.strip_prefix(p).is_some_and(|rest| rest.len() >= 6));
    run.split([':', '=']).any(begins)
}

/// Upper case, lower case and digits.
fn is_mixed(run: &str) -> bool {
    run.bytes().any(|b| b.is_ascii_digit())
        && run.bytes().any(|b| b.is_ascii_uppercase())
        && run.bytes().any(|b| b.is_ascii_lowercase())
}

/// Long, without a sign that words have between them, and letters and digits mixed.
fn is_random(part: &str) -> bool {
    let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    let turns = part.as_bytes().windows(2).filter(|w| w[0].is_ascii_digit() != w[1].is_ascii_digit()).count();
    plain && (part.len() >= 20 && is_mixed(part) && turns > 2 || part.len() >= 20 && turns > 5)
}

fn is_uuid(run: &str) -> bool {
    run.len() == 36
        && run.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

pub(super) fn names_credential(word: &str) -> bool {
    is_called(word, STRONG) || is_called(word, &["key"])
}

/// What stands behind a word that names a credential.
fn named(line: &str, from: usize, out: &mut Vec<Range<usize>>) {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
    let mut at = 0;
    while let Some(start) = line[at..].find(part).map(|i| at + i) {
        let end = line[start..].find(|c| !part(c)).map_or(line.len(), |i| start + i);
        at = end;
        let word = line[start..end].trim_end_matches('.');
        let (strong, weak) = (is_called(word, STRONG), is_called(word, WEAK));
        if !strong && !weak {
            if ["ssh-rsa", "ssh-dss", "ssh-ed25519"].contains(&word) || word.starts_with("ecdsa-sha2-") {
                out.push(from + end..from + line.len());
                return;
            }
            continue;
        }
        let rest = line[end..].trim_start_matches(['"', '\'']);
        let signs = rest.trim_start();
        let value = signs.trim_start_matches(['=', ':', '>']);
        let sign = value.len() < signs.len();
        let glued = sign && !value.starts_with(char::is_whitespace);
        let value = value.trim_start();
        let begin = line.len() - value.len();
        let first = value.find(char::is_whitespace).unwrap_or(value.len());
        let strange = is_strange(&value[..first]);
        // `Password: swordfish`, `Authorization: Basic …`; `key=…`; `token 7f3a9`.
        if strong && sign {
            out.push(from + begin..from + line.len());
            return;
        }
        if weak && glued || (sign || rest.starts_with(char::is_whitespace)) && strange {
            out.push(from + begin..from + begin + first);
            at = begin + first;
        }
    }
}

/// The last part of a name, in any manner of writing, is one of these words.
fn is_called(word: &str, words: &[&str]) -> bool {
    let lower = word.to_ascii_lowercase();
    let tail = |w: &&str| {
        lower.strip_suffix(*w).is_some_and(|rest| {
            let turn = word.as_bytes().get(rest.len()).is_some_and(u8::is_ascii_uppercase)
                && word.as_bytes()[..rest.len()].last().is_some_and(u8::is_ascii_lowercase);
            rest.is_empty() || rest.ends_with(['_', '-', '.']) || turn
        })
    };
    let joined: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    words.iter().any(tail) || words.iter().any(|w| w.len() > 5 && joined.ends_with(w))
}

/// No word of a sentence: letters with digits, or with signs between them.
fn is_strange(word: &str) -> bool {
    let body = word.trim_matches(|c: char| "\"'.,;:!?()".contains(c));
    let digits = body.bytes().any(|b| b.is_ascii_digit());
    let letters = body.chars().any(char::is_alphabetic);
    let signs = body.chars().any(|c| !c.is_alphanumeric() && !"-/'.&".contains(c));
    body.len() > 3 && letters && (digits || signs)
}
