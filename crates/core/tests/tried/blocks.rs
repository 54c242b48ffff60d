//! Rules that block before one that would let packets pass.

use super::{as_given, errors, finding, folder, one_cause, report, shown, snapshot, with_rules};
use callpath_core::check::analyze;

const FORWARD: &[&str] = &["insert rule inet f forward"];

/// Any number of rules that block one after the other stand before the one that lets packets pass.
#[test]
fn site_02_several_rules_block_before_the_accept() {
    let Some(site) = folder("02-two-blocks-before-accept") else { return };
    let drop = "iifname \"wan\" oifname \"lan\" drop";
    one_cause(&report(&site, "callpath.toml", as_given), "blocked-earlier", &[drop, drop], FORWARD);
    let blocks = "\t\tiifname \"wan\" oifname \"lan\" drop\n\t\tiifname \"wan\" oifname \"lan\" drop\n";
    // What fw4 does: TCP is refused by one rule, the rest by the next.
    let (tcp, rest) = ("meta l4proto tcp reject with tcp reset", "iifname \"wan\" reject");
    let both = with_rules(&site, blocks, &format!("\t\t{tcp}\n\t\t{rest}\n"));
    one_cause(&both, "blocked-earlier", &[tcp, rest], FORWARD);
    let many = with_rules(&site, blocks, &"\t\tiifname \"wan\" oifname \"lan\" drop\n".repeat(40));
    assert_eq!(shown(finding(&many, "blocked-earlier")).len(), 40);
    // A rule of which nothing is known between them does not hide what stands below.
    let unread = with_rules(&site, blocks, &format!("\t\t{drop}\n\t\tfrobnicate 7\n"));
    assert_eq!(shown(finding(&unread, "blocked-earlier")), [drop]);
    // Nothing below lets them pass: then nothing is "earlier".
    let none = with_rules(&site, "\t\tct status dnat accept\n", "");
    assert_eq!(errors(&none), ["filter-missing"]);
    assert_eq!(shown(finding(&none, "filter-missing")), [drop]);
    // A last rule for everything is the list's policy, whatever stands behind the list.
    let policy = "policy drop;\n\t\tct state";
    let open = with_rules(&site, policy, "policy accept;\n\t\tct state");
    assert_eq!(errors(&open), ["blocked-earlier"]);
    let last = with_rules(&site, "\t\tct status dnat accept\n", "\t\tiifname \"wan\" drop\n");
    assert_eq!(errors(&last), ["filter-missing"]);
}

/// A second list of the same hook that stops them too is a cause of its own, and takes no name from the first.
#[test]
fn site_02_a_block_keeps_its_name_beside_a_second_list() {
    let Some(site) = folder("02-two-blocks-before-accept") else { return };
    let second = "\n\tchain second {\n\t\ttype filter hook forward priority filter + 10; policy drop;\n\t\tct state established,related accept\n\t\tiifname \"lan\" accept\n\t}\n}";
    let two = with_rules(&site, "\n\t}\n\n}", &format!("\n\t}}\n{second}"));
    let drop = "iifname \"wan\" oifname \"lan\" drop";
    assert_eq!(shown(finding(&two, "blocked-earlier")), [drop, drop]);
    assert!(finding(&two, "blocked-earlier").verified);
}

/// A block before the accept is named too where the forward is missing as well, and each is cured by its own rules.
#[test]
fn site_02_a_block_is_named_behind_a_missing_forward() {
    let Some(site) = folder("02-two-blocks-before-accept") else { return };
    let drop = "iifname \"wan\" oifname \"lan\" drop";
    let forwards = "\t\tiifname \"wan\" tcp dport { 443, 7881 } dnat ip to 192.168.1.50\n\t\tiifname \"wan\" udp dport 50000-50200 dnat ip to 192.168.1.50\n";
    let found = with_rules(&site, forwards, "");
    assert_eq!(errors(&found), ["forward-missing", "blocked-earlier"]);
    assert_eq!(shown(finding(&found, "blocked-earlier")), [drop, drop]);
    for (code, command) in [("forward-missing", "insert rule inet f pre"), ("blocked-earlier", FORWARD[0])] {
        let finding = finding(&found, code);
        assert!(finding.verified, "{code}");
        let lines = &finding.change.as_ref().expect("a change").steps[0].lines;
        assert!(lines.len() == 3 && lines.iter().all(|l| l.contains(command)), "{lines:?}");
    }
}

/// The same before a list that lets pass what no rule is about: a rule for these ports is a cause of its own, and one for
/// everything is the list's policy, which the forward's own accept cures.
#[test]
fn site_02_a_block_before_a_policy_of_accept_is_named_behind_a_missing_forward() {
    let Some(site) = folder("02-two-blocks-before-accept") else { return };
    let lost = "\t\tiifname \"wan\" tcp dport { 443, 7881 } dnat ip to 192.168.1.50\n\t\tiifname \"wan\" udp dport 50000-50200 dnat ip to 192.168.1.50\n";
    let list = "\t\tiifname \"wan\" oifname \"lan\" drop\n\t\tiifname \"wan\" oifname \"lan\" drop\n\t\tct status dnat accept\n";
    let policy =
        |t: &str| t.replace("hook forward priority filter; policy drop", "hook forward priority filter; policy accept");
    let with = |rules: &str| {
        let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
        let mut all = snapshot(&site, &manifest);
        let file = all.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
        assert!(file.text.contains(list) && file.text.contains(lost));
        file.text = policy(&file.text.replace(list, rules).replace(lost, ""));
        analyze(&all).unwrap_or_else(|e| panic!("{}", e.message))
    };
    for block in [
        "udp dport 50000-50100 drop",
        "iifname \"wan\" udp dport 1024-65535 drop",
        "ip daddr 192.168.1.50 udp dport >= 50000 reject",
    ] {
        let found = with(&format!("\t\t{block}\n"));
        assert_eq!(errors(&found), ["forward-missing", "blocked-earlier"], "{block}");
        assert_eq!(shown(finding(&found, "blocked-earlier")), [block]);
        for f in ["forward-missing", "blocked-earlier"].map(|code| finding(&found, code)) {
            assert!(f.verified, "{block}: {}", f.code);
        }
    }
    let all = with("\t\tiifname \"wan\" drop\n");
    assert_eq!(errors(&all), ["forward-missing"]);
    assert!(finding(&all, "forward-missing").verified);
}

