//! Which kinds of callers get media through which gateway, with a full and with a lite ICE server.
//!
//! The expectations are measurements: a `LiveKit` server, libwebrtc clients and Chromium in network namespaces, with these
//! rules on a Linux gateway.

use callpath_core::check::analyze;
use callpath_core::report::{Path, Piece, Reach, StopKind};
use callpath_core::snapshot::{Snapshot, Source};

/// What became of a call's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Udp,
    /// By UDP, because both sides' packets opened the way.
    Punched,
    /// By UDP if the right side sends first.
    Chance,
    Tcp,
    /// None in ten seconds.
    Silent,
}

use Media::{Chance, Punched, Silent, Tcp, Udp};

/// A gateway's rules, from what differs between them.
#[derive(Debug, Clone, Copy)]
struct Gateway {
    /// Destination ports that are forwarded: UDP, TCP.
    forwards: (bool, bool),
    /// Forwards apply to what enters by this interface only.
    only_wan: bool,
    /// Reflected calls get the gateway's address.
    hairpin_snat: bool,
    /// The gateway drops what is for itself and nobody asked for.
    input_drop: bool,
    masquerade: &'static str,
}

const GOOD: Gateway = Gateway {
    forwards: (true, true),
    only_wan: false,
    hairpin_snat: true,
    input_drop: false,
    masquerade: "masquerade",
};
const NO_UDP: Gateway = Gateway { forwards: (false, true), ..GOOD };
const NO_HAIRPIN: Gateway = Gateway { only_wan: true, ..GOOD };
const NO_SNAT: Gateway = Gateway { hairpin_snat: false, ..GOOD };
const NOTHING: Gateway = Gateway { forwards: (false, false), ..GOOD };
const SILENT: Gateway = Gateway { input_drop: true, ..NOTHING };
const RANDOM: Gateway = Gateway { masquerade: "masquerade fully-random", ..SILENT };

impl Gateway {
    fn rules(self) -> String {
        let only = if self.only_wan { "iifname \"wan\" " } else { "" };
        let forward = |on: bool, proto: &str, ports: &str| {
            let rule = format!("    {only}ip daddr 203.0.113.10 {proto} dport {ports} dnat to 192.168.1.50\n");
            if on { rule } else { String::new() }
        };
        let (udp, tcp) = self.forwards;
        let forwards = forward(udp, "udp", "50000-50499") + &forward(tcp, "tcp", "7881");
        let hairpin =
            if self.hairpin_snat { "    iifname \"lan\" oifname \"lan\" ct status dnat masquerade\n" } else { "" };
        let input = if self.input_drop {
            "  chain input {\n    type filter hook input priority filter; policy drop;\n    ct state established,related accept\n    iifname \"lan\" accept\n  }\n"
        } else {
            ""
        };
        format!(
            "table ip nat {{\n  chain pre {{\n    type nat hook prerouting priority dstnat;\n{forwards}  }}\n  chain post {{\n    type nat hook postrouting priority srcnat;\n    oifname \"wan\" {}\n{hairpin}  }}\n}}\ntable inet filter {{\n{input}  chain forward {{\n    type filter hook forward priority filter; policy drop;\n    ct state established,related accept\n    iifname \"lan\" accept\n    ct status dnat accept\n  }}\n}}\n",
            self.masquerade
        )
    }
}

/// Kinds of callers, in the order of the columns below.
const CALLERS: [&str; 6] =
    ["internet:public", "internet:home", "internet:symmetric", "lan:app", "lan:listening", "internet:udp-blocked"];

/// Gateway, ICE, and what each caller got; absent where nobody measured it.
///
/// [`Chance`] was measured as the way without UDP: the caller's packet came first each time.
const MEASURED: &[(&str, Gateway, &str, [Option<Media>; 6])] = &[
    ("good", GOOD, "full", [U, U, U, U, U, T]),
    ("good", GOOD, "lite", [U, U, None, U, None, T]),
    ("no udp", NO_UDP, "full", [U, Some(Chance), None, U, T, T]),
    ("no udp", NO_UDP, "lite", [T, T, None, T, None, T]),
    ("no hairpin", NO_HAIRPIN, "full", [U, U, None, U, N, T]),
    ("no hairpin", NO_HAIRPIN, "lite", [U, U, None, N, None, T]),
    ("hairpin without source NAT", NO_SNAT, "full", [U, U, None, U, None, T]),
    ("hairpin without source NAT", NO_SNAT, "lite", [U, U, None, N, None, T]),
    ("nothing", NOTHING, "full", [U, Some(Chance), None, None, None, None]),
    ("nothing, silent", SILENT, "full", [None, Some(Punched), N, None, None, None]),
    ("nothing, silent, random ports", RANDOM, "full", [None, N, None, None, None, None]),
];

