//! Selectors: what a rule reads from a packet (nft(8), "payload expressions", "meta", "ct", "fib" …).

use super::cursor::{Parser, Read, family};
use super::lex::Kind;
use crate::dialect::nft::ast::{CtDir, Expr, Field, TableFamily};
use crate::dialect::nft::normal;

/// Protocols and the names of their header fields.
const PAYLOAD: &[(&str, &[&str])] = &[
    (
        "ip",
        &[
            "version",
            "hdrlength",
            "dscp",
            "ecn",
            "length",
            "id",
            "frag-off",
            "ttl",
            "protocol",
            "checksum",
            "saddr",
            "daddr",
        ],
    ),
    ("ip6", &["version", "dscp", "ecn", "flowlabel", "length", "nexthdr", "hoplimit", "saddr", "daddr"]),
    ("tcp", &["sport", "dport", "sequence", "ackseq", "doff", "reserved", "flags", "window", "checksum", "urgptr"]),
    ("udp", &["sport", "dport", "length", "checksum"]),
    ("udplite", &["sport", "dport", "csumcov", "checksum"]),
    ("th", &["sport", "dport"]),
    ("sctp", &["sport", "dport", "vtag", "checksum"]),
    ("dccp", &["sport", "dport", "type"]),
    ("icmp", &["type", "code", "checksum", "id", "sequence", "gateway", "mtu"]),
    (
        "icmpv6",
        &[
            "type",
            "code",
            "checksum",
            "parameter-problem",
            "packet-too-big",
            "id",
            "sequence",
            "max-delay",
            "mtu",
            "taddr",
            "daddr",
        ],
    ),
    ("igmp", &["type", "checksum", "mrt", "group"]),
    ("ah", &["nexthdr", "hdrlength", "reserved", "spi", "sequence"]),
    ("esp", &["spi", "sequence"]),
    ("comp", &["nexthdr", "flags", "cpi"]),
    ("ether", &["saddr", "daddr", "type"]),
    ("vlan", &["id", "cfi", "dei", "pcp", "type"]),
    ("arp", &["htype", "ptype", "hlen", "plen", "operation", "saddr", "daddr"]),
];

/// Protocols that carry others (nft 1.0.7 and newer), and their own fields.
const TUNNELS: &[(&str, &[&str])] = &[
    ("vxlan", &["vni", "flags"]),
    ("geneve", &["vni", "type"]),
    ("gre", &["version", "flags", "protocol"]),
    ("gretap", &[]),
];

/// IPv6 extension headers and their fields; `addr` and `sid` take an index.
const EXTENSIONS: &[(&str, &[&str])] = &[
    ("hbh", &["nexthdr", "hdrlength"]),
    ("rt", &["nexthdr", "hdrlength", "type", "seg-left"]),
    ("rt0", &["addr"]),
    ("rt2", &["addr"]),
    ("srh", &["last-entry", "flags", "tag", "sid", "seg-left"]),
    ("frag", &["nexthdr", "reserved", "frag-off", "reserved2", "more-fragments", "id"]),
    ("dst", &["nexthdr", "hdrlength"]),
    ("mh", &["nexthdr", "hdrlength", "type", "reserved", "checksum"]),
];

/// Keys of `meta` that may stand without the word.
const META_SHORT: &[&str] = &[
    "mark",
    "iif",
    "iifname",
    "iiftype",
    "oif",
    "oifname",
    "oiftype",
    "skuid",
    "skgid",
    "nftrace",
    "rtclassid",
    "ibriport",
    "ibrname",
    "obriport",
    "obrname",
    "pkttype",
    "cpu",
    "iifgroup",
    "oifgroup",
    "cgroup",
    "ipsec",
    "time",
    "day",
    "hour",
];

/// Keys of `meta` that need the word.
const META_LONG: &[&str] = &[
    "length",
    "protocol",
    "priority",
    "random",
    "secmark",
    "nfproto",
    "l4proto",
    "iifkind",
    "oifkind",
    "ibrpvid",
    "ibrvproto",
    "sdif",
    "sdifname",
    "broute",
    "ibrhwaddr",
    "secpath",
    "ibridgename",
    "obridgename",
];

