//! Words of iproute2: keys and values that `ip -j addr`, `ip -j route` and `ip -j rule` print.

/// The words, with blanks between them.
pub(crate) const WORDS: &str = "\
    action addr_info address all allmulti any anycast autojoin babel bgp bird blackhole boot bridge broadcast cwnd \
    dadfailed dead debug default deprecated dev dhcp dormant down dport dport_end dport_start dsfield dst dstlen \
    dynamic echo eigrp encap ether family flags fq_codel from fwmark fwmask gateway gif global goto gre group high \
    home host ifindex ifname iif iif_detached inet inet6 info_data info_kind info_slave_kind ip6ip6 ipip ipproto \
    ipsec isis kernel l3mdev label link link_index link_netnsid link_type linkdown linkinfo lo local lookup loopback \
    low lower_up lowerlayerdown main master medium metric metrics mngtmpaddr mpls mq mtu multicast nat nebula \
    nexthops nhid no-carrier noarp nodad none noop nop noprefixroute noqueue not notrailers nowhere offload oif \
    oif_detached onlink operstate optimistic ospf ovpn ovpnc ovpns peer permaddr pervasive pfifo_fast point-to-point \
    pointopoint ppp pref preferred_life_time prefixlen prefsrc priority prohibit promisc proto protocol qdisc ra \
    realms redirect rip rt_offload rt_trap rtt running scope secondary sit site slave sport sport_end sport_start \
    src srclen static suppress_ifgroup suppress_prefixlen suppress_prefixlength table tailscale tcp temporary \
    tentative throw to_tbl tos trap tun tunnel txqlen type udp uid_end uid_start uidrange unicast universe unknown \
    unreachable unresolved up valid_life_time via vti weight wg wt xfrm zebra";
