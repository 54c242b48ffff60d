//! Printed changes, judged by the Linux kernel: part of `cargo xtask ci`.

use callpath_lab::campaign::Bench;
use callpath_lab::changes::{CASES, judge};
use std::process::ExitCode;

fn run() -> Result<bool, String> {
    callpath_lab::namespace::enter_wire()?;
    let mut bench = Bench::new(callpath_lab::topology::single())?;
    let mut good = true;
    for case in CASES {
        let said = judge(&mut bench, case);
        println!("{:<46} {}", case.name, said.as_ref().map_or_else(String::as_str, |()| "as printed"));
        good &= said.is_ok();
    }
    println!("{} changes tried", CASES.len());
    Ok(good)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("the lab does not work here: {why}");
            ExitCode::from(2)
        }
    }
}
