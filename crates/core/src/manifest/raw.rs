//! The manifest as it is written: every key, with its place in the text.
//!
//! Doc comments here are what editors show: they end up in the JSON schema.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;

/// What stands between the internet and your servers.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "callpath.toml")]
pub struct Manifest {
    /// The name that people type to reach the server, at home too: `voice.example.org`.
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// The public addresses by which the internet sees the server: one, or a list. The first of each family is the one
    /// of servers that name no `address` of their own.
    #[schemars(with = "Option<OneOrMany>")]
    pub address: Option<Spanned<OneOrMany>>,
    /// Places where the name leads elsewhere than to `address`: `{ lan = "192.168.1.50" }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, OneOrMany>")]
    pub dns: BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
    /// From where the site is administered: addresses, networks, places such as `net:office`, or `"anywhere"`. Without
    /// it nothing is judged for administrators.
    #[schemars(with = "Option<OneOrMany>")]
    pub admin: Option<Spanned<OneOrMany>>,
    /// Routers and firewalls, from the internet inwards. None: the server has the public address itself, or
    /// nobody knows what stands before it.
    #[serde(default)]
    #[schemars(with = "Vec<Gateway>")]
    pub gateway: Vec<Spanned<Gateway>>,
    /// Further networks behind a gateway from which people call.
    #[serde(default)]
    #[schemars(with = "Vec<Net>")]
    pub net: Vec<Spanned<Net>>,
    /// Machines on the internet or inside that talk with a server and are no callers: a trunk, another node, a backup
    /// target.
    #[serde(default)]
    #[schemars(with = "Vec<Peer>")]
    pub peer: Vec<Spanned<Peer>>,
    /// Callers whose own router is known: "it works for me, but not for her".
    #[serde(default)]
    #[schemars(with = "Vec<Caller>")]
    pub caller: Vec<Spanned<Caller>>,
    /// What is installed, and where.
    #[serde(default)]
    #[schemars(with = "Vec<Deploy>")]
    pub deploy: Vec<Spanned<Deploy>>,
}

/// A router or firewall: read from its configuration, or stated.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// What reports call it.
    #[schemars(with = "Option<String>")]
    pub label: Option<Spanned<String>>,
    /// The name of a further line to the internet, such as `home`: a box that is not on the way in of `address`.
    #[schemars(with = "Option<String>")]
    pub line: Option<Spanned<String>>,
    /// Its configuration files, or a folder of them, recognised by content: a pfSense backup (`config.xml`), the rules that pf holds
    /// (`/tmp/rules.debug`), nftables rules as text or as `nft -j list ruleset` prints them, and what `ip -j addr`,
    /// `ip -j route`, `ip -j -6 route` and `ip -j rule` print. Several nftables files are several tables of one kernel.
    #[schemars(with = "Option<OneOrMany>")]
    pub config: Option<Spanned<OneOrMany>>,
    /// Files with the rules that are loaded when it starts, where `config` holds those that are in force now
    /// (`nft list ruleset`): both are compared, and changes go into these.
    #[schemars(with = "Option<OneOrMany>")]
    pub boot: Option<Spanned<OneOrMany>>,
    /// The address of its outer interface, when the files do not hold it.
    #[schemars(with = "Option<String>")]
    pub wan: Option<Spanned<String>>,
    /// Interfaces with their addresses, when no `ip -j addr` dump is given: `{ lan0 = "192.168.1.1/24", wan0 = [] }`;
    /// an empty list is an interface whose address is not known.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, OneOrMany>")]
    pub interfaces: BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
    /// Routes, when no `ip -j route` dump is given and the default route does not say enough:
    /// `"10.0.0.0/8 via 192.168.1.2"`, `"default dev wan0"`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub routes: Vec<Spanned<String>>,
    /// What its aliases hold, where the configuration only names them (Diagnostics > Tables on pfSense):
    /// `{ public_ip = "203.0.113.5" }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, OneOrMany>")]
    pub aliases: BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
    /// Settings of a Linux router that no file holds, by their `sysctl` names, long or short:
    /// `{ bridge-nf-call-iptables = 0, ip_forward = 1 }`. What `sysctl -a` prints may stand in `config` instead.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Setting>")]
    pub kernel: BTreeMap<Spanned<String>, Spanned<Setting>>,
    /// For a box that cannot be exported: its inner address with the prefix length, or a list with one for each of its
    /// networks.
    #[schemars(with = "Option<OneOrMany>")]
    pub inside: Option<Spanned<OneOrMany>>,
    /// For a box that cannot be exported: `"all"`, `"all to 192.168.0.2"`, a list such as `["udp/50000-50499", "tcp/7881"]`
    /// or, with several servers, `["udp/50000-50499 to 192.168.1.50"]`, with another port inside
    /// `["udp/24680 to 192.168.1.50:7882"]`, for some callers `["tcp/443 from 198.51.100.0/24"]`, `"none"` or `"unknown"`.
    #[schemars(with = "Option<OneOrMany>")]
    pub forwards: Option<Spanned<OneOrMany>>,
    /// For a box that cannot be exported: its model, so that steps name its own pages: `fritzbox`, `tp-link`, `asus`,
    /// `mikrotik` or `unifi`. With another name they have words that fit most boxes.
    #[schemars(with = "Option<String>")]
    pub model: Option<Spanned<String>>,
    /// For a box that cannot be exported: does it turn calls from inside to its public address back in?
    #[schemars(with = "Option<bool>")]
    pub hairpin: Option<Spanned<bool>>,
    /// For a filter without NAT (a provider's firewall, a security group): what it lets in, such as
    /// `["udp/50000-50499", "tcp/22 from 198.51.100.77"]`, `"all"`, `"none"` or `"unknown"`.
    #[schemars(with = "Option<OneOrMany>")]
    pub passes: Option<Spanned<OneOrMany>>,
    /// For a filter: what it lets out. Without it: everything.
    #[schemars(with = "Option<OneOrMany>")]
    pub out: Option<Spanned<OneOrMany>>,
    /// For a filter: does it let answers pass by themselves? Without it: yes.
    #[schemars(with = "Option<bool>")]
    pub tracks: Option<Spanned<bool>>,
    /// For a filter: the addresses and networks that it stands before. Without it: everything behind it.
    #[schemars(with = "Option<OneOrMany>")]
    pub guards: Option<Spanned<OneOrMany>>,
}

