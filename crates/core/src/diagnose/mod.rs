//! From packets that are lost to what is missing. What was judged is read here; nothing is judged, and nothing changed.

pub(crate) mod blocks;
mod exposed;
mod forward;
mod merge;
mod outbound;

use crate::call::views::{self, Does, Packet};
use crate::change::{Intent, Packets, Wanted};
use crate::cube::{Cube, Set};
use crate::explain::Teller;
use crate::finding::{Gap, Lack, Near, Stands};
use crate::manifest::{Place, PortRanges, Proto, ProxyAt};
use crate::model::{Device, DoubtId, DoubtKind, Family, OriginId, Part, address_value, iface_value};
use crate::requirement::Party;
use crate::snapshot::Snapshot;
use crate::trace::{Did, Disposition, Hop, Journey, Phase, Val};
use crate::verdict::reach::{Certainty, Ending, crossed, helpers, journey};
use crate::verdict::{Failure, Judged};
use crate::vocabulary::{PortSet, port_ranges, port_set};
use blocks::{Asked, Behind};
use std::net::IpAddr;

/// Everything that is missing, in the order in which paths were judged.
pub(crate) fn gaps(snapshot: &Snapshot, a: &Judged) -> Vec<Gap> {
    let teller = &Teller::new(snapshot, a);
    let mut out = Vec::new();
    for failure in &a.judgement.failures {
        if let Some(gap) = (Look { a, teller, f: failure }).gap() {
            merge::add(a, &mut out, gap);
        }
    }
    for gap in outbound::strayed(a) {
        merge::add(a, &mut out, gap);
    }
    for reached in &a.judgement.reached {
        if let Some(gap) = exposed::exposed(a, reached) {
            merge::add(a, &mut out, gap);
        }
    }
    merge::inside_after_outside(&mut out);
    out
}

struct Look<'a> {
    a: &'a Judged,
    teller: &'a Teller<'a>,
    f: &'a Failure,
}

