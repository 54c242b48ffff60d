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
