//! Every place of the grammars in which a site says something of its own.

/// At the end of a manifest: further tables with every key.
pub(super) const MANIFEST: &str = r#"
interface = "lan-canary"
config = "canary/canary.yaml"
label = "«any»"
admin = ["81.2.69.0/24", "net:the canary's office"]
kernel = { rp_filter = 0, "net.ipv4.conf.lan-canary.rp_filter" = 0 }
told = { internet = ["public", "«host»"], lan = "own", "net:the canary's office" = '«host»' } # «any»
local = ["192.168.1.0/24", "81.2.69.160/32"]
proxy = { at = "192.168.1.77:443", outer = 8443 }

[deploy.with]
udp = "50000-60000"

[[net]] # «any»
name = """the canary's office"""
prefix = "192.168.20.0/24"

[[net]]
"name" = 'canary'
'prefix' = "10.77.0.0/16"
behind = "guest0"

[[peer]]
name = "\u0063anary trunk"
address = ["81.2.69.160", "2a02:5102:45a0::ca9a"] # canary
uses = ["signal"]
"#;

/// Before everything else of a ruleset.
pub(super) const NFT_FIRST: &str = "#!/usr/sbin/nft -f\n# «any»\n";

/// At the end of a ruleset: all that nft(8) lets people name.
pub(super) const NFT: &str = r#"
include "canary.d/*-canary.nft"
include "/etc/canary/canary.sh.nft" # «any»
define net_«name» = { «v4», 192.168.7.0/24 }
define «name»_if = "lan-canary"

table inet «name» {
	comment "«any»"
	flags dormant # «any»
	set «name»_s { type ipv4_addr; flags interval; comment "«any»"; elements = { «v4» comment "«any»", 81.2.0.0/16, 81.2.69.100-81.2.69.180 }; }
	set «name»_6 { type ipv6_addr; elements = { «v6» } }
	set «name»_m { type ether_addr; elements = { «mac» } }
	set «name»_i { type ifname; elements = { "«name»", "lan-canary" } }
	map «name»_v { type ipv4_addr : verdict; elements = { «v4» : jump «name»_c } }
	ct helper «name»_h { type "sip" protocol udp; l3proto ip; }
	counter «name»_n { comment "«any»" packets 12345678901 bytes 4711471147114 }
	quota «name»_q { over 10 mbytes }
	limit «name»_l { rate 10/second }
	flowtable «name»_f { hook ingress priority 0; devices = { "eth-canary", lan0 }; }
	chain «name»_c {
		comment "«any»"
		type filter hook forward priority filter; policy accept;
		iifname "«stem»*" accept
		iifname "«name»" oifname { "lan-canary", "canary0" } accept comment "«any»"
		iif "«name»" accept comment «name»
		ip saddr «v4» ip daddr != «v4» counter name "«name»_n" accept
		ip saddr «number» drop
		ip6 saddr «v6» ip6 daddr { «v6», 2a02:5102::/32 } accept
		ether saddr «mac» accept
		@nh,96,32 «number» accept
		meta mark «number» accept
		meta skuid "«name»" accept
		meta skgid «name» accept
		socket cgroupv2 level 2 "«any»" accept
		ct label "«name»" accept
		meta rtclassid "«name»" accept
		log prefix "«any»" group 7
		log prefix "«any»: " level info flags all
		queue num 1 bypass
		ip daddr $net_«name» jump «name»_t
		fib daddr . iif type local accept # «any»
		unknown_«name» statement «name» "«any»" accept
		# «any»
	}
	chain «name»_t { return; }
}
table bridge «name»_b { chain f { type filter hook forward priority 0; ibrname "«name»" obrname "br-canary" accept; } }
"#;

/// A file that the rules include.
pub(super) const NFT_INCLUDED: &str =
    "# «any»\ntable inet «name»_i {\n\tchain «name» {\n\t\tip saddr «v4» accept comment \"«any»\"\n\t}\n}\n";

