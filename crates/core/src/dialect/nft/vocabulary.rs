//! Words of nftables: its grammar (nft(8), `src/scanner.l`), names of services, protocols and types as both readers know them,
//! and the keys of its JSON (libnftables-json(5)).

/// The words, with blanks between them.
pub(crate) const WORDS: &str = "\
    8021ad 8021q abort accept accept_untracked ack ackseq acr-nema add addr addr-unreachable address-mask-reply \
    address-mask-request admin-prohibited af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 afpovertcp \
    after ah alert all amanda amqp amqps and anycast arp arp_htype arp_op asconf asconf-ack asf-rmcp assured audit \
    auth auto auto-merge avgpkt babel bacula-dir bacula-fd bacula-sd base bbs be bgp bgpd biff blackhole boolean \
    bootpc bootps both bridge broadcast broute burst burst_unit bypass bytes ce cfengine cfi cgroup cgroupsv1 \
    cgroupsv2 cgroupv2 chain chains change chargen check checksum chunk cisco-sccp classid clearcase cmip-agent \
    cmip-man codaauth2 code comment comp concat confirmed constant continue cookie-ack cookie-echo count counter \
    counters cpi cpu create crit cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7 csumcov ct ct_dir ct_expectation ct_helper ct_id \
    ct_label ct_mark ct_state ct_status ct_timeout cum-tsn-ack cvspserver cwr daap daddr daemon data data_offset \
    datametrics day daytime db-lsp dcap dccp dccp_pkttype debug default define dei delete describe \
    destination-unreachable destroy dev devgroup device devices dhcpv6-client dhcpv6-server dict dir direction \
    discard distcc dnat doff domain domain-s dormant dport drop dscp dst dstnat dup dying dynamic echo echo-reply \
    echo-request ecn ecne ect0 ect1 ef egp egress eigrp elem element elements emerg encap eol epmap epmd eq err \
    error esp established ether ether_addr ether_type etherip event exec exists expectation expected expiration \
    expires export expr exthdr f f5-globalsite f5-iquery false family fanout fastopen fc fib fib_addrtype field \
    filter fin finger flags flow flowlabel flowtable flush font-service forward forward-tsn frag frag-off freeciv \
    friday ftp ftp-data ftps ftps-data fully-random fwd gateway gbytes gc-interval gc_interval gdomap gds-db ge \
    geneve get ggp gid git gnunet gnutella-rtr gnutella-svc gopher goto gpsd gre gretap gris group groupwise gsidcap \
    gsiftp gsigatekeeper gt h323gatedisc h323gatestat h323hostcall handle hash hbh hdrlength heartbeat heartbeat-ack \
    helper hip hkp hlen hook hook_drop hoplimit hopopt host host-prohibited host-unreachable hour http http-alt \
    https https-alt htype hw_offload iax ibrhwaddr ibridgename ibriport ibrname ibrpvid ibrvproto icmp icmp_code \
    icmp_type icmpv6 icmpv6_code icmpv6_type icmpx icmpx_code icp icpv2 id ident iface_index iface_type ifname \
    iftype igmp igmp_type igp ih iif iifgroup iifkind iifname iiftype imap imap2 imaps import in inc include \
    ind-neighbor-advert ind-neighbor-solicit index inet inet_proto inet_service info info-reply info-request \
    ingreslock ingress init init-ack init-tag initial-tsn input insert integer interval inv invalid ip ip6 ipcomp \
    ipencap ipip ipp ipsec ipsec-nat-t ipv4 ipv4_addr ipv6 ipv6-frag ipv6-icmp ipv6-nonxt ipv6-opts ipv6-route \
    ipv6_addr ipx irc ircd ircs-u isakmp iscsi-target isis isns iso-tsap jabber-client jabber-server jhash \
    json_schema_version jump kbytes kerberos kerberos-adm kermit kernel key kind klogin kpasswd kshell l2f l2tp \
    l3proto l4proto label lan last last-entry ldap ldaps ldp le left left-most len length lephb level limit limits \
    list ll local log login loopback lotusnote lowest-tsn lshift lt mail mailq mandatory manet mangle map maps mark \
    masquerade match max-delay maxseg mbytes md5sig mdns memory meta metainfo meter mh microsoft-ds minute missing \
    mld-listener-done mld-listener-query mld-listener-reduction mld-listener-report mld2-listener-report \
    mobility-header mod mode mon monday monitor more-fragments mpls-in-ip mptcp mqtt mqtts mrt ms ms-sql-m ms-sql-s \
    ms-wbt-server mss mtn mtu multicast munin mysql mysql-proxy name nat nbd nd-neighbor-advert nd-neighbor-solicit \
    nd-redirect nd-router-advert nd-router-solicit ne net-prohibited net-unreachable netbios-dgm netbios-ns \
    netbios-ssn netdev netmap netstat never new new-cum-tsn nexthdr nexthop nf_proto nfproto nfs nft nftables \
    nftrace nh nntp nntps no-route nobody none nop not not-ect notice notrack nqs nrpe nsca ntalk ntp ntske num \
    num-dup-tsns num-gap-ack-blocks num-inbound-streams num-outbound-streams numgen nut obridgename obriport obrname \
    offload offset oif oifgroup oifkind oifname oiftype once op openvpn operation option options or original osf \
    ospf ospfd ospfigp other out output over owner packet-too-big packets parameter-problem path pawserv payload pcp \
    per performance persist persistent pim pkt_type pkttype plen policy policy-fail pop-3 pop3 pop3s port \
    port-unreachable portmapper position postgres postgresql postrouting ppid ppp pptp prefix prerouting printer \
    prio priority prohibit proofd prot-unreachable proto-dst proto-src protocol psh ptp-event ptp-general ptr ptype \
    pup puppet qmqp qmtp qotd queue queue-threshold quota quotas radacct radius radius-acct radmin-port random range \
    rate rate_unit raw rdp realm redefine redirect redis reject reject-route related release_name remctl rename \
    replace reply reqid reserved reserved2 reset result return right ripd rmiregistry rohc root rootd route routed \
    router-advertisement router-renumbering router-solicitation rpc2portmap rplay rshift rst rsvp rsync rt rt0 rt2 \
    rtclassid rtcm-sc104 rtsp rule ruleset sa-msg-port sack sack-perm sack-permitted sack0 saddr saft sane-port \
    saned saturday sbin sctp sdif sdifname sec secmark second secpath security seed seen-reply seg-left seqno \
    sequence set sets sge-execd sge-qmaster shell shim6 shutdown shutdown-ack shutdown-complete sid sieve silc sip \
    sip-tls sips size skgid skip skuid smtp smtps smux snaplen snat snat4 snmp snmp-trap snmptrap snpp socket socks \
    source-quench spamd spi spnum spooler sport src srcnat srh ssh ssmtp ssn state status sticky stmt stream string \
    stun stuns submission submissions subtype subversion sum sunday sunrpc suucp svn svrloc symhash syn synproxy \
    syslog syslog-tls sysrqd systat table tables tacacs taddr tag talk target tcp tcp-reset tcp_flag tcpmss tcpmux \
    telnet telnets tftp th thursday time time-exceeded timeout timestamp timestamp-reply timestamp-request tinc to \
    tproxy transparent true tsecr tsn tsval ttl tuesday tunnel turn turns type type_flags typeof udp udplite uid \
    undefine unicast unreachable unread unspec until untracked update urd urg urgptr usec used usr uucp va val \
    val_unit value venus verdict version vlan vmap vnc-server vni vrrp vtag vxlan wan warn webcache webmin wednesday \
    week wesp who whois wildcard window with wnn6 wscale www x11 xdmcp xmms2 xmpp-client xmpp-server xor xt xtables \
    z3950 zabbix-agent zabbix-trapper zebra zone zserv";
