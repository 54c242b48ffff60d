//! `told-leads-nowhere`: callers outside are told an address for media that is private, or not the site's.

use super::{Cause, Explain, Gap, Lack, Severity};
use crate::vocabulary::list;

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "told-leads-nowhere",
    severity: Severity::Error,
    title: "callers are told an address for media that leads nowhere from where they are",
    explain: Explain {
        happens: "signalling works, people are called and answer, and hear nothing. The server tells them an address \
            for media that is private, so that no way leads to it from the internet, or that the site does not \
            have.",
        who: "callers outside the networks of the site.",
        recognised: "`told` in callpath.toml says which address the product tells them, and no device of the site can be \
            reached by it from the internet. Or the product asks outside which address it has, by another line \
            than the one by which it is called.",
        todo: "set the product's external media address to the public address, or to a name that resolves to it.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    matches!(gap.lack, Lack::Told(_))
}

fn message(gap: &Gap) -> String {
    let told = match &gap.lack {
        Lack::Told(told) if !told.is_empty() => list(told),
        _ => "the address of another line".to_owned(),
    };
    format!("{} tells {} {told}, by which media does not reach it from there", gap.name, gap.who)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