/// The same in JSON.
pub(super) const NFT_JSON: &str = r#"{"nftables": [
{"metainfo": {"version": "1.0.6", "release_name": "«any»", "json_schema_version": 1}},
{"table": {"family": "inet", "name": "«name»", "handle": 1, "comment": "«any»", "«name»": "«any»"}},
{"set": {"family": "inet", "name": "«name»_s", "table": "«name»", "type": "ipv4_addr", "handle": 2, "flags": ["interval"], "comment": "«any»", "elem": [
 {"range": ["81.2.69.100", "81.2.69.180"]}, {"elem": {"val": "«v4»", "comment": "«any»"}}, {"prefix": {"addr": "81.2.0.0", "len": 16}}]}},
{"chain": {"family": "inet", "table": "«name»", "name": "f", "handle": 3, "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}},
{"chain": {"family": "inet", "table": "«name»", "name": "«name»_c", "handle": 13}},
{"ct helper": {"family": "inet", "name": "«name»_h", "table": "«name»", "handle": 14, "type": "sip", "protocol": "udp", "l3proto": "ip"}},
{"flowtable": {"family": "inet", "name": "«name»_f", "table": "«name»", "handle": 15, "hook": "ingress", "prio": 0, "dev": ["lan-canary", "lan0"]}},
{"rule": {"family": "inet", "table": "«name»", "chain": "f", "handle": 4, "comment": "«any»", "expr": [
 {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": {"set": ["«name»", "«stem»*", "wan0"]}}},
 {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "«v4»"}},
 {"match": {"op": "==", "left": {"payload": {"protocol": "ip6", "field": "daddr"}}, "right": {"set": ["«v6»"]}}},
 {"match": {"op": "==", "left": {"payload": {"protocol": "ether", "field": "saddr"}}, "right": "«mac»"}},
 {"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": "«name»"}},
 {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1359103392}},
 {"match": {"op": "==", "left": {"socket cgroupv2": {"level": 2}}, "right": "«any»"}},
 {"counter": {"packets": 4711471147, "bytes": 471147114711}}, {"log": {"prefix": "«any»", "group": 7}}, {"ct helper": "«name»_h"},
 {"jump": {"target": "«name»_c"}}]}},
{"rule": {"family": "inet", "table": "«name»", "chain": "f", "handle": 5, "expr": [
 {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"accept": null}]}}
]}
"#;

/// One more interface of `ip -j addr`, with every key.
pub(super) const IP_ADDR: &str = r#"{"ifindex":9,"link":"wan0","ifname":"«name»","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"«mac»","permaddr":"«mac»","broadcast":"ff:ff:ff:ff:ff:ff","ifalias":"«any»","altnames":["«name»","enx00163eca9a77"],"master":"lan-canary","«name»":"«any»","addr_info":[{"family":"inet","local":"81.2.69.160","prefixlen":24,"broadcast":"81.2.69.255","scope":"global","label":"«name»","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"2a02:5102:45a0::ca9a","prefixlen":64,"scope":"global"},{"family":"inet6","local":"fe80::216:3eff:feca:9a77","prefixlen":64,"scope":"link"}]}"#;

/// More routes.
pub(super) const IP_ROUTE: &str = r#"{"dst":"81.2.0.0/16","gateway":"192.168.1.77","dev":"lan0","protocol":"«name»","flags":[]},
{"dst":"81.2.69.160","dev":"«name»","protocol":"static","scope":"link","prefsrc":"81.2.69.160","flags":["linkdown"],"table":"4711"}"#;

/// Routing rules.
pub(super) const IP_RULE: &str = r#"[{"priority":0,"src":"all","table":"local"},{"priority":100,"src":"81.2.69.160","iif":"«name»","table":"77"},{"priority":101,"src":"81.2.0.0","srclen":16,"fwmark":"0x510245a0","table":"«name»"},{"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]
"#;

/// Settings of a kernel.
pub(super) const SYSCTL: &str = "# «any»\nnet.ipv4.ip_forward = 1\nkernel.hostname = «any»\nnet.ipv4.conf.lan-canary.rp_filter = 0\n\
    net.ipv4.conf.eth-canary/1.rp_filter = 0\nnet.ipv6.conf.«name».forwarding = 1\n; «any»\nnet.canary.«name» = «any»\n";

/// Rules of pf as pfSense writes them.
pub(super) const PF: &str = r#"# «any»
set limit table-entries 400000
set optimization normal
set hostid 0x510245a0
set skip on pfsync0
set loginterface «name»

