//! Walks through `docs/tutorial.md` with the real program: every block in it is what one meets there.

use crate::sites::{blocks, lay_out, root, shows, snapshot};
use callpath_core::check::changes;
use callpath_core::dialect::{Patch, apply};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BACKUP: &str = "config-gate.xml";

fn run(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_callpath"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("callpath runs");
    child.stdin.take().expect("input").write_all(input.as_bytes()).expect("answers");
    child.wait_with_output().expect("ends")
}

/// The folder as the tutorial's reader has it: a backup, nothing else.
fn backup_alone(work: &Path) {
    let story = fs::read_to_string(root().join("scenarios/spokes-from-silence.md")).expect("the story");
    let site = work.join("story");
    lay_out("the story", &story, &blocks(&story), &site);
    fs::create_dir_all(work.join("site")).expect("a folder");
    fs::rename(site.join("pfsense/config.xml"), work.join("site").join(BACKUP)).expect("its backup");
}

#[test]
fn the_tutorial_leads_from_silence_to_a_call() {
    let tutorial = fs::read_to_string(root().join("docs/tutorial.md")).expect("the tutorial");
    let blocks = blocks(&tutorial);
    let named = |name: &str| blocks.iter().filter(|b| b.info == format!("text {name}")).collect::<Vec<_>>();
    assert_eq!((named("init").len(), named("after").len()), (1, 1));
    let work = std::env::temp_dir().join(format!("callpath-tutorial-{}", std::process::id()));
    backup_alone(&work);
    let site = work.join("site");

    // What one types stands behind the question.
    let session = &named("init")[0].lines;
    let (answers, said): (Vec<_>, Vec<_>) = session.iter().map(|l| l.rsplit_once(": ").expect("a colon")).unzip();
    let asked: Vec<(&&str, &&str)> = answers.iter().zip(&said).filter(|(q, _)| !is_output(q)).collect();
    let input: String = asked.iter().flat_map(|(_, answer)| [**answer, "\n"]).collect();
    let output = run(&site, &["init"], &input);
    let printed = String::from_utf8([output.stderr, output.stdout].concat()).expect("text");
    let without_answer = |l: &String| match l.rsplit_once(": ") {
        Some((question, _)) if !is_output(question) => format!("{question}: "),
        _ => l.clone(),
    };
    let wanted: Vec<String> = session.iter().map(without_answer).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), wanted);

    let output = run(&site, &[], "");
    let before = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1));
    assert!(named("before").len() > 2);
    for block in named("before") {
        shows(&block.lines, &before).unwrap_or_else(|why| panic!("{why}"));
    }

    let texts = snapshot(&site);
    let (patches, _) = changes(&texts).expect("an answer");
    let patches: Vec<&Patch> = patches.iter().map(|(_, p)| p).collect();
    let backup = site.join(BACKUP);
    let changed = apply(&fs::read_to_string(&backup).expect("the backup"), &patches).expect("changes");
    fs::write(&backup, changed).expect("write");
    let output = run(&site, &[], "");
    assert_eq!(output.status.code(), Some(0));
    let after = String::from_utf8(output.stdout).expect("text");
    shows(&named("after")[0].lines, &after).unwrap_or_else(|why| panic!("{why}"));
    fs::remove_dir_all(&work).expect("clean up");
}

/// Lines of the session that the program prints without asking.
fn is_output(line: &str) -> bool {
    line.starts_with("found ") || line.starts_with("wrote ")
}
