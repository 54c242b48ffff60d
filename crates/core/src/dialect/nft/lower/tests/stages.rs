//! Stages, their order, and tables off the way.

use super::of_text;
use crate::dialect::nft::{lower::ignored, text};
use crate::model::print::pipeline;
use crate::model::{KeyField, SourceId, Step};
use crate::snapshot::Source;

/// The lines about one hook.
fn hook<'a>(model: &'a str, name: &str) -> Vec<&'a str> {
    model.lines().take_while(|l| !l.is_empty()).filter(|l| l.starts_with(name)).collect()
}

fn model(text: &str) -> String {
    pipeline(&of_text(text).0)
}

#[test]
fn stages_run_by_priority_with_tracking_and_translation_at_their_own_places() {
    let m = model(
        "table inet a {\n chain late { type filter hook prerouting priority 10; policy drop; }\n \
         chain raw { type filter hook prerouting priority raw; }\n \
         chain odd { type nat hook prerouting priority 300; redirect; }\n}\n\
         table ip b {\n chain mangle { type filter hook prerouting priority mangle; }\n \
         chain nat { type nat hook prerouting priority dstnat; }\n}\n",
    );
    assert_eq!(
        hook(&m, "prerouting"),
        [
            "prerouting: filter by chain 1 raw, else accept",
            "prerouting: track connections",
            "prerouting ipv4: filter by chain 3 mangle, else accept",
            "prerouting ipv4: translate destination by chain 4 nat, else accept; chain 2 odd, else accept",
            "prerouting ipv6: translate destination by chain 2 odd, else accept",
            "prerouting: filter by chain 0 late, else drop",
        ]
    );
    assert_eq!(hook(&m, "postrouting").len(), 2, "translation is there without chains");
}

#[test]
fn route_chains_route_again() {
    let m = model("table ip t {\n chain c { type route hook output priority mangle; }\n}\n");
    assert_eq!(hook(&m, "output")[0], "output ipv4: filter by chain 0 c, else accept, route again");
}

#[test]
fn of_equal_priority_the_chain_registered_last_runs_first() {
    let m = model(
        "table ip a {\n chain x { type filter hook forward priority 0; }\n chain y { type filter hook forward priority 0; }\n}\n\
         table inet b {\n chain z { type filter hook forward priority 0; }\n}\n",
    );
    assert_eq!(
        hook(&m, "forward"),
        [
            "forward: filter by chain 2 z, else accept",
            "forward ipv4: filter by chain 1 y, else accept",
            "forward ipv4: filter by chain 0 x, else accept",
        ]
    );
}

#[test]
fn connections_are_tracked_in_the_families_that_some_rule_asks_it_for() {
    let of = |rule: &str| {
        let m = model(&format!("table ip6 t {{\n chain c {{\n  {rule}\n }}\n}}\n"));
        hook(&m, "prerouting").into_iter().find(|l| l.contains("track")).map(str::to_owned)
    };
    assert_eq!(of("accept"), None);
    assert_eq!(of("ct state new accept").as_deref(), Some("prerouting ipv6: track connections"));
    assert_eq!(of("masquerade").as_deref(), Some("prerouting ipv6: track connections"));
    assert_eq!(of("meta mark set ct mark").as_deref(), Some("prerouting ipv6: track connections"));
}

#[test]
fn ingress_chains_see_their_devices_only() {
    let m = model(
        "table netdev t {\n chain one { type filter hook ingress device eth0 priority 0; policy drop; }\n \
         chain many { type filter hook ingress devices = { eth0, wg1 } priority 5; }\n}\n",
    );
    assert_eq!(
        hook(&m, "ingress"),
        [
            "ingress on eth0: filter by chain 0 one, else drop",
            "ingress on eth0, wg1: filter by chain 1 many, else accept"
        ]
    );
}

#[test]
fn an_ingress_chain_without_device_may_or_may_not_be_met_by_each_packet() {
    let mut ruleset = crate::dialect::nft::ast::Ruleset::default();
    let text = "table netdev t {\n chain c { type filter hook ingress device eth0 priority 0; policy drop; }\n}\n";
    let sources = [Source { name: "r".into(), text: text.into() }];
    ruleset.tables = text::parse(SourceId(0), &sources).expect("reads").tables;
    for (devices, field) in [(vec![], None), (vec!["eth*".into()], Some(KeyField::InIface))] {
        if let Some(base) = &mut ruleset.tables[0].chains[0].base {
            base.devices = devices;
        }
        let mut p = crate::model::Pipeline::default();
        super::lower(&ruleset, true, &mut p);
        let entry = p.chains.last().expect("a chain in front");
        let Step::Match(m) = &entry.rules[0].steps[0] else { panic!("a match first") };
        match field {
            Some(field) => assert!(m.keys[0].field == field && m.negate),
            None => {
                assert!(matches!(m.keys[0].field, KeyField::Unknown(doubt, 1) if !p.doubts[doubt.0 as usize].fixed));
            }
        }
    }
}

#[test]
fn tables_off_the_way_are_counted_and_named_but_not_walked() {
    let source = "table bridge b {\n chain c { type filter hook forward priority 0; policy drop; ip saddr 1.1.1.1 drop; }\n}\n\
                  table arp a {\n chain c { type filter hook input priority 0; policy drop; }\n}\n\
                  table ip d {\n flags dormant;\n chain c { type filter hook forward priority 0; policy drop; }\n}\n";
    let (p, c) = of_text(source);
    assert!(p.chains.is_empty());
    assert_eq!((c.statements, c.understood, c.irrelevant), (2, 2, 2));
    let sources = [Source { name: "r".into(), text: source.into() }];
    assert_eq!(
        ignored(&text::parse(SourceId(0), &sources).expect("reads")),
        ["table bridge b, chain c", "table arp a, chain c", "table ip d, chain c"]
    );
}

#[test]
fn what_was_not_read_outside_of_rules_comes_first_for_every_packet() {
    let m = model("include \"gone.nft\"\ntable ip t {\n chain c { type filter hook prerouting priority -400; }\n}\n");
    for name in ["prerouting", "output"] {
        assert!(hook(&m, name)[0].contains("what was not understood"), "{m}");
    }
    assert!(m.contains("anything may happen [`include \"gone.nft\"`"), "{m}");
}
