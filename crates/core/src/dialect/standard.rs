//! The standard situations in every dialect: the same verdict, the same cause, also under pseudonyms, and where changes are
//! printed, a cure.

use super::{DIALECTS, apply, of_text, without_secrets};
use crate::call::changes;
use crate::redact::{Key, redact};
use crate::report::{Report, Severity, Verdict};
use crate::snapshot::{Snapshot, Source};

/// What may be wrong with a router before a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Situation {
    NoForward,
    WrongTarget,
    BlockedFirst,
    NoHairpin,
    NoSourceNat,
    RangeCut,
    Unread,
}

use Situation::{BlockedFirst, NoForward, NoHairpin, NoSourceNat, RangeCut, Unread, WrongTarget};

impl Situation {
    const ALL: [Self; 7] = [NoForward, WrongTarget, BlockedFirst, NoHairpin, NoSourceNat, RangeCut, Unread];

    /// The finding that names it.
    fn code(self) -> &'static str {
        match self {
            NoForward => "forward-missing",
            WrongTarget => "wrong-target",
            BlockedFirst => "blocked-earlier",
            NoHairpin => "hairpin-missing",
            NoSourceNat => "hairpin-no-source-nat",
            RangeCut => "range-cut",
            Unread => "not-understood",
        }
    }

    /// What becomes of calls: where media by UDP does not get in, the fallback to TCP and hole punching remain.
    fn verdict(self) -> Verdict {
        match self {
            Unread => Verdict::Unknown,
            NoSourceNat => Verdict::Fails,
            NoForward | WrongTarget | BlockedFirst | NoHairpin | RangeCut => Verdict::Degraded,
        }
    }
}

/// A router in the words of one dialect.
struct Standard {
    dialect: &'static str,
    /// Lines of its `[[gateway]]` beside `config`.
    gateway: &'static str,
    /// Everything works.
    open: String,
    /// What is changed in that text. The dialect has no word for a situation that is not here.
    situations: Vec<(Situation, &'static str, &'static str)>,
    /// Situations that it cures.
    cures: &'static [Situation],
}

const NFT: &str = "table ip filter {
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname \"lan\" accept
		ip daddr 192.168.1.50 udp dport 50000-60000 accept
		ip daddr 192.168.1.50 tcp dport { 443, 7881 } accept
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority -100; policy accept;
		iifname \"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
		iifname \"lan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
		ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to 192.168.1.50
	}
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname \"wan\" masquerade
		ip saddr 192.168.1.0/24 ip daddr 192.168.1.50 masquerade
	}
}
";

const PF: &str = "set limit states 100000
nat on wan inet from 192.168.1.0/24 to any -> 203.0.113.5/32 port 1024:65535
nat on lan inet from 192.168.1.0/24 to 192.168.1.50 -> 192.168.1.1/32 port 1024:65535
rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50
rdr on wan inet proto tcp from any to 203.0.113.5 port 443 -> 192.168.1.50
rdr on wan inet proto tcp from any to 203.0.113.5 port 7881 -> 192.168.1.50
rdr on lan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50
rdr on lan inet proto tcp from any to 203.0.113.5 port 443 -> 192.168.1.50
rdr on lan inet proto tcp from any to 203.0.113.5 port 7881 -> 192.168.1.50
block in log inet all label \"Default deny rule IPv4\"
pass in quick on wan inet proto udp from any to 192.168.1.50 port 50000:60000 keep state label \"USER_RULE: calls\"
pass in quick on wan inet proto tcp from any to 192.168.1.50 port 443 keep state label \"USER_RULE: pages\"
pass in quick on wan inet proto tcp from any to 192.168.1.50 port 7881 keep state label \"USER_RULE: calls\"
pass in quick on lan inet from 192.168.1.0/24 to any keep state label \"USER_RULE: lan\"
pass out inet all keep state allow-opts label \"let out anything IPv4 from firewall host itself\"
";

const TOY: &str = "toy firewall 1
outside wan
forward udp 50000-60000 to 192.168.1.50
forward tcp 443 to 192.168.1.50
forward tcp 7881 to 192.168.1.50
";

