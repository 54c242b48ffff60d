//! `cargo xtask new dialect|finding|system NAME`: something that compiles, passes and stands in the tables, to be filled
//! in. A file that is there is never written over, and nothing is written unless all of it can be.

mod dialect;
mod finding;
mod name;
pub mod rehearse;
mod system;

use crate::task::{cargo_with, root};
use name::Name;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `cargo xtask new` takes.
pub const USAGE: &str = "cargo xtask new dialect|finding|system NAME [KIND NAME ...]";

/// Marks what is to be filled in.
const MARK: &str = "TODO(new)";

/// What will be written, with paths from the root of the repository.
#[derive(Debug, Default)]
struct Plan {
    /// Files that must not be there yet.
    fresh: Vec<(String, String)>,
    /// Files that get lines: the whole text as it will be.
    edited: Vec<(String, String)>,
    /// What to do next, in order.
    next: Vec<String>,
}

/// Writes additions, then the reports and pages that tell of them.
pub fn run(args: &[String]) -> Result<(), String> {
    let root = root();
    let (pairs, rest) = args.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(format!("usage: {USAGE}"));
    }
    // What is wrong with any of them is said before the first is written.
    for [kind, name] in pairs {
        plan(&root, kind, &Name::new(name)?)?;
    }
    let mut next = Vec::new();
    for [kind, name] in pairs {
        let plan = plan(&root, kind, &Name::new(name)?)?;
        write(&root, &plan)?;
        for (file, _) in &plan.fresh {
            println!("wrote   {file}");
        }
        for (file, _) in &plan.edited {
            println!("changed {file}");
        }
        next.push((format!("{kind} {name}"), plan.next));
    }
    // Only the program knows what it reports. The names keep all other reports as they are.
    let names: Vec<&str> = pairs.iter().map(|[_, name]| &**name).collect();
    let bless = ["test", "--quiet", "--workspace", "--test", "it", "--"];
    let tests = ["every_scenario_gives_its_report", "generated_pages_are_current"];
    cargo_with(&root, &[("CALLPATH_BLESS", &names.join(","))], &[&bless[..], &tests].concat())?;
    println!("\nit compiles and passes as it is; what is to be filled in is marked {MARK}. Next:");
    for (what, lines) in next {
        println!("\n{what}");
        for (n, line) in lines.iter().enumerate() {
            println!("  {}. {line}", n + 1);
        }
    }
    Ok(())
}

fn plan(root: &Path, kind: &str, name: &Name) -> Result<Plan, String> {
    match kind {
        "dialect" => dialect::plan(root, name),
        "finding" => finding::plan(root, name),
        "system" => system::plan(root, name),
        other => Err(format!("`{other}` cannot be added this way; usage: {USAGE}")),
    }
}

/// Writes all files, or none: what is there already is found before.
fn write(root: &Path, plan: &Plan) -> Result<(), String> {
    if let Some((file, _)) = plan.fresh.iter().find(|(file, _)| root.join(file).exists()) {
        return Err(format!("{file} exists; nothing was written"));
    }
    for (file, text) in &plan.fresh {
        let path = root.join(file);
        let failed = |e: std::io::Error| format!("{file}: {e}");
        fs::create_dir_all(path.parent().unwrap_or(root)).map_err(failed)?;
        let mut out = fs::File::create_new(&path).map_err(failed)?;
        out.write_all(formatted(root, file, text).as_bytes()).map_err(failed)?;
    }
    for (file, text) in &plan.edited {
        fs::write(root.join(file), formatted(root, file, text)).map_err(|e| format!("{file}: {e}"))?;
    }
    Ok(())
}

/// As rustfmt would have it: names of another length break lines elsewhere. Without rustfmt, the text as it is.
fn formatted(root: &Path, file: &str, text: &str) -> String {
    let tidy = || {
        let mut child = Command::new("rustfmt")
            .args(["--edition", "2024", "--config-path"])
            .arg(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(text.as_bytes()).ok()?;
        let output = child.wait_with_output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).ok())?
    };
    if Path::new(file).extension().is_some_and(|e| e == "rs") {
        tidy().unwrap_or_else(|| text.to_owned())
    } else {
        text.to_owned()
    }
}

fn read(root: &Path, file: &str) -> Result<String, String> {
    fs::read_to_string(root.join(file)).map_err(|e| format!("{file}: {e}"))
}

/// The text with a line before the one that is given, which must stand there once.
fn before(file: &str, text: &str, anchor: &str, line: &str) -> Result<String, String> {
    if text.lines().filter(|l| *l == anchor).count() != 1 {
        return Err(format!("{file}: the line `{}` is not there once; nothing was written", anchor.trim()));
    }
    Ok(text.replacen(&format!("{anchor}\n"), &format!("{line}\n{anchor}\n"), 1))
}

