//! Words of pf: its grammar (pf.conf(5)), and the names of anchors and tables that pfSense's generator writes.

/// The words, with blanks between them.
pub(crate) const WORDS: &str = "\
    adaptive adaptive.end adaptive.start af-to aggressive ah all allow-opts althost altq anchor antispoof any \
    bandwidth binat binat-anchor binat-to bitmask block block-policy bogons bogonsv6 captiveportal carp cbq codel \
    conservative const counters cpzoneid_ critical crop debug default descr divert-packet divert-reply divert-to \
    dnpipe dnqueue domain drop drop-ovl dscp echorep echoreq ecn endpoint-independent esp etc fairq file \
    fingerprints flags floating flush for forwards frag fragment frags from ftp-proxy gateways global gre group \
    groupdef groupqry groupterm gw hfsc high high-latency host hostid http https icmp icmp-type icmp.error \
    icmp.first icmp6 icmp6-type id if-bound igmp in inet inet6 inetcontrol inforep inforeq interface interval \
    ipencap ipsec ipv6 ipv6-icmp keep keepcounters label labels limit linkshare listendef listenterm listqry lo lo0 \
    load log loginterface loud low lowdelay maskrep maskreq match max max-mss max-src-conn max-src-conn-rate \
    max-src-nodes max-src-states min-ttl miniupnpd misc modulate nat nat-anchor nat-to natearly natreflect natrules \
    negate_networks neighbradv neighbrsol netcontrol network no no-df no-route no-sync none nopfsync normal ntp on \
    once openvpn optimization options os ospf other.first other.multiple other.single out outbound overload ovpn \
    paramprob pass peer persist pf.os pflog0 pflow pfsync pfsync0 pim port prio priority priq probability proto \
    qlimit queue quick random random-id rdr rdr-anchor rdr-to realtime reassemble received-on red redir relayd \
    reliability reply-to require-order return return-icmp return-icmp6 return-rst ridentifier rio round-robin \
    route-to routeradv routersol rtable rule rules.debug ruleset-optimization satellite scrub sctp self set set-tos \
    sip skip sloppy snort2c source-hash source-track squench src-nodes src.track ssh sshguard sshlockout state \
    state-defaults state-policy states static-port sticky-address syncookies synproxy table table-entries tag tagged \
    tags tbrsize tcp tcp.closed tcp.closing tcp.established tcp.finwait tcp.first tcp.opening tcp.tsdiff tftp-proxy \
    throughput timeout timerep timereq timex tmp to toobig tos udp udp.first udp.multiple udp.single unreach \
    upperlimit urgent urpf-failed user user_rule userrules va virusprot vlan vpn_networks vrrp ways wireguard";
