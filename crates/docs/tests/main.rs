//! The tests of the documents: one program, a module for each subject.

mod repository;
mod statements;
