//! Which files a site may name: those inside its own folder, and inside folders that the command line names.
//!
//! A manifest can come from a stranger. Its paths are resolved to real paths before a file is opened, so neither `..`,
//! nor an absolute path, nor a link makes a report of another file of this machine.

use crate::gather::reason;
use callpath_core::snapshot::InputError;
use clap::Args;
use std::path::{Component, Path, PathBuf};

/// Folders that the command line names.
#[derive(Debug, Clone, Default, Args)]
pub struct Also {
    /// A further folder whose files callpath.toml may name; may be repeated
    #[arg(long = "also-read", value_name = "DIR")]
    folders: Vec<PathBuf>,
}

/// The folders whose files may be read.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// Without links.
    real: Vec<PathBuf>,
    /// As they were named.
    named: Vec<PathBuf>,
}

/// Why a file may not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// The path as it is written leads out of the folders.
    Path,
    /// A link leads out of the folders.
    Link,
}

impl Folders {
    /// The folder of a manifest, and those that the command line names beside it.
    ///
    /// # Errors
    /// A folder of the command line that is not there, or is no folder.
    pub fn new(site: &Path, also: &Also) -> Result<Self, InputError> {
        let site = if site.as_os_str().is_empty() { Path::new(".") } else { site };
        // A folder that cannot be resolved holds no file: the manifest's own message says so.
        let mut out = Self { real: site.canonicalize().into_iter().collect(), named: vec![plain(site)] };
        for folder in &also.folders {
            let name = folder.display().to_string();
            let error = |message: String| Err(InputError::about(name.as_str(), message).help("name a folder"));
            match folder.canonicalize() {
                Ok(real) if real.is_dir() => out.real.push(real),
                Ok(_) => return error(format!("`{name}` is not a folder")),
                Err(e) => return error(format!("`{name}` cannot be read: {}", reason(&e))),
            }
            out.named.push(plain(folder));
        }
        Ok(out)
    }

    /// The real path of a file that may be read.
    ///
    /// # Errors
    /// The file lies outside. A file that is missing inside is given back as it is, so that opening it says why.
    pub fn real(&self, file: &Path) -> Result<PathBuf, Outside> {
        let path = plain(file);
        let outside =
            if self.named.iter().any(|folder| path.starts_with(folder)) { Outside::Link } else { Outside::Path };
        let holds = |path: &Path| self.real.iter().any(|folder| path.starts_with(folder));
        if let Ok(real) = file.canonicalize() {
            return if holds(&real) { Ok(real) } else { Err(outside) };
        }
        // Whether a file outside exists is not told either.
        let parent = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match parent.canonicalize() {
            Ok(real) if !holds(&real) => Err(outside),
            Err(_) if outside == Outside::Path => Err(outside),
            _ => Ok(file.to_path_buf()),
        }
    }
}

/// An absolute path without `.` and `..`, whatever links do.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_default().components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

impl Outside {
    /// What is wrong with a path of a manifest, and what to do.
    pub fn message(self, name: &str) -> (String, String) {
        let what = match self {
            Self::Path => "lies outside of this site's folder",
            Self::Link => "is a link that leads out of this site's folder",
        };
        (
            format!("`{name}` {what}"),
            "copy the file beside callpath.toml, or allow its folder on the command line: `--also-read <folder>`"
                .into(),
        )
    }
}
