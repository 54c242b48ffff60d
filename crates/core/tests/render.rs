//! What `render` prints for pfSense: for every product, in front and behind a second router, it makes calls work, adds
//! nothing a second time, leaves all other bytes alone, and is taken back byte for byte. And every parameter shows in
//! everything that is printed.

use callpath_core::check::analyze;
use callpath_core::dialect::apply;
use callpath_core::dialect::pfsense::splice;
use callpath_core::dialect::{Patch, pfsense};
use callpath_core::ports::{Choice, Format};
use callpath_core::profile::{PROFILES, find};
use callpath_core::render::render;
use callpath_core::report::Verdict;
use callpath_core::snapshot::{Snapshot, Source};

/// A firewall without any forward: the example without its rules.
fn bare() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/reflector/pfsense/config.xml");
    let text = std::fs::read_to_string(path).expect("the example");
    let nat = text.find("\t\t</outbound>\n").expect("outbound") + "\t\t</outbound>\n".len();
    let end = text.find("\t</nat>").expect("nat");
    let mut out = text.clone();
    out.replace_range(nat..end, "");
    let filter = out.find("\t<filter>\n").expect("filter") + "\t<filter>\n".len();
    let lan = out.find("\t\t<rule>\n\t\t\t<type>pass").expect("the LAN rule");
    out.replace_range(filter..lan, "");
    out.replace("\t\t<enablenatreflectionhelper>yes</enablenatreflectionhelper>\n", "")
}

fn site(front: &str, deploy: &str, config: &str) -> Snapshot {
    let manifest = format!(
        "name = \"voice.example.org\"\naddress = \"203.0.113.5\"\n{front}\n[[deploy]]\n{deploy}\nhost = \"192.168.1.60\"\n"
    );
    let sources = vec![
        Source { name: "callpath.toml".into(), text: manifest },
        Source { name: "config.xml".into(), text: config.to_owned() },
    ];
    Snapshot { sources, directory: String::new() }
}

const OWN: &str = "[[gateway]]\nconfig = \"config.xml\"\nwan = \"203.0.113.5\"";

fn behind(hairpin: bool) -> String {
    format!(
        "[[gateway]]\nlabel = \"provider's box\"\ninside = \"192.168.0.1/24\"\nforwards = \"all to 192.168.0.2\"\nhairpin = {hairpin}\n\n\
         [[gateway]]\nconfig = \"config.xml\"\nwan = \"192.168.0.2\""
    )
}

fn edits(patches: &[Patch]) -> Vec<pfsense::edit::Edit> {
    let lists = patches.iter().filter_map(|p| match p.of()? {
        pfsense::BackupChange::Edits(edits) => Some(edits.clone()),
        pfsense::BackupChange::Narrow(_) => None,
    });
    lists.flatten().collect()
}

#[test]
fn calls_work_after_it_for_every_product_and_it_is_taken_back() {
    let config = bare();
    let mut count = 0;
    for (product, _) in PROFILES {
        for front in [OWN.to_owned(), behind(false), behind(true)] {
            let admin = "admin = [\"45.79.7.7\"]";
            // Ports that every installation has others for are stated, else they are no part of the recipe.
            let examples = find(product).expect("profile").parameter.into_iter().filter(|p| p.example);
            let own: Vec<String> = examples.map(|p| format!("{} = \"{}\"", p.name, p.default)).collect();
            let deploy = format!("system = \"{product}\"\n{admin}\nwith = {{ {} }}", own.join(", "));
            let snapshot = site(&front, &deploy, &config);
            let before = analyze(&snapshot).unwrap_or_else(|e| panic!("{product}: {e}"));
            assert_ne!(before.verdict, Verdict::Works, "{product}");
            let rendered = render("pfsense", &snapshot).expect("a recipe");
            assert!(!rendered.complete && !rendered.guide.is_empty());
            let patches: Vec<&Patch> = rendered.patches.iter().collect();
            let after = apply(&config, &patches).expect("it can be done");
            let mut changed = snapshot.clone();
            changed.sources[1].text.clone_from(&after);
            let report = analyze(&changed).expect("an answer");
            assert_eq!(
                report.verdict,
                Verdict::Works,
                "{product}\n{front}\n{}\n{:#?}",
                report.headline,
                report.findings
            );
            assert_eq!(apply(&after, &patches).expect("again"), after, "{product}: a second run adds nothing");
            assert!(render("pfsense", &changed).expect("again").complete, "{product}");
            let printed = splice::print(&config, &edits(&rendered.patches)).expect("printed");
            assert_eq!(printed.xml, after);
            assert_eq!(splice::undo(&after, &printed.undo).expect("undo"), config, "{product}: byte for byte");
            outside_stays(&config, &after);
            count += 1;
        }
    }
    println!("{count} sites");
}

