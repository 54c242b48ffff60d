//! Sites that were tried on the program, one function for each: what the right answer is, and with which fact.
//!
//! They lie outside of this repository, each folder with a manifest, its files and `expected.txt`.

use callpath_core::call::analyze;
use callpath_core::report::{Finding, Report, Severity, Verdict};
use callpath_core::snapshot::{InputError, Snapshot, Source};
use std::path::{Path, PathBuf};

/// The folder of one site. Absent only where none of the sites is there, which is an error in continuous integration.
fn folder(name: &str) -> Option<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/tried");
    if !all.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "{} is not there", all.display());
        println!("0 sites: {} is not there", all.display());
        return None;
    }
    println!("1 site: {name}");
    Some(all.join(name))
}

/// The site's texts, with this manifest first.
fn snapshot(folder: &Path, manifest: &str) -> Snapshot {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the site's folder")
        .filter_map(|f| f.ok()?.file_name().into_string().ok())
        .filter(|n| !Path::new(n).extension().is_some_and(|e| e == "toml" || e == "txt"))
        .collect();
    names.sort();
    let mut sources = vec![Source { name: "callpath.toml".into(), text: manifest.to_owned() }];
    sources.extend(names.into_iter().map(|name| Source { text: read(&name), name }));
    Snapshot { sources, directory: String::new() }
}

/// What is said of a site whose manifest is changed first.
fn judged(folder: &Path, manifest: &str, change: impl Fn(&str) -> String) -> Result<Report, InputError> {
    let text = std::fs::read_to_string(folder.join(manifest)).expect("the manifest");
    analyze(&snapshot(folder, &change(&text)))
}

fn report(folder: &Path, manifest: &str, change: impl Fn(&str) -> String) -> Report {
    judged(folder, manifest, change).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

fn as_given(text: &str) -> String {
    text.to_owned()
}

#[track_caller]
fn works(report: &Report) {
    assert_eq!(report.verdict, Verdict::Works, "{}", report.headline);
}

/// Several addresses of one network on one interface are usual: the second router of a pair, an address for a service.
#[test]
fn site_20_an_interface_has_two_addresses_of_one_network() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    works(&report(&site, "linux.toml", as_given));
    works(&report(&site, "callpath.toml", as_given));
    // The same with a wider network on the second, and with one on another interface that holds the host as well.
    works(&report(&site, "linux.toml", |t| t.replace("192.168.1.254/24", "192.168.0.254/16")));
    works(&report(&site, "linux.toml", |t| {
        t.replace("\"203.0.113.9/24\",", "\"203.0.113.9/24\", vpn = \"192.168.2.9/16\",")
    }));
    let twice = judged(&site, "linux.toml", |t| {
        t.replace("\"203.0.113.9/24\",", "\"203.0.113.9/24\", other = \"192.168.1.9/24\",")
    });
    let error = twice.expect_err("two interfaces with one network");
    assert!(error.message.contains("several interfaces"), "{}", error.message);
}

/// `(igb0:0)` is the first address of an interface: with and without it, and with a second address on the interface, of
/// which translation to `(igb0)` takes either.
#[test]
fn site_15_the_first_address_of_an_interface() {
    let Some(site) = folder("15-pf-interface-colon-zero") else { return };
    works(&report(&site, "callpath.toml", as_given));
    works(&report(&site, "callpath.toml", |t| {
        t.replace("\"203.0.113.4/24\"", "[\"203.0.113.4/24\", \"203.0.113.9/24\"]")
    }));
}

/// The pfSense of site 20 with its outbound translation missing, for the wrong interface, or not made for a LAN that has
/// a gateway, which pfSense takes for a line.
#[test]
fn site_20_without_outbound_translation() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let with = |edits: &[(&str, &str)]| {
        let mut all = snapshot(&site, &manifest);
        let file = all.sources.iter_mut().find(|s| s.name == "config.xml").expect("the backup");
        for (from, to) in edits {
            assert!(file.text.contains(from), "{from}");
            file.text = file.text.replacen(from, to, 1);
        }
        analyze(&all).unwrap_or_else(|e| panic!("{}", e.message))
    };
    let missing = with(&[("<mode>automatic", "<mode>disabled")]);
    assert!(shown(finding(&missing, "outbound-nat-missing")).is_empty(), "no rule translates anything");
    assert!(finding(&missing, "outbound-nat-missing").verified, "a rule by hand cures it");
    let rule = "<mode>advanced</mode><rule><interface>lan</interface><source><network>192.168.1.0/24</network></source><destination><any></any></destination><descr>out</descr></rule>";
    let reversed = with(&[("<mode>automatic</mode>", rule)]);
    assert!(shown(finding(&reversed, "outbound-nat-missing"))[0].contains("<interface>lan</interface>"));
    assert!(finding(&reversed, "outbound-nat-missing").verified);
    let lan = with(&[
        (
            "<ipaddr>192.168.1.1</ipaddr><subnet>24</subnet>",
            "<ipaddr>192.168.1.1</ipaddr><subnet>24</subnet><gateway>LANGW</gateway>",
        ),
        (
            "<defaultgw4>",
            "<gateway_item><interface>lan</interface><gateway>192.168.1.2</gateway><name>LANGW</name><ipprotocol>inet</ipprotocol></gateway_item><defaultgw4>",
        ),
    ]);
    finding(&lan, "outbound-nat-missing");
    let refused = finding(&lan, "hairpin-missing").refused.as_deref().unwrap_or_default().to_owned();
    assert!(refused.contains("LAN has the gateway LANGW"), "{refused}");
    assert!(finding(&lan, "hairpin-missing").change.is_none() || !refused.is_empty());
}

