//! How a text is put in force.

use super::names::identifier;
use crate::change::{Step, shell_word};

/// Where what was in force is kept.
const BEFORE: &str = "/root/before.nft";

/// Loads a text in place of the tables that it makes, in one transaction, and says how to return. `clears`: the text itself
/// takes away what there is of a table; `others`: tables in force that it does not make.
pub(in crate::dialect::nft) fn load(
    name: &str,
    tables: &[String],
    clears: &dyn Fn(&str) -> bool,
    others: &[String],
) -> (Vec<Step>, Vec<Step>) {
    let file = if name.starts_with('-') { shell_word(&format!("./{name}")) } else { shell_word(name) };
    let mut lines = vec![format!("nft list ruleset > {BEFORE}")];
    let mut first = Vec::new();
    let mut by_hand = Vec::new();
    for table in tables.iter().filter(|t| !clears(t)) {
        let plain = table.split_once(' ').is_some_and(|(_, name)| identifier(name).is_ok());
        if plain {
            // The first makes sure that the second finds one.
            first.extend([format!("echo 'add table {table}'"), format!("echo 'delete table {table}'")]);
        } else {
            by_hand.push(table.as_str());
        }
    }
    if first.is_empty() {
        lines.push(format!("nft -f {file}"));
    } else {
        lines.push(format!("({}; cat {file}) | nft -f -", first.join("; ")));
    }
    let mut notes = vec!["its rules may end your own session: keep another way to the device".to_owned()];
    if !by_hand.is_empty() {
        notes.push(format!("delete table {}", by_hand.join(", table ")));
    }
    let gone: Vec<&str> = others.iter().map(String::as_str).filter(|t| clears(t)).collect();
    if !gone.is_empty() {
        notes.push(format!("it takes away table {}: be ready to start again what made them", gone.join(", table ")));
    }
    let place = "on the device, as root, where the file lies";
    let steps = vec![Step::by_hand("before the file is loaded", notes), Step::by_hand(place, lines)];
    let back = format!("(echo 'flush ruleset'; cat {BEFORE}) | nft -f -");
    (steps, vec![Step::by_hand("on the device, as root", vec![back])])
}
