//! Every file of the corpus is recognised as what it is, also without its first 40 lines and with line ends of Windows:
//! never as another thing. One row for a folder or a pattern, the first that fits.

use callpath_core::dialect::{Found, found, of_bytes};
use std::fs;
use std::path::{Path, PathBuf};

/// A pattern of paths, and the kinds that its files may be; `?` is a file whose content leaves it open.
const EXPECTED: &[(&str, &str)] = &[
    // Documents, and notes of this corpus about itself. A page without a link or a table looks like any prose.
    ("acl/README.md", "markdown ?"),
    ("difuse/02-nat-rules.md", "markdown ?"),
    ("*.md", "markdown"),
    ("*/facts.toml", "?"),
    ("*/facts.json", "?"),
    ("*/fates.yaml", "?"),
    ("*/warnings.txt", "?"),
    ("*/refused.messages.txt", "?"),
    ("*/commands.txt", "shell iptables-commands ufw-status ?"),
    // Empty.
    ("lab-dumps/*published.ip6tables-save", "iptables-save ?"),
    ("opnsense/generated/filter-disabled.rules.debug", "pf ?"),
    // What is the same in all folders.
    ("*/ip-*addr.json", "iproute"),
    ("*/ip-*route.json", "iproute"),
    ("*/ip-rule.json", "iproute"),
    ("*/ss.txt", "sockets"),
    ("*.ss.txt", "sockets"),
    ("*/sysctl.txt", "sysctl"),
    ("*sysctl.conf", "sysctl"),
    ("*/ruleset.json", "nftables-json"),
    ("*.rules.debug", "pf"),
    ("*/rules.debug", "pf"),
    ("*.nft.json", "nftables-json"),
    ("*.nft", "nftables"),
    ("*iptables-save", "iptables-save"),
    ("*ip6tables-save", "iptables-save"),
    ("*compose*.y*ml", "compose"),
    ("*.tf", "terraform-aws terraform-digitalocean terraform-hcloud terraform-google terraform-azure"),
    ("*list-all*.txt", "firewalld-list"),
    ("*/firewalld.conf", "firewalld-settings"),
    ("*ufw-status.txt", "ufw-status"),
    ("*/default-ufw", "ufw-settings"),
    ("*/ufw.default", "ufw-settings"),
    ("*/ufw.conf", "ufw-settings"),
    ("*applications.d-*", "ufw-profile"),
    ("*user.rules", "ufw-rules"),
    ("*user6.rules", "ufw-rules"),
    ("*before*.rules", "ufw-rules"),
    // Its last lines are rules of Docker's chain, as any file of iptables has them.
    ("docker/generated/ufw-docker-user/after.rules", "ufw-rules iptables-save"),
    ("*after.rules", "ufw-rules"),
    ("*docker-inspect.json", "docker-inspect"),
    ("*.inspect.json", "docker-inspect"),
    ("*docker-network.json", "docker-network"),
    ("*/daemon.json", "docker-daemon"),
    ("*.env", "environment"),
    // Folder by folder.
    ("acl/*", "classbench"),
    ("asterisk/*", "asterisk"),
    ("aws/02-*", "cloudformation"),
    ("aws/18-*", "cloudformation"),
    ("aws/04-*", "aws"),
    ("aws/*.json", "aws-security-groups"),
    ("azure/*", "azure"),
    ("batfish/02-*", "iptables-save"),
    ("batfish/07-*", "cisco-ios"),
    ("batfish/10-*", "cisco-ios"),
    ("batfish/11-*", "junos"),
    ("batfish/12-*", "paloalto"),
    ("batfish/*", "batfish"),
    ("bigbluebutton/03-*", "haproxy"),
    ("bigbluebutton/05-*", "coturn"),
    ("bigbluebutton/06-*", "bigbluebutton"),
    ("cisco-asa/*", "cisco-asa"),
    ("coturn/*.sh", "shell"),
    ("coturn/*", "coturn"),
    ("derived/*.json", "nftables-json"),
    ("firewalld/*.xml", "firewalld-xml"),
    ("docker/*.xml", "firewalld-xml"),
    ("lab-dumps/*.xml", "firewalld-xml"),
    ("fortigate/*", "fortigate"),
    ("freeswitch/01-*", "freeswitch"),
    // A script that writes rules of nftables: these are most of it, once its beginning is gone.
    ("freeswitch/04-*", "shell nftables"),
    ("freeswitch/05-*", "shell"),
    ("iptables/*", "iptables-save"),
    ("janus/*", "janus"),
    ("kamailio/*", "kamailio"),
    ("lab-dumps/item1.conntrack.txt", "conntrack"),
    ("lab-dumps/kernel.config", "kernel-config"),
    ("lab-dumps/*show-raw.txt", "iptables-list"),
    ("livekit/04-*", "livekit kubernetes"),
    ("livekit/07-*", "livekit kubernetes"),
    ("livekit/09-*", "kubernetes"),
    ("livekit/*.go", "program"),
    ("livekit/23-*", "compose"),
    ("livekit/*.yaml", "livekit"),
    ("matrixrtc/*.yaml", "livekit"),
    ("matrixrtc/*.conf", "nginx"),
    ("mikrotik/11-*", "binary-backup"),
    ("mikrotik/*", "routeros"),
    ("nethvoice/*kamailio*.cfg", "kamailio"),
    ("nethvoice/*rtpengine-template.conf", "rtpengine"),
    ("nethvoice/*.jcfg", "janus"),
    ("nethvoice/*.sh", "shell"),
    ("nethvoice/*.json", "?"),
    ("nethvoice/*", "program"),
    ("nextcloud-talk/07-*", "?"),
    ("nextcloud-talk/*.conf", "signaling"),
    ("nftables-json/*", "nftables-json"),
    // A test of OpenWrt's own, with rules of nftables in it; and pieces of several files behind each other.
    ("openwrt/22-*", "nftables ?"),
    ("openwrt/generated/includes.files.txt", "nftables ?"),
    ("openwrt/24-*", "shell ?"),
    ("openwrt/generated/interfaces.*.json", "netifd"),
    ("openwrt/*.uci", "uci"),
    ("openwrt/*.firewall", "uci"),
    ("openwrt/*.network", "uci"),
    ("opnsense/*-schema-*", "opnsense-model"),
    ("opnsense/*.xml", "opnsense"),
    ("other-voip/01-*", "mattermost-rtcd"),
    ("other-voip/03-*", "iptables-save"),
    ("pfsense/*.xml", "pfsense"),
    ("plugnmeet/*haproxy*", "haproxy"),
    ("plugnmeet/07-*", "plugnmeet"),
    ("plugnmeet/08-*", "nats"),
    ("plugnmeet/*.yaml", "livekit"),
    ("plugnmeet/*.sh", "shell"),
    ("bigbluebutton/*.sh", "shell"),
    ("reflector/*.sh", "shell"),
    ("reflector/*.caddy", "caddy"),
    ("rtpengine/*.sh", "iptables-commands"),
    ("rtpengine/*", "rtpengine"),
    // One line of two words, or a rule that other files have too.
    ("shorewall/generated/*/shorewall-snat", "shorewall ?"),
    ("shorewall/10-*", "shorewall ?"),
    ("shorewall/*", "shorewall"),
    ("ufw/*.diff", "diff"),
    ("vyos/generated/*.set", "vyos-set"),
    ("vyos/*.sh", "vyos-set"),
    ("vyos/04-*", "vyos-set"),
    ("vyos/*.conf", "vyos"),
];

