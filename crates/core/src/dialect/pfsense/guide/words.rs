//! Values in the words of pfSense's fields.

use crate::dialect::pfsense::edit::Reflection;
use crate::dialect::pfsense::splice::sections::{El, Tree, child, text};
use crate::dialect::pfsense::splice::{What, descr};
use crate::visible::{hidden, named};

/// An interface by the description that its menus show. One that could be taken for the next menus stands in quotation
/// marks; one that holds such marks, or what cannot be seen, does not stand there at all.
pub(super) fn interface(tree: &Tree, name: &str) -> String {
    let entry = tree.section("interfaces").ok().flatten().and_then(|i| child(i, name));
    let given = entry.map(descr).filter(|d| !d.is_empty() && shows(d)).map(|d| named(&d).into_owned());
    given.unwrap_or_else(|| match name {
        "openvpn" => "OpenVPN".into(),
        "enc0" => "IPsec".into(),
        "l2tp" => "L2TP VPN".into(),
        "pppoe" => "PPPoE Server".into(),
        _ if known(tree, name) => name.to_uppercase(),
        _ => name.to_owned(),
    })
}

/// Whether a name is an interface's; one area of a backup does not list them.
fn known(tree: &Tree, name: &str) -> bool {
    let listed = tree.section("interfaces").ok().flatten().is_some_and(|i| child(i, name).is_some());
    let number = name.strip_prefix("opt");
    let numbered = number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    listed || numbered || matches!(name, "wan" | "lan")
}

/// A source or a destination.
pub(super) fn end(tree: &Tree, what: &What) -> String {
    match what {
        What::Any => "any".into(),
        What::Address(a) if a.contains('/') => format!("Network: {a}"),
        What::Address(a) => format!("Single host or alias: {a}"),
        What::Network(n) if n == "(self)" => "This Firewall (self)".into(),
        What::Network(n) => match n.strip_suffix("ip").filter(|i| known(tree, i)) {
            Some(i) => format!("{} address", interface(tree, i)),
            None if known(tree, n) => format!("{} subnets", interface(tree, n)),
            None => n.clone(),
        },
    }
}

/// `tcp/udp` as the menu has it.
pub(super) fn protocol(protocol: &str) -> String {
    if protocol.is_empty() || protocol == "any" { "Any".into() } else { protocol.to_uppercase() }
}

/// A port range of the configuration.
pub(super) fn ports(port: Option<&str>) -> String {
    let port = port.unwrap_or("any");
    let (from, to) = port.split_once('-').unwrap_or((port, port));
    format!("{from} to {to}")
}

/// "NAT reflection".
pub(super) fn reflection(reflection: Reflection) -> &'static str {
    match reflection {
        Reflection::Default => "Use system default",
        Reflection::Proxy => "Enable (NAT + Proxy)",
        Reflection::PureNat => "Enable (Pure NAT)",
        Reflection::Disable => "Disable",
    }
}

/// A check box.
pub(super) fn tick(on: bool, label: &str) -> String {
    format!("[{}] {label}", if on { 'x' } else { ' ' })
}

/// The description's line; an empty field needs none.
pub(super) fn description(descr: &str) -> Option<String> {
    Some(descr.trim()).filter(|d| !d.is_empty()).map(|d| format!("Description: {d}"))
}

/// An entry of a list by its description, with its place in the list where that alone could mean another one.
pub(super) fn name(list: &[El], at: usize) -> String {
    let Some(entry) = list.get(at) else { return format!("number {} from the top", at + 1) };
    let descr = descr(*entry);
    if descr.is_empty() || !shows(&descr) {
        format!("number {} from the top", at + 1)
    } else if list.iter().filter(|e| self::descr(**e) == descr).count() == 1 {
        format!("\"{descr}\"")
    } else {
        format!("\"{descr}\" (number {} from the top)", at + 1)
    }
}

/// Whether a text can stand between quotation marks, so that a person finds it in a list.
fn shows(text: &str) -> bool {
    !text.contains(|c: char| c == '"' || hidden(c))
}

/// "Invert match", which goes when an address is set.
pub(super) fn invert(entry: Option<El>, which: &str, on: bool) -> Option<String> {
    let end = child(entry?, &which.to_lowercase())?;
    child(end, "not").map(|_| tick(on, &format!("Invert match ({which})")))
}

/// The old value of a field as a menu shows it.
pub(super) fn old(entry: Option<El>, name: &str) -> String {
    entry.map(|e| text(e, name)).unwrap_or_default()
}