/// Every line of the file as it was stands in the new one, in the same order.
fn outside_stays(before: &str, after: &str) {
    let mut rest = after.lines();
    for line in before.lines() {
        // An empty section opens when something comes into it.
        let opened = line.replace("></aliases>", ">");
        assert!(rest.any(|l| l == line || l == opened), "`{line}` is gone");
    }
}

/// A product with a parameter changed, all features on that its rows need.
fn with(product: &str, parameter: &str, value: Option<&str>) -> (String, String, Vec<String>) {
    let profile = find(product).expect("profile");
    let row = profile
        .row
        .iter()
        .find(|r| r.ports == parameter)
        .unwrap_or_else(|| panic!("{product}: {parameter} is in no row"));
    let mode = row.mode.first().cloned().unwrap_or_else(|| profile.mode[0].name.clone());
    let on = row.when.clone();
    let list = on.iter().map(|f| format!("\"{f}\"")).collect::<Vec<_>>().join(", ");
    let with = value.map_or_else(String::new, |v| format!("with = {{ {parameter} = \"{v}\" }}\n"));
    (format!("system = \"{product}\"\nmode = \"{mode}\"\non = [{list}]\n{with}"), mode, on)
}

/// Other ports of the same number, where nothing else is.
fn other(default: &str) -> String {
    let bounds: Vec<u32> = default.split('-').filter_map(|p| p.trim().parse().ok()).collect();
    match bounds[..] {
        [lo, hi] => format!("{}-{}", 33000, 33000 + (hi - lo).min(30000)),
        _ => "33007".into(),
    }
}

#[test]
fn every_parameter_shows_in_ports_check_render_and_guide() {
    let config = bare();
    let mut count = 0;
    for (product, _) in PROFILES {
        let profile = find(product).expect("profile");
        for parameter in &profile.parameter {
            let value = other(&parameter.default);
            let shown = |value: Option<&str>| {
                let (deploy, mode, on) = with(product, &parameter.name, value);
                let snapshot = site(OWN, &deploy, &config);
                let check = analyze(&snapshot).unwrap_or_else(|e| panic!("{product} {}: {e}", parameter.name)).json();
                let rendered = render("pfsense", &snapshot).expect("a recipe");
                let guide = format!("{:?} {:?}", rendered.guide, rendered.notes);
                let choice = Choice {
                    system: (*product).to_owned(),
                    mode: Some(mode),
                    with: value.map(|v| format!("{}={v}", parameter.name)).into_iter().collect(),
                    on,
                    off: Vec::new(),
                };
                let instance = choice.instance().expect("a choice");
                let formats = [Format::Text, Format::Markdown, Format::Json, Format::Html];
                let ports = formats.map(|f| callpath_core::ports::render(&instance, f)).join("\n");
                [check, guide, ports]
            };
            let (as_it_is, changed) = (shown(None), shown(Some(&value)));
            for (what, (a, b)) in ["check", "guide", "ports"].iter().zip(as_it_is.iter().zip(&changed)) {
                assert_ne!(a, b, "{product}: {} = {value} does not show in {what}", parameter.name);
            }
            count += 1;
        }
    }
    println!("{count} parameters");
}
