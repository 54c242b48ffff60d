//! Changes that are planned, by what they would write.

use super::*;
use crate::manifest::Proto;
use crate::model::Origin;

/// The change that closes ports of a forward of udp 50000-50499 to 192.168.1.50, from this port on.
fn closing(local: &str, closed: (u16, u16)) -> Result<Vec<Edit>, String> {
    let text = format!(
        "<pfsense><interfaces><wan><enable></enable><if>em0</if></wan></interfaces><nat><rule><interface>wan</interface>\
         <protocol>udp</protocol><source><any></any></source><destination><network>wanip</network>\
         <port>50000-50499</port></destination><target>192.168.1.50</target><local-port>{local}</local-port>\
         <descr>media</descr></rule></nat></pfsense>"
    );
    let config = read(SourceId(0), &text).expect("reads");
    let mut device = Device::default();
    let at = config.forwards[0].at;
    let nearest = Some(device.pipeline.add_origin(Origin { at, has_lines: true, ..Origin::default() }));
    let packets = Packets {
        family: Family::V4,
        proto: Proto::Udp,
        ports: vec![closed],
        from: Vec::new(),
        in_ifaces: Vec::new(),
        out_iface: None,
    };
    let address = "203.0.113.5".parse().expect("ip");
    let to = "192.168.1.50".parse().expect("ip");
    let intent = Intent::Close { packets, address, to, inside: vec![closed], except: Vec::new() };
    let wanted = Wanted { intent, nearest, deciding: None, name: "media".into() };
    match plan(&config, &device, &wanted, &Context::default()) {
        Ok(Plan { change: BackupChange::Edits(edits), .. }) => Ok(edits),
        Ok(Plan { change: BackupChange::Narrow(less), .. }) => {
            narrow(&text, &less.iter().collect::<Vec<_>>()).map_err(|r| r.0)
        }
        Err(refused) => Err(refused.0),
    }
}

#[test]
fn a_forward_that_shifts_ports_keeps_its_shift_when_it_gets_narrower() {
    let set = |first, local| {
        let set = vec![ForwardField::Ports(first, 50499), ForwardField::LocalPort(local)];
        Ok(vec![Edit::SetForward { forward: 0, set }])
    };
    assert_eq!(closing("50000", (50000, 50009)), set(50010, 50010));
    assert_eq!(closing("40000", (50000, 50009)), set(50010, 40010));
}

#[test]
fn one_address_is_written_without_its_length_and_a_network_with_it() {
    for (net, shown) in [
        ("192.0.2.7/32", "192.0.2.7"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:db8::7/128", "2001:db8::7"),
        ("2001:db8::/32", "2001:db8::/32"),
    ] {
        assert_eq!(network(&net.parse().expect("net")), shown);
    }
}

#[test]
fn ports_are_said_as_people_write_them() {
    let why = closing("50000", (50100, 50200)).expect_err("in its middle");
    assert_eq!(why, "\"media\" covers 50100-50200 in its middle: make two forwards of it");
}

/// What is left of a forward of both protocols.
fn narrowed(ports: &str, less: &[Narrow]) -> Result<Vec<Edit>, String> {
    let text = format!(
        "<pfsense><interfaces><wan><enable></enable><if>em0</if></wan></interfaces><nat><rule><interface>wan</interface>\
         <protocol>tcp/udp</protocol><source><any></any></source><destination><network>wanip</network>\
         <port>{ports}</port></destination><target>192.168.1.50</target><local-port>5432</local-port>\
         <descr>both</descr></rule></nat></pfsense>"
    );
    narrow(&text, &less.iter().collect::<Vec<_>>()).map_err(|r| r.0)
}

#[test]
fn what_one_forward_should_no_longer_carry_is_one_edit() {
    let less = |protocol, ports: (u16, u16), only: Option<&str>| Narrow {
        forward: 0,
        protocol,
        ports: vec![ports],
        only: only.map(str::to_owned),
    };
    let set = |set| Ok(vec![Edit::SetForward { forward: 0, set }]);
    let (tcp, udp) = (less("tcp", (5432, 5432), None), less("udp", (5432, 5432), None));
    assert_eq!(narrowed("5432", std::slice::from_ref(&tcp)), set(vec![ForwardField::Protocol("udp")]));
    assert_eq!(narrowed("5432", std::slice::from_ref(&udp)), set(vec![ForwardField::Protocol("tcp")]));
    for both in [[tcp.clone(), udp.clone()], [udp, tcp]] {
        assert_eq!(narrowed("5432", &both), set(vec![ForwardField::Disabled(true)]));
    }
    // Ports that both lose at one end are cut there; those of one protocol alone cannot be.
    let ends = [less("tcp", (5434, 5440), None), less("udp", (5434, 5440), None)];
    assert_eq!(narrowed("5432-5440", &ends), set(vec![ForwardField::Ports(5432, 5433)]));
    assert!(narrowed("5432-5440", &ends[..1]).is_err());
    // Only for some senders: all of it, or it is two forwards.
    let only = [less("tcp", (5432, 5432), Some("192.0.2.7")), less("udp", (5432, 5432), Some("192.0.2.7"))];
    assert_eq!(narrowed("5432", &only), set(vec![ForwardField::Source(Some("192.0.2.7".into()))]));
    assert!(narrowed("5432", &only[..1]).is_err());
}
