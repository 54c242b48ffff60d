//! `kernel`: settings by their names.

use super::raw::Setting;
use super::{At, known_names};
use crate::dialect::kernel::{Fact, Facts, Scope, names, setting};
use crate::model::SourceId;
use crate::snapshot::InputError;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// Names and values, however many dots TOML took for tables.
type Written = BTreeMap<Spanned<String>, Spanned<Setting>>;

/// A name with its value, and where both stand.
struct Line<'a> {
    name: String,
    at: Range<usize>,
    value: &'a Spanned<Setting>,
}

pub(super) fn facts(written: &Written) -> Result<Facts, InputError> {
    let mut lines = Vec::new();
    flatten("", written, &mut lines);
    // A map is sorted by name; what is said twice is named where it stands the second time.
    lines.sort_by_key(|l| l.at.start);
    let mut out = Facts::default();
    for line in lines {
        let name = At { value: line.name, span: line.at };
        let known = setting(&name.value).ok_or_else(|| {
            name.error(format!("callpath knows no setting `{}` of a kernel", name.value)).help(known_names(
                &name.value,
                "settings",
                names(),
            ))
        })?;
        if known.scope == Scope::Later {
            let all = name.value.replacen("default", "all", 1);
            return Err(name
                .error(format!("`{}` is for interfaces that will be made later", name.value))
                .help(format!("name one interface in the place of `default`, or all: `{all}`")));
        }
        let most = known.what.largest();
        let bad = |shown: &str| {
            let wrong = At { value: (), span: line.value.span() };
            let error = wrong.error(format!("`{}` has no value {shown}", name.value));
            Err(error.help(format!("it is a number from 0 to {most}, as `sysctl` shows it")))
        };
        let value = match line.value.get_ref() {
            Setting::Number(n) => match u8::try_from(*n).ok().filter(|v| *v <= most) {
                Some(value) => value,
                None => return bad(&n.to_string()),
            },
            Setting::Other(text) => return bad(&format!("`{text}`")),
            Setting::Table(_) => return bad("of this kind"),
        };
        let fact = Fact { setting: known, value, source: SourceId::MANIFEST, at: name.span.clone() };
        let more = Facts::of(fact);
        out.add(more).map_err(|_| {
            name.error(format!("`{}` says otherwise than the line before", name.value))
                .help("name each setting once, with the value that `sysctl` shows")
        })?;
    }
    Ok(out)
}

fn flatten<'a>(before: &str, written: &'a Written, out: &mut Vec<Line<'a>>) {
    for (part, value) in written {
        let name = if before.is_empty() { part.get_ref().clone() } else { format!("{before}.{}", part.get_ref()) };
        match value.get_ref() {
            Setting::Table(more) if !more.is_empty() => flatten(&name, more, out),
            _ => out.push(Line { name, at: part.span(), value }),
        }
    }
}
