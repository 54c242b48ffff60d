//! Files that are no text, by their first bytes.

use super::{Kind, NOTHING, ROUTER};

/// A kind of file with the bytes by which it is known.
struct Magic {
    /// Where they stand.
    at: usize,
    bytes: &'static [u8],
    kind: Kind,
}

const fn magic(at: usize, bytes: &'static [u8], kind: Kind) -> Magic {
    Magic { at, bytes, kind }
}

const ARCHIVE: &str = "unpack it, and give the files with rules, addresses and routes that are in it";

const fn archive(what: &'static str) -> Kind {
    Kind { name: "archive", has_rules: false, what, instead: ARCHIVE, state: NOTHING, signs: &[] }
}

const fn picture(what: &'static str) -> Kind {
    let instead = "a picture cannot be read: export the configuration itself";
    Kind { name: "picture", has_rules: false, what, instead, state: ROUTER, signs: &[] }
}

const fn utf16(what: &'static str) -> Kind {
    let instead = "save it as UTF-8: in PowerShell, `… | Out-File -Encoding utf8 FILE` in place of `> FILE`";
    Kind { name: "utf-16", has_rules: false, what, instead, state: NOTHING, signs: &[] }
}

const fn backup(what: &'static str, instead: &'static str) -> Kind {
    Kind { name: "binary-backup", has_rules: true, what, instead, state: ROUTER, signs: &[] }
}

const EXPORT: &str = "`/export file=router` in its terminal writes a text, which is recognised, but not read yet";

static MAGIC: &[Magic] = &[
    magic(0, b"PK\x03\x04", archive("an archive (zip)")),
    magic(0, b"PK\x05\x06", archive("an empty archive (zip)")),
    magic(0, b"\x1f\x8b", archive("an archive (gzip), such as OpenWrt and many routers write as a backup")),
    magic(0, b"\x1f\x9d", archive("a compressed file (compress)")),
    magic(0, b"BZh", archive("an archive (bzip2)")),
    magic(0, b"\xfd7zXZ\0", archive("an archive (xz)")),
    magic(0, b"\x28\xb5\x2f\xfd", archive("an archive (zstd)")),
    magic(0, b"7z\xbc\xaf\x27\x1c", archive("an archive (7z)")),
    magic(0, b"Rar!\x1a\x07", archive("an archive (rar)")),
    magic(257, b"ustar", archive("an archive (tar)")),
    // MikroTik's `/system backup save`, plain and encrypted.
    magic(0, b"\x88\xac\xa1\xb1", backup("a binary backup of RouterOS (MikroTik)", EXPORT)),
    magic(0, b"\xef\xa8\x91\x72", backup("an encrypted backup of RouterOS (MikroTik)", EXPORT)),
    magic(0, b"HDR1", backup("a binary backup of a router (Asus)", "its pages show what it forwards")),
    magic(0, b"HDR2", backup("a binary backup of a router (Asus)", "its pages show what it forwards")),
    magic(0, b"DD-WRT", backup("a binary backup of DD-WRT", "its pages show what it forwards")),
    magic(0, b"\x89PNG\r\n\x1a\n", picture("a picture (PNG)")),
    magic(0, b"\xff\xd8\xff", picture("a picture (JPEG)")),
    magic(0, b"GIF8", picture("a picture (GIF)")),
    magic(8, b"WEBP", picture("a picture (WebP)")),
    magic(0, b"%PDF-", picture("a document (PDF)")),
    magic(0, b"\xff\xfe", utf16("a text in UTF-16, as PowerShell's `>` writes it")),
    magic(0, b"\xfe\xff", utf16("a text in UTF-16")),
    magic(0, b"\xd4\xc3\xb2\xa1", recording()),
    magic(0, b"\xa1\xb2\xc3\xd4", recording()),
    magic(0, b"\x4d\x3c\xb2\xa1", recording()),
    magic(0, b"\x0a\x0d\x0d\x0a", recording()),
    magic(0, b"\x7fELF", program()),
    magic(0, b"MZ\x90\0", program()),
    magic(0, b"SQLite format 3\0", archive("a database (SQLite)")),
];

const fn recording() -> Kind {
    let instead = "what was seen shows no rule; give the rules themselves";
    Kind { name: "recording", has_rules: false, what: "a recording of packets", instead, state: NOTHING, signs: &[] }
}

const fn program() -> Kind {
    let instead = "give what `nft list ruleset` prints, or a backup of the router";
    Kind {
        name: "executable",
        has_rules: false,
        what: "a program, not a text file",
        instead,
        state: NOTHING,
        signs: &[],
    }
}

/// The kind of a file that is no text.
pub fn of_bytes(bytes: &[u8]) -> Option<&'static Kind> {
    let has = |m: &&Magic| bytes.get(m.at..).is_some_and(|rest| rest.starts_with(m.bytes));
    MAGIC.iter().find(has).map(|m| &m.kind)
}
