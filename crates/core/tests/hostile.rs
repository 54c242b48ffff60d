//! Names of a stranger's configuration in what is printed: nothing that is pasted runs anything else, nothing that is shown
//! moves a cursor or begins a line of its own.
//!
//! The judge of a pasted line is a real shell in which every command is a recorder.

#![cfg(target_os = "linux")]

use callpath_core::call::changes;
use callpath_core::render::render;
use callpath_core::report::{FORMATS, Report, Style};
use callpath_core::snapshot::{Snapshot, Source};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a name does to the text around it: `@` stands for a command that must not run.
const SHAPES: &[&str] = &[
    "x @",
    "@ #",
    "'@'",
    "\"@\"",
    "\\@",
    "'$(@)'",
    "\"$(@)\"",
    "'`@`'",
    "x' '@",
    "x;@;",
    "x&&@",
    "x||@",
    "x\n\n@\n",
    "(@)",
    "[ @ ]",
    "x\t;\t@",
    "@",
    "'; @; '",
    "\"; @; \"",
    "'\n@\n'",
    "\n@\n",
    "$(@)",
    "`@`",
    "; @",
    "& @ &",
    "| @",
    "x; @ #",
    "\\'; @ #",
    "'\\''; @ #",
    "x accept; list '; @; '",
    "x\\\n; @",
    "{ @; }",
    "} ; @ ; {",
    "x } chain y { @",
    "# @",
    "/* @ */",
    "!@",
    "<(@)",
    ">@",
    "*",
    "~",
    "~root",
    "$HOME",
    "${IFS}@",
    "-f @",
    "--help",
    "-",
    "--",
    "a b",
    " a",
    "a ",
    "\t@",
    "x\r@",
    "x\u{b}@",
    "x\u{85}@",
    "x\u{2028}@",
    "FORGED",
    "\nFORGED 1. step",
    "\r\nFORGED",
    "\u{1b}[2J",
    "\u{1b}]8;;https://x\u{7}",
    "\u{9b}2J",
    "\u{202e}tpecca",
    "\u{2066}x\u{2069}",
    "\u{200b}",
    "a\u{200b}b",
    "\u{feff}x",
    "\u{e0041}",
    "x\u{ad}y",
    "\u{2060}",
    "é",
    "漢字",
    "\u{fffd}",
    "::error::x",
    "##[error]x",
    "%0A::error::x",
    "[x](javascript:x)",
    "<script>",
    "<img src=x>",
    "![x](//h/x)",
    "https://x.example/",
    "//host/x",
    "]]>",
    "-->",
    "&lt;",
    "\" onload=\"x",
    "accept",
    "drop",
    "counter",
    "table",
    "ip",
    "1",
    "1x",
    "-1",
    "0x1",
    "index",
    "handle",
    "a/b",
    "../x",
    "/etc/passwd",
    ".",
    "..",
    "x'",
    "'",
    "''",
    "\"",
    "\"\"",
    "\\",
    "\\\\",
    "\0",
    "\u{1}",
    "\u{7f}",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "e\u{301}\u{301}\u{301}",
];

/// Commands that must not run: each leaves a file where it ran.
const COMMANDS: &[&str] = &["touch PWNED", "echo x > PWNED", ": > PWNED"];

/// Every shape, each with one of the commands; which one differs from place to place.
fn names(place: usize) -> Vec<String> {
    let with = |(n, shape): (usize, &&str)| shape.replace('@', COMMANDS[(n + place) % COMMANDS.len()]);
    SHAPES.iter().enumerate().map(with).collect()
}

const MANIFEST: &str = "address = \"203.0.113.9\"\n\
    [[gateway]]\nlabel = \"router\"\nconfig = \"router.nft\"\n\
    interfaces = { wan = \"203.0.113.9/24\", lan = \"192.168.1.1/24\" }\nroutes = [\"default via 203.0.113.1\"]\n\
    [[deploy]]\nsystem = \"livekit\"\nlabel = \"talk\"\nhost = \"192.168.1.50\"\n\
    clients = [\"internet\"]\n";

