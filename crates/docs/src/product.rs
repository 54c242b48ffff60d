//! A page for each product.

use crate::scenario::Scenario;
use crate::{Page, head, list, page, plain, sentence};
use callpath_core::manifest::First;
use callpath_core::ports::{Choice, Format, render};
use callpath_core::profile::{Instance, PROFILES, Profile};
use std::fmt::Write;

/// Sections of the sheet that come before what a reader does, and their headings here.
const BEFORE: [(&str, &str); 8] = [
    (OPEN, "Ports that must be reachable"),
    (CLOSED, "Ports that must stay closed"),
    ("Capacity", "How many participants"),
    ("Ranges", "About these ranges"),
    ("What clients are told", "What callers are told"),
    ("Hairpin", "Calls from your own network"),
    ("Helper (ALG)", "The router's SIP helper (ALG)"),
    ("Also", "Also to be set"),
];
const OPEN: &str = "Must be reachable";
const CLOSED: &str = "Must not be reached";
/// Sections about what its documents leave open.
const AFTER: [(&str, &str); 2] = [
    ("Where the product's own texts differ", "Where its own texts differ"),
    ("Not judged", "What its documents leave open"),
];

/// The index and a page for each profile.
pub fn pages(scenarios: &[Scenario]) -> Vec<Page> {
    let mut index = head("`profiles/`", "Products");
    index += "What each product needs from firewalls and NATs, as its own documents say it: ports, what must stay \
              closed, what callers are told, and how to check yours.\n\n";
    let mut pages = Vec::new();
    for (name, _) in PROFILES {
        // Every profile of the table is read by a test.
        let Some(instance) = choose(name, None) else { continue };
        let _ = writeln!(index, "- [{}]({name}.md): {}", instance.profile.title, plain(&instance.profile.about));
        pages.push(page(format!("docs/products/{name}.md"), product(&instance, scenarios)));
    }
    index += "\nEach table is also printed by `callpath ports <name>`, as text, Markdown, HTML or JSON.\n\nA \
              product that is not here is one file to write: see \
              [CONTRIBUTING.md](../../CONTRIBUTING.md#what-people-add-and-where).\n";
    pages.insert(0, page("docs/products/README.md", index));
    pages
}

fn choose(system: &str, mode: Option<&str>) -> Option<Instance> {
    let choice = Choice { system: system.to_owned(), mode: mode.map(str::to_owned), ..Choice::default() };
    choice.instance().ok()
}

fn product(instance: &Instance, scenarios: &[Scenario]) -> String {
    let profile = &instance.profile;
    let mut out = head(&format!("`profiles/{}.toml`", profile.name), &profile.title);
    let sheet = sections(instance);
    let _ = writeln!(out, "{}", sheet[0].1);
    for (title, heading) in BEFORE {
        section(&mut out, "##", heading, &sheet, title, profile);
    }
    check(&mut out, profile);
    modes(&mut out, instance);
    choices(&mut out, profile);
    for (title, heading) in AFTER {
        section(&mut out, "##", heading, &sheet, title, profile);
    }
    section(&mut out, "##", "Documents", &sheet, "Documents", profile);
    let here: Vec<&Scenario> = scenarios.iter().filter(|s| s.systems.contains(&profile.name)).collect();
    if !here.is_empty() {
        let _ = write!(out, "\n## Stories\n\nWhat goes wrong and what helps, each with its report:\n\n");
        out += &list(here.into_iter(), "../../", "");
    }
    out += "\n[All products](README.md)\n";
    out
}

/// The sheet of `callpath ports`: what stands before the first heading, then titles and texts.
fn sections(instance: &Instance) -> Vec<(String, String)> {
    let sheet = render(instance, Format::Markdown);
    let mut parts = sheet.split("\n## ");
    // The first line is the sheet's own heading.
    let first = parts.next().and_then(|p| p.split_once("\n\n")).map_or("", |(_, rest)| rest);
    let rest = parts.filter_map(|p| p.split_once("\n\n"));
    let all = std::iter::once(("", first)).chain(rest);
    all.map(|(title, text)| (title.to_owned(), text.trim_end().to_owned())).collect()
}

fn section(out: &mut String, level: &str, heading: &str, sheet: &[(String, String)], title: &str, profile: &Profile) {
    if let Some((_, text)) = sheet.iter().find(|(t, _)| t == title) {
        let _ = writeln!(out, "\n{level} {heading}\n");
        for line in text.lines() {
            let _ = writeln!(out, "{}", cited(line, profile));
        }
    }
}