/// A caller on the internet with a router of their own, read like a gateway.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Its name in reports: `caller:<name>`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The configuration of the caller's router, as of a gateway.
    #[schemars(with = "OneOrMany")]
    pub config: Spanned<OneOrMany>,
    /// The address of its outer interface, when the files do not hold it.
    #[schemars(with = "Option<String>")]
    pub wan: Option<Spanned<String>>,
    /// Interfaces with their addresses, when no `ip -j addr` dump is given.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, OneOrMany>")]
    pub interfaces: BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
    /// Routes, when no `ip -j route` dump is given and the default route does not say enough.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub routes: Vec<Spanned<String>>,
}

/// A network from which people call.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Net {
    /// Its name in reports: `net:<name>`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Its addresses: `"192.168.20.0/24"`, or a list.
    #[schemars(with = "OneOrMany")]
    pub prefix: Spanned<OneOrMany>,
    /// The gateway's interface that leads to it, when no interface holds one of its addresses.
    #[schemars(with = "Option<String>")]
    pub behind: Option<Spanned<String>>,
    /// It is a tunnel, such as one of `wg`, `openvpn` or `gre`: its ends are the devices that hold an address of it, and no
    /// calls come from there.
    #[schemars(with = "Option<bool>")]
    pub tunnel: Option<Spanned<bool>>,
}

/// A machine that talks with a server and is no caller.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its name in reports: `peer:<name>`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Its addresses: one, a network, or a list.
    #[schemars(with = "OneOrMany")]
    pub address: Spanned<OneOrMany>,
    /// What it uses: rows of the product, as `callpath ports` names them.
    #[schemars(with = "OneOrMany")]
    pub uses: Spanned<OneOrMany>,
}

