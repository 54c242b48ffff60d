//! Many calls at a time.

use crate::grid::call::{First, Program, call};
use crate::grid::cell::{Caller, Cell, Firewall, Gateway, Ice, Media, Stun, every, tenth};
use crate::grid::predict::predicted;
use crate::namespace::Failure;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A call to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Through what.
    pub cell: Cell,
    /// By what.
    pub program: Program,
}

/// What came of a call, and what was expected.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The call.
    pub call: Call,
    /// How media went.
    pub real: Media,
    /// How callpath says that it goes.
    pub expected: Media,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.program {
            Program::App => self.cell.fmt(f),
            Program::Chromium => write!(f, "{}, Chromium", self.cell),
        }
    }
}

impl Outcome {
    /// Does callpath say otherwise?
    pub fn differs(&self) -> bool {
        self.expected != self.real
    }
}

/// The whole grid by an app, and by a browser where browsers are apart: beside the server, and at home.
pub fn every_call() -> Vec<Call> {
    let mut calls: Vec<Call> = every().into_iter().map(|cell| Call { cell, program: Program::App }).collect();
    for &gateway in Gateway::ALL {
        for &ice in Ice::ALL {
            for caller in [Caller::LanListening, Caller::LanApp, Caller::Home] {
                let cell = Cell { gateway, firewall: Firewall::Open, ice, stun: Stun::Known, caller };
                calls.push(Call { cell, program: Program::Chromium });
            }
        }
    }
    calls
}

/// A tenth of the grid by an app, and two calls by a browser: what the microphone's permission changes.
pub fn tenth_of_calls() -> Vec<Call> {
    let mut calls: Vec<Call> = tenth().into_iter().map(|cell| Call { cell, program: Program::App }).collect();
    calls.extend([Caller::LanListening, Caller::LanApp].map(|caller| {
        let (gateway, firewall) = (Gateway::NoHairpin, Firewall::Open);
        Call { cell: Cell { gateway, firewall, ice: Ice::Full, stun: Stun::Known, caller }, program: Program::Chromium }
    }));
    calls
}

/// Browsers that may run at a time: other than an app they need more than a moment of the processor.
const BROWSERS: usize = 3;

/// Makes calls, so many at a time: most of a call is waiting.
///
/// # Errors
/// When the lab does not work.
pub fn run(calls: &[Call], first: First, at_a_time: usize) -> Result<Vec<Outcome>, Failure> {
    let of = |program| calls.iter().copied().filter(move |c| c.program == program).collect::<Vec<_>>();
    let mut outcomes = make(&of(Program::App), first, at_a_time)?;
    outcomes.extend(make(&of(Program::Chromium), first, at_a_time.min(BROWSERS))?);
    Ok(outcomes)
}

fn make(calls: &[Call], first: First, at_a_time: usize) -> Result<Vec<Outcome>, Failure> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    let results = Mutex::new(vec![None; calls.len()]);
    let work = || {
        while let Some((n, one)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, calls.get(n)?))) {
            match call(one.cell, one.program, first) {
                Ok(media) => {
                    if let Ok(mut results) = results.lock() {
                        results[n] = Some(media);
                    }
                }
                Err(why) => {
                    // Nobody begins another call; the first reason is the best one.
                    next.store(calls.len(), Ordering::Relaxed);
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(format!("{one}: {why}"));
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
    let outcome = |(call, real): (&Call, Option<Media>)| {
        let real = real.ok_or_else(|| format!("{call}: the call was lost"))?;
        let expected = predicted(call.cell, first).map_err(|why| format!("{call}: {why}"))?;
        Ok(Outcome { call: *call, real, expected })
    };
    calls.iter().zip(results).map(outcome).collect()
}
