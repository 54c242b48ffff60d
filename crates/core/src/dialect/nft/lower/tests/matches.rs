//! What comparisons mean. Expected lines follow what `nft --debug=netlink` 1.0.6 prints for the rule.

use super::{check, rule, rule_with};

#[test]
fn times_that_are_always_or_never_are_no_doubt() {
    check(
        "inet",
        &[
            (
                r#"meta day { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" } accept"#,
                "accept",
            ),
            ("meta day { 0, 1, 2, 3, 4, 5, 6 } accept", "accept"),
            ("meta day != { 0, 1, 2, 3, 4, 5, 6 } accept", "what such packets lack in {}, accept"),
            (r#"meta hour "00:00:00"-"23:59:59" accept"#, "accept"),
            (r#"meta hour "02:00"-"01:59:59" accept"#, "accept"),
        ],
    );
    for open in [r#"meta hour "00:00"-"23:59""#, r#"meta day { "Monday", "Sunday" }"#, r#"meta day "Monday""#] {
        assert!(rule("inet", open).contains("unknown"), "{open}");
    }
}

#[test]
fn selectors_bring_their_dependencies_once() {
    check(
        "inet",
        &[
            ("tcp dport 22 accept", "protocol in {tcp}, destination port in {22}, accept"),
            ("tcp dport != 22 accept", "protocol in {tcp}, destination port not in {22}, accept"),
            ("udp sport 1 udp dport 2", "protocol in {udp}, source port in {1}, destination port in {2}"),
            ("meta l4proto { tcp, udp } th dport 53", "protocol in {tcp, udp}, destination port in {53}"),
            ("ip saddr 10.0.0.0/8", "family in {ipv4}, source in {10.0.0.0-10.255.255.255}"),
            ("ip saddr 1.2.3.4 ip daddr 1.2.3.5", "family in {ipv4}, source in {1.2.3.4}, destination in {1.2.3.5}"),
            ("ip6 daddr ::1", "family in {ipv6}, destination in {::1}"),
            ("ip protocol tcp tcp dport 1", "family in {ipv4}, protocol in {tcp}, destination port in {1}"),
            ("meta nfproto ipv6", "family in {ipv6}"),
            ("meta protocol ip", "family in {ipv4}"),
            ("ct l3proto ipv4", "direction in {original, reply}, family in {ipv4}"),
            ("ct original ip saddr 1.2.3.4", "family in {ipv4}, original source in {1.2.3.4}"),
        ],
    );
    check("ip", &[("ip saddr 1.2.3.4 udp dport 5", "source in {1.2.3.4}, protocol in {udp}, destination port in {5}")]);
    check("ip6", &[("ip6 saddr fe80::/10", "source in {fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff}")]);
}

#[test]
fn flags_are_any_of_the_bits_masked_or_exact() {
    check(
        "ip",
        &[
            ("ct state established,related accept", "state & 0x6 not in {0}, accept"),
            ("ct state != established,related accept", "state not in {6}, accept"),
            ("ct state ! new accept", "state & 0x8 in {0}, accept"),
            ("ct state { new, established } accept", "state in {established, new}, accept"),
            ("ct status dnat accept", "status & 0x20 not in {0}, accept"),
            ("ct status != dnat accept", "status not in {dnat}, accept"),
            ("tcp flags != syn accept", "protocol in {tcp}, tcp flags not in {2}, accept"),
            ("tcp flags syn,ack accept", "protocol in {tcp}, tcp flags & 0x12 not in {0}, accept"),
            ("tcp flags syn|ack accept", "protocol in {tcp}, tcp flags & 0x12 not in {0}, accept"),
            ("tcp flags == syn accept", "protocol in {tcp}, tcp flags in {2}, accept"),
            ("tcp flags { syn, ack } accept", "protocol in {tcp}, tcp flags in {2, 16}, accept"),
            ("tcp flags & (fin|syn) == syn accept", "protocol in {tcp}, tcp flags & 0x3 in {2}, accept"),
            ("tcp flags & (fin|syn|rst|ack) == syn", "protocol in {tcp}, tcp flags & 0x17 in {2}"),
            ("tcp flags syn / syn,ack accept", "protocol in {tcp}, tcp flags & 0x12 in {2}, accept"),
        ],
    );
}

#[test]
fn single_keys_are_compared_by_every_operator() {
    check(
        "ip",
        &[
            ("udp dport > 1024", "protocol in {udp}, destination port in {1025 and above}"),
            ("udp dport < 1024", "protocol in {udp}, destination port in {0-1023}"),
            ("udp dport >= 1024", "protocol in {udp}, destination port in {1024 and above}"),
            ("udp dport <= 1024", "protocol in {udp}, destination port in {0-1024}"),
            ("udp dport 5-7", "protocol in {udp}, destination port in {5-7}"),
            ("udp dport != { 5, 6, 9-11 }", "protocol in {udp}, destination port not in {5-6, 9-11}"),
            ("udp dport { sip, https }", "protocol in {udp}, destination port in {443, 5060}"),
            ("ip saddr & 255.255.255.0 == 10.0.0.0", "source & 0xffffff00 in {10.0.0.0}"),
            ("meta mark and 0xff == 0x10", "mark & 0xff in {16}"),
            ("ct mark & 0xf0 != 0", "connection mark & 0xf0 not in {0}"),
        ],
    );
}

#[test]
fn interfaces_are_names_with_wildcards() {
    check(
        "inet",
        &[
            ("iifname \"eth0\"", "incoming interface in {\"eth0\"}"),
            ("iif lo", "incoming interface in {\"lo\"}"),
            ("oifname != \"wg*\"", "outgoing interface not in {\"wg*\"}"),
            ("iifgroup 7", "incoming group in {7}"),
            ("iifgroup default", "incoming group in {0}"),
            ("fib daddr type local", "kind of destination in {local}"),
            ("fib saddr . iif oif missing", "way to source on the incoming interface in {none}"),
            ("meta pkttype host accept", "constant 0 in {0}, accept"),
            ("meta pkttype multicast drop", "constant 0 in {2}, drop"),
        ],
    );
    assert!(rule("inet", "iif 7 accept").contains("interface number 7 is known only on the device itself"));
}

#[test]
fn what_calls_never_carry_ends_the_rule_also_negated() {
    let never = "what such packets lack in {}, accept";
    check(
        "inet",
        &[
            ("icmp type echo-request accept", never),
            ("icmp type != echo-request accept", never),
            ("icmp type vmap { 0 : drop } accept", never),
            ("exthdr hbh exists accept", "family in {ipv6}, constant 0 in {1 and above}, accept"),
            ("exthdr hbh missing accept", "family in {ipv6}, constant 0 in {0}, accept"),
            ("ip version 4 accept", "family in {ipv4}, constant 4 in {4}, accept"),
            ("ip hdrlength 5 accept", "family in {ipv4}, constant 5 in {5}, accept"),
            ("ip frag-off & 0x1fff != 0 accept", "family in {ipv4}, constant 0 & 0x1fff not in {0}, accept"),
            ("ip frag-off & 0x2000 == 0 accept", "family in {ipv4}, constant 0 & 0x2000 in {0}, accept"),
        ],
    );
}

#[test]
fn raw_bits_are_fields_where_they_are() {
    check(
        "ip",
        &[
            ("@th,0,16 5", "source port in {5}"),
            ("@th,16,16 5", "destination port in {5}"),
            ("@nh,72,8 17", "protocol in {udp}"),
            ("@nh,128,32 0x0a000001", "destination in {10.0.0.1}"),
        ],
    );
    assert!(rule("inet", "@nh,128,32 0x0a000001 accept").contains("raw header bits differ"));
}

#[test]
fn what_nobody_can_tell_is_left_open_and_its_dependency_kept() {
    for (text, why) in [
        ("meta length > 100 accept", "packets have different lengths"),
        ("meta skuid 0 accept", "which program sends"),
        ("meta hour \"08:00\"-\"17:00\" accept", "time of day"),
        ("meta random < 5 accept", "drawn at random"),
        ("tcp sequence 1 accept", "differs from packet to packet"),
        ("ip dscp cs1 accept", "differs from packet to packet"),
        ("ip saddr example.org accept", "the host name `example.org`"),
        ("ether saddr aa:bb:cc:dd:ee:ff accept", "hardware addresses"),
        ("ether type ip accept", "link types"),
        ("vlan id 5 accept", "VLAN tags"),
        ("ct label 1 accept", "labels are not followed"),
        ("meta ipsec exists accept", "IPsec"),
        ("limit rate 5/second accept", "rate limit"),
        ("ct count over 5 accept", "how many connections"),
    ] {
        let shown = rule("inet", text);
        assert!(shown.contains("unknown [") && shown.contains(why), "{text}: {shown}");
        assert!(shown.ends_with("in {1}, accept"), "{text}: {shown}");
    }
    assert!(rule("inet", "tcp sequence 1 accept").starts_with("protocol in {tcp}, "));
    // For other protocols than TCP the kernel finds the option missing.
    assert!(rule("inet", "tcp option sack missing accept").starts_with("unknown ["));
}

#[test]
fn concatenations_are_boxes() {
    check(
        "ip",
        &[
            (
                "ip saddr . udp dport { 10.0.0.1 . 5, 10.0.0.2 . 5, 10.0.1.0/24 . 7-9 } accept",
                "protocol in {udp}, (source, destination port) in \
                 {10.0.0.1-10.0.0.2 . 5; 10.0.1.0-10.0.1.255 . 7-9}, accept",
            ),
            (
                "ip saddr . udp dport != { 10.0.0.1 . 5, 10.0.0.3 . 6 } accept",
                "protocol in {udp}, (source, destination port) not in {10.0.0.1 . 5; 10.0.0.3 . 6}, accept",
            ),
        ],
    );
}

#[test]
fn sets_that_change_are_sure_only_of_what_stays() {
    let of = |set: &str, text: &str| rule_with("ip", set, text);
    let fixed = "set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }";
    assert_eq!(of(fixed, "ip saddr @s accept"), "source in {10.0.0.1-10.0.0.2}, accept");
    // Others may be there, a listed one without timeout surely is.
    let times = "set s { type ipv4_addr; flags timeout; elements = { 10.0.0.1, 10.0.0.2 timeout 1h } }";
    let shown = of(times, "ip saddr @s accept");
    assert!(shown.contains("`@s`"), "{shown}");
    assert!(shown.ends_with("in {10.0.0.1 . 0-1; any . 1}, accept"), "{shown}");
    let shown = of(times, "ip saddr != @s accept");
    assert!(shown.ends_with("not in {10.0.0.1 . 0-1; any . 1}, accept"), "{shown}");
    // A default timeout counts for listed elements too.
    let default = "set s { type ipv4_addr; timeout 1h; elements = { 10.0.0.1 } }";
    assert!(of(default, "ip saddr @s accept").ends_with("in {any . 1}, accept"));
    // Rules that add or delete.
    let add = "add @s { ip saddr }\n  ip saddr @s accept";
    let open = "set s { type ipv4_addr; flags dynamic; size 10; elements = { 10.0.0.1 } }";
    assert!(of(open, add).ends_with("in {10.0.0.1 . 0-1; any . 1}, accept"));
    let delete = "delete @s { ip saddr }\n  ip saddr @s accept";
    assert!(of(open, delete).ends_with(" . 1}, accept"), "{}", of(open, delete));
    // An element's limit.
    let limited = "set s { type ipv4_addr; limit rate 1/second; elements = { 10.0.0.1 } }";
    assert!(of(limited, "ip saddr @s accept").ends_with("in {10.0.0.1 . 1}, accept"));
}

#[test]
fn a_set_that_is_not_there_is_left_open() {
    assert!(rule("ip", "ip saddr @gone accept").contains("there is no set `gone`"));
}

#[test]
fn verdict_maps_end_rules_whose_keys_lack_a_value() {
    check(
        "inet",
        &[
            (
                "udp dport vmap { 5 : accept, 7-9 : jump other } drop",
                "protocol in {udp}, by (destination port) {5: accept; 7-9: jump to chain 0 other}, drop",
            ),
            ("ct direction vmap { reply : accept }", "by (direction) {reply: accept}"),
            ("ct direction vmap { reply : accept } drop", "direction in {any}, by (direction) {reply: accept}, drop"),
            ("ct state vmap { invalid : drop, new : continue }", "by (state) {invalid: drop; new: continue}"),
        ],
    );
    assert!(rule("inet", "tcp dport vmap { 5 : jump gone }").contains("anything may happen"));
}

#[test]
fn a_long_list_is_one_for_all_rules_that_ask_it() {
    let elements: Vec<String> = (0..200).map(|i| format!("10.0.{i}.1")).collect();
    let set = format!(" set s {{ type ipv4_addr; elements = {{ {} }} }}\n", elements.join(", "));
    let rules = "  ip saddr @s accept\n  ip saddr @s drop\n";
    let (p, _) = super::of_text(&format!("table ip t {{\n{set} chain c {{\n{rules} }}\n}}\n"));
    let boxes = |rule: usize| match &p.chains[0].rules[rule].steps[0] {
        crate::model::Step::Match(crate::model::Match { test: crate::model::Test::Boxes(rows), .. }) => rows.clone(),
        other => panic!("{other:?}"),
    };
    assert!(std::sync::Arc::ptr_eq(&boxes(0), &boxes(1)));
    assert_eq!(boxes(0)[0][0].count(), 200);
}

#[test]
fn two_unequal_ports_of_a_rule_are_open_where_nft_merges_them() {
    let shown = rule("ip", "udp sport != 1 udp dport != 2 accept");
    assert!(shown.contains("nft 1.0.6 loads such comparisons as one"), "{shown}");
    let boxes =
        "in {0, 2 and above . 0-1, 3 and above . 0-1; 0, 2 and above . 2 . 1; 1 . 0-1, 3 and above . 1}, accept";
    assert!(shown.ends_with(boxes), "{shown}");
    // Fields beside them are merged too, and of those that nobody can read it is open whether they are equal.
    for open in
        ["ip protocol != tcp ip ttl != 64", "udp dport != 2 udp length != 100", "@th,16,16 != 2 @th,32,16 != 100"]
    {
        let shown = rule("ip", &format!("{open} accept"));
        assert!(shown.contains("loads such comparisons as one") && !shown.contains("not in"), "{open}: {shown}");
    }
}

#[test]
fn limits_that_the_connections_of_a_call_reach_are_open_and_others_are_not() {
    check(
        "inet",
        &[
            ("limit rate 25/second burst 50 packets accept", "within the rate limit in {1}, accept"),
            ("limit rate over 25/second burst 50 packets drop", "within the rate limit in {0}, drop"),
        ],
    );
    for open in
        ["25/second", "3/minute burst 50 packets", "19/second burst 50 packets", "5 mbytes/second", "over 3/second"]
    {
        assert!(rule("inet", &format!("limit rate {open} accept")).contains("unknown"), "{open}");
    }
}
