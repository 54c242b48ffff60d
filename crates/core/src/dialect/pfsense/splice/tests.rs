use super::fixture::{BASE, forward, lists, pass, spokes, variants};
use super::*;
use crate::dialect::pfsense::edit::{Destination, ForwardField, NewForward, Reflection, RuleField};
use crate::dialect::pfsense::guide;

/// What holds for every file and every list of edits.
pub(in crate::dialect::pfsense) fn holds(what: &str, xml: &str, edits: &[Edit]) -> String {
    let printed = print(xml, edits).unwrap_or_else(|e| panic!("{what}: {e}\n{edits:?}"));
    if let Err(e) = Tree::read(&printed.xml) {
        panic!("{what}: {e}\n{}", printed.xml);
    }
    assert_eq!(undo(&printed.xml, &printed.undo).as_deref(), Ok(xml), "{what}: undo of {edits:?}");
    assert!(apply(&printed.xml, edits).as_ref() == Ok(&printed.xml), "{what}: second run of {edits:?}");
    assert_eq!(guide::steps(edits, &printed.xml), [], "{what}: second guide of {edits:?}");
    if xml.contains("\r\n") {
        assert_eq!(printed.xml.matches('\n').count(), printed.xml.matches("\r\n").count(), "{what}");
    }
    printed.xml
}

/// Lines of `before` that are not in `after`, by their longest common subsequence.
fn lost<'a>(before: &'a str, after: &str) -> Vec<&'a str> {
    let (a, b): (Vec<_>, Vec<_>) = (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let mut common = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let skip = common[i + 1][j].max(common[i][j + 1]);
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { skip };
        }
    }
    let (mut j, mut lost) = (0, Vec::new());
    for (i, line) in a.iter().enumerate() {
        while j < b.len() && b[j] != *line && common[i][j + 1] == common[i][j] {
            j += 1;
        }
        if j < b.len() && b[j] == *line {
            j += 1;
        } else {
            lost.push(*line);
        }
    }
    lost
}

#[test]
fn every_list_holds_in_every_style() {
    for (style, xml) in variants() {
        for edits in lists() {
            let printed = holds(style, &xml, &edits);
            assert_ne!(printed, xml, "{style}: {edits:?}");
        }
    }
}

#[test]
fn what_is_added_takes_no_line_away() {
    for (style, xml) in variants().into_iter().filter(|(s, _)| *s != "one line") {
        let printed = apply(&xml, &spokes()).unwrap();
        assert_eq!(lost(&xml, &printed), Vec::<&str>::new(), "{style}");
    }
}

#[test]
fn a_field_changes_its_own_lines_only() {
    let edits = [Edit::SetForward { forward: 0, set: vec![ForwardField::Ports(5060, 5070)] }];
    let printed = apply(BASE, &edits).unwrap();
    let ports: Vec<&str> = vec!["\t\t\t\t<port>5060</port>\n"; 2];
    assert_eq!(lost(BASE, &printed), ports);
    assert_eq!(printed.matches("<port>5060-5070</port>").count(), 2, "forward and filter rule");
    let edits = [Edit::SetForward { forward: 1, set: vec![ForwardField::Disabled(false)] }];
    let printed = apply(BASE, &edits).unwrap();
    assert_eq!(lost(BASE, &printed), vec!["\t\t\t<disabled></disabled>\n"; 2], "forward and filter rule");
}

