//! `cargo xtask differential`: the Linux kernel says whether the trace is right.

use callpath_lab::campaign::{Lab, Options, campaign, replay};
use callpath_lab::filters;
use callpath_lab::fixtures::Fixtures;
use callpath_lab::mutants::mutants;
use callpath_lab::pairs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line asks for.
struct Asked {
    options: Options,
    /// Judge so many pairs of parties instead of single packets.
    pairs: Option<u64>,
    /// Judge so many filters on a wire instead.
    filters: Option<u64>,
    /// Plant bugs instead, into a copy of this workspace.
    mutants: Option<PathBuf>,
}

const HELP: &str = "there are --packets N, --pairs N, --filters N, --seed S, --most N, --minimise 0|1, --fixtures DIR, --mutants WORKSPACE";

fn asked() -> Result<Asked, String> {
    let fixtures = Fixtures::of_repository("differential");
    let options = Options { packets: 20_000, seed: 1, fixtures, most_mismatches: 5, minimise: true };
    let mut given = None;
    let mut out = Asked { options, pairs: None, filters: None, mutants: None };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or_else(|| format!("{arg} needs a value; {HELP}"))?;
        let number =
            || value.replace(['_', ','], "").parse::<u64>().map_err(|_| format!("{arg} takes a number; {HELP}"));
        match arg.as_str() {
            "--packets" => out.options.packets = number()?,
            "--pairs" => out.pairs = Some(number()?),
            "--filters" => out.filters = Some(number()?),
            "--seed" => out.options.seed = number()?,
            "--most" => out.options.most_mismatches = usize::try_from(number()?).unwrap_or(1),
            "--minimise" => out.options.minimise = number()? != 0,
            "--fixtures" => given = Some(PathBuf::from(&value)),
            "--mutants" => out.mutants = Some(PathBuf::from(&value)),
            _ => return Err(format!("{arg} is not known; {HELP}")),
        }
    }
    match given {
        Some(dir) => out.options.fixtures = Fixtures::at(dir),
        None if out.pairs.is_some() => out.options.fixtures = Fixtures::of_repository("pairs"),
        None => {}
    }
    Ok(out)
}

/// Says what came of the saved mismatches; do all agree now?
fn agree(kind: &str, (count, differ): &(usize, Vec<String>)) -> bool {
    println!("{count} saved {kind} tried again, {} differ still", differ.len());
    for what in differ {
        println!("{what}");
    }
    differ.is_empty()
}

/// Says what came of a campaign; were its floors held?
fn held(table: &str, missed: &[String], line: &str) -> bool {
    println!("{table}");
    for floor in missed {
        println!("floor missed: {floor}");
    }
    println!("{line}");
    missed.is_empty()
}

fn judge_pairs(options: &Options, count: u64) -> Result<bool, String> {
    callpath_lab::namespace::enter_wire()?;
    let mut lab = pairs::Lab::new()?;
    let agree = agree("pairs", &pairs::replay(&mut lab, &options.fixtures)?);
    let tally = pairs::campaign(&mut lab, count, options)?;
    let held = held(&tally.table(), &tally.missed(), &tally.line());
    Ok(agree && held && tally.mismatches.is_empty())
}

fn judge_filters(options: &Options, count: u64) -> Result<bool, String> {
    callpath_lab::namespace::enter_wire()?;
    let (asked, differ) = filters::campaign(count, options.seed)?;
    for what in &differ {
        println!("{what}");
    }
    println!("{count} filters on a wire, {asked} ports asked, {} differ", differ.len());
    Ok(differ.is_empty())
}

fn judge(options: &Options) -> Result<bool, String> {
    callpath_lab::namespace::enter_wire()?;
    let mut lab = Lab::new()?;
    let agree = agree("mismatches", &replay(&mut lab, &options.fixtures)?);
    let tally = campaign(&mut lab, options)?;
    let held = held(&tally.table(), &tally.missed(), &tally.line());
    Ok(agree && held && tally.mismatches.is_empty())
}

fn plant(workspace: &Path) -> Result<bool, String> {
    let outcomes = mutants(workspace)?;
    for outcome in &outcomes {
        let caught = if outcome.caught { "caught" } else { "SURVIVED" };
        println!("{:<46} {caught:<9} {}", outcome.name, outcome.said);
    }
    let survived = outcomes.iter().filter(|o| !o.caught).count();
    println!("planted {}, survived: {survived}", outcomes.len());
    Ok(survived == 0)
}

fn main() -> ExitCode {
    let done = asked().and_then(|asked| match &asked.mutants {
        Some(workspace) => plant(workspace),
        None => match (asked.pairs, asked.filters) {
            (Some(count), _) => judge_pairs(&asked.options, count),
            (None, Some(count)) => judge_filters(&asked.options, count),
            (None, None) => judge(&asked.options),
        },
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("the lab does not work here: {why}");
            ExitCode::from(2)
        }
    }
}
