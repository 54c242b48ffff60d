//! Many calls at a time.

use crate::grid::call::{First, call};
use crate::grid::cell::{Cell, Media};
use crate::namespace::Failure;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What was expected of a call, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The call.
    pub cell: Cell,
    /// How media went.
    pub real: Media,
    /// How it should have gone; none: nobody said.
    pub expected: Option<Media>,
}

impl Outcome {
    /// Did somebody say otherwise?
    pub fn differs(&self) -> bool {
        self.expected.is_some_and(|expected| expected != self.real)
    }
}

/// What callpath says about a call.
pub fn predicted(_cell: &Cell, _first: First) -> Option<Media> {
    None
}

/// Makes calls, so many at a time: most of a call is waiting.
///
/// # Errors
/// When the lab does not work.
pub fn run(cells: &[Cell], first: First, at_a_time: usize) -> Result<Vec<Outcome>, Failure> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    let results = Mutex::new(vec![None; cells.len()]);
    let work = || {
        while let Some((n, cell)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, cells.get(n)?))) {
            match call(cell, first) {
                Ok(media) => {
                    if let Ok(mut results) = results.lock() {
                        results[n] = Some(media);
                    }
                }
                Err(why) => {
                    // Nobody begins another call; the first reason is the best one.
                    next.store(cells.len(), Ordering::Relaxed);
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(format!("{cell}: {why}"));
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(work);
        }
    });
    if let Ok(Some(why)) = failure.into_inner() {
        return Err(why);
    }
    let results = results.into_inner().map_err(|_| "a call died")?;
    let outcome = |(cell, real): (&Cell, Option<Media>)| {
        let real = real.ok_or_else(|| format!("{cell}: the call was lost"))?;
        Ok(Outcome { cell: *cell, real, expected: predicted(cell, first) })
    };
    cells.iter().zip(results).map(outcome).collect()
}
