//! Changes that a report prints, made and judged again.

use super::printed;
use callpath_core::check::{analyze, changes};
use callpath_core::dialect::{Patch, apply};
use callpath_core::finding::Severity;
use callpath_core::report::{Finding, Verdict};
use callpath_core::snapshot::Snapshot;

/// A change that the report calls checked does what it says, read anew from the text that it leaves.
pub fn kept(site: &Snapshot) {
    let (patches, report) = match changes(site) {
        Ok(answer) => answer,
        Err(e) => return super::sound::error(&e, site),
    };
    printed::report(&report);
    let promised = |f: &&Finding| {
        f.verified && f.severity != Severity::Note && f.change.as_ref().is_some_and(|c| c.applicability != "by hand")
    };
    let Some(finding) = report.findings.iter().find(promised) else { return };
    let mut cured = site.clone();
    for (index, source) in cured.sources.iter_mut().enumerate() {
        let here: Vec<&Patch> = patches.iter().filter(|(id, _)| usize::from(id.0) == index).map(|(_, p)| p).collect();
        if !here.is_empty() {
            source.text = apply(&source.text, &here).expect("the changes can be made together");
        }
    }
    let after = analyze(&cured).expect("what was printed can be read");
    assert_eq!(after.verdict, Verdict::Works, "{} is called checked, and then: {}", finding.code, after.headline);
}