impl Look<'_> {
    fn gap(&self) -> Option<Gap> {
        let f = self.f;
        // Whatever else is wrong: nobody outside can reach an address that the provider shares.
        if f.requirement.from == Party::Callers
            && let Some(gap) = self.shared_address()
        {
            return Some(gap);
        }
        let back =
            matches!(f.region.ending, Ending::Lost(Phase::Reply) | Ending::Unknown(Phase::Reply) | Ending::WrongSource);
        if back
            && !self.inside()
            && f.region.doubts.is_empty()
            && let Some(gap) = self.another_line()
        {
            return Some(gap);
        }
        if f.region.certainty == Certainty::Unknown {
            return self.unknown();
        }
        if let Some(gap) = self.other_share() {
            return Some(gap);
        }
        match f.region.ending {
            Ending::Lost(Phase::Request) | Ending::OtherPort => self.request(&f.trip.request),
            Ending::Lost(phase) => self.answer(f.trip.journey(phase)?),
            Ending::WrongSource => self.wrong_source(),
            Ending::Works | Ending::Punched | Ending::Unknown(_) => None,
        }
    }

    fn net(&self) -> &[Device] {
        &self.a.site.network.devices
    }

    fn value(&self, v: Val) -> Option<u128> {
        match v {
            Val::Const(c) => Some(c),
            Val::Part(p, k) => self.f.region.part(p).min().map(|x| x.wrapping_add(k)),
            Val::Var(_) => None,
        }
    }

    /// The server's address in this family.
    fn host(&self) -> Option<IpAddr> {
        let proxy =
            self.a.instances[self.f.instance].deploy.proxy.as_ref().filter(|_| self.f.requirement.proxied.is_some());
        match proxy.and_then(|p| p.value.at.as_ref()).map(|at| &at.value) {
            Some(ProxyAt::Host(ip, _)) => return Some(*ip).filter(|ip| Family::of(*ip) == self.f.family),
            // What is meant for the gateway itself is to be let in there.
            Some(ProxyAt::Gateway) => return self.asked(),
            Some(ProxyAt::Outside) | None => {}
        }
        let hosts = &self.a.instances[self.f.instance].deploy.host;
        hosts.iter().map(|h| h.value).find(|h| Family::of(*h) == self.f.family)
    }

    fn asked(&self) -> Option<IpAddr> {
        self.f.region.part(Part::Dst).single().map(|v| self.f.family.address(v))
    }

    fn inside(&self) -> bool {
        !matches!(self.f.place, Place::Internet | Place::Caller(_))
    }

    fn is_router(&self, device: usize) -> bool {
        self.a.site.files.get(device).is_some_and(Option::is_some) && self.net()[device].is_router()
    }

    /// All ports that the product wants there, so that a forward that lacks one of them is mended as a whole.
    fn ports(&self) -> PortRanges {
        self.f.requirement.ports.clone()
    }

    /// Ports as a packet asks for them where it left a hop, or ended: a forward may have given others.
    fn ports_at(hop: &Hop, asked: PortRanges) -> PortRanges {
        match hop.header.dport {
            Val::Const(port) => u16::try_from(port).map_or(asked, |p| vec![(p, p)]),
            Val::Part(Part::DstPort, shift) => {
                let by = u16::try_from(shift % (u128::from(u16::MAX) + 1)).unwrap_or(0);
                let moved = |(lo, hi): (u16, u16)| match (lo.wrapping_add(by), hi.wrapping_add(by)) {
                    (lo, hi) if lo <= hi => vec![(lo, hi)],
                    (lo, hi) => vec![(0, hi), (lo, u16::MAX)],
                };
                asked.into_iter().flat_map(moved).collect()
            }
            Val::Part(..) | Val::Var(_) => asked,
        }
    }

    /// Nobody else may come in by what is opened for the administrator.
    fn admins(&self) -> Vec<ipnet::IpNet> {
        if self.f.requirement.from == Party::Peers {
            let uses = |p: &&crate::manifest::Peer| p.uses.iter().any(|u| u.value == self.f.requirement.id);
            let all = self.a.manifest.peers.iter().filter(uses).flat_map(|p| &p.address).map(|a| a.value);
            return all.filter(|a| Family::of(a.addr()) == self.f.family).collect();
        }
        if self.f.requirement.from != Party::Admin {
            return Vec::new();
        }
        let admins = self.a.instances[self.f.instance].deploy.admin.iter().map(|a| a.value);
        admins.filter(|a| Family::of(a.addr()) == self.f.family).collect()
    }

    fn failing(&self) -> Set {
        self.f.region.part(Part::DstPort)
    }

    fn iface_name(&self, device: usize, index: Option<usize>) -> Option<Box<str>> {
        index.and_then(|i| self.net()[device].interfaces.get(i)).map(|i| i.name.clone())
    }

    fn name(&self) -> String {
        let r = &self.f.requirement;
        let title = &self.a.instances[self.f.instance].profile.title;
        r.label.clone().unwrap_or_else(|| format!("{title} {}", r.id))
    }

    fn base(&self, lack: Lack, device: usize) -> Gap {
        let (mut story, reason) = self.teller.story_of(self.f);
        if let Some(local) = &self.f.not_local {
            story = format!("{story}. {local}");
        }
        Gap {
            lack,
            device,
            name: self.net()[device].name.to_string(),
            wanted: None,
            ports: vec![PortSet { proto: self.f.requirement.proto, ports: port_ranges(&self.failing()) }],
            host: self.host(),
            asked: self.asked(),
            outer: self.outer(device),
            family: self.f.family,
            paths: vec![self.f.path.clone()],
            who: self.f.place.to_string(),
            story,
            at: Vec::new(),
            doubt: None,
            leads: Vec::new(),
            lines: None,
            signalling: !self.f.same_port,
            reason,
            cured_on: None,
        }
    }

    fn outer(&self, device: usize) -> Option<IpAddr> {
        let d = &self.net()[device];
        let default = d.routes.iter().find(|r| r.to.prefix_len() == 0 && Family::of(r.to.addr()) == self.f.family)?;
        let crate::model::RouteTarget::Via(i, _) = default.target else { return None };
        d.interfaces.get(i)?.addresses.iter().map(ipnet::IpNet::addr).find(|a| Family::of(*a) == self.f.family)
    }

    fn request(&self, j: &Journey) -> Option<Gap> {
        let hop = j.last();
        let dst = self.value(hop.header.dst)?;
        let host = self.host().map(address_value);
        let for_host = host == Some(dst);
        let outward = self.f.requirement.from == Party::Server;
        if self.a.site.filters.contains(&hop.device) && matches!(j.end, Disposition::Dropped) {
            return self.filter(hop, false);
        }
        // A forward applied, but led astray: what filters say about the packet after that does not matter.
        if let Some((hop, view)) = self.translated(j).filter(|_| !outward) {
            let wanted = self.next_hop_inside(hop.device).map(address_value);
            let Does::Forward { to, .. } = view.does else { return None };
            if to.is_some_and(|(lo, _)| self.is_loopback(lo)) {
                return self.proxied(j);
            }
            if to.is_some_and(|(lo, hi)| lo == hi && Some(lo) != wanted) {
                return self.astray(j, Near::Target);
            }
            if self.f.same_port && hop.header.dport != Val::Part(Part::DstPort, 0) && !self.kept(hop.header.dport) {
                return self.astray(j, Near::Shift);
            }
        }
        // It left for the router in front, which has the public address, and came back: had it been forwarded at once, no
        // filter for what comes from outside would have seen it.
        let first = j.hops.iter().find(|h| h.device == hop.device);
        if let Some(first) =
            first.filter(|h| self.inside() && !outward && !std::ptr::eq(*h, hop) && h.in_iface.is_some())
            && let Some(gap) = self.forward(first.device, first).filter(|g| g.lack == Lack::OwnAddress)
        {
            return Some(gap);
        }
        match &j.end {
            Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_) if for_host || outward => {
                self.filter(hop, false)
            }
            // No forward makes a way out.
            _ if outward => None,
            Disposition::Dropped
            | Disposition::Rejected(_)
            | Disposition::Unheard(_)
            | Disposition::Delivered { .. }
                if self.is_router(hop.device) && !for_host =>
            {
                self.forward(hop.device, hop)
            }
            Disposition::Delivered { .. } if self.f.region.ending == Ending::OtherPort || for_host => {
                self.astray(j, Near::Shift)
            }
            Disposition::Delivered { .. }
            | Disposition::NeighborUnreachable
            | Disposition::NoRoute
            | Disposition::NotForwarding => match self.translated(j) {
                Some(_) => self.astray(j, Near::Target),
                None => self.beyond(j),
            },
            // On its way to a container of the host.
            Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_) if hop.device == self.f.goal => {
                self.filter(hop, false)
            }
            Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_) => self.beyond(j),
            // The server's own call came back with the server's own address.
            Disposition::MartianSource if self.f.place == Place::Own => self.wrong_source(),
            _ => None,
        }
    }

    fn is_loopback(&self, address: u128) -> bool {
        self.f.family.address(address).is_loopback()
    }

    /// Calls from inside go to a program on the router, which is no way for media.
    fn proxied(&self, j: &Journey) -> Option<Gap> {
        let (hop, view) = self.translated(j)?;
        let mut gap = self.base(Lack::Forward { near: Near::Interface, inside: true }, hop.device);
        gap.at = vec![view.origin];
        gap.wanted = self.forward_wanted(hop, Some(view.origin), Some(view.origin), true);
        Some(gap)
    }

    /// A fixed port that is the one asked.
    fn kept(&self, port: Val) -> bool {
        matches!(port, Val::Const(c) if self.failing().single() == Some(c))
    }

    /// It ended at a box that cannot be changed from here.
    fn beyond(&self, j: &Journey) -> Option<Gap> {
        let last = j.last().device;
        if !self.inside() {
            if self.is_box(last) {
                let lack = if self.f.other_way && self.f.requirement.proto == Proto::Udp {
                    Lack::OnlyTcp
                } else {
                    Lack::Forward { near: Near::Nothing, inside: false }
                };
                return Some(self.base(lack, last));
            }
            return None;
        }
        // From inside it left by a router that has forwards, but for another address.
        let hop = j.hops.iter().rev().find(|h| self.is_router(h.device) && h.in_iface.is_some())?;
        self.forward(hop.device, hop)
            .filter(|g| matches!(g.lack, Lack::OwnAddress | Lack::Alias | Lack::Forward { .. }))
    }

    /// A device without a file: stated or assumed.
    fn is_box(&self, device: usize) -> bool {
        self.net()[device].is_router() && !self.is_router(device)
    }

    fn shared_address(&self) -> Option<Gap> {
        let (device, outer) = self.a.shared_outer_address()?;
        let mut gap = self.base(Lack::SharedAddress, device);
        gap.outer = Some(outer);
        gap.ports = Vec::new();
        Some(gap)
    }

    /// Packets for ports of a shared address that are not the outermost router's.
    fn other_share(&self) -> Option<Gap> {
        let (share, (device, _)) = (self.a.site.share?, self.a.site.outermost?);
        let hop = self.f.trip.request.last();
        let ended = hop.device == self.a.site.internet && last_rule(hop) == Some(share);
        ended.then(|| self.base(Lack::PortSet, device))
    }

    fn unknown(&self) -> Option<Gap> {
        let f = self.f;
        let doubts = &f.region.doubts;
        let doubt = |(d, id): &(usize, DoubtId)| &self.net()[*d].pipeline.doubts[id.0 as usize];
        let about = |lack, of: &(usize, DoubtId)| {
            let mut gap = self.base(lack, of.0);
            gap.at = vec![doubt(of).origin];
            gap.doubt = Some(of.1);
            gap
        };
        if let Some(unread) = doubts.iter().find(|d| doubt(d).kind == DoubtKind::Unread) {
            return Some(about(Lack::NotUnderstood, unread));
        }
        if let Some(gap) = self.helper() {
            return Some(gap);
        }
        if let Some(alias) = doubts.iter().find(|d| self.is_router(d.0) && doubt(d).kind == DoubtKind::Alias) {
            return Some(about(Lack::Alias, alias));
        }
        if f.requirement.from == Party::Server {
            return None;
        }
        let j = journey(&f.trip, f.region.ending)?;
        if self.is_router(j.last().device) && matches!(j.end, Disposition::Delivered { listening: true }) {
            return self.proxied(j);
        }
        // Whether the box in front turns calls back: forwards of the public address itself make it not matter.
        if self.inside() && doubts.iter().all(|(d, _)| self.is_box(*d)) && !doubts.is_empty() {
            return self.beyond(j);
        }
        None
    }

    /// Answers leave by another line than the one by which the calls came.
    fn another_line(&self) -> Option<Gap> {
        let crossed = crossed(&self.f.trip)?;
        let mut gap = self.base(Lack::AnotherLine, crossed.device);
        let name =
            |i: usize| self.net()[crossed.device].interfaces.get(i).map_or_else(String::new, |i| i.shown().into());
        gap.lines = Some((name(crossed.came), name(crossed.leaves)));
        let own = self.host().filter(|_| crossed.device == self.f.goal);
        let request = &self.f.trip.request.hops;
        let here = request.iter().position(|h| h.device == crossed.device);
        let before =
            here.and_then(|n| request.get(n.checked_sub(1)?)).filter(|h| own.is_some() && self.is_router(h.device));
        // The router in front can put its own address into what it sends on: then answers return to it.
        if let Some((front, to, out)) = before.and_then(|h| Some((h, own?, self.iface_name(h.device, h.out_iface)?))) {
            let wanted =
                Wanted { intent: Intent::Masked { to, out }, nearest: None, deciding: None, name: "answers".into() };
            gap.cured_on = Some((front.device, self.net()[front.device].name.to_string()));
            gap.wanted = Some(wanted);
            return Some(gap);
        }
        let came = self.iface_name(crossed.device, Some(crossed.came))?;
        let intent = Intent::AnswersBack { family: self.f.family, came, own };
        // The rule that let the question in.
        let device = &self.net()[crossed.device];
        let let_in = here.and_then(|n| {
            request.get(n)?.rules().find(|id| {
                let accepts = views::rule(device, *id).is_some_and(|v| v.does == Does::Accept);
                accepts && device.pipeline.origin(*id).has_lines
            })
        });
        gap.wanted = Some(Wanted { intent, nearest: let_in, deciding: None, name: self.name() });
        Some(gap)
    }

    /// A helper has the packets, and the product's document wants none.
    fn helper(&self) -> Option<Gap> {
        let (device, id) = helpers(&self.f.trip).find(|h| self.f.region.doubts.contains(h))?;
        let advice = self.a.instances[self.f.instance].profile.helper.as_ref()?;
        let doubt = &self.net()[device].pipeline.doubts[id.0 as usize];
        let mut gap = self.base(Lack::Helper, device);
        gap.at = vec![doubt.origin];
        gap.doubt = Some(id);
        gap.story = format!("{}; {} ({})", doubt.what, advice.about, advice.source);
        let ports = port_ranges(&self.failing());
        let intent = Intent::NoHelper { proto: self.f.requirement.proto, ports };
        // A setting of the kernel is in no ruleset.
        let in_rules = self.net()[device].pipeline.origin(doubt.origin).at.end > 0;
        let wanted = Wanted { intent, nearest: Some(doubt.origin), deciding: None, name: self.name() };
        gap.wanted = Some(wanted).filter(|_| in_rules);
        Some(gap)
    }

    fn filter(&self, hop: &Hop, answers: bool) -> Option<Gap> {
        let device = hop.device;
        self.a.site.files.get(device).copied().flatten()?;
        let d = &self.net()[device];
        let deciding = match hop.steps.last().map(|s| &s.did) {
            Some(Did::PolicyDrop(chain)) => Some(d.pipeline.chain(*chain).origin),
            _ => blocks::place(d, hop),
        };
        let explicit = blocks::blamed(d, hop);
        let in_name = self.iface_name(device, hop.in_iface);
        let packet = Packet {
            iface: in_name.as_deref().map_or(0, iface_value),
            proto: self.f.requirement.proto.number(),
            dst: self.value(hop.header.dst)?,
            ports: port_set(&Self::ports_at(hop, port_ranges(&self.failing()))),
        };
        let generated = explicit.is_some_and(|id| !d.pipeline.origin(id).has_lines);
        let behind = (!generated).then(|| self.behind(hop, answers));
        let off = views::dormant(d).into_iter().find(|v| v.differs(&packet).is_empty() && v.asks.ports.is_some());
        let stands = match (&explicit, off.as_ref()) {
            _ if behind.as_ref().is_some_and(|b| b.passes) => Stands::BlockFirst,
            // The rule that would let them pass stands behind it too, but is switched off.
            (Some(_), Some(_)) if !generated => Stands::BlockFirst,
            (None, Some(_)) => Stands::Disabled,
            (Some(_), Some(_)) if generated => Stands::Disabled,
            (Some(_), _) if !generated => Stands::Block,
            _ => Stands::Nothing,
        };
        let mut gap = self.base(Lack::Filter { stands, answers }, device);
        gap.at = match stands {
            Stands::Disabled => off.iter().map(|v| v.origin).collect(),
            Stands::BlockFirst => match behind {
                Some(behind) if behind.passes => behind.blockers,
                _ => explicit.into_iter().collect(),
            },
            Stands::Block => explicit.into_iter().collect(),
            Stands::Nothing => deciding.into_iter().filter(|id| d.pipeline.origin(*id).has_lines).collect(),
        };
        let others = self.f.region.rules.len().saturating_sub(1);
        if others > 0 && matches!(stands, Stands::Block | Stands::BlockFirst) {
            let places = self.teller.others_of(self.f);
            let places = if places.is_empty() { places } else { format!(" ({places})") };
            gap.story = format!("{}; {others} more rules do the same to other packets of these{places}", gap.story);
        }
        // On the way out the destination is anybody's address: no rule for one host is what is missing.
        if self.f.requirement.from == Party::Server && !answers {
            return Some(gap);
        }
        let input = device == self.f.goal && hop.out_iface.is_none();
        let intent = if answers {
            Intent::AllowAnswers { family: self.f.family, input }
        } else {
            let packets = Packets {
                family: self.f.family,
                proto: self.f.requirement.proto,
                ports: Self::ports_at(hop, self.ports()),
                from: self.admins(),
                // On the server itself every way in counts, and what its interface is called need not be known.
                in_ifaces: in_name.filter(|_| !input).into_iter().collect(),
                out_iface: self.iface_name(device, hop.out_iface),
            };
            Intent::Allow { packets, to: self.f.family.address(packet.dst), input }
        };
        // Where rules leave the list early, the first of them is the place.
        let blocked = stands == Stands::BlockFirst;
        let deciding = if blocked { blocks::place(d, hop).or(gap.at.first().copied()).or(deciding) } else { deciding };
        let nearest = off.filter(|_| !blocked).map(|v| v.origin);
        gap.wanted = Some(Wanted { intent, nearest, deciding, name: self.name() });
        Some(gap)
    }

    /// What stands behind the rule that ends these packets.
    fn behind(&self, hop: &Hop, answers: bool) -> Behind {
        let phase = match self.f.region.ending {
            Ending::Lost(phase) if answers => phase,
            _ => Phase::Request,
        };
        let from = self.f.trip.request.hops.first().map_or(0, |h| h.device);
        // The packet whose way was told, whatever is not known.
        let packet = Cube { parts: self.f.trip.asked.parts.clone(), vars: Vec::new() };
        let asked = Asked { from, family: self.f.family, packets: &packet, phase };
        blocks::behind(&self.a.site.network, hop.device, hop, &asked)
    }

    fn answer(&self, j: &Journey) -> Option<Gap> {
        let hop = j.last();
        match j.end {
            Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_) => self.filter(hop, true),
            _ => self.untranslated(),
        }
    }

    /// What the server sent out arrived with the private address that it has itself.
    fn untranslated(&self) -> Option<Gap> {
        let request = &self.f.trip.request;
        let kept = request.last().header.src == Val::Part(Part::Src, 0);
        let own = self.host().is_some_and(|h| matches!(h, IpAddr::V4(a) if a.is_private()));
        if self.f.requirement.from != Party::Server || !kept || !own || request.last().device != self.a.site.internet {
            return None;
        }
        let hop = request.hops.iter().rev().find(|h| self.is_router(h.device))?;
        let other = views::source_translation(&self.net()[hop.device], self.f.family);
        let mut gap = self.base(Lack::OutboundNat { other: other.is_some() }, hop.device);
        gap.at = other.into_iter().collect();
        gap.wanted = hop.out_iface.zip(self.host()).map(|(leaves, own)| {
            let device = &self.net()[hop.device];
            let near = device.interfaces.iter().flat_map(|i| &i.addresses).find(|n| n.contains(&own));
            let public = self.a.site.public.filter(IpAddr::is_ipv4);
            outbound::wanted(device, leaves, near.map_or_else(|| own.into(), ipnet::IpNet::trunc), public)
        });
        Some(gap)
    }

    fn wrong_source(&self) -> Option<Gap> {
        let (hop, _) = self.translated(&self.f.trip.request)?;
        let mut gap = self.base(Lack::SourceNat, hop.device);
        let own = &self.net()[hop.device];
        let host = self.host()?;
        let out = own.interfaces.iter().find(|i| i.addresses.iter().any(|n| n.contains(&host)))?;
        let net = out.addresses.iter().find(|n| n.contains(&host))?;
        let packets = Packets {
            family: self.f.family,
            proto: self.f.requirement.proto,
            ports: Self::ports_at(hop, self.ports()),
            from: vec![net.trunc()],
            in_ifaces: vec![out.name.clone()],
            out_iface: Some(out.name.clone()),
        };
        let intent = Intent::SourceNat { packets, to: host };
        gap.wanted = Some(Wanted { intent, nearest: None, deciding: None, name: "hairpin".into() });
        Some(gap)
    }
}

/// The statement that decided last at a hop.
fn last_rule(hop: &Hop) -> Option<OriginId> {
    hop.rules().next_back()
}