/// A server whose packets pfSense gives another address than the one that is called: by a rule by hand, or by a 1:1
/// entry, which comes before all rules.
#[test]
fn site_20_with_another_outbound_address() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let with = |from: &str, to: &str, more: &str| {
        let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
        let mut all = snapshot(&site, &format!("{manifest}{more}"));
        let file = all.sources.iter_mut().find(|s| s.name == "config.xml").expect("the backup");
        assert!(file.text.contains(from), "{from}");
        let vip = "<virtualip><vip><mode>ipalias</mode><interface>wan</interface><type>single</type><subnet_bits>24</subnet_bits><subnet>203.0.113.77</subnet></vip>";
        file.text = file.text.replacen(from, to, 1).replacen("<virtualip>", vip, 1);
        analyze(&all).unwrap_or_else(|e| panic!("{}", e.message))
    };
    let rule = "<mode>hybrid</mode><rule><interface>wan</interface><ipprotocol>inet</ipprotocol><source><network>192.168.1.50/32</network></source><destination><any></any></destination><target>203.0.113.77</target><target_subnet>32</target_subnet><descr>out</descr></rule>";
    let (from, told) = ("<mode>automatic</mode>", "told = { internet = \"public\" }\n");
    let other = with(from, rule, "");
    assert_ne!(other.verdict, Verdict::Works, "{}", other.headline);
    assert_eq!(errors(&other), ["outbound-nat-missing"]);
    assert!(finding(&other, "outbound-nat-missing").verified, "{:?}", finding(&other, "outbound-nat-missing"));
    works(&with(from, rule, told));
    let entry = "<nat><onetoone><interface>wan</interface><external>203.0.113.77</external><source><address>192.168.1.50</address></source><destination><any></any></destination><descr>one</descr></onetoone>";
    let one = with("<nat>", entry, "");
    assert_ne!(one.verdict, Verdict::Works, "{}", one.headline);
    let refused = finding(&one, "outbound-nat-missing").refused.as_deref().unwrap_or_default().to_owned();
    assert!(refused.contains("before any outbound rule"), "{refused} {:?}", one.findings);
    works(&with("<nat>", entry, told));
}

/// Of a list that the firewall loads it is an exception that it blocks, and a doubt that it lets in. Who has signed in at
/// a captive portal is not known, which concerns its network alone.
#[test]
fn site_20_with_lists_and_with_a_captive_portal() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let with = |edits: &[(&str, &str)]| {
        let mut all = snapshot(&site, &manifest);
        let file = all.sources.iter_mut().find(|s| s.name == "config.xml").expect("the backup");
        for (from, to) in edits {
            assert!(file.text.contains(from), "{from}");
            file.text = file.text.replace(from, to);
        }
        analyze(&all).unwrap_or_else(|e| panic!("{}", e.message))
    };
    let list = "<aliases><alias><name>pfB_Europe</name><type>urltable</type><url>https://127.0.0.1/x</url></alias></aliases></pfsense>";
    let block = "<filter><rule><type>block</type><interface>wan</interface><ipprotocol>inet</ipprotocol><source><address>pfB_Europe</address></source><destination><any></any></destination></rule>";
    let blocks = with(&[("</pfsense>", list), ("<filter>", block)]);
    works(&blocks);
    assert!(blocks.headline.ends_with("except for addresses on pfB_Europe"), "{}", blocks.headline);
    let only = "<source><address>pfB_Europe</address></source><interface>wan";
    let lets_in = with(&[("</pfsense>", list), ("<source><any></any></source><interface>wan", only)]);
    assert_eq!(lets_in.verdict, Verdict::Unknown, "{}", lets_in.headline);
    let portal =
        "<captiveportal><guests><enable></enable><interface>opt1</interface></guests></captiveportal></pfsense>";
    let portal = with(&[("</pfsense>", portal)]);
    let unknown: Vec<&str> =
        portal.paths.iter().filter(|p| p.verdict == Verdict::Unknown).map(|p| p.vantage.as_str()).collect();
    assert!(!unknown.is_empty() && unknown.iter().all(|p| *p == "net:GUEST"), "{unknown:?}");
}

