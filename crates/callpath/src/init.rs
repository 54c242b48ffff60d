//! `callpath init`: asks what cannot be found out, and writes a first callpath.toml.

use crate::gather::MANIFEST;
use crate::shell::Shell;
use crate::{NO_ANSWER, found, known, save};
use callpath_core::manifest::{self, First, known_names, parse_ports};
use callpath_core::profile::{PROFILES, instance};
use callpath_core::requirement::{Level, Requirement};
use callpath_core::snapshot::{InputError, Snapshot, Source};
use callpath_core::visible::{self, line};
use clap::Args;
use std::io::{BufRead, ErrorKind, IsTerminal};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Answers that are known already.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The directory in which callpath.toml is written
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// The product
    #[arg(long, value_name = "NAME", value_parser = known::products())]
    system: Option<String>,
    /// The server's own address
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// The name that people type
    #[arg(long)]
    name: Option<String>,
    /// The public address
    #[arg(long)]
    address: Option<String>,
    /// Ports of this installation where the product's document gives only examples; may be repeated
    #[arg(long, value_name = "KEY=PORTS")]
    with: Vec<String>,
    /// A configuration file of the router, relative to DIRECTORY; may be repeated
    #[arg(long, value_name = "FILE")]
    config: Vec<String>,
    /// The outer address of the router, where its configuration does not hold it
    #[arg(long, value_name = "ADDRESS")]
    wan: Option<String>,
}

/// Writes a manifest; the exit code.
pub fn run(arguments: Arguments, shell: &Shell) -> u8 {
    let mut snapshot = Snapshot::default();
    match write(arguments, &mut snapshot) {
        Ok((file, complete)) => {
            let next = if complete { "" } else { "write your public address into it, then " };
            Shell::print(&format!("wrote {}; next: {next}callpath check\n", line(file.display().to_string())));
            0
        }
        Err(error) => {
            shell.error(&error, &snapshot);
            NO_ANSWER
        }
    }
}

/// The file that was written, and whether it holds all that `check` needs.
fn write(arguments: Arguments, snapshot: &mut Snapshot) -> Result<(PathBuf, bool), InputError> {
    let directory = arguments.directory.clone();
    let file = if directory == Path::new(".") { PathBuf::from(MANIFEST) } else { directory.join(MANIFEST) };
    let shown = file.display().to_string();
    let exists = || {
        InputError::about(shown.as_str(), "there is a manifest already; it is not overwritten")
            .help("change it by hand, or name another directory: `callpath init <directory>`")
    };
    // A link that leads nowhere is somebody's file too.
    if file.symlink_metadata().is_ok() {
        return Err(exists());
    }
    if !directory.is_dir() {
        let error = InputError::about(directory.display().to_string(), "there is no such directory");
        return Err(error.help("make it first, or run `callpath init` in the directory itself"));
    }
    let text = ask(arguments)?.text();
    snapshot.sources.push(Source { name: MANIFEST.into(), text: text.clone() });
    // What would be refused by `check` is refused now.
    let manifest = manifest::parse(&text)?;
    manifest.deploys.iter().try_for_each(|d| instance(d).map(|_| ()))?;
    // Between the look above and now somebody else may have written one, which is kept.
    match save::save(&file, &text, false, &[]) {
        Ok(()) => Ok((file, !manifest.address.is_empty())),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(exists()),
        Err(e) => Err(save::failed(&file, &e)),
    }
}

/// What was not given is asked; configurations that lie in the directory are taken for the router's.
fn ask(arguments: Arguments) -> Result<First, InputError> {
    let Arguments { directory, system, host, mut name, mut address, with, mut config, mut wan } = arguments;
    // Who gives all of it on the command line is asked nothing.
    let asks = name.is_none() && address.is_none() || system.is_none() || host.is_none();
    let mut others = Vec::new();
    if config.is_empty() {
        let found = found::configurations(&directory);
        for (file, dialect) in &found.read {
            Shell::advise(&format!("found {}: {}\n", line(file.clone()), dialect.about().what));
        }
        for (file, kind) in &found.unread {
            let (message, help) = kind.message();
            Shell::advise(&format!("found {}: {message}\n  {help}\n", line(file.clone())));
        }
        let files = found.read.iter().map(|(file, _)| file.clone()).collect();
        if found::of_one_device(&found.read) { config = files } else { others = files }
    }
    if name.is_none() && address.is_none() {
        let answer = question("public name or address by which people reach it", "--name or --address", &|text| {
            if text.parse::<IpAddr>().is_ok() { public(text) } else { host_name(text) }
        })?;
        if answer.parse::<IpAddr>().is_ok() {
            address = Some(answer);
        } else {
            name = Some(answer);
            let what = "public address that the internet sees; a page such as https://ip.me shows it";
            address = perhaps(what, "--address", &public)?;
        }
    }
    let mut questions =
        config.iter().filter_map(|f| found::dialect(&directory.join(f))).map(|d| d.about().words.ask_outer);
    if asks
        && wan.is_none()
        && let Some(what) = questions.find(|q| !q.is_empty())
    {
        wan = perhaps(what, "--wan", &ip)?;
    }
    let known: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    let system = match system {
        Some(system) => system,
        None => question(&format!("product ({})", known.join(", ")), "--system", &|text| {
            let help = || known_names(text, "products", known.iter().copied());
            if known.contains(&text) { Ok(()) } else { Err((format!("no product is called `{text}`"), help())) }
        })?,
    };
    let host = match host {
        Some(host) => host,
        None => question("the server's own address, such as 192.168.1.50", "--host", &ip)?,
    };
    let (with, missing) = own_ports(&system, &with, asks)?;
    Ok(First { name, address, system, host, with, missing, config, wan, others })
}

