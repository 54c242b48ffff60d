//! Printed changes, judged by the Linux kernel: part of `cargo xtask ci`.

use callpath_lab::campaign::Bench;
use callpath_lab::changes::{CASES, judge, sessions};
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
    for (site, listed) in sessions::SITES.iter().flat_map(|site| [(site, false), (site, true)]) {
        let said = sessions::judge(site, listed);
        let name = format!("{}{}", site.name, if listed { ", listed" } else { "" });
        println!("{name:<68} {}", said.as_ref().map_or_else(String::as_str, |()| "nothing is cut"));
        good &= said.is_ok();
    }
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
