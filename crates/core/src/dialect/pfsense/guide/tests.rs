use super::player::play;
use super::*;
use crate::dialect::pfsense::edit::{
    Destination, ForwardField, NewForward, NewOutbound, NewPass, Reflection, RuleField,
};
use crate::dialect::pfsense::splice::fixture::{BASE, forward, lists, pass, spokes, variants};
use crate::dialect::pfsense::splice::sections::text;
use crate::dialect::pfsense::splice::tests::holds;
use crate::dialect::pfsense::splice::{Tab, apply};
use std::path::{Path, PathBuf};

#[test]
fn the_spokes_document_in_its_order() {
    insta::assert_snapshot!(guide(&spokes(), BASE).join("\n"), @r#"
1. Firewall > NAT > Port Forward, Add
     Interface: WAN
     Protocol: UDP
     Destination: WAN address
     Destination port range: 50000 to 50499
     Redirect target IP: 192.168.1.50
     Redirect target port: 50000
     Description: Spokes LiveKit UDP
     NAT reflection: Enable (Pure NAT)
     Filter rule association: Add associated filter rule           Save
2. Firewall > NAT > Port Forward, Add
     Interface: WAN
     Protocol: TCP
     Destination: WAN address
     Destination port range: 7881 to 7881
     Redirect target IP: 192.168.1.50
     Redirect target port: 7881
     Description: Spokes LiveKit TCP Fallback
     NAT reflection: Enable (Pure NAT)
     Filter rule association: Add associated filter rule           Save
3. Apply Changes
4. Firewall > Aliases, Add
     Name: public_ip
     Description: public address by name
     Type: Host(s)
     IP or FQDN: yourserver.duckdns.org                            Save
5. Apply Changes
6. Firewall > NAT > Port Forward, Add
     Interface: WAN
     Protocol: UDP
     Destination: Single host or alias: public_ip
     Destination port range: 50000 to 50499
     Redirect target IP: 192.168.1.50
     Redirect target port: 50000
     Description: Spokes LiveKit UDP (public name)
     NAT reflection: Enable (Pure NAT)
     Filter rule association: Add associated filter rule           Save
7. Firewall > NAT > Port Forward, Add
     Interface: WAN
     Protocol: TCP
     Destination: Single host or alias: public_ip
     Destination port range: 7881 to 7881
     Redirect target IP: 192.168.1.50
     Redirect target port: 7881
     Description: Spokes LiveKit TCP Fallback (public name)
     NAT reflection: Enable (Pure NAT)
     Filter rule association: Add associated filter rule           Save
8. Apply Changes
9. System > Advanced > Firewall & NAT
     [x] Enable automatic outbound NAT for Reflection              Save
"#);
}

#[test]
fn the_way_back_from_the_spokes_document() {
    insta::assert_snapshot!(undo_guide(&spokes(), BASE).join("\n"), @r#"
1. System > Advanced > Firewall & NAT
     [ ] Enable automatic outbound NAT for Reflection              Save
2. Firewall > NAT > Port Forward, delete "Spokes LiveKit TCP Fallback (public name)"
3. Firewall > NAT > Port Forward, delete "Spokes LiveKit UDP (public name)"
4. Apply Changes
5. Firewall > Aliases, delete "public_ip"
6. Apply Changes
7. Firewall > NAT > Port Forward, delete "Spokes LiveKit TCP Fallback"
8. Firewall > NAT > Port Forward, delete "Spokes LiveKit UDP"
9. Apply Changes
"#);
}

#[test]
fn every_kind_of_step() {
    let all: Vec<String> = lists()
        .iter()
        .skip(1)
        .map(|edits| format!("{}\n  back\n{}", guide(edits, BASE).join("\n"), undo_guide(edits, BASE).join("\n")))
        .collect();
    insta::assert_snapshot!(all.join("\n==\n"));
}

#[test]
fn playing_the_guide_gives_the_printed_bytes() {
    for (style, xml) in variants() {
        for edits in lists() {
            let printed = apply(&xml, &edits).unwrap();
            let guide = guide(&edits, &xml);
            let played = play(&guide, &xml);
            assert!(played == printed, "{style}\n{}\n{}", guide.join("\n"), difference(&played, &printed));
        }
    }
}

/// The first place where two texts differ.
fn difference(a: &str, b: &str) -> String {
    let at = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let around = |t: &str| {
        let bytes = &t.as_bytes()[at.saturating_sub(300)..(at + 300).min(t.len())];
        String::from_utf8_lossy(bytes).into_owned()
    };
    format!("played:\n{}\nprinted:\n{}", around(a), around(b))
}

#[test]
fn a_file_without_the_section_still_has_a_guide() {
    let steps = guide(&spokes(), "<nat></nat>");
    assert_eq!(steps, guide(&spokes(), "not XML"));
    assert!(steps[0].contains("Interface: WAN\n"), "{}", steps[0]);
}

#[test]
fn the_button_is_named_where_it_matters() {
    let new = NewForward {
        target: "192.168.1.41".into(),
        ..forward("udp", Destination::InterfaceAddress("wan".into()), (5000, 5100), "x")
    };
    let page = |new| steps(&[Edit::AddForward(new)], BASE)[0].page.clone();
    assert_eq!(page(new.clone()), "Firewall > NAT > Port Forward, Add (to the end of the list)");
    assert_eq!(page(NewForward { protocol: "tcp", ..new }), "Firewall > NAT > Port Forward, Add");
}

/// Every configuration of the corpus, if it is here.
fn corpus() -> Vec<PathBuf> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|e| e == "xml") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/pfsense"), &mut files);
    files.sort();
    files
}

