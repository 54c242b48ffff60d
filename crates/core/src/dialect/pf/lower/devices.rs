//! Interfaces that rules name.

use super::{Lowering, matches};
use crate::cube::Set;
use crate::dialect::pf::ast::Unknown;
use crate::model::{Key, KeyField, Match, Origin, Step, Test, iface_value};

/// Devices that carry no packets of others, by the names that the system gives them.
const INTERNAL: &[&str] = &["lo0", "pflog0", "pfsync0"];

/// What a name of a rule stands for.
struct Named {
    /// Interfaces for certain.
    sure: Set,
    /// A name that is neither an interface's nor a group's, so that it may be another word for any interface.
    strange: Option<Box<str>>,
}

impl Lowering<'_> {
    /// The match on the interfaces that a rule's `on` names. One that nobody knows may be any.
    pub(super) fn on(&mut self, field: KeyField, names: &[Box<str>], negate: bool, origin: &Origin) -> Step {
        let Named { sure, strange } = self.named(names);
        let (ports, some) = self.ports(field, &sure);
        let sure = sure.or(&ports);
        if strange.is_none() && some.is_empty() {
            return matches(Key::of(field), sure, negate);
        }
        // One column for the interface, one for each thing that is not known; the boxes are disjoint.
        let mut keys = vec![Key::of(field)];
        keys.extend(some.iter().map(|(_, which, _)| Key::of(*which)));
        let every = |_: &Key| Set::range(0, u128::MAX);
        let row = |keys: &[Key], first: Set| -> Vec<Set> {
            std::iter::once(first).chain(keys.iter().skip(1).map(every)).collect()
        };
        let mut boxes: Vec<Vec<Set>> = Vec::new();
        let mut rest = sure.complement();
        if let Some(name) = &strange {
            let doubt = self.doubt(origin, &strange_device(name), false);
            keys.push(Key::of(KeyField::Unknown(doubt, 1)));
        }
        let last = keys.len() - 1;
        boxes.push(row(&keys, sure));
        for (column, (value, _, numbers)) in some.iter().enumerate() {
            rest = rest.minus(&Set::one(*value));
            let mut here = row(&keys, Set::one(*value));
            here[column + 1] = numbers.clone();
            boxes.push(here);
            if strange.is_some() {
                let mut perhaps = row(&keys, Set::one(*value));
                perhaps[column + 1] = numbers.complement();
                perhaps[last] = Set::one(1);
                boxes.push(perhaps);
            }
        }
        if strange.is_some() {
            let mut perhaps = row(&keys, rest);
            perhaps[last] = Set::one(1);
            boxes.push(perhaps);
        }
        let boxes: Vec<Box<[Set]>> = boxes.into_iter().filter(|b| !b[0].is_empty()).map(Into::into).collect();
        Step::Match(Match { keys: keys.into(), test: Test::Boxes(boxes.into()), negate })
    }

    /// A device or group of which nothing tells whether it is one of the interfaces.
    pub(super) fn strange(&self, name: &str) -> Option<Unknown> {
        self.named(&[name.into()]).strange.map(|n| strange_device(&n))
    }

    /// Interfaces that a device's or group's name stands for, by their values.
    pub(super) fn devices(&self, name: &str) -> Set {
        self.named(&[name.into()]).sure
    }

    fn named(&self, names: &[Box<str>]) -> Named {
        let mut sure = Vec::new();
        let mut strange = None;
        for name in names {
            let add = |device: &str| (iface_value(device), iface_value(device));
            if let Some(members) = self.rules.groups.get(name) {
                sure.extend(members.iter().map(|m| add(if &**m == "lo0" { "lo" } else { m })));
            } else if &**name == "openvpn" {
                // pfSense puts its tunnels, and nothing else, into this group.
                sure.extend(self.interfaces.iter().filter(|i| i.name.starts_with("ovpn")).map(|i| add(&i.name)));
            } else {
                sure.push(add(if &**name == "lo0" { "lo" } else { name }));
                if !self.is_known(name) {
                    strange.get_or_insert_with(|| name.clone());
                }
            }
        }
        Named { sure: Set::from_ranges(sure), strange }
    }

    /// Is this one of the interfaces, or certain to be none of them?
    fn is_known(&self, name: &str) -> bool {
        // Groups do not end in a digit (ifconfig(8)), so such a name is a device's.
        let is_device = name.ends_with(|c: char| c.is_ascii_digit());
        self.interfaces.is_empty()
            || self.interfaces.iter().any(|i| &*i.name == name)
            || INTERNAL.contains(&name)
            || (self.rules.all_named && is_device)
    }
}

/// What is not known about a device or group that nothing names but a rule.
pub(super) fn strange_device(name: &str) -> Unknown {
    Unknown {
        what: format!("which interface `{name}` is: no interface or group of that name is known").into(),
        supply: format!("the backup (config.xml), or `{name}` with its network in `interfaces`").into(),
        ..Unknown::default()
    }
}