/// Keys of `ct`.
const CT: &[&str] = &[
    "state",
    "direction",
    "status",
    "mark",
    "expiration",
    "helper",
    "label",
    "l3proto",
    "protocol",
    "saddr",
    "daddr",
    "proto-src",
    "proto-dst",
    "bytes",
    "packets",
    "avgpkt",
    "zone",
    "id",
    "secmark",
    "event",
    "count",
    "timeout",
    "expectation",
];

/// Chunk types of SCTP.
const CHUNKS: &[&str] = &[
    "data",
    "init",
    "init-ack",
    "sack",
    "heartbeat",
    "heartbeat-ack",
    "abort",
    "shutdown",
    "shutdown-ack",
    "error",
    "cookie-echo",
    "cookie-ack",
    "ecne",
    "cwr",
    "shutdown-complete",
    "asconf-ack",
    "forward-tsn",
    "asconf",
];

/// Fields of SCTP chunks.
const CHUNK_FIELDS: &[&str] = &[
    "type",
    "flags",
    "length",
    "tsn",
    "stream",
    "ssn",
    "ppid",
    "init-tag",
    "a-rwnd",
    "num-outbound-streams",
    "num-inbound-streams",
    "initial-tsn",
    "cum-tsn-ack",
    "num-gap-ack-blocks",
    "num-dup-tsns",
    "lowest-tsn",
    "seqno",
    "new-cum-tsn",
];

/// Fields of TCP options.
const TCP_OPTION_FIELDS: &[&str] = &["kind", "length", "size", "count", "left", "right", "tsval", "tsecr", "subtype"];

/// Fields of IPv4 options.
const IP_OPTION_FIELDS: &[&str] = &["type", "length", "value", "ptr", "addr"];

fn fields(table: &'static [(&'static str, &'static [&'static str])], word: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(name, _)| *name == word).map(|(_, fields)| *fields)
}