/// Edits for any configuration.
fn edits_for(xml: &str) -> Vec<Edit> {
    let tree = Tree::read(xml).unwrap();
    let wan = || Destination::InterfaceAddress("wan".into());
    let mut edits = vec![
        Edit::AddForward(forward("udp", wan(), (61000, 61009), "Calls")),
        Edit::AddAlias { name: "callers".into(), kind: "host", members: vec!["a.example".into()], descr: "A".into() },
        Edit::AddForward(forward("tcp", Destination::Address("callers".into()), (61443, 61443), "Calls by TCP")),
        Edit::ReflectionHelper(true),
        Edit::OutboundMode("hybrid"),
        Edit::AddOutbound(NewOutbound {
            interface: "wan".into(),
            v6: false,
            source: "10.99.0.1/32".into(),
            target: Some("198.51.100.9".into()),
            descr: "Calls out".into(),
        }),
    ];
    for (number, rule) in tree.entries("nat", "rule").iter().enumerate() {
        let mut set = vec![ForwardField::Reflection(Reflection::PureNat), ForwardField::Target("10.99.0.1".into())];
        if number % 2 == 0 {
            set.push(ForwardField::Ports(62000, 62001));
            set.push(ForwardField::LocalPort(62000));
            set.push(ForwardField::Protocol("udp"));
        }
        if number % 3 == 0 {
            set.push(ForwardField::Source(Some("198.51.100.0/24".into())));
            set.push(ForwardField::Disabled(number % 2 == 0));
        }
        let id = text(*rule, "associated-rule-id");
        let linked =
            tree.entries("filter", "rule").iter().any(|r| !id.is_empty() && text(*r, "associated-rule-id") == id);
        if !linked && !text(*rule, "target").is_empty() {
            set.push(ForwardField::Associated(true));
        }
        edits.push(Edit::SetForward { forward: number, set });
    }
    for (number, rule) in tree.entries("filter", "rule").iter().enumerate().take(12) {
        let Tab::Interface(interface) = Tab::of(*rule) else { continue };
        let descr = format!("new before {number}");
        edits.push(Edit::AddPass(NewPass {
            descr,
            ports: (63000, 63000 + u16::try_from(number).unwrap()),
            ..pass(&interface, Some(number), false)
        }));
        edits.push(Edit::SetRule { rule: number, set: vec![RuleField::Disabled(true)] });
    }
    edits
}

#[test]
fn the_corpus_takes_edits_and_gives_them_back() {
    let files = corpus();
    for file in &files {
        let name = file.display().to_string();
        let xml = std::fs::read_to_string(file).unwrap();
        let edits = edits_for(&xml);
        let printed = holds(&name, &xml, &edits);
        let played = play(&guide(&edits, &xml), &xml);
        assert!(played == printed, "{name}\n{}", difference(&played, &printed));
    }
    println!("{} configurations of the corpus", files.len());
}