/// A backup with one forward for each row, reflected.
fn backup() -> String {
    let forward = |proto: &str, ports: &str, id: &str| {
        let local = ports.split('-').next().unwrap_or(ports);
        format!(
            "\t\t<rule>\n\t\t\t<source><any></any></source>\n\t\t\t<destination><network>wanip</network><port>{ports}</port></destination>\n\
             \t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>{proto}</protocol>\n\t\t\t<target>192.168.1.50</target>\n\
             \t\t\t<local-port>{local}</local-port>\n\t\t\t<interface>wan</interface>\n\t\t\t<descr><![CDATA[{id}]]></descr>\n\
             \t\t\t<natreflection>purenat</natreflection>\n\t\t\t<associated-rule-id>nat_{id}</associated-rule-id>\n\t\t</rule>\n"
        )
    };
    let pass = |proto: &str, ports: &str, id: &str, n: usize| {
        format!(
            "\t\t<rule>\n\t\t\t<type>pass</type>\n\t\t\t<interface>wan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\
             \t\t\t<protocol>{proto}</protocol>\n\t\t\t<source><any></any></source>\n\
             \t\t\t<destination><address>192.168.1.50</address><port>{ports}</port></destination>\n\
             \t\t\t<associated-rule-id>nat_{id}</associated-rule-id>\n\t\t\t<descr><![CDATA[NAT {id}]]></descr>\n\
             \t\t\t<tracker>175650000{n}</tracker>\n\t\t</rule>\n"
        )
    };
    let rows = [("udp", "50000-60000", "media"), ("tcp", "443", "pages"), ("tcp", "7881", "fallback")];
    let forwards: String = rows.iter().map(|(proto, ports, id)| forward(proto, ports, id)).collect();
    let passes: String = rows.iter().enumerate().map(|(n, (proto, ports, id))| pass(proto, ports, id, n)).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<pfsense>\n\t<version>24.0</version>\n\t<system>\n\t\t<enablenatreflectionhelper>yes</enablenatreflectionhelper>\n\
         \t</system>\n\t<interfaces>\n\t\t<wan>\n\t\t\t<enable></enable>\n\t\t\t<if>wan</if>\n\t\t\t<descr><![CDATA[WAN]]></descr>\n\
         \t\t\t<ipaddr>203.0.113.5</ipaddr>\n\t\t\t<subnet>24</subnet>\n\t\t\t<gateway>WANGW</gateway>\n\t\t</wan>\n\
         \t\t<lan>\n\t\t\t<enable></enable>\n\t\t\t<if>lan</if>\n\t\t\t<descr><![CDATA[LAN]]></descr>\n\
         \t\t\t<ipaddr>192.168.1.1</ipaddr>\n\t\t\t<subnet>24</subnet>\n\t\t</lan>\n\t</interfaces>\n\
         \t<gateways>\n\t\t<gateway_item>\n\t\t\t<interface>wan</interface>\n\t\t\t<gateway>203.0.113.1</gateway>\n\t\t\t<name>WANGW</name>\n\
         \t\t\t<ipprotocol>inet</ipprotocol>\n\t\t</gateway_item>\n\t\t<defaultgw4>WANGW</defaultgw4>\n\t</gateways>\n\
         \t<nat>\n\t\t<outbound>\n\t\t\t<mode>automatic</mode>\n\t\t</outbound>\n{forwards}\t</nat>\n\t<filter>\n{passes}\
         \t\t<rule>\n\t\t\t<type>pass</type>\n\t\t\t<interface>lan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\
         \t\t\t<source><network>lan</network></source>\n\t\t\t<destination><any></any></destination>\n\
         \t\t\t<descr><![CDATA[lan]]></descr>\n\t\t\t<tracker>1756500009</tracker>\n\t\t</rule>\n\t</filter>\n</pfsense>\n"
    )
}

const STATED: &str =
    "interfaces = { wan = \"203.0.113.5/24\", lan = \"192.168.1.1/24\" }\nroutes = [\"default via 203.0.113.1\"]";

fn standards() -> [Standard; 4] {
    [nftables(), pf(), pfsense(), toy()]
}