/// A path fits: `*` stands for any letters.
fn fits(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(behind) = path.strip_prefix(start) else { return false };
    (0..=behind.len()).any(|n| behind.is_char_boundary(n) && fits(rest, &behind[n..]))
}

fn expected(path: &str) -> Option<Vec<&'static str>> {
    EXPECTED.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, kinds)| kinds.split(' ').collect())
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the corpus") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

/// The kind of a file's content, and what it is called where that is open.
fn kind(bytes: &[u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => found(text).name().unwrap_or("?"),
        // Letters of an older alphabet leave the rest as it is.
        Err(_) => match of_bytes(bytes) {
            Some(kind) => kind.name,
            None => found(&String::from_utf8_lossy(bytes)).name().unwrap_or("?"),
        },
    }
}

#[test]
fn every_file_of_the_corpus_is_what_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the corpus is not here: {}", folder.display());
        println!("the corpus is not here: 0 files read");
        return;
    }
    let mut all = Vec::new();
    files(&folder, &mut all);
    all.sort();
    let (mut wrong, mut open, mut cut_open, mut cuts) = (Vec::new(), 0, 0, 0);
    for file in &all {
        let path = file.strip_prefix(&folder).expect("inside").display().to_string();
        let bytes = fs::read(file).expect("a file");
        let Some(may) = expected(&path) else {
            wrong.push(format!("{path}: no row says what it is; it looks like {}", kind(&bytes)));
            continue;
        };
        let whole = kind(&bytes);
        open += usize::from(whole == "?");
        if !may.contains(&whole) {
            wrong.push(format!("{path}: {whole}, and it is {}", may.join(" or ")));
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let windows = kind(text.replace('\n', "\r\n").as_bytes());
        if windows != whole {
            wrong.push(format!("{path}: {windows} with CRLF, {whole} without"));
        }
        let rest: String = text.split_inclusive('\n').skip(40).collect();
        if rest.trim().is_empty() {
            continue;
        }
        cuts += 1;
        let cut = kind(rest.as_bytes());
        cut_open += usize::from(cut == "?");
        if cut != "?" && !may.contains(&cut) {
            wrong.push(format!("{path}: {cut} without its first 40 lines, and it is {}", may.join(" or ")));
        }
    }
    println!(
        "{} files of the corpus, {open} of them left open; {cuts} without their first 40 lines, {cut_open} left open",
        all.len()
    );
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all.len() > 1000, "{}", all.len());
    // What is too short to tell, once its beginning is gone.
    assert!(cut_open * 10 < cuts, "{cut_open} of {cuts}");
}

