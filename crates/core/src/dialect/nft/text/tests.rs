//! Reading by example.

use super::*;
use crate::dialect::nft::ast::{Cmp, Elem, Expr, Field, Lost, Rule, Stmt, Verdict};

fn read(text: &str) -> Result<Ruleset, ReadError> {
    parse(SourceId(0), &[Source { name: "r.nft".into(), text: text.into() }])
}

/// A rule alone in a chain of an inet table.
fn rule(text: &str) -> Rule {
    let ruleset = read(&format!("table inet t {{\n chain c {{\n{text}\n }}\n}}\n")).expect(text);
    assert_eq!(ruleset.unread, []);
    let chains = ruleset.tables.into_iter().flat_map(|t| t.chains);
    chains.filter(|c| &*c.name == "c").flat_map(|c| c.rules).next().expect(text)
}

fn stmts(text: &str) -> Vec<Stmt> {
    rule(text).stmts
}

fn word(text: &str) -> Expr {
    Expr::Word(text.into())
}

fn unread(ruleset: &Ruleset) -> Vec<String> {
    let rules = ruleset.tables.iter().flat_map(|t| &t.chains).flat_map(|c| &c.rules).flat_map(|r| &r.stmts);
    let rules = rules.filter_map(|s| if let Stmt::Unread(t) = s { Some(t.to_string()) } else { None });
    rules.chain(ruleset.unread.iter().map(|u| format!("{} ({})", u.text, u.why))).collect()
}

#[test]
fn an_unknown_word_taints_only_the_rest_of_its_rule() {
    let ruleset = read("table ip t {\n chain c {\n  tcp dport 22 frobnicate { 7,\n 8 } accept\n  accept\n }\n}\n");
    let rules = &ruleset.expect("reads").tables[0].chains[0].rules;
    assert_eq!(rules.len(), 2);
    assert!(
        matches!(&rules[0].stmts[..], [Stmt::Match { .. }, Stmt::Unread(t)] if &**t == "frobnicate { 7, 8 } accept")
    );
    assert!(matches!(&rules[1].stmts[..], [Stmt::Verdict(_)]));
}

#[test]
fn a_statement_that_stops_in_the_middle_is_unread_as_a_whole() {
    for text in [
        "tcp dport accept",
        "tcp dport { 22 : }",
        "ip saddr . tcp dport",
        "dnat to accept",
        "tcp frob 5",
        "fib saddr 7 type local",
    ] {
        assert_eq!(stmts(&format!("counter {text}"))[1..], [Stmt::Unread(text.into())], "{text}");
    }
    // A semicolon ends it, a character of no meaning does not end the reading.
    assert_eq!(stmts("frob; accept"), [Stmt::Unread("frob".into())]);
    assert_eq!(stmts("accept §"), [Stmt::Verdict(Verdict::Accept), Stmt::Unread("§".into())]);
}

#[test]
fn unknown_lines_of_tables_and_sets_are_noted_with_their_place() {
    let text = "table ip t {\n colour red\n set s {\n  type ipv4_addr\n  shape { round }\n  elements = { 10.0.0.1 }\n }\n chain c { accept; }\n}\n";
    let ruleset = read(text).expect("reads");
    let shown: Vec<&str> = ruleset.unread.iter().map(|u| &text[u.at.start as usize..u.at.end as usize]).collect();
    assert_eq!(shown, ["colour red", "shape { round }"]);
    assert_eq!(ruleset.tables[0].sets[0].elems.len(), 1);
    assert_eq!(ruleset.tables[0].chains[0].rules.len(), 1);
}

