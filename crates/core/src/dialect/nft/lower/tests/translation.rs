//! Address translation.

use super::{check, rule, rule_with};

#[test]
fn targets_are_addresses_ports_and_ranges() {
    check(
        "ip",
        &[
            ("dnat to 10.0.0.1", "translate destination to 10.0.0.1"),
            (
                "tcp dport 5 dnat to 10.0.0.1:80",
                "protocol in {tcp}, destination port in {5}, translate destination to 10.0.0.1:80",
            ),
            (
                "udp dport 5 dnat to 10.0.0.1:80-90",
                "protocol in {udp}, destination port in {5}, translate destination to 10.0.0.1:80-90",
            ),
            ("udp dport 5 dnat to :80", "protocol in {udp}, destination port in {5}, translate destination to :80"),
            ("dnat to 10.0.0.1-10.0.0.9", "translate destination to 10.0.0.1-10.0.0.9"),
            ("snat to 10.0.0.1 persistent", "translate source to 10.0.0.1"),
            ("snat to 10.0.0.1 random", "translate source to 10.0.0.1, random port"),
            ("snat to 10.0.0.1 fully-random", "translate source to 10.0.0.1, random port"),
            ("masquerade", "translate source to the outgoing interface's address"),
            (
                "udp dport 5 masquerade to :1024-2048",
                "protocol in {udp}, destination port in {5}, translate source to the outgoing interface's address:1024-2048",
            ),
            (
                "udp dport 5 redirect to :80",
                "protocol in {udp}, destination port in {5}, translate destination to the incoming interface's address:80",
            ),
        ],
    );
    check(
        "inet",
        &[
            ("dnat ip to 10.0.0.1", "family in {ipv4}, translate destination to 10.0.0.1"),
            (
                "udp dport 5 dnat ip6 to [2001:db8::1]:80",
                "protocol in {udp}, destination port in {5}, family in {ipv6}, translate destination to [2001:db8::1]:80",
            ),
            ("masquerade", "translate source to the outgoing interface's address"),
        ],
    );
}

#[test]
fn networks_keep_host_bits_only_where_asked() {
    check(
        "ip",
        &[
            (
                "dnat prefix to ip daddr map { 10.0.0.0/24 : 192.168.1.0/24 }",
                "translate destination to by (destination) {10.0.0.0-10.0.0.255: 192.168.1.0-192.168.1.255 keeping host bits}",
            ),
            (
                "dnat to ip daddr map { 10.0.0.0/24 : 192.168.1.0-192.168.1.255 }",
                "translate destination to by (destination) {10.0.0.0-10.0.0.255: 192.168.1.0-192.168.1.255}",
            ),
            (
                "dnat prefix to ip daddr map { 10.0.0.1 : 192.168.1.7 }",
                "translate destination to by (destination) {10.0.0.1: 192.168.1.7}",
            ),
        ],
    );
}

#[test]
fn maps_give_addresses_ports_or_both() {
    check(
        "ip",
        &[
            (
                "dnat to udp dport map { 5 : 10.0.0.5, 6 : 10.0.0.6 }",
                "protocol in {udp}, translate destination to by (destination port) {5: 10.0.0.5; 6: 10.0.0.6}",
            ),
            (
                "dnat to udp dport map { 5 : 10.0.0.5 . 80 }",
                "protocol in {udp}, translate destination to by (destination port) {5: 10.0.0.5:80}",
            ),
            (
                "dnat to 10.0.0.1 : udp dport map { 5 : 80 }",
                "protocol in {udp}, translate destination to by (destination port) {5: 10.0.0.1:80}",
            ),
            (
                "udp dport 1-9 dnat ip to ip saddr map { 1.1.1.1 : 2.2.2.2 } : udp dport map { 5 : 80 }",
                "protocol in {udp}, destination port in {1-9}, translate destination to by (source, destination port) {1.1.1.1 . 5: 2.2.2.2:80}",
            ),
        ],
    );
}

#[test]
fn a_load_balancer_picks_any_of_its_targets_and_no_other() {
    let shown = rule("ip", "dnat to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }");
    assert!(shown.contains("the load balancer `numgen inc mod 2` picks"), "{shown}");
    assert!(shown.ends_with("{0: 10.0.0.1; 1: 10.0.0.2}"), "{shown}");
    // Ranges of numbers share a target; what is left of the bits goes to the last.
    let shown = rule("ip", "dnat to numgen random mod 10 map { 0-2 : 10.0.0.1, 3-6 : 10.0.0.2, 7-9 : 10.0.0.3 }");
    assert!(shown.ends_with("{0: 10.0.0.1; 1: 10.0.0.2; 2-3: 10.0.0.3}"), "{shown}");
    // A number without an entry leaves the packet as it is.
    let shown = rule("ip", "dnat to numgen random mod 10 map { 0-2 : 10.0.0.1 }");
    assert!(shown.ends_with("{0: 10.0.0.1}"), "{shown}");
    // What expires or is limited is not one of the targets for ever.
    for elements in ["0 timeout 5s : 10.0.0.1, 1 : 10.0.0.2", "0 limit rate 5/second : 10.0.0.1, 1 : 10.0.0.2"] {
        let map = format!("map m {{ type mark : ipv4_addr; elements = {{ {elements} }}; }}");
        let shown = rule_with("ip", &map, "dnat to numgen inc mod 2 map @m");
        assert!(shown.contains("its elements are added and removed at run time"), "{elements}: {shown}");
    }
    let map = "map m { type mark : ipv4_addr; flags timeout; elements = { 0 : 10.0.0.1, 1 : 10.0.0.2 }; }";
    let shown = rule_with("ip", map, "dnat to numgen inc mod 2 map @m");
    assert!(shown.contains("its elements are added and removed at run time"), "{shown}");
    // A hash of a port asks for its protocol.
    let shown = rule("ip", "dnat to jhash ip saddr . tcp dport mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }");
    assert!(shown.starts_with("protocol in {tcp}, translate destination to by (unknown ["), "{shown}");
}

#[test]
fn targets_that_the_ruleset_does_not_say_may_be_anything() {
    let shown = rule("ip", "dnat to server.example.org");
    assert!(shown.contains("anything may happen") && shown.contains("server.example.org"), "{shown}");
}
