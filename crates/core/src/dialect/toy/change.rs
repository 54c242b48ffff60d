//! Wanted changes as lines at the end of the configuration.

use crate::change::{Intent, Packets, Printed, Refused, Step, Wanted};
use std::net::IpAddr;

/// What makes wanted things true.
///
/// # Errors
/// When the toy has no word for it.
pub fn print(text: &str, wanted: &[Wanted]) -> Result<Printed, Refused> {
    let mut lines = Vec::new();
    for one in wanted {
        let found = match &one.intent {
            Intent::Forward { packets, to, port: None, hairpin: false, .. } => statements("forward", packets, *to)?,
            Intent::Allow { packets, to, input: false } => statements("allow", packets, *to)?,
            _ => return Err(Refused(format!("the toy has no line for `{}`", one.name))),
        };
        let name: String = one.name.chars().filter(|c| !c.is_control()).collect();
        lines.extend(found.into_iter().map(|l| format!("{l}  # callpath: {name}")));
    }
    let between = if text.ends_with('\n') { "" } else { "\n" };
    let step = |place: &str| Step::by_hand(place, lines.clone());
    Ok(Printed {
        text: format!("{text}{between}{}\n", lines.join("\n")),
        steps: vec![step("add these lines to the configuration")],
        undo: vec![step("remove these lines from the configuration")],
    })
}

fn statements(word: &str, packets: &Packets, to: IpAddr) -> Result<Vec<String>, Refused> {
    if !packets.from.is_empty() || !to.is_ipv4() || packets.ports.is_empty() {
        return Err(Refused("the toy names ports of IPv4 hosts, and no senders".into()));
    }
    let line = |(lo, hi): &(u16, u16)| {
        let ports = if lo == hi { lo.to_string() } else { format!("{lo}-{hi}") };
        format!("{word} {} {ports} to {to}", packets.proto.name())
    };
    Ok(packets.ports.iter().map(line).collect())
}
