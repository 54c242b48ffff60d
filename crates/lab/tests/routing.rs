//! Routing rules, routes and the check of return paths: the kernel says where single packets go (`ip route get`), and
//! the trace says it of what `ip -j rule`, `ip -j route` and `ip -j addr` print about the same namespace.

use callpath_core::cube::{Cube, Set};
use callpath_core::dialect::iproute::{self, Dump};
use callpath_core::dialect::{nft, ruleset};
use callpath_core::model::{Device, Family, Interface, Part, Route, RouteTarget, SourceId, WayBack, address_value};
use callpath_core::snapshot::{Snapshot, Source};
use callpath_core::trace::{Disposition, Network, Question, ask_requests};
use callpath_lab::random::Random;
use std::fmt::Write;
use std::net::IpAddr;
use std::process::Command;

/// Routers that are made, and packets for each.
const ROUTERS: usize = 24;
const PACKETS: usize = 40;

/// A packet that arrives by `in0`.
struct Packet {
    src: String,
    dst: String,
    proto: &'static str,
    sport: u16,
    dport: u16,
    mark: u32,
}

/// How a family writes the lab's addresses: the router's on link `n`, a neighbour there, and places beyond.
struct Words {
    family: Family,
    flag: &'static str,
    bits: u8,
    far: [&'static str; 6],
}

const WORDS: [Words; 2] = [
    Words {
        family: Family::V4,
        flag: "-4",
        bits: 24,
        far: ["8.1.0.0/16", "8.1.2.0/24", "8.0.0.0/8", "9.9.9.9/32", "172.16.0.0/12", "0.0.0.0/0"],
    },
    Words {
        family: Family::V6,
        flag: "-6",
        bits: 64,
        far: ["2600:1::/32", "2600:1:2::/48", "2600::/16", "2a00::9/128", "2400::/12", "::/0"],
    },
];

impl Words {
    fn on(&self, link: usize, host: usize) -> String {
        match self.family {
            Family::V4 => format!("10.{link}.0.{host}"),
            Family::V6 => format!("2001:db8:{link}::{host}"),
        }
    }

    fn net(&self, link: usize) -> String {
        match self.family {
            Family::V4 => format!("10.{link}.0.0/24"),
            Family::V6 => format!("2001:db8:{link}::/64"),
        }
    }

