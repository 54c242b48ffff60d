//! What stands throughout what `ip -j` prints.

use crate::dialect::kind::{Sign, key};

/// See above.
pub(super) const SIGNS: &[Sign] = &[
    key(4, "ifname"),
    key(4, "ifindex"),
    key(4, "addr_info"),
    key(4, "valid_life_time"),
    key(4, "link_type"),
    key(4, "operstate"),
    key(3, "prefixlen"),
    key(3, "qdisc"),
    key(2, "dst"),
    key(1, "dev"),
    key(-12, "version"),
    key(-20, "resolved"),
    key(-20, "dependencies"),
    key(2, "gateway"),
    key(3, "prefsrc"),
    key(2, "protocol"),
    key(2, "scope"),
    key(1, "flags"),
    key(1, "metric"),
    key(1, "priority"),
    key(1, "src"),
    key(2, "table"),
    key(-4, "metainfo"),
    key(-4, "expr"),
    key(-4, "rule"),
    key(-5, "Id"),
    key(-12, "container_name"),
    key(-4, "name"),
    key(-4, "IpProtocol"),
    key(-4, "properties"),
];
