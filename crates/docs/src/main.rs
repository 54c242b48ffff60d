//! `cargo xtask gen` runs this: writes every generated page, or says what differs.

use callpath_docs::{differences, links, root, write};
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> io::Result<ExitCode> {
    let root = root();
    match args {
        [] => write(&root)?.iter().for_each(|line| println!("{line}")),
        ["--check"] => {
            let found = differences(&root)?;
            if !found.is_empty() {
                eprintln!("{}\n`cargo xtask gen` writes these pages anew", found.join("\n"));
                return Ok(ExitCode::FAILURE);
            }
        }
        ["--links"] => links::external(&root)?.iter().for_each(|(address, at)| println!("{address}  {at}")),
        _ => return Err(io::Error::other("--check, --links, or nothing")),
    }
    Ok(ExitCode::SUCCESS)
}