loopback = "{ lo0 }"
lan = "{ igb1 }" # «any»
WAN = "{ igb0 }"
«name»_net = "{ «name»0 lan_canary }"
GW«name» = " route-to ( igb0 «v4» ) "
table <«name»_t> { «v4» 81.2.0.0/16 192.168.7.0/24 }
table <bogons> persist file "/etc/bogons"
table <«name»_f> persist file "/var/canary/canary.sh"
alias_«name» = "<«name»_t>"
queue «name»_q bandwidth 10Mb
nat-anchor "natearly/*"
nat-anchor "«name»/*"
rdr-anchor "miniupnpd"
nat on $WAN inet from 192.168.1.0/24 to any -> 203.0.113.5/32 port 1024:65535 # «any»
nat on $WAN inet from «v4» to any -> 203.0.113.5/32 port 1024:65535
rdr on igb0 inet proto udp from any to 203.0.113.5 port 50000:50499 -> 192.168.1.50
rdr on igb0 inet proto tcp from <«name»_t> to 203.0.113.5 port 8443 tag "«name»" -> 81.2.69.160 port 443
anchor "userrules/*"
anchor "«name»/*"
block in log inet all ridentifier 1000000103 label "«any»"
block in log quick from <«name»_t> to any label "USER_RULE: «any»" label "id:1770001239" ridentifier 1770001239
pass in quick on $WAN inet proto udp from any to 192.168.1.50 port 50000:50499 keep state label "USER_RULE: «any»"
pass in quick on $WAN reply-to ( igb0 81.2.69.1 ) inet proto tcp from any to «v4» port 443 tag «name» flags S/SA keep state label "«any»" queue «name»_q
pass in quick on { lan_canary «name»0 } inet from { «v4», 192.168.1.0/24 } to any user «name» keep state
pass in quick on igb1 inet6 from «v6» to any ridentifier 4711471147 keep state label "«any»"
pass in quick on igb1 inet from 192.168.1.0/24 to any tagged «name» keep state \
  label "«any»"
pass out inet all keep state allow-opts label "let out «any»"
antispoof log for $WAN ridentifier 1000001570
"#;

