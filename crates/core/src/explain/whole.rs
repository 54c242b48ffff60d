//! The whole report.

use super::given::Given;
use super::story::origin;
use super::{Teller, headline};
use crate::call::Judge;
use crate::model::DoubtKind;
use crate::profile::Instance;
use crate::report::{Fact, InstanceLine, LeftOut, Origin, Report, Ruleset, SCHEMA, Tool, Unread};
use crate::site::gateway::at_line;
use crate::snapshot::{Places, Snapshot};
use crate::verdict::Judged;
use std::collections::BTreeSet;

/// What is taken as given of a site. What is not judged is added.
pub(crate) fn given(judge: &Judge<'_>, places: &Places<'_>, not_judged: &mut BTreeSet<String>) -> Vec<String> {
    let given = Given { judge, places };
    let mut assumptions = judge.site.assumptions.clone();
    for (n, instance) in judge.instances.iter().enumerate() {
        given.notes(n, instance, &mut assumptions, not_judged);
    }
    // What holds for several products is said once.
    let mut said = BTreeSet::new();
    assumptions.retain(|line| said.insert(line.clone()));
    assumptions
}

/// What was judged of these texts, as a report without findings.
pub(crate) fn report(snapshot: &Snapshot, judged: &Judged) -> Report {
    let teller = Teller::new(snapshot, judged);
    let judge = Judge::of(snapshot, judged);
    let mut not_judged = judged.judgement.not_judged.clone();
    let assumptions = given(&judge, &teller.places, &mut not_judged);
    let (given, judgement) = (Given { judge: &judge, places: &teller.places }, &judged.judgement);
    let mut report = Report {
        schema: SCHEMA,
        tool: Tool { name: "callpath", version: env!("CARGO_PKG_VERSION") },
        verdict: judged.verdict(),
        headline: String::new(),
        instances: judged.instances.iter().enumerate().map(|(n, i)| given.line(n, i)).collect(),
        facts: given.facts(),
        paths: judgement.paths.iter().map(|p| teller.path(p)).collect(),
        exposures: judgement.exposures.iter().map(|e| teller.exposure(e)).collect(),
        elsewhere: judgement.elsewhere.clone(),
        searched: judgement.searched.clone(),
        closed: judgement.closed.clone(),
        findings: Vec::new(),
        assumptions,
        not_judged: not_judged.into_iter().collect(),
        left_out: given.left_out(),
        unread: given.unread(),
        rulesets: given.rulesets(),
    };
    headline::add(&mut report);
    report
}

impl Given<'_> {
    fn line(&self, n: usize, instance: &Instance) -> InstanceLine {
        let judge = self.judge;
        InstanceLine {
            label: instance.label().to_owned(),
            system: instance.profile.title.clone(),
            host: instance.deploy.host.iter().map(|h| h.value.to_string()).collect(),
            device: judge.site.network.devices[judge.site.server_of[n]].name.to_string(),
            name: judge.manifest.name.as_ref().map(|n| n.value.clone()),
            told: judge.told_by_all(instance),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let stated = self.judge.manifest.address.iter().map(|a| Fact {
            name: "public address".into(),
            value: a.value.to_string(),
            from: at_line(self.judge.snapshot, a),
        });
        stated.collect()
    }

    fn unread(&self) -> Vec<Unread> {
        let mut out = Vec::new();
        for device in self.judge.site.network.devices.iter() {
            for doubt in device.pipeline.doubts.iter().filter(|d| d.kind == DoubtKind::Unread) {
                out.push(Unread { origin: origin(self.places, device, doubt.origin), why: doubt.what.to_string() });
            }
        }
        out
    }

    fn left_out(&self) -> Vec<LeftOut> {
        let line = |(device, l): &(usize, crate::dialect::LeftOut)| {
            let source = self.judge.snapshot.source(l.at.source);
            let place = self.places.line_column(l.at.source, l.at.start as usize);
            LeftOut {
                device: self.judge.site.network.devices[*device].name.to_string(),
                origin: Origin {
                    source: source.map_or_else(String::new, |s| s.name.clone()),
                    line: place.map(|p| p.0),
                    column: place.map(|p| p.1),
                    object: String::new(),
                    handle: None,
                    text: String::new(),
                },
                rule: l.rule.clone(),
                why: l.why.clone(),
            }
        };
        self.judge.site.left_out.iter().map(line).collect()
    }

    fn rulesets(&self) -> Vec<Ruleset> {
        let line = |(id, counts): &(crate::model::SourceId, crate::dialect::Counts)| Ruleset {
            source: self.judge.snapshot.source(*id).map_or_else(String::new, |s| s.name.clone()),
            statements: counts.statements,
            understood: counts.understood,
            approximated: counts.approximated,
        };
        self.judge.site.rulesets.iter().map(line).collect()
    }
}
