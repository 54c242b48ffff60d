//! Reading by example.

use super::*;
use crate::dialect::nft::ast::{Cmp, DataType, Expr, Field, KeyType, Rate, Stmt, Verdict};

/// Objects as a listing around which the table and chain stand.
fn listing(objects: &str) -> String {
    let base = r#"{"metainfo":{"version":"1.0.6","release_name":"Lester Gooch #5","json_schema_version":1}},
        {"table":{"family":"inet","name":"t","handle":1}},
        {"chain":{"family":"inet","table":"t","name":"c","handle":2,"type":"filter","hook":"input","prio":-5,"policy":"drop"}}"#;
    let comma = if objects.is_empty() { "" } else { "," };
    format!("{{\"nftables\": [{base}{comma}{objects}]}}")
}

fn read(objects: &str) -> Ruleset {
    parse(SourceId(3), &listing(objects)).expect(objects)
}

/// Statements of a rule.
fn stmts(expr: &str) -> Vec<Stmt> {
    let rule = format!(r#"{{"rule":{{"family":"inet","table":"t","chain":"c","handle":7,"expr":[{expr}]}}}}"#);
    let mut ruleset = read(&rule);
    assert_eq!(ruleset.unread, []);
    ruleset.tables.remove(0).chains.remove(0).rules.remove(0).stmts
}

/// The statements that the text reader gives.
fn text(rule: &str) -> Vec<Stmt> {
    let text = format!("table inet t {{ chain c {{ {rule}\n }} }}");
    let source = crate::snapshot::Source { name: "t".into(), text };
    let mut ruleset = crate::dialect::nft::text::parse(SourceId(0), &[source]).expect(rule);
    ruleset.tables.remove(0).chains.remove(0).rules.remove(0).stmts
}

#[test]
fn the_quirks_of_listings_are_read_like_the_text() {
    let matching =
        |op: &str, left: &str, right: &str| format!(r#"{{"match":{{"op":"{op}","left":{left},"right":{right}}}}}"#);
    let state = r#"{"ct":{"key":"state"}}"#;
    let tcp_flags = r#"{"payload":{"protocol":"tcp","field":"flags"}}"#;
    for (json, rule) in [
        (matching("in", state, r#"["established","related"]"#), "ct state established,related"),
        (matching("in", state, r#""new""#), "ct state new"),
        (matching("==", state, r#"{"set":["established","new"]}"#), "ct state { established, new }"),
        (matching("!", tcp_flags, r#""syn""#), "tcp flags ! syn"),
        (matching("==", &format!(r#"{{"&":[{tcp_flags},["fin","syn"]]}}"#), r#""syn""#), "tcp flags syn / fin,syn"),
        (matching("==", &format!(r#"{{"&":[{tcp_flags},{{"|":[{{"|":["fin","syn"]}},"rst"]}}]}}"#), r#""syn""#), "tcp flags & (fin|syn|rst) == syn"),
        (matching("==", r#"{"fib":{"result":"oif","flags":["saddr","iif"]}}"#, "false"), "fib saddr . iif oif missing"),
        (matching("==", r#"{"fib":{"result":"oif","flags":["saddr","iif"]}}"#, r#""0""#), "fib saddr . iif oif 0"),
        (matching("==", r#"{"fib":{"result":"type","flags":"daddr"}}"#, r#""local""#), "fib daddr type local"),
        (matching("==", r#"{"ct":{"key":"ip saddr","dir":"original"}}"#, r#""10.0.0.1""#), "ct original ip saddr 10.0.0.1"),
        (matching("==", r#"{"ct":{"key":"saddr","dir":"original","family":"ip"}}"#, r#""10.0.0.1""#), "ct original ip saddr 10.0.0.1"),
        (matching("==", r#"{"ct":{"key":"expiration"}}"#, r#"{"range":[60,3600]}"#), "ct expiration 1m-1h"),
        (matching("==", r#"{"ct":{"key":"proto-src","dir":"reply"}}"#, r#"{"set":["0x50 [invalid type]"]}"#), "ct reply proto-src { 80 }"),
        (matching("==", r#"{"payload":{"protocol":"ip","field":"saddr"}}"#, r#""@s""#), "ip saddr @s"),
        (matching("!=", r#"{"payload":{"protocol":"ip","field":"saddr"}}"#, r#"{"prefix":{"addr":"10.0.0.0","len":8}}"#), "ip saddr != 10.0.0.0/8"),
        (matching("==", r#"{"exthdr":{"name":"frag"}}"#, "true"), "exthdr frag exists"),
        (matching("==", r#"{"rt":{"key":"nexthop","family":"ip6"}}"#, r#""::1""#), "rt ip6 nexthop ::1"),
        (r#"{"dnat":{"family":"ip","addr":{"map":{"key":{"payload":{"protocol":"ip","field":"daddr"}},"data":{"set":[[{"prefix":{"addr":"10.0.0.0","len":24}},{"prefix":{"addr":"10.1.0.0","len":24}}]]}}},"flags":"netmap","type_flags":"prefix"}}"#.into(), "dnat ip prefix to ip daddr map { 10.0.0.0/24 : 10.1.0.0/24 }"),
        (r#"{"masquerade":null}"#.into(), "masquerade"),
        (r#"{"redirect":{"port":{"range":[80,90]},"flags":["random"]}}"#.into(), "redirect to :80-90 random"),
        (r#"{"reject":{"type":"icmpx","expr":"port-unreachable"}}"#.into(), "reject"),
        (r#"{"reject":{"type":"icmpx","expr":"admin-prohibited"}}"#.into(), "reject with icmpx type admin-prohibited"),
        (r#"{"queue":{"num":{"range":[1,3]},"flags":"bypass"}}"#.into(), "queue num 1-3 bypass"),
        (r#"{"mangle":{"key":{"meta":{"key":"mark"}},"value":{"|":[{"&":[{"ct":{"key":"mark"}},255]},256]}}}"#.into(), "meta mark set ct mark & 0xff | 0x100"),
        (r#"{"ct helper":{"map":{"key":{"payload":{"protocol":"udp","field":"dport"}},"data":{"set":[[5060,"h"]]}}}}"#.into(), "ct helper set udp dport map { 5060 : \"h\" }"),
        (r#"{"set":{"op":"add","elem":{"elem":{"val":{"payload":{"protocol":"ip","field":"saddr"}},"timeout":300}},"set":"@s","stmt":[{"limit":{"rate":3,"burst":5,"per":"second"}}]}}"#.into(), "add @s { ip saddr timeout 5m limit rate 3/second }"),
        (r#""add @s { ip saddr : 0x00000005 }""#.into(), "add @s { ip saddr : 5 }"),
        (r#"{"vmap":{"key":{"numgen":{"mode":"inc","mod":2,"offset":0}},"data":{"set":[[0,{"jump":{"target":"x"}}],["*",{"drop":null}]]}}}"#.into(), "numgen inc mod 2 vmap { 0 : jump x, * : drop }"),
        (r#"{"xt":{"type":"match","name":"string"}}"#.into(), "xt match string"),
    ] {
        assert_eq!(stmts(&json), text(rule), "{rule}");
        assert!(!matches!(stmts(&json).last(), Some(Stmt::Unread(_))), "{rule}");
    }
}

#[test]
fn a_comparison_of_flags_for_equality_stays_one() {
    let json = r#"{"match":{"op":"==","left":{"ct":{"key":"state"}},"right":"new"}}"#;
    assert!(matches!(&stmts(json)[..], [Stmt::Match { op: Cmp::Eq, right: Expr::Word(_), .. }]));
}

#[test]
fn the_rest_of_a_rule_behind_something_unknown_is_kept_as_it_stands() {
    let found = stmts(r#"{"counter":null},{"teleport":{"to":"moon"}},{"accept":null}"#);
    let rest = r#"{"teleport":{"to":"moon"}}, {"accept":null}"#;
    assert_eq!(found, [Stmt::NoEffect("counter".into()), Stmt::Unread(rest.into())]);
    // So is a known statement with something unknown in it, or without something that it needs.
    for json in [
        r#"{"dnat":{"addr":"10.0.0.1","mirror":true}}"#,
        r#"{"match":{"left":1,"op":"~","right":2}}"#,
        r#"{"match":{"left":{"payload":{"protocol":"ip"}},"op":"==","right":2}}"#,
        r#"{"jump":{}}"#,
        r#""teleport to moon""#,
        "7",
    ] {
        assert!(matches!(&stmts(json)[..], [Stmt::Unread(t)] if **t == *json), "{json}: {:?}", stmts(json));
    }
}

#[test]
fn sets_and_maps_are_read_with_their_elements() {
    let ruleset = read(
        r#"{"set":{"family":"inet","name":"s","table":"t","type":["ipv4_addr","inet_service"],"handle":5,"flags":["interval"],
            "elem":[{"concat":["10.0.0.1",80]},{"elem":{"val":{"concat":[{"prefix":{"addr":"10.0.0.0","len":8}},{"range":[1,5]}]},"timeout":5,"expires":3,"counter":{"packets":1,"bytes":2}}}],
            "stmt":[{"counter":null}]}},
           {"map":{"family":"inet","name":"m","table":"t","type":"ipv4_addr","handle":6,"map":"verdict","flags":"interval","timeout":60,
            "elem":[["10.0.0.1",{"jump":{"target":"c"}}],[{"elem":{"val":"10.0.0.2","limit":{"rate":1,"per":"second"}}},{"accept":null}],["*",{"drop":null}]]}},
           {"map":{"family":"inet","name":"o","table":"t","type":{"typeof":{"payload":{"protocol":"tcp","field":"dport"}}},"map":"counter","handle":7}},
           {"counter":{"family":"inet","name":"n","table":"t","handle":8,"packets":0,"bytes":0}},
           {"element":{"family":"inet","table":"t","name":"o","elem":[[80,"n"]]}}"#,
    );
    assert_eq!(ruleset.unread, []);
    let table = &ruleset.tables[0];
    let [s, m, o] = &table.sets[..] else { panic!("three sets") };
    assert_eq!(s.key, KeyType::Names(vec!["ipv4_addr".into(), "inet_service".into()]));
    assert_eq!(s.elems.iter().map(|e| e.timeout).collect::<Vec<_>>(), [false, true]);
    assert_eq!(s.stmts, [Stmt::NoEffect("counter".into())]);
    assert_eq!(m.data, Some(DataType::Verdict));
    assert_eq!(m.elems[1].stmts, [Stmt::Limit(Some(Rate { count: 1, seconds: 1, burst: 5, over: false }))]);
    assert_eq!(m.elems[2].key, Expr::Any);
    assert_eq!((&o.key, o.elems.len()), (&KeyType::Names(vec!["inet_service".into()]), 1));
    assert_eq!(&*table.objects[0].kind, "counter");
}

#[test]
fn rules_carry_handle_and_comment_and_no_place() {
    let ruleset =
        read(r#"{"rule":{"family":"inet","table":"t","chain":"c","handle":9,"comment":"why","expr":[{"drop":null}]}}"#);
    let rule = &ruleset.tables[0].chains[0].rules[0];
    assert_eq!((rule.handle, rule.comment.as_deref()), (Some(9), Some("why")));
    assert_eq!(rule.at, SourceSpan { source: SourceId(3), start: 0, end: 0 });
    assert_eq!(rule.stmts, [Stmt::Verdict(Verdict::Drop)]);
    let base = ruleset.tables[0].chains[0].base.as_ref().expect("a base chain");
    assert!(base.policy_drop && base.priority == -5);
}

#[test]
fn a_rule_without_its_expressions_is_not_one_that_does_nothing() {
    for (expr, understood) in
        [("", false), (r#","expr":null"#, false), (r#","expr":{}"#, false), (r#","expr":[]"#, true)]
    {
        let ruleset = read(&format!(r#"{{"rule":{{"family":"inet","table":"t","chain":"c","handle":9{expr}}}}}"#));
        let stmts = &ruleset.tables[0].chains[0].rules[0].stmts;
        assert_eq!(matches!(stmts[..], [Stmt::Unread(_)]), !understood, "{expr}: {stmts:?}");
    }
}

#[test]
fn objects_that_are_not_known_are_noted() {
    let ruleset = read(
        r#"{"hologram":{"family":"inet","table":"t","name":"x"}},{"set":{"family":"inet","table":"t","name":"y"}},5"#,
    );
    let why: Vec<&str> = ruleset.unread.iter().map(|u| &*u.why).collect();
    assert_eq!(
        why,
        ["`hologram` is nothing that is known in a ruleset", "the type is missing", "an object was expected"]
    );
}

#[test]
fn a_text_that_is_no_listing_is_an_error_with_its_place() {
    for (json, place, part) in [
        ("", 0, "empty"),
        ("{\"nftables\": [\n{\"table\": {]}", 26, "no valid JSON"),
        ("{\"nftables\": [{\"metainfo\":{}}", 29, "no valid JSON"),
        ("{\"nftables\": 5}", 13, "no valid JSON"),
        ("{\"firewalls\": []}", 0, "not of nftables"),
        ("[]", 0, "no valid JSON"),
        ("table ip t {", 0, "no valid JSON"),
        ("{\"nftables\": []} {}", 17, "no valid JSON"),
    ] {
        let error = parse(SourceId(0), json).expect_err(json);
        assert!(error.message.contains(part), "{json}: {error:?}");
        assert!(error.at.start.abs_diff(place) <= 1, "{json}: {error:?}");
        assert!(error.help.is_some());
    }
    let hook = listing("").replace("\"input\"", "\"nowhere\"");
    assert_eq!(parse(SourceId(0), &hook).expect_err("a hook").message, "chain `c`: there is no hook `nowhere`");
}

#[test]
fn deep_nesting_is_noted_and_does_not_crash() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let ruleset = read(&format!(
        r#"{{"rule":{{"family":"inet","table":"t","chain":"c","handle":1,"expr":[{{"match":{{"op":"==","left":1,"right":{deep}}}}}]}}}}"#
    ));
    assert_eq!(ruleset.unread.len(), 1);
    let deep = "{\"elem\":{\"val\":".repeat(50) + "1" + &"}}".repeat(50);
    let found = stmts(&format!(r#"{{"match":{{"op":"==","left":{{"meta":{{"key":"mark"}}}},"right":{deep}}}}}"#));
    assert_eq!(
        found,
        [Stmt::Match { left: Expr::Field(Field::Meta("mark".into())), op: Cmp::Implicit, right: Expr::Num(1) }]
    );
}