#[test]
fn commands_are_carried_out_in_order() {
    let ruleset = read(
        "flush ruleset\nadd table ip f\nadd chain ip f in { type filter hook input priority 0; policy drop; }\n\
         add rule ip f in tcp dport 22 accept\ninsert rule ip f in tcp dport 80 accept\n\
         table ip f { set s { type ipv4_addr; }\n }\nadd element ip f s { 10.0.0.1, 10.0.0.2 }\ndelete element ip f s { 10.0.0.1 }\n\
         add rule ip f in position 7 drop # comes without the rule that it follows\nadd rule f in counter # handle 7\n\
         insert rule ip f in handle 7 notrack\nreplace rule ip f in handle 7 log\ndelete rule ip f in index 0\n\
         rename chain ip f in new\nflush chain ip f none\nlist ruleset\ndelete rule ip f new handle 99\n",
    )
    .expect("reads");
    let table = &ruleset.tables[0];
    assert!(table.chains[0].base.as_ref().is_some_and(|b| b.policy_drop));
    assert_eq!(table.sets[0].elems.len(), 1);
    assert_eq!(&*table.chains[0].name, "new");
    let rules: Vec<String> = table.chains[0].rules.iter().map(|r| format!("{:?}", r.stmts)).collect();
    // `drop` has no known place, so it stood first until `delete … index 0` took it.
    assert_eq!(rules.len(), 4, "{rules:#?}");
    assert!(
        rules[0].contains("80") && rules[1].contains("22") && rules[2].contains("Notrack") && rules[3].contains("log")
    );
    let why = "the rule that it refers to is not in this text";
    assert_eq!(
        unread(&ruleset),
        [format!("add rule ip f in position 7 drop ({why})"), format!("delete rule ip f new handle 99 ({why})")]
    );
}

#[test]
fn variables_live_in_scopes_and_can_be_changed() {
    let ruleset = read(
        "define a = 1\ntable ip t {\n define a = 2\n define b = 9\n chain c {\n  redefine a = 3\n  tcp dport $a accept\n }\n \
         chain d { tcp dport { $a, $b } accept; }\n}\ntable ip u { chain c { tcp dport $a accept; } }\n",
    )
    .expect("reads");
    let shown = format!("{:?}", ruleset.tables);
    assert_eq!(shown.matches("Num(3)").count(), 1);
    assert_eq!(shown.matches("Num(2)").count(), 1);
    assert_eq!(shown.matches("Num(9)").count(), 1);
    assert_eq!(shown.matches("Num(1)").count(), 1);
    let error = read("table ip t { define b = 1\n }\ntable ip u { chain c { tcp dport $b\n } }\n").expect_err("gone");
    assert_eq!(error.message, "the variable $b is not defined");
    let error = read("define ports = 1\ntable ip u { chain c { tcp dport $port\n } }\n").expect_err("misspelt");
    assert_eq!(error.message, "the variable $port is not defined; did you mean $ports?");
}

#[test]
fn variables_that_multiply_are_stopped() {
    let double = |i: u32| format!("define a{} = {{ $a{i}, $a{i}, $a{i}, $a{i} }}\n", i + 1);
    let text = "define a0 = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }\n".to_owned() + &(0..30).map(double).collect::<String>();
    let error = read(&text).expect_err("too much");
    assert_eq!(error.message, "the variables here multiply beyond all measure");
}

#[test]
fn includes_are_found_among_the_sources_and_keep_their_places() {
    let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let sources = [
        source(
            "etc/main.nft",
            "include \"/opt/vars.nft\"\ntable ip t {\n include \"./chains/*.nft\"\n}\ninclude \"none.nft\"\ninclude \"none/*.nft\"\n",
        ),
        source("chains/20-b.nft", "chain c { include \"rules.nft\"\n }\n"),
        source("chains/10-a.nft", "chain c { tcp dport $port accept; }\n"),
        source("vars.nft", "define port = 7\n"),
        source("rules.nft", "  ip saddr 10.0.0.1 drop # two\n"),
    ];
    let ruleset = parse(SourceId(0), &sources).expect("reads");
    let rules = &ruleset.tables[0].chains[0].rules;
    assert_eq!(rules.len(), 2);
    let shown: Vec<&str> = rules
        .iter()
        .map(|r| &sources[usize::from(r.at.source.0)].text[r.at.start as usize..r.at.end as usize])
        .collect();
    assert_eq!(shown, ["tcp dport 7 accept".replace('7', "$port").as_str(), "ip saddr 10.0.0.1 drop"]);
    assert_eq!(ruleset.empty.iter().map(|e| &*e.path).collect::<Vec<_>>(), ["none/*.nft"]);
    let why: Vec<&str> = ruleset.unread.iter().map(|u| &*u.why).collect();
    assert_eq!(why, ["`none.nft` was not given: name it among the files of this device, for it may hold rules",]);

    let circle = [source("a.nft", "include \"b.nft\"\n"), source("b.nft", "\ninclude \"a.nft\"\n")];
    let error = parse(SourceId(0), &circle).expect_err("a circle");
    assert_eq!((error.at.source, error.at.start), (SourceId(1), 1));
    assert!(error.message.contains("circle"), "{}", error.message);
}

