//! Rules that can only be understood once all addresses are known.

use super::{Counts, DIALECTS};
use crate::dialect::pf;
use crate::dialect::pf::ast::{Entry, Ruleset};
use crate::dialect::pfsense::config::Config;
use crate::dialect::pfsense::generate::{self, Known, LeftOut};
use crate::model::{Device, SourceId};
use std::sync::Arc;

/// A gateway's rules that wait for addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    /// Rules as the firewall holds them.
    pub effective: Option<(SourceId, Arc<Ruleset>)>,
    /// The configuration that they are made from.
    pub config: Option<(SourceId, Arc<Config>)>,
}

/// What came of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lowered {
    /// How much was understood.
    pub counts: Vec<(SourceId, Counts)>,
    /// Rules that are on but are not loaded.
    pub left_out: Vec<LeftOut>,
}

impl Pending {
    /// The device that the configuration describes, as far as it holds addresses and routes.
    pub fn device(&self, name: &str) -> Option<Device> {
        self.config.as_ref().map(|(_, config)| generate::device(config, name))
    }

    /// Where the user of such a firewall sees the address of its outer interface.
    pub fn outer_address_shown(&self) -> &'static str {
        let name = match (&self.config, &self.effective) {
            (Some(_), _) => "pfsense",
            (None, Some(_)) => "pf",
            (None, None) => "nftables",
        };
        DIALECTS.iter().find(|d| d.name == name).map_or("", |d| d.outer_address)
    }

    /// There is something to wait for.
    pub fn is_some(&self) -> bool {
        self.effective.is_some() || self.config.is_some()
    }

    /// Both the configuration and the rules in force are there.
    pub fn has_both(&self) -> bool {
        self.effective.is_some() && self.config.is_some()
    }

    /// What is taken as given about rules that come and go while the firewall runs.
    pub fn taken_as_given(&self, name: &str) -> Vec<String> {
        let upnp = self.config.as_ref().is_some_and(|(_, c)| c.upnp);
        let mut out = Vec::new();
        if self.effective.is_some() {
            out.push(format!(
                "packages and services of {name} add no rules while it runs (UPnP, captive portal, block lists)"
            ));
        } else if upnp {
            out.push(format!("no host has asked {name} for a forward of its own (UPnP & NAT-PMP is on)"));
        }
        out
    }

    /// Fills the device's pipeline. The rules in force decide; `intended` asks for what the configuration would make.
    pub fn lower(&self, device: &mut Device, known: &Known, intended: bool) -> Lowered {
        let mut out = Lowered::default();
        let effective = self.effective.as_ref().filter(|_| !(intended && self.config.is_some()));
        if let Some((id, rules)) = effective {
            let mut rules = Ruleset::clone(rules);
            for (name, entries) in &known.tables {
                if let Some(table) = rules.tables.get_mut(name.as_str()) {
                    (table.entries, table.unknown) = (entries.clone().into(), None);
                }
            }
            if let Some((_, config)) = &self.config {
                let generated = generate::generate(config, &device.interfaces, known).rules;
                (rules.groups, rules.bridges) = (generated.groups, generated.bridges);
                rules.all_named = true;
                Self::fill_names(&mut rules, config, known);
            }
            out.counts.push((*id, pf::lower::lower(&rules, device)));
        } else if let Some((id, config)) = &self.config {
            let generated = generate::generate(config, &device.interfaces, known);
            out.left_out = generated.left_out;
            out.counts.push((*id, pf::lower::lower(&generated.rules, device)));
        }
        out
    }

    /// Tables of names are empty in the rules: the configuration says which names, and what these are is known.
    fn fill_names(rules: &mut Ruleset, config: &Config, known: &Known) {
        for alias in &config.aliases {
            let Some(table) = rules.tables.get_mut(alias.name.as_str()).filter(|t| t.unknown.is_some()) else {
                continue;
            };
            let mut entries: Vec<Entry> = Vec::new();
            let all = alias.members.iter().all(|m| {
                let addresses = known.names.get(m).cloned().or_else(|| m.parse().ok().map(|a| vec![a]));
                entries.extend(addresses.iter().flatten().map(|a| Entry::Net((*a).into())));
                addresses.is_some()
            });
            if all && !alias.members.is_empty() {
                (table.entries, table.unknown) = (entries.into(), None);
            }
        }
    }
}
