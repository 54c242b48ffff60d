//! What the program itself prints, on both outputs: names of files, what is typed, and what files hold are texts there
//! too. A terminal's own parser reads all of it.

#[path = "../../core/tests/hostile/names.rs"]
#[allow(dead_code)] // those for single values are for the library
mod names;

use callpath_core::report::FORMATS;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use unicode_width::UnicodeWidthChar;

/// Names of files and words of a command line.
const NAMES: &[&str] = &[
    "\u{1b}[2Jx",
    "\u{1b}]8;;https://x\u{7}x",
    "\u{1b}]52;c;eA==\u{7}",
    "\u{9b}2Jx",
    "\u{202e}tpecca",
    "a\u{200b}b",
    "\u{feff}x",
    "\u{e0041}x",
    "x\n    2. FORGED",
    "\nFORGED",
    "x\r\nFORGED",
    "x\u{2028}FORGED",
    "::error::FORGED",
    " \t::add-mask::FORGED",
    "\n::error::FORGED",
    "##[error]FORGED",
    "x'; touch PWNED; '",
    "$(touch PWNED)",
    "2. FORGED",
];

/// A terminal that shows characters and lines, and does nothing else.
#[derive(Default)]
struct Screen(Vec<String>);

impl vte::Perform for Screen {
    fn print(&mut self, c: char) {
        // Marks that stand on the letter before them, as in é, are seen.
        let mark = ('\u{300}'..='\u{36f}').contains(&c) && c != '\u{34f}';
        if c.width().unwrap_or(0) == 0 && !mark {
            self.0.push(format!("a character without width: {c:?}"));
        }
    }
    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\n' | b'\t') {
            self.0.push(format!("a control: {byte:#x}"));
        }
    }
    fn csi_dispatch(&mut self, params: &vte::Params, _: &[u8], _: bool, action: char) {
        self.0.push(format!("a control sequence: {params:?} {action}"));
    }
    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.0.push(format!("an escape sequence: {:?}", char::from(byte)));
    }
    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.0.push(format!("a command of the operating system: {params:?}"));
    }
    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.0.push(format!("a device control string: {action}"));
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-said-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a folder");
        Self(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the program in a folder, and reads both outputs as a terminal and as a workflow's runner; what was wrong.
fn faults(dir: &Path, arguments: &[&str], input: &str, breaks: bool) -> Vec<String> {
    // In a workflow the same is printed, with what its runner would obey taken apart.
    [false, true].into_iter().flat_map(|runner| faults_of(dir, arguments, input, breaks, runner)).collect()
}

/// The same, once: in a workflow, or at home.
fn faults_of(dir: &Path, arguments: &[&str], input: &str, breaks: bool, runner: bool) -> Vec<String> {
    let mut out = Vec::new();
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callpath"));
        command.args(arguments).current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("GITHUB_ACTIONS");
        if runner {
            command.env("GITHUB_ACTIONS", "true");
        }
        let mut child = command.spawn().expect("callpath runs");
        let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("ended");
        for (name, said) in [("output", &output.stdout), ("errors", &output.stderr)] {
            let mut screen = Screen::default();
            vte::Parser::new().advance(&mut screen, said);
            out.extend(screen.0.into_iter().map(|f| format!("{arguments:?}, {name}: {f}")));
            let text = String::from_utf8_lossy(said);
            let ours = ["::error ", "::warning ", "::notice "];
            for line in text.lines() {
                let command = line.trim_start().starts_with("::") && !ours.iter().any(|o| line.starts_with(o));
                if runner && (command || line.contains("##[")) {
                    out.push(format!("{arguments:?}, {name}: a command of the runner: {line:?}"));
                }
                if breaks && (line.starts_with("FORGED") || line.starts_with("    2. FORGED")) {
                    out.push(format!("{arguments:?}, {name}: a line of its own: {line:?}"));
                }
            }
        }
    }
    out
}

/// Whether a name breaks lines.
fn breaks(name: &str) -> bool {
    name.contains(|c: char| "\n\r\u{2028}".contains(c))
}

