//! Just enough of ELF (elf(5)) to see whether a program needs anything of the system that it runs on.

/// Program headers that name an interpreter, and the table of what is linked.
const INTERPRETER: u64 = 3;
const DYNAMIC: u64 = 2;
/// An entry of that table: a library.
const NEEDED: u64 = 1;

/// Is it a 64-bit program that needs no interpreter and no library?
pub fn is_static(bytes: &[u8]) -> Result<(), String> {
    let whole = "it ends too early";
    if bytes.get(..6) != Some(b"\x7fELF\x02\x01") {
        return Err("it is no 64-bit little-endian ELF file".into());
    }
    let (table, size, count) = headers(bytes).ok_or(whole)?;
    for n in 0..count {
        let header = bytes.get(table + n * size..).ok_or(whole)?;
        let kind = number(header, 0, 4).ok_or(whole)?;
        if kind == INTERPRETER {
            return Err("it is dynamically linked: it names an interpreter".into());
        }
        if kind == DYNAMIC {
            let (start, length) = (place(header, 8).ok_or(whole)?, place(header, 32).ok_or(whole)?);
            let entries = bytes.get(start..).and_then(|b| b.get(..length)).ok_or(whole)?;
            if entries.chunks(16).any(|e| number(e, 0, 8) == Some(NEEDED)) {
                return Err("it is dynamically linked: it needs a library".into());
            }
        }
    }
    Ok(())
}

/// Where program headers start, the size of one, and how many there are.
fn headers(bytes: &[u8]) -> Option<(usize, usize, usize)> {
    let small = |at| usize::try_from(number(bytes, at, 2)?).ok();
    Some((place(bytes, 32)?, small(54)?, small(56)?))
}

fn place(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(bytes, at, 8)?).ok()
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |all, b| all << 8 | u64::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with these entries in its dynamic table, and this kind of one more header.
    fn program(kind: u8, entry: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 2 * 56 + 16];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (bytes[32], bytes[54], bytes[56]) = (64, 56, 2);
        bytes[64] = kind;
        bytes[120] = 2;
        (bytes[120 + 8], bytes[120 + 32]) = (176, 16);
        bytes[176] = entry;
        bytes
    }

    #[test]
    fn what_needs_something_is_told_apart() {
        assert_eq!(is_static(&program(1, 5)), Ok(()));
        assert!(is_static(&program(3, 5)).is_err_and(|e| e.contains("interpreter")));
        assert!(is_static(&program(1, 1)).is_err_and(|e| e.contains("library")));
        assert!(is_static(b"#!/bin/sh").is_err());
        for end in 0..program(1, 5).len() {
            assert!(is_static(&program(1, 5)[..end]).is_err(), "{end}");
        }
    }
}
