//! The fields of a packet.

/// Part of a packet's or session's addressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Source address.
    Src,
    /// Destination address.
    Dst,
    /// Source port.
    SrcPort,
    /// Destination port.
    DstPort,
    /// Transport protocol number.
    Proto,
}
