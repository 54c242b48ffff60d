//! What stood in for the machine when the rules were generated (`facts.toml`).

use callpath_core::dialect::pf::ast::Entry;
use callpath_core::dialect::pfsense::generate::Known;
use callpath_core::model::Family;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;

pub struct Facts(toml::Table);

impl Facts {
    pub fn read(path: &Path) -> Self {
        Self(std::fs::read_to_string(path).expect("facts").parse().expect("TOML"))
    }

    fn section(&self, of: &str, name: &str) -> Option<&toml::Table> {
        self.0.get(of)?.get(name)?.as_table()
    }

    /// Addresses of the devices of a configuration.
    pub fn addresses(&self, name: &str, hand_written: bool) -> Vec<(String, Vec<IpNet>)> {
        let mut out: Vec<(String, Vec<IpNet>)> = Vec::new();
        if !hand_written {
            // Files of other people: what was supplied stands in a sentence.
            let supplied = self.section("corpus", name).and_then(|s| s.get("supplied")).and_then(|s| s.as_array());
            for line in supplied.into_iter().flatten().filter_map(|l| l.as_str()) {
                let device = line.split('(').nth(1).and_then(|r| r.split(',').next()).unwrap_or_default();
                let net = line.split(": ").nth(1).and_then(|r| r.split(',').next()).and_then(|n| n.parse().ok());
                out.push((device.to_owned(), net.into_iter().collect()));
            }
            return out;
        }
        let own = self.section("file", name);
        let absent = own.and_then(|s| s.get("absent")).and_then(|a| a.get("interfaces")).and_then(|a| a.as_array());
        let absent: Vec<&str> = absent.into_iter().flatten().filter_map(|a| a.as_str()).collect();
        for table in [self.0.get("base").and_then(|b| b.as_table()), own].into_iter().flatten() {
            for (device, entry) in table.get("interfaces").and_then(|i| i.as_table()).into_iter().flatten() {
                if absent.contains(&device.as_str()) {
                    continue;
                }
                let list = |key: &str| entry.get(key).and_then(|v| v.as_array()).into_iter().flatten();
                let nets = list("v4").chain(list("v6")).filter_map(|n| n.as_str()?.parse().ok()).collect();
                out.retain(|(d, _)| d != device);
                out.push((device.clone(), nets));
            }
        }
        out
    }

    /// Gateway that a line told.
    pub fn lease(&self, name: &str, device: &str, family: Family) -> Option<IpAddr> {
        let key = if family == Family::V4 { "gateway_by_lease_v4" } else { "gateway_by_lease_v6" };
        let own = self.section("file", name).and_then(|s| s.get(key));
        let table = own.or_else(|| self.0.get("base")?.get(key))?;
        table.get(device)?.as_str()?.split('%').next()?.parse().ok()
    }

    /// A gateway that answers no more.
    pub fn down(&self, name: &str, gateway: &str) -> bool {
        let monitor = self.section("file", name).and_then(|s| s.get("gateway_monitor")?.get(gateway));
        monitor.and_then(|m| m.get("loss_percent")?.as_integer()) == Some(100)
    }

    /// Contents of aliases.
    pub fn known(&self, name: &str) -> Known {
        let mut known = Known::default();
        let tables = |of: &str| self.section("tables", of);
        for table in [tables("default"), tables(name)].into_iter().flatten() {
            for (alias, list) in table {
                let entries = list.as_array().into_iter().flatten().filter_map(|a| a.as_str()?.parse::<IpAddr>().ok());
                known.tables.insert(alias.clone(), entries.map(|a| Entry::Net(a.into())).collect());
            }
        }
        if let Some(files) =
            self.section("file", name).and_then(|f| f.get("url_table_files")).and_then(|f| f.as_table())
        {
            for (alias, list) in files {
                let nets = list.as_array().into_iter().flatten().filter_map(|a| a.as_str()?.parse::<IpNet>().ok());
                known.tables.insert(alias.clone(), nets.map(Entry::Net).collect());
            }
        }
        known
    }
}
