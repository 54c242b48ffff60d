//! From texts to what is judged of a site. Whatever is tried, is read and judged again here.

#[cfg(test)]
use super::codes;
use crate::call::Judge;
use crate::manifest::Manifest;
use crate::profile::{Instance, instance, overlap};
use crate::site::{self, Case, LastRead, Parts, Site};
use crate::snapshot::{InputError, Snapshot};
use crate::trace::Budget;
use crate::verdict::{Judged, either};
use crate::way::DoubtLine;
use std::rc::Rc;

/// What was judged, with what it was made from.
#[derive(Debug, Clone)]
pub(super) struct Analysis {
    /// By the rules in force, where these are given.
    pub judged: Judged,
    /// What the configuration would do, where the rules in force are given beside it.
    pub intended: Option<Judged>,
    /// What was read last of the sites of this run.
    pub read: Rc<LastRead>,
}

/// What is stated of a site, and its network in every case that is possible.
#[derive(Debug, Clone)]
pub(crate) struct Cases {
    /// What is stated.
    pub manifest: Manifest,
    /// What is installed.
    pub instances: Vec<Instance>,
    /// The site.
    pub site: Site,
    /// The same in the other case, and the fact that decides which it is.
    pub other: Option<(Site, DoubtLine)>,
}

/// Reads a site, and judges nothing of it.
///
/// # Errors
/// Input from which no answer follows.
pub(crate) fn cases(snapshot: &Snapshot, budget: &Budget) -> Result<Cases, InputError> {
    let (manifest, instances) = wanted(snapshot)?;
    overlap::check(&instances)?;
    let parts = Parts::read(snapshot, &manifest, &instances)?;
    let build = |case| built(snapshot, (&manifest, &instances), &parts, (case, false), budget);
    let site = build(Case::OnGateway)?;
    let other = parts.outer_address_unknown(&manifest).then(|| build(Case::BoxInFront)).transpose()?;
    let other = other.map(|site| (site, which_address(parts.outer_name(), parts.outer_address_shown())));
    Ok(Cases { manifest, instances, site, other })
}

/// The network of a site, which is to be judged next.
///
/// # Errors
/// Input from which none follows.
pub(super) fn network(
    snapshot: &Snapshot,
    intended: bool,
    budget: &Budget,
    read: &Rc<LastRead>,
) -> Result<Site, InputError> {
    let (manifest, instances) = wanted(snapshot)?;
    let parts = Parts::read(snapshot, &manifest, &instances)?;
    let site = site::build(snapshot, &manifest, &parts, (Case::OnGateway, intended), budget);
    read.keep(snapshot, parts);
    site
}

/// Judges a site, without looking for causes. `intended`: by what configurations ask for, not by the rules in force.
///
/// # Errors
/// Input from which no answer follows.
pub(super) fn judge(
    snapshot: &Snapshot,
    intended: bool,
    budget: &Budget,
    read: &Rc<LastRead>,
) -> Result<Analysis, InputError> {
    let (manifest, instances) = wanted(snapshot)?;
    overlap::check(&instances)?;
    let parts = match read.take(snapshot) {
        Some(parts) => parts,
        None => Parts::read(snapshot, &manifest, &instances)?,
    };
    let judged = |case, intended| -> Result<Judged, InputError> {
        let site = built(snapshot, (&manifest, &instances), &parts, (case, intended), budget)?;
        let judgement = Judge::new(snapshot, &manifest, &instances, &site).judgement();
        #[cfg(test)]
        let judgement = codes::of_judgement(judgement);
        let (manifest, instances) = (manifest.clone(), instances.clone());
        Ok(Judged { site, other: None, manifest, instances, judgement })
    };
    let mut first = judged(Case::OnGateway, intended)?;
    let both = parts.has_both() && !intended;
    let intent = both.then(|| judged(Case::OnGateway, true)).transpose()?;
    if parts.outer_address_unknown(&manifest) {
        let other = judged(Case::BoxInFront, intended)?;
        let doubt = which_address(parts.outer_name(), parts.outer_address_shown());
        first.judgement = either(first.judgement, &other.judgement, &doubt);
        first.other = Some(other.site);
    }
    Ok(Analysis { judged: first, intended: intent, read: Rc::clone(read) })
}

/// The site in one case, of which what is installed can be asked.
fn built(
    snapshot: &Snapshot,
    (manifest, instances): (&Manifest, &[Instance]),
    parts: &Parts,
    case: (Case, bool),
    budget: &Budget,
) -> Result<Site, InputError> {
    let site = site::build(snapshot, manifest, parts, case, budget)?;
    #[cfg(test)]
    let site = codes::of_site(site);
    crate::call::check(manifest, instances, &site)?;
    Ok(site)
}

/// What is stated, and what is installed.
fn wanted(snapshot: &Snapshot) -> Result<(Manifest, Vec<Instance>), InputError> {
    let manifest = site::manifest(snapshot)?;
    let instances = manifest.deploys.iter().map(instance).collect::<Result<Vec<_>, _>>()?;
    Ok((manifest, instances))
}

/// The fact that decides between the two cases.
fn which_address(gateway: &str, shown: &str) -> DoubtLine {
    DoubtLine::of_site(
        format!(
            "which address the outer interface of {gateway} has: if it is not the public one, another router is in front"
        ),
        format!(
            "add `wan = \"<address>\"` to its [[gateway]] table ({shown}), or what `ip -j addr` prints to `config`"
        ),
    )
}