/// Two lines by DHCP, the name on the second: asked for, and right once it is stated.
#[test]
fn site_20_with_the_name_on_the_second_of_two_leased_lines() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let with = |manifest: &str| {
        let mut all = snapshot(&site, manifest);
        let file = all.sources.iter_mut().find(|s| s.name == "config.xml").expect("the backup");
        let gateways = file.text.split_once("<gateways>").and_then(|(_, t)| t.split_once("</gateways>"));
        let gateways = gateways.expect("gateways").0.to_owned();
        file.text = file
            .text
            .replace(&gateways, "")
            .replace("<ipaddr>203.0.113.5</ipaddr><subnet>24</subnet><gateway>WANGW</gateway>", "<ipaddr>dhcp</ipaddr>")
            .replace(
                "</opt1>",
                "</opt1><opt2><enable></enable><if>igc3</if><descr>LINE2</descr><ipaddr>dhcp</ipaddr></opt2>",
            )
            .replace("<network>wanip</network>", "<network>opt2ip</network>")
            .replace("<interface>wan</interface>", "<interface>opt2</interface>");
        analyze(&all)
    };
    let asked = with(&manifest).expect_err("nothing says which line it is");
    assert!(asked.message.contains("WAN (igc0) or LINE2 (igc3)"), "{}", asked.message);
    assert!(asked.help.contains("interfaces = "), "{}", asked.help);
    let both = "interfaces = { igc0 = \"198.51.100.9/24\", igc3 = \"203.0.113.5/24\" }\n[[deploy]]";
    // What the server asks outside leaves by the first line: which address it tells is asked for, too.
    let stated = with(&manifest.replace("[[deploy]]", both)).expect("an answer");
    assert_eq!(stated.verdict, Verdict::Unknown, "{}", stated.headline);
    let told = |manifest: &str| format!("{manifest}\ntold = {{ internet = \"public\" }}\n");
    let stated = with(&told(&manifest.replace("[[deploy]]", both))).expect("an answer");
    works(&stated);
    assert!(
        !stated.assumptions.iter().any(|a| a.contains("LINE2 of pfSense is another line")),
        "{:?}",
        stated.assumptions
    );
}

/// The finding with this code; its absence shows what else there is.
#[track_caller]
fn finding<'r>(report: &'r Report, code: &str) -> &'r Finding {
    let named: Vec<&Finding> = report.findings.iter().filter(|f| f.code == code).collect();
    let all: Vec<&str> = report.findings.iter().map(|f| f.code).collect();
    assert_eq!(named.len(), 1, "{code} is named {} times; named are {all:?}", named.len());
    named[0]
}

#[track_caller]
fn errors(report: &Report) -> Vec<&'static str> {
    report.findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect()
}

/// The lines that a finding is about, as they stand in the file.
fn shown(finding: &Finding) -> Vec<&str> {
    finding.at.iter().map(|m| m.text.trim()).collect()
}

/// Where each rule of a change goes: the words before the rule itself.
fn places(finding: &Finding) -> Vec<String> {
    let steps = finding.change.iter().flat_map(|c| &c.steps).filter(|s| s.shell.is_some());
    let lines = steps.flat_map(|s| &s.lines).map(|l| l.trim_start_matches("nft '"));
    let mut out: Vec<String> = lines.map(|l| l.split_whitespace().take(5).collect::<Vec<_>>().join(" ")).collect();
    out.dedup();
    out
}

/// One error, with this code, at these lines; its change is checked, and all its rules go here.
#[track_caller]
fn one_cause(report: &Report, code: &str, lines: &[&str], place: &[&str]) {
    assert_eq!(errors(report), [code]);
    let found = finding(report, code);
    assert_eq!(shown(found), lines);
    assert_eq!(places(found), place);
    assert!(found.verified, "{:?}", found.change);
}

