//! Reads the files of a site.

use crate::folder::{Also, Folders};
use callpath_core::dialect::includes::{fits, targets};
use callpath_core::dialect::{Found, certain, found, of_bytes, of_text, recognise};
use callpath_core::manifest::{self, At, Manifest};
use callpath_core::model::SourceId;
use callpath_core::redact::{Key, redact, redact_error};
use callpath_core::snapshot::{InputError, MOST_TEXTS, Snapshot, Source, is_snapshot, line_column};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Larger files are not configurations; readers refuse less where a byte costs more (`dialect/files.rs`).
pub const MAX_BYTES: u64 = 64 << 20;
/// All files of a site together.
const MAX_TOTAL: u64 = 128 << 20;
/// Files that include each other: as deep as nft follows them (`MAX_INCLUDE_DEPTH`, nftables `include/nftables.h`).
const MAX_DEPTH: usize = 16;
/// As many includes are looked up in all; readers refuse more (`dialect/nft/text/define.rs`).
const MAX_INCLUDES: usize = 10_000;
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
    /// Real paths of the files that were read.
    pub files: Vec<PathBuf>,
    /// The texts come from a snapshot: no file holds them as they were.
    pub from_snapshot: bool,
    /// The folder of the manifest: names of files begin there.
    pub folder: PathBuf,
}

impl Gathered {
    /// The same with pseudonyms, if there is a key for them.
    pub fn redacted(self, key: Option<&Key>) -> Self {
        let Some(key) = key else { return self };
        let snapshot = redact(&self.snapshot, key);
        let error = self.error.map(|error| redact_error(&error, &self.snapshot, key));
        Self { snapshot, error, ..self }
    }
}

/// Reads a manifest and all files that it names, or a snapshot of them. `also`: folders outside of the site's own whose
/// files the manifest may name.
pub fn site(path: &Path, also: &Also) -> Gathered {
    let mut gatherer = Gatherer::default();
    let error = gatherer.fill(path, also).err();
    let Gatherer { snapshot, read, from_snapshot, folder, .. } = gatherer;
    Gathered { snapshot, error, files: read.into_iter().collect(), from_snapshot, folder }
}

/// The texts so far.
#[derive(Default)]
struct Gatherer {
    snapshot: Snapshot,
    folders: Folders,
    /// Real paths of the files that were read: each is read once, however it is spelled.
    read: BTreeSet<PathBuf>,
    /// Bytes of all texts.
    bytes: u64,
    from_snapshot: bool,
    folder: PathBuf,
    /// Includes that were looked up.
    included: usize,
}

impl Gatherer {
    fn fill(&mut self, path: &Path, also: &Also) -> Result<(), InputError> {
        let typed = manifest_file(path)?;
        let name = shown(&typed);
        self.folder = typed.parent().map(Path::to_path_buf).unwrap_or_default();
        self.folders = Folders::new(typed.parent().unwrap_or(Path::new("")), also)?;
        let file = self.folders.real(&typed).map_err(|_| {
            InputError::about(name.as_str(), format!("`{name}` is a link that leads out of its folder"))
                .help("name the folder that holds the file itself")
        })?;
        // A snapshot holds whole configurations, and one of these may be named by mistake.
        let limit = if typed.extension().is_none_or(|e| e == "toml") { MAX_MANIFEST } else { MAX_BYTES };
        let text = read(&file, &name, limit)
            .map_err(|(message, help)| InputError::about(name.as_str(), message).help(help))?;
        self.read.insert(file);
        if is_snapshot(&text) {
            self.from_snapshot = true;
            self.snapshot = Snapshot::from_json(&name, &text)?;
            return Ok(());
        }
        if let Some(dialect) = certain(&text) {
            return Err(InputError::about(
                name.as_str(),
                format!("this is {}, not a callpath.toml", dialect.about().what),
            )
            .help(
                "`callpath init` in its directory writes a callpath.toml that names it; `callpath import` shows \
                     what is understood of it",
            ));
        }
        let folder = name.rfind('/').map_or(0, |i| i + 1);
        name[..folder].clone_into(&mut self.snapshot.directory);
        let less = manifest::without_secrets(&text);
        self.snapshot.sources.push(Source { name: name[folder..].to_owned(), text: less });
        let manifest = manifest::parse(self.snapshot.manifest()).map_err(|error| match found(&text) {
            Found::Unread(kind) if !kind.is_manifest() => {
                let error = InputError::about(name.as_str(), format!("this is {}, not a callpath.toml", kind.what));
                error.help(format!("`callpath init` in its directory writes one; {}", kind.message().1))
            }
            _ => error,
        })?;
        let base = typed.parent().map(Path::to_path_buf).unwrap_or_default();
        for wanted in manifest.files() {
            if base.join(&wanted.value).is_dir() && is_below(&wanted.value) {
                self.folder(&base, wanted, &manifest)?;
            } else {
                self.named(&base, wanted, &manifest)?;
            }
        }
        Ok(())
    }