/// A key of `with`, and where the product shows its ports.
type Missing = (String, Option<String>);
/// Keys of `with` with their ports, and keys whose ports are still missing.
type OwnPorts = (Vec<(String, String)>, Vec<Missing>);

/// Ports that every installation has others for: as given or answered, and those that are still missing. Only those are
/// asked on which calls hang.
fn own_ports(system: &str, given: &[String], asks: bool) -> Result<OwnPorts, InputError> {
    let mut with: Vec<(String, String)> = Vec::new();
    for text in given {
        let Some((key, ports)) = text.split_once('=') else {
            let error = InputError { at: None, ..InputError::in_manifest(0..0, format!("`{text}` names no ports")) };
            return Err(error.help("write it like --with janus=21000-21999"));
        };
        with.push((key.trim().to_owned(), ports.trim().to_owned()));
    }
    let mut missing: Vec<Missing> = Vec::new();
    let first = First { system: system.to_owned(), host: "192.168.1.50".into(), ..First::default() };
    let Ok(manifest) = manifest::parse(&first.text()) else { return Ok((with, missing)) };
    let Some(found) = manifest.deploys.first().and_then(|d| instance(d).ok()) else { return Ok((with, missing)) };
    let matters = |r: &&Requirement| r.example && matches!(r.level, Level::Required | Level::Recommended);
    for r in found.requirements.iter().filter(matters) {
        if with.iter().any(|(key, _)| *key == r.parameter) || missing.iter().any(|(key, _)| *key == r.parameter) {
            continue;
        }
        let shown = r.shown.as_ref().map_or_else(String::new, |s| format!(", as {s} shows them"));
        let what = format!("{} ports of this installation for {}{shown}", r.proto.name(), r.purpose);
        let flag = format!("--with {}=…", r.parameter);
        let rule = |text: &str| parse_ports(text).map(|_| ());
        match if asks { perhaps(&what, &flag, &rule)? } else { None } {
            Some(ports) => with.push((r.parameter.clone(), ports)),
            None => missing.push((r.parameter.clone(), r.shown.clone())),
        }
    }
    Ok((with, missing))
}

/// An address, or what is wrong with it, as `check` would say it.
fn ip(text: &str) -> Result<(), (String, String)> {
    let wrong = |_| (format!("`{text}` is not an IP address"), "write it like 192.168.1.50".to_owned());
    text.parse::<IpAddr>().map(|_| ()).map_err(wrong)
}

/// A name, or what is wrong with it.
fn host_name(text: &str) -> Result<(), (String, String)> {
    accepted(First { name: Some(text.to_owned()), ..First::default() })
}

/// An address that the internet reaches, or what is wrong with it.
fn public(text: &str) -> Result<(), (String, String)> {
    ip(text)?;
    accepted(First { address: Some(text.to_owned()), ..First::default() })
}

/// What `check` would say to a manifest with this in it.
fn accepted(first: First) -> Result<(), (String, String)> {
    let first = First { system: "livekit".into(), host: "192.168.1.50".into(), ..first };
    manifest::parse(&first.text()).map(|_| ()).map_err(|e| (e.message, e.help.into()))
}

/// An answer is right, or what is wrong and what to do.
type Rule<'a> = &'a dyn Fn(&str) -> Result<(), (String, String)>;

/// Asks until the answer is right; where nobody sits at a terminal, a wrong answer is an error.
fn question(what: &str, flag: &str, rule: Rule<'_>) -> Result<String, InputError> {
    let plain =
        |message: String, help: String| InputError { at: None, ..InputError::in_manifest(0..0, message) }.help(help);
    loop {
        let (line, ended) = prompt(what);
        let why = match line.as_str() {
            "" if rule("").is_ok() => return Ok(line),
            "" if ended => (format!("no answer: the input ended for: {what}"), format!("answer, or give it by {flag}")),
            "" => (format!("an empty answer for: {what}"), format!("answer, or give it by {flag}")),
            answer => match rule(answer) {
                Ok(()) => return Ok(line),
                Err(why) => why,
            },
        };
        if ended || !std::io::stdin().is_terminal() {
            return Err(plain(why.0, why.1));
        }
        Shell::advise(&format!("{}; {}\n", visible::line(why.0), visible::line(why.1)));
    }
}

/// The same, but nothing is an answer too.
fn perhaps(what: &str, flag: &str, rule: Rule<'_>) -> Result<Option<String>, InputError> {
    let what = format!("{what} (empty: not known)");
    let answer = question(&what, flag, &|text| if text.is_empty() { Ok(()) } else { rule(text) })?;
    Ok(Some(answer).filter(|a| !a.is_empty()))
}

/// A line, and whether the input has ended.
fn prompt(what: &str) -> (String, bool) {
    // Questions go where errors go: what is printed stays free of them.
    Shell::advise(&format!("{what}: "));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    let ended = !matches!(read, Ok(n) if n > 0);
    if ended || !std::io::stdin().is_terminal() {
        Shell::advise("\n");
    }
    (line.trim().to_owned(), ended)
}
