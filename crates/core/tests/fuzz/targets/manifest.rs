//! `callpath.toml`, and the profiles that it names.

use super::{site, sound};
use callpath_core::change::Context;
use callpath_core::dialect::{Dialect, pfsense};
use callpath_core::manifest::{Manifest, parse};
use callpath_core::ports::{Format, render};
use callpath_core::profile::{self, Instance, overlap};
use callpath_core::redact::{Key, redact};
use callpath_core::snapshot::Snapshot;

/// A manifest: read, what it asks for in every format, its site judged.
pub fn manifest(text: &str) {
    let snapshot = site::of_manifest(text);
    match parse(text) {
        Ok(manifest) => {
            let instances: Vec<Instance> =
                manifest.deploys.iter().filter_map(|d| checked(profile::instance(d), &snapshot)).collect();
            products(&instances, &snapshot);
            let _ = callpath_core::render::render("pfsense", &snapshot).map_err(|e| sound::error(&e, &snapshot));
        }
        Err(e) => sound::error(&e, &snapshot),
    }
    sound::judged(&snapshot);
    sound::judged(&redact(&snapshot, &Key::new([7; 16])));
}

/// A profile, as a manifest would use it.
pub fn profile(text: &str) {
    let snapshot = site::of_manifest(
        "address = \"203.0.113.5\"\n\n[[gateway]]\nconfig = [\"ruleset.nft\", \"ip-addr.json\", \"ip-route.json\"]\n\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n",
    );
    let manifest: Manifest = parse(snapshot.manifest()).expect("our own manifest");
    match profile::parse(text) {
        Ok(profile) => {
            let mut instances = Vec::new();
            for mode in profile.mode.iter().map(|m| Some(&m.name)).chain([None]).take(8) {
                let mut deploy = manifest.deploys[0].clone();
                deploy.mode = mode.map(|name| deploy.system.with(name.clone()));
                deploy.on = profile.feature.iter().map(|f| deploy.system.with(f.name.clone())).collect();
                instances.extend(checked(profile::apply(profile.clone(), &deploy), &snapshot));
            }
            products(&instances, &snapshot);
        }
        Err(why) => assert!(!why.is_empty(), "an error without a message"),
    }
}

fn checked<T>(result: Result<T, callpath_core::snapshot::InputError>, snapshot: &Snapshot) -> Option<T> {
    result.map_err(|e| sound::error(&e, snapshot)).ok()
}

/// What products need, in every format, and as a recipe.
fn products(instances: &[Instance], snapshot: &Snapshot) {
    for instance in instances {
        for format in [Format::Text, Format::Markdown, Format::Json, Format::Html] {
            assert!(!render(instance, format).is_empty(), "a sheet is empty");
        }
        for requirement in &instance.requirements {
            let _ = (requirement.what(), requirement.capacity(), requirement.sender().len());
        }
    }
    checked(overlap::check(instances), snapshot);
    let context = Context { name: None, address: "203.0.113.5".parse().ok(), alias: None, ..Context::default() };
    let recipe = pfsense::PfSense.recipe(None, instances, &context).expect("no file is read");
    assert!(
        recipe.is_some_and(|r| !r.guide.is_empty() || instances.is_empty() || r.complete),
        "a recipe says something"
    );
}