#[test]
fn spans_cover_a_rule_from_its_first_to_its_last_byte() {
    let text = "table ip t {\r\n chain c {\r\n  tcp dport { 1,\r\n 2 } accept comment \"x\" # handle 5\r\n  drop; accept }\r\n}\r\n";
    let ruleset = read(text).expect("reads");
    let rules = &ruleset.tables[0].chains[0].rules;
    let shown: Vec<&str> = rules.iter().map(|r| &text[r.at.start as usize..r.at.end as usize]).collect();
    assert_eq!(shown, ["tcp dport { 1,\r\n 2 } accept comment \"x\"", "drop", "accept"]);
    assert_eq!((rules[0].handle, rules[0].comment.as_deref()), (Some(5), Some("x")));
    assert_eq!(rules[1].handle, None);
    let at = ruleset.tables[0].chains[0].at;
    assert_eq!(&text[at.start as usize..at.end as usize], "chain c");
}

#[test]
fn a_byte_order_mark_and_continued_lines_are_accepted() {
    let ruleset = read("\u{feff}table ip t { chain c { tcp dport \\\r\n 22 \\\n accept; } }").expect("reads");
    assert_eq!(ruleset.tables[0].chains[0].rules[0].stmts.len(), 2);
}

#[test]
fn what_nobody_can_make_sense_of_is_an_error_with_its_place() {
    for (text, place) in [
        ("table ip t {\n chain c {\n", 22),
        ("table ip t { }\n}\n", 15),
        ("table ip t { chain c { tcp dport $x accept\n }\n }\n", 33),
        ("define a = 1\ndefine a = 2\n", 20),
        ("undefine a\n", 9),
        ("table ip t { chain c { log prefix \"x\n } }", 34),
        ("table ip t { chain c { type filter hook nowhere priority 0; } }", 40),
        ("table ip t { chain c { type filter hook input priority late; } }", 55),
        ("<?xml version='1.0'?>", 0),
        (" {\"nftables\": []}", 1),
        ("*filter\n:INPUT ACCEPT [0:0]\n", 0),
        ("\0\0", 0),
        ("To whom it may concern:\nplease open port 22\n", 0),
    ] {
        let error = read(text).expect_err(text);
        assert_eq!(error.at.start, place, "{text:?}: {error:?}");
        assert!(error.help.is_some() || text.contains("fine"), "{text:?}: {error:?}");
    }
    assert_eq!(read("").expect("nothing"), Ruleset::default());
    assert_eq!(read("# only a comment\n\n").expect("nothing"), Ruleset::default());
}

#[test]
fn deep_nesting_ends_without_a_crash() {
    let deep = "{ ".repeat(100_000) + "1" + &" }".repeat(100_000);
    let brackets = "(".repeat(100_000) + "1" + &")".repeat(100_000);
    for value in [deep.as_str(), brackets.as_str()] {
        assert!(matches!(&stmts(&format!("tcp dport {value}"))[..], [Stmt::Unread(_)]));
    }
    let chains = "jump { ".repeat(10_000) + "accept" + &" }".repeat(10_000);
    let ruleset = read(&format!("table ip t {{ chain c {{ {chains} }} }}")).expect("reads");
    assert_eq!(unread(&ruleset).len(), 1);
}

