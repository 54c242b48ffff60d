//! What is missing for a call to get through, in words of the model.

use crate::change::Wanted;
use crate::model::{DoubtId, Family, OriginId};
use crate::vocabulary::{PortSet, list};
use crate::way::Reason;
use std::net::IpAddr;

/// Something that stands between packets and their goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What is missing.
    pub lack: Lack,
    /// Device that would have to do it.
    pub device: usize,
    /// Its name.
    pub name: String,
    /// Another device on which the change is made, and its name.
    pub cured_on: Option<(usize, String)>,
    /// The gap as something to print; absent where nothing on this device helps.
    pub wanted: Option<Wanted>,
    /// What does not get through, or gets through and should not.
    pub ports: Vec<PortSet>,
    /// Whom the packets are for: the server's address.
    pub host: Option<IpAddr>,
    /// The address that was asked.
    pub asked: Option<IpAddr>,
    /// Outer address of the device, as far as it is known.
    pub outer: Option<IpAddr>,
    /// Family.
    pub family: Family,
    /// Paths that it stops.
    pub paths: Vec<String>,
    /// Who notices: a place such as `lan` or `internet`, or callers in words.
    pub who: String,
    /// What the trace says about one packet.
    pub story: String,
    /// The same as data.
    pub(crate) reason: Option<Reason>,
    /// Statements to show: the one that decides, or the one that is nearly right.
    pub at: Vec<OriginId>,
    /// A doubt that decides.
    pub doubt: Option<DoubtId>,
    /// Ports outside that lead to these ports of the server, where they are others.
    pub leads: Vec<PortSet>,
    /// Interfaces by which calls come and answers leave, where these differ.
    pub lines: Option<(String, String)>,
    /// Pages and signalling: people type the port, and no server tells it.
    pub signalling: bool,
}

impl Gap {
    /// A gap of which there is nothing to show.
    pub(crate) fn bare(lack: Lack, name: String, ports: Vec<PortSet>, story: String) -> Self {
        Self {
            lack,
            device: 0,
            name,
            wanted: None,
            ports,
            host: None,
            asked: None,
            outer: None,
            family: Family::V4,
            paths: Vec::new(),
            who: String::new(),
            story,
            at: Vec::new(),
            doubt: None,
            leads: Vec::new(),
            lines: None,
            signalling: false,
            reason: None,
            cured_on: None,
        }
    }

    /// The device on which the change is made.
    pub(crate) fn place(&self) -> (usize, &str) {
        self.cured_on.as_ref().map_or((self.device, &self.name), |(d, name)| (*d, name))
    }

    /// The protocols and ports in a sentence.
    pub(crate) fn what(&self) -> String {
        list(&self.ports)
    }

    /// `is` or `are`, for the protocols and ports.
    pub(crate) fn are(&self) -> &'static str {
        if self.ports.len() > 1 { "are" } else { "is" }
    }
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// Packets for the public address are not sent on to the server.
    Forward {
        /// What is nearly the forward.
        near: Near,
        /// The packets come from inside.
        inside: bool,
    },
    /// Packets for the server do not pass a filter.
    Filter {
        /// What stands there.
        stands: Stands,
        /// They are answers.
        answers: bool,
    },
    /// Answers to callers in the server's own network go past the device.
    SourceNat,
    /// Answers leave by another line than the one by which the calls came.
    AnotherLine,
    /// What the server sends out leaves with its own private address. Whether another rule translates sources, but not
    /// of these packets.
    OutboundNat {
        /// There is such a rule.
        other: bool,
    },
    /// What the server sends out leaves with another public address than the one by which it is called: this one, where
    /// an input tells it.
    OutboundAs(Option<IpAddr>),
    /// Calls from inside go to the public address, which is not on the device: forwards for its own address do not apply.
    OwnAddress,
    /// The outer address is shared with other customers (RFC 6598).
    SharedAddress,
    /// The provider shares the outer address by ports, and these are not among the device's.
    PortSet,
    /// A box that cannot be changed from here does not pass UDP on, but TCP.
    OnlyTcp,
    /// A statement was not understood.
    NotUnderstood,
    /// A helper of connection tracking rewrites what the packets say, though the product's document wants none.
    Helper,
    /// What an alias holds is not known, or it does not hold the address that was asked.
    Alias,
    /// The internet reaches a port that it must not reach.
    Exposed,
    /// The internet reaches a port that no call needs.
    Wider,
    /// Everybody reaches a port by which the server is administered, and its document allows that.
    Administration,
    /// Some callers get through only because both sides send.
    HolePunching,
    /// Callers are told addresses for media that lead nowhere from where they are: these, where an input tells them.
    Told(Vec<IpAddr>),
    /// Browsers refuse microphones on plain HTTP.
    PlainHttp,
    /// The range is too small for a call.
    TooSmall,
}

/// An existing forward that is nearly the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Near {
    /// None is.
    Nothing,
    /// It is switched off.
    Disabled,
    /// Other ports.
    Ports,
    /// Another protocol.
    Protocol,
    /// Another host.
    Target,
    /// Other ports on the host.
    Shift,
    /// It acts only on what comes by another interface.
    Interface,
    /// Another address is asked.
    Address,
}

/// What stands in a filter where packets are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Nothing lets them pass.
    Nothing,
    /// A rule that would is switched off.
    Disabled,
    /// A rule blocks them before one that lets them pass.
    BlockFirst,
    /// A rule blocks them.
    Block,
}
