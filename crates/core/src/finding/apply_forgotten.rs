//! `apply-forgotten`: the firewall does not yet do what its configuration says.

use super::{Cause, Explain, Gap, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "apply-forgotten",
    severity: Severity::Error,
    title: "the firewall does not yet do what its configuration says",
    explain: Explain {
        happens: "the configuration was changed, but the rules in force are still the old ones. On pfSense, changes \
            wait for \"Apply Changes\".",
        who: "whoever made the change and sees no effect.",
        recognised: "the configuration and the rules in force (config.xml and /tmp/rules.debug) have different fates for \
            the same packets.",
        todo: "apply the changes (pfSense: Status > Filter Reload also does it), and save the rules in force again.",
    },
    // Two configurations that differ are no gap: `diagnose` compares them as a whole.
    matches: |_| false,
    message,
    because,
};

fn message(gap: &Gap) -> String {
    format!("{} does not yet do what its configuration says", gap.name)
}

fn because(gap: &Gap) -> String {
    gap.story.clone()
}
