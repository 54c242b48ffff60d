//! A profile that builds on another: what it says wins, what it does not say is taken from its base.

use super::{PROFILES, Profile};
use serde::Deserialize;
use toml::{Table, Value};

/// Lists whose members have a name, and the key that holds it.
const NAMED: [(&str, &str); 3] = [("parameter", "name"), ("feature", "name"), ("row", "id")];

/// Reads one of the profiles.
///
/// # Errors
/// The message of the TOML reader, or the name of a profile that does not exist.
pub(super) fn read(name: &str) -> Result<Profile, String> {
    parse(text_of(name)?).map_err(|e| format!("{name}: {e}"))
}

fn text_of(name: &str) -> Result<&'static str, String> {
    let found = PROFILES.iter().find(|(n, _)| *n == name);
    found.map(|(_, text)| *text).ok_or_else(|| format!("no profile `{name}`"))
}

/// Reads a profile's text. Its base is one of [`PROFILES`].
///
/// # Errors
/// The message of the TOML reader, or the name of a base that does not exist.
pub fn parse(text: &str) -> Result<Profile, String> {
    let child = text.parse::<Table>().map_err(|e| e.to_string())?;
    let whole = match child.get("base").and_then(Value::as_str) {
        Some(base) => merge(text_of(base)?.parse::<Table>().map_err(|e| format!("{base}: {e}"))?, child),
        None => child,
    };
    Profile::deserialize(Value::Table(whole)).map_err(|e| e.to_string())
}

/// Keys of the child replace those of the base. Documents are joined; parameters, features and rows are matched by name
/// and then key by key. A row of the base falls away when it is in `drop`, when the child has none of its modes, and a
/// parameter, feature or document of the base when nothing needs it any more.
fn merge(base: Table, mut child: Table) -> Table {
    let drop = strings(child.get("drop"));
    let mut out = base;
    for (list, key) in NAMED {
        let own = tables(child.remove(list));
        let mut old = tables(out.remove(list));
        if list == "row" {
            old.retain(|r| !drop.iter().any(|d| name_of(r, key) == d));
        }
        out.insert(list.into(), Value::Array(by_name(old, own, key)));
    }
    for (key, value) in child {
        match (out.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => old.extend(new),
            (_, value) => {
                out.insert(key, value);
            }
        }
    }
    prune(&mut out);
    out
}

/// The base's members in their order, each replaced by the child's members of its name; further ones at the end.
fn by_name(old: Vec<Table>, own: Vec<Table>, key: &str) -> Vec<Value> {
    let mut out: Vec<Table> = Vec::new();
    let mut done: Vec<String> = Vec::new();
    for member in old {
        let name = name_of(&member, key).to_owned();
        if done.contains(&name) {
            continue;
        }
        let new: Vec<&Table> = own.iter().filter(|o| name_of(o, key) == name).collect();
        if new.is_empty() {
            out.push(member);
            continue;
        }
        for changed in new {
            let mut whole = member.clone();
            whole.extend(changed.clone());
            out.push(whole);
        }
        done.push(name);
    }
    out.extend(own.into_iter().filter(|o| !done.iter().any(|d| d == name_of(o, key))));
    out.into_iter().map(Value::Table).collect()
}

/// Removes what only rows that fell away needed.
fn prune(profile: &mut Table) {
    let modes: Vec<String> = each(profile, "mode").map(|m| name_of(m, "name").to_owned()).collect();
    if let Some(Value::Array(rows)) = profile.get_mut("row") {
        rows.retain_mut(|row| {
            let Some(Value::Array(list)) = row.get_mut("mode") else { return true };
            let all = list.is_empty();
            list.retain(|m| m.as_str().is_some_and(|m| modes.iter().any(|n| n == m)));
            all || !list.is_empty()
        });
    }
    let ports: Vec<String> = each(profile, "row").map(|r| name_of(r, "ports").to_owned()).collect();
    let when: Vec<String> = each(profile, "row").flat_map(|r| strings(r.get("when"))).collect();
    for (list, needed) in [("parameter", ports), ("feature", when)] {
        if let Some(Value::Array(members)) = profile.get_mut(list) {
            members.retain(|m| m.as_table().is_none_or(|m| needed.iter().any(|n| n == name_of(m, "name"))));
        }
    }
    let mut sources = Vec::new();
    collect_sources(&Value::Table(profile.clone()), &mut sources);
    if let Some(Value::Table(documents)) = profile.get_mut("documents") {
        documents.retain(|name, _| sources.iter().any(|s| s == name));
    }
}

/// Short names of all documents that are cited.
fn collect_sources(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Table(table) => {
            if let Some(Value::String(source)) = table.get("source") {
                out.extend(source.split("; ").filter_map(|s| s.split(':').next()).map(str::to_owned));
            }
            table.values().for_each(|v| collect_sources(v, out));
        }
        Value::Array(list) => list.iter().for_each(|v| collect_sources(v, out)),
        _ => {}
    }
}

fn each<'a>(profile: &'a Table, list: &str) -> impl Iterator<Item = &'a Table> {
    profile.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn name_of<'a>(member: &'a Table, key: &str) -> &'a str {
    member.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn tables(value: Option<Value>) -> Vec<Table> {
    let Some(Value::Array(list)) = value else { return Vec::new() };
    list.into_iter().filter_map(|v| if let Value::Table(t) = v { Some(t) } else { None }).collect()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
