//! `callpath render`: a product's whole recipe for one firewall, as file, as guide and as undo.

use crate::call::changes;
use crate::change::{Context, Step};
use crate::dialect::{DIALECTS, Patch, pfsense};
use crate::manifest::{GatewayKind, parse};
use crate::model::SourceId;
use crate::profile::{instance, overlap};
use crate::snapshot::{InputError, Snapshot};

/// What is rendered.
#[derive(Debug, Clone, Default)]
pub struct Rendered {
    /// File that it is for; empty when there was none.
    pub file: String,
    /// Number of that file.
    pub source: Option<SourceId>,
    /// The change, to be put into the file's original bytes.
    pub patches: Vec<Patch>,
    /// The whole recipe, for a person.
    pub guide: Vec<Step>,
    /// How to take it back.
    pub undo: Vec<Step>,
    /// Nothing is missing.
    pub complete: bool,
}

/// Systems that can be rendered for.
pub const TARGETS: &[&str] = &["pfsense", "nftables"];

/// A configuration with nothing but a WAN and a LAN, for a firewall that was not exported.
const EMPTY: &str = "<?xml version=\"1.0\"?>\n<pfsense>\n\t<system></system>\n\t<interfaces>\n\t\t<wan>\n\t\t\t<enable></enable>\n\t\t\t<if>em0</if>\n\t\t\t<descr><![CDATA[WAN]]></descr>\n\t\t</wan>\n\t\t<lan>\n\t\t\t<enable></enable>\n\t\t\t<if>em1</if>\n\t\t\t<descr><![CDATA[LAN]]></descr>\n\t\t</lan>\n\t</interfaces>\n\t<nat></nat>\n\t<filter></filter>\n\t<aliases></aliases>\n</pfsense>\n";

/// Renders for a site.
///
/// # Errors
/// Input from which nothing can be rendered, or a system that is not known.
pub fn render(target: &str, snapshot: &Snapshot) -> Result<Rendered, InputError> {
    let manifest = parse(snapshot.manifest())?;
    let instances = manifest.deploys.iter().map(instance).collect::<Result<Vec<_>, _>>()?;
    overlap::check(&instances)?;
    match target {
        "pfsense" => {}
        "nftables" => return by_findings(snapshot),
        other => {
            return Err(InputError::about(other, "nothing is rendered for this system")
                .help(crate::manifest::known_names(other, "systems", TARGETS.iter().copied())));
        }
    }
    let files = manifest.gateways.iter().filter_map(|g| match &g.kind {
        GatewayKind::Read { files, .. } => Some(files),
        GatewayKind::Stated { .. } => None,
    });
    let dialect = DIALECTS.iter().find(|d| d.name == "pfsense");
    let source = files
        .flatten()
        .filter_map(|f| snapshot.find(&f.value))
        .find(|id| snapshot.source(*id).is_some_and(|s| dialect.is_some_and(|d| (d.looks_like)(&s.text))));
    let context = Context {
        name: manifest.name.as_ref().map(|n| n.value.clone()),
        address: manifest.address.iter().map(|a| a.value).find(std::net::IpAddr::is_ipv4),
        alias: None,
    };
    let edits = pfsense::recipe::recipe(&instances, &context);
    let text = source.and_then(|id| snapshot.source(id)).map_or(EMPTY, |s| &s.text);
    if let Some(id) = source {
        pfsense::read::read(id, text)?;
    }
    // The whole recipe is shown, also what is there already: it is the document with the user's own values.
    let bare = without_rules(text);
    let shown = |list: Vec<pfsense::guide::Step>| {
        list.into_iter().map(|s| Step { place: s.page, lines: s.lines, save: s.save }).collect::<Vec<_>>()
    };
    let missing = pfsense::guide::steps(&edits, text);
    Ok(Rendered {
        file: source.and_then(|id| snapshot.source(id)).map(|s| s.name.clone()).unwrap_or_default(),
        source,
        guide: shown(pfsense::guide::steps(&edits, &bare)),
        undo: shown(pfsense::guide::undo_steps(&edits, text)),
        complete: missing.is_empty(),
        patches: vec![Patch::PfSense(edits)],
    })
}

/// What `check` would change.
fn by_findings(snapshot: &Snapshot) -> Result<Rendered, InputError> {
    let mut out = Rendered::default();
    let (list, report) = changes(snapshot)?;
    for (id, patch) in list {
        out.source = Some(id);
        out.file = snapshot.source(id).map(|s| s.name.clone()).unwrap_or_default();
        out.patches.push(patch);
    }
    for change in report.findings.iter().filter_map(|f| f.change.as_ref()) {
        out.guide.extend(change.steps.iter().cloned());
        out.undo.extend(change.undo.iter().cloned());
    }
    out.complete = out.patches.is_empty();
    Ok(out)
}

/// The export with interfaces only.
fn without_rules(text: &str) -> String {
    let mut out = text.to_owned();
    for section in ["nat", "filter", "aliases"] {
        let (open, close) = (format!("<{section}>"), format!("</{section}>"));
        if let (Some(from), Some(to)) = (out.find(&format!("\n\t{open}")).map(|i| i + 2), out.rfind(&close))
            && from + open.len() <= to
        {
            out.replace_range(from + open.len()..to, "");
        } else if let (Some(from), Some(to)) = (out.find(&open), out.rfind(&close))
            && from + open.len() <= to
        {
            out.replace_range(from + open.len()..to, "");
        }
    }
    out.replace("<enablenatreflectionhelper>yes</enablenatreflectionhelper>", "")
        .replace("<enablenatreflectionhelper></enablenatreflectionhelper>", "")
}
