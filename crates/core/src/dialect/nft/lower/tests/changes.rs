//! Statements that change marks, headers and sets, and effects that are not modelled.

use super::{check, of_text, rule, rule_with};
use crate::model::DoubtKind;
use crate::model::print::pipeline;

#[test]
fn marks_are_computed() {
    check(
        "ip",
        &[
            ("meta mark set 0x10", "mark 0x10"),
            ("meta mark set meta mark or 0x1", "mark (mark & 0xfffffffe) ^ 0x1"),
            ("meta mark set meta mark and 0xff xor 0x3", "mark (mark & 0xff) ^ 0x3"),
            ("meta mark set ct mark", "mark connection mark"),
            ("ct mark set meta mark", "connection mark mark"),
            ("meta mark set ip saddr map { 10.0.0.1 : 0x1 }", "mark by (source) {10.0.0.1: 0x1}"),
            (
                "meta mark set udp dport map { 5 : 0x1, 6 : 0x2 }",
                "protocol in {udp}, mark by (destination port) {5: 0x1; 6: 0x2}",
            ),
        ],
    );
    assert!(rule("ip", "meta mark set numgen inc mod 2").starts_with("mark unknown ["));
}

#[test]
fn changes_without_consequence_keep_their_dependencies() {
    check(
        "inet",
        &[
            ("tcp option maxseg size set 1400 accept", "protocol in {tcp}, accept"),
            ("ip dscp set cs1 accept", "family in {ipv4}, accept"),
            ("ip ttl set 64 accept", "family in {ipv4}, accept"),
            ("meta priority set 1:1 accept", "accept"),
            ("meta nftrace set 1 accept", "accept"),
            ("counter log prefix \"x\" accept", "accept"),
            ("ip frag-off set 0 accept", "family in {ipv4}, accept"),
        ],
    );
    assert!(rule("inet", "ip ttl set 1 accept").contains("goes on or is dropped"));
    // A map without an entry ends the rule.
    let mapped = "meta priority set ip saddr map { 10.0.0.1 : 1:1 } accept";
    assert_eq!(rule("ip", mapped), "source in {10.0.0.1}, accept");
}

#[test]
fn changes_of_addresses_may_do_anything() {
    for text in ["ip daddr set 10.0.0.1", "tcp dport set 5", "ct zone set 5", "meta pkttype set host"] {
        assert!(rule("ip", text).contains("anything may happen"), "{text}: {}", rule("ip", text));
    }
}

#[test]
fn set_statements_need_their_keys() {
    let set = "set s { type inet_service; flags dynamic; size 9; }";
    assert_eq!(rule_with("ip", set, "add @s { tcp dport } accept"), "protocol in {tcp}, accept");
    let limited = rule_with("ip", set, "add @s { tcp dport limit rate 5/second } accept");
    assert!(limited.contains("the limit of the packet's element in `@s`"), "{limited}");
}

#[test]
fn rejects_ask_for_packets_that_they_can_answer() {
    check(
        "inet",
        &[
            ("reject", "reject with port-unreachable"),
            ("reject with tcp reset", "protocol in {tcp}, reject with tcp reset"),
            ("reject with icmp type host-unreachable", "family in {ipv4}, reject with icmp host-unreachable"),
            ("reject with icmpv6 type no-route", "family in {ipv6}, reject with icmpv6 no-route"),
            ("reject with icmpx type admin-prohibited", "reject with icmpx admin-prohibited"),
        ],
    );
}

#[test]
fn effects_outside_of_the_model_are_left_open_as_far_as_they_reach() {
    let flowtable = "flowtable f { hook ingress priority 0; devices = { lo }; }";
    for (more, text, ways) in [
        ("", "queue num 1", "is accepted or dropped"),
        ("", "queue num 1 bypass", "is accepted or dropped"),
        (flowtable, "flow add @f", "passes by the rules once its session has begun"),
        ("", "tcp dport 80 tproxy to :8080", "anything may happen"),
        ("", "synproxy mss 1460 wscale 7", "anything may happen"),
        ("", "xt target \"MARK\"", "anything may happen"),
        ("", "jump gone", "anything may happen"),
    ] {
        let shown = rule_with("ip", more, text);
        assert!(shown.contains(ways), "{text}: {shown}");
    }
    // The text is all that nft says; JSON leaves out what stands in it.
    let supply = |p: &crate::model::Pipeline| p.doubts.iter().map(|d| d.supply.to_string()).collect::<Vec<_>>();
    let (p, _) = of_text("table ip t {\n chain c {\n  xt match \"recent\" accept\n }\n}\n");
    assert_eq!(supply(&p), [""]);
    let (p, _) = super::of_json(
        r#"{"nftables":[{"table":{"family":"ip","name":"t"}},{"chain":{"family":"ip","table":"t","name":"c"}},
        {"rule":{"family":"ip","table":"t","chain":"c","expr":[{"xt":{"type":"match","name":"recent"}},{"accept":null}]}}]}"#,
    );
    assert!(supply(&p)[0].contains("`nft list ruleset`"), "{:?}", supply(&p));
    assert!(rule("ip", "xt match \"recent\" accept").ends_with("in {1}, accept"));
    assert_eq!(rule("ip", "xt match \"comment\" accept"), "accept");
}

#[test]
fn what_was_not_understood_taints_and_is_named() {
    let (p, c) = of_text("table ip t {\n chain c {\n  ip saddr 10.0.0.1 frobnicate 7\n }\n}\n");
    assert_eq!((c.statements, c.unread), (2, 1));
    let doubt = p.doubts.iter().find(|d| d.kind == DoubtKind::Unread).expect("a doubt");
    assert!(doubt.what.contains("frobnicate 7"), "{}", doubt.what);
    assert!(pipeline(&p).contains("source in {10.0.0.1}, anything may happen"));
}

#[test]
fn objects_found_through_a_map_end_the_rule_for_keys_without_one() {
    let helpers = "map h { type inet_service : ct helper; elements = { 5060 : \"sip\" } }";
    let found = "protocol in {udp}, destination port in {5060}, give the session to a helper, accept";
    assert_eq!(rule("inet", "ct helper set udp dport map { 5060 : \"sip\" } accept"), found);
    assert_eq!(rule_with("inet", helpers, "ct helper set udp dport map @h accept"), found);
    let counters = "counter name tcp dport map { 80-90 : \"c\" } accept";
    assert_eq!(rule("inet", counters), "protocol in {tcp}, destination port in {80-90}, accept");
    let meter = "meter m { tcp dport . ip6 saddr counter } drop";
    assert_eq!(rule("inet", meter), "protocol in {tcp}, family in {ipv6}, drop");
}
