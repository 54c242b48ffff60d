//! The devices of a network, with what is prepared of them once for all questions.

use super::route::Routing;
use crate::cube::Set;
use crate::model::{Device, Family};
use rustc_hash::FxHashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

/// The devices of a network. What was prepared for look-ups goes when one of them is changed.
#[derive(Debug, Default)]
pub struct Devices {
    all: Vec<Device>,
    prepared: OnceLock<Prepared>,
}

#[derive(Debug)]
struct Prepared {
    /// By device and family.
    routings: Vec<[OnceLock<Arc<Routing>>; 2]>,
    /// Who is on each segment.
    segments: FxHashMap<usize, Vec<Neighbour>>,
}

/// An interface on a segment.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub device: usize,
    pub interface: usize,
    /// Addresses that it answers for, by family.
    owned: [Set; 2],
}

impl Neighbour {
    pub fn owned(&self, family: Family) -> &Set {
        &self.owned[family as usize]
    }
}

impl Devices {
    fn prepared(&self) -> &Prepared {
        self.prepared.get_or_init(|| {
            let mut segments: FxHashMap<usize, Vec<Neighbour>> = FxHashMap::default();
            for (device, d) in self.all.iter().enumerate() {
                for (interface, i) in d.interfaces.iter().enumerate() {
                    let owned = [i.owned(Family::V4), i.owned(Family::V6)];
                    segments.entry(i.segment).or_default().push(Neighbour { device, interface, owned });
                }
            }
            Prepared { routings: self.all.iter().map(|_| Default::default()).collect(), segments }
        })
    }

    /// A device's routing.
    pub(super) fn routing(&self, device: usize, family: Family) -> Arc<Routing> {
        let cell = &self.prepared().routings[device][family as usize];
        Arc::clone(cell.get_or_init(|| Arc::new(Routing::new(&self.all[device], family))))
    }

    /// All interfaces on a segment, in the order of their devices.
    pub(super) fn on_segment(&self, segment: usize) -> &[Neighbour] {
        self.prepared().segments.get(&segment).map_or(&[], |list| list)
    }
}

impl Clone for Devices {
    /// For a change, most often: nothing is prepared.
    fn clone(&self) -> Self {
        self.all.clone().into()
    }
}

impl From<Vec<Device>> for Devices {
    fn from(all: Vec<Device>) -> Self {
        Self { all, prepared: OnceLock::new() }
    }
}

impl Deref for Devices {
    type Target = Vec<Device>;

    fn deref(&self) -> &Vec<Device> {
        &self.all
    }
}

impl DerefMut for Devices {
    fn deref_mut(&mut self) -> &mut Vec<Device> {
        self.prepared = OnceLock::new();
        &mut self.all
    }
}
