//! What all texts of one ruleset share.

use super::variables::Variables;
use crate::dialect::nft::ast::Removal;
use crate::dialect::nft::build::Build;
use crate::model::SourceId;
use crate::snapshot::Source;

pub(super) struct Env<'s> {
    pub sources: &'s [Source],
    pub build: Build,
    pub variables: Variables,
    /// Texts that are being read, the outermost first.
    pub including: Vec<SourceId>,
    /// All texts that were read.
    pub read: Vec<SourceId>,
    /// What is taken away from rules that other texts made.
    pub removes: Vec<Removal>,
    /// How many times files were included, and how many bytes these had.
    pub included: usize,
    pub included_bytes: usize,
    /// Something was understood at the outermost level.
    pub understood: bool,
}

impl<'s> Env<'s> {
    pub fn new(sources: &'s [Source]) -> Self {
        let (build, variables) = (Build::default(), Variables::default());
        Self {
            sources,
            build,
            variables,
            including: Vec::new(),
            read: Vec::new(),
            removes: Vec::new(),
            included: 0,
            included_bytes: 0,
            understood: false,
        }
    }
}
