//! `cargo xtask differential`: the Linux kernel says whether the trace is right.

use callpath_lab::campaign::{Options, campaign};
use std::path::PathBuf;
use std::process::ExitCode;

fn options() -> Result<Options, String> {
    let mut out =
        Options { packets: 20_000, seed: 1, fixtures: PathBuf::from("fixtures/differential"), most_mismatches: 5 };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
        let number = || value.replace(['_', ','], "").parse::<u64>().map_err(|_| format!("{arg} takes a number"));
        match arg.as_str() {
            "--packets" => out.packets = number()?,
            "--seed" => out.seed = number()?,
            "--most" => out.most_mismatches = usize::try_from(number()?).unwrap_or(1),
            "--fixtures" => out.fixtures = PathBuf::from(&value),
            _ => return Err(format!("{arg} is not known; there are --packets, --seed, --most and --fixtures")),
        }
    }
    Ok(out)
}

fn main() -> ExitCode {
    let run = || -> Result<bool, String> {
        let options = options()?;
        callpath_lab::namespace::enter_wire()?;
        let tally = campaign(&options)?;
        println!("{}", tally.table());
        for floor in tally.missed() {
            println!("floor missed: {floor}");
        }
        println!("{}", tally.line());
        Ok(tally.mismatches.is_empty() && tally.missed().is_empty())
    };
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("the lab does not work here: {why}");
            ExitCode::from(2)
        }
    }
}
