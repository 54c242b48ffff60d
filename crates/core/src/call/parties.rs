//! Those who are no callers: the administrator, and the machines that a server talks with.

use super::Judge;
use super::ask::{Asked, Caller};
use super::paths::legs_of;
use super::proxy::by_proxy;
use super::told::Telling;
use crate::cube::Set;
use crate::manifest::{Admin, Peer, Place};
use crate::model::{Family, address_value};
use crate::profile::Instance;
use crate::requirement::{Level, Party, Requirement};
use crate::site::Vantage;
use crate::site::address::prefix_set;
use crate::verdict::{Alternative, Judgement, Leg, Path, algebra};
use crate::vocabulary::{LegKind, Opener, Where};
use ipnet::IpNet;

impl Judge<'_> {
    /// What the administrator reaches, from each address that is given.
    pub(super) fn admin_paths(&self, n: usize, instance: &Instance, out: &mut Judgement) {
        let wanted = |r: &&Requirement| r.from == Party::Admin && r.to == Party::Server;
        let rows: Vec<&Requirement> = instance.requirements.iter().filter(wanted).collect();
        if rows.is_empty() {
            return;
        }
        let anywhere = anywhere(instance);
        if instance.deploy.admin.is_empty() && !anywhere {
            for r in rows {
                out.not_judged.insert(format!(
                    "{} ({}) for the administrator: no `admin` address is given",
                    r.purpose,
                    r.what()
                ));
            }
            return;
        }
        for family in [Family::V4, Family::V6] {
            if anywhere {
                let vantage = self.site.vantages[0].clone();
                let from = vantage.sources(family).clone();
                let (who, address) = ("the administrator, from anywhere".to_owned(), None);
                let (place, opener) = (Place::Admin, Opener::Admin);
                let asker = Asker { place, vantage, from, opener, who, address, which: None };
                self.asked_by(n, instance, asker, &rows, family, out);
                continue;
            }
            let admins = instance.deploy.admin.iter().map(|a| a.value).filter(|a| Family::of(a.addr()) == family);
            let many = admins.clone().count() > 1;
            for admin in admins {
                let Some(vantage) = self.vantage_of(n, admin) else {
                    out.not_judged.insert(format!(
                        "the administrator at {admin}: not an address of the internet or of a known network"
                    ));
                    continue;
                };
                let who = shown(admin);
                let asker = Asker {
                    place: Place::Admin,
                    vantage,
                    from: prefix_set(admin),
                    opener: Opener::Admin,
                    who: format!("the administrator, {who}"),
                    // Each address has a path of its own, and each path an id.
                    which: many.then(|| who.clone()),
                    address: Some(who),
                };
                self.asked_by(n, instance, asker, &rows, family, out);
            }
        }
    }

    /// What machines reach that use rows of the product and are no callers.
    pub(super) fn peer_paths(&self, n: usize, instance: &Instance, out: &mut Judgement) {
        let label = instance.label();
        let uses = |peer: &Peer, r: &Requirement| {
            r.to == Party::Server && r.level != Level::Forbidden && peer.uses.iter().any(|u| u.value == r.id)
        };
        for r in instance.requirements.iter().filter(|r| r.to == Party::Server) {
            let by_peer = self.manifest.peers.iter().any(|p| uses(p, r));
            let phones = || {
                let inner = |v: &Vantage| matches!(v.place, Place::Lan | Place::Net(_));
                self.vantages(n, instance).iter().any(inner)
            };
            let line = match r.from {
                Party::Peers if !by_peer => "no [[peer]] that uses it is given",
                Party::Phones if !by_peer && !phones() => "no network of phones is given, and no [[peer]] that uses it",
                _ => continue,
            };
            out.not_judged.insert(format!("{} ({}) of {label}, for {}: {line}", r.purpose, r.what(), r.sender()));
        }
        for peer in &self.manifest.peers {
            // Who is said to use it needs it, whatever it is to others.
            let needed = |r: &Requirement| Requirement { level: Level::Required, at: Vec::new(), ..r.clone() };
            let rows: Vec<Requirement> = instance.requirements.iter().filter(|r| uses(peer, r)).map(needed).collect();
            let rows: Vec<&Requirement> = rows.iter().collect();
            if rows.is_empty() {
                continue;
            }
            let name = &peer.name.value;
            for family in [Family::V4, Family::V6] {
                let all = peer.address.iter().map(|a| a.value).filter(|a| Family::of(a.addr()) == family);
                let many = all.clone().count() > 1;
                for address in all {
                    let Some(vantage) = self.vantage_of(n, address) else {
                        out.not_judged.insert(format!(
                            "{name} at {address}: not an address of the internet or of a known network"
                        ));
                        continue;
                    };
                    let asker = Asker {
                        place: Place::Peer(name.clone()),
                        vantage,
                        from: prefix_set(address),
                        opener: Opener::Peer,
                        who: format!("{name}, {}", shown(address)),
                        which: many.then(|| shown(address)),
                        address: Some(shown(address)),
                    };
                    self.asked_by(n, instance, asker, &rows, family, out);
                }
            }
        }
    }

    /// What one of them reaches.
    fn asked_by(
        &self,
        n: usize,
        instance: &Instance,
        asker: Asker,
        rows: &[&Requirement],
        family: Family,
        out: &mut Judgement,
    ) {
        let Some(told) = self.told(instance, family).filter(|_| !asker.from.is_empty()) else { return };
        let telling = self.tells(n, &asker.place, family, false);
        if telling == Telling::Nothing {
            return;
        }
        let rows = by_proxy(instance, rows, family);
        let rows: Vec<&Requirement> = rows.iter().collect();
        let caller = Caller {
            n,
            vantage: &asker.vantage,
            kind: None,
            network: &self.site.network,
            from: &asker.from,
            to: Set::one(address_value(told)),
            family,
            opener: asker.opener,
            at: Where::At(asker.place),
            which: asker.which,
        };
        let mut legs = Vec::new();
        for (kind, rows) in legs_of(&rows) {
            let ask = |r: &&Requirement| match kind {
                LegKind::Media => self.by_telling(&caller, r, &telling),
                _ => self.alternative(&caller, r, self.goal(n, r)),
            };
            let Asked { ways: asked, failures } = rows.iter().map(ask).collect();
            out.failures.extend(failures);
            let levels: Vec<(Level, &Alternative)> = rows.iter().map(|r| r.level).zip(&asked).collect();
            let (verdict, note) = algebra::leg(&levels);
            let how = if kind == LegKind::Media { algebra::how(&asked, &caller.at) } else { None };
            let to = self.leg_to(&rows[0].leg, told);
            legs.push(Leg { kind, to, verdict, note, how, any_of: asked, not_for_them: Vec::new() });
        }
        let found = caller.path(instance, asker.who, legs);
        out.paths.push(Path { address: asker.address, ..found });
    }

    /// Whose device sends for an address: that of a known network, or the internet.
    pub(crate) fn vantage_of(&self, n: usize, address: IpNet) -> Option<Vantage> {
        let family = Family::of(address.addr());
        let inside = self.site.vantages_of(self.site.server_of[n]).into_iter().skip(1);
        let held = |v: &Vantage| prefix_set(address).is_subset(v.sources(family));
        inside.into_iter().find(held).or_else(|| {
            let owned = self.site.network.devices[self.site.internet].own_addresses(family);
            prefix_set(address).is_subset(&owned).then(|| self.site.vantages[0].clone())
        })
    }
}

/// One of them.
struct Asker {
    /// As an audience of what the server tells.
    place: Place,
    vantage: Vantage,
    from: Set,
    opener: Opener,
    who: String,
    /// Their address, where one is given.
    address: Option<String>,
    /// The same, where the path of each of several has its own.
    which: Option<String>,
}

/// It is administered from everywhere.
pub(super) fn anywhere(instance: &Instance) -> bool {
    instance.deploy.admin_from.as_ref().is_some_and(|a| a.value == Admin::Anywhere)
}

fn shown(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}