/// Parts of a backup, each before something that stands in it.
pub(super) const PFSENSE: &[(&str, &str)] = &[
    (
        "<system>",
        "<?canary «host»?><!-- canary 81.2.69.160 --><canarytag «name»=\"«host»\">«any»</canarytag ><canary/><Canary.x/>",
    ),
    ("<optimization>", "<user><name>«name»</name><descr>«any»</descr></user>"),
    (
        "</interfaces>",
        "<opt1><enable/><if>«name»</if><descr><![CDATA[CANARYNET]]></descr><ipaddr>81.2.69.160</ipaddr><subnet>24</subnet>\
         <ipaddrv6>2a02:5102:45a0::ca9a</ipaddrv6><subnetv6>64</subnetv6><gateway>CANARYGW</gateway><spoofmac>«mac»</spoofmac></opt1>\n\
         <opt2><if>ovpns1</if><descr>«name»</descr><enable/></opt2>",
    ),
    (
        "<defaultgw4>",
        "<gateway_item><interface>opt1</interface><gateway>81.2.69.1</gateway><name>CANARYGW</name><ipprotocol>inet</ipprotocol>\
         <descr>«any»</descr></gateway_item>\n<gateway_item><interface>opt2</interface><gateway>dynamic</gateway><name>CANARY_VPNV4</name>\
         <descr><![CDATA[«any»\n«any»]]></descr></gateway_item><gateway_group><name>«name»</name><item>CANARYGW|1|address</item>\
         <trigger>down</trigger><descr>«any»</descr></gateway_group>",
    ),
    (
        "<staticroutes>",
        "<virtualip><vip><mode>ipalias</mode><interface>lan</interface><subnet>81.2.69.161</subnet><subnet_bits>32</subnet_bits>\
         <uniqid>«name»</uniqid><descr>«any»</descr></vip></virtualip>\n<ifgroups><ifgroupentry><ifname>«name»</ifname><members>lan opt1</members>\
         <descr>«any»</descr></ifgroupentry></ifgroups><vlans><vlan><if>igc1</if><tag>77</tag><vlanif>igc1.77</vlanif><descr>«any»</descr></vlan></vlans>\
         <schedules><schedule><name>«name»</name><descr>«any»</descr><timerange><position>1,2</position><hour>8:00-17:00</hour>\
         <rangedescr>«any»</rangedescr></timerange><schedlabel>«name»</schedlabel></schedule></schedules>",
    ),
    (
        "<outbound>",
        "<rule><source><address>canary_alias</address></source><destination><network>wanip</network><port>canary_ports</port></destination>\
         <protocol>tcp</protocol><target>canary_alias</target><local-port>443</local-port><interface>wan</interface><descr>«any»</descr>\
         <associated-rule-id>nat_canary5f</associated-rule-id><updated><username>«any»</username></updated></rule>\
         <separator><wan><sep0><text>«any»</text><color>bg-info</color><row>fr0</row></sep0></wan></separator>",
    ),
    (
        "<mode>automatic",
        "<rule><source><network>81.2.0.0/16</network></source><destination><any/></destination><interface>wan</interface><target>«v4»</target>\
         <descr>«any» <![CDATA[«any»]]></descr></rule>",
    ),
    (
        "</filter>",
        "<rule><type>pass</type><interface>opt1</interface><ipprotocol>inet</ipprotocol><protocol>tcp</protocol><source><address>«v4»</address></source>\
         <destination><address>canary_alias</address><port>canary_ports</port></destination><descr>«any»</descr><tag>«name»</tag><tagged>«name»</tagged>\
         <sched>«name»</sched><gateway>CANARYGW</gateway><dnpipe>«name»</dnpipe><ackqueue>«name»</ackqueue><defaultqueue>«name»</defaultqueue>\
         <os>«name»</os><tracker>1738704711</tracker><srcmac>«mac»</srcmac><id>«name»</id></rule>\
         <rule><type>pass</type><interface>lan</interface><ipprotocol>inet6</ipprotocol><source><address>«v6»</address></source>\
         <destination><any/></destination><descr>&#99;anary &lt;«name»&gt;</descr></rule>",
    ),
    (
        "</aliases>",
        "<alias><name>canary_alias</name><type>host</type><address>«v4» «host» 81.2.69.100-81.2.69.120</address><descr>«any»</descr>\
         <detail><![CDATA[«any»||«any»||«any»]]></detail></alias><alias><name>canary_ports</name><type>port</type><address>443 8000:8010</address>\
         <descr>«any»</descr></alias><alias><name>«name»</name><type>urltable</type><url>https://«host»:8443/canary/«name».txt</url>\
         <aliasurl>«host»</aliasurl><updatefreq>7</updatefreq></alias>",
    ),
    (
        "</pfsense>",
        "<installedpackages><package><name>«name»</name><internal_name>«name»</internal_name></package>\
         <haproxy><ha_backends><item><name>«name»</name></item></ha_backends></haproxy></installedpackages>\
         <openvpn><openvpn-server><vpnid>1</vpnid><dev_mode>tun</dev_mode><tunnel_network>81.2.70.0/24</tunnel_network>\
         <description>«any»</description></openvpn-server></openvpn><sysctl><item><tunable>net.link.bridge.pfil_bridge</tunable>\
         <value>1</value><descr>«any»</descr></item></sysctl><cert><descr>«any»</descr></cert>",
    ),
];

/// Manifests that are no TOML: what stands before a good one.
pub(super) const BROKEN_MANIFESTS: &[&str] = &[
    "name = voice.canary.sh",
    "name = «any»",
    "label = \"\"\"canary\ncanary",
    "label = '''canary\ncanary",
    "x = { canary = \"canary\", address = 81.2.69.160 }",
    "x = { \"canary\" = canary",
    "x = \"\\u0063anary canary\\q\"",
    "canary 81.2.69.160",
    "[canary\naddress = \"81.2.69.160\"",
    "address = \"81.2.69.160",
    "address = 0x510245a0, canary",
    "x = [\"canary\"\ny = \"canary\"",
    "= canary",
    "<<<<<<< canary",
];
