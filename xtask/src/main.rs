//! Tasks for contributors: `cargo xtask` lists them.

mod ci;
mod deny;
mod dist;
mod elf;
mod fuzz;
mod licences;
mod msrv;
mod packages;
mod pages;
mod task;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask ci [STEP...]          everything that continuous integration runs, or some steps
cargo xtask test [ARGS]           the tests alone, with shorter campaigns; ARGS go to cargo test
cargo xtask differential [ARGS]   the Linux kernel as judge: --packets N, --pairs N or --filters N, --seed S, --mutants
cargo xtask grid [ARGS]           real calls as judge: --tenth, --server-first, --only WORD, --parallel N
cargo xtask gen [--check|--links] pages out of tables: writes them, compares them, or lists addresses to look at
cargo xtask dist [--target TRIPLE] a static program with completions, man pages and licences, as an archive
cargo xtask fuzz [ARGS]           readers and trace on random bytes: --minutes N (of each target), TARGET..., --seeds";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("ci", only)) => ci::run(only),
        Some(("test", rest)) => tools::needed().and_then(|()| task::short_tests(rest)),
        Some(("differential", rest)) => tools::needed().and_then(|()| task::differential(rest)),
        Some(("grid", rest)) => tools::needed().and_then(|()| task::grid(rest)),
        Some(("dist", rest)) => dist::dist(rest),
        Some(("gen", rest)) => pages::run(rest),
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
