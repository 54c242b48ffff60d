//! Rulesets, what is wanted, and the commands: by hand.

use super::*;
use crate::change::{Intent, Packets};
use crate::manifest::Proto;

const FORWARD: &str = "table inet filter {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n\
    \t\tct state established,related accept\n\t}\n}\n";
const NAT: &str = "table ip nat {\n\tchain prerouting {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\
    \t}\n\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\
    \t\toifname \"wan0\" masquerade\n\t}\n}\n";

fn packets(iface: Option<&str>) -> Packets {
    Packets {
        family: Family::V4,
        proto: Proto::Udp,
        ports: vec![(50000, 60000)],
        from: Vec::new(),
        in_ifaces: iface.into_iter().map(Into::into).collect(),
        out_iface: None,
    }
}

fn ip(s: &str) -> std::net::IpAddr {
    s.parse().expect("an address literal")
}

fn forward(iface: Option<&str>, hairpin: bool) -> Intent {
    Intent::Forward { packets: packets(iface), address: ip("203.0.113.5"), to: ip("192.168.1.50"), port: None, hairpin }
}

fn sources(text: &str) -> Vec<Source> {
    vec![Source { name: "ruleset.nft".into(), text: text.into() }]
}

fn wanted(intent: Intent) -> Wanted {
    Wanted { intent, nearest: None, deciding: None, name: "LiveKit media-udp".into() }
}

/// The commands for one intent; the text is the old one with as many lines behind it, and is read.
fn commands(text: &str, intent: Intent) -> Result<Vec<String>, String> {
    deciding(text, intent, |_| None)
}

fn deciding(text: &str, intent: Intent, choose: impl Fn(&Pipeline) -> Option<OriginId>) -> Result<Vec<String>, String> {
    let (sources, mut pipeline) = (sources(text), Pipeline::default());
    lower(&text::parse(SourceId(0), &sources).map_err(|e| e.message)?, true, &mut pipeline);
    let wanted = Wanted { deciding: choose(&pipeline), ..wanted(intent) };
    let printed = print(SourceId(0), &sources, &pipeline, &[wanted]).map_err(|e| e.0)?;
    let added = printed.text.strip_prefix(text).expect("the old text stays");
    assert_eq!(added.lines().count(), printed.steps[0].lines.len());
    let again = self::sources(&printed.text);
    let ruleset = text::parse(SourceId(0), &again).expect("the new text is read");
    assert_eq!(ruleset.unread, []);
    let bare = |l: &String| l.strip_prefix("nft '").and_then(|l| l.strip_suffix('\'')).map(str::to_owned);
    Ok(printed.steps[0].lines.iter().map(|l| bare(l).expect("one command in quotes")).collect())
}

const TAG: &str = "comment \"callpath: LiveKit media-udp\"";

#[test]
fn a_forward_is_translated_and_let_in_where_the_policy_drops() {
    let found = commands(&format!("{FORWARD}{NAT}"), forward(Some("wan0"), false)).expect("can be done");
    let matched = "iifname \"wan0\"";
    assert_eq!(
        found,
        [
            format!("insert rule ip nat prerouting {matched} udp dport 50000-60000 dnat to 192.168.1.50 {TAG}"),
            format!("add rule inet filter forward {matched} ip daddr 192.168.1.50 udp dport 50000-60000 accept {TAG}"),
        ]
    );
}

#[test]
fn without_a_nat_table_one_is_made_and_taken_back() {
    let wanted = [wanted(forward(None, false))];
    let printed = print(SourceId(0), &sources(FORWARD), &Pipeline::default(), &wanted).expect("can be done");
    let lines = &printed.steps[0].lines;
    assert_eq!(lines[0], "nft 'add table ip callpath'");
    assert!(lines[1].contains("{ type nat hook prerouting priority dstnat; policy accept; }"), "{}", lines[1]);
    assert!(lines[2].contains("insert rule ip callpath prerouting ip daddr 203.0.113.5 udp dport"), "{}", lines[2]);
    let undo = &printed.undo[0].lines;
    assert_eq!(undo.last().map(String::as_str), Some(&*remove_table(TableFamily::Ip, "callpath")));
}

