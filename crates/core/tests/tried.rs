//! Sites that were tried on the program, one function for each: what the right answer is, and with which fact.
//!
//! They lie outside of this repository, each folder with a manifest, its files and `expected.txt`.

use callpath_core::call::analyze;
use callpath_core::report::{Report, Verdict};
use callpath_core::snapshot::{InputError, Snapshot, Source};
use std::path::{Path, PathBuf};

/// The folder of one site. Absent only where none of the sites is there, which is an error in continuous integration.
fn folder(name: &str) -> Option<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/tried");
    if !all.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "{} is not there", all.display());
        println!("0 sites: {} is not there", all.display());
        return None;
    }
    println!("1 site: {name}");
    Some(all.join(name))
}

/// The site's texts, with this manifest first.
fn snapshot(folder: &Path, manifest: &str) -> Snapshot {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the site's folder")
        .filter_map(|f| f.ok()?.file_name().into_string().ok())
        .filter(|n| !Path::new(n).extension().is_some_and(|e| e == "toml" || e == "txt"))
        .collect();
    names.sort();
    let mut sources = vec![Source { name: "callpath.toml".into(), text: manifest.to_owned() }];
    sources.extend(names.into_iter().map(|name| Source { text: read(&name), name }));
    Snapshot { sources, directory: String::new() }
}

/// What is said of a site whose manifest is changed first.
fn judged(folder: &Path, manifest: &str, change: impl Fn(&str) -> String) -> Result<Report, InputError> {
    let text = std::fs::read_to_string(folder.join(manifest)).expect("the manifest");
    analyze(&snapshot(folder, &change(&text)))
}

fn report(folder: &Path, manifest: &str, change: impl Fn(&str) -> String) -> Report {
    judged(folder, manifest, change).unwrap_or_else(|e| panic!("{}: {} ({:?})", e.message, e.help, e.at))
}

fn as_given(text: &str) -> String {
    text.to_owned()
}

#[track_caller]
fn works(report: &Report) {
    assert_eq!(report.verdict, Verdict::Works, "{}", report.headline);
}

/// Several addresses of one network on one interface are usual: the second router of a pair, an address for a service.
#[test]
fn site_20_an_interface_has_two_addresses_of_one_network() {
    let Some(site) = folder("20-second-address-on-lan") else { return };
    works(&report(&site, "linux.toml", as_given));
    works(&report(&site, "callpath.toml", as_given));
    // The same with a wider network on the second, and with one on another interface that holds the host as well.
    works(&report(&site, "linux.toml", |t| t.replace("192.168.1.254/24", "192.168.0.254/16")));
    works(&report(&site, "linux.toml", |t| {
        t.replace("\"203.0.113.9/24\",", "\"203.0.113.9/24\", vpn = \"192.168.2.9/16\",")
    }));
    let twice = judged(&site, "linux.toml", |t| {
        t.replace("\"203.0.113.9/24\",", "\"203.0.113.9/24\", other = \"192.168.1.9/24\",")
    });
    let error = twice.expect_err("two interfaces with one network");
    assert!(error.message.contains("several interfaces"), "{}", error.message);
}
