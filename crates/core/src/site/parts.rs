//! What was read, before devices are joined.

use super::chain::{self, Link};
use super::gateway::{self, Router};
use super::server::{self, Server};
use crate::dialect::{Entry, Files, Known, Readings, is_wire};
use crate::manifest::{At, GatewayKind, Manifest, Passes};
use crate::profile::Instance;
use crate::snapshot::{InputError, Places, Snapshot, Source};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What was read, before devices are joined.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// Routers that are read, from the internet inwards.
    pub(super) routers: Vec<Router>,
    /// Everything on the way in, from the internet inwards.
    pub(super) chain: Vec<Link>,
    /// Files of the filters that are read, by their number in the manifest.
    pub(super) wires: BTreeMap<usize, Files>,
    /// Routers that end further lines, by their number in the manifest.
    pub(super) lines: Vec<Router>,
    /// Routers of callers.
    pub(super) callers: Vec<Router>,
    pub(super) servers: Vec<Server>,
    /// Server of each instance.
    pub(super) server_of: Vec<usize>,
    /// Host of each instance's reverse proxy, as a server, where one is named.
    pub(super) proxy_of: Vec<Option<usize>>,
    /// A product's document wants no helper of connection tracking.
    pub(super) no_helper: bool,
    /// The same as configurations ask for it, where some device has both its configuration and the rules in force.
    pub(super) intended: Option<Box<Self>>,
}

/// What was read last, with its texts: changes are tried first, and judged then.
#[derive(Debug, Default)]
pub(crate) struct LastRead(RefCell<Option<(Vec<Source>, Parts)>>);

impl LastRead {
    /// Keeps what was read of a site.
    pub fn keep(&self, snapshot: &Snapshot, parts: Parts) {
        *self.0.borrow_mut() = Some((snapshot.sources.clone(), parts));
    }

    /// Hands over what was read of this site; what was read of another one goes.
    pub fn take(&self, snapshot: &Snapshot) -> Option<Parts> {
        let (sources, parts) = self.0.take()?;
        (sources == snapshot.sources).then_some(parts)
    }
}

impl Parts {
    /// Reads everything that the manifest names.
    ///
    /// # Errors
    /// Files or facts that are missing or broken.
    pub fn read(snapshot: &Snapshot, manifest: &Manifest, instances: &[Instance]) -> Result<Self, InputError> {
        let mut readings = Readings::default();
        let mut out = Self::from((snapshot, &mut readings), manifest, instances)?;
        if out.has_both() {
            readings.intend();
            out.intended = Some(Box::new(Self::from((snapshot, &mut readings), manifest, instances)?));
        }
        Ok(out)
    }

    fn from(
        (snapshot, readings): (&Snapshot, &mut Readings),
        manifest: &Manifest,
        instances: &[Instance],
    ) -> Result<Self, InputError> {
        let many = manifest.gateways.iter().filter(|g| matches!(g.kind, GatewayKind::Read { .. })).count() > 1;
        let mut routers = Vec::new();
        let (mut chain, mut lines, mut wires) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (i, g) in manifest.gateways.iter().enumerate() {
            match &g.kind {
                GatewayKind::Stated(_) if g.line.is_none() => chain.push(Link::Stated(i)),
                GatewayKind::Filter(filter) => {
                    if let Passes::Files(files) = &filter.passes
                        && is_wire(snapshot, files)
                    {
                        wires.insert(i, readings.read(snapshot, files, &[])?);
                    }
                    chain.push(Link::Filter(i));
                }
                GatewayKind::Stated(_) => {}
                GatewayKind::Read { .. } => {
                    let name = if let Some(label) = &g.label {
                        label.value.clone()
                    } else {
                        let base = gateway::kind_name(snapshot, g);
                        if many { format!("{base} {}", i + 1) } else { base.into() }
                    };
                    let alone = manifest.gateways.len() == 1;
                    let read = gateway::read((snapshot, &mut *readings), g, (i, &name), &manifest.deploys, alone)?;
                    if g.line.is_some() {
                        lines.extend(read);
                    } else {
                        chain.push(Link::Router(routers.len()));
                        routers.extend(read);
                    }
                }
            }
        }
        chain::enter(manifest, &chain, &mut routers);
        let mut callers = Vec::new();
        for (i, c) in manifest.callers.iter().enumerate() {
            let name = format!("the router of {}", c.label.as_ref().map_or("", |l| &l.value));
            let number = manifest.gateways.len() + i;
            callers.extend(gateway::read((snapshot, &mut *readings), c, (number, &name), &[], false)?);
        }
        let bare = |g: &crate::manifest::Gateway| g.line.is_some() || matches!(g.kind, GatewayKind::Filter(_));
        let outermost = manifest.gateways.iter().all(bare);
        let (mut servers, server_of) = server::read_all((snapshot, readings), instances, outermost)?;
        let proxy_of = server::add_proxies(instances, outermost, &mut servers);
        let no_helper = instances.iter().any(|i| i.profile.helper.is_some());
        Ok(Self { routers, chain, wires, lines, callers, servers, server_of, proxy_of, no_helper, intended: None })
    }