#[test]
fn no_row_of_the_table_is_for_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !folder.is_dir() {
        return;
    }
    let mut all = Vec::new();
    files(&folder, &mut all);
    let paths: Vec<String> =
        all.iter().map(|f| f.strip_prefix(&folder).expect("inside").display().to_string()).collect();
    let used =
        |n: usize| paths.iter().any(|path| EXPECTED.iter().position(|(pattern, _)| fits(pattern, path)) == Some(n));
    let unused: Vec<&str> = (0..EXPECTED.len()).filter(|n| !used(*n)).map(|n| EXPECTED[n].0).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

/// Texts that no corpus here has, each as its program writes it, with the kind that it is.
const OTHERS: &[(&str, &str)] = &[
    ("fritzbox", include_str!("kinds/fritzbox.txt")),
    ("edgeos", include_str!("kinds/edgeos.txt")),
    ("edgeos", include_str!("kinds/edgeos-set.txt")),
    ("unifi", include_str!("kinds/unifi.txt")),
    ("html", include_str!("kinds/page.txt")),
    ("aws-network-acls", include_str!("kinds/network-acls.txt")),
    ("aws-security-groups", include_str!("kinds/security-groups.txt")),
    ("digitalocean", include_str!("kinds/doctl.txt")),
    ("hcloud", include_str!("kinds/hcloud.txt")),
    ("pfsense-encrypted", include_str!("kinds/pfsense-encrypted.txt")),
    ("opnsense-encrypted", include_str!("kinds/opnsense-encrypted.txt")),
    ("ufw-status", include_str!("kinds/ufw-status.txt")),
    ("iptables-list", include_str!("kinds/iptables-list.txt")),
    ("iptables-list", include_str!("kinds/iptables-rules.txt")),
    ("cisco-ios", include_str!("kinds/cisco-ios.txt")),
];

#[test]
fn kinds_that_the_corpus_has_not() {
    for (name, text) in OTHERS {
        assert_eq!(kind(text.as_bytes()), *name, "{text}");
        assert_eq!(kind(text.replace('\n', "\r\n").as_bytes()), *name, "{text}");
        assert!(matches!(found(text), Found::Unread(_)), "{name}");
        // Without its heading.
        let rest: String = text.split_inclusive('\n').skip(3).collect();
        assert!([*name, "?"].contains(&kind(rest.as_bytes())), "{name} without its heading: {}", kind(rest.as_bytes()));
    }
    for (bytes, name) in [
        (&b"PK\x03\x04\x14\0\0\0"[..], "archive"),
        (b"\x1f\x8b\x08\0\0\0\0\0\x02\x03", "archive"),
        (b"\x88\xac\xa1\xb1\xf1\x41\0\0", "binary-backup"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0d", "picture"),
        (b"\xff\xfet\0a\0b\0l\0e\0", "utf-16"),
    ] {
        assert_eq!(kind(bytes), name);
    }
    let mut tar = vec![0; 512];
    tar[..9].copy_from_slice(b"etc/hosts");
    tar[257..262].copy_from_slice(b"ustar");
    assert_eq!(kind(&tar), "archive");
}

/// What is looked at does not grow with the text: 60 MB take no longer than one.
#[test]
fn the_time_is_bounded() {
    let line = "-A INPUT -p udp -m udp --dport 50000:50499 -j ACCEPT\n";
    let start = std::time::Instant::now();
    let large = line.repeat((60 << 20) / line.len());
    assert_eq!(kind(large.as_bytes()), "iptables-save");
    for text in ["a".repeat(60 << 20), "\"".repeat(60 << 20), "<a".repeat(30 << 20), "\n".repeat(60 << 20) + "x"] {
        let _ = found(&text);
    }
    let short = [" : \"".repeat(1 << 18), "%a ".repeat(1 << 18), "{\"a\":".repeat(1 << 18), "a\n".repeat(1 << 19)];
    for text in short {
        let _ = found(&text);
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