/// An installed product.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The product: the name of a profile.
    #[schemars(with = "String")]
    pub system: Spanned<String>,
    /// The server's own addresses: IPv4, IPv6, or a list with both.
    #[schemars(with = "OneOrMany")]
    pub host: Spanned<OneOrMany>,
    /// The public addresses by which it is reached, when they are not the first of the site's.
    #[schemars(with = "Option<OneOrMany>")]
    pub address: Option<Spanned<OneOrMany>>,
    /// How it is installed; each profile names its modes.
    #[schemars(with = "Option<String>")]
    pub mode: Option<Spanned<String>>,
    /// Its name in reports, when the same product is installed twice.
    #[schemars(with = "Option<String>")]
    pub label: Option<Spanned<String>>,
    /// Ports that differ from the product's own: `{ udp = "50500-50999", tcp = 7882 }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Ports>")]
    pub with: BTreeMap<Spanned<String>, Spanned<Ports>>,
    /// Features that are used though the profile leaves them off.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub on: Vec<Spanned<String>>,
    /// Features that are not used though the profile has them on.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub off: Vec<Spanned<String>>,
    /// From where people call: `internet`, `lan`, `net:<name>`, `caller:<name>`, `self`. Without it: from everywhere.
    #[schemars(with = "Option<Vec<String>>")]
    pub clients: Option<Spanned<Vec<Spanned<String>>>>,
    /// From where it is administered, when that differs from the site's `admin`.
    #[schemars(with = "Option<OneOrMany>")]
    pub admin: Option<Spanned<OneOrMany>>,
    /// Files of the host, or a folder of them: rules, addresses and routes as of a gateway, compose files, and
    /// configurations of services.
    #[schemars(with = "Option<OneOrMany>")]
    pub config: Option<Spanned<OneOrMany>>,
    /// The server's own firewall: `"none"`, `"unknown"`, or files as of a gateway's `config` (a file of such a name is
    /// `./none`).
    #[schemars(with = "Option<OneOrMany>")]
    pub firewall: Option<Spanned<OneOrMany>>,
    /// Files with the rules that are loaded when the server starts, where `firewall` holds those that are in force now.
    #[schemars(with = "Option<OneOrMany>")]
    pub boot: Option<Spanned<OneOrMany>>,
    /// Settings of the server's kernel, as of a gateway: `{ rp_filter = 0 }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Setting>")]
    pub kernel: BTreeMap<Spanned<String>, Spanned<Setting>>,
    /// The server's interface that holds `host`, when its own firewall names interfaces.
    #[schemars(with = "Option<String>")]
    pub interface: Option<Spanned<String>>,
    /// `full` or `lite`, when the server was configured otherwise than the product does (`use_ice_lite` of livekit.yaml).
    #[schemars(with = "Option<String>")]
    pub ice: Option<Spanned<String>>,
    /// Whether clients know a STUN server, when that was configured otherwise.
    #[schemars(with = "Option<bool>")]
    pub stun: Option<Spanned<bool>>,
    /// Where a PBX sends voice, when that was configured otherwise than the product does: `source`, to where it comes
    /// from, or `sdp`, to the address that the phone names.
    #[schemars(with = "Option<String>")]
    pub answers: Option<Spanned<String>>,
    /// Where pages and signalling are answered, when not by the product's own host: `{ at = "192.168.1.60:443" }`,
    /// `"gateway"` or `"outside"`; with `outer`, the port by which people reach it. Media never goes there.
    #[schemars(with = "Option<Proxy>")]
    pub proxy: Option<Spanned<Proxy>>,
    /// Which address it tells whom: `{ internet = "public", lan = "own", "peer:trunk" = "stun" }`. Also an address, a
    /// name, a list, or `"unknown"`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, OneOrMany>")]
    pub told: BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
    /// Networks that a PBX counts as local; it tells phones there its own address. Without it: its own network.
    #[schemars(with = "Option<OneOrMany>")]
    pub local: Option<Spanned<OneOrMany>>,
}

/// The value of a kernel's setting, or settings by the next part of their name (`net.ipv4.ip_forward = 1`).
#[derive(Debug, Clone)]
pub enum Setting {
    /// A number, not checked yet.
    Number(i64),
    /// Anything else that is no table, as it is shown.
    Other(String),
    /// Names that go on.
    Table(BTreeMap<Spanned<String>, Spanned<Setting>>),
}

/// Where a proxy is, as a word or as a table.
#[derive(Debug, Clone)]
pub enum Proxy {
    /// `"192.168.1.60:443"`, `"gateway"`, `"outside"`.
    At(String),
    /// The same with the port outside.
    Table(ProxyTable),
}

/// A proxy with its port outside.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProxyTable {
    /// Its address and port, `"gateway"`, or `"outside"`. Without it: on the server's own host.
    #[schemars(with = "Option<String>")]
    pub at: Option<Spanned<String>>,
    /// The port by which people reach it, where that is not the usual one.
    #[schemars(with = "Option<Ports>")]
    pub outer: Option<Spanned<Ports>>,
}

/// A string, or a list of strings.
#[derive(Debug, Clone)]
pub enum OneOrMany {
    /// One; its place is that of the whole value.
    One(String),
    /// Several, each with its place.
    Many(Vec<Spanned<String>>),
}

/// Ports: a number, or `"50000-60000"`, or several ranges with commas.
#[derive(Debug, Clone)]
pub enum Ports {
    /// A number, not checked yet.
    Number(i64),
    /// A text, not read yet.
    Text(String),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(v.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(OneOrMany::Many(items))
            }
        }
        d.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Proxy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("where the proxy is, such as { at = \"192.168.1.60:443\" }")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Proxy, E> {
                Ok(Proxy::At(v.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Proxy, A::Error> {
                ProxyTable::deserialize(MapAccessDeserializer::new(map)).map(Proxy::Table)
            }
        }
        d.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Ports;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port or a range such as \"50000-60000\"")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Ports, E> {
                Ok(Ports::Text(v.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Ports, E> {
                Ok(Ports::Number(v))
            }
        }
        d.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 0 or 1")
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Setting, E> {
                Ok(Setting::Number(v))
            }

            fn visit_bool<E: de::Error>(self, v: bool) -> Result<Setting, E> {
                Ok(Setting::Other(v.to_string()))
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Setting, E> {
                Ok(v.trim().parse().map_or_else(|_| Setting::Other(v.to_owned()), Setting::Number))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Setting, A::Error> {
                let mut parts = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    parts.insert(name, value);
                }
                Ok(Setting::Table(parts))
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for Setting {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Setting".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 2 },
            { "type": "object" },
        ] })
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

impl JsonSchema for Proxy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Proxy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<ProxyTable>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

impl JsonSchema for Ports {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Ports".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": 65535 },
            { "type": "string", "pattern": "^[0-9]{1,5}([-:][0-9]{1,5})?(,[0-9]{1,5}([-:][0-9]{1,5})?)*$" },
        ] })
    }
}
