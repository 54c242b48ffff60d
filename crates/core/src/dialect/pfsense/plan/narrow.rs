//! Forwards that carry less than before. Several such wishes about one forward make one edit of it.

use super::super::config::{Config, Forward};
use super::super::edit::{Edit, ForwardField};
use super::super::read::read;
use super::named;
use crate::change::Refused;
use crate::cube::Set;
use crate::model::SourceId;
use crate::vocabulary::{port_range, port_set, show_set};

/// What a forward should no longer carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrow {
    /// Number among the `<nat><rule>` elements, from 0.
    pub forward: usize,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// Ports as they are asked outside.
    pub ports: Vec<(u16, u16)>,
    /// From everybody but this address or network.
    pub only: Option<String>,
}

/// The edits that make all of it true on this export.
///
/// # Errors
/// Where one entry cannot carry what is left.
pub fn narrow(text: &str, less: &[&Narrow]) -> Result<Vec<Edit>, Refused> {
    if less.is_empty() {
        return Ok(Vec::new());
    }
    let config = read(SourceId(0), text).map_err(|e| Refused(e.message))?;
    let less: Vec<Narrow> = less.iter().map(|n| (*n).clone()).collect();
    edits(&config, &less)
}

pub(super) fn edits(config: &Config, less: &[Narrow]) -> Result<Vec<Edit>, Refused> {
    let mut numbers: Vec<usize> = less.iter().map(|n| n.forward).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut out = Vec::new();
    for number in numbers {
        let here: Vec<&Narrow> = less.iter().filter(|n| n.forward == number).collect();
        let forward = config.forwards.get(number).ok_or_else(|| Refused("a forward is gone".into()))?;
        let set = fields(forward, &here)?;
        out.push(Edit::SetForward { forward: number, set });
    }
    Ok(out)
}

/// What is left of one forward.
fn fields(forward: &Forward, less: &[&Narrow]) -> Result<Vec<ForwardField>, Refused> {
    let name = named(&forward.descr);
    let carried = forward.protocol.as_deref().unwrap_or_default();
    let both = carried == "tcp/udp";
    let protocols: &[&'static str] = match carried {
        "tcp" => &["tcp"],
        "udp" => &["udp"],
        "tcp/udp" => &["tcp", "udp"],
        _ => return Err(Refused(format!("{name} is for {carried}: give it the protocol that calls need"))),
    };
    let all = forward.destination.port.as_deref().filter(|_| forward.has_ports()).and_then(port_range);
    let Some((lo, hi)) = all else {
        return Err(Refused(format!("{name} forwards all ports: give it the ports that calls need")));
    };
    let whole = port_set(&[(lo, hi)]);
    if less.iter().any(|n| n.ports.iter().any(|(a, b)| *b < lo || hi < *a)) {
        return Err(Refused(format!("{name} lets in more than its ports say: look at it")));
    }
    // Only some senders: of all that it carries, or it is two forwards.
    if let Some(net) = less.iter().find_map(|n| n.only.clone()) {
        let same = less.iter().all(|n| n.only.as_ref() == Some(&net) && whole.is_subset(&port_set(&n.ports)));
        let all = protocols.iter().all(|p| less.iter().any(|n| n.protocol == *p));
        if same && all {
            return Ok(vec![ForwardField::Source(Some(net))]);
        }
        return Err(Refused(format!("{name} carries more than that: make two forwards of it, one of them from {net}")));
    }
    let left = |proto: &str| {
        let gone = less.iter().filter(|n| n.protocol == proto);
        gone.fold(whole.clone(), |left, n| left.minus(&port_set(&n.ports)))
    };
    let rest: Vec<(&'static str, Set)> =
        protocols.iter().map(|p| (*p, left(p))).filter(|(_, ports)| !ports.is_empty()).collect();
    let Some((_, ports)) = rest.first() else { return Ok(vec![ForwardField::Disabled(true)]) };
    if rest.iter().any(|(_, other)| other != ports) || ports.ranges().len() != 1 {
        let gone = whole.minus(ports);
        return Err(Refused(if rest.iter().any(|(_, other)| other != ports) {
            format!("{name} would carry other ports for TCP than for UDP: make two forwards of it")
        } else {
            format!("{name} covers {} in its middle: make two forwards of it", show_set(&gone))
        }));
    }
    let mut set = Vec::new();
    if both && let [(proto, _)] = rest[..] {
        set.push(ForwardField::Protocol(proto));
    }
    if *ports != whole {
        let (first, last) = ports.ranges()[0];
        let (first, last) = (u16::try_from(first).unwrap_or(lo), u16::try_from(last).unwrap_or(hi));
        set.push(ForwardField::Ports(first, last));
        if first != lo {
            // The first port that stays open goes where it went before.
            let local = forward.local_port.as_deref().and_then(|p| p.parse::<u16>().ok()).unwrap_or(lo);
            set.push(ForwardField::LocalPort(local.saturating_add(first - lo)));
        }
    }
    Ok(set)
}
