//! The configuration that the pairs differ from, and what becomes of a packet in it.

use crate::pfsense::seen::{Seen, one};
use crate::pfsense::world::World;
use callpath_core::cube::{Cube, Set};
use callpath_core::dialect::pf;
use callpath_core::dialect::pfsense::{generate, read, secrets};
use callpath_core::model::{Family, SourceId, address_value};
use callpath_core::trace::{Question, ask};
use std::net::{IpAddr, SocketAddr};

/// Two lines, two inner networks, two forwards with their rules. Comments are places where elements are put in.
pub const BASE: &str = r"<?xml version='1.0'?>
<pfsense><version>24.0</version>
<system><disablenatreflection>yes</disablenatreflection><ipv6allow></ipv6allow>
  <webgui><protocol>https</protocol><!--webgui--></webgui><ssh><!--ssh--></ssh><!--system--></system>
<interfaces>
  <wan><enable></enable><if>em0</if><descr>WAN</descr><ipaddr>203.0.113.5</ipaddr><subnet>24</subnet>
    <ipaddrv6>2001:db8:1::5</ipaddrv6><subnetv6>64</subnetv6>
    <gateway>WANGW</gateway><gatewayv6>WANGW6</gatewayv6><!--wan--></wan>
  <lan><enable></enable><if>em1</if><descr>LAN</descr><ipaddr>192.168.1.1</ipaddr><subnet>24</subnet>
    <ipaddrv6>2001:db8:ab00:1::1</ipaddrv6><subnetv6>64</subnetv6><!--lan--></lan>
  <opt1><enable></enable><if>em2</if><descr>VOIP</descr><ipaddr>192.168.20.1</ipaddr><subnet>24</subnet><!--opt1--></opt1>
  <opt2><enable></enable><if>em3</if><descr>LINE2</descr><ipaddr>198.51.100.5</ipaddr><subnet>24</subnet>
    <gateway>LINE2GW</gateway><!--opt2--></opt2><!--interfaces-->
</interfaces>
<gateways>
  <gateway_item><interface>wan</interface><gateway>203.0.113.1</gateway><name>WANGW</name><ipprotocol>inet</ipprotocol></gateway_item>
  <gateway_item><interface>wan</interface><gateway>2001:db8:1::1</gateway><name>WANGW6</name><ipprotocol>inet6</ipprotocol></gateway_item>
  <gateway_item><interface>opt2</interface><gateway>198.51.100.1</gateway><name>LINE2GW</name><ipprotocol>inet</ipprotocol><!--line2gw--></gateway_item>
  <gateway_item><interface>opt1</interface><gateway>192.168.20.9</gateway><name>INNER</name><ipprotocol>inet</ipprotocol></gateway_item>
  <defaultgw4>WANGW</defaultgw4><defaultgw6>WANGW6</defaultgw6><!--gateways-->
</gateways>
<staticroutes><!--staticroutes--></staticroutes><virtualip><!--virtualip--></virtualip><schedules><!--schedules--></schedules>
<nat>
  <!--first forward-->
  <rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp</protocol><source><any></any></source>
    <destination><network>wanip</network><port>50000-50499</port></destination>
    <target>192.168.1.50</target><local-port>50000</local-port><descr>media</descr>
    <associated-rule-id>nat_1</associated-rule-id><natreflection>purenat</natreflection><!--forward--></rule>
  <rule><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>tcp</protocol><source><any></any></source>
    <destination><network>wanip</network><port>7881</port></destination>
    <target>192.168.1.50</target><descr>fallback</descr></rule>
  <outbound><mode>automatic</mode><!--outbound--></outbound><!--nat-->
</nat>
<filter>
  <!--first rule-->
  <rule><type>pass</type><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>udp</protocol><source><any></any></source>
    <destination><address>192.168.1.50</address><port>50000-50499</port></destination><descr>NAT media</descr>
    <associated-rule-id>nat_1</associated-rule-id><!--rule--></rule>
  <rule><type>pass</type><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>tcp</protocol><source><any></any></source>
    <destination><address>192.168.1.50</address><port>7881</port></destination><!--tcp rule--></rule>
  <rule><type>pass</type><interface>lan</interface><ipprotocol>inet46</ipprotocol><source><network>lan</network></source>
    <destination><any></any></destination><!--lan rule--></rule>
  <rule><type>pass</type><interface>opt1</interface><ipprotocol>inet</ipprotocol><source><any></any></source>
    <destination><any></any></destination></rule>
</filter>
<aliases>
  <alias><name>server</name><type>host</type><address>192.168.1.50</address></alias>
  <alias><name>phones</name><type>network</type><address>192.168.20.0/24</address></alias>
  <alias><name>media</name><type>port</type><address>50000:50499</address></alias><!--aliases-->
</aliases><!--root-->
</pfsense>
";

/// A text to find and what to put there: before a comment, instead of anything else.
pub type Edit = (&'static str, &'static str);

pub fn edited(text: &str, edits: &[Edit]) -> String {
    edits.iter().fold(text.to_owned(), |text, (at, new)| {
        assert!(text.contains(at), "`{at}` is not in the configuration");
        assert!(at != new && !(new.is_empty() && at.starts_with("<!--")), "`{at}` to `{new}` changes nothing");
        let new = if at.starts_with("<!--") { format!("{new}{at}") } else { (*new).to_owned() };
        text.replacen(at, &new, 1)
    })
}

/// What becomes of `udp 9.9.9.9:40000 > 203.0.113.5:50000`.
pub fn fate(xml: &str, packet: &str) -> String {
    let config = read::read(SourceId(0), &secrets::blank(xml)).unwrap_or_else(|e| panic!("{e:?}"));
    let mut device = generate::device(&config, "router");
    let generated = generate::generate(&config, &device.interfaces, &generate::Known::default());
    pf::lower::lower(&generated.rules, &mut device);
    let world = World::around(device, &config, false);
    let words: Vec<&str> = packet.split([' ']).collect();
    let [protocol, from, ">", to] = words[..] else { panic!("{packet}") };
    let (from, to): (SocketAddr, SocketAddr) = (from.parse().expect("sender"), to.parse().expect("receiver"));
    let family = Family::of(to.ip());
    let Some(sender) = sender(&world, from.ip()) else { return "no such sender".into() };
    let parts = [
        Set::one(address_value(from.ip())),
        Set::one(address_value(to.ip())),
        Set::one(u128::from(from.port())),
        Set::one(u128::from(to.port())),
        Set::one(if protocol == "tcp" { 6 } else { 17 }),
    ];
    let packet = Cube { parts, vars: Vec::new() };
    let answer = ask(&world.network, &Question { from: sender, family, packets: packet.clone() });
    let all = one(&answer, &packet, family, world.router);
    all.iter().map(shown).collect::<Vec<_>>().join(" | ")
}

fn sender(world: &World, ip: IpAddr) -> Option<usize> {
    let devices = &world.network.devices;
    (0..devices.len()).find(|d| devices[*d].own_addresses(Family::of(ip)).contains(address_value(ip)))
}

fn shown(seen: &Seen) -> String {
    if seen.end == "blocked" {
        return "blocked".into();
    }
    let end = if seen.end == "delivered" { "" } else { &*format!("{} ", seen.end) };
    let reply = if seen.reply == "ok" { "" } else { ", no answer" };
    format!("{end}{} from {}:{}{reply}", seen.to, seen.source, seen.sport)
}
