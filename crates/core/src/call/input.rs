//! What the manifest says of calls and is not possible.

use crate::manifest::{Manifest, Place};
use crate::profile::Instance;
use crate::requirement::{Level, Party};
use crate::site::Site;
use crate::site::address::is_public;
use crate::snapshot::InputError;

/// The manifest speaks of places, rows and addresses that the site has.
///
/// # Errors
/// What it has not.
pub(crate) fn check(manifest: &Manifest, instances: &[Instance], site: &Site) -> Result<(), InputError> {
    clients(instances, site)?;
    modes(instances)?;
    peers(manifest, instances)
}

/// `clients` may only name places that exist.
fn clients(instances: &[Instance], site: &Site) -> Result<(), InputError> {
    for (n, instance) in instances.iter().enumerate() {
        let places: Vec<Place> = site.vantages_of(site.server_of[n]).into_iter().map(|v| v.place).collect();
        for client in instance.deploy.clients.iter().flatten() {
            if client.value == Place::Own || places.contains(&client.value) {
                continue;
            }
            let known: Vec<String> = places.iter().chain([&Place::Own]).map(ToString::to_string).collect();
            let help =
                crate::manifest::known_names(&client.value.to_string(), "places", known.iter().map(String::as_str));
            return Err(client.error(format!("there is no place `{}` here", client.value)).help(help));
        }
    }
    Ok(())
}

/// `uses` may only name rows of what is installed.
fn peers(manifest: &Manifest, instances: &[Instance]) -> Result<(), InputError> {
    let rows = || {
        instances.iter().flat_map(|i| &i.requirements).filter(|r| r.to == Party::Server && r.level != Level::Forbidden)
    };
    for used in manifest.peers.iter().flat_map(|p| &p.uses) {
        if rows().any(|r| r.id == used.value) {
            continue;
        }
        let mut known: Vec<&str> = rows().map(|r| &*r.id).collect();
        known.dedup();
        let help = crate::manifest::known_names(&used.value, "rows", known);
        return Err(used.error(format!("nothing that is installed has a row `{}`", used.value)).help(help));
    }
    Ok(())
}

/// A mode in which the server holds the public address asks for a server that does.
fn modes(instances: &[Instance]) -> Result<(), InputError> {
    for instance in instances.iter().filter(|i| i.mode().is_some_and(|m| m.holds_address.is_some())) {
        let Some(mode) = &instance.deploy.mode else { continue };
        let Some(host) = instance.deploy.host.iter().find(|h| !is_public(h.value)) else { continue };
        let other = instance.profile.mode.iter().find(|m| m.holds_address.is_none());
        let other = other.map_or_else(String::new, |m| format!("; behind a router it is `mode = \"{}\"`", m.name));
        return Err(mode
            .error(format!(
                "mode `{}` means that the server holds the public address, and {} is private",
                mode.value, host.value
            ))
            .help(format!("write the public address as `host`{other}")));
    }
    Ok(())
}
