//! The manifest, and snapshots of it.

use super::*;
use callpath_core::manifest::{schema, without_secrets};
use serde_json::Value;

/// Ways down to the keys of the manifest, of what its schema tells.
fn ways(schema: &Value, of: &Value, way: &[String], out: &mut Vec<Vec<String>>) {
    let of = match of["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        Some(name) => &schema["$defs"][name],
        None => of,
    };
    for (name, property) in of["properties"].as_object().into_iter().flatten() {
        let mut way = way.to_vec();
        way.push(name.clone());
        out.push(way.clone());
        // A table in which the site chooses the names has no other keys.
        if property["additionalProperties"].is_object() {
            let last = out.len() - 1;
            out[last].push("a".to_owned());
        }
        let inner = if property["items"]["$ref"].is_string() { &property["items"] } else { property };
        ways(schema, inner, &way, out);
    }
}

/// A key with a value, in its table.
fn line(way: &[String], value: &str) -> String {
    let (key, table) = way.split_last().expect("a key");
    let [first, rest @ ..] = table else { return format!("{key} = {value}\n") };
    let inner = [rest, std::slice::from_ref(key)].concat().join(".");
    format!("[[{first}]]\n{inner} = {value}\n")
}

#[test]
fn no_key_of_a_manifest_speaks() {
    let schema: Value = serde_json::from_str(&schema()).expect("a schema");
    let mut all = Vec::new();
    ways(&schema, &schema, &[], &mut all);
    assert!(all.len() > 45, "{all:?}");
    let hide = |about: &str, text: &str| {
        let got = without_secrets(text);
        assert!(shown(&got).is_empty(), "{about}: {:?}", shown(&got));
        assert_eq!((got.len(), got.lines().count()), (text.len(), text.lines().count()), "{about}");
    };
    let tables: BTreeSet<&[String]> =
        all.iter().filter(|way| way[way.len() - 1] != "a").map(|way| &way[..way.len() - 1]).collect();
    let mut planted = 0;
    for way in &all {
        for text in TEXTS.iter().chain(&[SHAPED]) {
            let quoted = format!("{text:?}");
            for value in [
                quoted.clone(),
                format!("'{text}'"),
                format!("[{quoted}, {quoted}] # canary"),
                format!("[\n  {quoted}, # canary\n  '{text}']"),
                format!("\"\"\"{text}\"\"\""),
            ] {
                // Where a comment would begin within a broken value, nothing is promised of the text before it.
                hide(&way.join("/"), &line(way, &value));
                planted += 1;
            }
        }
    }
    for table in tables {
        for name in UNKNOWN {
            for value in [
                "\"canary\"",
                "'canary'",
                "[\"canary\", { name = \"canary\" }]",
                "{ label = \"canary\" }",
                "canary",
                "4711canary",
            ] {
                let way = [table, &[(*name).to_owned()]].concat();
                hide(&way.join("/"), &line(&way, value));
                planted += 1;
            }
        }
    }
    println!("{} keys, {planted} canaries", all.len());
}

#[test]
fn what_is_said_about_a_manifest_with_a_canary_in_a_key_is_silent() {
    let schema: Value = serde_json::from_str(&schema()).expect("a schema");
    let mut all = Vec::new();
    ways(&schema, &schema, &[], &mut all);
    let base = "address = \"203.0.113.9\"\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n";
    for (n, way) in all.iter().enumerate() {
        let value = format!("{:?}", TEXTS[n % TEXTS.len()]);
        let table = if way[way.len() - 1] == "a" { &way[..way.len() - 2] } else { &way[..way.len() - 1] };
        let unknown = [table, &[UNKNOWN[n % UNKNOWN.len()].to_owned()]].concat();
        for text in [line(way, &value) + base, base.to_owned() + &line(&unknown, "\"canary\"")] {
            let out = said("key", &[("callpath.toml", &text)], None);
            assert!(shown(&out).is_empty(), "{text}: {:?}", shown(&out));
        }
    }
}

#[test]
fn no_field_of_a_snapshot_speaks() {
    let text = |text: &str| serde_json::to_string(text).expect("a string");
    let manifest = example("spokes/callpath.toml").replace("pfsense/config.xml", "config.xml");
    let backup = example("spokes/pfsense/config.xml");
    let unknown = format!("\"{}\": \"canary\", ", UNKNOWN.join("\": \"canary\", \""));
    let good = format!(
        "{{{unknown}\"schema\": \"callpath.snapshot/1\", \"callpath\": \"canary\", \"sources\": [{{{unknown}\"name\": \"callpath.toml\", \
         \"text\": {}}}, {{\"name\": \"config.xml\", {unknown}\"text\": {}}}, {{\"name\": \"key\", \"text\": \"canary\"}}]}}",
        text(&format!("# canary\npassword = \"canary\"\n{manifest}").replacen("password = \"canary\"\n", "", 1)),
        text(&backup.replacen("<system>", "<system><!-- canary --><token>canary</token>", 1)),
    );
    for given in [
        good.clone(),
        good.replacen("snapshot/1", "snapshot/canary", 1),
        good.replacen("\"sources\": [", "\"sources\": [\"canary\", ", 1),
        good.replacen("\"text\": ", "\"text\": canary ", 1),
        good[..good.len() - 9].to_owned(),
    ] {
        let dir = std::env::temp_dir().join(format!("callpath-canaries-{}-field", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a directory");
        fs::write(dir.join("bug.json"), &given).expect("written");
        let mut ways: Vec<Vec<&str>> = FORMATS.iter().map(|f| vec!["check", "bug.json", "--format", f.name]).collect();
        ways.push(vec!["check", "--redact", "bug.json"]);
        ways.push(vec!["render", "pfsense", "bug.json"]);
        ways.push(vec!["snapshot", "-o", "again.json", "bug.json"]);
        ways.push(vec!["import", "bug.json"]);
        for way in ways {
            let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(&way).current_dir(&dir).output();
            let output = output.expect("callpath runs");
            let mut out = String::from_utf8_lossy(&output.stdout).into_owned();
            out += &String::from_utf8_lossy(&output.stderr);
            out += &fs::read_to_string(dir.join("again.json")).unwrap_or_default();
            assert!(shown(&out).is_empty(), "{way:?}: {:?}", shown(&out));
            assert!(!out.contains("panicked"), "{way:?}: {out}");
        }
        fs::remove_dir_all(&dir).expect("removed");
    }
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