#[test]
fn flags_are_asked_for_as_nft_reads_them() {
    let flags = || Expr::Field(Field::Payload("tcp".into(), "flags".into()));
    let list = || Expr::Flags(vec![word("syn"), word("ack")]);
    let any = [Stmt::Match { left: flags(), op: Cmp::Implicit, right: list() }];
    for text in
        ["tcp flags syn,ack", "tcp flags syn|ack", "tcp flags & (syn | ack) != 0", "tcp flags and (syn or ack) ne 0"]
    {
        assert_eq!(stmts(text), any, "{text}");
    }
    assert_eq!(stmts("tcp flags == syn,ack"), [Stmt::Match { left: flags(), op: Cmp::Eq, right: list() }]);
    let masked = stmts("tcp flags & (syn|ack) == syn");
    for text in ["tcp flags syn / syn,ack", "tcp flags & (syn|ack) syn"] {
        assert_eq!(stmts(text), masked, "{text}");
    }
    assert_eq!(stmts("tcp flags ! syn,ack"), stmts("tcp flags & (syn|ack) == 0"));
    // One bit of `ct state` at a time is set, so a set of one is that bit; for other flags it means an exact value.
    assert_eq!(stmts("ct state { new }"), stmts("ct state new"));
    assert_ne!(stmts("tcp flags { syn }"), stmts("tcp flags syn"));
}

#[test]
fn what_nft_writes_in_two_ways_is_read_as_one() {
    for (one, other) in [
        ("tcp dport { 22 }", "tcp dport == 22"),
        ("meta iifname lo", "iifname \"lo\""),
        ("mark 16", "meta mark == 0x10"),
        ("mark 010", "mark 8"),
        ("fib saddr . iif oif missing", "fib saddr . iif oif 0"),
        ("fib iif . saddr oif exists", "fib saddr . iif check exists"),
        ("ct expiration 1m-1h", "ct expiration 60s-3600s"),
        ("reject with icmpx type port-unreachable", "reject"),
        ("reject with icmp 13", "reject with icmp admin-prohibited"),
        ("tcp dport 80 redirect to 8080", "tcp dport 80 redirect to :8080"),
        ("dnat 10.0.0.1", "dnat to 10.0.0.1"),
        ("snat to 10.0.0.1 persistent,random", "snat to 10.0.0.1 random,persistent"),
        ("dnat ip addr . port to tcp dport map { 1 : 10.0.0.1 . 2 }", "dnat ip to tcp dport map { 1 : 10.0.0.1 . 2 }"),
        ("dnat ip interval to 10.0.0.1-10.0.0.2", "dnat ip to 10.0.0.1-10.0.0.2"),
        ("tcp option mss size 5", "tcp option maxseg size 5"),
        ("queue num 3", "queue to 3"),
        ("meta mark set mark or 0x1", "meta mark set meta mark | 1"),
        ("flow offload @f", "flow add @f"),
        ("set add ip saddr @s", "add @s { ip saddr }"),
    ] {
        assert_eq!(stmts(one), stmts(other), "{one}");
        assert!(!matches!(stmts(one).last(), Some(Stmt::Unread(_))), "{one}");
    }
}

#[test]
fn a_look_up_of_an_object_may_end_the_rule_and_is_no_mere_count() {
    assert_eq!(stmts("counter name \"c\""), [Stmt::NoEffect("counter".into())]);
    for text in [
        "counter name tcp dport map { 80 : \"c\" }",
        "ct helper set udp dport map { 5060 : \"h\" }",
        "dup to ip saddr map @m",
    ] {
        assert!(
            matches!(&stmts(text)[..], [Stmt::Mangle(Expr::Field(Field::Ct { .. } | Field::Other(_)), Expr::Map(_))]),
            "{text}"
        );
    }
}