const U: Option<Media> = Some(Udp);
const T: Option<Media> = Some(Tcp);
const N: Option<Media> = Some(Silent);

fn media(path: &Path) -> Media {
    let ways = || path.legs.iter().filter(|l| l.kind == "media").flat_map(|l| &l.any_of);
    let first = ways().find(|a| matches!(a.reach, Reach::Open | Reach::Punched | Reach::Chance));
    assert!(ways().all(|a| a.reach != Reach::Unknown), "{path:?}");
    match first {
        Some(a) if a.what.starts_with("tcp") => Tcp,
        Some(a) if a.reach == Reach::Punched => Punched,
        Some(a) if a.reach == Reach::Chance => Chance,
        Some(_) => Udp,
        None => Silent,
    }
}

fn calls(gateway: Gateway, ice: &str, stun: bool) -> [Media; 6] {
    let manifest = format!(
        "address = \"203.0.113.10\"\n[[gateway]]\nconfig = \"gateway.nft\"\ninterfaces = {{ wan = \"203.0.113.10/24\", lan = \"192.168.1.1/24\" }}\nroutes = [\"default via 203.0.113.1\"]\n[[deploy]]\nsystem = \"spokes\"\nhost = \"192.168.1.50\"\nice = \"{ice}\"\nstun = {stun}\n"
    );
    let source = |name: &str, text: String| Source { name: name.into(), text };
    let sources = vec![source("callpath.toml", manifest), source("gateway.nft", gateway.rules())];
    let report = analyze(&Snapshot { sources, directory: String::new() }).unwrap_or_else(|e| panic!("{}", e.message));
    CALLERS.map(|c| {
        let path = report.paths.iter().find(|p| p.id == format!("spokes/{c}"));
        media(path.unwrap_or_else(|| panic!("{c} is not judged")))
    })
}