const MANIFEST: &str = "address = \"203.0.113.9\"\n[[gateway]]\nlabel = \"router\"\nconfig = @\n\
    interfaces = { wan = \"203.0.113.9/24\", lan = \"192.168.1.1/24\" }\nroutes = [\"default via 203.0.113.1\"]\n\
    [[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\nclients = [\"internet\"]\n";

const RULES: &str = "table ip nat {\n\tchain pre {\n\t\ttype nat hook prerouting priority -100; policy accept;\n\
    \t\tudp dport 50000-60000 dnat to 192.168.1.50\n\t}\n}\n";

#[test]
fn names_of_files_are_texts_on_both_outputs() {
    let folder = Folder::new("files");
    let mut wrong = Vec::new();
    for (n, name) in NAMES.iter().enumerate() {
        // A file's name holds no slash.
        let file = name.replace('/', "_");
        let dir = folder.0.join("site");
        fs::create_dir_all(&dir).expect("a folder");
        let path = dir.join(std::ffi::OsStr::from_bytes(file.as_bytes()));
        let quoted = serde_json::to_string(&file).expect("a string").replace('\u{7f}', "\\u007f");
        let contents = [
            (RULES, &*quoted),
            ("no rules\n", &quoted),
            ("\u{1b}]0;x\u{7}\u{202e}", &quoted),
            (RULES, "\"x\u{1b}[2J\""),
        ];
        // Rules that are read, and one of the others.
        for (text, manifest) in [contents[0], contents[1 + n % 3]] {
            fs::write(&path, text).expect("a file");
            fs::write(dir.join("callpath.toml"), MANIFEST.replace('@', manifest)).expect("a file");
            let typed = format!("./{file}");
            for arguments in [
                &["check"][..],
                &["check", "--format", "github"],
                &["check", "--format", "json"],
                &["trace", "internet", "203.0.113.9", "udp/50000-50001"],
                &["trace", "internet", "203.0.113.9", "tcp/22", "--format", "json"],
                &["trace", "--expectations", &typed],
                &["render", "nftables"],
                &["render", "nftables", "--undo"],
                &["render", "nftables", "--out", "copy.nft", "--force"],
                &["import", &typed],
                &["import", "--unread", &typed, "callpath.toml"],
                &["import", "--summary", "."],
                &["check", &typed],
                &["snapshot", "-o", &typed],
                &["snapshot", "-o", "bug.json"],
                &["init", "--system", "livekit", "--host", "192.168.1.50"],
            ] {
                wrong.extend(faults(&dir, arguments, "", breaks(name)));
                let _ = fs::remove_file(dir.join("bug.json"));
            }
            let _ = fs::remove_file(dir.join("callpath.toml"));
            let init = ["init", "--system", "livekit", "--host", "192.168.1.50", "--address", "203.0.113.9"];
            wrong.extend(faults(&dir, &init, "", breaks(name)));
        }
        fs::remove_dir_all(&dir).expect("clean up");
    }
    assert_none(&wrong);
}

/// A text as JSON and TOML write it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string").replace('\u{7f}', "\\u007f")
}

