//! Backups as a parser of XML reads them, before and after a change: what was meant comes back as it was meant, and nothing
//! else is another.

use super::names;
use super::shell::Folder;
use callpath_core::dialect::Patch;
use callpath_core::dialect::pfsense::BackupChange;
use callpath_core::dialect::pfsense::edit::{
    Destination, Edit, ForwardField, NewForward, NewOutbound, NewPass, Reflection, RuleField,
};
use callpath_core::dialect::pfsense::splice::{apply, print, undo};
use std::process::Command;

/// What entries, rules and aliases of pfSense's own pages consist of (`firewall_nat_edit.php`, `firewall_rules_edit.php`,
/// `firewall_aliases_edit.php`, `firewall_nat_out_edit.php`), and the key of System > Advanced > Firewall & NAT.
const OWN: &str = " any network address port not disabled natreflection associated-rule-id created time username id tracker \
                   type quick floating direction updated name detail alias local-port target ipprotocol protocol interface \
                   descr source destination rule aliases nat filter gateway enablenatreflectionhelper \
                   disablenatreflection outbound mode sourceport target_subnet poolopts source_hash_key ";
/// Those of an entry that is there whose value a change replaces or takes away.
const CHANGED: &str = " any network address port not disabled natreflection associated-rule-id local-port target protocol \
                       type gateway detail source destination enablenatreflectionhelper quick time username updated \
                       mode ";

/// A value of a backup: the names down to it, and its text as a parser reads it.
pub type Value = (String, String);

/// Every element, attribute, comment and instruction in its order.
///
/// # Errors
/// It is not well-formed.
pub fn values(text: &str) -> Result<Vec<Value>, String> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(text, options).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    for node in document.descendants() {
        let mut way: Vec<&str> =
            node.ancestors().filter(roxmltree::Node::is_element).map(|n| n.tag_name().name()).collect();
        way.reverse();
        let way = way.join("/");
        if node.is_element() {
            let text: String = node.children().filter(roxmltree::Node::is_text).filter_map(|n| n.text()).collect();
            let inner = node.children().any(|n| n.is_element());
            out.extend(node.attributes().map(|a| (format!("{way}/@{}", a.name()), a.value().to_owned())));
            out.push((way, if inner { text.trim().to_owned() } else { text }));
        } else if node.is_comment() || node.is_pi() {
            out.push((format!("{way}/#"), node.text().unwrap_or_default().to_owned()));
        }
    }
    Ok(out)
}

/// Values that only the first has, and those that only the second has: what is left of both without their longest common
/// row.
fn difference(old: &[Value], new: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[same..], &new[same..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let mut longest = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let (down, right) = (longest[i + 1][j], longest[i][j + 1]);
            longest[i][j] = if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { down.max(right) };
        }
    }
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && longest[i + 1][j] >= longest[i][j + 1] {
            gone.push(old[i].clone());
            i += 1;
        } else {
            come.push(new[j].clone());
            j += 1;
        }
    }
    (gone, come)
}

/// What is wrong with a changed backup. `meant`: texts that a change may bring in.
pub fn faults(before: &str, after: &str, meant: &[String]) -> Vec<String> {
    let Ok(old) = values(before) else { return Vec::new() };
    let new = match values(after) {
        Ok(new) => new,
        Err(e) => return vec![format!("the changed backup: {e}")],
    };
    let (gone, come) = difference(&old, &new);
    let last = |way: &str| format!(" {} ", way.rsplit('/').next().unwrap_or_default());
    let mut out = Vec::new();
    out.extend(gone.iter().filter(|(way, _)| !CHANGED.contains(&last(way))).map(|v| format!("{v:?} is gone")));
    for (way, text) in &come {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || " .:/_-,".contains(c));
        let known = plain || meant.contains(text) || old.iter().any(|(_, t)| t == text);
        if !OWN.contains(&last(way)) || !known {
            out.push(format!("{way} with {text:?} was not meant"));
        }
    }
    out
}

/// The texts that changes bring in, each with what pfSense's page makes of it.
pub fn meant<'p>(patches: impl IntoIterator<Item = &'p Patch>) -> Vec<String> {
    let edits = patches.into_iter().filter_map(|p| match p.of()? {
        BackupChange::Edits(edits) => Some(edits),
        BackupChange::Narrow(_) => None,
    });
    edits.flatten().flat_map(carried).collect()
}

fn carried(edit: &Edit) -> Vec<String> {
    let mut out = Vec::new();
    let end = |d: &Destination| match d {
        Destination::InterfaceAddress(name) => format!("{name}ip"),
        Destination::Address(address) => address.clone(),
    };
    match edit {
        Edit::AddForward(new) => {
            out.extend([new.interface.clone(), end(&new.destination), new.target.clone(), new.descr.clone()]);
            out.extend(new.source.clone());
            // The description of the filter rule that belongs to it has 62 bytes (`saveNATrule`).
            let mut rule = format!("NAT {}", new.descr.trim());
            while rule.len() > 62 {
                rule.pop();
            }
            out.push(rule);
        }
        Edit::SetForward { set, .. } => out.extend(set.iter().filter_map(|field| match field {
            ForwardField::Destination(d) => Some(end(d)),
            ForwardField::Target(text) => Some(text.clone()),
            ForwardField::Source(text) => text.clone(),
            _ => None,
        })),
        Edit::AddAlias { name, members, descr, .. } => {
            out.extend([name.clone(), descr.clone(), members.join(" ")]);
            out.extend(members.clone());
        }
        Edit::SetAlias { members, .. } => out.push(members.join(" ")),
        Edit::AddPass(new) => {
            out.extend([new.interface.clone(), new.destination.clone(), new.descr.clone()]);
            out.extend(new.source.clone());
        }
        Edit::SetRule { set, .. } => out.extend(set.iter().filter_map(|field| match field {
            RuleField::Destination(text) => Some(text.clone()),
            RuleField::Source(text) | RuleField::Gateway(text) => text.clone(),
            _ => None,
        })),
        Edit::AddOutbound(new) => {
            out.extend([new.interface.clone(), new.source.clone(), new.descr.clone()]);
            out.extend(new.target.clone());
        }
        Edit::OutboundMode(_) | Edit::ReflectionHelper(_) | Edit::NoReplyTo(_) => {}
    }
    // A field of a page has no blanks around its value.
    let trimmed: Vec<String> = out.iter().map(|text| text.trim().to_owned()).collect();
    out.extend(trimmed);
    out
}

