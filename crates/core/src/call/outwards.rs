//! The server's own way out.

use super::Judge;
use super::ask::{Asked, Caller};
use super::paths::grouped;
use crate::cube::Set;
use crate::manifest::Place;
use crate::model::{Family, address_value};
use crate::profile::Instance;
use crate::requirement::{Level, Party, Requirement};
use crate::site::Host;
use crate::site::Vantage;
use crate::verdict::reach::Goal;
use crate::verdict::{Alternative, Judgement, Leg, algebra};
use crate::vocabulary::{Opener, Where};

impl Judge<'_> {
    /// What the server opens outwards.
    pub(super) fn outbound_path(&self, n: usize, instance: &Instance, out: &mut Judgement) {
        let wanted = |r: &&Requirement| r.from == Party::Server && r.to == Party::Internet;
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(wanted).collect();
        if rows.is_empty() {
            return;
        }
        let label = instance.label();
        let host = instance.deploy.own(Family::V4);
        let (Some(host), Some(_)) = (host, self.site.public) else {
            let why = if host.is_none() { "its host has no IPv4 address" } else { "no public IPv4 address is given" };
            for r in rows {
                out.not_judged.insert(format!(
                    "{} ({}) of {label}, outwards: judged by IPv4 only, and {why}",
                    r.purpose,
                    r.what()
                ));
            }
            return;
        };
        if instance.deploy.host.iter().any(|h| h.value.is_ipv6()) {
            out.not_judged.insert(format!("{label}'s own way out by IPv6: outwards only IPv4 is judged"));
        }
        let vantages = self.site.vantages_of(self.site.server_of[n]);
        let everybody = vantages[0].v4.clone();
        let own = Set::one(address_value(self.site.source_of(self.site.server_of[n], host)));
        let vantage = Vantage {
            place: Place::Own,
            name: "the server, outwards".into(),
            device: self.site.server_of[n],
            ..vantages[0].clone()
        };
        let caller = Caller {
            n,
            vantage: &vantage,
            kind: None,
            network: &self.site.network,
            from: &own,
            to: everybody,
            family: Family::V4,
            opener: Opener::Server,
            at: Where::Outwards,
            which: None,
        };
        let mut legs = Vec::new();
        for (kind, rows) in grouped(&rows, &Where::Outwards) {
            let host = Host::alone(self.site.internet);
            let goal =
                Goal { host, listening: false, same_port: true, relay: self.relay(), no_helper: false, internet: None };
            let Asked { ways: asked, failures } = rows.iter().map(|r| self.alternative(&caller, r, goal)).collect();
            out.failures.extend(failures);
            let levels: Vec<(Level, &Alternative)> = rows.iter().map(|r| r.level).zip(&asked).collect();
            let (verdict, note) = algebra::leg(&levels);
            let to = "the internet".into();
            legs.push(Leg { kind, to, verdict, note, how: None, any_of: asked, not_for_them: Vec::new() });
        }
        if !legs.is_empty() {
            out.paths.push(caller.path(instance, vantage.name.clone(), legs));
        }
    }
}
