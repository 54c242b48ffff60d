use super::*;
use crate::model::Family;

const WHOLE: &str = r#"
name    = "voice.example.org"
address = ["203.0.113.5", "2001:db8:1::50"]

[[gateway]]
label    = "provider's box"
inside   = "192.168.0.1/24"
forwards = ["udp/50000-50499", "tcp/7881 to 192.168.0.3"]
hairpin  = false

[[gateway]]
config = ["router/ruleset.nft", "router/ip-addr.json"]
wan    = "192.168.0.2"
interfaces = { wan0 = "192.168.0.2/24", lan0 = ["192.168.1.1/24", "2001:db8:1::1/64"], dmz = [] }
routes = ["default via 192.168.0.1 dev wan0"]
aliases = { public_ip = ["203.0.113.5"] }
kernel = { bridge-nf-call-iptables = 0, net.ipv4.conf.wan0.rp_filter = 2 }

[[net]]
name = "guests"
prefix = "192.168.20.0/24"

[[deploy]]
system  = "livekit"
label   = "friends"
host    = ["192.168.1.50", "2001:db8:1::50"]
with    = { udp = "50500-50999", tcp = 7882 }
clients = ["internet", "net:guests"]
off     = ["turn"]
admin   = ["198.51.100.77"]
firewall = "server/ruleset.nft"
"#;

#[test]
fn the_whole_manifest_is_read_with_places() {
    let m = parse(WHOLE).expect("reads");
    assert_eq!(m.address.len(), 2);
    assert_eq!(m.gateways.len(), 2);
    let GatewayKind::Stated { forwards, hairpin, .. } = &m.gateways[0].kind else { panic!("stated") };
    let range = |proto, from, to, target| ForwardedPorts { proto, from, to, target };
    let target = "192.168.0.3".parse().ok();
    let wanted = vec![range(Proto::Udp, 50000, 50499, None), range(Proto::Tcp, 7881, 7881, target)];
    assert_eq!(forwards.value, Forwards::Ports(wanted));
    assert_eq!(*hairpin, Some(false));
    let GatewayKind::Read { files, wan, interfaces, routes, aliases, kernel, .. } = &m.gateways[1].kind else {
        panic!("read")
    };
    assert_eq!(files.len(), 2);
    assert_eq!(&WHOLE[wan.as_ref().expect("wan").span.clone()], "\"192.168.0.2\"");
    let names: Vec<&str> = interfaces.iter().map(|(n, _)| &*n.value).collect();
    assert_eq!(names, ["wan0", "lan0", "dmz"], "in the order of the file");
    assert_eq!(routes[0].value.dev.as_deref(), Some("wan0"));
    assert_eq!(aliases[0].0.value, "public_ip");
    assert_eq!((kernel.bridge_calls(Family::V4), kernel.rp_filter("wan0")), (Some(false), Some(2)));
    assert_eq!(&WHOLE[kernel.list[0].at.clone()], "bridge-nf-call-iptables");
    let d = &m.deploys[0];
    assert_eq!(&WHOLE[d.with["udp"].1.span.clone()], "\"50500-50999\"");
    assert_eq!(d.clients.as_ref().expect("clients")[1].value, Place::Net("guests".into()));
    let files: Vec<&str> = m.files().iter().map(|f| &*f.value).collect();
    assert_eq!(files, ["router/ruleset.nft", "router/ip-addr.json", "server/ruleset.nft"]);
}