/// The source at a line's end as a link to the document: `[ports: ICE/UDP]`.
fn cited(line: &str, profile: &Profile) -> String {
    let parts = line.strip_suffix(']').and_then(|l| l.rsplit_once(" ["));
    let Some((text, source)) = parts else { return line.to_owned() };
    if let Some(url) = source.split(' ').next().filter(|w| w.starts_with("https://")) {
        let host = url.split('/').nth(2).unwrap_or(url);
        return format!("{text} ([{host}]({url}))");
    }
    let document = source.split_once(':').and_then(|(name, _)| profile.documents.get(name));
    document.map_or_else(|| line.to_owned(), |url| format!("{text} ([{source}]({url}))"))
}

fn check(out: &mut String, profile: &Profile) {
    let (name, address, host, config) = ("voice.example.org", "203.0.113.5", "192.168.1.50", "config.xml");
    let first = First {
        name: Some(name.into()),
        address: Some(address.into()),
        system: profile.name.clone(),
        host: host.into(),
        config: vec![config.into()],
        ..First::default()
    };
    let _ = write!(
        out,
        "
## Check yours

This writes a first `callpath.toml` beside the files of your router; put in your own name and addresses, or leave the
options out, and it asks:

```sh
callpath init --system {} --name {name} --address {address} --host {host} --config {config}
```

```toml
{}```

`{config}` is a backup of pfSense (Diagnostics > Backup & Restore). For a Linux router it is
`[\"ruleset.nft\", \"ip-addr.json\"]`: what `nft list ruleset` and `ip -j addr` print. Then

```sh
callpath check             # who can call; and if somebody cannot, which rule it is and what to change
callpath render pfsense    # the whole recipe for pfSense, click by click
callpath render nftables   # for a Linux router: lines to paste
```
",
        profile.name,
        first.text(),
    );
}

/// Other ways to install it.
fn modes(out: &mut String, instance: &Instance) {
    let profile = &instance.profile;
    for mode in profile.mode.iter().filter(|m| m.name != instance.mode) {
        let Some(other) = choose(&profile.name, Some(&mode.name)) else { continue };
        let sheet = sections(&other);
        let _ = writeln!(out, "\n## Installed otherwise: `{}`\n\n{}", mode.name, sentence(&plain(&mode.about)));
        if let Some(why) = &mode.plain_http {
            let _ = writeln!(out, "\n> **Without TLS:** {}.", plain(why));
        }
        let _ = writeln!(out, "\nIn `callpath.toml`, below `system`: `mode = \"{}\"`.", mode.name);
        section(out, "###", "Ports that must be reachable then", &sheet, OPEN, profile);
        section(out, "###", "Ports that must stay closed then", &sheet, CLOSED, profile);
    }
}

/// What a deployment can say about itself.
fn choices(out: &mut String, profile: &Profile) {
    let used = |name: &str| profile.row.iter().any(|r| r.ports == name);
    let ports: Vec<_> = profile.parameter.iter().filter(|p| used(&p.name)).collect();
    if let Some(p) = ports.first() {
        out.push_str(
            "\n## Other ports\n\nWhere your installation uses others, say so in `callpath.toml`, below `system`: ",
        );
        let _ = write!(
            out,
            "`with = {{ {} = \"{}\" }}`.\n\n| Name | Ports | What they are for |\n|---|---|---|\n",
            p.name, p.default
        );
    }
    for p in ports {
        let example = if p.example { " (example, yours differs)" } else { "" };
        let _ = writeln!(out, "| `{}` | {}{example} | {} |", p.name, p.default, plain(&p.about));
    }
    let needed = |name: &str| profile.row.iter().any(|r| r.when.iter().any(|w| w == name));
    let features: Vec<_> = profile.feature.iter().filter(|f| needed(&f.name)).collect();
    if let Some(f) = features.first() {
        let key = if f.default { "off" } else { "on" };
        let _ = write!(
            out,
            "\n## Parts that are used or not\n\nBelow `system`: `{key} = [\"{}\"]`.\n\n| Name | Usually | What it is \
             |\n|---|---|---|\n",
            f.name
        );
    }
    for f in features {
        let _ = writeln!(out, "| `{}` | {} | {} |", f.name, if f.default { "on" } else { "off" }, plain(&f.about));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callpath_core::manifest::parse;

    #[test]
    fn no_section_of_a_sheet_is_left_out() {
        let known: Vec<&str> = BEFORE.iter().chain(&AFTER).map(|(title, _)| *title).chain(["", "Documents"]).collect();
        for (name, _) in PROFILES {
            for (title, _) in sections(&choose(name, None).expect("a profile")) {
                assert!(known.contains(&title.as_str()), "{name}: {title}");
            }
        }
    }

    #[test]
    fn the_first_manifest_of_every_product_is_one() {
        for page in &pages(&[])[1..] {
            let text = page.text.split("```toml\n").nth(1).and_then(|t| t.split("```").next()).expect("a manifest");
            let manifest = parse(text).unwrap_or_else(|e| panic!("{}: {}", page.path, e.message));
            assert!(page.path.ends_with(&format!("{}.md", manifest.deploys[0].system.value)));
        }
    }
}
