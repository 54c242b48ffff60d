//! Words of the manifest: its keys and the words that are values of them, and settings of a kernel.

/// The words, with blanks between them.
pub(crate) const WORDS: &str = "\
    address admin aliases all answers anyof anywhere array at behind bridge bridge-nf-call-ip6tables \
    bridge-nf-call-iptables caller callers clients conf config default deploy dev dns false firewall \
    force_forwarding forwarding forwards from full gateway guards hairpin host ice inf inside instances integer \
    interface interfaces internet ip_forward ipv4 ipv6 items kernel label lan line linux lite local maximum minimum \
    mode model name nan net netfilter networks nf_conntrack_helper none object off on ostype out outer own passes pattern \
    peer ports prefix proxy public route_localnet routes rp_filter sdp self setting source src_valid_mark string \
    stun system tcp to told toml tracks true tunnel type udp unknown uses via wan with \
    asus fritzbox mikrotik tp-link unifi";
