#[path = "../../tests/messages.rs"]
mod messages;

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

/// Its last table.
const DEPLOY: &str = r#"[[deploy]]
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
fn a_model_gives_a_stated_box_the_words_of_its_pages() {
    let gateway = |keys: &str| {
        parse(&format!(
            "address = \"203.0.113.5\"\n[[gateway]]\n{keys}\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n"
        ))
    };
    let words = |model: &str| {
        let m = gateway(&format!("inside = \"192.168.1.1/24\"\n{model}")).expect("reads");
        let GatewayKind::Stated(stated) = &m.gateways[0].kind else { panic!("stated") };
        stated.words
    };
    assert_eq!(words("model = \"fritzbox\"").name, "FRITZ!Box");
    assert_eq!(words(""), Model::general());
    assert_eq!(words("model = \"another box\""), Model::general());
    for (keys, message) in [
        ("model = \"fritzbox\"", "a stated box needs its inner address"),
        ("model = \" \"\ninside = \"192.168.1.1/24\"", "a model without a name"),
        ("model = \"fritzbox\"\nconfig = \"ruleset.nft\"", "`model` is for a box that has no configuration here"),
        ("model = \"fritzbox\"\npasses = \"all\"", "`model` for a box that translates"),
    ] {
        let error = gateway(keys).expect_err(keys);
        assert!(error.message.contains(message), "{keys}: {}", error.message);
    }
}