/// A chain that only refuses is used by many: to blame is the rule that leads there, and the change goes above it.
#[test]
fn site_03_a_shared_reject_chain() {
    let Some(site) = folder("03-shared-reject-chain") else { return };
    let jump = "iifname \"wan\" oifname \"lan\" jump rej";
    one_cause(&report(&site, "callpath.toml", as_given), "blocked-earlier", &[jump], FORWARD);
    let variant = |line: &str, chains: &str| {
        let rej = "\tchain rej { meta l4proto tcp reject with tcp reset; reject; }\n";
        let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
        let mut texts = snapshot(&site, &manifest);
        let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
        rules.text = rules.text.replacen(jump, line, 1).replacen(rej, &format!("{rej}{chains}"), 1);
        analyze(&texts).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
    };
    for line in [
        "iifname \"wan\" oifname \"lan\" goto rej",
        "iifname vmap { \"wan\" : jump rej, \"lan\" : accept }",
        "iifname . oifname vmap { \"wan\" . \"lan\" : goto rej }",
        "meta nfproto vmap { ipv4 : jump rej, ipv6 : jump rej }",
    ] {
        one_cause(&variant(line, ""), "blocked-earlier", &[line], FORWARD);
    }
    // One such chain leads to the next.
    let nested =
        "\tchain log_rej { limit rate 1/second log; jump rej; }\n\tchain from_wan { oifname \"lan\" jump log_rej; }\n";
    let line = "iifname \"wan\" jump from_wan";
    one_cause(&variant(line, nested), "blocked-earlier", &[line], FORWARD);
    // Chains with rules for some packets belong to one caller: the place is in there.
    let zone = "\tchain from_wan { tcp dport 22 accept\n\t\toifname \"lan\" jump rej\n\t}\n";
    let here = "oifname \"lan\" jump rej";
    one_cause(&variant(line, zone), "blocked-earlier", &[here], &["insert rule inet f from_wan"]);
    // Used by two lists, it is no place for a rule about one of them.
    let shared = "\tchain guard { ip saddr 10.0.0.0/8 accept\n\t\tdrop\n\t}\n\tchain input { type filter hook input priority filter; policy accept;\n\t\tiifname \"wan\" jump guard\n\t}\n";
    let line = "iifname \"wan\" jump guard";
    let found = variant(line, shared);
    one_cause(&found, "blocked-earlier", &[line], FORWARD);
    // Answers and pings alone make no chain one that lets callers in.
    let answers = "\tchain guard { ct state established,related accept\n\t\tmeta l4proto icmp accept\n\t\tdrop\n\t}\n";
    one_cause(&variant(line, answers), "blocked-earlier", &[line], FORWARD);
    // A chain that refuses some packets says itself which. Its rule is to blame; the place for an accept is in there only
    // where nothing else uses it.
    let drop = "ip daddr 192.168.1.50 drop";
    let one = format!("\tchain guard {{\n\t\t{drop}\n\t}}\n");
    let line = "iifname \"wan\" jump guard";
    one_cause(&variant(line, &one), "blocked-earlier", &[drop], &["insert rule inet f guard"]);
    let two = format!(
        "{one}\tchain input {{ type filter hook input priority filter; policy accept;\n\t\tiifname \"wan\" jump guard\n\t}}\n"
    );
    one_cause(&variant(line, &two), "blocked-earlier", &[drop], FORWARD);
    let back = "\tchain guard {\n\t\tiifname \"lan\" return\n\t\tdrop\n\t}\n";
    one_cause(&variant(line, back), "blocked-earlier", &["drop"], &["insert rule inet f guard"]);
}

/// Rules that leave a list hide what stands below them as well as one that drops.
#[test]
fn site_03_the_list_is_left_before_the_accept() {
    let Some(site) = folder("03-shared-reject-chain") else { return };
    let jump = "iifname \"wan\" oifname \"lan\" jump rej";
    let back = "iifname \"wan\" oifname \"lan\" return";
    one_cause(&with_rules(&site, jump, back), "blocked-earlier", &[back], FORWARD);
    let manifest = std::fs::read_to_string(site.join("callpath.toml")).expect("the manifest");
    let mut texts = snapshot(&site, &manifest);
    let rules = texts.sources.iter_mut().find(|s| s.name == "router.nft").expect("the rules");
    let gone = "iifname \"wan\" oifname \"lan\" goto from_wan";
    rules.text = rules.text.replacen(jump, gone, 1).replacen(
        "\tchain rej",
        "\tchain from_wan { ip daddr 192.168.1.9 accept\n\t}\n\tchain rej",
        1,
    );
    let report = analyze(&texts).expect("an answer");
    assert_eq!(shown(finding(&report, "blocked-earlier")), [gone]);
    assert!(finding(&report, "blocked-earlier").verified);
}