impl Parser<'_, '_, '_> {
    /// The next tokens begin a selector. Two are looked at, because `ip`, `arp` and others are values too.
    pub fn at_selector(&self) -> bool {
        let token = self.peek();
        let (word, next) = (self.str(token), self.str(self.peek_at(1)));
        if token.kind == Kind::Sign {
            return word == "@" && matches!(next, "ll" | "nh" | "th" | "ih") && self.is_at(2, ",");
        }
        if token.kind != Kind::Word {
            return false;
        }
        if META_SHORT.contains(&word) {
            return true;
        }
        match word {
            "meta" => META_LONG.contains(&next) || META_SHORT.contains(&next),
            "ct" => CT.contains(&next) || matches!(next, "original" | "reply"),
            "fib" => matches!(next, "saddr" | "daddr" | "mark" | "iif" | "oif"),
            "rt" => {
                matches!(next, "classid" | "nexthop" | "mtu" | "ipsec" | "ip" | "ip6")
                    || fields(EXTENSIONS, word).is_some_and(|f| f.contains(&next))
            }
            "socket" => matches!(next, "transparent" | "mark" | "wildcard" | "cgroupv2"),
            "exthdr" => fields(EXTENSIONS, next).is_some(),
            "numgen" => matches!(next, "inc" | "random"),
            "osf" => matches!(next, "ttl" | "name" | "version"),
            "symhash" => next == "mod",
            "jhash" => true,
            "tunnel" => matches!(next, "id" | "path"),
            "tcp" | "ip" | "dccp" if next == "option" => true,
            "sctp" if next == "chunk" => true,
            _ => {
                let own = |table| fields(table, word).is_some_and(|f: &[&str]| f.contains(&next));
                own(PAYLOAD)
                    || own(EXTENSIONS)
                    || own(TUNNELS)
                    || (fields(TUNNELS, word).is_some() && fields(PAYLOAD, next).is_some())
            }
        }
    }

    /// A single selector.
    pub fn field(&mut self) -> Read<Expr> {
        if !self.at_selector() {
            return Err(self.unclear(format!("`{}` is no selector that is known", self.str(self.peek()))));
        }
        let token = self.next();
        let word = self.str(token);
        let field = match word {
            "@" => self.raw()?,
            "meta" => normal::meta(&self.name()?),
            // `ipsec in …` is another thing than `meta ipsec`.
            "ipsec" if self.is("in") || self.is("out") => self.ipsec()?,
            _ if META_SHORT.contains(&word) => normal::meta(word),
            "ct" => self.ct()?,
            "fib" => self.fib()?,
            "rt" => self.rt()?,
            "socket" => {
                let key = self.name()?;
                if &*key == "cgroupv2" {
                    self.need("level")?;
                    self.number()?;
                }
                Field::Socket(key)
            }
            "exthdr" => Field::Exthdr(self.name()?, None),
            "tunnel" => Field::Other(format!("tunnel {}", self.name()?).into()),
            "numgen" | "symhash" | "jhash" | "osf" => return self.generator(word),
            "tcp" | "ip" | "dccp" | "sctp" if self.is("option") || self.is("chunk") => self.option(word)?,
            _ if fields(TUNNELS, word).is_some() => self.inner(word)?,
            _ if fields(EXTENSIONS, word).is_some() => {
                let mut name = self.name()?.into_string();
                if self.eat("[") {
                    name = format!("{name}[{}]", self.number()?);
                    self.need("]")?;
                }
                Field::Exthdr(word.into(), Some(name.into()))
            }
            _ => self.payload(word)?,
        };
        Ok(Expr::Field(field))
    }

    fn payload(&mut self, protocol: &str) -> Read<Field> {
        let mut name = self.name()?;
        if protocol == "arp" && matches!(&*name, "saddr" | "daddr") {
            if !(self.is("ip") || self.is("ether")) {
                return Err(self.unclear("`ip` or `ether` was expected here"));
            }
            name = format!("{name} {}", self.name()?).into();
        }
        Ok(Field::Payload(protocol.into(), name))
    }

    /// `vxlan vni`, `vxlan ip saddr`.
    fn inner(&mut self, tunnel: &str) -> Read<Field> {
        let first = self.name()?;
        if fields(TUNNELS, tunnel).is_some_and(|f| f.contains(&&*first)) {
            return Ok(Field::Payload(tunnel.into(), first));
        }
        let next = self.str(self.peek());
        if !fields(PAYLOAD, &first).is_some_and(|f| f.contains(&next)) {
            return Err(self.unclear(format!("`{next}` is no field of `{first}`")));
        }
        let name = self.name()?;
        Ok(Field::Other(format!("{tunnel} {first} {name}").into()))
    }

    fn ct(&mut self) -> Read<Field> {
        let dir = match self.str(self.peek()) {
            "original" => Some(CtDir::Original),
            "reply" => Some(CtDir::Reply),
            _ => None,
        };
        if dir.is_some() {
            self.next();
        }
        let mut family = family(self.str(self.peek()));
        if family.is_some() {
            self.next();
        }
        let key = self.str(self.peek());
        if !CT.contains(&key) {
            return Err(self.unclear(format!("`{key}` is no key of `ct`")));
        }
        // In a table of one family the address is of that family; listings say so.
        if matches!(key, "saddr" | "daddr") && matches!(self.family, TableFamily::Ip | TableFamily::Ip6) {
            family = family.or(Some(self.family));
        }
        Ok(Field::Ct { key: self.name()?, dir, family })
    }

    fn fib(&mut self) -> Read<Field> {
        const FLAGS: [&str; 5] = ["saddr", "daddr", "mark", "iif", "oif"];
        let mut given = vec![self.name()?];
        while self.eat(".") {
            given.push(self.name()?);
        }
        if let Some(other) = given.iter().find(|f| !FLAGS.contains(&&***f)) {
            return Err(self.unclear(format!("`{other}` is no flag of `fib`")));
        }
        // nft lists them in this order.
        let flags = FLAGS.into_iter().filter(|f| given.iter().any(|g| &**g == *f)).map(Into::into).collect();
        match self.str(self.peek()) {
            "type" | "oif" | "oifname" | "check" => Ok(Field::Fib(flags, self.name()?)),
            _ => Err(self.unclear("`type`, `oif`, `oifname` or `check` was expected behind `fib`")),
        }
    }

    fn rt(&mut self) -> Read<Field> {
        let key = self.name()?;
        Ok(match &*key {
            "ip" | "ip6" => Field::Rt(format!("{key} {}", self.name()?).into()),
            // The family of the table tells which.
            "nexthop" if self.family == TableFamily::Ip => Field::Rt("ip nexthop".into()),
            "nexthop" if self.family == TableFamily::Ip6 => Field::Rt("ip6 nexthop".into()),
            "classid" | "nexthop" | "mtu" | "ipsec" => Field::Rt(key),
            _ => Field::Exthdr("rt".into(), Some(key)),
        })
    }

    /// `ipsec in spnum 1 ip saddr`; number 0 is the default.
    fn ipsec(&mut self) -> Read<Field> {
        let mut text = self.name()?.into_string();
        if self.eat("spnum") {
            let number = self.number()?;
            if number != 0 {
                text = format!("{text} spnum {number}");
            }
        }
        let key = self.name()?;
        text = match &*key {
            "ip" | "ip6" => format!("{text} {key} {}", self.name()?),
            "reqid" | "spi" => format!("{text} {key}"),
            _ => return Err(self.unclear("`reqid`, `spi` or an address was expected behind `ipsec`")),
        };
        Ok(Field::Ipsec(text.into()))
    }

    /// `tcp option maxseg size`, `ip option rr addr`, `sctp chunk data tsn`, `tcp option @254,0,8`.
    fn option(&mut self, kind: &str) -> Read<Field> {
        self.next();
        if self.eat("@") {
            let name = normal::raw_option(self.number()?, self.comma_number()?, self.comma_number()?);
            return Ok(Field::Option(kind.into(), name, None));
        }
        let name = self.name()?;
        let next = self.str(self.peek());
        let known = match kind {
            "sctp" if !CHUNKS.contains(&&*name) => {
                return Err(self.unclear(format!("`{name}` is no chunk type")));
            }
            "sctp" => CHUNK_FIELDS,
            "tcp" => TCP_OPTION_FIELDS,
            "ip" => IP_OPTION_FIELDS,
            _ => &[],
        };
        let field = if known.contains(&next) { Some(self.name()?) } else { None };
        let name = if kind == "tcp" { normal::tcp_option(&name) } else { &name };
        Ok(Field::Option(kind.into(), name.into(), field))
    }

    fn comma_number(&mut self) -> Read<u64> {
        self.need(",")?;
        self.number()
    }

    /// `@th,16,16`, behind the `@`.
    fn raw(&mut self) -> Read<Field> {
        let base = self.name()?;
        let (offset, length) = (self.comma_number()?, self.comma_number()?);
        match (u32::try_from(offset), u32::try_from(length)) {
            (Ok(offset), Ok(length)) => Ok(Field::Raw(base, offset, length)),
            _ => Err(self.unclear("no header is that long")),
        }
    }

    /// `numgen inc mod 2 offset 1`, `jhash ip saddr . tcp dport mod 2 seed 1`, `symhash mod 2`, `osf ttl skip name`.
    fn generator(&mut self, word: &str) -> Read<Expr> {
        let head = match word {
            "osf" => {
                let mut text = "osf".to_owned();
                if self.eat("ttl") {
                    text = format!("{text} ttl {}", self.name()?);
                }
                return Ok(Expr::Opaque(format!("{text} {}", self.name()?).into()));
            }
            "numgen" => format!("numgen {}", self.name()?),
            "jhash" => format!("jhash {}", normal::expr_text(&self.selector()?)),
            _ => word.to_owned(),
        };
        self.need("mod")?;
        let modulus = self.number()?;
        let seed = if self.eat("seed") { Some(self.number()?) } else { None };
        let offset = if self.eat("offset") { Some(self.number()?) } else { None };
        Ok(normal::generator(&head, modulus, seed, offset))
    }
}
