//! Bad backups of pfSense: one message with its place and what to do, exit code 2; what can be judged, is.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn example(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spokes").join(file);
    fs::read_to_string(path).expect("the example")
}

/// The example's site with another backup.
struct Site(PathBuf);

impl Site {
    fn new(name: &str, backup: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-pf-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        let manifest = example("callpath.toml").replace("pfsense/config.xml", "config.xml");
        fs::write(dir.join("callpath.toml"), manifest).expect("write");
        fs::write(dir.join("config.xml"), backup).expect("write");
        Self(dir)
    }

    fn run(&self, args: &[&str]) -> Output {
        let start = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(args).current_dir(&self.0).output();
        assert!(start.elapsed() < Duration::from_secs(5), "{args:?} took {:?}", start.elapsed());
        output.expect("callpath runs")
    }

    /// The message of a run that gives no answer.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.stdout.is_empty(), "{args:?}: nothing is judged");
        assert_eq!(stderr.matches("error: ").count(), 1, "{args:?}: one message\n{stderr}");
        assert!(stderr.len() < 2000 && !stderr.contains("panicked"), "{args:?}: {stderr}");
        stderr
    }

    /// Exit code and report of a run that gives an answer.
    fn judged(&self) -> (Option<i32>, String) {
        let output = self.run(&["check"]);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Entities that would grow to a billion letters.
fn billion() -> String {
    let mut out = String::from("<!ENTITY a0 \"aaaaaaaaaa\">\n");
    for n in 1..10 {
        let _ = writeln!(out, "<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10));
    }
    format!("<!DOCTYPE pfsense [\n{out}]>\n<pfsense><version>&a9;</version></pfsense>")
}

#[test]
fn what_is_no_whole_backup_is_refused_with_its_place() {
    let good = example("pfsense/config.xml");
    let nat = &good[good.find("<nat>").expect("nat")..good.find("</nat>").expect("nat") + 6];
    let cut = &good[..good.find("<target>").expect("target") + 12];
    let deep = "<a>".repeat(100_000);
    // Name, backup, place, message, what to do.
    let cases = [
        (
            "tags",
            good.replacen("</hostname>", "</hostnam>", 1),
            ":7:",
            "expected 'hostname' tag",
            "download the backup again",
        ),
        ("sign", good.replacen("<port>7881", "<port>78&81", 1), ":", "not well-formed", "download the backup again"),
        ("cut", cut.to_owned(), ":73:", "it ends before its last element does", "cut off cannot be judged"),
        (
            "encrypted",
            "---- BEGIN config.xml ----\nU2FsdGVkX18=\n---- END config.xml ----\n".into(),
            ":1:1",
            "an encrypted backup",
            "unticked",
        ),
        (
            "opnsense",
            good.replace("pfsense>", "opnsense>"),
            ":1:1",
            "OPNsense, which callpath does not read yet",
            "/tmp/rules.debug",
        ),
        ("area", nat.to_owned(), ":1:1", "holds only the area <nat>", "Backup area: All"),
        (
            "page",
            "<!DOCTYPE html>\n<html><body>Login</body></html>\n".into(),
            ":1:1",
            "a page of HTML",
            "export the configuration itself",
        ),
        ("empty", String::new(), ":1:1", "an empty file", "download the backup again"),
        ("billion", billion(), ":1:1", "does not begin like it", "the whole file"),
        (
            "billion2",
            format!("<?xml version=\"1.0\"?>\n{}", billion()),
            ":1:1",
            "does not begin like it",
            "the whole file",
        ),
        ("open", format!("<pfsense>{deep}"), ":1:", "it ends before its last element does", "cut off"),
        (
            "zero",
            good.replacen("Default allow", "Default \0 allow", 1),
            ":",
            "non-XML character",
            "download the backup again",
        ),
        ("early", good.replacen("gate", "ga\0te", 1), ":7:", "non-XML character", "hostname"),
    ];
    for (name, backup, place, message, help) in cases {
        let site = Site::new(name, &backup);
        for args in [&["check"][..], &["import", "config.xml"]] {
            let stderr = site.refused(args);
            for wanted in [&format!("config.xml{place}"), message, help] {
                assert!(stderr.contains(wanted), "{name}: no `{wanted}` in\n{stderr}");
            }
        }
    }
}

#[test]
fn a_hundred_thousand_nested_elements_are_no_rules() {
    let (open, close) = ("<a>".repeat(100_000), "</a>".repeat(100_000));
    let site = Site::new("deep", &format!("<pfsense>{open}{close}</pfsense>"));
    for args in [&["check"][..], &["import", "config.xml"]] {
        assert!(site.refused(args).contains("neither interfaces nor rules"));
    }
    // Where rules stand.
    let backup = example("pfsense/config.xml");
    let backup = backup.replacen("<outbound>", &format!("<outbound>{open}{close}"), 1);
    let backup = backup.replacen("<any></any>", &format!("<any>{open}{close}</any>"), 1);
    assert_eq!(Site::new("deep2", &backup).judged().0, Some(0));
}

#[test]
fn mistakes_inside_of_a_backup_change_only_what_depends_on_them() {
    let good = example("pfsense/config.xml");
    let (code, report) = Site::new("good", &good).judged();
    assert_eq!(code, Some(0), "{report}");

    let dangling = good.replacen("nat_67a1c0de01a1b1c", "nat_0", 1);
    assert_eq!(Site::new("dangling", &dangling).judged(), (code, report.clone()), "links are for the pages only");

    let comments = good.replace("<target>192.168.1.50<", "<target><!-- server -->192.168<?x?>.1<![CDATA[.50]]><");
    assert_ne!(comments, good);
    assert_eq!(Site::new("comments", &comments).judged(), (code, report.clone()), "comments do not end a value");

    let nobody = good.replacen("<tracker>0100000101", "<gateway>NOBODY</gateway><tracker>0100000101", 1);
    let (code, report) = Site::new("nobody", &nobody).judged();
    assert_eq!(code, Some(0), "pfSense keeps a rule whose gateway is gone: {report}");
    let skips = nobody.replacen("<webgui>", "<skip_rules_gw_down></skip_rules_gw_down><webgui>", 1);
    let (code, report) = Site::new("skips", &skips).judged();
    assert_eq!(code, Some(1), "{report}");

    let alias = "<alias><name>other</name><type>host</type><address>public_ip</address></alias></aliases>";
    let looped = good
        .replace("<network>wanip</network>", "<address>public_ip</address>")
        .replace(">yourserver.duckdns.org<", ">other<")
        .replace("</aliases>", alias);
    let (code, report) = Site::new("loop", &looped).judged();
    assert_eq!(code, Some(1), "{report}");
    assert!(report.starts_with("FAILS"), "the generator passes an alias over in itself, so it is empty: {report}");

    let ports = "<alias><name>a</name><type>port</type><address>b</address></alias>\
                 <alias><name>b</name><type>port</type><address>a</address></alias></aliases>";
    let site = Site::new("ports", &good.replace("<port>7881<", "<port>a<").replace("</aliases>", ports));
    let (code, report) = site.judged();
    assert_eq!(code, Some(1), "{report}");
    let model = String::from_utf8(site.run(&["import", "config.xml"]).stdout).expect("text");
    assert!(model.contains("\"Spokes LiveKit TCP Fallback (by name)\": the alias `a` is empty"), "{model}");

    let site = Site::new("device", &good.replacen("<if>igc1</if>", "", 1));
    let unread = String::from_utf8(site.run(&["import", "--unread", "config.xml"]).stdout).expect("text");
    assert!(unread.starts_with("config.xml:") && unread.contains("an interface without a device"), "{unread}");
    assert!(site.refused(&["check"]).contains("no gateway has an interface in the network of 192.168.1.50"));
}

#[test]
fn the_model_names_what_is_left_out_and_why() {
    let good = example("pfsense/config.xml");
    let fixed = good.replacen("<ipaddr>dhcp</ipaddr>", "<ipaddr>203.0.113.5</ipaddr><subnet>24</subnet>", 1);
    let site = Site::new("left", &fixed.replacen("<target>192.168.1.50<", "<target>nowhere<", 1));
    let model = String::from_utf8(site.run(&["import", "config.xml"]).stdout).expect("text");
    let line = "config.xml:63: \"Spokes LiveKit UDP\": its target `nowhere` is neither an address nor an alias";
    assert!(model.contains(line) && model.matches("#   config.xml").count() == 1, "{model}");
    // Addresses by DHCP are not in a backup.
    let model = String::from_utf8(Site::new("dhcp", &good).run(&["import", "config.xml"]).stdout).expect("text");
    assert!(model.contains("which IPv4 address WAN has: the line tells it"), "{model}");
    assert_eq!(model.matches("#   config.xml").count(), 0, "it is loaded as soon as the line is up: {model}");
}

#[test]
fn unknown_products_modes_and_parameters_are_named() {
    let cases = [
        ("\"spokes\"", "\"spoke\"", "no product is called `spoke`", "did you mean `spokes`?"),
        ("\"spokes\"", "\"spokes\"\nmode = \"cloud\"", "Spokes has no mode `cloud`", "modes: docker"),
        ("\"spokes\"", "\"spokes\"\nwith = { udp = \"50000-70000\" }", "port 70000", "65535"),
        ("\"spokes\"", "\"spokes\"\nwith = { voice = 7 }", "no parameter `voice`", "parameters: udp, tcp"),
    ];
    for (from, to, message, help) in cases {
        let site = Site::new("manifest", &example("pfsense/config.xml"));
        let manifest = fs::read_to_string(site.0.join("callpath.toml")).expect("manifest");
        assert!(manifest.contains(from), "{from}");
        fs::write(site.0.join("callpath.toml"), manifest.replacen(from, to, 1)).expect("write");
        let stderr = site.refused(&["check"]);
        for wanted in ["callpath.toml:", message, help] {
            assert!(stderr.contains(wanted), "{to}: no `{wanted}` in\n{stderr}");
        }
    }
}

#[test]
fn nearly_all_of_the_corpus_is_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/pfsense");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the corpus is not here: {}", folder.display());
        println!("the corpus is not here: 0 files read");
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(["import", "--summary"]).arg(folder).output();
    let text = String::from_utf8(output.expect("callpath runs").stdout).expect("text");
    for (kind, least) in [(".xml: ", 60), (".debug: ", 60)] {
        let (mut files, mut statements, mut unread) = (0, 0, 0);
        for line in text.lines().filter(|l| l.contains(kind)) {
            let (_, figures) = line.split_once(kind).expect("a name");
            assert!(!figures.starts_with("not read"), "{line}");
            let numbers: Vec<usize> = figures.split([' ', ':', ',']).filter_map(|w| w.parse().ok()).collect();
            files += 1;
            statements += numbers[0];
            unread += numbers[3];
        }
        println!("{files} files {kind}{statements} statements, {unread} not understood");
        assert!(files >= least && unread * 20 <= statements, "{files} files {kind}{unread} of {statements}");
    }
}
