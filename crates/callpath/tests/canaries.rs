//! A canary in every element, attribute, key, quotation and comment that real files have, and in some that they have not:
//! none of them comes out.
//!
//! A word that the program shows by promise (a name of a rule) gets a canary in the shape of a credential.

use callpath_core::dialect::pfsense::secrets::kept_in;
use callpath_core::dialect::without_secrets;
use callpath_core::report::FORMATS;
use serde_json::Value;
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

/// Rules as text with a canary behind every line, in every comment and in every quotation for people.
fn rules(text: &str, words: &[&str], hidden: &[&str]) -> String {
    let mut out = String::new();
    let mut n = 0;
    for line in text.lines() {
        let mut line = line.to_owned();
        for word in words.iter().chain(hidden) {
            let mut at = 0;
            while let Some(start) = line[at..].find(&format!("{word} \"")).map(|i| at + i + word.len() + 2) {
                let Some(end) = line[start..].find('"').map(|i| start + i) else { break };
                n += 1;
                let canary = if hidden.contains(word) { CANARY } else { TEXTS[n % TEXTS.len()] };
                line.replace_range(start..end, canary);
                at = start + canary.len() + 1;
            }
        }
        if let Some(at) = line.find('#').filter(|at| !line[*at..].starts_with("# xt_") && !line.contains('"')) {
            line.truncate(at);
            line += "# canary";
        }
        out += &line;
        if !line.ends_with('\\') && !line.contains("# xt_") {
            let _ = write!(out, " # canary {ADDRESS}");
        }
        out.push('\n');
    }
    out
}

#[test]
fn no_comment_of_rules_speaks() {
    let files = corpus(&["debug"]);
    for (path, text) in &files {
        blanked(&path.display().to_string(), &rules(text, &["label"], &[]));
    }
    if let Some((_, text)) = files.first() {
        let planted = rules(text, &["label"], &[]) + "password canary\ntoken = \"canary\" canary\n";
        let manifest = example("spokes/callpath.toml").replace("pfsense/config.xml", "rules.debug");
        silent("pf", &[("callpath.toml", &manifest), ("rules.debug", &planted)], None);
    }
    for (path, text) in corpus(&["nft"]) {
        if callpath_core::dialect::recognise(callpath_core::model::SourceId(0), &text).is_ok() {
            blanked(&path.display().to_string(), &rules(&text, &["comment"], &["prefix"]));
        }
    }
    let extra = "table inet more { # canary\n comment \"password=canary\"\n set s { type ipv4_addr; comment \"api key canary1\"; \
                 elements = { 10.0.0.1 comment \"canary1:canary2@lists.example\" }; }\n chain c { log prefix \"canary\" accept comment \
                 \"https://canary@lists.example/canary\"\n meta secmark set \"canary\"\n PrivateKey = canary\n }\n}\n";
    let planted = rules(&example("linux-router/ruleset.nft"), &["comment"], &["prefix"]) + extra;
    let manifest = example("linux-router/callpath.toml").replace("config = [", "config = [\"sysctl.txt\", ");
    let settings = "# canary\nkernel.hostname = canary\nnet.ipv4.ip_forward = 1\nkernel.random.boot_id = canary\n; canary\ncanary\n\
                    net.core.x = https://canary\nnot a setting = canary\n";
    let [addresses, routes, routes6] = ["ip-addr", "ip-route", "ip-6-route"].map(|f| {
        let mut value: Value = serde_json::from_str(&example(&format!("linux-router/{f}.json"))).expect("JSON");
        plant(&mut value, &[]);
        value.to_string()
    });
    let files = [
        ("callpath.toml", &*manifest),
        ("ruleset.nft", &planted),
        ("sysctl.txt", settings),
        ("ip-addr.json", &addresses),
        ("ip-route.json", &routes),
        ("ip-6-route.json", &routes6),
    ];
    silent("nft", &files, Some("nftables"));
}

/// A canary for every text for people, and in every object three keys that it has not.
fn plant(value: &mut Value, texts: &[&str]) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|v| plant(v, texts)),
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(text) if texts.contains(&key.as_str()) => {
                        TEXTS[text.len() % TEXTS.len()].clone_into(text);
                    }
                    Value::String(text) if ["prefix", "ifalias", "release_name", "version"].contains(&key.as_str()) => {
                        CANARY.clone_into(text);
                    }
                    _ => plant(value, texts),
                }
            }
            if object.contains_key("ifname") || object.contains_key("table") || object.contains_key("dst") {
                object.insert("ifalias".into(), CANARY.into());
                object.insert("api key".into(), serde_json::json!([CANARY, { "comment": CANARY, "name": CANARY }]));
            }
        }
        _ => {}
    }
}

#[test]
fn no_key_of_json_speaks() {
    let mut read = 0;
    for (path, text) in corpus(&["json"]) {
        let Ok(mut value) = serde_json::from_str::<Value>(&text) else { continue };
        if callpath_core::dialect::recognise(callpath_core::model::SourceId(0), &text).is_err() {
            continue;
        }
        plant(&mut value, &["comment"]);
        read += 1;
        let planted = value.to_string();
        let got = blanked(&path.display().to_string(), &planted);
        assert!(serde_json::from_str::<Value>(&got).is_ok(), "{}: it is still JSON", path.display());
        // Cut off anywhere.
        for at in planted.match_indices(CANARY).map(|(i, _)| i + 3).step_by(101) {
            blanked("cut off", &planted[..at]);
        }
    }
    println!("{read} files in JSON");
}

#[test]
fn no_line_of_a_manifest_speaks() {
    let text = example("spokes/callpath.toml");
    let mut planted = String::from("# canary\n");
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let _ = writeln!(planted, "{line}# canary {ADDRESS}");
    }
    let manifest = planted.replace("pfsense/config.xml", "config.xml");
    let backup = example("spokes/pfsense/config.xml");
    silent("manifest", &[("callpath.toml", &manifest), ("config.xml", &backup)], Some("pfsense"));
    for broken in [
        "password = \"canary\"\n",
        "password canary\n",
        "name = \"https://canary:canary@lists.example/canary\"\n",
        "address = \"canary:canary@lists.example\"\n",
        "name = \"voice.example # canary\n",
        "dns = { password = \"canary\" }\n",
        "dns = { lan = \"https://canary@lists.example/canary\"\ntoken = 'canary'\n",
        "[[gateway]]\nforwards = [\"https://canary@lists.example\" # canary\npassword = \"canary\"\n",
        "[[deploy]]\nkernel = { password = \"canary\" }\n",
        "x = \"\"\"canary\ncanary\"\"\"\n",
        "[[gateway]] canary\n",
    ] {
        let out = said("broken", &[("callpath.toml", broken)], Some("pfsense"));
        assert!(shown(&out).is_empty(), "{broken}: {:?}", shown(&out));
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
