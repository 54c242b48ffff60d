//! A canary in every element, attribute, key, quotation and comment that real files have, and in some that they have not:
//! none of them comes out.
//!
//! A word that the program shows by promise (a name of a rule) gets a canary in the shape of a credential.

mod json;
mod lines;
mod manifest;

use callpath_core::dialect::pfsense::secrets::kept_in;
use callpath_core::dialect::{DIALECTS, Dialect, recognise, without_secrets};
use callpath_core::model::SourceId;
use callpath_core::report::FORMATS;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What no output may hold.
const CANARY: &str = "canary";
/// Scheme and host of it may be shown.
const ADDRESS: &str = "https://canary1:canary2@lists.example:8443/canary3/canary4?key=canary5#canary6";
/// Texts for people in which everything behind the first word is a credential.
const TEXTS: &[&str] = &[
    ADDRESS,
    "password=canary1",
    "Authorization: Bearer canary1",
    "canary1:canary2@lists.example",
    "api key canary1",
    "$2y$10$canary1canary1",
    "lists.example/canary1?key=canary2",
];

/// A credential that its shape alone gives away.
const SHAPED: &str = "ghp_canary1canary1canary1";
/// Names of values that no file of the corpus has.
const UNKNOWN: &[&str] =
    &["password", "api-key", "psk", "secret", "token", "private_key", "community", "note", "owner", "authorization"];

/// The test that plants canaries into files of a dialect. A new one has to be named here, with its own.
fn planted(dialect: &dyn Dialect) -> fn() {
    match dialect.about().name {
        "pfsense" => no_element_of_a_backup_speaks,
        "pf" => lines::no_comment_of_rules_speaks,
        "nftables" => lines::no_quotation_of_rules_speaks,
        "nftables-json" | "iproute" => json::no_key_of_json_speaks,
        "sysctl" => lines::no_setting_speaks,
        other => panic!("no canary in a file of {other}"),
    }
}

#[test]
fn every_kind_of_file_has_canaries() {
    // The manifest, and files that are refused, have tests of their own.
    let tests: Vec<fn()> = DIALECTS.iter().map(|d| planted(*d)).collect();
    println!("{} kinds", tests.len());
}

/// Files of the corpus of these kinds.
fn of_kinds(endings: &[&str], wanted: impl Fn(&dyn Dialect) -> bool) -> Vec<(PathBuf, String)> {
    let here = |text: &str| recognise(SourceId(0), text).is_ok_and(&wanted);
    corpus(endings).into_iter().filter(|(_, text)| here(text)).collect()
}

/// Files of the corpus with these endings; nothing where it is not here.
fn corpus(endings: &[&str]) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !folder.exists() {
        assert!(std::env::var_os("CI").is_none(), "the corpus is not here: {}", folder.display());
        println!("the corpus is not here: 0 files read");
        return Vec::new();
    }
    let mut folders = vec![folder];
    let mut out = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let wanted = endings.iter().any(|e| path.extension().is_some_and(|x| x == *e));
            if path.is_dir() {
                folders.push(path);
            } else if let (true, Ok(text)) = (wanted, fs::read_to_string(&path)) {
                out.push((path, text));
            }
        }
    }
    out.sort();
    println!("{} files of the corpus: {}", out.len(), endings.join(", "));
    out
}

fn example(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(file);
    fs::read_to_string(path).expect("the example")
}

/// The texts around canaries; nothing if there are none.
fn shown(text: &str) -> Vec<String> {
    let near = |i: usize| text.get(i.saturating_sub(60)..(i + 20).min(text.len())).unwrap_or("…").to_owned();
    text.match_indices(CANARY).map(|(i, _)| near(i)).take(5).collect()
}

/// Blanks a text; nothing moves and no canary is left.
fn blanked(name: &str, text: &str) -> String {
    let got = without_secrets(text.to_owned());
    assert!(shown(&got).is_empty(), "{name}: {:?}", shown(&got));
    assert_eq!((got.len(), got.lines().count()), (text.len(), text.lines().count()), "{name}");
    let again = without_secrets(got.clone());
    let other = got.lines().zip(again.lines()).find(|(a, b)| a != b);
    assert_eq!(other, None, "{name}: nothing is left to be hidden");
    got
}

