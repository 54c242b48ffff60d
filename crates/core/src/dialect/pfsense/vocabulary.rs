//! Words of pfSense: elements of its backups, values that its pages offer, and packages that write rules.

/// The words, with blanks between them.
pub(crate) const WORDS: &str = "\
    6rd 6to4 a_extaddr ackqueue action_disable address addresses advanced aes aggressive ah alias alias-address \
    alias-subnet aliases aliasesresolveinterval aliasurl allowopts any associated-rule-id attlist auto automatic \
    bg-danger bg-info bg-success bg-warning bind bitmask block blockbogons blockpriv bogon bogons bogonsv6 bridged \
    bridgeif bridges bridgeto bypassstaticroutes ca captiveportal carp cert client color config conservative \
    create_gw created crl cron danger day default defaultgw defaultgw4 defaultgw6 defaultqueue descr description \
    destination detail dev_mode dhcp dhcp4 dhcp6 dhcpd dhcpdv6 dhcpin dhcrelay dhcrelay6 direction disable disabled \
    disablefilter disablehttpredirect disablenatreflection disablenegate disablereplyto disablevpnrules dnpipe \
    dnsallowoverride dnshaper dnsmasq doctype domain down downloss dscp dstmac dstport dynamic echoreq eimnat \
    element enable enablebinatreflection enabled enablenatreflectionhelper enablenatreflectionpurenat enablesshd \
    enc0 entity esp etc etherip extaddr_port external filter filter_rule_function floating force_down from gateway \
    gateway_group gateway_item gateways gatewayv6 gif gifif gifs gre greif gres ha_backends ha_pools haproxy \
    haproxy-devel haproxy_generate_rules hasync high-latency host hostname hour http https hybrid icmp icmp6-type \
    icmptype id if if-bound if_inbound ifgroupentry ifgroups ifname igmp ikeid ikev1 ikev2 in inet inet46 inet6 info \
    installedpackages interface interface_net interfaces internal_name interval ip ipaddr ipaddrv6 ipalias ipcp \
    ipprotocol ipsec ipv4 ipv6 ipv6allow item keep keepalive l2tp l2tp_subnet lan lanip lastchange lbpool listenport \
    lo0 load_balancer local-port local_port localid localport log loginautocomplete loopback manual mask match max \
    max-src-conn max-src-conn-rate max-src-conn-rates max-src-nodes max-src-states maximumtableentries members \
    miniupnpd miniupnpd_generate_rules mobile mode monitor_disable month mss mtu name nat nat64 natlocalid natport \
    natreflection negate_networks net.link.bridge.pfil_bridge net.link.bridge.pfil_local_phys \
    net.link.bridge.pfil_member net.link.bridge.pfil_onlyip netbits network no no_apipa_block noantilockout nobinat \
    nonat none nonlocalgateway nopfsync nordr normal nosync not notation notifications nottagged npt null4 null6 on \
    onetoone openvpn openvpn-client openvpn-csc openvpn-server opnsense opt optimization os ospf other out outbound \
    ovpn ovpnc ovpns ovpnserver p2p p2p_shared_key p2p_tls package paramprob pass pdnpipe pfil_bridge \
    pfil_local_phys pfil_member pfreflect pfsense pfsync phase1 phase2 pim pool_address pool_address_v6 pool_netbits \
    pool_netbits_v6 poolopts port ports position ppp pppoe pppoe_subnet pppoes ppps pptp private protocol proxyarp \
    ptpid public_ip purenat quick random rangedescr redir reflectiontimeout reject remote-gateway remote_network \
    remoteid remoteip reverse_http reverse_http_port reverse_https reverse_https_port revision round-robin route row \
    rrd rtplower rtpupper rule sched schedlabel schedule schedules sctp self separator server server_tls \
    server_tls_user server_user shaper single sipenable siproxd siproxd_generate_rules siproxdsettings \
    skip_rules_gw_down slaac sloppy snmpd snort snort2c source source-hash source_hash_key sourceport squench squid \
    squid_generate_rules squidreversegeneral srcmac ssh sshguard ssl statepolicy statetimeout statetype staticip \
    staticnatport staticroutes sticky-address stunnel subnet subnet_bits subnetv6 success suricata syn synproxy \
    sysctl syslog system tag tagged tap target target_subnet tcp tcpflags tcpflags1 tcpflags2 tcpflags_any text \
    theme tier time timerange timerep timereq timex timezone to tonatsubnets trace track6 track6-interface \
    track6-prefix-id tracker transparent_clientip transparent_proxy transport trigger tun tunable tunnel \
    tunnel-local-addr tunnel-local-addr6 tunnel-remote-net tunnel-remote-net6 tunnel6 tunnel_network \
    tunnel_networkv6 tunnels type udp unbound uniqid unreach updated updatefreq url url_ports urltable \
    urltable_ports username utc v4 v4only v6 v6only value version vhid vip vips virtual_server virtualip virusprot \
    vlan vlanif vlanprio vlanprioset vlans vpn_networks vpnid vti wan wanip warning webgui weight widgets wireguard \
    wol yes";