    /// Nothing says which address the outermost gateway has.
    pub fn outer_address_unknown(&self, manifest: &Manifest) -> bool {
        let first = self.chain.iter().find(|l| !matches!(l, Link::Filter(_)));
        matches!(first, Some(Link::Router(_)))
            && self.routers.first().is_some_and(|r| r.wan.is_none())
            && public_v4(manifest).is_some()
    }

    /// A device has both its configuration and the rules in force.
    pub fn has_both(&self) -> bool {
        let routers = self.routers.iter().chain(&self.lines).chain(&self.callers).map(|r| &r.files);
        routers.chain(self.servers.iter().map(|s| &s.files)).any(Files::has_both)
    }

    /// Name of the outermost gateway.
    pub fn outer_name(&self) -> &str {
        self.routers.first().map_or("the server", |r| &r.device.name)
    }

    /// Where its user sees the address of its outer interface.
    pub fn outer_address_shown(&self) -> &'static str {
        self.routers.first().map_or("", |r| r.files.outer_address_shown())
    }
}

pub(super) fn public_v4(manifest: &Manifest) -> Option<&At<IpAddr>> {
    manifest.address.iter().find(|a| a.value.is_ipv4())
}

/// As many patterns of a device are named.
const PATTERNS: usize = 8;

/// Patterns of includes that no file of their device fits.
pub(super) fn empty_includes(snapshot: &Snapshot, parts: &Parts) -> Vec<String> {
    let routers = parts.routers.iter().map(|r| (&r.device, r.files.empty_includes()));
    let servers = parts.servers.iter().map(|s| (&s.device, s.files.empty_includes()));
    let places = Places::of(snapshot);
    let mut out = Vec::new();
    for (device, empty) in routers.chain(servers) {
        for include in empty.iter().take(PATTERNS) {
            let (line, _) = places.line_column(include.at.source, include.at.start as usize).unwrap_or_default();
            let file = snapshot.source(include.at.source).map_or("", |s| &s.name);
            out.push(format!(
                "no file fits the include `{}` of {} ({file}:{line}): that folder is taken to be empty",
                include.path, device.name
            ));
        }
        if empty.len() > PATTERNS {
            let more = empty.len() - PATTERNS;
            out.push(format!(
                "{more} more includes of {} fit no file: these folders are taken to be empty",
                device.name
            ));
        }
    }
    out
}

/// What the manifest says about names and aliases, for one of its gateways.
pub(super) fn known(manifest: &Manifest, gateway: usize) -> Known {
    let on_gateway = |p: &At<crate::manifest::Proxy>| {
        p.value.at.as_ref().is_some_and(|a| matches!(a.value, crate::manifest::ProxyAt::Gateway))
    };
    let at_gateway = manifest.deploys.iter().filter(|d| d.proxy.as_ref().is_some_and(on_gateway));
    let instances = at_gateway.filter_map(|d| crate::profile::instance(d).ok());
    let outer = |i: &Instance| i.deploy.proxy.as_ref().and_then(|p| p.value.outer.as_ref()).map(|o| (o.value, o.value));
    let pages = instances.flat_map(|i| {
        let rows = i.requirements.iter().filter(|r| r.proxied.is_some()).flat_map(|r| r.ports.clone());
        rows.chain(outer(&i)).collect::<Vec<_>>()
    });
    let mut out = Known { pages: pages.collect(), ..Known::default() };
    if let Some(name) = &manifest.name
        && !manifest.address.is_empty()
    {
        out.names.insert(name.value.clone(), manifest.address.iter().map(|a| a.value).collect());
    }
    if let Some(GatewayKind::Read { aliases, .. }) = manifest.gateways.get(gateway).map(|g| &g.kind) {
        for (name, members) in aliases {
            out.tables.insert(name.value.clone(), members.iter().map(|n| Entry::Net(*n)).collect());
        }
    }
    out
}