fn nftables() -> Standard {
    Standard {
        dialect: "nftables",
        gateway: STATED,
        open: NFT.into(),
        situations: vec![
            (NoForward, "\t\tiifname \"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50\n", ""),
            (
                WrongTarget,
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50",
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.51",
            ),
            (
                BlockedFirst,
                "\t\tip daddr 192.168.1.50 udp",
                "\t\tudp dport 50000-60000 drop\n\t\tip daddr 192.168.1.50 udp",
            ),
            (NoHairpin, "\t\tiifname \"lan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50\n", ""),
            (NoSourceNat, "\t\tip saddr 192.168.1.0/24 ip daddr 192.168.1.50 masquerade\n", ""),
            (
                RangeCut,
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-60000",
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-55000",
            ),
            (Unread, "\t\tip daddr 192.168.1.50 udp", "\t\tfrobnicate 7 drop\n\t\tip daddr 192.168.1.50 udp"),
        ],
        cures: &[NoForward, WrongTarget, BlockedFirst, NoHairpin, NoSourceNat, RangeCut],
    }
}

fn pf() -> Standard {
    Standard {
        dialect: "pf",
        gateway: STATED,
        open: PF.into(),
        situations: vec![
            (NoForward, "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50\n", ""),
            (
                WrongTarget,
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50\n",
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.51\n",
            ),
            (
                BlockedFirst,
                "pass in quick on wan inet proto udp",
                "block in quick on wan inet proto udp from any to any\npass in quick on wan inet proto udp",
            ),
            (NoHairpin, "rdr on lan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50\n", ""),
            (
                NoSourceNat,
                "nat on lan inet from 192.168.1.0/24 to 192.168.1.50 -> 192.168.1.1/32 port 1024:65535\n",
                "",
            ),
            (
                RangeCut,
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000",
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:55000",
            ),
            (Unread, "pass in quick on wan inet proto udp", "frobnicate on wan\npass in quick on wan inet proto udp"),
        ],
        cures: &[],
    }
}

fn pfsense() -> Standard {
    Standard {
        dialect: "pfsense",
        gateway: "",
        open: backup(),
        situations: vec![
            (
                NoForward,
                "<descr><![CDATA[media]]></descr>\n",
                "<descr><![CDATA[media]]></descr>\n\t\t\t<disabled></disabled>\n",
            ),
            (
                WrongTarget,
                "<target>192.168.1.50</target>\n\t\t\t<local-port>50000",
                "<target>192.168.1.51</target>\n\t\t\t<local-port>50000",
            ),
            (
                BlockedFirst,
                "\t<filter>\n",
                "\t<filter>\n\t\t<rule>\n\t\t\t<type>block</type>\n\t\t\t<interface>wan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>udp</protocol>\n\t\t\t<source><any></any></source>\n\t\t\t<destination><any></any></destination>\n\t\t\t<descr><![CDATA[no UDP]]></descr>\n\t\t\t<tracker>1756500010</tracker>\n\t\t</rule>\n",
            ),
            (
                NoHairpin,
                "<descr><![CDATA[media]]></descr>\n\t\t\t<natreflection>purenat</natreflection>\n",
                "<descr><![CDATA[media]]></descr>\n\t\t\t<natreflection>disable</natreflection>\n",
            ),
            (NoSourceNat, "\t\t<enablenatreflectionhelper>yes</enablenatreflectionhelper>\n", ""),
            (
                RangeCut,
                "<network>wanip</network><port>50000-60000</port>",
                "<network>wanip</network><port>50000-55000</port>",
            ),
            (Unread, "\t<nat>\n", "\t<aliases><alias><type>host</type></alias></aliases>\n\t<nat>\n"),
        ],
        // Another target takes from the host that has it now: that change stands apart.
        cures: &[NoForward, BlockedFirst, NoHairpin, NoSourceNat, RangeCut],
    }
}

fn toy() -> Standard {
    Standard {
        dialect: "toy",
        gateway: STATED,
        open: TOY.into(),
        situations: vec![
            (NoForward, "forward udp 50000-60000 to 192.168.1.50\n", ""),
            (WrongTarget, "forward udp 50000-60000 to 192.168.1.50\n", "forward udp 50000-60000 to 192.168.1.51\n"),
            (RangeCut, "forward udp 50000-60000", "forward udp 50000-55000"),
            (Unread, "outside wan\n", "outside wan\nshape voip first\n"),
        ],
        cures: &[NoForward, RangeCut],
    }
}

