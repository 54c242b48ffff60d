//! Rules of services: captive portals, intrusion detection, packages that write rules of their own.

use super::Generator;
use crate::dialect::pf::ast::{Action, Direction, Host, Hosts, On, Rule, Unknown};
use crate::dialect::pfsense::config::{Package, Portal, Relay};
use crate::model::{Family, Origin};

/// Packages that put what they block into `<snort2c>`.
const DETECTION: &[&str] = &["snort", "suricata"];

/// Programs that read what is said in SIP and rewrite it, as a helper of connection tracking does.
const HELPERS: &[&str] = &["siproxd"];

/// What a package's own rules are about, where it is known.
struct Concern {
    package: &'static str,
    protocols: &'static [u8],
    ports: &'static [(u16, u16)],
    /// Only of what comes in.
    inwards: bool,
}

/// Packages with known rules; those of any other may be about everything.
const CONCERNS: &[Concern] = &[
    // Pages that browsers ask for go to the proxy.
    Concern { package: "squid", protocols: &[6], ports: &[(80, 80), (443, 443)], inwards: true },
    // Phones' signalling goes to the proxy.
    Concern { package: "siproxd", protocols: &[17], ports: &[(5060, 5060)], inwards: true },
    // Answers of the servers behind it go to the proxy, whatever their port.
    Concern { package: "haproxy", protocols: &[6], ports: &[(1, 65535)], inwards: false },
    Concern { package: "haproxy-devel", protocols: &[6], ports: &[(1, 65535)], inwards: false },
];

impl Generator<'_> {
    /// What packages put before all other rules.
    pub(super) fn package_rules(&mut self) {
        let config = self.config;
        for package in config.packages.iter().filter(|p| p.writes_rules && p.switched_on != Some(false)) {
            let concern = CONCERNS.iter().find(|c| c.package.eq_ignore_ascii_case(&package.name));
            let mut rule = Rule::new(Action::Pass, package_origin(package));
            rule.quick = true;
            rule.any_flags = true;
            if let Some(concern) = concern {
                rule.protocols = concern.protocols.to_vec();
                rule.ports = Some(concern.ports.to_vec());
                rule.direction = concern.inwards.then_some(Direction::In);
            }
            rule.on = self.inbound(package);
            rule.helper = HELPERS.iter().any(|h| h.eq_ignore_ascii_case(&package.name));
            rule.open = Some(Unknown {
                what: format!("what the package {} does: it writes rules that are not in the backup", package.name)
                    .into(),
                supply: "the rules in force: add /tmp/rules.debug to `config`".into(),
                ..Unknown::default()
            });
            self.out.rules.first.push(rule);
        }
    }

    /// The interfaces of which a package takes packets.
    fn inbound(&self, package: &Package) -> Option<On> {
        let devices = package.inbound.iter().filter_map(|name| self.interface(name));
        let names: Vec<Box<str>> = devices.map(|i| i.device.as_str().into()).collect();
        (names.len() == package.inbound.len() && !names.is_empty()).then_some(On { negate: false, names })
    }

    /// What programs of the firewall itself take and pass on: to whom is not followed.
    pub(super) fn relays(&mut self) {
        let config = self.config;
        for relay in &config.relays {
            let ports = if relay.pages { self.not_pages(relay.ports.as_deref()) } else { relay.ports.clone() };
            if ports.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            let mut rule = Rule::new(Action::Pass, relay_origin(relay));
            (rule.quick, rule.any_flags, rule.direction) = (true, true, Some(Direction::In));
            (rule.protocols, rule.ports) = (relay.protocols.clone(), ports);
            rule.to = Hosts::one(Host::Own);
            rule.helper = HELPERS.contains(&&*relay.name);
            let supply = if relay.pages {
                "`proxy = \"gateway\"` in [[deploy]], where it passes on the site's pages"
            } else {
                ""
            };
            rule.open = Some(Unknown {
                what: format!("where {} passes on what it takes on the firewall itself", relay.name).into(),
                supply: supply.into(),
                ..Unknown::default()
            });
            self.out.rules.first.push(rule);
        }
    }

    /// Ports without those of pages that are known to be answered here; absent: any.
    fn not_pages(&self, ports: Option<&[(u16, u16)]>) -> Option<Vec<(u16, u16)>> {
        if self.known.pages.is_empty() {
            return ports.map(<[_]>::to_vec);
        }
        let mut left = ports.map_or_else(|| vec![(0, u16::MAX)], <[_]>::to_vec);
        for (first, last) in &self.known.pages {
            let below = |(lo, hi): &(u16, u16)| Some((*lo, (*hi).min(first.checked_sub(1)?)));
            let above = |(lo, hi): &(u16, u16)| Some(((*lo).max(last.checked_add(1)?), *hi));
            left = left.iter().flat_map(|r| [below(r), above(r)]).flatten().filter(|(lo, hi)| lo <= hi).collect();
        }
        Some(left)
    }

    /// Senders that intrusion detection blocks.
    pub(super) fn detection(&mut self) {
        let config = self.config;
        let detects = |p: &&Package| DETECTION.iter().any(|d| d.eq_ignore_ascii_case(&p.name));
        let Some(package) = config.packages.iter().find(detects) else { return };
        if !self.out.rules.tables.contains_key("snort2c") {
            self.blocked_table("snort2c");
        }
        for inwards in [true, false] {
            let mut rule = Rule::new(Action::Block { answer: false }, package_origin(package));
            rule.quick = true;
            let blocked = Hosts::one(Host::Table("snort2c".into()));
            *(if inwards { &mut rule.from } else { &mut rule.to }) = blocked;
            self.out.rules.filter.push(rule);
        }
    }

    /// Who has not signed in at a captive portal gets no further than to it (`filter_captiveportal_pass`).
    pub(super) fn portals(&mut self) {
        let config = self.config;
        for portal in &config.portals {
            let of_zone: Vec<_> = portal.interfaces.iter().filter_map(|i| self.interface(i)).collect();
            let own = of_zone.iter().flat_map(|i| self.addresses(i, Family::V4));
            let own: Vec<Host> = own.map(|n| Host::Net(n.addr().into())).collect();
            for iface in of_zone {
                if self.address(iface, Family::V4).is_none() && !self.address_untold(iface, Family::V4) {
                    continue;
                }
                let mut rule = Rule::new(Action::Block { answer: false }, portal_origin(portal));
                (rule.quick, rule.direction) = (true, Some(Direction::In));
                rule.on = Some(On { negate: false, names: vec![iface.device.as_str().into()] });
                rule.to = Hosts { negate: !own.is_empty(), list: own.clone() };
                let what = format!("whether hosts on {} have signed in at the captive portal", iface.descr);
                rule.when = Some(Unknown { what: what.into(), ..Unknown::default() });
                self.out.rules.filter.push(rule);
            }
        }
    }
}

fn package_origin(package: &Package) -> Origin {
    Origin {
        at: package.at,
        has_lines: true,
        object: format!("package {}", package.name).into(),
        text: format!("rules of the package {}", package.name).into(),
        ..Origin::default()
    }
}

fn relay_origin(relay: &Relay) -> Origin {
    Origin {
        at: relay.at,
        has_lines: true,
        object: relay.name.as_str().into(),
        text: format!("{} takes connections on the firewall", relay.name).into(),
        ..Origin::default()
    }
}

fn portal_origin(portal: &Portal) -> Origin {
    Origin {
        at: portal.at,
        has_lines: true,
        object: format!("captive portal {}", portal.zone).into(),
        text: "who has not signed in is blocked".into(),
        ..Origin::default()
    }
}
