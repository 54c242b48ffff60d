//! Which rule blocks: the one to name where chains call each other, and what stands behind it.

use crate::cube::Cube;
use crate::model::{Action, ChainId, Device, Family, OriginId, Pipeline, Rule, Step};
use crate::trace::{Ask, Detail, Did, Disposition, Hop, Journey, Network, Phase, Question};

/// So many rules that block one after the other are looked behind.
const MOST: usize = 256;

/// A rule that had the packet, in its chain. The frames of a packet go from the base chain inwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub chain: ChainId,
    pub rule: OriginId,
}

/// What stands behind the rule that blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behind {
    /// Rules that block one after the other, the first of them first.
    pub blockers: Vec<OriginId>,
    /// Something behind them lets the packets pass.
    pub passes: bool,
}

/// Where a packet ended on a device.
struct Stood<'a> {
    /// The rules that had the packet, from the base chain inwards; empty where the base chain ended.
    frames: Vec<Frame>,
    /// All rules that it met in this base chain.
    met: Vec<(OriginId, &'a Rule)>,
    /// The base chain that ended it.
    base: Option<ChainId>,
}

fn stood<'a>(pipeline: &'a Pipeline, hop: &Hop) -> Stood<'a> {
    let mut stack: Vec<(Frame, &Rule)> = Vec::new();
    let mut met = Vec::new();
    let mut base = None;
    for step in &hop.steps {
        let id = match step.did {
            Did::Rule(id) => id,
            Did::PolicyAccept(_) => {
                (stack, met, base) = (Vec::new(), Vec::new(), None);
                continue;
            }
            Did::PolicyDrop(chain) => {
                let met = if base == Some(chain) { met } else { Vec::new() };
                return Stood { frames: Vec::new(), met, base: Some(chain) };
            }
            Did::SessionNew | Did::SessionFound { .. } | Did::SessionInvalid | Did::Helper(_) | Did::SomeRule => {
                continue;
            }
        };
        let Some((chain, rule)) = find(pipeline, id) else { continue };
        while stack.last().is_some_and(|(_, top)| !top.calls().contains(&chain)) {
            stack.pop();
        }
        if stack.is_empty() && base != Some(chain) {
            met.clear();
            base = Some(chain);
        }
        stack.push((Frame { chain, rule: id }, rule));
        met.push((id, rule));
    }
    Stood { frames: stack.into_iter().map(|(f, _)| f).collect(), met, base }
}

fn find(pipeline: &Pipeline, id: OriginId) -> Option<(ChainId, &Rule)> {
    pipeline.chains.with_origin(id).next()
}

/// The rule to blame for the end of a packet: the one that ended it, or the one that sent it into a chain that only
/// refuses, or that others use too. Nothing where a chain's end decides.
pub(crate) fn blamed(device: &Device, hop: &Hop) -> Option<OriginId> {
    let pipeline = &device.pipeline;
    of_frames(pipeline, &stood(pipeline, hop).frames, Pipeline::blames_callers)
}

/// The rule before which a rule for these packets goes: the one to blame, or the one that sent them into its chain, where
/// others send packets too.
pub(crate) fn place(device: &Device, hop: &Hop) -> Option<OriginId> {
    let pipeline = &device.pipeline;
    of_frames(pipeline, &stood(pipeline, hop).frames, Pipeline::is_for_all_callers)
}

fn of_frames(pipeline: &Pipeline, frames: &[Frame], at_caller: fn(&Pipeline, ChainId) -> bool) -> Option<OriginId> {
    let mut outwards = frames.iter().rev();
    let mut here = outwards.next()?;
    for caller in outwards {
        if !at_caller(pipeline, here.chain) || !pipeline.origin(caller.rule).has_lines {
            break;
        }
        here = caller;
    }
    Some(here.rule)
}

/// Packets, as they leave their sender, and which of the conversation's packets ended.
pub(crate) struct Asked<'a> {
    pub from: usize,
    pub family: Family,
    pub packets: &'a Cube,
    pub phase: Phase,
}

