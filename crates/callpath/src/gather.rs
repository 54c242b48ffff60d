//! Reads the files of a site.

use crate::found;
use callpath_core::manifest::{self, At};
use callpath_core::redact::redact;
use callpath_core::snapshot::{InputError, Snapshot, Source, is_snapshot};
use std::path::{Path, PathBuf};

/// Larger files are not configurations; readers refuse less where a byte costs more (`dialect/files.rs`).
pub const MAX_BYTES: u64 = 64 << 20;
/// Larger manifests are something else.
const MAX_MANIFEST: u64 = 1 << 20;

/// The name of the manifest.
pub const MANIFEST: &str = "callpath.toml";

/// A site's texts, as far as they could be read, and what stopped the reading.
pub struct Gathered {
    /// The texts.
    pub snapshot: Snapshot,
    /// What is wrong, if something is.
    pub error: Option<InputError>,
}

impl Gathered {
    /// The same with pseudonyms, if that is wanted.
    pub fn redacted(self, wanted: bool) -> Self {
        if !wanted {
            return self;
        }
        let snapshot = redact(&self.snapshot);
        // Places were counted in the texts as they were; what is wrong with a manifest is found in the new one.
        let error = self.error.map(|old| match manifest::parse(snapshot.manifest()) {
            Err(error) if snapshot.sources.len() == 1 => error,
            _ => InputError { at: None, label: Box::default(), ..old },
        });
        Self { snapshot, error }
    }
}

/// Reads a manifest and all files that it names, or a snapshot of them.
pub fn site(path: &Path) -> Gathered {
    let mut snapshot = Snapshot::default();
    let error = fill(path, &mut snapshot).err();
    Gathered { snapshot, error }
}

fn fill(path: &Path, snapshot: &mut Snapshot) -> Result<(), InputError> {
    let file = manifest_file(path)?;
    let name = shown(&file);
    // A snapshot holds whole configurations, and one of these may be named by mistake.
    let limit = if file.extension().is_none_or(|e| e == "toml") { MAX_MANIFEST } else { MAX_BYTES };
    let text =
        read(&file, &name, limit).map_err(|(message, help)| InputError::about(name.as_str(), message).help(help))?;
    if is_snapshot(&text) {
        *snapshot = Snapshot::from_json(&name, &text)?;
        return Ok(());
    }
    if let Some(kind) = found::kind_of(&text) {
        return Err(InputError::about(name.as_str(), format!("this is {}, not a callpath.toml", kind.about())).help(
            "`callpath init` in its directory writes a callpath.toml that names it; `callpath import` shows what is \
             understood of it",
        ));
    }
    let folder = name.rfind('/').map_or(0, |i| i + 1);
    name[..folder].clone_into(&mut snapshot.directory);
    snapshot.sources.push(Source { name: name[folder..].to_owned(), text });
    let manifest = manifest::parse(snapshot.manifest())?;
    let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
    for wanted in manifest.files() {
        add(&base.join(&wanted.value), &wanted.value, Some(wanted), snapshot)?;
    }
    Ok(())
}

fn manifest_file(path: &Path) -> Result<PathBuf, InputError> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    if has_manifest(path) {
        let file = path.join(MANIFEST);
        return Ok(if path == Path::new(".") { PathBuf::from(MANIFEST) } else { file });
    }
    Err(InputError::about(shown(path), format!("there is no {MANIFEST} in this directory"))
        .help("write one: `callpath init` finds your router's configuration there and asks what it needs to know"))
}

/// Is there a manifest in a directory, readable or not? A link that leads nowhere is one, and gets its own message.
pub fn has_manifest(directory: &Path) -> bool {
    directory.join(MANIFEST).symlink_metadata().is_ok()
}

/// Reads a file, and the files that it includes by relative paths.
fn add(file: &Path, name: &str, wanted: Option<&At<String>>, snapshot: &mut Snapshot) -> Result<(), InputError> {
    if snapshot.sources.iter().any(|s| s.name == name) {
        return Ok(());
    }
    let text = match read(file, name, MAX_BYTES) {
        Ok(text) => text,
        Err((message, help)) => {
            return Err(match wanted {
                Some(at) => at.error(message).help(help),
                None => InputError::about(name, message).help(help),
            });
        }
    };
    let text = callpath_core::dialect::without_secrets(text);
    let included = includes(&text);
    snapshot.sources.push(Source { name: name.to_owned(), text });
    for path in included {
        let beside = file.parent().unwrap_or(Path::new("")).join(&path);
        // Absolute paths are the router's, not this machine's; what is missing is named by the reader, with its line.
        if !path.starts_with('/') && beside.is_file() {
            let folder = name.rfind('/').map_or("", |i| &name[..=i]);
            add(&beside, &format!("{folder}{}", path.trim_start_matches("./")), None, snapshot)?;
        }
    }
    Ok(())
}

/// Targets of `include "…"` lines.
fn includes(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|l| l.trim_start().strip_prefix("include"));
    lines.filter_map(|rest| rest.trim().strip_prefix('"')?.split('"').next()).map(str::to_owned).collect()
}

/// A file's text, or what is wrong and what to do.
pub fn read(file: &Path, name: &str, limit: u64) -> Result<String, (String, String)> {
    let failed = |e: &std::io::Error| {
        let help = match e.kind() {
            std::io::ErrorKind::NotFound => "check the path: it is relative to callpath.toml",
            std::io::ErrorKind::PermissionDenied => "make it readable for you",
            _ => "check the file",
        };
        (format!("`{name}` cannot be read: {}", reason(e)), help.to_owned())
    };
    let about = std::fs::metadata(file).map_err(|e| failed(&e))?;
    if about.is_dir() {
        return Err((format!("`{name}` is a directory"), "name a file in it".into()));
    }
    if !about.is_file() {
        return Err((format!("`{name}` is not a regular file"), "save its content in a file first".into()));
    }
    if about.len() > limit {
        let size = about.len() >> 20;
        return Err((
            format!("`{name}` is too large: {size} MB, and {} MB is the most", limit >> 20),
            "a configuration is much smaller; check that it is the right file".into(),
        ));
    }
    let bytes = std::fs::read(file).map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        (format!("`{name}` is not a text file: byte {at} is not UTF-8"), "save the configuration as text".into())
    })
}

/// What an error means, in words.
pub fn reason(e: &std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => e.to_string(),
    }
}

/// A path as the user typed it, without `./`.
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}