/// Blocks what the forward lets in, has no source NAT for calls from inside, and leads a port of the server's own outside.
const RULES: &str = "table ip filter {\n\tset known {\n\t\ttype ipv4_addr\n\t\telements = { 192.0.2.1 }\n\t}\n\
    \tchain blocked {\n\t\tip saddr @known counter drop\n\t\tudp dport 50100 drop comment \"no calls\"\n\t}\n\
    \tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\tct state established,related accept\n\
    \t\tjump blocked\n\t\tiifname \"lan\" accept\n\t}\n}\n\
    table ip nat {\n\tchain prerouting {\n\t\ttype nat hook prerouting priority -100; policy accept;\n\
    \t\tiifname \"wan\" udp dport 50000-50099 dnat to 192.168.1.50\n\t\tiifname \"wan\" tcp dport 7880 dnat to 192.168.1.50\n\t}\n\
    \tchain postrouting {\n\t\ttype nat hook postrouting priority 100; policy accept;\n\t\toifname \"wan\" masquerade\n\t}\n}\n";

/// A place of the site that takes a name: the file, the words there, and the words with the name where `@` stands.
type Place = (&'static str, &'static str, &'static str);

const PLACES: &[Place] = &[
    ("router.nft", "table ip filter", "table ip \"@\""),
    ("router.nft", "table ip nat", "table ip \"@\""),
    ("router.nft", "table ip filter", "table ip @"),
    ("router.nft", "chain forward", "chain \"@\""),
    ("router.nft", "chain forward", "chain @"),
    ("router.nft", "chain prerouting", "chain \"@\""),
    ("router.nft", "blocked", "\"@\""),
    ("router.nft", "no calls", "@"),
    ("router.nft", "known", "\"@\""),
    ("router.nft", "\"wan\"", "\"@\""),
    ("callpath.toml", "label = \"router\"", "label = @"),
    ("callpath.toml", "label = \"talk\"", "label = @"),
    ("callpath.toml", "wan = ", "@ = "),
    ("callpath.toml", "\"router.nft\"", "@"),
];

const PFSENSE: &[Place] = &[
    ("config.xml", "<descr>WAN</descr>", "<descr><![CDATA[@]]></descr>"),
    ("config.xml", "<descr>Spokes LiveKit UDP</descr>", "<descr>@</descr>"),
    ("config.xml", "Spokes LiveKit UDP", "@"),
    ("config.xml", "<hostname>", "<hostname>@"),
    ("config.xml", "<if>igc0</if>", "<if>@</if>"),
];

fn linux() -> Vec<(&'static str, String)> {
    vec![("callpath.toml", MANIFEST.to_owned()), ("router.nft", RULES.to_owned())]
}

fn pfsense() -> Vec<(&'static str, String)> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spokes");
    let read = |file: &str| fs::read_to_string(example.join(file)).expect("the example");
    let gap = "<disabled></disabled><local-port>50000";
    vec![
        ("callpath.toml", read("callpath.toml").replace("pfsense/config.xml", "config.xml")),
        ("config.xml", read("pfsense/config.xml").replacen("<local-port>50000", gap, 1)),
    ]
}

fn site(base: &[(&'static str, String)], (file, words, with): Place, name: &str) -> Snapshot {
    let escaped = |file: &str| match file {
        // What JSON escapes, a basic string of TOML reads the same way.
        "callpath.toml" => serde_json::to_string(name).expect("a string"),
        "config.xml" if !with.contains("CDATA") => name.replace('&', "&amp;").replace('<', "&lt;"),
        _ => name.to_owned(),
    };
    let sources = base.iter().map(|(source, text)| {
        let text = if *source == file { text.replace(words, &with.replace('@', &escaped(file))) } else { text.clone() };
        Source { name: (*source).to_owned(), text }
    });
    Snapshot { sources: sources.collect(), directory: String::new() }
}

/// A folder with a shell whose commands only write down that they ran.
struct Recorder(PathBuf);

impl Recorder {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-hostile-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("bin")).expect("folder");
        fs::create_dir_all(dir.join("here")).expect("folder");
        for command in ["nft", "grep", "sed"] {
            let file = dir.join("bin").join(command);
            fs::write(&file, "#!/bin/sh\nexit 0\n").expect("write");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("mode");
        }
        Self(dir)
    }

    /// Runs lines as a person would paste them.
    fn run(&self, lines: &str, about: &str) {
        let mut shell = Command::new("/bin/sh")
            .arg("-s")
            .env_clear()
            .env("PATH", self.0.join("bin"))
            .current_dir(self.0.join("here"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        shell.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("written");
        let output = shell.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.is_empty(), "{about}: {said}\n{lines}");
        let left = fs::read_dir(self.0.join("here")).expect("list").count();
        assert_eq!(left, 0, "{about}: something else ran\n{lines}");
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Lines of steps that are for a shell.
fn shell_lines(report: &Report) -> Vec<String> {
    let changes = report.findings.iter().filter_map(|f| f.change.as_ref());
    let steps = changes.flat_map(|c| c.steps.iter().chain(&c.undo));
    let lines: Vec<String> = steps.flat_map(|s| s.lines.clone()).collect();
    lines.into_iter().filter(|l| l.starts_with("nft ")).collect()
}

/// A character that no output shows as itself.
fn unseen(c: char) -> bool {
    c != '\n' && c != '\t' && c.to_string() != callpath_core::visible::line(c.to_string())
}

fn judge(base: &[(&'static str, String)], target: &str, places: &[Place], recorder: &Recorder) -> (usize, usize) {
    let (mut answers, mut pasted) = (0, 0);
    for (n, place) in places.iter().enumerate() {
        for name in names(n) {
            let snapshot = site(base, *place, &name);
            let about = format!("{place:?} with {name:?}");
            let report = match changes(&snapshot) {
                Ok((_, report)) => report,
                Err(error) => {
                    let shown = error.render(&snapshot, false);
                    assert!(!shown.chars().any(unseen), "{about}: {shown:?}");
                    assert!(!shown.lines().any(|l| l.starts_with("FORGED")), "{about}: {shown}");
                    continue;
                }
            };
            answers += 1;
            let lines = shell_lines(&report);
            if !lines.is_empty() {
                recorder.run(&(lines.join("\n") + "\n"), &about);
                pasted += 1;
            }
            for format in FORMATS {
                let text = (format.print)(&report, Style { colour: false });
                assert!(!text.chars().any(unseen), "{about} as {}: {text:?}", format.name);
                if format.name == "github" {
                    let ours = |l: &str| ["::error ", "::warning ", "::notice "].iter().any(|c| l.starts_with(c));
                    assert!(text.lines().all(ours) && !text.contains("##["), "{about}: {text}");
                }
                // A name alone is no line of its own; a line of the file is, where it is quoted in a block of code.
                if name.contains("\nFORGED") && matches!(format.name, "text" | "markdown") {
                    let mut quoted = false;
                    for line in text.lines() {
                        quoted ^= line.starts_with("```");
                        assert!(quoted || !line.starts_with("FORGED"), "{about} as {}: {text}", format.name);
                    }
                }
            }
            let Ok(rendered) = render(target, &snapshot) else { continue };
            let mut all = String::new();
            for line in rendered.guide.iter().chain(&rendered.undo).flat_map(|s| &s.lines) {
                assert!(!line.chars().any(|c| unseen(c) || c == '\n'), "{about}: {line:?}");
                if line.starts_with("nft ") {
                    let _ = writeln!(all, "{line}");
                }
            }
            recorder.run(&all, &about);
        }
    }
    (answers, pasted)
}

#[test]
fn names_of_nftables_run_nothing_and_forge_nothing() {
    let recorder = Recorder::new("nft");
    let whole = changes(&site(&linux(), ("", "", ""), "")).expect("an answer").1;
    assert!(shell_lines(&whole).len() > 4, "the site asks for changes: {whole:?}");
    let (answers, pasted) = judge(&linux(), "nftables", PLACES, &recorder);
    let all: BTreeSet<String> = (0..COMMANDS.len()).flat_map(names).collect();
    println!("{} names, {} places: {answers} reports, {pasted} with lines to paste", all.len(), PLACES.len());
    assert!(all.len() >= 200 && answers > 500 && pasted > 100, "{} {answers} {pasted}", all.len());
}

#[test]
fn names_of_pfsense_run_nothing_and_forge_nothing() {
    let recorder = Recorder::new("pfsense");
    let (answers, _) = judge(&pfsense(), "pfsense", PFSENSE, &recorder);
    println!("{} names, {} places: {answers} reports", SHAPES.len(), PFSENSE.len());
    assert!(answers > 200, "{answers}");
}
