//! Tunnels, and routing rules that lead into them.

use super::{all_at, as_given, errors, folder, judged, report, snapshot, verdicts_at, works};
use callpath_core::check::analyze;
use callpath_core::report::{Report, Verdict};

/// What wg-quick sets on every machine with a full tunnel: the main table without its default route, and a table of its
/// own for whatever does not carry the tunnel's mark.
#[test]
fn site_08_routing_rules_of_a_full_tunnel_are_judged() {
    let Some(site) = folder("08-wg-quick-rule") else { return };
    let internet = |report: &Report| {
        let paths = report.paths.iter().filter(|p| p.id == "livekit/internet:public");
        paths.map(|p| p.verdict).collect::<Vec<_>>()
    };
    let found = report(&site, "callpath.toml", as_given);
    assert_eq!(internet(&found), [Verdict::Works], "{}", found.headline);
}

/// A rented server forwards through a tunnel to a host with a line of its own.
#[test]
fn site_04_a_tunnel_to_one_host() {
    let Some(site) = folder("04-vps-tunnel-to-one-host") else { return };
    // Its answers leave by its own line: the callers drop them.
    let given = report(&site, "callpath.toml", as_given);
    assert!(verdicts_at(&given, "internet").contains(&Verdict::Fails), "{}", given.headline);
    all_at(&given, "server", Verdict::Works);
    let ends = |r: &Report| r.paths.iter().all(|p| p.vantage != "lan" && !p.vantage.to_string().starts_with("net:"));
    assert!(ends(&given), "no caller lives in a tunnel");
    let masquerade = report(&site, "masquerade.toml", as_given);
    for place in ["internet", "self", "server"] {
        all_at(&masquerade, place, Verdict::Works);
    }
    assert!(ends(&masquerade));
    assert_eq!(errors(&masquerade), [""; 0]);
    // Nothing says which way its answers take: asked for, and never "works".
    let open = report(&site, "without-server-routes.toml", as_given);
    all_at(&open, "internet", Verdict::Unknown);
    all_at(&open, "server", Verdict::Unknown);
    let doubts = open.paths.iter().flat_map(|p| &p.legs).flat_map(|l| &l.any_of).flat_map(|a| &a.pieces);
    assert!(doubts.flat_map(|p| &p.doubts).any(|d| d.supply.contains("ip -j route")));
    // The same where the interface has another name, and the manifest says what it is.
    let other = |t: &str| {
        t.replace("wg0 = ", "link7 = ") + "\n[[net]]\nname = \"link\"\nprefix = \"10.66.0.0/24\"\ntunnel = true\n"
    };
    let manifest = other(&std::fs::read_to_string(site.join("without-server-routes.toml")).expect("the manifest"));
    let mut texts = snapshot(&site, &manifest);
    for source in &mut texts.sources {
        source.text = source.text.replace("\"wg0\"", "\"link7\"");
    }
    all_at(&analyze(&texts).expect("an answer"), "internet", Verdict::Unknown);
}

/// The home line described: people at home reach the rented server as everybody else does.
#[test]
fn site_04_the_home_network_can_be_described() {
    let Some(site) = folder("04-vps-tunnel-to-one-host") else { return };
    let home = "\n[[gateway]]\nlabel = \"home line\"\nline = \"home\"\nwan = \"198.51.100.7\"\ninside = \"192.168.1.1/24\"\n\
                forwards = \"none\"\nhairpin = false\n";
    let with_home = |t: &str| t.replace("[[deploy]]", &format!("{home}[[deploy]]"));
    let given = report(&site, "callpath.toml", with_home);
    assert!(verdicts_at(&given, "internet").contains(&Verdict::Fails), "{}", given.headline);
    assert!(verdicts_at(&given, "lan").contains(&Verdict::Fails), "{}", given.headline);
    let masquerade = report(&site, "masquerade.toml", with_home);
    for place in ["internet", "lan", "self", "server"] {
        all_at(&masquerade, place, Verdict::Works);
    }
    works(&masquerade);
    let error = judged(&site, "callpath.toml", |t| with_home(t).replace("198.51.100.7", "203.0.113.20"));
    assert!(error.expect_err("the site's own address").message.contains("is an address of the site"));
}

/// A rented server forwards through a tunnel to a router that has another line to the internet.
#[test]
fn site_06_a_tunnel_to_a_router() {
    let Some(site) = folder("06-vps-tunnel-to-pfsense") else { return };
    works(&report(&site, "with-wan.toml", as_given));
    // Its address in the tunnel says by which interface calls come in.
    works(&report(&site, "callpath.toml", as_given));
    // Connected by nothing, the two are no chain: how is asked.
    let apart = judged(&site, "callpath.toml", |t| t.replace("10.66.0.1/24", "10.77.0.1/24"));
    let error = apart.expect_err("two networks");
    assert!(
        error.message.contains("how pfSense is connected to VPS") && error.help.contains("wan ="),
        "{}",
        error.message
    );
}

/// A router behind a tunnel whose answers go back by a mark, with the rules that wg-quick writes.
#[test]
fn site_08_the_rules_of_a_full_tunnel() {
    let Some(site) = folder("08-wg-quick-rule") else { return };
    works(&report(&site, "callpath.toml", as_given));
    // Nothing says which way its own packets take: not "works".
    let open =
        report(&site, "callpath.toml", |t| t.replace("\"box.nft\", \"rules.json\", \"routes-gw.json\"", "\"box.nft\""));
    all_at(&open, "internet", Verdict::Unknown);
}
