//! `callpath trace`: one flow, or a file of expectations about flows.

use crate::NO_ANSWER;
use crate::folder::Also;
use crate::gather::{self, Gathered};
use crate::shell::Shell;
use callpath_core::manifest::{PortRanges, parse_ports};
use callpath_core::model::SourceId;
use callpath_core::query::{Expected, Question, Reader, Suite, Word, Wrong, judge, parse_flow_ports};
use callpath_core::report::{Style, expected, trace as text};
use callpath_core::snapshot::{InputError, Snapshot, Source};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Both ways to ask.
pub const USAGE: &str = "callpath trace [OPTIONS] <FROM> <TO> <PROTO/PORT> [SITE]
       callpath trace [OPTIONS] --expectations <FILE> [SITE]";

/// A file of expectations is short; larger ones are something else.
const MOST_BYTES: u64 = 1 << 20;

/// Which flow, or which expectations.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Who sends: a place as reports name it (internet, lan, net:NAME, caller:NAME, admin, peer:NAME), server, an instance, or an address
    #[arg(value_name = "FROM", required_unless_present = "expectations")]
    from: Option<String>,
    /// Whom they ask: the site's name, an address, server, or an instance
    #[arg(value_name = "TO", required_unless_present = "expectations", conflicts_with = "expectations")]
    to: Option<String>,
    /// Protocol and ports: tcp/443, udp/50000-50499
    #[arg(value_name = "PROTO/PORT", required_unless_present = "expectations", conflicts_with = "expectations")]
    ports: Option<String>,
    /// A directory with a callpath.toml, such a file, or a snapshot; without it this directory
    #[arg(value_name = "SITE", conflicts_with = "expectations")]
    site: Option<PathBuf>,
    /// Ports that they send from; without it all that clients have, 1024-65535
    #[arg(long, value_name = "PORTS")]
    source_port: Option<String>,
    /// Make a test of it: exit 0 if all of the flow is so, 1 if not or if it is not known
    #[arg(long, value_enum)]
    expect: Option<Expect>,
    /// Test a file of expectations, one a line: `open internet -> voice.example.org udp/50000-50499`, comments with #
    #[arg(long, value_name = "FILE", conflicts_with_all = ["expect", "source_port"])]
    expectations: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    #[arg(long, hide = true)]
    redact: bool,
    #[arg(long, hide = true, value_name = "FILE")]
    redact_key: Option<PathBuf>,
    #[command(flatten)]
    also: Also,
}

/// What a flow is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Expect {
    /// All of it gets through, and its answers get back
    Open,
    /// None of it gets through, and no other device takes it either
    Closed,
}

/// Forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Text,
    /// For programs: callpath.trace/1, of expectations callpath.expectations/1
    Json,
}

/// Something is wrong: each message, with the texts that it points into.
type Refused = (Vec<InputError>, Snapshot);

/// Traces; the exit code.
pub fn run(arguments: &Arguments, shell: &Shell) -> u8 {
    match answer(arguments, shell) {
        Ok((text, code)) => {
            Shell::print(&text);
            code
        }
        Err((errors, texts)) => {
            for error in &errors {
                shell.error(error, &texts);
            }
            NO_ANSWER
        }
    }
}

fn answer(arguments: &Arguments, shell: &Shell) -> Result<(String, u8), Refused> {
    if arguments.redact || arguments.redact_key.is_some() {
        let error = InputError::about("--redact", "a trace has no pseudonyms: what is asked is typed in real names");
        return Err(alone(
            error.help("write `callpath snapshot --redact`, and trace in that file with the names that stand in it"),
        ));
    }
    match &arguments.expectations {
        Some(file) => suite(arguments, file),
        None => one(arguments, shell),
    }
}

/// One flow.
fn one(arguments: &Arguments, shell: &Shell) -> Result<(String, u8), Refused> {
    let word = |w: &Option<String>| w.clone().unwrap_or_default();
    let typed = word(&arguments.ports);
    let ports = parse_flow_ports(&typed).map_err(|(message, help)| typed_wrong("PROTO/PORT", message, help))?;
    let sources = arguments.source_port.as_deref().map(parse_ports).transpose();
    let source_ports: PortRanges =
        sources.map_err(|(message, help)| typed_wrong("--source-port", message, help))?.unwrap_or_default();
    let question = Question { from: word(&arguments.from), to: word(&arguments.to), ports, source_ports };
    let site = arguments.site.as_deref().unwrap_or(Path::new("."));
    let snapshot = gathered(site, &arguments.also)?;
    let mut reader = Reader::new(&snapshot).map_err(|e| (vec![e], snapshot.clone()))?;
    let trace = reader.trace(&question).map_err(|wrong| {
        let error = |Wrong { word, message, help }: Wrong| {
            let name = match word {
                Word::From => "FROM",
                Word::To => "TO",
            };
            InputError::about(name, message).help(help)
        };
        (wrong.into_iter().map(error).collect(), Snapshot::default())
    })?;
    let wanted = arguments.expect.map(|e| match e {
        Expect::Open => Expected::Open,
        Expect::Closed => Expected::Closed,
    });
    let outcome = wanted.map(|e| (e, judge(&trace, e)));
    let code = u8::from(outcome.as_ref().is_some_and(|(_, o)| !o.holds));
    let mut told = match arguments.format {
        Form::Json => trace.json(),
        Form::Text => text(&trace, Style { colour: shell.colour }),
    };
    if let (Form::Text, Some((word, outcome))) = (arguments.format, outcome) {
        told += &expected(word.name(), Some(&*outcome.why).filter(|_| !outcome.holds));
    }
    Ok((told, code))
}

/// A file of expectations.
fn suite(arguments: &Arguments, file: &Path) -> Result<(String, u8), Refused> {
    let name = gather::shown(file);
    let text = gather::read(file, &name, MOST_BYTES)
        .map_err(|(message, help)| alone(InputError::about(name.as_str(), message).help(help)))?;
    let source = SourceId::MANIFEST;
    let texts =
        || Snapshot { sources: vec![Source { name: name.clone(), text: text.clone() }], directory: String::new() };
    let suite = Suite::parse(source, &text).map_err(|errors| (errors, texts()))?;
    // With expectations the only word is the site.
    let site = arguments.from.as_deref().map_or(Path::new("."), Path::new);
    let snapshot = gathered(site, &arguments.also)?;
    let mut reader = Reader::new(&snapshot).map_err(|e| (vec![e], snapshot.clone()))?;
    let results = suite.run(source, &name, &mut reader).map_err(|errors| (errors, texts()))?;
    let told = match arguments.format {
        Form::Json => results.json(),
        Form::Text => results.text(),
    };
    Ok((told, u8::from(!results.holds)))
}

/// The texts of a site.
fn gathered(site: &Path, also: &Also) -> Result<Snapshot, Refused> {
    let Gathered { snapshot, error, .. } = gather::site(site, also);
    match error {
        Some(error) => Err((vec![error], snapshot)),
        None => Ok(snapshot),
    }
}

fn typed_wrong(name: &str, message: String, help: String) -> Refused {
    alone(InputError::about(name, message).help(help))
}

fn alone(error: InputError) -> Refused {
    (vec![error], Snapshot::default())
}
