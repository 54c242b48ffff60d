//! Rulesets of n rules that single out one port each, in the ways in which people write them.

use std::fmt::Write;

/// A product behind one router.
pub const MANIFEST: &str = "address = \"203.0.113.9\"\n[[gateway]]\nlabel = \"router\"\nconfig = \"router.nft\"\n\
    interfaces = { wan = \"203.0.113.9/24\", lan = \"192.168.1.1/24\" }\nroutes = [\"default via 203.0.113.1\"]\n\
    [[deploy]]\nsystem = \"livekit\"\nlabel = \"talk\"\nhost = \"192.168.1.50\"\n";

/// What a shape adds to a router that works.
#[derive(Default)]
pub struct Parts {
    sets: String,
    chains: String,
    forward: String,
    prerouting: String,
    postrouting: String,
    /// The filter lets nothing pass that it does not name.
    closed: bool,
    /// Media is forwarded by the parts alone.
    no_media: bool,
}

impl Parts {
    /// The ruleset.
    pub fn text(&self) -> String {
        let media = "\t\tiifname \"wan\" udp dport 50000-60000 dnat to 192.168.1.50\n\
            \t\tiifname \"lan\" ip daddr 203.0.113.9 udp dport 50000-60000 dnat to 192.168.1.50\n";
        format!(
            "table ip filter {{\n{}{}\tchain forward {{\n\t\ttype filter hook forward priority 0; policy {};\n{}\t}}\n}}\n\
             table ip nat {{\n\tchain prerouting {{\n\t\ttype nat hook prerouting priority -100; policy accept;\n{}\
             \t\tiifname \"wan\" tcp dport {{ 443, 7881 }} dnat to 192.168.1.50\n{}\
             \t\tiifname \"lan\" ip daddr 203.0.113.9 tcp dport {{ 443, 7881 }} dnat to 192.168.1.50\n\t}}\n\
             \tchain postrouting {{\n\t\ttype nat hook postrouting priority 100; policy accept;\n{}\
             \t\toifname \"lan\" ip saddr 192.168.1.0/24 masquerade\n\t\toifname \"wan\" masquerade\n\t}}\n}}\n",
            self.sets,
            self.chains,
            if self.closed { "drop" } else { "accept" },
            self.forward,
            self.prerouting,
            if self.no_media { "" } else { media },
            self.postrouting,
        )
    }
}

fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut all, i| {
        let _ = writeln!(all, "\t\t{}", line(i));
        all
    })
}

/// The i-th of n ports that lie apart.
fn port(i: usize, n: usize) -> usize {
    50_000 + i * 10_000 / n
}

const ESTABLISHED: &str = "\t\tct state established,related accept\n";

/// A name, and what n rules of it are.
pub type Shape = (&'static str, fn(usize) -> Parts);

fn drops(n: usize) -> String {
    lines(n, |i| format!("udp dport {} drop", port(i, n)))
}

/// All shapes.
pub const SHAPES: &[Shape] = &[
    ("drops by port", |n| Parts { forward: drops(n), ..Parts::default() }),
    ("drops by port, behind state", |n| Parts { forward: ESTABLISHED.to_owned() + &drops(n), ..Parts::default() }),
    ("drops by address and port", |n| Parts {
        forward: lines(n, |i| format!("ip daddr 192.168.1.50 udp dport {} drop", port(i, n))),
        ..Parts::default()
    }),
    ("drops by source port", |n| Parts {
        forward: ESTABLISHED.to_owned() + &lines(n, |i| format!("udp sport {} drop", 1024 + i * 60_000 / n)),
        ..Parts::default()
    }),
    ("drops by port and source port", |n| Parts {
        forward: lines(n, |i| match i % 2 {
            0 => format!("udp dport {} drop", port(i, n)),
            _ => format!("udp sport {} drop", 1024 + i * 60_000 / n),
        }),
        ..Parts::default()
    }),
    ("stateless pairs", |n| Parts {
        forward: lines(n, |i| match i % 2 {
            0 => format!("udp dport {}-{} accept", port(i, n), port(i + 2, n) - 1),
            _ => format!("udp sport {}-{} accept", port(i - 1, n), port(i + 1, n) - 1),
        }),
        closed: true,
        ..Parts::default()
    }),
    ("accept and drop in turn", |n| Parts {
        forward: ESTABLISHED.to_owned()
            + &lines(n, |i| format!("udp dport {} {}", port(i, n), if i % 2 == 0 { "drop" } else { "accept" })),
        ..Parts::default()
    }),
    ("forwards of one port", |n| Parts {
        prerouting: lines(n, |i| format!("iifname \"wan\" udp dport {} dnat to 192.168.1.50", port(i, n))),
        no_media: true,
        ..Parts::default()
    }),
    ("forwards of one port from everywhere", |n| Parts {
        prerouting: lines(n, |i| format!("ip daddr 203.0.113.9 udp dport {} dnat to 192.168.1.50", port(i, n))),
        no_media: true,
        ..Parts::default()
    }),
    ("forwards of one port to another", |n| Parts {
        prerouting: lines(n, |i| {
            format!("iifname \"wan\" udp dport {} dnat to 192.168.1.50:{}", port(i, n), port(i, n) - 10_000)
        }),
        no_media: true,
        ..Parts::default()
    }),
    ("a verdict map onto chains", |n| Parts {
        chains: lines(n, |i| format!("chain c{i} {{ drop; }}")),
        forward: format!(
            "{ESTABLISHED}\t\tudp dport vmap {{ {} }}\n",
            (0..n).map(|i| format!("{} : jump c{i}", port(i, n))).collect::<Vec<_>>().join(", ")
        ),
        ..Parts::default()
    }),
    ("a mark for each port", |n| Parts {
        forward: ESTABLISHED.to_owned()
            + &lines(n, |i| format!("udp dport {} meta mark set {}", port(i, n), i + 1))
            + &lines(n, |i| format!("meta mark {} drop", i + 1)),
        ..Parts::default()
    }),
    ("source translation for each port", |n| Parts {
        postrouting: lines(n, |i| format!("oifname \"lan\" udp dport {} snat to 192.168.1.1", port(i, n))),
        ..Parts::default()
    }),
    ("a set of addresses and ports", |n| Parts {
        sets: format!(
            "\tset p {{\n\t\ttype ipv4_addr . inet_service\n\t\telements = {{ {} }}\n\t}}\n",
            (0..n).map(|i| format!("192.168.1.50 . {}", port(i, n))).collect::<Vec<_>>().join(", ")
        ),
        forward: ESTABLISHED.to_owned() + "\t\tip daddr . udp dport @p drop\n",
        ..Parts::default()
    }),
    ("limits", |n| Parts {
        forward: ESTABLISHED.to_owned() + &lines(n, |i| format!("udp dport {} limit rate 5/second drop", port(i, n))),
        ..Parts::default()
    }),
    ("rules that are not read", |n| Parts {
        forward: ESTABLISHED.to_owned() + &lines(n, |i| format!("udp dport {} frobnicate {i} drop", port(i, n))),
        ..Parts::default()
    }),
];