/// What is replaced in [`WHOLE`], by what; the text that is underlined, the message, and the help.
const BROKEN: &[(&str, &str, &str, &str, &str)] = &[
    ("system  =", "sytem  =", "sytem", "unknown key `sytem`", "did you mean `system`?"),
    ("clients = [\"internet\", \"net:guests\"]", "ice = \"half\"", "\"half\"", "no kind of ICE agent", "only answers"),
    ("clients = [\"internet\", \"net:guests\"]", "answers = \"rtp\"", "\"rtp\"", "no place that voice", "\"source\""),
    (
        "clients = [\"internet\", \"net:guests\"]",
        "local = [\"192.168.1.7/24\"]",
        "\"192.168.1.7/24\"",
        "bits set",
        "192.168.1.0/24",
    ),
    ("[[deploy]]", "[[caller]]\nname = \" \"\nconfig = \"a\"\n[[deploy]]", "\" \"", "without a name", "her flat"),
    ("[[deploy]]", "[[caller]]\nname = \"a\"\nconfig = []\nwan = \"x\"\n[[deploy]]", "\"x\"", "not an IP address", ""),
    ("[[deploy]]", "[[deplyo]]", "deplyo", "unknown key `deplyo`", "did you mean `deploy`?"),
    ("hairpin  = false", "colour = 1", "colour", "unknown key `colour`", "keys here: label, config"),
    ("host    =", "#", "[[deploy]]", "`host` is missing", "add the server's own address"),
    ("192.168.1.50\"", "192.168.1.500\"", "\"192.168.1.500\"", "not an IP address", "from 0 to 255"),
    ("192.168.1.50\"", "192.168.1.50/24\"", "\"192.168.1.50/24\"", "not an IP address", "leave the prefix"),
    ("\"203.0.113.5\", ", "\"voice\", ", "\"voice\"", "not an IP address", "names are not looked up"),
    ("\"203.0.113.5\", ", "\"::2\", ", "\"2001:db8:1::50\"", "two IPv6 addresses", "give one IPv6"),
    ("[\"192.168.1.50\", ", "[\"127.0.0.1\", ", "\"127.0.0.1\"", "cannot be a host", "write an address of one"),
    ("tcp = 7882", "tcp = 70000", "70000", "port 70000 does not exist", "1 to 65535"),
    ("tcp = 7882", "tcp = 0", "0", "port 0 does not exist", "1 to 65535"),
    ("tcp = 7882", "tcp = -1", "-1", "port -1 does not exist", "1 to 65535"),
    ("tcp = 7882", "tcp = 7.5", "7.5", "expected a port", "the file is TOML"),
    ("50500-50999", "50999-50500", "\"50999-50500\"", "wrong way round", "\"50500-50999\""),
    ("50500-50999", "50500-50999,50600", "\"50500-50999,50600\"", "named twice", "name each port once"),
    ("50500-50999", "media", "\"media\"", "`media` is not a port", "a range such as"),
    ("\"net:guests\"", "\"wan\"", "\"wan\"", "not a place from which people call", ""),
    ("\"internet\", ", "\"internt\", ", "\"internt\"", "not a place", "did you mean `internet`?"),
    ("198.51.100.77", "198.51.100.77/24", "\"198.51.100.77/24\"", "bits set after", "\"198.51.100.0/24\""),
    ("lan0 = [\"192.168.1.1/24\"", "lan0 = [\"192.168.1.1\"", "\"192.168.1.1\"", "prefix length", "192.168.1.1/24"),
    ("udp/50000-50499", "sctp/5000", "\"sctp/5000\"", "is not protocol/ports", "\"all\""),
    ("forwards = [", "forwards = \"some\" #", "\"some\"", "does not say what is forwarded", "\"all\""),
    ("inside   = \"192.168.0.1/24\"", "", "[[gateway]]", "needs its inner address", "inside ="),
    ("wan    =", "hairpin = true\nwan    =", "[[gateway]]", "for a box that has no configuration", "not both"),
    ("config =", "#", "[[gateway]]", "nothing is known about this gateway", "ruleset.nft"),
    ("\"router/ip-addr.json\"", "\"\"", "\"\"", "an empty file name", "relative to this file"),
    ("default via 192.168.0.1 dev wan0", "default via ::1 x", "\"default via ::1 x\"", "not understood", "ip route"),
    ("default via 192.168.0.1 dev wan0", "10.0.0.0/8", "\"10.0.0.0/8\"", "leads nowhere", "ip route"),
    ("name    = \"voice.example.org\"", "name = \"voice", "", "", "the file is TOML"),
    (
        "\"voice.example.org\"",
        "\"https://voice.example.org:443/\"",
        "\"https://voice.example.org:443/\"",
        "not a host's name",
        "`voice.example.org`",
    ),
    ("\"voice.example.org\"", "\"our server\"", "\"our server\"", "not a host's name", "the name alone"),
    ("[[net]]", "[net]", "", "", "the file is TOML"),
    ("system  = \"livekit\"", "system = 5", "5", "expected a string", ""),
    ("[\"internet\", \"net:guests\"]", "[]", "[]", "names no place", "leave `clients` out"),
    ("[[net]]", "[[net]]\nname = \"x\"\nprefix = []\n[[net]]", "[]", "the network has no addresses", "prefix ="),
    ("[[net]]", "[[net]]\nname = \"\"\nprefix = \"10.0.0.0/8\"\n[[net]]", "\"\"", "without a name", "guests"),
    ("label   = \"friends\"", "label = \" \"", "\" \"", "an instance without a name", "leave `label` out"),
    ("label    = \"provider's box\"", "label = \"\"", "\"\"", "a gateway without a name", "label ="),
    (
        "hairpin  = false",
        "kernel = { ip_forward = 1 }",
        "ip_forward",
        "and `kernel` for a Linux router",
        "leave `kernel` out",
    ),
    (
        "bridge-nf-call-iptables = 0",
        "bridge-nf = 0",
        "bridge-nf",
        "no setting `bridge-nf` of a kernel",
        "did you mean `bridge-nf-call-",
    ),
    (
        "bridge-nf-call-iptables = 0",
        "forwarding = 0",
        "forwarding",
        "no setting `forwarding` of a kernel",
        "settings: bridge-nf-call",
    ),
    (
        "bridge-nf-call-iptables = 0",
        "ip_forward = \"yes\"",
        "\"yes\"",
        "`ip_forward` has no value `yes`",
        "from 0 to 1",
    ),
    ("bridge-nf-call-iptables = 0", "ip_forward = 2", "2", "`ip_forward` has no value 2", "from 0 to 1"),
    ("rp_filter = 2", "rp_filter = -1", "-1", "has no value -1", "from 0 to 2"),
    (
        "conf.wan0.rp",
        "conf.default.rp",
        "rp_filter",
        "interfaces that will be made later",
        "`net.ipv4.conf.all.rp_filter`",
    ),
    ("kernel = { ", "kernel = { net.ipv4.ip_forward = 1, ip_forward = 0, ", "ip_forward", "says otherwise", "once"),
    ("kernel = { ", "kernel = 1 #", "1", "expected a map", ""),
    ("firewall = \"server", "kernel = { rp_filter = 3 }\nfirewall = \"server", "3", "has no value 3", "from 0 to 2"),
    ("hairpin  = false", "aliases = { a = \"10.0.0.1\" }", "a", "and `aliases` for one that has", "leave them out"),
];

#[test]
fn each_mistake_is_named_at_its_place() {
    for (from, to, marked, message, help) in BROKEN {
        assert!(WHOLE.contains(from), "{from}");
        let text = WHOLE.replacen(from, to, 1);
        let error = parse(&text).expect_err(to);
        let (_, span) = error.at.clone().expect("has a place");
        if !marked.is_empty() {
            assert_eq!(text[span].lines().next(), Some(*marked), "{to}: {}", error.message);
        }
        assert!(error.message.contains(message), "{to}: {}", error.message);
        assert!(error.help.contains(help), "{to}: {}", error.help);
    }
}

#[test]
fn a_manifest_without_deploy_says_so() {
    for text in ["", "name = \"x\"\n"] {
        let error = parse(text).expect_err("nothing to judge");
        assert!(error.message.contains("[[deploy]]"), "{}", error.message);
    }
}

#[test]
fn two_instances_need_two_names() {
    let one = "[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n";
    let error = parse(&format!("{one}{one}")).expect_err("same name");
    assert!(error.help.contains("label"), "{}", error.help);
}
