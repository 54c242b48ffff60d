//! Names of services, protocols and states, as nftables and iproute2 print them.

/// Services with their ports: those that nftables prints (its services come from `/etc/services`) and people write.
/// From IANA's service name registry; a name that stands for several ports is
/// left out, so that it is doubted rather than guessed.
#[rustfmt::skip]
const SERVICES: &[(&str, u16)] = &[
    ("tcpmux", 1), ("echo", 7), ("discard", 9), ("systat", 11), ("daytime", 13), ("netstat", 15), ("qotd", 17),
    ("chargen", 19), ("ftp-data", 20), ("ftp", 21), ("ssh", 22), ("telnet", 23), ("smtp", 25), ("time", 37),
    ("whois", 43), ("tacacs", 49), ("domain", 53), ("bootps", 67), ("bootpc", 68), ("tftp", 69), ("gopher", 70),
    ("finger", 79), ("http", 80), ("www", 80), ("kerberos", 88), ("iso-tsap", 102), ("acr-nema", 104), ("pop3", 110),
    ("sunrpc", 111), ("auth", 113), ("ident", 113), ("nntp", 119), ("ntp", 123), ("epmap", 135), ("netbios-ns", 137),
    ("netbios-dgm", 138), ("netbios-ssn", 139), ("imap", 143), ("imap2", 143), ("snmp", 161), ("snmp-trap", 162),
    ("snmptrap", 162), ("cmip-man", 163), ("cmip-agent", 164), ("mailq", 174), ("xdmcp", 177), ("bgp", 179),
    ("irc", 194), ("smux", 199), ("qmtp", 209), ("z3950", 210), ("ipx", 213), ("ptp-event", 319),
    ("ptp-general", 320), ("pawserv", 345), ("zserv", 346), ("rpc2portmap", 369), ("codaauth2", 370),
    ("clearcase", 371), ("ldap", 389), ("svrloc", 427), ("https", 443), ("snpp", 444), ("microsoft-ds", 445),
    ("kpasswd", 464), ("submissions", 465), ("smtps", 465), ("urd", 465), ("saft", 487), ("isakmp", 500),
    ("rtsp", 554), ("nqs", 607), ("asf-rmcp", 623), ("qmqp", 628), ("ipp", 631), ("ldp", 646), ("exec", 512),
    ("login", 513), ("shell", 514), ("syslog", 514), ("printer", 515), ("talk", 517), ("ntalk", 518),
    ("route", 520), ("gdomap", 538), ("uucp", 540), ("klogin", 543), ("kshell", 544), ("dhcpv6-client", 546),
    ("dhcpv6-server", 547), ("afpovertcp", 548), ("nntps", 563), ("submission", 587), ("ldaps", 636),
    ("tinc", 655), ("silc", 706), ("kerberos-adm", 749), ("domain-s", 853), ("rsync", 873), ("ftps-data", 989),
    ("ftps", 990), ("telnets", 992), ("imaps", 993), ("pop3s", 995), ("socks", 1080), ("proofd", 1093),
    ("rootd", 1094), ("openvpn", 1194), ("rmiregistry", 1099), ("lotusnote", 1352), ("ms-sql-s", 1433),
    ("ms-sql-m", 1434), ("ingreslock", 1524), ("datametrics", 1645), ("sa-msg-port", 1646), ("kermit", 1649),
    ("groupwise", 1677), ("l2f", 1701), ("l2tp", 1701), ("h323gatedisc", 1718), ("h323gatestat", 1719),
    ("h323hostcall", 1720), ("pptp", 1723), ("radius", 1812), ("radius-acct", 1813), ("mqtt", 1883),
    ("cisco-sccp", 2000), ("sieve", 4190), ("nfs", 2049), ("gnunet", 2086), ("rtcm-sc104", 2101),
    ("gsigatekeeper", 2119), ("gris", 2135), ("cvspserver", 2401), ("venus", 2430), ("mon", 2583), ("zebra", 2601),
    ("dict", 2628), ("f5-globalsite", 2792), ("gsiftp", 2811), ("gpsd", 2947), ("gds-db", 3050), ("icpv2", 3130),
    ("isns", 3205), ("iscsi-target", 3260), ("mysql", 3306), ("ms-wbt-server", 3389), ("nut", 3493), ("stun", 3478),
    ("turn", 3478), ("stuns", 5349), ("turns", 5349), ("distcc", 3632), ("daap", 3689), ("svn", 3690), ("suucp", 4031),
    ("sysrqd", 4094), ("epmd", 4369), ("remctl", 4373), ("f5-iquery", 4353), ("ntske", 4460), ("ipsec-nat-t", 4500),
    ("iax", 4569), ("mtn", 4691), ("radmin-port", 4899), ("munin", 4949), ("sip", 5060), ("sip-tls", 5061),
    ("sips", 5061), ("xmpp-client", 5222), ("xmpp-server", 5269), ("cfengine", 5308), ("mdns", 5353),
    ("postgresql", 5432), ("freeciv", 5556), ("amqps", 5671), ("amqp", 5672), ("vnc-server", 5900), ("x11", 6000),
    ("gnutella-svc", 6346), ("gnutella-rtr", 6347), ("redis", 6379), ("sge-qmaster", 6444), ("sge-execd", 6445),
    ("mysql-proxy", 6446), ("babel", 6696), ("ircs-u", 6697), ("ircd", 6667), ("bbs", 7000), ("font-service", 7100),
    ("http-alt", 8080), ("webcache", 8080), ("puppet", 8140), ("https-alt", 8443), ("mqtts", 8883),
    ("bacula-dir", 9101), ("bacula-fd", 9102), ("bacula-sd", 9103), ("git", 9418), ("xmms2", 9667), ("nbd", 10809),
    ("zabbix-agent", 10050), ("zabbix-trapper", 10051), ("amanda", 10080), ("hkp", 11371),
    ("db-lsp", 17500), ("dcap", 22125), ("gsidcap", 22128), ("wnn6", 22273),
    ("mail", 25), ("pop-3", 110), ("portmapper", 111), ("ssmtp", 465), ("biff", 512), ("who", 513), ("spooler", 515),
    ("routed", 520), ("radacct", 1813), ("icp", 3130), ("subversion", 3690), ("jabber-client", 5222),
    ("jabber-server", 5269), ("postgres", 5432), ("nrpe", 5666), ("nsca", 5667), ("syslog-tls", 6514),
    ("sane-port", 6566), ("saned", 6566), ("spamd", 783), ("rplay", 5555), ("webmin", 10000), ("ripd", 2602),
    ("ospfd", 2604), ("bgpd", 2605),
];

