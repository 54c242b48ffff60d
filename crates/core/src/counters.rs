//! What a run costs, counted: the same on every machine, so that tests can say how it grows.

use std::cell::Cell;

/// Counts of one thread since they were last taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Questions asked of the trace, conversations included.
    pub asks: u64,
    /// Rules tried on pieces of a question.
    pub work: u64,
    /// Configuration files read, each time that one is.
    pub reads: u64,
}

thread_local! {
    static COUNTS: Cell<Counters> = const { Cell::new(Counters { asks: 0, work: 0, reads: 0 }) };
}

/// The counts, which begin again.
pub fn take() -> Counters {
    COUNTS.take()
}

pub(crate) fn count(change: impl FnOnce(&mut Counters)) {
    COUNTS.with(|counts| {
        let mut all = counts.get();
        change(&mut all);
        counts.set(all);
    });
}