/// One change of each kind, with the name wherever a text stands in it.
fn edits(name: &str) -> Vec<Edit> {
    let name = || name.to_owned();
    let forward = NewForward {
        interface: "wan".into(),
        v6: false,
        protocol: "tcp",
        destination: Destination::Address(name()),
        ports: (443, 443),
        target: name(),
        local_port: 443,
        reflection: Reflection::PureNat,
        source: Some(name()),
        descr: name(),
    };
    let pass = NewPass {
        interface: "wan".into(),
        v6: false,
        protocol: "udp",
        source: Some(name()),
        destination: name(),
        ports: (50000, 60000),
        before: None,
        floating: false,
        descr: name(),
    };
    vec![
        Edit::AddForward(forward),
        Edit::SetForward {
            forward: 0,
            set: vec![
                ForwardField::Target(name()),
                ForwardField::Destination(Destination::Address(name())),
                ForwardField::Source(Some(name())),
            ],
        },
        Edit::AddAlias { name: name(), kind: "host", members: vec!["192.0.2.7".into()], descr: name() },
        Edit::SetAlias { name: "server".into(), members: vec![name()] },
        Edit::AddOutbound(NewOutbound {
            interface: "wan".into(),
            v6: false,
            source: name(),
            target: Some(name()),
            descr: name(),
        }),
        Edit::AddPass(pass.clone()),
        Edit::AddPass(NewPass { floating: true, ..pass }),
        Edit::SetRule {
            rule: 0,
            set: vec![
                RuleField::Destination(name()),
                RuleField::Source(Some(name())),
                RuleField::Gateway(Some(name())),
            ],
        },
    ]
}

#[test]
fn what_a_change_writes_comes_back_and_nothing_else_is_another() {
    let before = include_str!("site/config.xml");
    let (mut written, mut refused, mut wrong) = (0, 0, Vec::new());
    let mut last = String::new();
    for name in names::all() {
        for edit in edits(&name) {
            let Ok(printed) = print(before, std::slice::from_ref(&edit)) else {
                // A field of a page holds no control characters, and a member of a list no blanks.
                let member = matches!(edit, Edit::SetAlias { .. });
                let unfit = |c: char| c.is_control() || member && (c.is_whitespace() || "<>\"'`;&|".contains(c));
                if !name.contains(unfit) && !name.is_empty() {
                    wrong.push(format!("{edit:?} is refused"));
                }
                refused += 1;
                continue;
            };
            written += 1;
            let found = faults(before, &printed.xml, &carried(&edit));
            wrong.extend(found.into_iter().map(|f| format!("{edit:?}: {f}")));
            let comes_back = values(&printed.xml).is_ok_and(|all| all.iter().any(|(_, text)| text == name.trim()));
            if !comes_back {
                wrong.push(format!("{edit:?}: the name does not come back"));
            }
            let back = undo(&printed.xml, &printed.undo);
            if back.as_deref() != Ok(before) {
                wrong.push(format!("{edit:?}: it is not taken back"));
            }
            if apply(&printed.xml, std::slice::from_ref(&edit)).as_deref() != Ok(&*printed.xml) {
                wrong.push(format!("{edit:?}: made twice, it is another"));
            }
            last = printed.xml;
        }
    }
    println!("{written} changes written, {refused} refused");
    assert!(written > 1000 && refused > 0, "{written} written, {refused} refused");
    assert!(wrong.is_empty(), "{} faults: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    // A parser in C reads the last of them as well, where one is at hand.
    let folder = Folder::new("elements");
    let file = folder.0.join("config.xml");
    std::fs::write(&file, last).expect("written");
    if let Ok(output) = Command::new("xmllint").arg("--noout").arg(&file).output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_judge_sees_what_it_looks_for() {
    let before = "<a><rule><descr>x</descr><port>1</port></rule></a>";
    let meant = ["5'".to_owned()];
    for good in [
        before.to_owned(),
        before.replace("<port>1<", "<port>5'<"),
        before.replace("</a>", "<rule><descr>5&apos;</descr></rule></a>"),
    ] {
        assert_eq!(faults(before, &good, &meant), Vec::<String>::new(), "{good}");
    }
    for bad in [
        before.replace("<descr>x<", "<descr>5'<"),
        before.replace("<port>1<", "<port>6'<"),
        before.replace("</rule>", "<other>1</other></rule>"),
        before.replace("<rule>", "<rule note='x'>"),
        before.replace("</a>", "<!-- x --></a>"),
        before.replace("</a>", ""),
    ] {
        assert!(!faults(before, &bad, &meant).is_empty(), "{bad}");
    }
}
