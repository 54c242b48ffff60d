//! What is varied, and what comes out.

use std::fmt;

/// How media went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Media {
    /// Audio both ways over UDP.
    Udp,
    /// UDP did not come about; audio both ways over the server's TCP port.
    Tcp,
    /// No audio.
    None,
}

/// A kind of value that a cell has one of.
macro_rules! dimension {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$value,)*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$value => $text,)* })
            }
        }
    };
}

dimension! {
    /// Rules of the gateway before the server.
    Gateway {
        /// All ports forwarded, also for the LAN, with source NAT there.
        Good = "good",
        /// The UDP range is not forwarded.
        NoUdp = "no-udp",
        /// Forwards act on what comes from the internet only.
        NoHairpin = "no-hairpin",
        /// Forwards act for the LAN too, but without source NAT.
        HairpinNoSnat = "hairpin-no-snat",
        /// The forwards are there, the filter does not let them pass.
        NoPass = "no-pass",
        /// No forwards; the gateway takes what nobody asked for itself.
        Nothing = "nothing",
        /// No forwards; the gateway drops what nobody asked for.
        NothingInputDrop = "nothing-inputdrop",
        /// The same, and outgoing connections get random ports.
        NothingInputDropRandom = "nothing-inputdrop-random",
    }
}

dimension! {
    /// The server's own firewall.
    Firewall {
        /// There is none.
        Open = "open",
        /// Lets in answers and remote shells only.
        Closed = "closed",
    }
}

dimension! {
    /// What the server's agent does.
    Ice {
        /// Checks the caller's addresses.
        Full = "full",
        /// Only answers checks.
        Lite = "lite",
    }
}

dimension! {
    /// Whether callers know a STUN server.
    Stun {
        /// They offer the address that it sees.
        Known = "stun",
        /// They offer their own addresses only.
        Unknown = "no-stun",
    }
}

dimension! {
    /// Who calls.
    Caller {
        /// A host with a public address.
        Public = "public",
        /// Behind a home router.
        Home = "home",
        /// Behind a router that picks another port for every destination.
        Symmetric = "symmetric",
        /// Beside the server, and says so.
        LanApp = "lan-app",
        /// Beside the server, with addresses that the server cannot use: a browser before the microphone is allowed.
        LanListening = "lan-listening",
        /// A public address, but no UDP at all.
        UdpBlocked = "udp-blocked",
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::None => "none",
        })
    }
}

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Rules of the gateway.
    pub gateway: Gateway,
    /// The server's own firewall.
    pub firewall: Firewall,
    /// The server's agent.
    pub ice: Ice,
    /// What callers know.
    pub stun: Stun,
    /// Who calls.
    pub caller: Caller,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gateway, firewall, ice, stun, caller } = self;
        write!(f, "{gateway}, server {firewall}, {ice}, {stun}, {caller}")
    }
}

impl Cell {
    /// Its place in the grid, for sorting.
    pub fn place(self) -> Option<usize> {
        every().iter().position(|cell| *cell == self)
    }
}

/// The whole grid.
pub fn every() -> Vec<Cell> {
    let mut cells = Vec::new();
    for &gateway in Gateway::ALL {
        for &firewall in Firewall::ALL {
            for &ice in Ice::ALL {
                for &stun in Stun::ALL {
                    cells.extend(Caller::ALL.iter().map(|&caller| Cell { gateway, firewall, ice, stun, caller }));
                }
            }
        }
    }
    cells
}

/// Steps through the grid of which each meets other values in all dimensions; it has no factor in common with the size.
const STRIDE: usize = 293;

/// A tenth of the grid, always the same one.
pub fn tenth() -> Vec<Cell> {
    let cells = every();
    (0..cells.len().div_ceil(10)).map(|n| cells[n * STRIDE % cells.len()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn distinct<T: Eq + std::hash::Hash>(of: impl Fn(&Cell) -> T) -> usize {
        tenth().iter().map(of).collect::<HashSet<_>>().len()
    }

    #[test]
    fn the_tenth_meets_every_pair_that_matters() {
        assert_eq!(distinct(|c| *c), every().len().div_ceil(10));
        assert_eq!(distinct(|c| (c.gateway, c.ice)), Gateway::ALL.len() * 2);
        assert_eq!(distinct(|c| (c.gateway, c.firewall)), Gateway::ALL.len() * 2);
        assert_eq!(distinct(|c| (c.gateway, c.stun)), Gateway::ALL.len() * 2);
        assert_eq!(distinct(|c| (c.caller, c.firewall, c.ice)), Caller::ALL.len() * 4);
        assert_eq!(distinct(|c| (c.caller, c.stun)), Caller::ALL.len() * 2);
    }
}