#[test]
fn a_chain_without_a_name_gets_one() {
    let ruleset = read("table ip t { chain c { jump { drop; goto { accept; }; }\n accept; } }").expect("reads");
    let chains: Vec<(&str, usize)> = ruleset.tables[0].chains.iter().map(|c| (&*c.name, c.rules.len())).collect();
    assert_eq!(chains, [("c", 2), ("__chain1", 1), ("__chain0", 2)]);
    assert_eq!(unread(&ruleset), Vec::<String>::new());
}

#[test]
fn sets_know_what_changes_them() {
    let ruleset = read(
        "table ip t {\n set a { type ipv4_addr; flags dynamic; }\n set b { type ipv4_addr; timeout 1h; limit rate 1/second; elements = { 10.0.0.1 }; }\n \
         chain c { update @b { ip saddr } accept; }\n}\n",
    )
    .expect("reads");
    let flags: Vec<String> = ruleset.tables[0].sets.iter().map(|s| s.flags.join(",")).collect();
    assert_eq!(flags, ["", "timeout,dynamic"]);
    assert!(matches!(&ruleset.tables[0].sets[1].elems[..], [Elem { timeout: true, .. }]));
    assert!(
        matches!(&ruleset.tables[0].chains[0].rules[0].stmts[0], Stmt::SetUpdate { stmts, .. } if matches!(stmts[..], [Stmt::Limit(_)]))
    );
}

#[test]
fn priorities_have_names_that_depend_on_the_family() {
    for (family, text, value) in [
        ("ip", "filter", 0),
        ("inet", "srcnat + 5", 105),
        ("ip6", "raw-10", -310),
        ("bridge", "filter", -200),
        ("bridge", "srcnat - 1", 299),
        ("arp", "filter + 0x10", 16),
        ("ip", "-150", -150),
        ("ip", "dstnat +1", -99),
    ] {
        let text = format!("table {family} t {{ chain c {{ type filter hook input priority {text}; }} }}");
        let ruleset = read(&text).expect(&text);
        assert_eq!(ruleset.tables[0].chains[0].base.as_ref().map(|b| b.priority), Some(value), "{text}");
    }
    assert!(read("table netdev t { chain c { type filter hook ingress device lo priority raw; } }").is_err());
    for define in ["-5", "filter", "\"filter - 5\"", "filter - 5"] {
        let text = format!("define p = {define}\ntable ip t {{ chain c {{ type filter hook input priority $p; }} }}");
        assert!(read(&text).is_ok(), "{define}");
    }
}

/// The statements of the rules of a table's last chain.
fn last_chain(text: &str) -> Vec<Vec<Stmt>> {
    let ruleset = read(text).expect("reads");
    let chain = ruleset.tables.last().and_then(|t| t.chains.last()).expect("a chain");
    chain.rules.iter().map(|r| r.stmts.clone()).collect()
}

fn iptables(family: &str, table: &str, chain: &str, rules: &str) -> String {
    let kind = if table == "nat" { "nat" } else { "filter" };
    let hook = chain.to_lowercase();
    format!(
        "table {family} {table} {{\n\tchain {chain} {{\n\t\ttype {kind} hook {hook} priority 0; policy accept;\n{rules}\t}}\n}}\n"
    )
}

