//! From a profile and a `[[deploy]]` table to requirements.

use super::{Answers, HoldsAddress, Ice, Mode, PROFILES, Profile, ToldBy, find};
use crate::cube::Set;
use crate::manifest::{At, Deploy, Proto, known_names, parse_ports};
use crate::model::{Family, prefix_range};
use crate::requirement::{Party, Requirement};
use crate::snapshot::InputError;
use crate::vocabulary::LegKind;
use ipnet::IpNet;

/// A deployment with its profile applied.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The manifest's table.
    pub deploy: Deploy,
    /// The product.
    pub profile: Profile,
    /// Mode of installation.
    pub mode: String,
    /// Everything that it needs.
    pub requirements: Vec<Requirement>,
}

impl Instance {
    /// Name for reports.
    pub fn label(&self) -> &str {
        &self.deploy.label.value
    }

    /// The mode's description.
    pub fn mode(&self) -> Option<&Mode> {
        self.profile.mode.iter().find(|m| m.name == self.mode)
    }

    /// The server holds the public address, no firewall file of it is given, and the product opens there what it needs.
    pub fn opens_itself(&self) -> bool {
        let opens = self.mode().is_some_and(|m| m.holds_address == Some(HoldsAddress::OpensItself));
        opens && self.deploy.firewall.is_empty()
    }

    /// Which kind of ICE agent the server is; absent where media needs no ICE.
    pub fn ice(&self) -> Option<Ice> {
        let stated = self.deploy.ice.as_ref().map(|i| i.value);
        self.profile.told.ice.filter(|_| self.profile.told.by == ToldBy::Ice).map(|ice| stated.unwrap_or(ice))
    }

    /// Where the server sends media; absent with ICE.
    pub fn answers(&self) -> Option<Answers> {
        let stated = self.deploy.answers.as_ref().map(|a| a.value);
        self.profile.told.answers.filter(|_| self.profile.told.by == ToldBy::Sdp).map(|a| stated.unwrap_or(a))
    }

    /// Does the server count a network as local, and tells callers there its own address? `own`: it is in it itself.
    pub fn is_local(&self, net: &Set, family: Family, own: bool) -> bool {
        let listed = |list: &Vec<At<IpNet>>| {
            let of_family = list.iter().map(|n| n.value).filter(|n| Family::of(n.addr()) == family);
            let all = Set::from_ranges(of_family.map(prefix_range));
            net.is_subset(&all)
        };
        self.profile.told.own_inside && self.deploy.local.as_ref().map_or(own, listed)
    }

    /// Media of its own kind that has no way by TCP, where other media has one.
    pub fn no_tcp_way(&self) -> Option<&Requirement> {
        let media = |r: &&Requirement| r.leg == LegKind::Media && r.to == Party::Server && !r.level.is_optional();
        let all = || self.requirements.iter().filter(media);
        let by_tcp = |r: &Requirement| {
            all().any(|o| o.proto == Proto::Tcp && (o.id == r.id || r.any_of.is_some() && o.any_of == r.any_of))
        };
        all().find(|r| !by_tcp(r)).filter(|_| all().any(|r| r.proto == Proto::Tcp))
    }

    /// Do clients know a STUN server?
    pub fn stun(&self) -> bool {
        self.deploy.stun.as_ref().map_or(self.profile.told.stun, |s| s.value)
    }
}

/// Applies a deployment's choices to the profile that it names.
///
/// # Errors
/// Unknown product, mode, parameter or feature, with the place and what is known.
pub fn instance(deploy: &Deploy) -> Result<Instance, InputError> {
    let system = &deploy.system;
    let Some(profile) = find(&system.value) else {
        let known = PROFILES.iter().map(|(name, _)| *name);
        let error = system.error(format!("no product is called `{}`", system.value));
        return Err(error.help(known_names(&system.value, "products", known)));
    };
    apply(profile, deploy)
}

