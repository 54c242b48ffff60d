//! The trace: where every packet of a set ends, exactly, with the rules that decide.
//!
//! A question is a set of first packets leaving one device. The answer is a list of round trips; their `asked` cubes
//! partition the question (times the variables that devices and the world add).

mod answer;

pub use answer::{
    Answer, Choice, Did, Disposition, Header, Hop, Journey, Network, Phase, Question, RoundTrip, TraceStep, Val,
    Variable,
};