impl Standard {
    /// The site, with this text of the router.
    fn site(&self, text: &str) -> Snapshot {
        // A dialect without a word for calls from inside to the outer address is asked about the internet alone.
        let inside = self.situations.iter().any(|(s, ..)| *s == NoHairpin);
        let clients = if inside { "\"internet\", \"lan\"" } else { "\"internet\"" };
        let manifest = format!(
            "name = \"voice.example.org\"\naddress = \"203.0.113.5\"\n[[gateway]]\nconfig = \"router\"\n{}\n[[deploy]]\n\
             system = \"livekit\"\nhost = \"192.168.1.50\"\nclients = [{clients}]\n",
            self.gateway
        );
        let file = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        Snapshot { sources: vec![file("callpath.toml", &manifest), file("router", text)], directory: String::new() }
    }
}

/// What is wrong. Whether holes can be punched besides depends on the ports that a router picks.
fn codes(report: &Report) -> Vec<&'static str> {
    let told = report.findings.iter().filter(|f| f.severity != Severity::Note && f.code != "hole-punching-only");
    told.map(|f| f.code).collect()
}

#[test]
fn standard_situations_are_the_same_in_every_dialect() {
    let mut faults = Vec::new();
    for standard in standards() {
        let name = standard.dialect;
        let found = of_text(&standard.open).map(|d| d.about().name);
        assert_eq!(found, Some(name));
        let (none, report) = changes(&standard.site(&standard.open)).unwrap_or_else(|e| panic!("{name}: {e}"));
        if report.verdict != Verdict::Works || !none.is_empty() {
            faults.push(format!("{name}, open: {:?} {:?} {}", report.verdict, codes(&report), report.headline));
        }
        for (situation, from, to) in &standard.situations {
            assert_eq!(standard.open.matches(from).count(), 1, "{name}, {situation:?}");
            let text = standard.open.replace(from, to);
            let blank = without_secrets(text.clone());
            assert_eq!(blank.len(), text.len(), "{name}, {situation:?}");
            let site = standard.site(&text);
            let (list, report) = changes(&site).unwrap_or_else(|e| panic!("{name}, {situation:?}: {e}"));
            let (verdict, codes) = (report.verdict, codes(&report));
            if verdict != situation.verdict() || codes != [situation.code()] {
                faults.push(format!("{name}, {situation:?}: {verdict:?} {codes:?} {}", report.headline));
            }
            // Under pseudonyms it is the same, as far as a blanked text is.
            let hidden = changes(&redact(&site, &Key::new(*b"a key for a test")));
            let hidden = hidden.map(|(_, report)| (report.verdict, self::codes(&report)));
            if hidden.as_ref().ok() != Some(&(verdict, codes.clone())) {
                faults.push(format!("{name}, {situation:?}: under pseudonyms {hidden:?}"));
            }
            let patches: Vec<_> = list.iter().filter(|(id, _)| id.0 == 1).map(|(_, p)| p).collect();
            let cured = apply(&text, &patches).expect("the changes can be made together");
            let works = changes(&standard.site(&cured)).is_ok_and(|(_, report)| report.verdict == Verdict::Works);
            if works != standard.cures.contains(situation) {
                faults.push(format!("{name}, {situation:?}: cured: {works} {:?}", report.findings));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_dialect_with_rules_has_the_standard_situations() {
    let standards = standards();
    for about in DIALECTS.iter().map(|d| d.about()).filter(|a| a.engine.is_some()) {
        // The same rules in another notation are compared with these (`crates/core/tests/nft_readers.rs`).
        let name = if about.name == "nftables-json" { "nftables" } else { about.name };
        let known = standards.iter().find(|s| s.dialect == name);
        let known = known.unwrap_or_else(|| panic!("no standard situations of {name}"));
        let there = |s: &Situation| known.situations.iter().any(|(one, ..)| one == s);
        assert!([NoForward, WrongTarget, RangeCut, Unread].iter().all(there), "{name}");
        let missing: Vec<Situation> = Situation::ALL.into_iter().filter(|s| !there(s)).collect();
        assert!(missing.is_empty() || name == "toy", "{name}: {missing:?}");
    }
}