/// Looks behind the rule that ended a packet: rules of the same base chain are left out, one after the other, until
/// something lets the packet go on, or nothing that could be left out is in its way.
pub(crate) fn behind(network: &Network, device: usize, hop: &Hop, asked: &Asked<'_>) -> Behind {
    let first = &network.devices[device].pipeline;
    let Some(base) = stood(first, hop).base else { return Behind { blockers: Vec::new(), passes: false } };
    let mut blockers: Vec<OriginId> = Vec::new();
    let mut left_out: Vec<OriginId> = Vec::new();
    let mut ended = Some(hop.clone());
    for _ in 0..MOST {
        let Some(hop) = ended else { return Behind { blockers, passes: true } };
        let stood = stood(first, &hop);
        let blocks = match of_frames(first, &stood.frames, Pipeline::blames_callers) {
            Some(rule) => vec![rule],
            // The list ended early: rules that leave it hide what stands below them.
            None => stood.met.iter().filter(|(_, rule)| rule.leaves()).map(|(id, _)| *id).collect(),
        };
        let usable = |id: &OriginId| first.origin(*id).has_lines && !left_out.contains(id);
        if blocks.is_empty() || !blocks.iter().all(usable) {
            return Behind { blockers, passes: false };
        }
        left_out.extend(&blocks);
        // Of a rule that may do anything, nothing says that it blocks.
        let open = |id: &OriginId| find(first, *id).is_some_and(|(_, rule)| may_do_anything(rule));
        blockers.extend(blocks.iter().filter(|id| !open(id)));
        let narrow = left_out.iter().any(|id| find(first, *id).is_some_and(|(_, rule)| rule.singles_out()));
        let without: Vec<(usize, OriginId)> = left_out.iter().map(|id| (device, *id)).collect();
        ended = match stopped((network, &without), device, base, asked, narrow) {
            Ok(hop) => hop,
            Err(()) => return Behind { blockers, passes: false },
        };
    }
    Behind { blockers, passes: false }
}

/// The hop at which packets still end in this base chain; an error where they only pass because nothing is left that
/// decides.
fn stopped(
    (network, without): (&Network, &[(usize, OriginId)]),
    device: usize,
    base: ChainId,
    asked: &Asked<'_>,
    narrow: bool,
) -> Result<Option<Hop>, ()> {
    let question = Question { from: asked.from, family: asked.family, packets: asked.packets.clone() };
    let until = if asked.phase == Phase::Request { Phase::Request } else { Phase::Next };
    let answer = Ask { without, ..Ask::new(network, &question, Detail::Rules) }.answer(until);
    let pipeline = &network.devices[device].pipeline;
    let journeys: Vec<&Journey> = answer.trips.iter().filter_map(|t| t.journey(asked.phase)).collect();
    if journeys.is_empty() {
        return Err(());
    }
    for j in &journeys {
        let hop = j.last();
        let stopped = matches!(j.end, Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_));
        let lost = stopped || j.end.is_unknown();
        if lost && hop.device == device && stood(pipeline, hop).base == Some(base) {
            return Ok(Some(hop.clone()));
        }
    }
    // A list that lets pass what none of its rules is about: only a rule about these packets blocks "before" that.
    let by_policy = |j: &&Journey| {
        let here = j.hops.iter().filter(|h| h.device == device).flat_map(|h| &h.steps);
        here.into_iter().any(|s| s.did == Did::PolicyAccept(base))
    };
    if !narrow && journeys.iter().all(by_policy) { Err(()) } else { Ok(None) }
}

/// A rule that blocks nothing itself, but leaves the list in which something below would let packets pass.
pub(crate) fn ends_list(pipeline: &Pipeline, id: OriginId) -> bool {
    find(pipeline, id)
        .is_some_and(|(_, rule)| rule.leaves() && rule.calls().into_iter().all(|to| !pipeline.is_for_all_callers(to)))
}

fn may_do_anything(rule: &Rule) -> bool {
    rule.steps.iter().any(|s| matches!(s, Step::Act(Action::Unmodelled(..))))
}
