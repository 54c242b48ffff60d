//! Sites that were tried on the program, one function for each: what the right answer is, and with which fact.
//!
//! They lie outside of this repository, each folder with a manifest, its files and `expected.txt`.

mod blocks;
mod lines;
mod pfsense;

use callpath_core::check::analyze;
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
    let steps = finding.change.iter().flat_map(|c| &c.steps).filter(|s| s.shell().is_some());
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
    let six =
        |p: &&callpath_core::report::Path| p.family == callpath_core::model::Family::V6 && p.vantage == "internet";
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

/// Verdicts of all paths from a place.
fn verdicts_at(report: &Report, place: &str) -> Vec<Verdict> {
    report.paths.iter().filter(|p| p.vantage == place).map(|p| p.verdict).collect()
}

#[track_caller]
fn all_at(report: &Report, place: &str, verdict: Verdict) {
    let here = verdicts_at(report, place);
    assert!(!here.is_empty() && here.iter().all(|v| *v == verdict), "{place}: {here:?}: {}", report.headline);
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