#[test]
fn what_already_accepts_needs_no_rule_and_maybes_are_left_alone() {
    let all = |rules: &str| {
        let chain = format!("type filter hook forward priority filter; policy drop; {rules}");
        commands(&format!("table inet f {{ chain c {{ {chain} }} }}\n{NAT}"), forward(Some("wan0"), false))
            .map(|c| c.len())
    };
    assert_eq!(all("ct status dnat accept;"), Ok(1));
    assert_eq!(all("iifname \"wan0\" udp dport 40000-65535 accept;"), Ok(1));
    assert_eq!(all("udp dport 50000-50010 accept;"), Ok(2));
    // Senders that are barred stay barred: the accept goes behind, to the end.
    let found = commands(
        &format!(
            "table ip f {{ chain c {{ type filter hook forward priority 0; policy drop; ip saddr 10.0.0.0/8 drop; }} }}\n{NAT}"
        ),
        forward(Some("wan0"), false),
    );
    assert!(found.is_ok_and(|c| c[1].starts_with("add rule ip f c ")));
}

#[test]
fn every_chain_that_drops_gets_its_accept() {
    let text = format!(
        "{FORWARD}{NAT}table ip raw {{ chain p {{ type filter hook prerouting priority raw; \
         udp dport 50500 drop; }} }}\ntable ip late {{ chain f {{ type filter hook forward priority 5; jump x; }}\n\
         chain x {{ tcp dport 1 accept; reject; }} }}\n"
    );
    let found = commands(&text, forward(Some("wan0"), false)).expect("can be done");
    assert!(found[1].starts_with("insert rule ip raw p iifname \"wan0\" ip daddr 203.0.113.5 "), "{}", found[1]);
    assert!(found[2].starts_with("add rule inet filter forward "), "{}", found[2]);
    assert!(found[3].starts_with("insert rule ip late x "), "{}", found[3]);
}

#[test]
fn a_listed_handle_names_the_place_and_the_text_counts() {
    let text = "table ip f { # handle 1\n\tchain c { # handle 2\n\t\ttype filter hook forward priority 0; policy accept;\n\
        \t\tct state invalid drop # handle 3\n\t\tdrop # handle 4\n\t}\n}\n";
    let allow = Intent::Allow { packets: packets(None), to: ip("192.168.1.50"), input: false };
    let found = commands(text, allow.clone()).expect("can be done");
    assert!(found[0].starts_with("insert rule ip f c handle 4 ip daddr 192.168.1.50 "), "{}", found[0]);
    let wanted = [wanted(allow)];
    let printed = print(SourceId(0), &sources(text), &Pipeline::default(), &wanted).expect("can be done");
    assert!(printed.text.contains("insert rule ip f c index 1 ip daddr"), "{}", printed.text);
}

#[test]
fn the_deciding_rule_is_passed_even_if_it_is_about_senders() {
    let text = "table ip f { chain c { type filter hook input priority 0; ip saddr 10.0.0.0/8 drop; } }\n";
    let allow = || Intent::Allow { packets: packets(None), to: ip("192.168.1.50"), input: true };
    assert!(commands(text, allow()).is_err(), "nothing stops them for certain");
    let found = deciding(text, allow(), |p| Some(p.chains[0].rules[0].origin)).expect("can be done");
    assert!(found[0].starts_with("insert rule ip f c ip daddr 192.168.1.50 udp"), "{}", found[0]);
}

#[test]
fn hairpin_source_nat_answers_and_closing() {
    let text = format!("{FORWARD}{NAT}");
    let found = commands(&text, forward(Some("lan0"), true)).expect("can be done");
    assert!(found[0].contains("prerouting iifname \"lan0\" ip daddr 203.0.113.5 udp dport"), "{}", found[0]);
    let lan = Packets { from: vec!["192.168.1.0/24".parse().expect("net")], ..packets(None) };
    let found = commands(&text, Intent::SourceNat { packets: lan, to: ip("192.168.1.50") }).expect("can be done");
    assert!(
        found[0].starts_with(
            "insert rule ip nat postrouting ip saddr 192.168.1.0/24 ip daddr 192.168.1.50 udp dport 50000-60000 masquerade"
        ),
        "{}",
        found[0]
    );
    assert!(commands(&text, Intent::SourceNat { packets: packets(None), to: ip("192.168.1.50") }).is_err());

    let answers = Intent::AllowAnswers { family: Family::V4, input: false };
    let bare = "table inet f { chain c { type filter hook forward priority 0; policy drop; } }\n";
    let found = commands(bare, answers.clone()).expect("can be done");
    assert_eq!(found, [format!("insert rule inet f c ct state established,related accept {TAG}")]);
    assert!(commands(&text, answers).is_err(), "they are let in already");

    let close = Intent::Close {
        packets: packets(Some("wan0")),
        address: ip("203.0.113.5"),
        to: ip("192.168.1.50"),
        inside: vec![(7880, 7881), (443, 443)],
        except: Vec::new(),
    };
    let found = commands(&text, close).expect("can be done");
    assert_eq!(
        found,
        [format!(
            "insert rule inet filter forward iifname \"wan0\" ip daddr 192.168.1.50 udp dport {{ 7880-7881, 443 }} \
             ct state new drop {TAG}"
        )]
    );
}

