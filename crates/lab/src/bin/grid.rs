//! Real calls as judge: `cargo xtask grid`; a tenth of it is part of `cargo xtask ci`.

use callpath_lab::grid::{First, disagreements, every_call, figures, run, table, tenth_of_calls};
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
arguments: [--tenth] [--server-first] [--only WORD]... [--parallel N]
  --tenth          every tenth call of the grid
  --server-first   the server begins with its checks, not the caller
  --only WORD      calls whose name has this part, as \"home\" or \"lan-app\"; more than one: all of them
  --parallel N     so many calls at a time";

/// Most of a call is waiting.
const AT_A_TIME: usize = 16;

struct Options {
    tenth: bool,
    first: First,
    only: Vec<String>,
    at_a_time: usize,
}

fn options() -> Result<Options, String> {
    let mut options = Options { tenth: false, first: First::Caller, only: Vec::new(), at_a_time: AT_A_TIME };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--tenth" => options.tenth = true,
            "--server-first" => options.first = First::Server,
            "--only" => options.only.push(args.next().ok_or(HELP)?),
            "--parallel" => options.at_a_time = args.next().and_then(|n| n.parse().ok()).ok_or(HELP)?,
            _ => return Err(HELP.into()),
        }
    }
    Ok(options)
}

fn judge(options: &Options) -> Result<bool, String> {
    callpath_lab::namespace::enter_wire()?;
    let start = Instant::now();
    let mut calls = if options.tenth { tenth_of_calls() } else { every_call() };
    calls.retain(|call| {
        let name = call.to_string();
        options.only.iter().all(|word| name.split([',', ' ']).any(|part| part == word))
    });
    if calls.is_empty() {
        return Err("the grid has no such call".into());
    }
    let outcomes = run(&calls, options.first, options.at_a_time)?;
    print!("{}", table(&outcomes));
    let differ = disagreements(&outcomes);
    print!("{}{differ}", if differ.is_empty() { "" } else { "\n" });
    println!("\n{}; {} s", figures(&outcomes), start.elapsed().as_secs());
    Ok(differ.is_empty())
}

fn main() -> ExitCode {
    match options().and_then(|options| judge(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
