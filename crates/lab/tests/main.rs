//! The tests of the lab: one program, a module for each subject.

mod documents;
mod mutants;
mod routing;