    /// Reads the files of a folder, by name; folders in it are not looked at.
    fn folder(&mut self, base: &Path, wanted: &At<String>, manifest: &Manifest) -> Result<(), InputError> {
        let path = self.folders.real(&base.join(&wanted.value)).map_err(|outside| {
            let (message, help) = outside.message(&wanted.value);
            wanted.error(message).help(help)
        })?;
        let failed = |e: &std::io::Error| {
            wanted.error(format!("`{}` cannot be read: {}", wanted.value, reason(e))).help("make it readable for you")
        };
        let mut names: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(|e| failed(&e))? {
            let entry = entry.map_err(|e| failed(&e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Hidden files are those of editors and of version control.
            if !name.starts_with('.') && entry.path().is_file() {
                names.push(name);
            }
        }
        names.sort();
        if names.is_empty() {
            return Err(wanted
                .error(format!("`{}` is a directory without a file in it", wanted.value))
                .help("name the folder that holds the device's files, or the files themselves"));
        }
        let folder = wanted.value.trim_end_matches('/');
        for name in names {
            self.named(base, &wanted.with(format!("{folder}/{name}")), manifest)?;
        }
        Ok(())
    }

    /// Reads a file that the manifest names, and the files that it includes.
    fn named(&mut self, base: &Path, wanted: &At<String>, manifest: &Manifest) -> Result<(), InputError> {
        let name = &wanted.value;
        if self.snapshot.sources.iter().any(|s| s.name == *name) {
            return Ok(());
        }
        let error = |(message, help): (String, String)| wanted.error(message).help(help);
        let file = self.folders.real(&base.join(name)).map_err(|outside| error(outside.message(name)))?;
        let text = self.text(&file, name).map_err(|(message, help)| {
            let help =
                if help == "check the path" { "check the path: it is relative to callpath.toml".into() } else { help };
            error((message, help))
        })?;
        // A file of a kind that is not read is quoted nowhere, and gets into no snapshot.
        if let Err(refused) = recognise(SourceId(0), &text) {
            // Of a host's configurations that are not read yet, it is enough that they are there.
            if manifest.is_service_file(&wanted.span) {
                return Ok(());
            }
            let (line, column) = line_column(&text, refused.at.as_ref().map_or(0, |(_, span)| span.start));
            let place = format!("{}{name}:{line}:{column}", self.snapshot.directory);
            return Err(InputError::about(place, refused.message).help(refused.help));
        }
        self.add(&base.join(name), name, text, 0)
    }

    /// Adds a text, and the files that it includes by relative paths.
    fn add(&mut self, file: &Path, name: &str, text: String, depth: usize) -> Result<(), InputError> {
        let text = callpath_core::dialect::without_secrets(text);
        let included = if depth < MAX_DEPTH { targets(&text).map(str::to_owned).collect() } else { Vec::new() };
        self.snapshot.sources.push(Source { name: name.to_owned(), text });
        for path in included {
            // Absolute paths are the router's, not this machine's; what is missing is named by the reader, with its line.
            if path.starts_with('/') {
                continue;
            }
            self.included += 1;
            if self.included > MAX_INCLUDES {
                return Ok(());
            }
            for path in self.beside(file, &path) {
                let beside = file.parent().unwrap_or(Path::new("")).join(&path);
                let Ok(real) = self.folders.real(&beside) else { continue };
                if !real.is_file() || self.read.contains(&real) {
                    continue;
                }
                let folder = name.rfind('/').map_or("", |i| &name[..=i]);
                let name = format!("{folder}{}", path.trim_start_matches("./"));
                let text =
                    self.text(&real, &name).map_err(|(message, help)| InputError::about(&*name, message).help(help))?;
                if of_text(&text).is_some() {
                    self.add(&beside, &name, text, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// The text of a file inside of the folders.
    fn text(&mut self, real: &Path, name: &str) -> Result<String, (String, String)> {
        let text = read(real, name, MAX_BYTES)?;
        self.read.insert(real.to_path_buf());
        if self.snapshot.sources.len() >= MOST_TEXTS {
            return Err((
                format!("these are too many files: {MOST_TEXTS} are the most of a site"),
                "name the files that hold rules, addresses and routes, not a folder with others in it".into(),
            ));
        }
        self.bytes += text.len() as u64;
        if self.bytes > MAX_TOTAL {
            return Err((
                format!("the files of this site are too large: with `{name}` more than {} MB", MAX_TOTAL >> 20),
                "configurations are much smaller; check that these are the right files".into(),
            ));
        }
        Ok(text)
    }

    /// The files that a relative path beside a file means: itself, or those that fit its pattern, by name. No folder outside
    /// is looked through.
    fn beside(&self, file: &Path, path: &str) -> Vec<String> {
        let (folder, pattern) = path.rsplit_once('/').map_or(("", path), |(f, p)| (f, p));
        if !pattern.contains(['*', '?']) || folder.contains(['*', '?']) {
            return vec![path.to_owned()];
        }
        let base = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Ok(real) = self.folders.real(&base.join(folder)) else { return Vec::new() };
        let Ok(entries) = std::fs::read_dir(real) else { return Vec::new() };
        let names = entries.filter_map(|e| e.ok()?.file_name().into_string().ok());
        // A pattern does not mean hidden files (glob(7)).
        let mut fitting: Vec<String> = names.filter(|n| !n.starts_with('.') && fits(n, pattern)).collect();
        fitting.sort();
        fitting.into_iter().map(|n| if folder.is_empty() { n } else { format!("{folder}/{n}") }).collect()
    }
}

/// A folder below the manifest's, not the one that holds it: what lies there belongs to several devices.
fn is_below(name: &str) -> bool {
    Path::new(name).components().any(|c| matches!(c, std::path::Component::Normal(_)))
}

fn manifest_file(path: &Path) -> Result<PathBuf, InputError> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    if has_manifest(path) {
        let file = path.join(MANIFEST);
        return Ok(if path == Path::new(".") { PathBuf::from(MANIFEST) } else { file });
    }
    if let Some(file) = above().filter(|_| path == Path::new(".")) {
        return Ok(file);
    }
    Err(InputError::about(shown(path), format!("there is no {MANIFEST} in this directory"))
        .help("write one: `callpath init` finds your router's configuration there and asks what it needs to know"))
}

/// The manifest of the nearest directory above this one.
pub fn above() -> Option<PathBuf> {
    let depth = std::env::current_dir().ok()?.components().count();
    let mut up = (1..depth).map(|n| std::iter::repeat_n("..", n).collect::<PathBuf>());
    up.find(|directory| has_manifest(directory)).map(|directory| directory.join(MANIFEST))
}

/// Is there a manifest in a directory, readable or not? A link that leads nowhere is one, and gets its own message.
pub fn has_manifest(directory: &Path) -> bool {
    directory.join(MANIFEST).symlink_metadata().is_ok()
}

/// A file's text, or what is wrong and what to do.
pub fn read(file: &Path, name: &str, limit: u64) -> Result<String, (String, String)> {
    let bytes = bytes(file, name, limit)?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        if let Found::Unread(kind) = kind(e.as_bytes()) {
            let (message, help) = kind.message();
            return (format!("`{name}` is not a text file of UTF-8: {message}"), help);
        }
        let help = "save the configuration as text, in UTF-8";
        (format!("`{name}` is not a text file: byte {at} is not UTF-8"), help.to_owned())
    })
}

/// What a file is, by its content.
pub fn kind(bytes: &[u8]) -> Found {
    // Letters of an older alphabet leave the rest as it is.
    match std::str::from_utf8(bytes) {
        Ok(text) => found(text),
        Err(_) => of_bytes(bytes).map_or_else(|| found(&String::from_utf8_lossy(bytes)), Found::Unread),
    }
}

/// What a file holds, or what is wrong and what to do.
pub fn bytes(file: &Path, name: &str, limit: u64) -> Result<Vec<u8>, (String, String)> {
    let failed = |e: &std::io::Error| {
        let help = match e.kind() {
            std::io::ErrorKind::NotFound => "check the path",
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
    let too_large = |size: u64| {
        let (size, most) = (size.div_ceil(1 << 20), limit >> 20);
        (
            format!("`{name}` is too large: {size} MB, and {most} MB is the most"),
            "a configuration is much smaller; check that it is the right file".to_owned(),
        )
    };
    if about.len() > limit {
        return Err(too_large(about.len()));
    }
    // Some files of the kernel say that they are empty, and are not, or wait for something to read.
    if about.len() == 0 {
        return Ok(Vec::new());
    }
    // What counts is what was read: metadata can be wrong, and a file can grow.
    let mut bytes = Vec::new();
    let mut taken = File::open(file).map_err(|e| failed(&e))?.take(limit.saturating_add(1));
    taken.read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
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
