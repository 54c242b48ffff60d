//! What to change, by device: the changes of all findings as one list of steps, and the way back.

use super::{Change, Finding, Loss, Report, Severity};
use crate::change::{Step, StepKind};

/// What is known of a plan's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// With all plans of this kind every call path works, and each of them is needed.
    Checked,
    /// It repairs something and takes nothing; that every path works with it was not shown.
    Partial,
    /// No call depends on it.
    Besides,
    /// It takes something from somebody.
    Takes,
}

impl Effect {
    /// What a heading says of it, behind the device.
    pub(super) fn remark(self) -> &'static str {
        match self {
            Self::Checked => " (checked: every row above works after it)",
            Self::Partial => "",
            Self::Besides => " if you like (checked: no call depends on it)",
            Self::Takes => " that takes something (not checked)",
        }
    }
}

/// What to change on one device.
#[derive(Debug)]
pub struct Plan<'r> {
    /// The device.
    pub device: &'r str,
    /// What is known of it.
    pub effect: Effect,
    /// What it takes, and from whom, in sentences.
    pub takes: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// How to take it back.
    pub undo: Vec<Step>,
}

/// Changes by device: first the cure, then what may be done besides, then what would take something from somebody.
pub fn plans(report: &Report) -> Vec<Plan<'_>> {
    let (besides, cure): (Vec<&Finding>, Vec<&Finding>) =
        report.findings.iter().partition(|f| f.severity == Severity::Note);
    let checked = |verified| if verified { Effect::Checked } else { Effect::Partial };
    let mut out = by_device(&cure, |f| f.change.as_ref(), checked);
    out.extend(by_device(&besides, |f| f.change.as_ref(), |_| Effect::Besides));
    for list in [cure, besides] {
        out.extend(by_device(&list, |f| f.apart.as_ref(), |_| Effect::Takes));
    }
    out
}

fn by_device<'r>(
    findings: &[&'r Finding],
    change: impl Fn(&'r Finding) -> Option<&'r Change>,
    effect: impl Fn(bool) -> Effect,
) -> Vec<Plan<'r>> {
    let mut devices: Vec<&str> = Vec::new();
    for change in findings.iter().filter_map(|f| change(f)) {
        if !devices.contains(&change.device.as_str()) {
            devices.push(&change.device);
        }
    }
    let plan = |device: &'r str| {
        let here: Vec<(&Finding, &Change)> =
            findings.iter().filter_map(|f| change(f).filter(|c| c.device == device).map(|c| (*f, c))).collect();
        let steps = merged(here.iter().map(|(_, c)| &c.steps));
        let verified = here.iter().all(|(f, _)| f.verified || f.severity != Severity::Error);
        let undo = here.iter().rev().flat_map(|(_, c)| c.undo.clone()).collect();
        let mut takes: Vec<String> = Vec::new();
        for sentence in here.iter().flat_map(|(_, c)| &c.takes).map(Loss::sentence) {
            if !takes.contains(&sentence) {
                takes.push(sentence);
            }
        }
        Plan { device, effect: effect(verified), takes, steps, undo }
    };
    devices.into_iter().map(plan).filter(|p| !p.steps.is_empty()).collect()
}

/// Steps of several changes: "Apply Changes" once for each page, commands for one shell together.
pub(super) fn merged<'a>(lists: impl Iterator<Item = &'a Vec<Step>>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::new();
    for step in lists.flatten() {
        if out.last().is_some_and(|l| l.kind == StepKind::Apply)
            && page(step).is_some()
            && page(step) == page_before(&out)
        {
            out.pop();
        }
        let together = |s: &&mut Step| s.place == step.place && (s.shell().is_some() || in_manifest(s));
        if let Some(known) = out.iter_mut().find(together) {
            let fresh: Vec<String> = step.lines.iter().filter(|l| !known.lines.contains(l)).cloned().collect();
            known.lines.extend(fresh);
            continue;
        }
        if !out.contains(step) || step.kind == StepKind::Apply {
            out.push(step.clone());
        }
    }
    // What was done on the box is written down once all of it is done.
    out.sort_by_key(in_manifest);
    out
}

fn in_manifest(step: &Step) -> bool {
    step.kind == StepKind::Manifest
}

/// The page on which a step is done, where it is done on one.
pub(super) fn page(step: &Step) -> Option<&str> {
    match &step.kind {
        StepKind::Page(menus) => Some(menus),
        _ => None,
    }
}

fn page_before(steps: &[Step]) -> Option<&str> {
    steps.iter().rev().find(|s| s.kind != StepKind::Apply).and_then(page)
}
