//! A pfSense backup of 5 MB with 5,000 rules and 20,000 entries of aliases, from its text to the report.
//!
//! `cargo bench -p callpath-core --bench pfsense`. Memory is the largest resident size of this process.

use callpath_core::check::analyze;
use callpath_core::dialect::pf;
use callpath_core::dialect::pfsense::{generate, read, secrets};
use callpath_core::model::SourceId;
use callpath_core::report::Verdict;
use callpath_core::snapshot::{Snapshot, Source};
use std::fmt::Write;
use std::time::Instant;

const RULES: usize = 5_000;
const ALIASES: usize = 20;
const ENTRIES: usize = 20_000;

const MANIFEST: &str = r#"address = "203.0.113.5"

[[gateway]]
config = "config.xml"

[[deploy]]
system = "spokes"
host   = "192.168.1.50"
"#;

const HEAD: &str = "<?xml version=\"1.0\"?>
<pfsense><version>24.0</version>
<system><disablenatreflection>yes</disablenatreflection><enablenatreflectionhelper>yes</enablenatreflectionhelper><webgui><protocol>https</protocol></webgui></system>
<interfaces>
<wan><enable></enable><if>em0</if><descr>WAN</descr><ipaddr>203.0.113.5</ipaddr><subnet>24</subnet><gateway>GW</gateway></wan>
<lan><enable></enable><if>em1</if><descr>LAN</descr><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet></lan>
<opt1><enable></enable><if>em2</if><descr>VOIP</descr><ipaddr>192.168.20.1</ipaddr><subnet>24</subnet></opt1>
</interfaces>
<gateways><gateway_item><interface>wan</interface><gateway>203.0.113.1</gateway><name>GW</name></gateway_item><defaultgw4>GW</defaultgw4></gateways>
";

fn forward(protocol: &str, ports: &str) -> String {
    format!(
        "<rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>{protocol}</protocol><source><any></any></source>\
         <destination><network>wanip</network><port>{ports}</port></destination><target>192.168.1.50</target>\
         <descr>media</descr><natreflection>purenat</natreflection></rule>\n"
    )
}

fn rule(protocol: &str, source: &str, destination: &str, interface: &str, action: &str, n: usize) -> String {
    format!(
        "\t\t<rule>\n\t\t\t<id></id>\n\t\t\t<tracker>{tracker}</tracker>\n\t\t\t<type>{action}</type>\n\
         \t\t\t<interface>{interface}</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<tag></tag>\n\
         \t\t\t<tagged></tagged>\n\t\t\t<max></max>\n\t\t\t<max-src-nodes></max-src-nodes>\n\t\t\t<max-src-conn></max-src-conn>\n\
         \t\t\t<max-src-states></max-src-states>\n\t\t\t<statetimeout></statetimeout>\n\
         \t\t\t<statetype><![CDATA[keep state]]></statetype>\n\t\t\t<os></os>\n\t\t\t<protocol>{protocol}</protocol>\n\
         \t\t\t<source>\n\t\t\t\t{source}\n\t\t\t</source>\n\t\t\t<destination>\n\t\t\t\t{destination}\n\t\t\t</destination>\n\
         \t\t\t<descr><![CDATA[rule number {n} of a large office, as asked for in the ticket of that number]]></descr>\n\t\t\t<created>\n\t\t\t\t<time>{tracker}</time>\n\
         \t\t\t\t<username><![CDATA[admin@192.168.1.100 (Local Database)]]></username>\n\t\t\t</created>\n\t\t</rule>\n",
        tracker = 1_700_000_000 + n,
    )
}

fn backup() -> String {
    let mut out = String::from(HEAD);
    out += "<nat>\n";
    out += &forward("udp", "50000-50499");
    out += &forward("tcp", "7881");
    out += "<outbound><mode>automatic</mode></outbound></nat>\n<filter>\n";
    for n in 0..RULES - 4 {
        let (alias, b, c) = (n % ALIASES, n / 256 % 256, n % 256);
        let source = match n % 3 {
            0 => format!("<address>list_{alias}</address>"),
            1 => format!("<address>100.{b}.{c}.0/24</address>"),
            _ => "<any></any>".into(),
        };
        let low = 1024 + n % 40_000;
        let ports = format!("<port>{low}-{}</port>", low + 100);
        let destination = match n % 4 {
            0 => format!("<address>192.168.20.{c}</address>{ports}"),
            1 => format!("<address>list_{alias}</address>{ports}"),
            _ => format!("<address>192.168.{}.{c}</address>{ports}", 30 + b),
        };
        let interface = ["wan", "lan", "opt1"][n % 3];
        let action = if n % 5 == 4 { "block" } else { "pass" };
        out += &rule(["udp", "tcp"][n % 2], &source, &destination, interface, action, n);
    }
    let server = "<address>192.168.1.50</address>";
    out += &rule("udp", "<any></any>", &format!("{server}<port>50000-50499</port>"), "wan", "pass", RULES);
    out += &rule("tcp", "<any></any>", &format!("{server}<port>7881</port>"), "wan", "pass", RULES);
    for inner in ["lan", "opt1"] {
        out += &rule("any", "<any></any>", "<any></any>", inner, "pass", RULES);
    }
    out += "</filter>\n<aliases>\n";
    let each = ENTRIES / ALIASES;
    for alias in 0..ALIASES {
        let entries = (0..each).map(|n| format!("{}.{}.{}.{}", 30 + alias, n / 256, n % 256, 2 * n % 256));
        let details: Vec<String> =
            (0..each).map(|n| format!("Entry added by hand in the year that nobody remembers, number {n}")).collect();
        let _ = writeln!(
            out,
            "<alias><name>list_{alias}</name><type>network</type><address>{}</address><descr></descr><detail><![CDATA[{}]]></detail></alias>",
            entries.collect::<Vec<_>>().join(" "),
            details.join("||")
        );
    }
    out += "</aliases>\n</pfsense>\n";
    out
}

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let text = backup();
    println!("{} kB, {RULES} rules, {ENTRIES} entries in {ALIASES} aliases", text.len() / 1024);
    let mut last = Instant::now();
    let mut lap = |what: &str| {
        println!("{what:>20} {:>8.1} ms, peak so far {} MB", last.elapsed().as_secs_f64() * 1e3, peak_megabytes());
        last = Instant::now();
    };
    let blanked = secrets::blank(&text);
    lap("blank");
    let config = read::read(SourceId(1), &blanked).expect("reads");
    lap("read");
    let mut device = generate::device(&config, "router");
    let generated = generate::generate(&config, &device.interfaces, &generate::Known::default());
    assert!(generated.left_out.is_empty(), "{:?}", generated.left_out);
    lap("generate");
    pf::lower::lower(&generated.rules, &mut device);
    lap("lower");
    let sources = [("callpath.toml", MANIFEST.to_owned()), ("config.xml", blanked)];
    let sources = sources.into_iter().map(|(name, text)| Source { name: name.into(), text }).collect();
    let snapshot = Snapshot { sources, directory: String::new() };
    let report = analyze(&snapshot).expect("an answer");
    assert_eq!(report.verdict, Verdict::Works);
    lap("all: read to report");
}