/// Protocol numbers (IANA), by the names of `/etc/protocols`.
#[rustfmt::skip]
const PROTOCOLS: &[(&str, u8)] = &[
    ("hopopt", 0), ("icmp", 1), ("igmp", 2), ("ipencap", 4), ("ipv4", 4), ("tcp", 6), ("egp", 8), ("igp", 9),
    ("udp", 17), ("dccp", 33), ("ipv6", 41), ("ipv6-route", 43), ("ipv6-frag", 44), ("rsvp", 46), ("gre", 47),
    ("esp", 50), ("ah", 51), ("ipv6-icmp", 58), ("icmpv6", 58), ("ipv6-nonxt", 59), ("ipv6-opts", 60), ("eigrp", 88),
    ("ospf", 89), ("ospfigp", 89), ("ipip", 94), ("encap", 98), ("pim", 103), ("ipcomp", 108), ("comp", 108),
    ("vrrp", 112), ("l2tp", 115), ("sctp", 132), ("mobility-header", 135), ("mh", 135), ("udplite", 136),
    ("mpls-in-ip", 137), ("wesp", 141), ("ip", 0), ("ggp", 3), ("pup", 12), ("rdp", 27), ("skip", 57), ("etherip", 97),
    ("isis", 124), ("fc", 133), ("manet", 138), ("hip", 139), ("shim6", 140), ("rohc", 142),
];

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| *v)
}

/// The port of a service name.
pub(super) fn service(name: &str) -> Option<u128> {
    find(SERVICES, name).map(u128::from)
}

/// The number of a protocol name.
pub(super) fn protocol(name: &str) -> Option<u128> {
    find(PROTOCOLS, name).map(u128::from)
}

/// Bits of `ct state` (`NF_CT_STATE_*`).
pub(super) fn ct_state(name: &str) -> Option<u128> {
    find(&[("invalid", 1u128), ("established", 2), ("related", 4), ("new", 8), ("untracked", 64)], name)
}

/// Bits of `ct status` (`IPS_*`).
pub(super) fn ct_status(name: &str) -> Option<u128> {
    let table = [
        ("expected", 1u128),
        ("seen-reply", 2),
        ("assured", 4),
        ("confirmed", 8),
        ("snat", 16),
        ("dnat", 32),
        ("dying", 512),
    ];
    find(&table, name)
}

/// TCP flags.
pub(super) fn tcp_flag(name: &str) -> Option<u128> {
    let table =
        [("fin", 1u128), ("syn", 2), ("rst", 4), ("psh", 8), ("ack", 16), ("urg", 32), ("ecn", 64), ("cwr", 128)];
    find(&table, name)
}

/// Address kinds (`RTN_*`).
pub(super) fn address_kind(name: &str) -> Option<u128> {
    let table = [
        ("unspec", 0u128),
        ("unicast", 1),
        ("local", 2),
        ("broadcast", 3),
        ("anycast", 4),
        ("multicast", 5),
        ("blackhole", 6),
        ("unreachable", 7),
        ("prohibit", 8),
    ];
    find(&table, name)
}

/// Families as `meta nfproto` and `meta protocol` name them: numbers of [`crate::model::nfproto`].
pub(super) fn family(name: &str) -> Option<u128> {
    find(
        &[
            ("ipv4", 2u128),
            ("ip", 2),
            ("ipv6", 10),
            ("ip6", 10),
            ("0x0800", 2),
            ("0x86dd", 10),
            ("arp", 3),
            ("vlan", 4),
        ],
        name,
    )
}

/// `meta pkttype` (`PACKET_*`).
pub(super) fn packet_type(name: &str) -> Option<u128> {
    find(&[("host", 0u128), ("unicast", 0), ("broadcast", 1), ("multicast", 2), ("other", 3)], name)
}
