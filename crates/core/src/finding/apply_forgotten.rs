//! `apply-forgotten`: the firewall does not yet do what its configuration says.

use super::{Cause, Explain, Gap, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "apply-forgotten",
    severity: Severity::Error,
    title: "the firewall does not yet do what its configuration says",
    explain: Explain {
        happens: "the configuration was changed, but the rules in force are still the old ones. On pfSense, changes \
            wait for \"Apply Changes\"; a file of nftables waits until somebody loads it. Or rules were changed by hand, and \
            are gone after the next start.",
        who: "whoever made the change and sees no effect.",
        recognised: "the configuration and the rules in force have different fates for the same \
            packets: config.xml and /tmp/rules.debug of pfSense, `boot` and what `nft list ruleset` prints.",
        todo: "apply the changes (pfSense: Status > Filter Reload also does it; nftables: load the file), and save the rules \
            in force again. Where what is in force is right, write it into the configuration.",
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
