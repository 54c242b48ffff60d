//! `wan-address-behind-nat`: the public address is on another router, so forwards for the own address miss calls from inside.

use super::{Cause, Explain, Gap, Lack, Severity};

/// See the module.
pub static CAUSE: Cause = Cause {
    code: "wan-address-behind-nat",
    severity: Severity::Error,
    title: "the public address is on another router, so forwards for the own address miss calls from inside",
    explain: Explain {
        happens: "your router has a private address outside; another router in front of it has the public one. What \
            comes from the internet was translated there, so forwards for \"WAN address\" work. What comes from \
            inside goes to the public address, which is not your router's own: its forwards do not apply, the \
            packet leaves, and it depends on the router in front whether it comes back.",
        who: "people in your own network.",
        recognised: "forwards ask for the router's own outer address, calls from inside for another one.",
        todo: "forward the public address itself too, with reflection; where it changes, by an alias that follows \
            its name (the second half of the Spokes document).",
    },
    matches,
    message,
    because,
};

fn matches(gap: &Gap) -> bool {
    gap.lack == Lack::OwnAddress
}

fn message(gap: &Gap) -> String {
    let asked = gap.asked.map_or_else(|| "the public address".to_owned(), |a| a.to_string());
    format!("forwards on {} miss calls from inside to {asked}, the address of the router in front", gap.name)
}

fn because(gap: &Gap) -> String {
    let outer = gap.outer.map_or_else(String::new, |a| format!(", which has {a}"));
    format!("{}; the forwards ask for the address of {} itself{outer}", gap.story, gap.name)
}
