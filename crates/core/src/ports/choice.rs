//! What a command line chooses, in place of a `[[deploy]]` table.

use crate::manifest::{At, Deploy, parse_ports};
use crate::profile::{Instance, instance, overlap};
use crate::snapshot::InputError;
use std::collections::BTreeMap;

/// A product and the choices of a deployment.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Name of the profile.
    pub system: String,
    /// Mode; absent: the profile's first.
    pub mode: Option<String>,
    /// Ports as `name=ports`.
    pub with: Vec<String>,
    /// Features switched on.
    pub on: Vec<String>,
    /// Features switched off.
    pub off: Vec<String>,
}

impl Choice {
    /// The product with these choices.
    ///
    /// # Errors
    /// Names that do not exist, ports that are none, ranges of the product that overlap. There is no file to point into.
    pub fn instance(&self) -> Result<Instance, InputError> {
        let made = self.deploy().and_then(|d| instance(&d));
        let checked = made.and_then(|i| overlap::check(std::slice::from_ref(&i)).map(|()| i));
        checked.map_err(|error| InputError { at: None, ..error })
    }

    fn deploy(&self) -> Result<Deploy, InputError> {
        let at = |s: &String| At { value: s.clone(), span: 0..0 };
        let mut with = BTreeMap::new();
        for item in &self.with {
            let place = at(item);
            let Some((name, ports)) = item.split_once('=') else {
                let error = place.error(format!("`{item}` does not say which ports"));
                return Err(error.help("write name=ports: `--with udp=50500-50999`"));
            };
            let ranges = parse_ports(ports.trim()).map_err(|(message, help)| place.error(message).help(help))?;
            if with.insert(name.trim().to_owned(), (0..0, place.with(ranges))).is_some() {
                return Err(place.error(format!("`{}` is given twice", name.trim())).help("give each name once"));
            }
        }
        Ok(Deploy {
            kernel: crate::dialect::kernel::Facts::default(),
            span: 0..0,
            system: at(&self.system),
            label: at(&self.system),
            host: Vec::new(),
            address: Vec::new(),
            mode: self.mode.as_ref().map(at),
            with,
            on: self.on.iter().map(at).collect(),
            off: self.off.iter().map(at).collect(),
            clients: None,
            admin: Vec::new(),
            admin_from: None,
            boot: Vec::new(),
            firewall: Vec::new(),
            own_firewall: None,
            config: Vec::new(),
            proxy: None,
            told: Vec::new(),
            interface: None,
            ice: None,
            stun: None,
            answers: None,
            local: None,
        })
    }
}
