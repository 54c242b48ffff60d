//! Tasks for contributors: `cargo xtask test`, `cargo xtask differential`, `cargo xtask grid`,
//! `cargo xtask fuzz`.

mod fuzz;
mod task;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test                  everything that continuous integration runs
cargo xtask differential [ARGS]   the Linux kernel as judge: --packets N or --pairs N, --seed S, --mutants
cargo xtask grid [ARGS]           real calls as judge: --tenth, --server-first, --only WORD, --parallel N
cargo xtask fuzz [ARGS]           readers and trace on random bytes: --minutes N (of each target), TARGET..., --seeds";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("test", [])) => tools::needed().and_then(|()| task::test()),
        Some(("differential", rest)) => tools::needed().and_then(|()| task::differential(rest)),
        Some(("grid", rest)) => tools::needed().and_then(|()| task::grid(rest)),
        Some(("fuzz", rest)) => fuzz::fuzz(rest),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