#[test]
fn inet_tables_are_told_the_family() {
    let text = NAT.replace("table ip", "table inet");
    let found = commands(&text, forward(Some("wan0"), false)).expect("can be done");
    assert!(found[0].contains("prerouting meta nfproto ipv4 iifname \"wan0\" udp dport"), "{}", found[0]);
    assert!(found[0].contains(" dnat ip to 192.168.1.50 "), "{}", found[0]);
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason() {
    let allow = || Intent::Allow { packets: packets(None), to: ip("192.168.1.50"), input: false };
    let refused = |text: &str, intent: Intent| {
        print(SourceId(0), &sources(text), &Pipeline::default(), &[wanted(intent)]).expect_err("refused").0
    };
    assert!(refused("{\"nftables\": []}", allow()).contains("nft list ruleset"));
    let ingress = "table netdev n { chain c { type filter hook ingress device \"wan0\" priority 0; policy drop; } }\n";
    assert!(refused(ingress, allow()).contains("table netdev n"), "{}", refused(ingress, allow()));
    let unread = "table ip f { chain c { type filter hook forward priority 0; policy drop; frobnicate 5; } }\n";
    assert!(refused(unread, allow()).contains("frobnicate"));
    let raw = "table ip raw { chain p { type filter hook prerouting priority raw; udp dport 50000-60000 notrack; } }\n";
    assert!(refused(&format!("{raw}{NAT}"), forward(Some("wan0"), false)).contains("notrack"));
    let mut odd = packets(Some("wan0\" accept"));
    odd.ports.clear();
    assert!(refused(FORWARD, Intent::Allow { packets: odd, to: ip("192.168.1.50"), input: false }).contains("name"));
}

#[test]
fn commands_follow_where_the_text_ends_and_else_the_whole_is_read() {
    let text = format!("{FORWARD}{NAT}");
    let plan = |text: &str| Plan::new(SourceId(0), &sources(text));
    let open = plan(&text).expect("rules");
    assert!(open.follows);
    assert_eq!(open.ast, text::parse(SourceId(0), &sources(&text)).expect("rules"));
    let wanted = commands(&text, forward(Some("wan0"), false)).expect("commands");
    for last in [format!("table ip {PROBE} {{\n}}\n"), "# the last word".to_owned()] {
        let text = format!("{text}{last}");
        assert_eq!(plan(&text).expect("rules").follows, !text.contains(PROBE));
        let followed = text.ends_with('\n').then(|| commands(&text, forward(Some("wan0"), false)));
        assert!(followed.is_none_or(|got| got.as_ref() == Ok(&wanted)));
    }
    // What goes on in the next line would swallow a command.
    assert!(plan(&format!("{text}add table ip x \\")).is_ok_and(|plan| !plan.follows));
}

#[test]
fn comments_are_harmless_and_not_used_twice() {
    assert_eq!(write::tag("a'b\"c\\d$e`f\n"), "callpath: abcdef");
    assert!(write::tag(&"é".repeat(200)).len() <= 128);
    let text = format!("{FORWARD}{NAT}");
    let wanted = [wanted(forward(Some("wan0"), false))];
    let once = print(SourceId(0), &sources(&text), &Pipeline::default(), &wanted).expect("can be done").text;
    let again = self::wanted(forward(Some("wan1"), false));
    let twice = print(SourceId(0), &sources(&once), &Pipeline::default(), &[again]).expect("can be done");
    assert!(twice.steps[0].lines.iter().all(|l| l.contains("callpath: LiveKit media-udp (2)\"")), "{twice:?}");
}
