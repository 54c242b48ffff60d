//! No secret of a pfSense backup reaches what is printed: reports, models, messages about broken files.

use callpath_core::dialect::without_secrets;
use callpath_core::report::FORMATS;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sections with secrets in them, each where `@` stands.
const SECTIONS: &[&str] = &[
    "<system><user><name>admin</name><descr>@</descr><bcrypt-hash>@</bcrypt-hash><sha512-hash>@</sha512-hash>\
     <md5-hash>@</md5-hash><authorizedkeys>@</authorizedkeys><ipsecpsk>@</ipsecpsk><port>@</port></user>\
     <group><name>@</name><descr>@</descr></group><password>@</password>\
     <ssh><sshdkeyonly>@</sshdkeyonly></ssh><webgui><ssl-certref>@</ssl-certref></webgui>\
     <authserver><name>@</name><host>@</host><ldap_bindpw>@</ldap_bindpw><radius_secret>@</radius_secret></authserver>\
     <proxyuser>@</proxyuser><proxypass>@</proxypass><crypto_hardware>@</crypto_hardware></system>",
    "<cert><refid>@</refid><descr>@</descr><crt>@</crt><prv>@</prv></cert>",
    "<ca><descr>@</descr><crt>@</crt><prv>@</prv></ca><crl><text>@</text></crl>",
    "<openvpn><openvpn-server><vpnid>1</vpnid><mode>server_tls</mode><description>phones</description><tls>@</tls>\
     <shared_key>@</shared_key><custom_options>@</custom_options><auth_pass>@</auth_pass></openvpn-server>\
     <openvpn-client><auth_user>@</auth_user><auth_pass>@</auth_pass><proxy_passwd>@</proxy_passwd></openvpn-client>\
     <openvpn-csc><common_name>@</common_name><custom_options>@</custom_options></openvpn-csc></openvpn>",
    "<ipsec><phase1><ikeid>1</ikeid><pre-shared-key>@</pre-shared-key><private-key>@</private-key><myid_data>@</myid_data></phase1>\
     <mobilekey><ident>@</ident><type>@</type><pre-shared-key>@</pre-shared-key></mobilekey>\
     <client><radiussecret>@</radiussecret></client></ipsec>",
    "<ppps><ppp><type>pppoe</type><if>pppoe0</if><username>@</username><password>@</password></ppp></ppps>",
    "<interfaces><opt9><if>ath0</if><descr>AIR</descr><wireless><ssid>@</ssid><if>@</if><wpa><passphrase>@</passphrase></wpa>\
     <wep><key>@</key></wep></wireless><pppoe_password>@</pppoe_password><dhcphostname>@</dhcphostname>\
     <adv_dhcp_config_advanced>@</adv_dhcp_config_advanced></opt9></interfaces>",
    "<dyndnses><dyndns><type>custom</type><username>@</username><password>@</password><host>@</host><updateurl>@</updateurl>\
     <descr>@</descr></dyndns></dyndnses><dnsupdates><dnsupdate><keydata>@</keydata></dnsupdate></dnsupdates>",
    "<snmpd><rocommunity>@</rocommunity><trapstring>@</trapstring></snmpd>",
    "<captiveportal><zone><radiuskey>@</radiuskey><radius_secret>@</radius_secret><privatekey>@</privatekey>\
     <allowedip><ip>@</ip></allowedip></zone></captiveportal><voucher><zone><privatekey>@</privatekey></zone></voucher>",
    "<hasync><username>@</username><password>@</password><synchronizetoip>@</synchronizetoip></hasync>",
    "<installedpackages><squid><config><proxy_passwd>@</proxy_passwd></config></squid>\
     <acme><accountkeys><item><name>@</name><accountkey>@</accountkey></item></accountkeys>\
     <certificates><item><a_domainlist><item><dns_cf_key>@</dns_cf_key></item></a_domainlist></item></certificates></acme>\
     <wireguard><tunnels><item><name>tun_wg0</name><listenport>51820</listenport><privatekey>@</privatekey></item></tunnels>\
     <peers><item><descr>@</descr><presharedkey>@</presharedkey><name>@</name></item></peers></wireguard>\
     <freeradius><config><varusersusername>@</varusersusername><varuserspassword>@</varuserspassword></config></freeradius>\
     <haproxy><stats_password>@</stats_password></haproxy><nut><config><remote_password>@</remote_password></config></nut>\
     <zabbixagent><config><tlspskfile>@</tlspskfile></config></zabbixagent>\
     <suricata><rule><oinkcode>@</oinkcode></rule></suricata><pfblockerngglobal><maxmind_key>@</maxmind_key></pfblockerngglobal>\
     <tailscale><config><preauthkey>@</preauthkey></config></tailscale><telegraf><config><influx_pass>@</influx_pass></config></telegraf>\
     </installedpackages>",
    "<notifications><smtp><username>@</username><password>@</password></smtp><telegram><api>@</api></telegram>\
     <pushover><apikey>@</apikey></pushover><slack><api>@</api></slack></notifications>",
    "<crypt><key>@</key></crypt>",
    "<dhcpd><lan><ddnsdomainkey>@</ddnsdomainkey><numberoptions><item><value>@</value></item></numberoptions>\
     <staticmap><mac>@</mac><hostname>@</hostname></staticmap></lan></dhcpd>",
    "<l2tp><secret>@</secret><radius><secret>@</secret></radius><user><name>@</name><password>@</password></user></l2tp>",
    "<pppoes><pppoe><username>@</username><radius><server><secret>@</secret></server></radius></pppoe></pppoes>",
    "<syslog><remoteserver>@</remoteserver></syslog><unbound><custom_options>@</custom_options></unbound>",
    "<widgets><sequence>@</sequence><config>@</config></widgets><cron><item><command>@</command></item></cron>",
    "<sysctl><item><value>@</value></item></sysctl>",
    "<revision><description>@</description><username>@</username></revision>",
    "<nat><rule><created><username>@</username></created></rule></nat>",
    "<diag><ipv6nat>@</ipv6nat></diag><theme>@</theme><proxy><pw>@</pw></proxy>",
    "<!-- @ --><nat><rule><descr note=\"@\" other='@'>x</descr><secret><![CDATA[@]]></secret></rule></nat>",
    "<filter><rule><!-- @\n @ --><unknown>@</unknown><descr><?note @?>x</descr></rule></filter>",
];

