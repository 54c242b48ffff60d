//! Judges a site: asks for every path of every instance, and for every port that must stay closed.

use super::later;
use crate::manifest::Manifest;
use crate::model::Family;
use crate::profile::Instance;
use crate::requirement::Level;
use crate::site::Site;
use crate::site::address::is_public;
use crate::snapshot::Snapshot;
use crate::verdict::{Closed, Judged, Judgement, Reach, Seen};
use crate::vocabulary::{PortSet, port_set};
use std::cell::RefCell;
use std::net::IpAddr;

/// Who asks a site, with what is known of it.
pub(crate) struct Judge<'a> {
    pub snapshot: &'a Snapshot,
    pub manifest: &'a Manifest,
    pub instances: &'a [Instance],
    pub site: &'a Site,
    /// What a STUN server sees of the servers, by instance and family: each is asked once. Nothing else is remembered.
    pub(super) seen: RefCell<Vec<(usize, Family, Seen)>>,
}

impl<'a> Judge<'a> {
    /// Nothing is asked yet.
    pub fn new(snapshot: &'a Snapshot, manifest: &'a Manifest, instances: &'a [Instance], site: &'a Site) -> Self {
        Self { snapshot, manifest, instances, site, seen: RefCell::default() }
    }

    /// What was asked before is known.
    pub fn of(snapshot: &'a Snapshot, judged: &'a Judged) -> Self {
        let Judged { manifest, instances, site, judgement, .. } = judged;
        Self { snapshot, manifest, instances, site, seen: RefCell::new(judgement.seen.clone()) }
    }
}

impl Judge<'_> {
    /// Everything about the site.
    pub fn judgement(&self) -> Judgement {
        let mut out = Judgement::default();
        for (n, instance) in self.instances.iter().enumerate() {
            self.caller_paths(n, instance, &mut out);
            self.outbound_path(n, instance, &mut out);
            self.admin_paths(n, instance, &mut out);
            self.peer_paths(n, instance, &mut out);
            self.exposures(n, instance, &mut out);
            self.searched(instance, &mut out.searched);
        }
        out.closed = self.closed(&out);
        later::apply(self.snapshot, self.manifest, &mut out);
        other_ways(&mut out);
        out.seen.clone_from(&self.seen.borrow());
        out
    }

    /// What must stay closed and cannot be reached from the internet, whatever is not known, by any address that is.
    fn closed(&self, judgement: &Judgement) -> Vec<Closed> {
        let mut out = Vec::new();
        for (n, instance) in self.instances.iter().enumerate() {
            let searched = |ip: IpAddr| judgement.searched.iter().any(|s| s.host == ip.to_string());
            if !instance.deploy.host.iter().any(|h| searched(h.value)) {
                continue;
            }
            for r in instance.requirements.iter().filter(|r| r.level == Level::Forbidden) {
                let ports = port_set(&r.ports);
                let open = judgement.reached.iter().any(|e| {
                    e.instance == n
                        && e.proto == r.proto
                        && (e.inside.intersects(&ports) || e.at.is_some() && e.outside.intersects(&ports))
                });
                // Whether it is this service that another host serves, no input tells.
                let led = judgement.led.iter().any(|(proto, led)| *proto == r.proto && led.intersects(&ports));
                let ports = PortSet { proto: r.proto, ports: r.ports.clone() };
                let line = Closed { ports, purpose: r.purpose.clone() };
                if !open && !led && !out.contains(&line) {
                    out.push(line);
                }
            }
        }
        out
    }

    /// The address that callers of a family use: the public one, or the server's own public IPv6 address.
    pub fn told(&self, instance: &Instance, family: Family) -> Option<IpAddr> {
        let own = instance.deploy.address.iter().map(|a| a.value).find(|a| Family::of(*a) == family);
        if own.is_some() && instance.deploy.host.iter().any(|h| Family::of(h.value) == family) {
            return own;
        }
        match family {
            Family::V4 => self.site.public.filter(|_| instance.deploy.host.iter().any(|h| h.value.is_ipv4())),
            Family::V6 => {
                let stated = self.manifest.address.iter().map(|a| a.value).find(IpAddr::is_ipv6);
                let own = instance.deploy.host.iter().map(|h| h.value).find(|a| a.is_ipv6() && is_public(*a));
                stated.filter(|_| instance.deploy.host.iter().any(|h| h.value.is_ipv6())).or(own)
            }
        }
    }

    /// The public addresses that an instance's callers use.
    pub fn told_by_all(&self, instance: &Instance) -> Vec<String> {
        let told = [Family::V4, Family::V6].into_iter().filter_map(|f| self.told(instance, f));
        told.map(|a| a.to_string()).collect()
    }
}

/// Notes for each failure whether the same part of the call gets through in another way.
fn other_ways(judgement: &mut Judgement) {
    for failure in &mut judgement.failures {
        let path = judgement.paths.iter().find(|p| p.id == failure.path);
        let asked = &failure.requirement.id;
        let leg = path.and_then(|p| p.legs.iter().find(|l| l.any_of.iter().any(|a| a.requirement.id == *asked)));
        failure.other_way = leg.is_some_and(|l| l.any_of.iter().any(|a| a.reach == Reach::Open));
    }
}
