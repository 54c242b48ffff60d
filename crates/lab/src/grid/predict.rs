//! What callpath says about a call, from the same rules.

use crate::grid::call::First;
use crate::grid::cell::{Caller, Cell, Firewall, Ice, Media, Stun};
use crate::grid::rules::{gateway_rules, server_rules};
use callpath_core::check::analyze;
use callpath_core::report::{Path, Reach};
use callpath_core::snapshot::{Snapshot, Source};

/// How media of a call should go; an error when callpath gives no answer, or does not know.
///
/// # Errors
/// What callpath says instead of an answer.
pub fn predicted(cell: Cell, first: First) -> Result<Media, String> {
    let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let mut sources =
        vec![source("callpath.toml", &manifest(cell)), source("gateway.nft", gateway_rules(cell.gateway))];
    if cell.firewall != Firewall::Open {
        sources.push(source("server.nft", server_rules(cell.firewall)));
    }
    let report = analyze(&Snapshot { sources, directory: String::new() }).map_err(|e| e.message)?;
    let id = format!("site/{}", place(cell.caller));
    let path = report.paths.iter().find(|p| p.id == id).ok_or_else(|| format!("{id} is not judged"))?;
    media(path, first).ok_or_else(|| format!("{id} is {}", path.verdict.word()))
}

fn manifest(cell: Cell) -> String {
    let ice = match cell.ice {
        Ice::Full => "full",
        Ice::Lite => "lite",
    };
    let firewall = if cell.firewall == Firewall::Open { "" } else { "firewall = \"server.nft\"\n" };
    format!(
        "address = \"203.0.113.10\"\n\
         [[gateway]]\n\
         config = \"gateway.nft\"\n\
         interfaces = {{ wan = \"203.0.113.10/24\", lan = \"192.168.1.1/24\" }}\n\
         [[deploy]]\n\
         system = \"spokes\"\n\
         label = \"site\"\n\
         host = \"192.168.1.50\"\n\
         ice = \"{ice}\"\n\
         stun = {}\n\
         {firewall}",
        cell.stun == Stun::Known
    )
}

/// The caller in a path's id.
fn place(caller: Caller) -> &'static str {
    match caller {
        Caller::Public => "internet:public",
        Caller::Home => "internet:home",
        Caller::Symmetric => "internet:symmetric",
        Caller::LanApp => "lan:app",
        Caller::LanListening => "lan:listening",
        Caller::UdpBlocked => "internet:udp-blocked",
    }
}

/// The first way of media that is open.
fn media(path: &Path, first: First) -> Option<Media> {
    for way in path.legs.iter().filter(|l| l.kind == "media").flat_map(|l| &l.any_of) {
        match way.reach {
            Reach::Open | Reach::Punched => {
                return Some(if way.what.starts_with("udp") { Media::Udp } else { Media::Tcp });
            }
            // The gateways here keep a stranger's packet as a session of its own: the hole is there if the server's
            // packet came before.
            Reach::Chance if first == First::Server => return Some(Media::Udp),
            Reach::Chance | Reach::Closed | Reach::Partly => {}
            Reach::Unknown => return None,
        }
    }
    Some(Media::None)
}
