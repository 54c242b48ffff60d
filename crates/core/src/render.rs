//! `callpath render`: a product's whole recipe for one firewall, as file, as guide and as undo.

use crate::change::{Context, Manner, Step};
use crate::check::changes;
use crate::dialect::{About, DIALECTS, Patch, of_text};
use crate::manifest::{GatewayKind, Manifest};
use crate::model::SourceId;
use crate::profile::{Instance, instance, overlap};
use crate::report::{Severity, Verdict, lines_of_steps};
use crate::requirement::{Level, Party, Requirement};
use crate::snapshot::{InputError, Snapshot};
use crate::visible::{item, line};

/// What is rendered.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// The system.
    pub about: Option<&'static About>,
    /// The guide is the system's own recipe, with what is there already; else it is what `check` would change.
    pub whole: bool,
    /// File that it is for; empty when there was none.
    pub file: String,
    /// Number of that file.
    pub source: Option<SourceId>,
    /// Further files that are to be changed too.
    pub others: Vec<String>,
    /// The change, to be put into the file's original bytes.
    pub patches: Vec<Patch>,
    /// The whole recipe, for a person.
    pub guide: Vec<Step>,
    /// How to take it back.
    pub undo: Vec<Step>,
    /// What is to be done elsewhere, in no file of the firewall: a part of the guide.
    pub elsewhere: Vec<Step>,
    /// Nothing is missing.
    pub complete: bool,
    /// What the recipe leaves out, and why.
    pub notes: Vec<String>,
}

/// Systems that can be rendered for.
pub fn targets() -> Vec<&'static str> {
    let mut out = Vec::new();
    for target in DIALECTS.iter().filter_map(|d| d.about().target) {
        if !out.contains(&target) {
            out.push(target);
        }
    }
    out
}

/// Renders for a site.
///
/// # Errors
/// Input from which nothing can be rendered, or a system that is not known.
pub fn render(target: &str, snapshot: &Snapshot) -> Result<Rendered, InputError> {
    let mut rendered = rendered(target, snapshot)?;
    for steps in [&mut rendered.guide, &mut rendered.undo, &mut rendered.elsewhere] {
        lines_of_steps(steps);
    }
    for note in &mut rendered.notes {
        *note = item(&line(std::mem::take(note))).into_owned();
    }
    Ok(rendered)
}

fn rendered(target: &str, snapshot: &Snapshot) -> Result<Rendered, InputError> {
    let manifest = crate::site::manifest(snapshot)?;
    let instances = manifest.deploys.iter().map(instance).collect::<Result<Vec<_>, _>>()?;
    overlap::check(&instances)?;
    let of_target = |a: &About| a.target == Some(target);
    let Some(dialect) = DIALECTS.iter().find(|d| of_target(d.about())) else {
        return Err(InputError::about(target, "nothing is rendered for this firewall")
            .help(crate::manifest::known_names(target, "firewalls", targets())));
    };
    let files = manifest.gateways.iter().filter_map(|g| match &g.kind {
        GatewayKind::Read { files, .. } => Some(crate::dialect::expand(snapshot, files)),
        GatewayKind::Stated(_) | GatewayKind::Filter(_) => None,
    });
    let source = files
        .flatten()
        .filter_map(|f| snapshot.find(&f.value))
        .find(|id| snapshot.source(*id).is_some_and(|s| of_text(&s.text).is_some_and(|d| of_target(d.about()))));
    let context = Context {
        name: manifest.name.as_ref().map(|n| n.value.clone()),
        address: manifest.address.iter().map(|a| a.value).find(std::net::IpAddr::is_ipv4),
        alias: None,
        second_router: second_router(&manifest),
        manner: Manner::Least,
    };
    let text = source.and_then(|id| snapshot.source(id)).map(|s| (s.text.as_str(), source.unwrap_or_default()));
    let about = Some(dialect.about());
    let Some(recipe) = dialect.recipe(text, &instances, &context)? else {
        return Ok(Rendered { about, ..by_findings(snapshot, source)? });
    };
    Ok(Rendered {
        about,
        whole: true,
        file: source.and_then(|id| snapshot.source(id)).map(|s| s.name.clone()).unwrap_or_default(),
        source,
        others: Vec::new(),
        patches: vec![recipe.patch],
        guide: recipe.guide,
        undo: recipe.undo,
        elsewhere: Vec::new(),
        complete: recipe.complete && !lacks_ports(&instances),
        notes: notes(&instances),
    })
}