/// The example's backup with all secrets, numbered, and how many there are.
fn backup() -> (String, usize) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spokes/pfsense/config.xml");
    let base = fs::read_to_string(example).expect("the example");
    let sections = format!("{}\n</pfsense>", SECTIONS.join("\n"));
    let text = base.replace("</pfsense>", &sections);
    let mut parts = text.split('@').enumerate();
    // The example's own `@` stand in names of administrators.
    let before = base.matches('@').count();
    let mut out = parts.next().map(|(_, first)| first.to_owned()).unwrap_or_default();
    let mut count = 0;
    for (n, part) in parts {
        if n > before {
            count += 1;
        }
        let _ = write!(out, "canary{n}{part}");
    }
    (out, count)
}

/// A file that commands are told to write.
const WRITTEN: &str = "written.json";

struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-secrets-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("directory");
        let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spokes/callpath.toml");
        let manifest = fs::read_to_string(site).expect("the example").replace("pfsense/config.xml", "config.xml");
        fs::write(dir.join("callpath.toml"), manifest).expect("write");
        Self(dir)
    }

    /// All that is printed and written about a backup, and the exit codes.
    fn printed(&self, backup: &str, ways: &[&[&str]]) -> (String, Vec<Option<i32>>) {
        fs::write(self.0.join("config.xml"), backup).expect("write");
        let mut codes = Vec::new();
        let mut out = String::new();
        for way in ways {
            let output = Command::new(env!("CARGO_BIN_EXE_callpath")).args(*way).current_dir(&self.0).output();
            let output = output.expect("callpath runs");
            codes.push(output.status.code());
            out += &String::from_utf8_lossy(&output.stdout);
            out += &String::from_utf8_lossy(&output.stderr);
            let written = self.0.join(WRITTEN);
            if way.contains(&WRITTEN) {
                out += &fs::read_to_string(&written).expect("a file was to be written");
                fs::remove_file(&written).expect("removed");
            }
        }
        (out, codes)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn shown(text: &str) -> Vec<&str> {
    text.match_indices("canary")
        .map(|(i, _)| text.get(i.saturating_sub(40)..(i + 12).min(text.len())).unwrap_or("…"))
        .collect()
}

#[test]
fn nothing_secret_is_gathered_or_printed() {
    let (backup, count) = backup();
    println!("{count} secrets");
    assert!(count > 100, "{count}");
    let gathered = without_secrets(backup.clone());
    assert!(shown(&gathered).is_empty(), "{:?}", shown(&gathered));
    assert_eq!(gathered.len(), backup.len(), "positions stay true");
    let mut ways: Vec<&[&str]> = vec![
        &["check", "--redact"],
        &["snapshot", "-o", WRITTEN],
        &["snapshot", "--redact", "-o", WRITTEN],
        &["import", "config.xml"],
        &["import", "--unread", "config.xml"],
        &["import", "--summary", "."],
    ];
    let formats: Vec<[&str; 3]> = FORMATS.iter().map(|f| ["check", "--format", f.name]).collect();
    ways.extend(formats.iter().map(|way| &way[..]));
    let site = Site::new("whole");
    let (printed, codes) = site.printed(&backup, &ways);
    assert!(codes.iter().all(|c| matches!(c, Some(0 | 1))), "{codes:?}\n{printed}");
    assert!(shown(&printed).is_empty(), "{:?}", shown(&printed));
    // Changes to make: for the example, and where a forward is missing.
    let gap = backup.replace("<local-port>50000", "<disabled></disabled><local-port>50000");
    assert_ne!(gap, backup);
    for (text, check) in [(&backup, 0), (&gap, 1)] {
        let ways: &[&[&str]] = &[&["check"], &["render", "pfsense"], &["render", "pfsense", "--undo"]];
        let (printed, codes) = site.printed(text, ways);
        assert_eq!(codes, [Some(check), Some(0), Some(0)], "{printed}");
        assert!(shown(&printed).is_empty(), "{:?}", shown(&printed));
    }
}

#[test]
fn messages_about_broken_backups_show_no_secret() {
    let (backup, _) = backup();
    let site = Site::new("broken");
    let one_line = backup.replace('\n', " ");
    let places: Vec<usize> = backup.match_indices("canary").map(|(i, _)| i + 4).collect();
    let mut broken: Vec<String> = Vec::new();
    for (n, at) in places.iter().enumerate() {
        let (before, after) = backup.split_at(*at);
        // Blanking is cheap: every place is tried; a process for some.
        let variants = [
            before.to_owned(),
            one_line[..*at].to_owned(),
            format!("{before}</x>{after}"),
            format!("{before}<{after}"),
            format!("{before}\"><a b='{after}"),
            format!("{before}]]>{after}"),
            format!("{before}-->{after}"),
        ];
        for text in variants {
            let gathered = without_secrets(text.clone());
            let left = shown(&gathered);
            assert!(left.is_empty(), "place {n}: {left:?}");
            assert_eq!(gathered.len(), text.len());
            if n % 20 == 0 {
                broken.push(text);
            }
        }
    }
    // Only an area, another product, a document type, text in front.
    broken.push(backup.replace("<pfsense>", "<opnsense>").replace("</pfsense>", "</opnsense>"));
    broken.push("<installedpackages><wireguard><privatekey>canary</privatekey></wireguard></installedpackages>".into());
    broken.push("<ppps><ppp><username>canary</username></ppp></ppps>".into());
    broken.push(backup.replacen("<pfsense>", "<!DOCTYPE pfsense [<!ENTITY a \"canary\">]>\n<pfsense>", 1));
    broken.push(format!("canary {backup}"));
    for text in &broken {
        let (printed, codes) = site.printed(text, &[&["check"], &["import", "config.xml"]]);
        assert!(shown(&printed).is_empty(), "{printed}");
        assert!(
            codes.iter().all(|c| *c == Some(2)) || text.contains("-->") || text.contains("]]>"),
            "{codes:?}\n{printed}"
        );
        assert!(!printed.contains("panicked"), "{printed}");
    }
    println!("{} places, {} broken backups given to the program", places.len(), broken.len());
}
