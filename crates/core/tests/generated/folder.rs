//! What a folder of the corpus holds: rules, addresses, routes, settings of the kernel, sockets, containers.

use callpath_core::dialect::iproute::{self, Dump, DumpedRoute};
use callpath_core::dialect::kernel;
use callpath_core::dialect::nft::{ast::Ruleset, json, lower, text};
use callpath_core::model::{Interface, Pipeline, SourceId};
use callpath_core::snapshot::Source;
use ipnet::IpNet;
use serde_json::Value;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Names of the folders below the corpus.
pub const FOLDERS: [&str; 6] = ["openwrt", "ufw", "firewalld", "docker", "vyos", "shorewall"];

pub struct Folder {
    pub name: &'static str,
    pub path: PathBuf,
    pub facts: toml::Table,
}

/// A container with its networks: bridge's network, own addresses, gateways.
pub struct Container {
    pub name: String,
    pub addresses: Vec<IpNet>,
    /// The one by which it sends what is for others.
    pub gateways: Vec<IpAddr>,
}

/// A socket of a program that sends on what it takes.
pub struct Relay {
    pub proto: u8,
    pub port: u16,
    pub bind: IpAddr,
}

impl Folder {
    pub fn all() -> Option<Vec<Self>> {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
        let folder = |name: &'static str| {
            let path = corpus.join(name).join("generated");
            let facts = std::fs::read_to_string(path.join("facts.toml")).ok()?.parse().expect("TOML");
            Some(Self { name, path, facts })
        };
        FOLDERS.into_iter().map(folder).collect()
    }

    pub fn fates(&self) -> String {
        std::fs::read_to_string(self.path.join("fates.yaml")).expect("fates")
    }

    /// A file of a configuration, or the one that all have in common.
    pub fn file(&self, configuration: &str, name: &str) -> Option<String> {
        [configuration, "common"].into_iter().find_map(|d| std::fs::read_to_string(self.path.join(d).join(name)).ok())
    }

    /// The rules as text or as JSON; absent when the configuration has no such file.
    pub fn rules(&self, configuration: &str, as_json: bool) -> Option<Ruleset> {
        let own = self.path.join(configuration);
        if as_json {
            let text = std::fs::read_to_string(own.join("ruleset.json")).ok()?;
            return Some(json::parse(SourceId(0), &text).unwrap_or_else(|e| panic!("{configuration}: {e:?}")));
        }
        let flat = self.path.join(format!("{configuration}.nft"));
        let path = if flat.exists() { flat } else { own.join("ruleset.nft") };
        let main = std::fs::read_to_string(path).ok()?;
        let mut sources = vec![Source { name: format!("{configuration}.nft"), text: main }];
        sources.extend(self.included(configuration));
        Some(text::parse(SourceId(0), &sources).unwrap_or_else(|e| panic!("{configuration}: {e:?}")))
    }

    /// Files that rules include, in one text with a line before each.
    fn included(&self, configuration: &str) -> Vec<Source> {
        let text = std::fs::read_to_string(self.path.join(format!("{configuration}.files.txt"))).unwrap_or_default();
        text.split("==== ")
            .filter_map(|part| part.split_once('\n'))
            .map(|(name, body)| Source { name: name.trim().into(), text: body.into() })
            .filter(|s| Path::new(&s.name).extension().is_some_and(|e| e == "nft"))
            .collect()
    }

    pub fn pipeline(&self, configuration: &str, as_json: bool) -> Option<Pipeline> {
        let mut pipeline = Pipeline::default();
        match self.rules(configuration, as_json) {
            Some(rules) => drop(lower::lower(&rules, !as_json, &mut pipeline)),
            None if as_json => return None,
            None => assert!(
                self.path.join(configuration).join("ruleset.json").exists(),
                "{configuration}: neither text nor JSON"
            ),
        }
        Some(pipeline)
    }

    fn json(&self, configuration: &str, name: &str) -> Vec<Value> {
        let text = self.file(configuration, name).unwrap_or_else(|| "[]".into());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{configuration}/{name}: {e}"))
    }

    /// Interfaces as `ip -j addr` dumped them, without loopback and the ports of bridges.
    pub fn interfaces(&self, configuration: &str) -> Vec<Interface> {
        let text = self.file(configuration, "ip-addr.json").expect("addresses");
        let ports: Vec<String> = self
            .json(configuration, "ip-addr.json")
            .iter()
            .filter(|l| l.get("master").is_some())
            .filter_map(|l| l["ifname"].as_str().map(str::to_owned))
            .collect();
        let Ok(Dump::Addresses(mut list)) = iproute::parse(SourceId(0), &text) else {
            panic!("{configuration}: addresses");
        };
        list.retain(|i| &*i.name != "lo" && !ports.iter().any(|p| **p == *i.name));
        list
    }

    pub fn routes(&self, configuration: &str) -> Vec<DumpedRoute> {
        let files = ["ip-route.json", "ip-6-route.json"].map(|f| self.file(configuration, f).unwrap_or("[]".into()));
        let of = |text: &String| match iproute::parse(SourceId(0), text) {
            Ok(Dump::Routes(list)) => list,
            Ok(Dump::Empty) => Vec::new(),
            other => panic!("{configuration}: {other:?}"),
        };
        files.iter().flat_map(of).collect()
    }

    /// Settings of the kernel; none where the folder has no such file.
    pub fn kernel(&self, configuration: &str) -> kernel::Facts {
        let text = self.file(configuration, "sysctl.txt").unwrap_or_default();
        kernel::read(SourceId(0), &text).unwrap_or_else(|e| panic!("{configuration}: {e:?}"))
    }

    /// Ports of bridges send back what came in by them: Docker sets that where no program takes published ports
    /// (`hairpin_mode`, libnetwork/drivers/bridge of moby).
    pub fn hairpin(&self, configuration: &str) -> bool {
        let text = self.file(configuration, "daemon.json").unwrap_or_else(|| "{}".into());
        let daemon: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{configuration}: {e}"));
        daemon["userland-proxy"] == false
    }

    /// Containers that run, with addresses of their own.
    pub fn containers(&self, configuration: &str) -> Vec<Container> {
        let networks = self.json(configuration, "docker-network.json");
        let internal = |name: &str| networks.iter().any(|n| n["Name"] == name && n["Internal"] == true);
        let container = |c: &Value| {
            let mut out = Container {
                name: c["Name"].as_str()?.trim_start_matches('/').into(),
                addresses: vec![],
                gateways: vec![],
            };
            for (network, joined) in c["NetworkSettings"]["Networks"].as_object()? {
                for (address, length, gateway) in [
                    ("IPAddress", "IPPrefixLen", "Gateway"),
                    ("GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPv6Gateway"),
                ] {
                    let Some(own) = joined[address].as_str().and_then(|a| a.parse::<IpAddr>().ok()) else { continue };
                    let length = u8::try_from(joined[length].as_u64()?).ok()?;
                    out.addresses.push(IpNet::new(own, length).ok()?);
                    let gateway = joined[gateway].as_str().and_then(|g| g.parse::<IpAddr>().ok());
                    out.gateways.extend(gateway.filter(|_| !internal(network)));
                }
            }
            (!out.addresses.is_empty()).then_some(out)
        };
        self.json(configuration, "docker-inspect.json").iter().filter_map(container).collect()
    }

    /// Sockets of the program that carries published ports.
    pub fn relays(&self, configuration: &str) -> Vec<Relay> {
        let text = self.file(configuration, "ss.txt").unwrap_or_default();
        let relay = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let proto = match *words.first()? {
                "tcp" => 6,
                "udp" => 17,
                _ => return None,
            };
            let (bind, port) = words.get(4)?.rsplit_once(':')?;
            let bind = bind.trim_matches(['[', ']']).parse().ok()?;
            Some(Relay { proto, port: port.parse().ok()?, bind })
        };
        text.lines().filter(|l| l.contains("\"docker-proxy\"")).filter_map(relay).collect()
    }
}
