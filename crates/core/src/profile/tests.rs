use super::*;
use crate::manifest;
use crate::manifest::Place;
use crate::requirement::Requirement;
use crate::vocabulary::Where;
use std::collections::BTreeSet;

#[test]
fn every_profile_reads_and_names_only_what_exists() {
    for (name, _) in PROFILES {
        let p = base::read(name).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(p.name, *name);
        let modes: BTreeSet<&str> = p.mode.iter().map(|m| &*m.name).collect();
        let features: BTreeSet<&str> = p.feature.iter().map(|f| &*f.name).collect();
        let parameters: BTreeSet<&str> = p.parameter.iter().map(|m| &*m.name).collect();
        assert_eq!(modes.len(), p.mode.len(), "{name}: two modes of one name");
        assert_eq!(features.len(), p.feature.len(), "{name}: two features of one name");
        assert_eq!(parameters.len(), p.parameter.len(), "{name}: two parameters of one name");
        for row in &p.row {
            let id = &row.id;
            assert!(parameters.contains(&*row.ports), "{name}, {id}: no parameter {}", row.ports);
            assert!(row.mode.iter().all(|m| modes.contains(&**m)), "{name}, {id}: unknown mode");
            assert!(row.when.iter().all(|f| features.contains(&**f)), "{name}, {id}: unknown feature");
            assert!(row.level == Level::Forbidden || !row.leg.is_empty(), "{name}, {id}: no leg");
            assert!(!row.purpose.is_empty(), "{name}, {id}: no purpose");
        }
        for parameter in &p.parameter {
            let used = p.row.iter().any(|r| r.ports == parameter.name);
            assert!(used, "{name}: no row uses parameter {}", parameter.name);
            manifest::parse_ports(&parameter.default).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        }
        for feature in &p.feature {
            let used = p.row.iter().any(|r| r.when.contains(&feature.name));
            assert!(used, "{name}: no row asks for feature {}", feature.name);
        }
        let sources = (p.mode.iter().map(|m| &m.source))
            .chain(p.parameter.iter().map(|m| &m.source))
            .chain(p.feature.iter().map(|m| &m.source))
            .chain(p.row.iter().map(|m| &m.source))
            .chain(p.row.iter().filter_map(|m| m.note.as_ref()).map(|n| &n.source))
            .chain(
                p.hairpin.iter().chain(&p.helper).chain(&p.advice).chain(&p.note).chain(&p.itself).map(|a| &a.source),
            )
            .chain([&p.told.source]);
        for source in sources {
            for part in source.split("; ") {
                let document = part.split(':').next().unwrap_or_default();
                assert!(p.documents.contains_key(document), "{name}: `{source}` names no document");
            }
        }
    }
}

fn requirements(deploy: &str) -> Vec<Requirement> {
    let text = format!("[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n{deploy}");
    let manifest = manifest::parse(&text).expect("manifest");
    instance(&manifest.deploys[0]).expect("instance").requirements
}

fn ids(list: &[Requirement]) -> Vec<&str> {
    list.iter().map(|r| &*r.id).collect()
}

#[test]
fn modes_features_and_parameters_change_the_requirements() {
    let usual = requirements("");
    assert_eq!(ids(&usual), ["signal", "http", "media-udp", "media-tcp", "stun"]);
    assert_eq!(usual[2].what(), "udp 50000-60000");
    assert_eq!(usual[1].level, Level::Forbidden);
    let other = requirements(
        "mode = \"direct\"\nwith = { udp = \"50500-50999\", http = 8080 }\noff = [\"tcp\", \"external-ip\"]\non = [\"turn\"]",
    );
    assert_eq!(ids(&other), ["signal", "media-udp", "turn-udp", "turn-tls"]);
    assert_eq!(other[0].what(), "tcp 8080");
    assert_eq!(other[1].what(), "udp 50500-50999");
}

#[test]
fn levels_depend_on_the_place() {
    let usual = requirements("");
    let guests = Where::At(Place::Net("guests".into()));
    assert_eq!(usual[3].level_at(&Where::At(Place::Internet)), Level::Recommended);
    assert_eq!(usual[3].level_at(&guests), Level::Optional);
    assert_eq!(usual[2].level_at(&guests), Level::Required);
}

#[test]
fn unknown_names_are_errors_with_a_suggestion() {
    for (deploy, message, help) in [
        ("mode = \"prxy\"", "LiveKit has no mode `prxy`", "did you mean `proxy`?"),
        ("with = { udb = 5 }", "LiveKit has no parameter `udb`", "did you mean `udp`?"),
        ("on = [\"sip\"]", "LiveKit has no feature `sip`", "features: tcp"),
        ("with = { tcp = \"1-2\" }", "`tcp` is one port, not a range", "7881"),
    ] {
        let text = format!("[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n{deploy}");
        let manifest = manifest::parse(&text).expect("manifest");
        let error = instance(&manifest.deploys[0]).expect_err(deploy);
        assert_eq!(error.message, message);
        assert!(error.help.contains(help), "{}", error.help);
    }
    let text = "[[deploy]]\nsystem = \"livkit\"\nhost = \"192.168.1.50\"\n";
    let error = instance(&manifest::parse(text).expect("manifest").deploys[0]).expect_err("typo");
    assert_eq!(&*error.help, "did you mean `livekit`?");
}
