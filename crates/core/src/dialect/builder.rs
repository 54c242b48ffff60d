//! A device on its way from several documents: each adds its rules, and what they share is put in order at the end.

use super::document::{Document, Made};
use super::netfilter::Registered;
use crate::model::Device;
use std::sync::Arc;

/// Documents that may take away what another one makes, each with the name of its file.
pub(super) type Later = Vec<(Box<str>, Arc<dyn Document>)>;

/// A device that documents are lowered into, one after the other.
#[derive(Debug)]
pub struct DeviceBuilder<'d> {
    /// The device.
    pub device: &'d mut Device,
    /// Base chains of netfilter, which wait for those of all documents.
    pub(super) netfilter: Registered,
    /// Documents that are loaded after the one that is lowered now.
    later: Later,
}

impl<'d> DeviceBuilder<'d> {
    /// Nothing is in the device yet.
    pub fn new(device: &'d mut Device) -> Self {
        Self { device, netfilter: Registered::default(), later: Vec::new() }
    }

    /// What comes next is of another document; `file` is the name of its file, `later` what is loaded after it.
    pub(super) fn next(&mut self, file: &str, later: Later) {
        self.netfilter.next(file);
        self.later = later;
    }

    /// What becomes of an object of this document by those that are loaded after it: the first of them that touches it,
    /// by number and name of its file.
    pub(super) fn later(&self, object: &str) -> Option<(usize, &str, Made)> {
        let made = self.later.iter().enumerate().map(|(n, (file, d))| (n, &**file, d.made(object)));
        made.into_iter().find(|(.., made)| *made != Made::Left)
    }

    /// Puts in order what all documents share.
    pub fn finish(self) {
        self.netfilter.finish(&mut self.device.pipeline);
    }
}