/// The text with another module, in the order of names.
fn with_module(file: &str, text: &str, visible: &str, name: &Name) -> Result<String, String> {
    let module = |l: &str| {
        let rest = l.strip_prefix("pub ").unwrap_or(l).strip_prefix("mod ")?;
        rest.strip_suffix(';').map(str::to_owned)
    };
    let lines: Vec<&str> = text.lines().collect();
    let known = || lines.iter().enumerate().filter_map(|(n, l)| Some((n, module(l)?)));
    if known().any(|(_, m)| m == name.snake()) {
        return Err(format!("{file} has a module `{}`; nothing was written", name.snake()));
    }
    // An attribute belongs to what stands below it.
    let own = |n: usize| if n > 0 && lines[n - 1].starts_with("#[") { n - 1 } else { n };
    let later = known().find(|(_, m)| *m > name.snake()).map(|(n, _)| own(n));
    let at = later.or_else(|| known().next_back().map(|(n, _)| n + 1)).ok_or_else(|| format!("{file}: no modules"))?;
    let fresh = format!("{visible}mod {};", name.snake());
    let all: Vec<&str> = lines[..at].iter().copied().chain([&*fresh]).chain(lines[at..].iter().copied()).collect();
    Ok(all.join("\n") + "\n")
}

/// Places that are marked as to be filled in.
pub fn unfinished() -> Vec<String> {
    let root = root();
    let mut out = Vec::new();
    for file in files(&root).unwrap_or_default().iter().filter(|f| !f.starts_with("xtask/")) {
        let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
        let marked = text.lines().enumerate().filter(|(_, l)| l.contains(MARK));
        out.extend(marked.map(|(n, l)| format!("{file}:{}: {}", n + 1, l.trim())));
    }
    out
}

/// Files of the repository, with those that are not committed yet.
fn files(root: &Path) -> Result<Vec<String>, String> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(args).current_dir(root).output().map_err(|e| format!("git: {e}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    let list = String::from_utf8_lossy(&output.stdout);
    let mut files: Vec<String> = list.split('\0').filter(|f| !f.is_empty()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files.retain(|f| root.join(f).is_file());
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_stand_in_order_and_once() {
        let text = "//! x\n\nmod alpha;\npub mod delta;\n\nuse x;\n";
        let with = |name: &str| with_module("f", text, "pub ", &Name::new(name).expect("a name"));
        assert_eq!(with("beta-2"), Ok("//! x\n\nmod alpha;\npub mod beta_2;\npub mod delta;\n\nuse x;\n".into()));
        assert_eq!(with("zeta"), Ok("//! x\n\nmod alpha;\npub mod delta;\npub mod zeta;\n\nuse x;\n".into()));
        assert!(with("delta").is_err_and(|e| e.contains("nothing was written")));
        let marked = with_module("f", "mod a;\n#[cfg(test)]\nmod toy;\n", "", &Name::new("oak").expect("a name"));
        assert_eq!(marked, Ok("mod a;\nmod oak;\n#[cfg(test)]\nmod toy;\n".into()));
    }

    #[test]
    fn lines_stand_where_they_can_be_found() {
        assert_eq!(before("f", "a\n  b,\nc\n", "  b,", "  new,"), Ok("a\n  new,\n  b,\nc\n".into()));
        assert!(before("f", "a\nb\nb\n", "b", "new").is_err());
    }

    #[test]
    fn nothing_is_written_over() {
        let dir = std::env::temp_dir().join(format!("callpath-new-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        fs::write(dir.join("there.toml"), "mine").expect("write");
        let fresh = |files: &[&str]| files.iter().map(|f| ((*f).to_owned(), "text\n".to_owned())).collect();
        let plan = Plan { fresh: fresh(&["new.toml", "there.toml"]), ..Plan::default() };
        assert!(write(&dir, &plan).is_err_and(|e| e.contains("there.toml exists")));
        assert!(!dir.join("new.toml").exists(), "all or nothing");
        assert_eq!(fs::read_to_string(dir.join("there.toml")).expect("read"), "mine");
        assert_eq!(write(&dir, &Plan { fresh: fresh(&["folder/new.toml"]), ..Plan::default() }), Ok(()));
        fs::remove_dir_all(&dir).expect("clean up");
    }

    #[test]
    fn every_kind_can_be_planned_and_known_names_are_refused() {
        type Make = fn(&Path, &Name) -> Result<Plan, String>;
        let kinds: [(Make, &str); 3] = [(dialect::plan, "toy"), (finding::plan, "cgnat"), (system::plan, "spokes")];
        for (make, known) in kinds {
            let plan = make(&root(), &Name::new("specimen").expect("a name")).expect("a plan");
            assert!(plan.fresh.iter().any(|(_, text)| text.contains(MARK)), "{plan:?}");
            assert!(plan.fresh.iter().all(|(_, text)| !text.contains("{{")), "{plan:?}");
            assert!(plan.next.len() >= 3);
            // Every file that is named exists, or is written.
            let named = plan.next.iter().flat_map(|l| l.split([' ', ',', ':', '(', ')'])).filter(|w| w.contains('/'));
            for word in named.filter(|w| !w.starts_with('<')) {
                let written = plan.fresh.iter().any(|(f, _)| f.starts_with(word.trim_end_matches('/')));
                assert!(written || root().join(word).exists(), "{word}");
            }
            let refused = make(&root(), &Name::new(known).expect("a name")).and_then(|plan| write(&root(), &plan));
            assert!(refused.is_err_and(|e| e.contains("nothing was written")), "{known}");
        }
    }

    #[test]
    fn nothing_else_can_be_added() {
        let args = |list: &[&str]| list.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>();
        for (list, why) in
            [(&["dialect"][..], "usage"), (&["cause", "x-y"], "cannot be added"), (&["dialect", "Big"], "lower-case")]
        {
            assert!(run(&args(list)).is_err_and(|e| e.contains(why)), "{list:?}");
        }
    }
}
