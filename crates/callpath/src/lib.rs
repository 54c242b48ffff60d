//! `callpath`: will a call get through, and if not, which hop stops it?
//!
//! This is the command line as a library, for the program itself and for what is generated out of its commands: man
//! pages, completions, reference pages. What it answers is `callpath_core`.

mod check;
mod copies;
mod diff;
mod explain;
mod fix;
mod folder;
mod found;
mod gather;
mod import;
mod init;
mod known;
mod ports;
mod pseudonyms;
mod render;
mod save;
mod shell;
mod snapshot;
mod trace;

use callpath_core::visible::line;
use callpath_core::{manifest, report};
use clap::{CommandFactory, Parser, Subcommand};
use shell::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tells whether calls reach your self-hosted voice and video server, and if not, which hop stops them.
#[derive(Debug, Parser)]
#[command(name = "callpath", version, max_term_width = 80, after_help = exit_codes())]
struct Cli {
    /// What to do; without it, the site in this directory is checked
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge every call path of a site
    Check {
        /// A directory with a callpath.toml, such a file, or a snapshot
        #[arg(default_value = ".")]
        site: PathBuf,
        /// How to print the report
        #[arg(long, value_parser = check::formats(), default_value = report::FORMATS[0].name)]
        format: &'static report::Format,
        #[command(flatten)]
        redact: pseudonyms::Redact,
        #[command(flatten)]
        also: folder::Also,
    },
    /// Follow one flow through a site, hop by hop: each rule, the answer, and where it ends; or test what is expected of flows
    #[command(override_usage = trace::USAGE)]
    Trace(trace::Arguments),
    /// Show which ports a product needs, from whom, and which must stay closed
    Ports(ports::Arguments),
    /// Write a first callpath.toml; never overwrites one
    Init(init::Arguments),
    /// Show what was understood of firewall configurations
    Import {
        /// Configuration files, recognised by content
        #[arg(required_unless_present = "summary")]
        files: Vec<PathBuf>,
        /// Show only what was not understood, with its position
        #[arg(long)]
        unread: bool,
        /// Show only figures, for each file in this directory and in all
        #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "unread"])]
        summary: Option<PathBuf>,
    },
    /// Print what repairs a site: checked steps, or copies of its files with the changes in them
    Fix(fix::Arguments),
    /// Print a product's whole recipe for a firewall: guide, undo, or your configuration with the changes in it
    Render(render::Arguments),
    /// Write all texts of a site into one file, for a bug report; `callpath check` reads it
    Snapshot(snapshot::Arguments),
    /// Compare two sites: who gains, who loses, and which statements differ
    Diff(diff::Arguments),
    /// Explain a finding; without a code, list all
    Explain {
        /// The code that a report shows: hairpin-missing
        #[arg(value_parser = known::codes(), hide_possible_values = true)]
        code: Option<String>,
    },
    /// Print the JSON schema of callpath.toml, for editors
    Schema {
        /// That of the report instead, for programs that read `check --format json`
        #[arg(long)]
        report: bool,
    },
}

/// Exit codes, and what each says.
pub const EXIT_CODES: [(u8, &str); 3] = [
    (0, "every call path works, or what was asked for is done"),
    (
        1,
        "a path fails, is degraded or unknown (check, fix), a flow is not as expected (trace), or somebody loses (diff)",
    ),
    (NO_ANSWER, "no answer: something is wrong with the input"),
];

/// No answer: bad input, or our fault.
const NO_ANSWER: u8 = 2;

fn exit_codes() -> String {
    let each = EXIT_CODES.map(|(code, says)| format!("{code} {says}"));
    format!("Exit codes: {}", each.join("; "))
}

/// Printed where there is nothing to check.
const WHAT_TO_DO: &str = "\
callpath tells whether calls reach your voice and video server; there is no callpath.toml in this directory
  callpath init          writes one here: it finds your router's configuration, and asks the rest
  callpath check DIR     judges the site of another directory, such as an example: examples/spokes
  callpath --help        shows every command
";

/// Every command with its arguments, and what they mean.
pub fn command() -> clap::Command {
    Cli::command()
}

/// What the program does; its exit code.
pub fn main() -> ExitCode {
    let shell = Shell::new();
    let arguments = Cli::try_parse().unwrap_or_else(|error| {
        // A message that repeats what was typed goes the way of all others, as one line; any other keeps its colours.
        let mut text = error.to_string();
        let typed: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
        let words = typed.iter().flat_map(|a| [Some(&**a), a.split_once('=').map(|(_, value)| value)]).flatten();
        for word in words.filter(|w| line((*w).to_owned()) != **w) {
            text = text.replace(word, &line(word.to_owned()));
        }
        if error.use_stderr() && (text != error.to_string() || std::env::var_os("GITHUB_ACTIONS").is_some()) {
            Shell::advise(&text);
            std::process::exit(error.exit_code());
        }
        error.exit()
    });
    let command = arguments.command.or_else(|| {
        let site = PathBuf::from(".");
        (gather::has_manifest(&site) || gather::above().is_some()).then_some(Command::Check {
            site,
            format: &report::FORMATS[0],
            redact: pseudonyms::Redact::default(),
            also: folder::Also::default(),
        })
    });
    let Some(command) = command else {
        Shell::advise(WHAT_TO_DO);
        return ExitCode::from(NO_ANSWER);
    };
    let code = match command {
        Command::Check { site, format, redact, also } => check::run(&site, &also, format, &redact, &shell),
        Command::Import { files, unread, summary } => import::run(&files, unread, summary.as_deref(), &shell),
        Command::Trace(arguments) => trace::run(&arguments, &shell),
        Command::Snapshot(arguments) => snapshot::run(&arguments, &shell),
        Command::Ports(arguments) => ports::run(arguments, &shell),
        Command::Init(arguments) => init::run(arguments, &shell),
        Command::Diff(arguments) => diff::run(&arguments, &shell),
        Command::Fix(arguments) => fix::run(&arguments, &shell),
        Command::Render(arguments) => render::run(&arguments, &shell),
        Command::Explain { code } => explain::run(code.as_deref(), &shell),
        Command::Schema { report } => {
            let schema = if report { report::schema() } else { manifest::schema() };
            Shell::print(&schema);
            0
        }
    };
    ExitCode::from(code)
}
