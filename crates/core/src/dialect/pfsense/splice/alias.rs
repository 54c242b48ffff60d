//! Aliases.

use super::sections::{El, Tree, child, own_text, text};
use super::{Refused, Work, field, in_section, writable};
use crate::xml::Item;

/// Order of the elements of an alias (pfSense's `firewall_aliases_edit.php`).
const ORDER: [&str; 5] = ["name", "type", "address", "descr", "detail"];

/// The alias of a name.
pub(in crate::dialect::pfsense) fn find<'t>(tree: &'t Tree, name: &str) -> Option<El<'t>> {
    tree.entries("aliases", "alias").into_iter().find(|a| text(*a, "name") == name)
}

/// Its members: `<address>` separates them by spaces.
pub(in crate::dialect::pfsense) fn members(alias: El) -> Vec<String> {
    text(alias, "address").split_whitespace().map(str::to_owned).collect()
}

fn joined(members: &[String]) -> Result<String, Refused> {
    for member in members {
        writable(member)?;
        if member.is_empty() || member.contains(char::is_whitespace) {
            return Err(Refused(format!("{member:?} cannot be a member of an alias")));
        }
    }
    Ok(members.join(" "))
}

impl Work {
    pub(super) fn add_alias(
        &mut self,
        name: &str,
        kind: &'static str,
        members: &[String],
        descr: &str,
    ) -> Result<(), Refused> {
        let (name, descr, address) = (writable(name)?, writable(descr)?, joined(members)?);
        self.change(|tree| {
            tree.section("aliases")?;
            if let Some(old) = find(tree, name) {
                if text(old, "type") == kind && self::members(old) == members {
                    return Ok(Vec::new());
                }
                return Err(Refused(format!("there is another alias {name} already")));
            }
            // A description for each member, `||` between them; none is given.
            let detail = "||".repeat(members.len().saturating_sub(1));
            let item = Item::Node(
                "alias",
                vec![
                    Item::Text("name", name.to_owned()),
                    Item::Text("type", kind.to_owned()),
                    Item::Text("address", address),
                    Item::Cdata("descr", descr.to_owned()),
                    Item::Cdata("detail", detail),
                ],
            );
            Ok(vec![match tree.entries("aliases", "alias").last() {
                Some(last) => tree.after(*last, &item),
                None => in_section(tree, "aliases", item)?,
            }])
        })
    }

    /// Members that stay keep their descriptions.
    pub(super) fn set_alias(&mut self, name: &str, members: &[String]) -> Result<(), Refused> {
        let address = joined(members)?;
        self.change(|tree| {
            tree.section("aliases")?;
            let alias = find(tree, name).ok_or_else(|| Refused(format!("there is no alias {name}")))?;
            let old = self::members(alias);
            if old == members {
                return Ok(Vec::new());
            }
            let mut splices = field::leaf(tree, alias, &ORDER, "address", &address);
            if let Some(detail) = child(alias, "detail") {
                let text = own_text(detail);
                let details: Vec<&str> = text.split("||").collect();
                let of = |m: &String| old.iter().position(|o| o == m).and_then(|i| details.get(i)).copied();
                let new = members.iter().map(|m| of(m).unwrap_or_default()).collect::<Vec<_>>().join("||");
                if new != text {
                    splices.push(tree.set_text(detail, &new, true));
                }
            }
            Ok(splices)
        })
    }
}
