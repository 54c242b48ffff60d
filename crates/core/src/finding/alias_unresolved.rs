//! `alias-unresolved`: an alias does not hold the address that it stands for.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "alias-unresolved",
    severity: Severity::Error,
    title: "an alias does not hold the address that it stands for",
    explain: Explain {
        happens: "a rule asks for an alias. The firewall fills it from a name or a list while it runs; when that \
            fails, or is out of date, the alias holds nothing or the old address, and the rule does not apply.",
        who: "everybody whose calls need this rule.",
        recognised: "what the alias holds is not known, or it is known and does not hold the address that is asked.",
        todo: "look at what it holds (pfSense: Diagnostics > Tables) and state it in callpath.toml, aliases = { ... \
            }; correct the name, or the dynamic DNS client that should keep it up to date.",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::Alias
}

fn message(gap: &Gap) -> String {
    match gap.asked {
        Some(asked) if gap.doubt.is_none() => format!("an alias on {} does not hold {asked}", gap.name),
        _ => format!("what an alias on {} holds is not known, and it decides", gap.name),
    }
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
