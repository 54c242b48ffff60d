//! What the README shows is what the program prints, and its commands exist.

use crate::sites::{blocks, root, shows};
use clap::error::ErrorKind::{DisplayHelp, DisplayVersion, MissingRequiredArgument};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The report of a scenario (the scenarios' own test compares it with what the program prints), or of an example.
fn report(of: &str) -> String {
    if of.starts_with("examples/") {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(["check", of]).current_dir(root()).output();
        return String::from_utf8(output.expect("callpath runs").stdout).expect("text");
    }
    let text = fs::read_to_string(root().join(of)).expect("a scenario");
    let block = text.split("```report").nth(1).expect("a report");
    let (_, rest) = block.split_once('\n').expect("lines");
    rest.split("```").next().expect("an end").to_owned()
}

#[test]
fn the_reports_in_the_readme_are_real() {
    let text = fs::read_to_string(root().join("README.md")).expect("README");
    let mut shown = 0;
    for block in blocks(&text).into_iter().filter(|b| b.info.starts_with("text ")) {
        shown += 1;
        let of = block.info.trim_start_matches("text ");
        shows(&block.lines, &report(of)).unwrap_or_else(|why| panic!("{of}: {why}"));
    }
    assert!(shown > 0, "a report");
}

/// The documents for users and contributors: those at the root, and all below `docs`.
fn documents(dir: &Path, below: bool, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of documents") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && below {
            documents(&path, below, out);
        } else if path.extension().is_some_and(|e| e == "md") {
            out.push(path);
        }
    }
}

/// Commands in backticks, and those that stand in blocks to paste (`true`).
fn commands(text: &str) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    for (n, part) in text.split("```").enumerate() {
        if n % 2 == 0 {
            let spans = part.split("\n\n").flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2));
            out.extend(spans.map(|s| (s.split_whitespace().collect::<Vec<_>>().join(" "), false)));
        } else if let Some(("" | "sh", lines)) = part.split_once('\n') {
            let lines = lines.replace("\\\n", " ");
            out.extend(lines.lines().map(|l| (l.split(" #").next().unwrap_or(l).trim().to_owned(), !l.contains('['))));
        }
    }
    let own = |(line, paste): (String, bool)| {
        let rest = line.strip_prefix("callpath ").or_else(|| line.strip_prefix("cargo run --release -- "))?;
        Some((rest.to_owned(), paste))
    };
    out.into_iter().filter_map(own).collect()
}

/// What is wrong with a command as it is written. What stands for something else (`<code>`, `FILE…`) is not looked at.
fn wrong(line: &str, paste: bool) -> Option<String> {
    let words: Vec<&str> = line.split(' ').map(|w| w.trim_matches(['[', ']'])).collect();
    let stands_for = |w: &str| w.contains(['<', '…', '|']) || w.chars().all(|c| c.is_ascii_uppercase());
    let mut command = callpath::command();
    command.build();
    let sub = match words[0] {
        flag if flag.starts_with('-') => &command,
        name => match command.find_subcommand(name) {
            Some(sub) => sub,
            None => return Some("there is no such command".into()),
        },
    };
    for flag in words.iter().filter(|w| w.starts_with('-')) {
        let long = |a: &clap::Arg| a.get_long().is_some_and(|l| flag.strip_prefix("--") == Some(l));
        let short = |a: &clap::Arg| a.get_short().is_some_and(|s| *flag == format!("-{s}"));
        if !sub.get_arguments().any(|a| long(a) || short(a)) {
            return Some(format!("{flag} is no option of it"));
        }
    }
    if !paste && words.iter().any(|w| stands_for(w)) {
        return None;
    }
    match callpath::command().try_get_matches_from(["callpath"].iter().chain(&words)) {
        Ok(matches) => unknown(sub, matches.subcommand()?.1),
        Err(e) if matches!(e.kind(), DisplayHelp | DisplayVersion) => None,
        // In a sentence a command may be meant without all that it needs.
        Err(e) if !paste && e.kind() == MissingRequiredArgument => None,
        Err(e) => Some(e.to_string()),
    }
}

/// The command line takes any word for a product or a code, to say itself what is wrong with it.
fn unknown(sub: &clap::Command, matches: &clap::ArgMatches) -> Option<String> {
    sub.get_arguments().find_map(|arg| {
        let known = arg.get_possible_values();
        let word: &String = matches.try_get_one(arg.get_id().as_str()).ok().flatten()?;
        let there = known.is_empty() || known.iter().any(|k| k.get_name() == word);
        (!there).then(|| format!("{word} is none of {known:?}"))
    })
}

#[test]
fn the_commands_in_the_documents_exist() {
    let mut files = Vec::new();
    documents(&root(), false, &mut files);
    documents(&root().join("docs"), true, &mut files);
    let (mut bad, mut count, mut pasted) = (Vec::new(), 0, 0);
    for file in &files {
        let text = fs::read_to_string(file).expect("a document");
        for (line, paste) in commands(&text) {
            count += 1;
            pasted += usize::from(paste);
            bad.extend(wrong(&line, paste).map(|why| format!("{}: `{line}`: {why}", file.display())));
        }
    }
    println!("{count} commands, {pasted} of them to paste");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(count > 80 && pasted > 20, "{count} commands, {pasted} of them to paste");
    for line in ["chek", "check --fromat json", "check --format yaml", "explain no-such-code", "render pfsense --bogus"]
    {
        assert!(wrong(line, true).is_some() && wrong(line, false).is_some(), "{line}");
    }
    assert!(wrong("render", true).is_some(), "to be pasted, it is too short");
}

#[test]
fn the_readme_names_every_command() {
    let text = fs::read_to_string(root().join("README.md")).expect("README");
    let named: Vec<String> = commands(&text).into_iter().map(|(line, _)| line).collect();
    for command in callpath::command().get_subcommands() {
        let name = command.get_name();
        assert!(named.iter().any(|line| line.split(' ').next() == Some(name)), "callpath {name}");
    }
    assert!(callpath::command().render_help().to_string().contains("Exit codes: 0"));
}