#[test]
fn a_rule_of_iptables_without_a_target_may_have_lost_it() {
    let lost =
        |text: &str| last_chain(text).iter().map(|r| r.last() == Some(&Stmt::Lost(Lost::Target))).collect::<Vec<_>>();
    let blank = "\t\tudp dport 1 counter packets 0 bytes 0 \n";
    let bare = "\t\tudp dport 1 counter packets 0 bytes 0\n";
    let nat = |family: &str, rules: &str| iptables(family, "nat", "PREROUTING", rules);
    let filter = |family: &str, rules: &str| iptables(family, "filter", "INPUT", rules);
    // With the blank behind it, it is certain; a text that keeps blanks tells of the others that they have none.
    assert_eq!(lost(&nat("ip6", &format!("{blank}{bare}"))), [true, false]);
    // Pasted texts have lost the blanks, and part of a listing does not tell which family stood first.
    assert_eq!(lost(&nat("ip6", bare)), [true]);
    assert_eq!(lost(&nat("ip", bare)), [true]);
    assert_eq!(lost(&format!("{}{}", nat("ip", ""), nat("ip6", bare))), [true]);
    assert_eq!(lost(&format!("{}{}", nat("ip6", ""), nat("ip", bare))), [true]);
    // What stands first is whole.
    let ruleset = read(&format!("{}{}", nat("ip", bare), nat("ip6", ""))).expect("reads");
    assert_eq!(ruleset.tables[0].chains[0].rules[0].stmts.len(), 2);
    // No target of these tables that matters is lost.
    assert_eq!(lost(&filter("ip6", bare)), [false]);
    assert_eq!(lost(&filter("ip6", blank)), [true]);
    assert_eq!(lost(&iptables("ip6", "mangle", "FORWARD", blank)), [false]);
    // Tables of others.
    assert_eq!(lost(&nat("inet", bare)), [false]);
    assert_eq!(lost(&iptables("ip6", "mynat", "PREROUTING", bare)), [false]);
    assert_eq!(lost(&nat("ip6", bare).replace("PREROUTING", "prerouting")), [false]);
}

#[test]
fn conditions_of_iptables_that_are_listed_as_others_are_not_believed() {
    let rule = |text: &str| {
        let listed = format!("\t\t{text} counter packets 0 bytes 0 accept\n");
        last_chain(&iptables("ip", "filter", "FORWARD", &listed)).remove(0)
    };
    let lost = |text: &str| rule(text).iter().filter(|s| matches!(s, Stmt::Lost(Lost::Condition(_)))).count();
    for text in [
        "ct status dnat",
        "ct status snat",
        "fib saddr type != local",
        "fib saddr type local",
        "udp sport . udp dport { 0-65535 . 1, 1 . 0-65535 }",
    ] {
        assert_eq!(lost(text), 1, "{text}");
    }
    // Of a source's kind alone, only what stands beside it is lost.
    assert!(matches!(rule("fib saddr type local")[0], Stmt::Match { .. }));
    for text in ["ct status & dnat == dnat", "ct state new", "fib daddr type local", "udp sport . udp dport { 1 . 2 }"]
    {
        assert_eq!(lost(text), 0, "{text}");
    }
    let native = "table inet t {\n chain c {\n ct status dnat counter accept\n }\n}\n";
    assert!(matches!(last_chain(native)[0][0], Stmt::Match { .. }));
}

#[test]
fn names_of_chains_that_nft_itself_refuses_are_read() {
    let text = "table ip filter {\n chain ~comb0 {\n  counter accept\n }\n chain f2b:ssh@x {\n  return\n }\n \
                chain c {\n  jump ~comb0\n  udp dport 5 goto f2b:ssh@x\n  tcp dport vmap { 1 : jump ~comb0, 2 : goto f2b:ssh@x }\n }\n}\n";
    let ruleset = read(text).expect("reads");
    assert_eq!(unread(&ruleset), Vec::<String>::new());
    let names: Vec<&str> = ruleset.tables[0].chains.iter().map(|c| &*c.name).collect();
    assert_eq!(names, ["~comb0", "f2b:ssh@x", "c"]);
    let rules = &ruleset.tables[0].chains[2].rules;
    assert_eq!(rules[0].stmts, [Stmt::Verdict(Verdict::Jump("~comb0".into()))]);
    assert_eq!(rules[1].stmts[1], Stmt::Verdict(Verdict::Goto("f2b:ssh@x".into())));
    let Stmt::Vmap(_, Expr::Set(elems)) = &rules[2].stmts[0] else { panic!("a map") };
    assert_eq!(elems.len(), 2);
}
