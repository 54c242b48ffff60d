//! The standard situations, as far as the toy has words for them.

use crate::dialect::standard::Situation::{NoForward, RangeCut, Unread, WrongTarget};
use crate::dialect::standard::{STATED, Standard};

const OPEN: &str = "toy firewall 1
outside wan
forward udp 50000-60000 to 192.168.1.50
forward tcp 443 to 192.168.1.50
forward tcp 7881 to 192.168.1.50
";

/// A router in which everything works, and what may be wrong with it.
pub(super) fn standard() -> Standard {
    Standard {
        gateway: STATED,
        open: OPEN.into(),
        situations: vec![
            (NoForward, "forward udp 50000-60000 to 192.168.1.50\n", ""),
            (WrongTarget, "forward udp 50000-60000 to 192.168.1.50\n", "forward udp 50000-60000 to 192.168.1.51\n"),
            (RangeCut, "forward udp 50000-60000", "forward udp 50000-55000"),
            (Unread, "outside wan\n", "outside wan\nshape voip first\n"),
        ],
        cures: &[NoForward, RangeCut],
    }
}