/// Calls hang on ports that nobody stated.
fn lacks_ports(instances: &[Instance]) -> bool {
    let wanted = |r: &Requirement| r.example && matches!(r.level, Level::Required | Level::Recommended);
    instances.iter().flat_map(|i| &i.requirements).any(wanted)
}

/// The outermost gateway that is read has another address than the public one.
fn second_router(manifest: &Manifest) -> bool {
    match manifest.gateways.first().map(|g| &g.kind) {
        Some(GatewayKind::Stated(_)) => true,
        Some(GatewayKind::Read { wan: Some(wan), .. }) => {
            manifest.address.iter().any(|a| a.value.is_ipv4() && wan.value.is_ipv4() && a.value != wan.value)
        }
        _ => false,
    }
}

/// What the recipe leaves out, and why.
fn notes(instances: &[Instance]) -> Vec<String> {
    let mut out = Vec::new();
    for instance in instances {
        for r in &instance.requirements {
            let line = match (r.level, r.from, r.to) {
                _ if r.example => format!("left out: {}, whose ports are not stated: {}", r.purpose, r.state_ports()),
                (_, Party::Peers, _) => format!("only for {}: {} ({})", r.sender(), r.what(), r.purpose),
                (Level::Forbidden, ..) => format!("never forward {}: {}", r.what(), r.purpose),
                (Level::OptionalAdmin, ..) => {
                    format!("optional, only from your own address: {} ({})", r.what(), r.purpose)
                }
                (Level::Admin, ..) if instance.deploy.admin.is_empty() => {
                    format!("{} ({}) only from your own address: add `admin = [\"<address>\"]`", r.what(), r.purpose)
                }
                (Level::Optional, _, Party::Server) => format!("optional: {} ({})", r.what(), r.purpose),
                (_, Party::Server, _) => {
                    format!("outwards: {} ({}), which firewalls let out unless told otherwise", r.what(), r.purpose)
                }
                _ => continue,
            };
            if !out.contains(&line) {
                out.push(line);
            }
        }
    }
    out
}

/// What `check` would change, in this file where nothing has to be.
fn by_findings(snapshot: &Snapshot, file: Option<SourceId>) -> Result<Rendered, InputError> {
    let mut out = Rendered::default();
    let (list, report) = changes(snapshot)?;
    for (id, patch) in list {
        // What has to be done on a stated box stands in the guide: its file is the manifest.
        if id == SourceId::MANIFEST {
            continue;
        }
        let file = snapshot.source(id).map(|s| s.name.clone()).unwrap_or_default();
        if out.source.is_none() {
            out.source = Some(id);
            out.file = file;
        } else if out.source != Some(id) {
            if !out.others.contains(&file) {
                out.others.push(file);
            }
            continue;
        }
        out.patches.push(patch);
    }
    if out.source.is_none() {
        out.source = file;
        out.file = file.and_then(|id| snapshot.source(id)).map(|s| s.name.clone()).unwrap_or_default();
    }
    // What is only good to know is no part of it.
    for finding in report.findings.iter().filter(|f| f.severity != Severity::Note) {
        if let Some(change) = &finding.change {
            out.guide.extend(change.steps.iter().cloned());
            out.undo.extend(change.undo.iter().cloned());
            if change.file != out.file {
                out.elsewhere.extend(change.steps.iter().cloned());
            }
        }
        if let Some(why) = &finding.refused {
            out.notes.push(format!("{}: {why}", finding.message));
        }
    }
    // Without a change something may still be wrong, or not known.
    out.complete = report.verdict == Verdict::Works && out.guide.is_empty() && out.notes.is_empty();
    Ok(out)
}