/// The same with a profile that need not be one of [`PROFILES`].
///
/// # Errors
/// Unknown mode, parameter or feature, with the place and what is known.
pub fn apply(profile: Profile, deploy: &Deploy) -> Result<Instance, InputError> {
    let mode = match &deploy.mode {
        None => profile.mode.first().map(|m| m.name.clone()).unwrap_or_default(),
        Some(mode) => {
            let named = |m: &&Mode| m.name == mode.value || m.also.contains(&mode.value);
            let known = profile.mode.iter().map(|m| &*m.name);
            if let Some(found) = profile.mode.iter().find(named) {
                found.name.clone()
            } else {
                name_in(mode, "mode", &profile.title, "modes", known)?;
                String::new()
            }
        }
    };
    for (name, (span, value)) in &deploy.with {
        let known = profile.parameter.iter().map(|p| &*p.name);
        let name = At { value: name.clone(), span: span.clone() };
        name_in(&name, "parameter", &profile.title, "parameters", known)?;
        // Most ports stand alone; only where the default is a range is a range expected.
        let default = profile.parameter.iter().find(|p| p.name == name.value).map_or("", |p| &p.default);
        if !default.contains('-') && value.value.iter().any(|(lo, hi)| lo != hi) {
            return Err(value
                .error(format!("`{}` is one port, not a range", name.value))
                .help(format!("write a single port; {}'s own is {default}", profile.title)));
        }
    }
    for name in deploy.on.iter().chain(&deploy.off) {
        name_in(name, "feature", &profile.title, "features", profile.feature.iter().map(|f| &*f.name))?;
    }
    let requirements = requirements(&profile, deploy, &mode);
    Ok(Instance { deploy: deploy.clone(), profile, mode, requirements })
}

fn name_in<'a>(
    name: &At<String>,
    what: &str,
    title: &str,
    plural: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), InputError> {
    if known.clone().any(|k| k == name.value) {
        return Ok(());
    }
    let error = name.error(format!("{title} has no {what} `{}`", name.value));
    Err(error.help(known_names(&name.value, plural, known)))
}

fn has(profile: &Profile, deploy: &Deploy, feature: &str) -> bool {
    let named = |list: &[At<String>]| list.iter().any(|f| f.value == feature);
    let default = profile.feature.iter().any(|f| f.name == feature && f.default);
    (default || named(&deploy.on)) && !named(&deploy.off)
}

fn requirements(profile: &Profile, deploy: &Deploy, mode: &str) -> Vec<Requirement> {
    let rows = profile.row.iter().filter(|r| {
        (r.mode.is_empty() || r.mode.iter().any(|m| m == mode)) && r.when.iter().all(|f| has(profile, deploy, f))
    });
    rows.map(|r| {
        let default = || profile.parameter.iter().find(|p| p.name == r.ports).map_or("", |p| &*p.default);
        let ports = match deploy.with.get(&r.ports) {
            Some((_, ports)) => ports.value.clone(),
            None => parse_ports(default()).unwrap_or_default(),
        };
        let parameter = profile.parameter.iter().find(|p| p.name == r.ports);
        Requirement {
            id: r.id.clone(),
            leg: LegKind::of(&r.leg),
            any_of: r.any_of.clone(),
            from: r.from,
            to: r.to,
            proto: r.proto,
            ports,
            level: r.level,
            at: r.at.clone(),
            shared: r.shared,
            when: r.when.clone(),
            parameter: r.ports.clone(),
            example: !deploy.with.contains_key(&r.ports) && parameter.is_some_and(|p| p.example),
            shown: parameter.and_then(|p| p.shown.clone()),
            // A port of the product itself is nobody's to share.
            proxied: r.proxied.filter(|_| r.shared),
            per_participant: r.per_participant,
            who: r.who.clone(),
            label: r.label.clone(),
            note: r.note.clone(),
            purpose: r.purpose.clone(),
            source: r.source.clone(),
        }
    })
    .collect()
}