#[test]
fn the_whole_manifest_is_read_with_places() {
    let m = parse(WHOLE).expect("reads");
    assert_eq!(m.address.len(), 2);
    assert_eq!(m.gateways.len(), 2);
    let GatewayKind::Stated(StatedBox { forwards, hairpin, .. }) = &m.gateways[0].kind else { panic!("stated") };
    let range = |proto, lo, hi, target| Entry { what: Some((proto, lo, hi)), target, inner: None, from: None };
    let target = "192.168.0.3".parse().ok();
    let wanted = vec![range(Proto::Udp, 50000, 50499, None), range(Proto::Tcp, 7881, 7881, target)];
    assert_eq!(forwards.value, Traffic::Some(wanted));
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
    ("hairpin  = false", "colour = 1", "colour", "unknown key `colour`", "keys here: label, line, config"),
    ("host    =", "#", "[[deploy]]", "`host` is missing", "add the server's own address"),
    ("192.168.1.50\"", "192.168.1.500\"", "\"192.168.1.500\"", "not an IP address", "from 0 to 255"),
    ("192.168.1.50\"", "192.168.1.50/24\"", "\"192.168.1.50/24\"", "not an IP address", "leave the prefix"),
    ("\"203.0.113.5\", ", "\"voice\", ", "\"voice\"", "not an IP address", "names are not looked up"),
    ("\"203.0.113.5\", ", "\"2001:db8:1::50\", ", "\"2001:db8:1::50\"", "is named twice", "name each address once"),
    (
        "\"203.0.113.5\", ",
        "\"192.168.1.1\", ",
        "\"192.168.1.1\"",
        "private address: the internet cannot",
        "is its `wan`",
    ),
    ("\"203.0.113.5\", ", "\"100.64.3.9\", ", "\"100.64.3.9\"", "provider shares between customers", "ip.me"),
    ("\"203.0.113.5\", ", "\"fd00::5\", ", "\"fd00::5\"", "private address: the internet cannot", "is its `wan`"),
    (
        "[\"192.168.1.50\", ",
        "[\"192.168.1.50\", \"192.168.1.51\", ",
        "\"192.168.1.51\"",
        "two IPv4 addresses",
        "give one IPv4",
    ),
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
    ("\"net:guests\"]", "\"peer:trunk\"]", "\"peer:trunk\"", "not a place from which people call", "no callers"),
    ("\"net:guests\"]", "\"admin\"]", "\"admin\"", "not a place from which people call", "no callers"),
    ("198.51.100.77", "198.51.100.77/24", "\"198.51.100.77/24\"", "bits set after", "\"198.51.100.0/24\""),
    ("lan0 = [\"192.168.1.1/24\"", "lan0 = [\"192.168.1.1\"", "\"192.168.1.1\"", "prefix length", "192.168.1.1/24"),
    ("udp/50000-50499", "sctp/5000", "\"sctp/5000\"", "is not protocol/ports", "\"all\""),
    ("forwards = [", "forwards = \"some of it\" #", "\"some of it\"", "does not say what is forwarded", "\"all\""),
    ("forwards = [", "forwards = \"some\" #", "\"some\"", "is not protocol/ports", "\"all\""),
    ("forwards = [", "forwards = [\"none\", ", "\"none\"", "`none` in a list", "without brackets"),
    (
        "7881 to 192.168.0.3",
        "7881-7882 to 192.168.0.3:443",
        "\"tcp/7881-7882 to 192.168.0.3:443\"",
        "2 ports outside",
        ":443-444",
    ),
    (
        "7881 to 192.168.0.3",
        "1,3 to 192.168.0.3:4",
        "\"tcp/1,3 to 192.168.0.3:4\"",
        "several ranges",
        "an entry of its own",
    ),
    (
        "7881 to 192.168.0.3",
        "1 to 192.168.0.3:4,6",
        "\"tcp/1 to 192.168.0.3:4,6\"",
        "several ranges",
        "an entry of its own",
    ),
    ("7881 to 192.168.0.3", "1 to 192.168.0.3:x", "\"tcp/1 to 192.168.0.3:x\"", "`x` is not a port", ""),
    ("7881 to 192.168.0.3", "1 to 192.168.0.300", "\"tcp/1 to 192.168.0.300\"", "not an IP address", ""),
    ("tcp/7881 to 192.168.0.3", "all to 192.168.0.3:4", "\"all to 192.168.0.3:4\"", "cannot lead to one range", ""),
    ("7881 to 192.168.0.3", "22 from lan", "\"tcp/22 from lan\"", "`lan` is inside", "internet"),
    ("7881 to 192.168.0.3", "22 from moon", "\"tcp/22 from moon\"", "`moon` is not a place", ""),
    ("7881 to 192.168.0.3", "22 from 10.0.0.1/8", "\"tcp/22 from 10.0.0.1/8\"", "bits set after", "10.0.0.0/8"),
    (
        "tcp/7881 to 192.168.0.3\"]",
        "tcp/1 from net:x\"]",
        "[\"udp/50000-50499\", \"tcp/1 from net:x\"]",
        "no [[net]] called `x`",
        "[[net]]",
    ),
    ("\"192.168.0.1/24\"", "[]", "[]", "needs its inner address", "inside ="),
    (
        "\"192.168.0.1/24\"",
        "[\"10.0.0.1/8\", \"10.9.0.1/24\"]",
        "\"10.9.0.1/24\"",
        "are one network",
        "write each once",
    ),
    ("\"192.168.0.1/24\"", "\"fd00::1/64\"", "\"fd00::1/64\"", "to IPv6 cannot be stated", "IPv4"),
    ("hairpin  = false", "wan = \"192.168.0.9\"", "\"192.168.0.9\"", "the box's own inner network", "outer side"),
    ("hairpin  = false", "wan = \"2001:db8::1\"", "\"2001:db8::1\"", "to IPv6 cannot be stated", "IPv4"),
    ("hairpin  = false", "line = \" \"", "\" \"", "a line without a name", "line ="),
    ("hairpin  = false", "passes = \"all\"", "[[gateway]]", "`passes` is for a filter without NAT", "table of its own"),
    ("hairpin  = false", "tracks = \"no\"", "\"no\"", "expected a boolean", "the file is TOML"),
    (
        "[[net]]",
        "[[gateway]]\npasses = \"all\"\nconfig = \"a\"\n[[net]]",
        "\"a\"",
        "has no configuration here",
        "not both",
    ),
    ("config =", "guards = []\nconfig =", "\"192.168.0.2\"", "has no outer address", "leave `wan` out"),
    (
        "[[net]]",
        "[[gateway]]\npasses = [\"tcp/1 to 10.0.0.1\"]\n[[net]]",
        "\"tcp/1 to 10.0.0.1\"",
        "sends nothing elsewhere",
        "`inside`",
    ),
    (
        "[[net]]",
        "[[gateway]]\npasses = \"some of it\"\n[[net]]",
        "\"some of it\"",
        "does not say what passes",
        "\"all\"",
    ),
    (
        "[[net]]",
        "[[gateway]]\nout = \"all to 10.0.0.1\"\n[[net]]",
        "\"all to 10.0.0.1\"",
        "sends nothing elsewhere",
        "`to`",
    ),
    ("[[net]]", "[[gateway]]\npasses = \"all\"\nguards = []\n[[net]]", "[]", "guards nothing", "leave `guards` out"),
    ("[[net]]", "[[gateway]]\npasses = \"all\"\nguards = \"x\"\n[[net]]", "\"x\"", "not an address with a prefix", ""),
    ("[[net]]", "[[gateway]]\ntracks = true\nline = \"a\"\n[[net]]", "\"a\"", "a filter is no line", "before that box"),
    (
        "[[net]]",
        "[[gateway]]\nout = \"all\"\nboot = \"b.nft\"\n[[net]]",
        "\"b.nft\"",
        "loads when it starts is not read",
        "leave `boot` out",
    ),
    (
        "[[net]]",
        "[[gateway]]\nout = \"all\"\nroutes = [\"default dev a\"]\n[[net]]",
        "[[gateway]]",
        "no interfaces and no routes",
        "leave them out",
    ),
    (
        "prefix = ",
        "tunnel = true\nbehind = \"lan0\"\nprefix = ",
        "\"lan0\"",
        "lies behind no interface",
        "leave `behind` out",
    ),
    ("prefix = ", "tunnel = \"wg\"\nprefix = ", "\"wg\"", "expected a boolean", ""),
    (
        "[[net]]",
        "[[peer]]\nname = \"\"\naddress = \"192.0.2.1\"\nuses = \"rtp\"\n[[net]]",
        "\"\"",
        "a peer without a name",
        "trunk",
    ),
    (
        "[[net]]",
        "[[peer]]\nname = \"a\"\naddress = []\nuses = \"rtp\"\n[[net]]",
        "[]",
        "the peer has no address",
        "address =",
    ),
    ("[[net]]", "[[peer]]\nname = \"a\"\naddress = \"x\"\nuses = \"rtp\"\n[[net]]", "\"x\"", "not an address", ""),
    (
        "[[net]]",
        "[[peer]]\nname = \"a\"\naddress = \"192.0.2.1\"\nuses = []\n[[net]]",
        "[]",
        "the peer uses nothing",
        "callpath ports",
    ),
    (
        "[[net]]",
        "[[peer]]\nname = \"a\"\naddress = \"192.0.2.1\"\n[[net]]",
        "[[peer]]",
        "`uses` is missing",
        "rows of the product",
    ),
    ("[[gateway]]", "dns = { moon = \"192.168.1.50\" }\n[[gateway]]", "moon", "`moon` is not a place", "places: "),
    (
        "[[gateway]]",
        "dns = { admin = \"192.168.1.50\" }\n[[gateway]]",
        "admin",
        "not a place from which people call",
        "internet",
    ),
    (
        "[[gateway]]",
        "dns = { lan = \"voice\" }\n[[gateway]]",
        "\"voice\"",
        "not an IP address",
        "names are not looked up",
    ),
    ("[[gateway]]", "dns = { lan = [] }\n[[gateway]]", "[]", "the name leads nowhere", "dns ="),
    ("[[gateway]]", "admin = \"somewhere\"\n[[gateway]]", "\"somewhere\"", "`somewhere` is not a place", "places: "),
    (
        "[[gateway]]",
        "admin = [\"anywhere\", \"lan\"]\n[[gateway]]",
        "\"anywhere\"",
        "beside other places",
        "net:phones",
    ),
    ("[[gateway]]", "admin = \"admin\"\n[[gateway]]", "\"admin\"", "cannot stand in it", "net:phones"),
    (
        "[[gateway]]",
        "admin = \"net:cellar\"\n[[gateway]]",
        "\"net:cellar\"",
        "no [[net]] called `cellar`",
        "add a [[net]] table",
    ),
    (
        "[[gateway]]",
        "admin = \"net:gests\"\n[[gateway]]",
        "\"net:gests\"",
        "no [[net]] called `gests`",
        "did you mean `net:guests`?",
    ),
    (
        "off     =",
        "address = \"10.0.0.1\"\noff     =",
        "\"10.0.0.1\"",
        "private address: the internet cannot",
        "own address is `host`",
    ),
    (
        "off     =",
        "address = [\"203.0.113.5\", \"203.0.113.6\"]\noff     =",
        "\"203.0.113.6\"",
        "second address of its family",
        "another [[deploy]]",
    ),
    (
        "\"server/ruleset.nft\"",
        "\"none\"\nboot = \"b.nft\"",
        "\"b.nft\"",
        "in force, which is not given",
        "in `firewall`",
    ),
    ("\"server/ruleset.nft\"", "[\"none\", \"a.nft\"]", "\"none\"", "`none` beside files", "\"./none\""),
    ("off     =", "config = \"\"\noff     =", "\"\"", "an empty file name", "relative to this file"),
    ("off     =", "proxy = 5\noff     =", "5", "where the proxy is", "the file is TOML"),
    ("off     =", "proxy = \"my nginx\"\noff     =", "\"my nginx\"", "does not say where the proxy is", "\"gateway\""),
    (
        "off     =",
        "proxy = { at = \"10.0.0.1:1-2\" }\noff     =",
        "\"10.0.0.1:1-2\"",
        "on one port, not on a range",
        "10.0.0.1:443",
    ),
    ("off     =", "proxy = { at = \"gateway\", outer = \"1-2\" }\noff     =", "\"1-2\"", "one port is wanted", "8443"),
    ("off     =", "proxy = {}\noff     =", "{}", "nothing is said about the proxy", "where it is"),
    ("off     =", "proxy = { at = \"gateway\", port = 1 }\noff     =", "port", "unknown key `port`", "outer"),
    ("off     =", "told = { moon = \"public\" }\noff     =", "moon", "`moon` is not a place", "places: "),
    ("off     =", "told = { lan = \"pubic\" }\noff     =", "\"pubic\"", "nothing that can be told", "\"public\""),
    (
        "off     =",
        "told = { lan = \"192.168.1.500\" }\noff     =",
        "\"192.168.1.500\"",
        "nothing that can be told",
        "an address",
    ),
    ("off     =", "told = { lan = [] }\noff     =", "[]", "`lan` is told nothing", "\"unknown\""),
    (
        "off     =",
        "told = { lan = [\"unknown\", \"own\"] }\noff     =",
        "[\"unknown\", \"own\"]",
        "beside what is known",
        "alone",
    ),
    (
        "off     =",
        "told = { \"peer:trunk\" = \"own\" }\noff     =",
        "\"peer:trunk\"",
        "no [[peer]] called `trunk`",
        "add a [[peer]] table",
    ),
    ("50500-50999", "50500-50999/udp", "\"50500-50999/udp\"", "names a protocol", "the ports alone, \"50500-50999\""),
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
    ("bridge-nf-call-iptables = 0", "ip_forward = {}", "{}", "no value of this kind", "from 0 to 1"),
    (
        "[[net]]",
        "[[net]]\nname = \"guests\"\nprefix = \"10.0.0.0/8\"\n[[net]]",
        "\"guests\"",
        "two networks are called `guests`",
        "another `name`",
    ),
    (
        "label   = \"friends\"",
        "label = \"a\\u200bb\"",
        "\"a\\u200bb\"",
        "several lines, or signs that cannot be seen",
        "in one line",
    ),
    (DEPLOY, "", "", "nothing is installed", "add a [[deploy]] table"),
    ("[\"192.168.1.50\", \"2001:db8:1::50\"]", "[]", "[]", "the host has no address", "host ="),
    ("default via 192.168.0.1 dev wan0", " ", "\" \"", "an empty route", "ip route"),
    ("default via 192.168.0.1 dev wan0", "10.0.0.1/8 dev a", "\"10.0.0.1/8 dev a\"", "is not a network", "ip route"),
    (
        "default via 192.168.0.1 dev wan0",
        "10.0.0.0/8 via fe80::1",
        "\"10.0.0.0/8 via fe80::1\"",
        "of another address family",
        "ip route",
    ),
    (
        "default via 192.168.0.1 dev wan0",
        "default via router",
        "\"default via router\"",
        "the next hop `router` is not an IP address",
        "ip route",
    ),
    ("\"203.0.113.5\", ", "\"127.0.0.1\", ", "\"127.0.0.1\"", "cannot be the public address", "of its interfaces"),
];

