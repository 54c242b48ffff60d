//! `callpath ports`.

use crate::shell::Shell;
use crate::{NO_ANSWER, known};
use callpath_core::ports::{Choice, Format, render};
use callpath_core::profile::{PROFILES, find};
use callpath_core::snapshot::Snapshot;
use clap::{Args, ValueEnum};

/// A product and what is chosen for it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The product; without one, all are listed
    #[arg(value_parser = known::products())]
    product: Option<String>,
    /// How it is installed; without it the product's usual way
    #[arg(long)]
    mode: Option<String>,
    /// Other ports: `--with udp=50500-50999`; may be repeated
    #[arg(long, value_name = "NAME=PORTS")]
    with: Vec<String>,
    /// A feature that is used though it is off by default; may be repeated
    #[arg(long, value_name = "FEATURE")]
    on: Vec<String>,
    /// A feature that is not used though it is on by default; may be repeated
    #[arg(long, value_name = "FEATURE")]
    off: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

/// Forms of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    Text,
    /// For a document
    Markdown,
    /// For programs: callpath.ports/1
    Json,
    /// One page that needs nothing else
    Html,
}

/// Prints what a product needs from the network; the exit code.
pub fn run(arguments: Arguments, shell: &Shell) -> u8 {
    let Arguments { product, mode, with, on, off, format } = arguments;
    let Some(system) = product else {
        let width = PROFILES.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, _) in PROFILES {
            let about = find(name).map_or_else(String::new, |p| p.about);
            Shell::print(&format!("{name:width$}  {about}\n"));
        }
        return 0;
    };
    match (Choice { system, mode, with, on, off }).instance() {
        Err(error) => {
            shell.error(&error, &Snapshot::default());
            NO_ANSWER
        }
        Ok(instance) => {
            let format = match format {
                Form::Text => Format::Text,
                Form::Markdown => Format::Markdown,
                Form::Json => Format::Json,
                Form::Html => Format::Html,
            };
            Shell::print(&render(&instance, format));
            0
        }
    }
}
