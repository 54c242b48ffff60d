//! The page of statements: each "yes" names a scenario or a test that is there.

use callpath_docs::root;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of each document, by the letter of their numbers.
const ROWS: [(char, usize); 5] = [('S', 21), ('R', 26), ('P', 13), ('D', 10), ('N', 19)];

/// A row: number, statement, state, what shows it.
struct Row {
    number: String,
    statement: String,
    state: String,
    shown: String,
}

fn rows(page: &str) -> Vec<Row> {
    let cells = |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
    let numbered = |c: &Vec<String>| {
        let digits = c[0].get(1..).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let lines = page.lines().filter(|l| l.starts_with('|')).map(cells).filter(numbered);
    let cell = |c: &[String], n: usize| c.get(n).cloned().unwrap_or_default();
    lines.map(|c| Row { number: cell(&c, 0), statement: cell(&c, 1), state: cell(&c, 2), shown: cell(&c, 3) }).collect()
}

/// Links to scenarios and names of tests in a cell, each with whether it is there; what is neither is not there.
fn shows(root: &Path, cell: &str) -> Vec<(String, bool)> {
    let one = |part: &str| {
        let there = match (part.strip_prefix('['), part.strip_prefix('`').and_then(|p| p.strip_suffix('`'))) {
            (Some(link), _) => {
                let file = link.split_once("](../").and_then(|(_, f)| f.strip_suffix(')')).unwrap_or_default();
                file.starts_with("scenarios/") && root.join(file).is_file()
            }
            (_, Some(test)) => test.split_once(": ").is_some_and(|(file, name)| {
                let text = fs::read_to_string(root.join(file)).unwrap_or_default();
                text.contains(&format!("#[test]\nfn {name}("))
            }),
            _ => false,
        };
        (part.to_owned(), there)
    };
    cell.split(", ").filter(|p| !p.is_empty()).map(one).collect()
}

#[test]
fn every_yes_is_shown_by_a_scenario_or_a_test() {
    let root = root();
    let page = fs::read_to_string(root.join("docs/statements.md")).expect("the page");
    let rows = rows(&page);
    let mut count: BTreeMap<char, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for row in &rows {
        *count.entry(row.number.chars().next().unwrap_or('?')).or_default() += 1;
        let number = &row.number;
        let state = row.state.split(':').next().unwrap_or_default();
        if !matches!(state, "yes" | "partly" | "no") {
            faults.push(format!("{number}: `{}` is neither yes, partly nor no", row.state));
        }
        let shown = shows(&root, &row.shown);
        faults.extend(shown.iter().filter(|s| !s.1).map(|(s, _)| format!("{number}: {s} is not there")));
        if state == "yes" && shown.is_empty() {
            faults.push(format!("{number}: nothing shows it"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(count, ROWS.into_iter().collect::<BTreeMap<_, _>>());
    let yes = rows.iter().filter(|r| r.state == "yes").count();
    println!("{yes} of {} statements: yes", rows.len());
}

#[test]
fn a_yes_without_a_ground_is_seen() {
    let root = root();
    let there = |cell: &str| shows(&root, cell).iter().all(|s| s.1) && !cell.is_empty();
    assert!(there("[range-cut](../scenarios/range-cut.md)"));
    assert!(there("`crates/docs/tests/statements.rs: a_yes_without_a_ground_is_seen`"));
    assert!(!there("[range-cut](../scenarios/no-such-story.md)"));
    assert!(!there("`crates/docs/tests/statements.rs: no_such_test`"));
    assert!(!there("`crates/docs/tests/statements.rs: rows`"), "a function is no test");
    assert!(!there("surely"));
}

/// The list of the requirement, where it lies beside the repository.
#[test]
fn the_page_holds_every_statement_in_its_words() {
    let root = root();
    let file: PathBuf = root.join("../shared/reference/statements.md");
    let Ok(list) = fs::read_to_string(&file) else {
        assert!(std::env::var_os("CI").is_none(), "{} is absent", file.display());
        println!("{} is absent: nothing to compare with", file.display());
        return;
    };
    let page = rows(&fs::read_to_string(root.join("docs/statements.md")).expect("the page"));
    let pair = |r: &Row| (r.number.clone(), r.statement.clone());
    let (wanted, here): (Vec<_>, Vec<_>) = (rows(&list).iter().map(pair).collect(), page.iter().map(pair).collect());
    assert_eq!(here, wanted);
    println!("{} statements compared", wanted.len());
}