/// All names, in the places of names of files: allowed beside the site, included, and in a snapshot.
#[test]
fn names_of_files_from_elsewhere_are_texts() {
    let folder = Folder::new("elsewhere");
    let (site, other) = (folder.0.join("site"), folder.0.join("other"));
    let mut wrong = Vec::new();
    let mut runs = 0;
    for (n, name) in names::all().into_iter().enumerate() {
        for dir in [&site, &other] {
            let _ = fs::remove_dir_all(dir);
            fs::create_dir_all(dir).expect("a folder");
        }
        let breaks = breaks(&name);
        let mut run = |place: usize, arguments: &[&str]| {
            let mut all = arguments.to_vec();
            if arguments[0] == "check" {
                all.extend(["--format", FORMATS[(n + place) % FORMATS.len()].name]);
            }
            runs += 1;
            wrong.extend(faults_of(&site, &all, "", breaks, (n + place).is_multiple_of(2)));
        };
        // A file's name has no slash and no zero byte, and 255 bytes at most.
        let file = name.replace(['/', '\0'], "_");
        let fit = file.len() < 256 && ![".", ".."].contains(&&*file) && !file.is_empty();
        let path = |dir: &Path| dir.join(std::ffi::OsStr::from_bytes(file.as_bytes()));
        if fit {
            let text = if n % 3 == 0 { "no rules\n" } else { RULES };
            fs::write(path(&other), text).expect("a file");
            let manifest = MANIFEST.replace('@', &quoted(&format!("../other/{file}")));
            fs::write(site.join("callpath.toml"), manifest).expect("a file");
            run(0, &["check", "--also-read", "../other"]);
            // Not allowed, it is named all the same.
            run(1, &["check"]);
        }
        let rules = format!("include \"{name}\"\n{RULES}");
        fs::write(site.join("router.nft"), rules).expect("a file");
        fs::write(site.join("callpath.toml"), MANIFEST.replace('@', "\"router.nft\"")).expect("a file");
        run(2, &["check"]);
        run(3, &["import", "--unread", "router.nft"]);
        if fit {
            fs::write(
                path(&site),
                if n % 3 == 0 { "table ip t {\n\tchain c {\n\t\tfrobnicate\n\t}\n}\n" } else { "}" },
            )
            .expect("a file");
            run(4, &["check"]);
        }
        // Every field of a snapshot, and one that it has not.
        let text = MANIFEST.replace('@', &quoted(&name));
        for (place, schema) in [(5, "callpath.snapshot/1"), (6, &*format!("callpath.snapshot/{name}"))] {
            let snapshot = format!(
                "{{{}: {}, \"schema\": {}, \"callpath\": {}, \"sources\": [{{\"name\": \"callpath.toml\", \"text\": {}, \
                 {0}: 1}}, {{\"name\": {1}, \"text\": {}}}]}}",
                quoted(&format!("x{name}")),
                quoted(&name),
                quoted(schema),
                quoted(&name),
                quoted(&text),
                quoted(if n % 4 == 0 { &name } else { RULES }),
            );
            fs::write(site.join("bug.json"), snapshot).expect("a file");
            run(place, &["check", "bug.json"]);
        }
    }
    println!("{runs} runs");
    assert!(runs > 1000, "{runs} runs");
    assert_none(&wrong);
}

/// Fails with the first of these faults.
fn assert_none(faults: &[String]) {
    let first: Vec<&str> = faults.iter().take(20).map(|f| &**f).collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), first.join("\n"));
}

#[test]
fn words_of_the_command_line_are_texts_on_both_outputs() {
    let folder = Folder::new("words");
    let mut wrong = Vec::new();
    for name in NAMES {
        for arguments in [
            &["check", "--format", name][..],
            &["check", "--also-read", name],
            &["explain", name],
            &["ports", name],
            &["ports", "livekit", "--mode", name],
            &["ports", "livekit", "--with", name],
            &["ports", "livekit", "--on", name],
            &["ports", "livekit", "--format", name],
            &["render", name],
            &["trace", name, name, name],
            &["fix", name],
            &["fix", "--out", name],
            &["diff", name, name],
            &["diff", "--format", name, ".", "."],
            &["trace", "--expectations", name],
            &["snapshot", "-o", name, name],
            &["import", "--summary", name],
            &["init", name],
            &["init", "--system", name, "--host", "192.168.1.50", "--address", "203.0.113.9"],
            &["init", "--system", "livekit", "--host", name, "--address", "203.0.113.9"],
            &["init", "--system", "livekit", "--host", "192.168.1.50", "--name", name],
            &["init", "--system", "livekit", "--host", "192.168.1.50", "--address", "203.0.113.9", "--with", name],
            &["schema", name],
            &[name],
        ] {
            wrong.extend(faults(&folder.0, arguments, "", breaks(name)));
            let _ = fs::remove_file(folder.0.join("callpath.toml"));
        }
        wrong.extend(faults(&folder.0, &["init"], &format!("{name}\n{name}\n"), false));
    }
    assert_none(&wrong);
}

/// A new command has to be tried above, or be one that prints nothing that was given to it.
#[test]
fn every_command_is_tried() {
    let mut names: Vec<String> = callpath::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["check", "diff", "explain", "fix", "import", "init", "ports", "render", "schema", "snapshot", "trace"]
    );
}
