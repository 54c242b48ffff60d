//! The key of a run, and the numbers that it makes of originals.
//!
//! SipHash-2-4 (Aumasson and Bernstein, 2012) is a pseudorandom function: without the key, a number tells nothing of its
//! original, and pairs of both tell nothing of the key.

use siphasher::sip::SipHasher24;
use std::fmt::Write;
use std::hash::Hasher;

/// How a file with a key begins.
const MARK: &str = "callpath.redact-key/1 ";

/// Decides which pseudonym an original gets. The caller draws it at random, and keeps it secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

/// A key is shown nowhere.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// What a number is for: the same original has unrelated numbers for different uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A bit of an IPv4 address.
    Bit4 = 1,
    /// A bit of the first half of an IPv6 address.
    Bit6,
    /// A bit of the second half, the interface identifier.
    Identifier,
    /// A hardware address.
    Hardware,
    /// A name.
    Name,
    /// The spelling of a name in both cases.
    Case,
    /// A text for people.
    Text,
    /// A name of a host.
    Host,
    /// A long number.
    Number,
}

impl Key {
    /// A key of random bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The content of a file that holds it.
    pub fn file(&self) -> String {
        let mut out = String::from(MARK);
        for byte in self.0 {
            let _ = write!(out, "{byte:02x}");
        }
        out + "\n"
    }

    /// The key of such a file; nothing if it holds anything else.
    pub fn of_file(text: &str) -> Option<Self> {
        let digits = text.trim_end().strip_prefix(MARK)?;
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 16];
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The number of an original.
    pub(super) fn number(&self, of: Use, original: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u8(of as u8);
        hasher.write(original);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_nothing_else_is_one() {
        let key = Key::new(*b"0123456789abcdef");
        assert_eq!(Key::of_file(&key.file()), Some(key));
        assert_eq!(format!("{key:?}"), "Key");
        let digits = "30".repeat(16);
        for text in ["", "callpath.redact-key/1", &digits, &format!("{MARK}{digits}0"), &format!("{MARK}é{digits}")] {
            assert_eq!(Key::of_file(text), None, "{text}");
        }
        assert_ne!(key.number(Use::Name, b"a"), key.number(Use::Text, b"a"));
    }
}