    fn beyond(&self, random: &mut Random) -> String {
        let list: &[&str] = match self.family {
            Family::V4 => &["8.1.2.3", "8.1.3.3", "8.2.0.1", "9.9.9.9", "172.17.0.1", "1.1.1.1"],
            Family::V6 => &["2600:1:2::3", "2600:1:3::3", "2600:2::1", "2a00::9", "2401::1", "2c00::1"],
        };
        (*random.pick(list)).to_owned()
    }
}

/// Lines of `ip` that make rules and routes at random.
fn tables(words: &Words, random: &mut Random) -> String {
    let mut out = String::new();
    let flag = words.flag;
    for table in ["100", "101", "main"] {
        for net in words.far {
            if random.chance(45) {
                continue;
            }
            let link = random.below(3);
            let what = match random.below(10) {
                0 => "throw",
                1 => "blackhole",
                2 => "unreachable",
                3 => "prohibit",
                4 if table != "main" && words.family == Family::V4 => "local",
                _ => "",
            };
            let way = match what {
                "" => format!("{net} via {} dev out{link}", words.on(link + 1, 2)),
                "local" => format!("local {net} dev lo"),
                other => format!("{other} {net}"),
            };
            let _ = writeln!(out, "ip {flag} route add {way} table {table} || exit 1");
        }
    }
    for n in 0..=random.below(7) {
        let mut rule = format!("ip {flag} rule add pref {}", 100 + n);
        if random.chance(20) {
            rule += " not";
        }
        if random.chance(20) {
            let _ = write!(rule, " from {}", words.net(0));
        }
        if random.chance(20) {
            let _ = write!(rule, " to {}", random.pick(&words.far[..5]));
        }
        if random.chance(20) {
            rule += *random.pick(&[" iif in0", " iif out0", " iif lo"]);
        }
        if random.chance(30) {
            rule += *random.pick(&[" fwmark 0x1", " fwmark 0x2/0x3", " fwmark 0xca6c"]);
        }
        if random.chance(20) {
            rule += *random.pick(&[" ipproto udp", " ipproto tcp", " ipproto 99"]);
        }
        if random.chance(20) {
            rule += *random.pick(&[" sport 1000-2000", " dport 443", " dport 50000-60000"]);
        }
        if random.chance(10) {
            // In a user namespace there is no other user; and `ip -6 route get` asks as nobody, where a packet that is
            // passed on counts as root's (`inet6_rtm_getroute`, `ip6_route_input`, net/ipv6/route.c).
            let all = [" oif out0", " uidrange 1000-1005", " uidrange 0-10"];
            let known = match (is_root(), words.family) {
                (false, _) => 1,
                (true, Family::V6) => 2,
                (true, Family::V4) => 3,
            };
            rule += *random.pick(&all[..known]);
        }
        rule += match random.below(10) {
            0 => " blackhole",
            1 => " prohibit",
            2 => " nop",
            3 => " goto 108",
            4 => " lookup main suppress_prefixlength 0",
            5 => " lookup main suppress_prefixlength 16",
            6 => " lookup main suppress_ifgroup 7",
            7 => " lookup 100",
            8 => " lookup 101",
            _ => " lookup 101 suppress_prefixlength 8",
        };
        let _ = writeln!(out, "{rule} || exit 1");
    }
    let _ = writeln!(out, "ip {flag} rule add pref 108 lookup 100 || exit 1");
    out
}

const PROTOCOLS: &[&str] = &["udp", "tcp"];

fn packets(words: &Words, random: &mut Random) -> Vec<Packet> {
    let one = |random: &mut Random| Packet {
        src: if random.chance(60) { words.on(0, 60) } else { words.beyond(random) },
        dst: if random.chance(15) { words.on(2, 9) } else { words.beyond(random) },
        proto: random.pick::<&str>(PROTOCOLS),
        sport: *random.pick(&[999, 1000, 2000, 40000]),
        dport: *random.pick(&[443, 444, 50000, 60000]),
        mark: *random.pick(&[0, 1, 2, 3, 0xca6c]),
    };
    let list: Vec<Packet> = (0..PACKETS).map(|_| one(random)).collect();
    // One's own address at both ends is another matter.
    list.into_iter().filter(|p| p.src != p.dst).collect()
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs a script in a network namespace of its own.
fn inside(script: &str) -> Vec<String> {
    let namespaces: &[&str] = if is_root() { &["-n"] } else { &["-r", "-n"] };
    let output = Command::new("unshare").args(namespaces).args(["sh", "-c", script]).output();
    let output = output.expect("unshare (util-linux)");
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").split("#\n").map(|s| s.trim().to_owned()).collect()
}

/// The router as it was dumped, with this mark on what arrives, and the group of hosts behind `in0`.
fn network(words: &Words, dumps: &[String], mark: u32, way_back: WayBack) -> Network {
    let mut router = Device { forwards: true, drops_own_source: true, ..Device::default() };
    for dump in &dumps[..3] {
        match iproute::parse(SourceId(1), dump).unwrap_or_else(|e| panic!("{}: {dump}", e.message)) {
            Dump::Addresses(list) => router.interfaces.extend(list.into_iter().filter(|i| &*i.name != "lo")),
            Dump::Routes(list) => list.iter().for_each(|r| iproute::add_route(&mut router, r)),
            Dump::Rules(list) => {
                let mine: Vec<_> = list.into_iter().filter(|r| r.rule.family == words.family).collect();
                iproute::add_rules(&mut router, &mine);
            }
            Dump::Empty => {}
        }
    }
    for (n, iface) in router.interfaces.iter_mut().enumerate() {
        iface.segment = n;
    }
    let text = format!(
        "table inet m {{\n\tchain p {{\n\t\ttype filter hook prerouting priority mangle;\n\t\tmeta mark set {mark}\n\t}}\n}}\n"
    );
    let snapshot =
        Snapshot { sources: vec![Source::default(), Source { name: "m.nft".into(), text }], directory: String::new() };
    // Doubts of rules are the router's: its pipeline keeps them.
    let mut pipeline = std::mem::take(&mut router.pipeline);
    let mut marks = callpath_core::model::Pipeline::default();
    ruleset(&snapshot, SourceId(1), &nft::Text, &mut marks).expect("marks");
    marks.doubts.append(&mut pipeline.doubts);
    for doubt in &mut marks.doubts {
        doubt.origin = callpath_core::model::OriginId(0);
    }
    router.pipeline = marks;
    let index = router.interface("in0").expect("in0");
    router.interfaces[index].settings.way_back = way_back;
    let all = match words.family {
        Family::V4 => Set::range(1, u128::from(u32::MAX)),
        Family::V6 => Set::range(2, u128::MAX),
    };
    let hop: IpAddr = words.on(0, 1).parse().expect("an address");
    let mut iface = Interface { name: "eth0".into(), segment: index, ..Interface::default() };
    let hosts = all.minus(&router.own_addresses(words.family));
    match words.family {
        Family::V4 => iface.hosts_v4 = hosts,
        Family::V6 => iface.hosts_v6 = hosts,
    }
    let to = ipnet::IpNet::new(words.family.address(0), 0).expect("a net");
    let route = Route { to, target: RouteTarget::Via(0, Some(hop)), table: 254, metric: 0 };
    let hosts = Device { name: "hosts".into(), interfaces: vec![iface], routes: vec![route], ..Device::default() };
    Network { devices: vec![router, hosts].into(), ..Network::default() }
}

/// Where the trace sees the packet go: the interface, `local`, or nothing; absent: it does not know.
fn traced(network: &Network, words: &Words, packet: &Packet) -> Option<String> {
    let value = |text: &str| Set::one(address_value(text.parse().expect("an address")));
    let mut cube = Cube { parts: std::array::from_fn(|_| Set::empty()), vars: Vec::new() };
    cube.parts[Part::Src as usize] = value(&packet.src);
    cube.parts[Part::Dst as usize] = value(&packet.dst);
    cube.parts[Part::SrcPort as usize] = Set::one(packet.sport.into());
    cube.parts[Part::DstPort as usize] = Set::one(packet.dport.into());
    cube.parts[Part::Proto as usize] = Set::one(if packet.proto == "udp" { 17 } else { 6 });
    // The hosts own everything; what they send must leave them all the same.
    let mut network = network.clone();
    let only = value(&packet.src);
    let iface = &mut network.devices[1].interfaces[0];
    match words.family {
        Family::V4 => iface.hosts_v4 = only,
        Family::V6 => iface.hosts_v6 = only,
    }
    let answer = ask_requests(&network, &Question { from: 1, family: words.family, packets: cube });
    let mut ways: Vec<String> = Vec::new();
    for trip in &answer.trips {
        let hop = trip.request.hops.iter().find(|h| h.device == 0);
        let way = match (&trip.request.end, hop.and_then(|h| h.out_iface)) {
            (Disposition::TooManyDoubts | Disposition::Unknown(_), _) => return None,
            (_, Some(i)) => network.devices[0].interfaces[i].name.to_string(),
            (Disposition::Delivered { .. }, None) if trip.request.last().device == 0 => "local".into(),
            _ => String::new(),
        };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    if ways.len() == 1 { ways.pop() } else { None }
}

/// Where the kernel says that it goes.
fn asked(answer: &str) -> String {
    let Ok(list) = serde_json::from_str::<Vec<serde_json::Value>>(answer) else { return String::new() };
    let text = |key: &str| list.first().and_then(|r| r.get(key)).and_then(|v| v.as_str()).map(str::to_owned);
    match text("type").as_deref() {
        Some("local") => "local".into(),
        Some("blackhole" | "unreachable" | "prohibit" | "throw") => String::new(),
        // IPv6 answers with the route that refuses.
        _ if list.first().is_some_and(|r| r.get("error").is_some()) => String::new(),
        _ => text("dev").filter(|d| d != "lo").unwrap_or_default(),
    }
}

#[test]
fn the_kernel_sends_packets_where_the_trace_says() {
    let (mut same, mut open) = (0, 0);
    let mut wrong = Vec::new();
    for seed in 0..ROUTERS {
        let mut random = Random::new(seed as u64 + 7);
        let words = &WORDS[seed % 2];
        let flag = words.flag;
        let (check, marked) = (random.below(3), random.chance(50));
        let mut script = String::from("ip link set lo up\n");
        for (n, name) in ["in0", "out0", "out1", "out2"].iter().enumerate() {
            let _ = writeln!(
                script,
                "ip link add name {name} type veth peer name p{n}; ip link set {name} up; ip link set p{n} up; \
                 echo 0 > /proc/sys/net/ipv6/conf/{name}/accept_dad; ip addr add {}/{} dev {name}{}",
                words.on(n, 1),
                words.bits,
                if words.family == Family::V6 { " nodad" } else { "" }
            );
        }
        script += "ip link set out2 group 7\nprintf 1 > /proc/sys/net/ipv4/ip_forward\nprintf 1 > /proc/sys/net/ipv6/conf/all/forwarding\n";
        let _ = writeln!(
            script,
            "printf 0 > /proc/sys/net/ipv4/conf/all/rp_filter; printf {check} > /proc/sys/net/ipv4/conf/in0/rp_filter; \
             printf {} > /proc/sys/net/ipv4/conf/in0/src_valid_mark",
            u8::from(marked)
        );
        script += &tables(words, &mut random);
        let _ = writeln!(
            script,
            "ip -j addr; echo '#'; ip -j {flag} route show table all; echo '#'; ip -j {flag} rule; echo '#'"
        );
        let list = packets(words, &mut random);
        for p in &list {
            let _ = writeln!(
                script,
                "ip -j {flag} route get {} from {} iif in0 mark {} ipproto {} sport {} dport {} 2>/dev/null; echo '#'",
                p.dst, p.src, p.mark, p.proto, p.sport, p.dport
            );
        }
        let answers = inside(&(script.clone() + "true"));
        let way_back = match check {
            1 => WayBack::Same { marked },
            2 => WayBack::Any { marked },
            _ => WayBack::Unchecked,
        };
        for (p, answer) in list.iter().zip(&answers[3..]) {
            let network = network(words, &answers, p.mark, way_back);
            match traced(&network, words, p) {
                None => open += 1,
                Some(way) if way == asked(answer) => same += 1,
                Some(way) => wrong.push(format!(
                    "seed {seed}, check {check}, by mark {marked}: {} {} -> {}:{} from port {} mark {}: `{way}`, kernel: {answer}\n{}\n{}",
                    p.proto, p.src, p.dst, p.dport, p.sport, p.mark, answers[2], answers[1]
                )),
            }
        }
    }
    println!("{same} packets go where the trace says, {open} may go several ways");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), wrong.len() + same, wrong[..wrong.len().min(3)].join("\n"));
    assert!(same > ROUTERS * PACKETS / 2, "{same}");
}
