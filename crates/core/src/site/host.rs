//! A server's host, with the containers on it.

/// A host: its own device, and those that stand for the containers on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Host {
    /// Its device.
    pub device: usize,
    /// First and last device of its containers.
    pub containers: Option<(usize, usize)>,
}

impl Host {
    /// Whichever device it is.
    pub fn any() -> Self {
        Self { device: 0, containers: Some((0, usize::MAX)) }
    }

    /// A host without containers.
    pub fn alone(device: usize) -> Self {
        Self { device, containers: None }
    }

    /// The host itself or a container on it.
    pub fn has(self, device: usize) -> bool {
        device == self.device || self.containers.is_some_and(|(first, last)| (first..=last).contains(&device))
    }
}
