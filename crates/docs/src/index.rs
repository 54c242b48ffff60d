//! The index of all documentation.

use crate::scenario::Scenario;
use crate::{head, list};
use callpath_core::profile::find;
use std::fmt::Write;
use std::path::Path;

/// Documents that are written by hand, and what each is for.
const TEXTS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Start",
        &[
            ("docs/tutorial.md", "from silence to a call in ten minutes"),
            ("README.md", "what callpath answers, a report, how to install it"),
            ("LIMITATIONS.md", "what it cannot do, and what reports do not judge"),
        ],
    ),
    (
        "Look up",
        &[
            ("docs/products/README.md", "which ports each product needs, and what must stay closed"),
            (
                "docs/statements.md",
                "what products' documents say about firewalls, statement by statement, and how far it is judged",
            ),
            ("docs/findings/README.md", "what can be wrong, who notices, and what to do"),
            ("docs/commands.md", "every command and option"),
            ("CHANGELOG.md", "what is new"),
        ],
    ),
    (
        "For programs",
        &[
            ("docs/callpath.schema.json", "JSON schema of `callpath.toml`, for editors"),
            ("docs/callpath.report.schema.json", "JSON schema of the report, `callpath check --format json`"),
        ],
    ),
    (
        "For contributors",
        &[
            ("CONTRIBUTING.md", "how to build and test it, and how to add something"),
            ("ARCHITECTURE.md", "where things are, what always holds, and why"),
            ("scenarios/README.md", "how a story with its configuration and its report is written"),
            ("fixtures/differential/README.md", "where the Linux kernel and the trace once differed"),
            ("fixtures/pairs/README.md", "the same for two parties that open towards each other"),
        ],
    ),
];

/// The page.
pub fn page(root: &Path, scenarios: &[Scenario]) -> String {
    let mut out = head("the tables and `scenarios/`", "Documentation");
    out += "callpath tells whether calls reach your self-hosted voice and video server, and if not, what to change \
            where.\n";
    for (title, documents) in TEXTS {
        let _ = write!(out, "\n## {title}\n\n");
        for (path, about) in documents.iter().filter(|(path, _)| root.join(path).exists() || generated(path)) {
            let link = path.strip_prefix("docs/").map_or_else(|| format!("../{path}"), str::to_owned);
            let name = path.strip_prefix("docs/").unwrap_or(path).trim_end_matches("/README.md");
            let _ = writeln!(out, "- [{name}]({link}): {about}");
        }
    }
    out += "\n## Stories\n\nWhat goes wrong, each with its configuration, its report, and what helps. The example sites \
            that they start from are in [examples](../examples). After each title: the verdict, and the findings.\n";
    let mut systems: Vec<&str> = Vec::new();
    for system in scenarios.iter().filter_map(first) {
        if !systems.contains(&system) {
            systems.push(system);
        }
    }
    systems.sort_unstable();
    for system in systems {
        let title = find(system).map_or_else(|| system.to_owned(), |p| p.title);
        let _ = write!(out, "\n### {title}\n\n");
        out += &list(scenarios.iter().filter(|s| first(s) == Some(system)), "../", "");
    }
    out
}

/// Its first product: each story is listed once.
fn first(scenario: &Scenario) -> Option<&str> {
    scenario.systems.first().map(String::as_str)
}

/// Is it written by the generator, and so perhaps not there yet?
fn generated(path: &str) -> bool {
    path.starts_with("docs/") && path != "docs/tutorial.md"
}
