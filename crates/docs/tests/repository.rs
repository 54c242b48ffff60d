//! The repository's documentation is what the tables say, and its links lead somewhere.

use callpath_docs::{differences, links, root, write};

#[test]
fn generated_pages_are_current() {
    if std::env::var_os("CALLPATH_BLESS").is_some() {
        write(&root()).expect("the pages are written");
    }
    let found = differences(&root()).expect("the repository is read");
    assert!(found.is_empty(), "{}\n`cargo xtask gen` writes these pages anew", found.join("\n"));
}

#[test]
fn every_link_leads_somewhere() {
    assert!(links::files(&root()).expect("files").len() > 100, "scenarios, findings, products and the rest");
    let faults = links::faults(&root()).expect("the repository is read");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