/// Everything that the program says about a site in every way.
fn said(name: &str, files: &[(&str, &str)], render: Option<&str>) -> String {
    let dir = std::env::temp_dir().join(format!("callpath-canaries-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a directory");
    for (file, text) in files {
        fs::write(dir.join(file), text).expect("written");
    }
    let mut ways: Vec<Vec<&str>> = vec![vec!["snapshot", "-o", "a.json"], vec!["snapshot", "--redact", "-o", "b.json"]];
    ways.extend(FORMATS.iter().map(|f| vec!["check", "--format", f.name]));
    ways.push(vec!["check", "--redact"]);
    for (file, _) in files {
        ways.extend([vec!["import", file], vec!["import", "--unread", file]]);
    }
    ways.push(vec!["import", "--summary", "."]);
    if let Some(target) = render {
        ways.extend([vec!["render", target], vec!["render", target, "--undo"]]);
    }
    let mut out = String::new();
    for way in ways {
        let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(&way).current_dir(&dir).output();
        let output = output.expect("callpath runs");
        let _ = write!(out, "\n# {way:?} {:?}\n", output.status.code());
        out += &String::from_utf8_lossy(&output.stdout);
        out += &String::from_utf8_lossy(&output.stderr);
    }
    for file in ["a.json", "b.json"] {
        out += &fs::read_to_string(dir.join(file)).unwrap_or_default();
    }
    fs::remove_dir_all(&dir).expect("removed");
    assert!(!out.contains("panicked"), "{out}");
    out
}

fn silent(name: &str, files: &[(&str, &str)], render: Option<&str>) {
    let out = said(name, files, render);
    assert!(shown(&out).is_empty(), "{name}: {:?}", shown(&out));
    assert!(out.contains("wrote a.json"), "{name}: a snapshot was to be written: {out}");
}

/// Ways down to elements of backups, with names of interfaces and certificates as they are.
fn elements() -> BTreeSet<Vec<String>> {
    let mut out = BTreeSet::new();
    for (_, text) in corpus(&["xml"]) {
        let Ok(tree) = roxmltree::Document::parse(&text) else { continue };
        if !tree.root_element().has_tag_name("pfsense") {
            continue;
        }
        for node in tree.root_element().descendants().skip(1).filter(roxmltree::Node::is_element) {
            let names = node.ancestors().filter(roxmltree::Node::is_element).map(|n| n.tag_name().name().to_owned());
            let mut way: Vec<String> = names.collect();
            way.pop();
            way.reverse();
            out.insert(way);
        }
    }
    for way in [
        "newsection/token",
        "system/apikey",
        "system/user/totp",
        "nat/rule/webhook",
        "filter/rule/source/credential",
        "aliases/alias/auth",
        "installedpackages/pfblockerng/feed/url",
        "interfaces/wan/pppoepass",
        "openvpn/openvpn-server/plugin/secret",
        "ipsec/phase1/ppk",
        "wireguard/peer/psk",
    ] {
        out.insert(way.split('/').map(str::to_owned).collect());
    }
    out
}

/// One element with what stands around it.
fn element(way: &[String], text: &str) -> String {
    let mut out = String::new();
    for name in way {
        let _ = write!(out, "<{name} note=\"canary\" other='{ADDRESS}'><!-- canary {ADDRESS} -->");
    }
    out += text;
    way.iter().rev().for_each(|name| {
        let _ = write!(out, "</{name}>");
    });
    out + "<?note canary?>\n"
}

#[test]
fn no_element_of_a_backup_speaks() {
    let mut planted = String::new();
    let ways = elements();
    let (mut plain, mut shaped) = (0, 0);
    for (n, way) in ways.iter().enumerate() {
        // Of these the program shows what they say, and hides what is a credential.
        if way.len() > 1 && kept_in(&way[0]).contains(&way[way.len() - 1].as_str())
            || way.len() == 1 && way[0] == "version"
        {
            let text = ["descr", "detail", "description"].contains(&way[way.len() - 1].as_str());
            let canary = if text { TEXTS[n % TEXTS.len()] } else { ADDRESS };
            let canary = canary.replace('&', "&amp;");
            planted += &element(way, &canary);
            planted += &element(way, &format!("<![CDATA[{canary}]]>"));
            planted += &element(way, &canary.replace("://", ":&#47;&#x2f;").replacen('@', "<!-- canary -->@", 1));
            shaped += 1;
        } else {
            planted += &element(way, "canary");
            planted += &element(way, "<![CDATA[canary]]>");
            plain += 1;
        }
    }
    println!("{plain} elements with a canary, {shaped} with one in the shape of a credential");
    let base = example("spokes/pfsense/config.xml");
    let whole = base.replace("</pfsense>", &format!("{planted}</pfsense>"));
    let got = blanked("config.xml", &whole);
    // What is an address is still one.
    assert!(got.contains("lists.example:8443/"), "the host of a list stays");
    // The alias lists of the example itself, and what the program says about all of it.
    let rule = |text: &str| {
        format!(
            "<rule><type>pass</type><interface>wan</interface><descr>{text}</descr><source><any></any></source></rule>"
        )
    };
    let rules: String = TEXTS.iter().map(|t| rule(&t.replace('&', "&amp;"))).collect();
    let alias = format!(
        "<alias><name>feed</name><type>urltable</type><url>{ADDRESS}</url><aliasurl>{ADDRESS}</aliasurl>\
         <address>{ADDRESS}</address><descr>{ADDRESS}</descr><detail>{ADDRESS}||password=canary</detail></alias>"
    );
    let text = whole.replacen("<filter>", &format!("<filter>{rules}"), 1).replacen(
        "</aliases>",
        &format!("{alias}</aliases>"),
        1,
    );
    let manifest = example("spokes/callpath.toml").replace("pfsense/config.xml", "config.xml");
    silent("backup", &[("callpath.toml", &manifest), ("config.xml", &text)], Some("pfsense"));
}

/// Files of other programs, named as a router's or a server's configuration: refused, quoted nowhere, and in no snapshot.
#[test]
fn files_of_other_programs_are_quoted_nowhere() {
    let manifest = |key: &str| {
        let config = example("linux-router/callpath.toml");
        if key == "config" {
            return config.replace("config = [", "config = [\"given\", ");
        }
        config.replace("[[deploy]]\n", "[[deploy]]\nconfig = \"given\"\n")
    };
    let rules = example("linux-router/ruleset.nft");
    let [addresses, routes, routes6] =
        ["ip-addr", "ip-route", "ip-6-route"].map(|f| example(&format!("linux-router/{f}.json")));
    for (n, text) in [
        // A container as `docker inspect` tells it, a network of Docker, and what its daemon is told.
        "[{\"Id\": \"1\", \"Config\": {\"Env\": [\"PASSWORD=canary\"], \"Labels\": {\"name\": \"canary\", \"type\": \"canary\"}}, \
         \"HostConfig\": {\"PortBindings\": {\"443/tcp\": [{\"HostPort\": \"canary\"}]}}, \"address\": \"canary\"}]",
        "[{\"Name\": \"bridge\", \"IPAM\": {\"Config\": [{\"Subnet\": \"canary\"}]}, \"table\": \"canary\"}]",
        "{\"iptables\": true, \"data\": \"canary\", \"name\": \"canary\"}",
        "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {\"key\": \"canary\"}}",
        "{\"type\": \"service_account\", \"key\": \"canary\", \"value\": \"canary\"}",
        "set system login user vyos authentication plaintext-password 'canary'\nset vpn ipsec psk x secret 'canary'\n",
        "config vpn ipsec\n  edit \"x\"\n    set psksecret ENC canary\n    set type static\n  next\nend\n",
        "/ppp secret\nadd name=anna password=canary\n/ip firewall filter\nadd action=accept chain=input\n",
        "hostname gw\nenable secret canary\ninterface eth0\n ip address 192.0.2.1 255.255.255.0\nlogging on\n",
        "[general]\ntype = friend\nsecret = canary\n",
        "type=friend\nsecret=canary\nlog canary\n",
        "keys:\n  APIkey: canary\nport: 7880\nlog_level: info\n",
        "# firewall\nDB_PASSWORD=canary\nset -e\nlog() { echo canary; }\n",
        "#!/bin/sh\niptables -A INPUT -s canary -j ACCEPT\n",
        "*filter\n-A INPUT -m comment --comment canary -j ACCEPT\nCOMMIT\n",
        "<config><user>canary</user></config>\n",
    ]
    .iter()
    .enumerate()
    {
        for key in ["config", "deploy"] {
            let manifest = manifest(key);
            assert!(manifest.contains("\"given\""), "{key}");
            let files = [
                ("callpath.toml", &*manifest),
                ("given", text),
                ("ruleset.nft", &*rules),
                ("ip-addr.json", &*addresses),
                ("ip-route.json", &*routes),
                ("ip-6-route.json", &*routes6),
            ];
            let out = said(&format!("other{n}{key}"), &files, Some("nftables"));
            assert!(shown(&out).is_empty(), "{text}: {:?}", shown(&out));
            // Of a server's own files it is enough that they are there.
            assert_eq!(out.contains("wrote a.json"), key == "deploy", "{text}: {out}");
        }
    }
}

#[test]
fn what_is_of_no_known_kind_is_not_quoted() {
    for (n, text) in [
        "[Interface]\nPrivateKey = canary\n",
        "-----BEGIN OPENSSH PRIVATE KEY----- canary\n",
        "canary:$6$canary\n",
        "{ \"schema\": \"callpath.snapshot/canary\" }",
        "{ \"schema\": \"callpath.snapshot/1\", canary",
        "{ \"schema\": \"callpath.snapshot/1\", \"callpath\": \"1\", \"sources\": [\"canary\"] }",
        "{ \"schema\": \"callpath.snapshot/1\", \"callpath\": \"1\", \"sources\": [{ \"name\": \"callpath.toml\", \"text\": \
         \"# canary\\npassword = 'canary'\\n\" }, { \"name\": \"key\", \"text\": \"[Interface]\\nPrivateKey = canary\" }] }",
    ]
    .iter()
    .enumerate()
    {
        let dir = std::env::temp_dir().join(format!("callpath-canaries-{}-kind{n}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        fs::write(dir.join("given.json"), text).expect("written");
        for way in [&["import", "given.json"][..], &["check", "given.json"], &["snapshot", "-o", "out", "given.json"]] {
            let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(way).current_dir(&dir).output();
            let output = output.expect("callpath runs");
            let mut said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            said += &fs::read_to_string(dir.join("out")).unwrap_or_default();
            assert!(shown(&said).is_empty(), "{way:?} {text}: {said}");
        }
        fs::remove_dir_all(&dir).expect("removed");
    }
}
