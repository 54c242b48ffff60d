//! Changes of one ruleset, which is read once for all of them.

use super::{Plan, without_helper};
use crate::change::{Intent, Planned, Refused, Wanted, added};
use crate::dialect::{Editor, On, includes};
use crate::model::SourceId;
use crate::snapshot::{Snapshot, Source};
use std::cell::OnceCell;

/// A ruleset and the files that it may include.
pub(in crate::dialect::nft) struct Ruleset {
    file: SourceId,
    /// All texts of the snapshot, and those alone that the device has.
    all: Vec<Source>,
    own: Vec<Source>,
    plan: OnceCell<Result<Plan, Refused>>,
}

impl Ruleset {
    /// A ruleset to be changed.
    pub fn new(snapshot: &Snapshot, file: SourceId) -> Self {
        let own = includes::of_device(snapshot, file);
        Self { file, all: snapshot.sources.clone(), own, plan: OnceCell::new() }
    }
}

impl Editor for Ruleset {
    fn plan(&self, wanted: &Wanted, on: &On<'_>) -> Result<Planned, Refused> {
        if matches!(wanted.intent, Intent::NoHelper { .. }) {
            return without_helper(self.file, &self.all, on.device, wanted);
        }
        let plan = self.plan.get_or_init(|| Plan::new(self.file, &self.own)).clone()?;
        let printed = plan.print(&on.device.pipeline, std::slice::from_ref(wanted))?;
        let text = self.own.get(usize::from(self.file.0)).map_or("", |s| &s.text);
        Ok(added(text, printed, on.device, wanted))
    }
}