#[test]
fn every_measured_call_is_predicted() {
    let mut wrong = Vec::new();
    for (name, gateway, ice, measured) in MEASURED {
        let predicted = calls(*gateway, ice, true);
        for ((caller, is), was) in CALLERS.iter().zip(predicted).zip(*measured) {
            if was.is_some_and(|was| is != was) {
                wrong.push(format!("{name}, {ice}, {caller}: predicted {is:?}, measured {was:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Phones without ICE: what each place hears, by where the PBX sends voice and which networks it counts as local.
#[test]
fn phones_hear_what_comes_back_to_them() {
    let rules = GOOD.rules().replace("50000-50499", "20000-30000").replace("7881", "{ 443, 6069 }");
    let away = NO_HAIRPIN.rules().replace("50000-50499", "20000-30000").replace("7881", "{ 443, 6069 }");
    let verdicts = |rules: &str, more: &str| -> Vec<String> {
        let manifest = format!(
            "address = \"203.0.113.10\"\n[[gateway]]\nconfig = \"gateway.nft\"\ninterfaces = {{ wan = \"203.0.113.10/24\", lan = \"192.168.1.1/24\" }}\nroutes = [\"default via 203.0.113.1\"]\n[[deploy]]\nsystem = \"difuse\"\nhost = \"192.168.1.50\"\n{more}"
        );
        let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        let sources = vec![source("callpath.toml", &manifest), source("gateway.nft", rules)];
        let report =
            analyze(&Snapshot { sources, directory: String::new() }).unwrap_or_else(|e| panic!("{}", e.message));
        report.paths.iter().map(|p| format!("{} {}", p.id.trim_start_matches("difuse/"), p.verdict.word())).collect()
    };
    // Voice goes back to where it comes from: through any router of the phone's own.
    let good = ["internet:public works", "internet:home works", "internet:symmetric works", "lan works", "self works"];
    assert_eq!(verdicts(&rules, ""), good);
    // The PBX counts its own network as local: no hairpin is needed. A network that is not listed needs it.
    assert_eq!(verdicts(&away, ""), good);
    assert_eq!(verdicts(&away, "local = []\n")[3..], ["lan fails", "self fails"]);
    assert_eq!(verdicts(&away, "local = [\"192.168.1.0/24\"]\n"), good);
    // Voice goes to the address in SDP, which behind a home router leads nowhere; with STUN it is the outer one, and the
    // PBX answers from the port that the phone sends to.
    let named = ["internet:public works", "internet:home fails", "internet:symmetric fails", "lan works", "self works"];
    assert_eq!(verdicts(&rules, "answers = \"sdp\"\n"), named);
    let known = ["internet:public works", "internet:home works", "internet:symmetric fails", "lan works", "self works"];
    assert_eq!(verdicts(&rules, "answers = \"sdp\"\nstun = true\n"), known);
}

/// A relay serves whoever reaches it, and only where nothing better is there.
#[test]
fn a_relay_is_the_last_way() {
    let rules = RANDOM.rules().replace(
        "type nat hook prerouting priority dstnat;\n",
        "type nat hook prerouting priority dstnat;\n    ip daddr 203.0.113.10 tcp dport { 443, 5349 } dnat to 192.168.1.50\n",
    );
    let verdict = |turn: &str| -> Vec<String> {
        let manifest = format!(
            "address = \"203.0.113.10\"\n[[gateway]]\nconfig = \"gateway.nft\"\ninterfaces = {{ wan = \"203.0.113.10/24\", lan = \"192.168.1.1/24\" }}\nroutes = [\"default via 203.0.113.1\"]\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\nclients = [\"internet\"]\n{turn}"
        );
        let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        let sources = vec![source("callpath.toml", &manifest), source("gateway.nft", &rules)];
        let report =
            analyze(&Snapshot { sources, directory: String::new() }).unwrap_or_else(|e| panic!("{}", e.message));
        let calls = report.paths.iter().filter(|p| p.vantage == "internet");
        calls.map(|p| format!("{} {}, {}", p.kind.expect("a kind"), p.verdict.word(), p.note)).collect()
    };
    assert_eq!(verdict("")[1..], ["home fails, ", "symmetric fails, ", "udp-blocked fails, "]);
    let relayed = verdict("on = [\"turn\"]\nwith = { turn_tls = 5349 }\n");
    assert_eq!(
        relayed[1..],
        ["home degraded, only by relay", "symmetric degraded, only by relay", "udp-blocked degraded, only by relay"]
    );
}

/// pfSense draws source ports at random unless an outbound rule keeps them: only then is a hole where it is looked for.
#[test]
fn static_ports_of_pfsense_make_holes() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/spokes/");
    let read = |name: &str| std::fs::read_to_string(format!("{dir}{name}")).expect("the example is there");
    let config = read("pfsense/config.xml");
    let (start, end) = (config.find("<nat>").expect("nat"), config.find("</nat>").expect("nat"));
    let forwards = config[start..end].replace("<rule>", "<rule><disabled></disabled>");
    let home = |keeps: &str| {
        let outbound = format!(
            "<mode>advanced</mode><rule><source><network>192.168.1.0/24</network></source><sourceport></sourceport><descr></descr><target></target><interface>wan</interface>{keeps}<destination><any></any></destination></rule>"
        );
        let nat = forwards.replace("<mode>automatic</mode>", &outbound);
        let source = |name: &str, text: String| Source { name: name.into(), text };
        let sources = vec![
            source("callpath.toml", read("callpath.toml")),
            source("pfsense/config.xml", format!("{}{nat}{}", &config[..start], &config[end..])),
        ];
        let report =
            analyze(&Snapshot { sources, directory: String::new() }).unwrap_or_else(|e| panic!("{}", e.message));
        media(report.paths.iter().find(|p| p.id == "spokes/internet:home").expect("home"))
    };
    assert_eq!(home("<staticnatport></staticnatport>"), Punched);
    assert_eq!(home(""), Silent);
}

/// Voice without ICE: what the media leg of a phone in an inner network comes to, each port's fate.
fn phone_in_guest_network(forwards: &str, filter: &str) -> Vec<(String, Reach, Option<StopKind>)> {
    let manifest = "address = \"203.0.113.10\"\n[[gateway]]\nconfig = \"gateway.nft\"\ninterfaces = { wan = \"203.0.113.10/24\", lan = \"192.168.1.1/24\", guest = \"192.168.20.1/24\" }\nroutes = [\"default via 203.0.113.1\"]\n[[deploy]]\nsystem = \"difuse\"\nhost = \"192.168.1.50\"\nanswers = \"sdp\"\nlocal = []\n";
    let rules = format!(
        "table ip nat {{\n  chain pre {{\n    type nat hook prerouting priority dstnat;\n{forwards}    ip daddr 203.0.113.10 udp dport 20002-30000 dnat to 192.168.1.50\n  }}\n  chain post {{\n    type nat hook postrouting priority srcnat;\n    oifname \"wan\" masquerade\n    ct status dnat masquerade\n  }}\n}}\ntable inet filter {{\n  chain forward {{\n    type filter hook forward priority filter; policy drop;\n    ct state established,related accept\n{filter}    iifname \"lan\" accept\n    ct status dnat accept\n  }}\n}}\n"
    );
    let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let sources = vec![source("callpath.toml", manifest), source("gateway.nft", &rules)];
    let report = analyze(&Snapshot { sources, directory: String::new() }).unwrap_or_else(|e| panic!("{}", e.message));
    let path = report.paths.iter().find(|p| p.who.contains("guest"));
    let path = path.unwrap_or_else(|| panic!("{:?}", report.paths.iter().map(|p| (&p.id, &p.who)).collect::<Vec<_>>()));
    let voice = path.legs.iter().filter(|l| l.kind == "media").flat_map(|l| &l.any_of).flat_map(|a| &a.pieces);
    let shown = |p: &Piece| p.packets.iter().flat_map(|p| [p.ports_shown(), p.senders()]).collect::<String>();
    voice.map(|p| (shown(p), p.reach, p.stop.as_ref().map(|s| s.kind))).collect()
}

/// Two forwards that lead to one port: only one of them is the port that the phone was told.
#[test]
fn a_forward_to_another_port_is_no_way_for_voice() {
    let right = "    ip daddr 203.0.113.10 udp dport 20000 dnat to 192.168.1.50:20000\n";
    let wrong = "    ip daddr 203.0.113.10 udp dport 20001 dnat to 192.168.1.50:20000\n";
    let some = "    ip daddr 203.0.113.10 ip saddr 192.168.20.128/25 udp dport 20001 dnat to 192.168.1.50:20000\n";
    for forwards in
        [format!("{right}{wrong}"), format!("{wrong}{right}"), format!("{some}{right}"), format!("{right}{some}")]
    {
        let pieces = phone_in_guest_network(&forwards, "");
        let open: Vec<&str> = pieces.iter().filter(|p| p.1 == Reach::Open).map(|p| p.0.as_str()).collect();
        assert!(open.iter().any(|ports| ports.starts_with("20000")), "{forwards}: {pieces:?}");
        assert!(
            pieces.iter().any(|p| p.0.contains("20001") && p.2 == Some(StopKind::OtherPort)),
            "{forwards}: {pieces:?}"
        );
        assert!(
            !open.iter().any(|ports| ports.contains("20001") || ports.contains("20000-")),
            "{forwards}: {pieces:?}"
        );
    }
}

/// A statement on the way back that nobody understood: it may hear or not.
#[test]
fn voice_that_may_be_stopped_on_its_way_back_is_unknown() {
    let all = "    ip daddr 203.0.113.10 udp dport 20000-20001 dnat to 192.168.1.50\n";
    let pieces = phone_in_guest_network(all, "    iifname \"lan\" oifname \"guest\" udp futurefield 5 drop\n");
    assert!(!pieces.is_empty() && pieces.iter().all(|p| p.1 == Reach::Unknown), "{pieces:?}");
    assert!(phone_in_guest_network(all, "").iter().all(|p| p.1 == Reach::Open));
}
