//! What stands throughout what `sysctl -a` prints.

use crate::dialect::kind::{Sign, line};

/// See above.
pub(super) const SIGNS: &[Sign] = &[
    line(5, "net.%=%"),
    line(5, "net/%=%"),
    line(5, "kernel.%=%"),
    line(3, "vm.%=%"),
    line(3, "fs.%=%"),
    line(3, "#net/ipv4/%=%"),
    line(3, "#net.ipv4.%=%"),
    line(3, "user.%=%"),
    line(2, "dev.%=%"),
    line(2, "crypto.%=%"),
];
