//! What stands throughout rules of pf.

use crate::dialect::kind::{Sign, line};

/// See above.
pub(super) const SIGNS: &[Sign] = &[
    line(4, "set skip on %"),
    line(4, "set limit % %"),
    line(4, "set optimization %"),
    line(4, "set timeout %"),
    line(4, "set hostid %"),
    line(4, "scrub %"),
    line(4, "nat-anchor %"),
    line(4, "rdr-anchor %"),
    line(4, "anchor \"%\"%"),
    line(4, "table <%"),
    line(4, "block in %"),
    line(4, "block out %"),
    line(3, "block %"),
    line(4, "pass in %"),
    line(4, "pass out %"),
    line(3, "pass %"),
    line(4, "rdr on %"),
    line(4, "rdr pass %"),
    line(4, "nat on %"),
    line(4, "no nat on %"),
    line(4, "binat on %"),
    line(3, "%keep state%"),
    line(3, "% = \"{ % }\""),
    line(4, "antispoof %"),
    line(4, "no rdr on %"),
    line(3, "%ridentifier %"),
    line(3, "%label \"%"),
];