#[test]
fn each_mistake_is_named_at_its_place() {
    let mut wrong = Vec::new();
    for (from, to, marked, message, help) in BROKEN {
        assert!(WHOLE.contains(from), "{from}");
        let text = WHOLE.replacen(from, to, 1);
        let Err(error) = parse(&text) else {
            wrong.push(format!("{to}: is read"));
            continue;
        };
        let (_, span) = error.at.clone().expect("has a place");
        let at = text[span].lines().next().unwrap_or_default();
        if !marked.is_empty() && at != *marked || !error.message.contains(message) || !error.help.contains(help) {
            wrong.push(format!("{to}: at {at}: {}: {}", error.message, error.help));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_key_of_the_illustration_is_read() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/manifest-example.toml");
    let Ok(text) = std::fs::read_to_string(&file) else {
        assert!(std::env::var_os("CI").is_none(), "{} is absent", file.display());
        println!("0 manifests: {} is absent", file.display());
        return;
    };
    println!("1 manifest");
    // Facts of the kernel are a key of their own.
    let text: String = text.lines().filter(|l| !l.starts_with("kernel")).map(|l| l.to_owned() + "\n").collect();
    let m = parse(&text).unwrap_or_else(|e| panic!("{}; {}", e.message, e.help));
    assert_eq!((m.gateways.len(), m.nets.len(), m.peers.len(), m.deploys.len()), (4, 2, 1, 1));
    assert_eq!(m.dns[0].0.value, Place::Lan);
    let GatewayKind::Filter(filter) = &m.gateways[0].kind else { panic!("a filter") };
    let Passes::Stated(At { value: Traffic::Some(passes), .. }) = &filter.passes else { panic!("a list") };
    assert_eq!(passes[1].from, "198.51.100.77/32".parse().ok().map(Source::Net));
    let GatewayKind::Stated(stated) = &m.gateways[1].kind else { panic!("a stated box") };
    let Traffic::Some(forwards) = &stated.forwards.value else { panic!("a list") };
    assert_eq!((forwards[0].inner, stated.inside.len()), (Some(7882), 2));
    assert_eq!(m.gateways[3].line.as_ref().map(|l| &*l.value), Some("home"));
    let d = &m.deploys[0];
    let admins: Vec<String> = d.admin.iter().map(|a| a.value.to_string()).collect();
    assert_eq!(admins, ["198.51.100.77/32", "192.168.20.0/24"], "the site's, with the network's addresses");
    assert_eq!(d.own_firewall.as_ref().map(|f| f.value), Some(OwnFirewall::Unknown));
    assert_eq!(d.told[2], (d.told[2].0.with(Place::Peer("trunk".into())), d.told[2].1.with(vec![Told::Stun])));
    let proxy = &d.proxy.as_ref().expect("a proxy").value;
    assert_eq!(
        proxy.at.as_ref().map(|a| a.value.clone()),
        Some(ProxyAt::Host("192.168.77.3".parse().expect("an address"), Some(443)))
    );
    assert_eq!(proxy.outer.as_ref().map(|o| o.value), Some(8443));
}

#[test]
fn ranges_are_read_as_firewalls_write_them() {
    let one = |text: &str| {
        let text = format!(
            "address = \"203.0.113.5\"\n[[gateway]]\ninside = \"192.168.1.1/24\"\nforwards = [\"{text}\"]\n[[deploy]]\n\
             system = \"livekit\"\nhost = \"192.168.1.50\"\n[[peer]]\nname = \"the trunk\"\naddress = \"192.0.2.1\"\n\
             uses = \"rtp\"\n"
        );
        let m = parse(&text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
        let GatewayKind::Stated(stated) = &m.gateways[0].kind else { panic!("stated") };
        let Traffic::Some(list) = &stated.forwards.value else { panic!("a list") };
        list[0].clone()
    };
    let plain = Entry { what: Some((Proto::Udp, 50000, 50499)), target: None, inner: None, from: None };
    for text in ["udp/50000-50499", "udp/50000:50499", "50000-50499/udp", "50000:50499/udp"] {
        assert_eq!(one(text), plain, "{text}");
    }
    let to = |target: &str, inner| Entry { target: target.parse().ok(), inner, ..plain.clone() };
    assert_eq!(one("udp/50000-50499 to 192.168.1.50:40000-40499"), to("192.168.1.50", Some(40000)));
    assert_eq!(one("udp/50000-50499 to 192.168.1.50:50000-50499"), to("192.168.1.50", None));
    assert_eq!(one("udp/50000-50499 to [2001:db8::5]:40000:40499"), to("2001:db8::5", Some(40000)));
    assert_eq!(one("udp/50000-50499 to 2001:db8::5"), to("2001:db8::5", None));
    let peer = Some(Source::Place(Place::Peer("the trunk".into())));
    assert_eq!(one("udp/50000-50499 from peer:the trunk"), Entry { from: peer, ..plain.clone() });
    let all = Entry { what: None, from: "10.0.0.0/8".parse().ok().map(Source::Net), ..plain.clone() };
    assert_eq!(one("all from 10.0.0.0/8"), all);
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

/// Where the messages are written.
const READERS: [(&str, &str); 6] = [
    ("facts.rs", include_str!("facts.rs")),
    ("kernel.rs", include_str!("kernel.rs")),
    ("read.rs", include_str!("read.rs")),
    ("route.rs", include_str!("route.rs")),
    ("traffic.rs", include_str!("traffic.rs")),
    ("value.rs", include_str!("value.rs")),
];

/// A message without a row in the table was never read.
#[test]
fn every_message_has_its_row() {
    let messages: Vec<String> = BROKEN
        .iter()
        .filter_map(|(from, to, ..)| parse(&WHOLE.replacen(from, to, 1)).err())
        .map(|e| e.message.clone())
        .collect();
    let mut without = Vec::new();
    for (file, source) in READERS {
        let written = messages::in_source(source);
        assert!(!written.is_empty(), "{file} has messages");
        let shown = |m: &&Vec<String>| !messages.iter().any(|text| messages::fits(m, text));
        without.extend(written.iter().filter(shown).map(|m| format!("{file}: {}", m.join("…"))));
    }
    assert!(without.is_empty(), "no row shows\n{}", without.join("\n"));
}