/// The router's rules with a part written anew.
fn with_rules(site: &Path, from: &str, to: &str) -> Report {
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let mut texts = snapshot(site, &manifest);
    let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
    assert!(rules.text.contains(from), "{from}");
    rules.text = rules.text.replacen(from, to, 1);
    analyze(&texts).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

const FORWARD: &[&str] = &["insert rule inet f forward"];

/// Any number of rules that block one after the other stand before the one that lets packets pass.
#[test]
fn site_02_several_rules_block_before_the_accept() {
    let Some(site) = folder("02-two-blocks-before-accept") else { return };
    let drop = "iifname \"wan\" oifname \"lan\" drop";
    one_cause(&report(&site, "callpath.toml", as_given), "blocked-earlier", &[drop, drop], FORWARD);
    let blocks = "\t\tiifname \"wan\" oifname \"lan\" drop\n\t\tiifname \"wan\" oifname \"lan\" drop\n";
    // What fw4 does: TCP is refused by one rule, the rest by the next.
    let (tcp, rest) = ("meta l4proto tcp reject with tcp reset", "iifname \"wan\" reject");
    let both = with_rules(&site, blocks, &format!("\t\t{tcp}\n\t\t{rest}\n"));
    one_cause(&both, "blocked-earlier", &[tcp, rest], FORWARD);
    let many = with_rules(&site, blocks, &"\t\tiifname \"wan\" oifname \"lan\" drop\n".repeat(40));
    assert_eq!(shown(finding(&many, "blocked-earlier")).len(), 40);
    // A rule of which nothing is known between them does not hide what stands below.
    let unread = with_rules(&site, blocks, &format!("\t\t{drop}\n\t\tfrobnicate 7\n"));
    assert_eq!(shown(finding(&unread, "blocked-earlier")), [drop]);
    // Nothing below lets them pass: then nothing is "earlier".
    let none = with_rules(&site, "\t\tct status dnat accept\n", "");
    assert_eq!(errors(&none), ["filter-missing"]);
    assert_eq!(shown(finding(&none, "filter-missing")), [drop]);
    // A last rule for everything is the list's policy, whatever stands behind the list.
    let policy = "policy drop;\n\t\tct state";
    let open = with_rules(&site, policy, "policy accept;\n\t\tct state");
    assert_eq!(errors(&open), ["blocked-earlier"]);
    let last = with_rules(&site, "\t\tct status dnat accept\n", "\t\tiifname \"wan\" drop\n");
    assert_eq!(errors(&last), ["filter-missing"]);
}

/// A second list of the same hook that stops them too is a cause of its own, and takes no name from the first.
#[test]
fn site_02_a_block_keeps_its_name_beside_a_second_list() {
    let Some(site) = folder("02-two-blocks-before-accept") else { return };
    let second = "\n\tchain second {\n\t\ttype filter hook forward priority filter + 10; policy drop;\n\t\tct state established,related accept\n\t\tiifname \"lan\" accept\n\t}\n}";
    let two = with_rules(&site, "\n\t}\n\n}", &format!("\n\t}}\n{second}"));
    let drop = "iifname \"wan\" oifname \"lan\" drop";
    assert_eq!(shown(finding(&two, "blocked-earlier")), [drop, drop]);
    assert!(finding(&two, "blocked-earlier").verified);
}

/// A block before the accept is named too where the forward is missing as well, and each is cured by its own rules.
#[test]
fn site_02_a_block_is_named_behind_a_missing_forward() {
    let Some(site) = folder("02-two-blocks-before-accept") else { return };
    let drop = "iifname \"wan\" oifname \"lan\" drop";
    let forwards = "\t\tiifname \"wan\" tcp dport { 443, 7881 } dnat ip to 192.168.1.50\n\t\tiifname \"wan\" udp dport 50000-50200 dnat ip to 192.168.1.50\n";
    let found = with_rules(&site, forwards, "");
    assert_eq!(errors(&found), ["forward-missing", "blocked-earlier"]);
    assert_eq!(shown(finding(&found, "blocked-earlier")), [drop, drop]);
    for (code, command) in [("forward-missing", "insert rule inet f pre"), ("blocked-earlier", FORWARD[0])] {
        let finding = finding(&found, code);
        assert!(finding.verified, "{code}");
        let lines = &finding.change.as_ref().expect("a change").steps[0].lines;
        assert!(lines.len() == 3 && lines.iter().all(|l| l.contains(command)), "{lines:?}");
    }
}

/// A chain that only refuses is used by many: to blame is the rule that leads there, and the change goes above it.
#[test]
fn site_03_a_shared_reject_chain() {
    let Some(site) = folder("03-shared-reject-chain") else { return };
    let jump = "iifname \"wan\" oifname \"lan\" jump rej";
    one_cause(&report(&site, "callpath.toml", as_given), "blocked-earlier", &[jump], FORWARD);
    let variant = |line: &str, chains: &str| {
        let rej = "\tchain rej { meta l4proto tcp reject with tcp reset; reject; }\n";
        let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
        let mut texts = snapshot(&site, &manifest);
        let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
        rules.text = rules.text.replacen(jump, line, 1).replacen(rej, &format!("{rej}{chains}"), 1);
        analyze(&texts).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
    };
    for line in [
        "iifname \"wan\" oifname \"lan\" goto rej",
        "iifname vmap { \"wan\" : jump rej, \"lan\" : accept }",
        "iifname . oifname vmap { \"wan\" . \"lan\" : goto rej }",
        "meta nfproto vmap { ipv4 : jump rej, ipv6 : jump rej }",
    ] {
        one_cause(&variant(line, ""), "blocked-earlier", &[line], FORWARD);
    }
    // One such chain leads to the next.
    let nested =
        "\tchain log_rej { limit rate 1/second log; jump rej; }\n\tchain from_wan { oifname \"lan\" jump log_rej; }\n";
    let line = "iifname \"wan\" jump from_wan";
    one_cause(&variant(line, nested), "blocked-earlier", &[line], FORWARD);
    // Chains with rules for some packets belong to one caller: the place is in there.
    let zone = "\tchain from_wan { tcp dport 22 accept\n\t\toifname \"lan\" jump rej\n\t}\n";
    let here = "oifname \"lan\" jump rej";
    one_cause(&variant(line, zone), "blocked-earlier", &[here], &["insert rule inet f from_wan"]);
    // Used by two lists, it is no place for a rule about one of them.
    let shared = "\tchain guard { ip saddr 10.0.0.0/8 accept\n\t\tdrop\n\t}\n\tchain input { type filter hook input priority filter; policy accept;\n\t\tiifname \"wan\" jump guard\n\t}\n";
    let line = "iifname \"wan\" jump guard";
    let found = variant(line, shared);
    one_cause(&found, "blocked-earlier", &[line], FORWARD);
    // Answers and pings alone make no chain one that lets callers in.
    let answers = "\tchain guard { ct state established,related accept\n\t\tmeta l4proto icmp accept\n\t\tdrop\n\t}\n";
    one_cause(&variant(line, answers), "blocked-earlier", &[line], FORWARD);
    // A chain that refuses some packets says itself which. Its rule is to blame; the place for an accept is in there only
    // where nothing else uses it.
    let drop = "ip daddr 192.168.1.50 drop";
    let one = format!("\tchain guard {{\n\t\t{drop}\n\t}}\n");
    let line = "iifname \"wan\" jump guard";
    one_cause(&variant(line, &one), "blocked-earlier", &[drop], &["insert rule inet f guard"]);
    let two = format!(
        "{one}\tchain input {{ type filter hook input priority filter; policy accept;\n\t\tiifname \"wan\" jump guard\n\t}}\n"
    );
    one_cause(&variant(line, &two), "blocked-earlier", &[drop], FORWARD);
    let back = "\tchain guard {\n\t\tiifname \"lan\" return\n\t\tdrop\n\t}\n";
    one_cause(&variant(line, back), "blocked-earlier", &["drop"], &["insert rule inet f guard"]);
}

/// Rules that leave a list hide what stands below them as well as one that drops.
#[test]
fn site_03_the_list_is_left_before_the_accept() {
    let Some(site) = folder("03-shared-reject-chain") else { return };
    let jump = "iifname \"wan\" oifname \"lan\" jump rej";
    let back = "iifname \"wan\" oifname \"lan\" return";
    one_cause(&with_rules(&site, jump, back), "blocked-earlier", &[back], FORWARD);
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let mut texts = snapshot(&site, &manifest);
    let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
    let gone = "iifname \"wan\" oifname \"lan\" goto from_wan";
    rules.text = rules.text.replacen(jump, gone, 1).replacen(
        "\tchain rej",
        "\tchain from_wan { ip daddr 192.168.1.9 accept\n\t}\n\tchain rej",
        1,
    );
    let report = analyze(&texts).expect("an answer");
    assert_eq!(shown(finding(&report, "blocked-earlier")), [gone]);
    assert!(finding(&report, "blocked-earlier").verified);
}

/// A forward that leads to the server's port from another one outside: callers never ask for that one.
#[test]
fn site_09_a_forward_from_another_outer_port() {
    let Some(site) = folder("09-forward-with-another-outer-port") else { return };
    let rule = "iifname \"wan\" udp dport 24680 dnat to 192.168.1.50:7882";
    let given = report(&site, "callpath.toml", as_given);
    one_cause(&given, "range-shifted", &[rule], &["insert rule ip nat pre"]);
    let told = "udp 24680 outside leads to udp 7882 of the server, and callers are told udp 7882";
    assert_eq!(finding(&given, "range-shifted").message, told);
    // A box that is only stated can say it too.
    let stated = report(&site, "stated.toml", as_given);
    assert_eq!(errors(&stated), ["range-shifted"]);
    assert_eq!(finding(&stated, "range-shifted").message, told);
    // So can a range.
    let range = |text: &str| text.replace("udp = 7882", "udp = \"50000-50100\"");
    let manifest = range(&std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest"));
    let mut texts = snapshot(&site, &manifest);
    let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
    rules.text = rules.text.replace("24680 dnat to 192.168.1.50:7882", "60000-60100 dnat to 192.168.1.50:50000-50100");
    let ranges = analyze(&texts).expect("an answer");
    let message = &finding(&ranges, "range-shifted").message;
    assert!(message.starts_with("udp 60000-60100 outside leads to udp 50000-50100"), "{message}");
    // TCP the same.
    let by_tcp = |text: &str| text.replace("off = [\"tcp\"]\n", "").replace("udp = 7882", "udp = 7882, tcp = 7881");
    let manifest = by_tcp(&std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest"));
    let mut texts = snapshot(&site, &manifest);
    let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
    let tcp = "iifname \"wan\" tcp dport 24681 dnat to 192.168.1.50:7881";
    rules.text = rules.text.replace(rule, &format!("{rule}\n\t\t{tcp}"));
    let both = analyze(&texts).expect("an answer");
    assert_eq!(shown(finding(&both, "range-shifted")), [rule, tcp]);
    let message = &finding(&both, "range-shifted").message;
    assert!(message.starts_with("udp 24680 and tcp 24681 outside lead to udp 7882 and tcp 7881"), "{message}");
    // It is not what another host gets that is nearly ours.
    let other = with_rules(&site, rule, &rule.replace("192.168.1.50:7882", "192.168.1.51:7882"));
    assert_eq!(errors(&other), ["forward-missing"]);
}

/// IPv4 is turned back by rules of its own; IPv6 has only the forward for what comes from outside.
#[test]
fn site_23_hairpin_by_ipv6() {
    let Some(site) = folder("23-ipv6-reflection") else { return };
    let given = report(&site, "callpath.toml", as_given);
    assert_eq!(errors(&given), ["hairpin-missing", "hairpin-no-source-nat"]);
    let found = finding(&given, "hairpin-missing");
    assert!(found.message.contains("2001:db8:f::9"), "{}", found.message);
    for line in shown(found) {
        assert!(line.starts_with("meta nfproto ipv6") && line.contains("dnat ip6"), "{line}");
    }
    // What the server tells by IPv6 is asked for: it holds fd00:1::50, and people reach it by another address.
    let six = |p: &&callpath_core::report::Path| p.family == "ipv6" && p.vantage == "internet";
    assert!(given.paths.iter().filter(six).all(|p| p.verdict == Verdict::Unknown), "{}", given.headline);
    let told = |t: &str| t.to_owned() + "told = { internet = \"public\", lan = \"public\" }\n";
    let stated = report(&site, "callpath.toml", told);
    assert!(stated.paths.iter().filter(six).all(|p| p.verdict == Verdict::Works), "{}", stated.headline);
    assert_eq!(errors(&stated), ["hairpin-missing", "hairpin-no-source-nat"]);
    assert!(finding(&stated, "hairpin-missing").verified, "{}", stated.headline);
}

/// Signalling goes by the port that people type, whatever it is inside.
#[test]
fn site_10_people_type_another_port() {
    let Some(site) = folder("10-https-on-another-outer-port") else { return };
    let given = report(&site, "callpath.toml", as_given);
    assert_eq!(given.verdict, Verdict::Unknown, "{}", given.headline);
    assert!(given.findings.is_empty(), "{:?}", given.findings);
    works(&report(&site, "callpath.toml", |t| t.to_owned() + "proxy = { outer = 8443 }\n"));
    works(&report(&site, "callpath.toml", |t| t.to_owned() + "proxy = { at = \"192.168.1.50:443\", outer = 8443 }\n"));
    works(&report(&site, "with-8443.toml", as_given));
}

/// A web proxy of its own serves pages and passes signalling on: its port is not taken from it.
#[test]
fn site_11_the_proxy_is_another_host() {
    let Some(site) = folder("11-proxy-on-another-host") else { return };
    let given = report(&site, "callpath.toml", as_given);
    assert_eq!(given.verdict, Verdict::Unknown, "{}", given.headline);
    assert!(given.findings.is_empty(), "{:?}", given.findings);
    works(&report(&site, "callpath.toml", |t| t.to_owned() + "proxy = \"192.168.77.3:443\"\n"));
}

/// What wg-quick sets on every machine with a full tunnel: the main table without its default route, and a table of its
/// own for whatever does not carry the tunnel's mark.
#[test]
fn site_08_routing_rules_of_a_full_tunnel_are_judged() {
    let Some(site) = folder("08-wg-quick-rule") else { return };
    let internet = |report: &Report| {
        let paths = report.paths.iter().filter(|p| p.id == "livekit/internet:public");
        paths.map(|p| p.verdict).collect::<Vec<_>>()
    };
    let found = report(&site, "callpath.toml", as_given);
    assert_eq!(internet(&found), [Verdict::Works], "{}", found.headline);
}

/// Verdicts of all paths from a place.
fn verdicts_at(report: &Report, place: &str) -> Vec<Verdict> {
    report.paths.iter().filter(|p| p.vantage == place).map(|p| p.verdict).collect()
}

#[track_caller]
fn all_at(report: &Report, place: &str, verdict: Verdict) {
    let here = verdicts_at(report, place);
    assert!(!here.is_empty() && here.iter().all(|v| *v == verdict), "{place}: {here:?}: {}", report.headline);
}

/// A rented server forwards through a tunnel to a host with a line of its own.
#[test]
fn site_04_a_tunnel_to_one_host() {
    let Some(site) = folder("04-vps-tunnel-to-one-host") else { return };
    // Its answers leave by its own line: the callers drop them.
    let given = report(&site, "callpath.toml", as_given);
    assert!(verdicts_at(&given, "internet").contains(&Verdict::Fails), "{}", given.headline);
    all_at(&given, "server", Verdict::Works);
    let ends = |r: &Report| r.paths.iter().all(|p| p.vantage != "lan" && !p.vantage.starts_with("net:"));
    assert!(ends(&given), "nobody lives in a tunnel");
    let masquerade = report(&site, "masquerade.toml", as_given);
    for place in ["internet", "self", "server"] {
        all_at(&masquerade, place, Verdict::Works);
    }
    assert!(ends(&masquerade));
    assert_eq!(errors(&masquerade), [""; 0]);
    // Nothing says which way its answers take: asked for, and never "works".
    let open = report(&site, "without-server-routes.toml", as_given);
    all_at(&open, "internet", Verdict::Unknown);
    all_at(&open, "server", Verdict::Unknown);
    let doubts = open.paths.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of).flat_map(|a| &a.pieces);
    assert!(doubts.flat_map(|p| &p.doubts).any(|d| d.supply.contains("ip -j route")));
    // The same where the interface has another name, and the manifest says what it is.
    let other = |t: &str| {
        t.replace("wg0 = ", "link7 = ") + "\n[[net]]\nname = \"link\"\nprefix = \"10.66.0.0/24\"\ntunnel = true\n"
    };
    let manifest = other(&std::fs::read_to_string(site.join("without-server-routes.toml")).expect("the manifest"));
    let mut texts = snapshot(&site, &manifest);
    for source in &mut texts.sources {
        source.text = source.text.replace("\"wg0\"", "\"link7\"");
    }
    all_at(&analyze(&texts).expect("an answer"), "internet", Verdict::Unknown);
}

/// The home line described: people at home reach the rented server as everybody else does.
#[test]
fn site_04_the_home_network_can_be_described() {
    let Some(site) = folder("04-vps-tunnel-to-one-host") else { return };
    let home = "\n[[gateway]]\nlabel = \"home line\"\nline = \"home\"\nwan = \"198.51.100.7\"\ninside = \"192.168.1.1/24\"\n\
                forwards = \"none\"\nhairpin = false\n";
    let with_home = |t: &str| t.replace("[[deploy]]", &format!("{home}[[deploy]]"));
    let given = report(&site, "callpath.toml", with_home);
    assert!(verdicts_at(&given, "internet").contains(&Verdict::Fails), "{}", given.headline);
    assert!(verdicts_at(&given, "lan").contains(&Verdict::Fails), "{}", given.headline);
    let masquerade = report(&site, "masquerade.toml", with_home);
    for place in ["internet", "lan", "self", "server"] {
        all_at(&masquerade, place, Verdict::Works);
    }
    works(&masquerade);
    let error = judged(&site, "callpath.toml", |t| with_home(t).replace("198.51.100.7", "203.0.113.20"));
    assert!(error.expect_err("the site's own address").message.contains("is an address of the site"));
}

/// A rented server forwards through a tunnel to a router that has another line to the internet.
#[test]
fn site_06_a_tunnel_to_a_router() {
    let Some(site) = folder("06-vps-tunnel-to-pfsense") else { return };
    works(&report(&site, "with-wan.toml", as_given));
    // Its address in the tunnel says by which interface calls come in.
    works(&report(&site, "callpath.toml", as_given));
    // Connected by nothing, the two are no chain: how is asked.
    let apart = judged(&site, "callpath.toml", |t| t.replace("10.66.0.1/24", "10.77.0.1/24"));
    let error = apart.expect_err("two networks");
    assert!(
        error.message.contains("how pfSense is connected to VPS") && error.help.contains("wan ="),
        "{}",
        error.message
    );
}

/// A router behind a tunnel whose answers go back by a mark, with the rules that wg-quick writes.
#[test]
fn site_08_the_rules_of_a_full_tunnel() {
    let Some(site) = folder("08-wg-quick-rule") else { return };
    works(&report(&site, "callpath.toml", as_given));
    // Nothing says which way its own packets take: not "works".
    let open =
        report(&site, "callpath.toml", |t| t.replace("\"box.nft\", \"rules.json\", \"routes-gw.json\"", "\"box.nft\""));
    all_at(&open, "internet", Verdict::Unknown);
}

/// The same forward as the owner of a box states it.
#[test]
fn site_09_a_stated_forward_from_another_outer_port() {
    let Some(site) = folder("09-forward-with-another-outer-port") else { return };
    let given = report(&site, "stated.toml", as_given);
    assert_eq!(errors(&given), ["range-shifted"]);
    let told = "udp 24680 outside leads to udp 7882 of the server, and callers are told udp 7882";
    assert_eq!(finding(&given, "range-shifted").message, told);
    // For some senders only.
    let some =
        report(&site, "stated.toml", |t| t.replace("udp/24680 to 192.168.1.50:7882", "udp/7882 from 198.18.0.0/15"));
    assert!(verdicts_at(&some, "internet").contains(&Verdict::Fails), "{}", some.headline);
    works(&report(&site, "stated.toml", |t| t.replace("udp/24680 to 192.168.1.50:7882", "udp/7882 from internet")));
}

const PASSES: &str = "passes = [\"udp/10000-10020\", \"tcp/443\"]";

/// A provider's firewall before a rented server: it translates nothing.
#[test]
fn site_18_a_filter_of_the_provider() {
    let Some(site) = folder("18-provider-filter") else { return };
    // Stated as a box that translates, it cannot be: the public address is not its own.
    let error = judged(&site, "callpath.toml", as_given).expect_err("no box that translates");
    assert!(
        error.message.contains("translates nothing") && error.help.contains(PASSES),
        "{}: {}",
        error.message,
        error.help
    );
    let filter = |t: &str| {
        let (head, rest) = t.split_once("inside =").expect("the box");
        let (_, rest) = rest.split_once("hairpin = false").expect("the box");
        format!("{head}{PASSES}{rest}")
    };
    // The server at the end of the tunnel sends its answers back: its rented neighbour translates.
    let manifest = filter(&std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest"));
    let mut texts = snapshot(&site, &manifest);
    let rules = texts.sources.iter_mut().find(|s| s.name == "vps.nft").expect("the rules");
    rules.text = rules.text.replacen("table ip nat {", "table ip nat {\n\tchain post {\n\t\ttype nat hook postrouting priority srcnat;\n\t\toifname \"wg0\" masquerade\n\t}", 1);
    let given = analyze(&texts).unwrap_or_else(|e| panic!("{}: {}", e.message, e.help));
    assert_eq!(errors(&given), ["filter-missing"], "{}", given.headline);
    let found = finding(&given, "filter-missing");
    assert_eq!(found.message, "no rule of provider filter lets udp 4443 pass to the server");
    let steps = found.change.iter().flat_map(|c| &c.steps).flat_map(|s| s.lines.clone()).collect::<Vec<_>>();
    assert_eq!(steps, ["UDP 4443, inbound", "\"udp/4443\""]);
    let signal =
        given.paths.iter().filter(|p| p.vantage == "internet").flat_map(|p| &p.legs).filter(|l| l.kind != "media");
    assert!(signal.clone().count() > 0 && signal.clone().all(|l| l.verdict == Verdict::Works), "tcp 443 passes");
    // As it lies there, nothing says which way the server answers: the cause is the same.
    let open = report(&site, "callpath.toml", filter);
    assert_eq!(errors(&open), ["filter-missing"]);
}

/// A bridge whose packets meet the rules (`br_netfilter`) sends back nothing by the port that it came by.
#[test]
fn site_22_a_bridge_may_show_its_packets_to_the_rules() {
    let Some(site) = folder("22-bridge-filtering") else { return };
    let place = |report: &Report, id: &str| {
        let found = report.paths.iter().find(|p| p.id == id).unwrap_or_else(|| panic!("no {id}"));
        found.verdict
    };
    let given = report(&site, "callpath.toml", as_given);
    works(&given);
    assert!(given.assumptions.iter().any(|a| a.contains("bridge-nf-call-iptables = 0")), "{:?}", given.assumptions);
    let stated = |value: &str| {
        let line = format!("label = \"router\"\nkernel = {{ bridge-nf-call-iptables = {value} }}\n");
        report(&site, "callpath.toml", |t| t.replace("label = \"router with bridge filtering on\"\n", &line))
    };
    let off = stated("0");
    works(&off);
    let line = "router: bridge-nf-call-iptables = 0, as you stated (callpath.toml:4)";
    assert!(off.assumptions.iter().any(|a| a == line), "{:?}", off.assumptions);
    // Whether the call comes back depends on the ports of the bridge; what goes through the router does not.
    let on = stated("1");
    assert_eq!(place(&on, "livekit/internet:public"), Verdict::Works);
    assert_eq!(place(&on, "livekit/lan:app"), Verdict::Unknown, "{}", on.headline);
}

/// An include takes the device's own files, and a pattern that fits none of them is an empty folder.
#[test]
fn site_19_an_include_takes_no_other_devices_files() {
    let Some(site) = folder("19-include-takes-other-files") else { return };
    let given = report(&site, "callpath.toml", as_given);
    works(&given);
    let line =
        "no file fits the include `/etc/nftables.d/*.nft` of router (router.nft:14): that folder is taken to be empty";
    assert!(given.assumptions.iter().any(|a| a == line), "{:?}", given.assumptions);
    // Named for the router, the same rules are the router's: nothing is passed on.
    let own = |t: &str| t.replace("config = \"router.nft\"", "config = [\"router.nft\", \"server.nft\"]");
    assert_eq!(report(&site, "callpath.toml", own).verdict, Verdict::Fails);
    let folder = |t: &str| t.replace("\nfirewall = \"server.nft\"", "");
    works(&report(&site, "callpath.toml", folder));
    // Another gateway's files are no router's either, whatever a path ends in.
    let plain = with_include(&site, "include \"/etc/nftables.d/server.nft\"");
    assert_ne!(plain.verdict, Verdict::Fails, "{}", plain.headline);
    assert!(
        plain.unread.iter().any(|u| u.why.contains("name it among the files of this device")),
        "{:?}",
        plain.unread
    );
}

fn with_include(site: &Path, line: &str) -> Report {
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let mut texts = snapshot(site, &manifest);
    let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
    rules.text = rules.text.replace("include \"/etc/nftables.d/*.nft\"", line);
    analyze(&texts).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}
