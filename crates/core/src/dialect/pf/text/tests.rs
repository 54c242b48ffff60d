use super::*;
use crate::dialect::pf::ast::{PoolPort, State};

fn read(text: &str) -> Ruleset {
    parse(SourceId(0), text)
}

#[test]
fn ports_of_filter_rules_leave_out_the_ends_and_those_of_translations_do_not() {
    let r = read(
        "WAN = \"{ em0 }\"\nrdr on $WAN inet proto udp from any to 203.0.113.5 port 50000:50499 -> 192.168.1.50 port 40000:40499\n\
         pass in quick on $WAN inet proto udp from any to 192.168.1.50 port 49999 >< 50500 keep state\n\
         pass in on $WAN proto tcp from any to any port >= 1024 flags any\n",
    );
    assert!(r.unread.is_empty(), "{:?}", r.unread);
    assert_eq!(r.rdr[0].ports, Some(vec![(50000, 50499)]));
    let Action::Translate(pool) = &r.rdr[0].action else { panic!("{:?}", r.rdr[0].action) };
    assert_eq!(pool.port, PoolPort::From(40000));
    assert_eq!(r.filter[0].ports, Some(vec![(50000, 50499)]));
    assert!(r.filter[0].quick && !r.filter[0].any_flags);
    assert_eq!(r.filter[1].ports, Some(vec![(1024, 65535)]));
    assert!(r.filter[1].any_flags);
}

#[test]
fn macros_tables_routes_and_tags() {
    let r = read(
        "GWA = \" route-to ( em0 203.0.113.1 ) \"\ntable <lan> persist { 192.168.1.0/24 !192.168.1.9 }\ntable <name> persist\nL = \"<lan>\"\n\
         pass in quick on { em1 em2 } $GWA inet from $L to ! 10.0.0.0/8 tag A no state label \"descr=x\" ridentifier 7\n\
         block in quick from any to <name> ! tagged \"A\"\n",
    );
    assert!(r.unread.is_empty(), "{:?}", r.unread);
    let rule = &r.filter[0];
    assert_eq!(rule.route.as_ref().map(|r| r.hops.len()), Some(1));
    assert_eq!((rule.state, rule.tag.as_deref(), rule.origin.handle), (State::None, Some("A"), Some(7)));
    assert!(rule.to.negate);
    assert_eq!(rule.origin.comment.as_deref(), Some("x"));
    assert_eq!(r.filter[1].tagged, Some((false, "A".into())));
    assert!(r.tables["name"].unknown.is_some() && r.tables["lan"].unknown.is_none());
}

#[test]
fn what_is_not_understood_is_kept_as_such() {
    let r = read("frobnicate all\npass in quick on em0 whatever from any to any\nblock in from {\n");
    assert_eq!(r.unread.len(), 2);
    assert!(r.filter[0].doubt.is_some());
    assert_eq!(r.statements, 3);
}

fn unread(text: &str) -> Vec<String> {
    read(text).unread.iter().map(|u| u.why.to_string()).collect()
}

#[test]
fn a_macro_that_nothing_defines_leaves_its_statement_unread() {
    let r = read("block in quick on $WAN inet proto udp from any to any\n");
    assert_eq!((r.unread.len(), r.filter.len()), (1, 0));
    assert!(r.unread[0].why.contains("$WAN"), "{}", r.unread[0].why);
    // Nor does one that leans on it, and a text that begins with a dollar is no macro.
    assert_eq!(unread("A = \"{ $B }\"\npass in on $A all\n").len(), 2);
    assert!(unread("pass in on em0 all label \"$5 a month\"\n").is_empty());
}

#[test]
fn options_that_may_decide_are_not_passed_over() {
    for known in
        ["limit states 1000", "timeout interval 10", "state-policy floating", "skip on lo0", "block-policy drop"]
    {
        assert!(unread(&format!("set {known}\n")).is_empty(), "{known}");
    }
    for other in ["state-defaults no-sync", "block-policy return", "state-policy odd", "skip lo0", "whatever 1", ""] {
        assert_eq!(unread(&format!("set {other}\n")).len(), 1, "{other}");
    }
}

#[test]
fn next_hops_and_ranges_that_make_no_sense_are_not_guessed() {
    assert_eq!(unread("pass in quick on em1 route-to ( em0 gateway.example ) all\n").len(), 1);
    assert_eq!(unread("pass in quick on em1 route-to ( em0 192.0.2.1 192.0.2.2 ) all\n").len(), 1);
    assert!(unread("pass in quick on em1 route-to ( pppoe0 ) all\n").is_empty());
    for odd in [
        "rdr on em0 proto udp from any to any port 6000:5000 -> 192.168.1.50 port 7000:*",
        "nat on em0 from any to any -> 203.0.113.5 port 65535:1024",
        "rdr on em0 proto udp from any to any port 5000:6000 -> 192.168.1.50 port 8000:7000",
    ] {
        assert_eq!(unread(odd).len(), 1, "{odd}");
    }
}