#[test]
fn a_forward_is_written_as_pfsense_writes_it() {
    let new = forward("udp", Destination::InterfaceAddress("wan".into()), (50000, 50499), "Spokes LiveKit UDP");
    insta::assert_snapshot!(added(&[Edit::AddForward(new)]), @r"
<rule>
   <source>
    <any></any>
   </source>
   <destination>
    <network>wanip</network>
    <port>50000-50499</port>
   </destination>
   <ipprotocol>inet</ipprotocol>
   <protocol>udp</protocol>
   <target>192.168.1.50</target>
   <local-port>50000</local-port>
   <interface>wan</interface>
   <descr><![CDATA[Spokes LiveKit UDP]]></descr>
   <associated-rule-id>nat_198355588d778</associated-rule-id>
   <natreflection>purenat</natreflection>
  </rule>
--
<rule>
   <source>
    <any></any>
   </source>
   <interface>wan</interface>
   <ipprotocol>inet</ipprotocol>
   <protocol>udp</protocol>
   <destination>
    <address>192.168.1.50</address>
    <port>50000-50499</port>
   </destination>
   <descr><![CDATA[NAT Spokes LiveKit UDP]]></descr>
   <associated-rule-id>nat_198355588d778</associated-rule-id>
   <tracker>1700000105</tracker>
   <created>
    <time>1700000105</time>
    <username>NAT Port Forward</username>
   </created>
  </rule>
");
}

#[test]
fn a_pass_rule_is_written_as_pfsense_writes_it() {
    let edits = [Edit::AddPass(pass("opt1", Some(4), false)), Edit::AddPass(pass("lan", None, true))];
    insta::assert_snapshot!(added(&edits), @r"
<rule>
   <id></id>
   <tracker>1700000105</tracker>
   <type>pass</type>
   <interface>opt1</interface>
   <ipprotocol>inet</ipprotocol>
   <protocol>udp</protocol>
   <source>
    <address>192.168.20.0/24</address>
   </source>
   <destination>
    <address>192.168.1.50</address>
    <port>50000-50499</port>
   </destination>
   <descr><![CDATA[Calls from phones]]></descr>
  </rule>
--
<rule>
   <id></id>
   <tracker>1700000106</tracker>
   <type>pass</type>
   <interface>lan</interface>
   <ipprotocol>inet</ipprotocol>
   <quick>yes</quick>
   <floating>yes</floating>
   <direction>in</direction>
   <protocol>udp</protocol>
   <source>
    <address>192.168.20.0/24</address>
   </source>
   <destination>
    <address>192.168.1.50</address>
    <port>50000-50499</port>
   </destination>
   <descr><![CDATA[Calls from phones]]></descr>
  </rule>
");
}

/// What the edits put in.
fn added(edits: &[Edit]) -> String {
    let steps = print(BASE, edits).unwrap().undo;
    steps.iter().rev().map(|s| s.found.trim().replace('\t', " ")).collect::<Vec<_>>().join("\n--\n")
}

#[test]
fn sections_that_are_missing_or_empty_are_filled() {
    let style = "<pfsense>\n\t<version>1</version>\n";
    for body in [
        "</pfsense>\n".to_owned(),
        "\t<system/>\n\t<nat/>\n\t<filter/>\n\t<aliases/>\n</pfsense>\n".to_owned(),
        "\t<system />\n\t<nat />\n\t<filter />\n\t<aliases />\n</pfsense>".to_owned(),
        "\t<system></system>\n\t<nat></nat>\n\t<filter></filter>\n\t<aliases></aliases>\n</pfsense>".to_owned(),
        "\t<system>\n\t</system>\n\t<nat>\n\t</nat>\n\t<filter>\n\t\t<!-- x -->\n\t</filter>\n</pfsense>".to_owned(),
        "\t<filter a='>'><separator><wan/></separator></filter><nat><separator/></nat></pfsense>".to_owned(),
    ] {
        for xml in [format!("{style}{body}"), format!("{style}{body}").replace('\n', "\r\n")] {
            let printed = holds(&body, &xml, &spokes());
            let tree = Tree::read(&printed).unwrap();
            assert_eq!(tree.entries("nat", "rule").len(), 4, "{printed}");
            assert_eq!(tree.entries("filter", "rule").len(), 4, "{printed}");
            assert_eq!(tree.entries("aliases", "alias").len(), 1, "{printed}");
        }
    }
    let xml = "<pfsense>\n\t<nat/>\n\t<filter>\n\t</filter>\n</pfsense>\n";
    let printed = apply(xml, &[spokes().remove(0)]).unwrap();
    assert!(printed.starts_with("<pfsense>\n\t<nat>\n\t\t<rule>\n\t\t\t<source>\n\t\t\t\t<any/>\n"), "{printed}");
    assert!(printed.ends_with("\t\t\t</created>\n\t\t</rule>\n\t</filter>\n</pfsense>\n"), "{printed}");
}

#[test]
fn one_area_is_changed_or_refused() {
    let nat = "<nat>\n\t<rule>\n\t\t<target>10.0.0.1</target>\n\t</rule>\n</nat>\n";
    let set = |field| vec![Edit::SetForward { forward: 0, set: vec![field] }];
    holds("nat", nat, &set(ForwardField::Reflection(Reflection::PureNat)));
    holds("nat", nat, &set(ForwardField::Target("10.0.0.2".into())));
    holds("aliases", "<aliases/>", &spokes()[2..3]);
    holds("filter", "<filter></filter>", &[Edit::AddPass(pass("lan", None, false))]);
    let reason = |xml: &str, edits: &[Edit]| apply(xml, edits).unwrap_err().to_string();
    let linked = nat.replace("</rule>", "\t<associated-rule-id>nat_1</associated-rule-id>\n\t</rule>");
    for refused in [
        reason(nat, &spokes()),
        reason(nat, &set(ForwardField::Associated(true))),
        reason(&linked, &set(ForwardField::Target("10.0.0.2".into()))),
    ] {
        assert!(refused.contains("holds only <nat>, and this change needs <filter> too"), "{refused}");
    }
    assert!(reason("<filter/>", &spokes()).contains("needs <nat>"));
    assert!(reason(nat, &spokes()[5..]).contains("needs <system>"));
    assert!(reason("<opnsense/>", &spokes()).contains("begins with <opnsense>"));
    assert!(reason("<pfsense>", &spokes()).contains("not well-formed"));
    assert!(reason("<pfsense/>", &set(ForwardField::LocalPort(1))).contains("no port forward number 0"));
}

#[test]
fn what_pfsense_would_not_save_is_refused() {
    let wan = || Destination::InterfaceAddress("wan".into());
    let bad = NewForward { local_port: 65535, ..forward("udp", wan(), (1, 2), "x") };
    assert!(apply(BASE, &[Edit::AddForward(bad)]).unwrap_err().to_string().contains("beyond 65535"));
    let bad = forward("udp", wan(), (1, 2), "a\u{0}b");
    assert!(apply(BASE, &[Edit::AddForward(bad)]).unwrap_err().to_string().contains("cannot hold"));
    let set = |rule, field| [Edit::SetRule { rule, set: vec![field] }];
    let linked = apply(BASE, &set(0, RuleField::Ports(1, 2))).unwrap_err().to_string();
    assert!(linked.contains("belongs to a port forward"), "{linked}");
    assert!(
        apply(BASE, &set(70, RuleField::Ports(1, 2))).unwrap_err().to_string().contains("no filter rule number 70")
    );
    let other_tab = apply(BASE, &[Edit::AddPass(pass("opt1", Some(0), false))]).unwrap_err().to_string();
    assert!(other_tab.contains("same tab"), "{other_tab}");
    let taken = Edit::AddAlias { name: "trunk".into(), kind: "host", members: vec!["x".into()], descr: String::new() };
    assert!(apply(BASE, &[taken]).unwrap_err().to_string().contains("another alias trunk"));
}

#[test]
fn a_forward_that_is_there_gets_only_its_reflection() {
    let mut new = forward("udp", Destination::InterfaceAddress("wan".into()), (5060, 5060), "other words");
    new.target = "192.168.1.40".into();
    let printed = holds("there", BASE, &[Edit::AddForward(new.clone())]);
    assert_eq!(lost(BASE, &printed), Vec::<&str>::new());
    assert_eq!(printed.len() - BASE.len(), "\t\t\t<natreflection>purenat</natreflection>\n".len());
    new.reflection = Reflection::Default;
    assert_eq!(apply(BASE, &[Edit::AddForward(new)]).as_deref(), Ok(BASE));
}

#[test]
fn links_and_trackers_are_free() {
    let edits = spokes();
    let printed = apply(BASE, &edits).unwrap();
    let tree = Tree::read(&printed).unwrap();
    let rules = tree.entries("filter", "rule");
    let mut trackers: Vec<_> = rules.iter().map(|r| sections::text(*r, "tracker")).filter(|t| !t.is_empty()).collect();
    assert!(trackers.contains(&"1700000105".to_owned()) && trackers.contains(&"1700000108".to_owned()));
    trackers.sort();
    trackers.dedup();
    assert_eq!(trackers.len(), 10);
    for forward in &tree.entries("nat", "rule")[4..] {
        let link = sections::text(*forward, "associated-rule-id");
        assert!(link.len() == 17 && link.starts_with("nat_"), "{link}");
        assert_eq!(rules.iter().filter(|r| sections::text(**r, "associated-rule-id") == link).count(), 1);
    }
    let full = BASE.replace("1700000104", "9999999999");
    assert!(apply(&full, &edits).unwrap().contains("<tracker>1000000000</tracker>"));
}

#[test]
fn undo_of_another_file_is_refused() {
    let printed = print(BASE, &spokes()).unwrap();
    assert!(undo(BASE, &printed.undo).is_err());
    assert!(undo("", &printed.undo).is_err());
}
