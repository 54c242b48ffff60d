//! The page of all commands.

use crate::{head, plain, sentence};
use clap::{Arg, ArgAction, Command};
use std::fmt::Write;

/// The page.
pub fn page(command: &Command) -> String {
    let mut command = command.clone();
    command.build();
    let mut out = head("the commands of `crates/callpath`", "Commands");
    let _ = writeln!(out, "{}", about(&command));
    let _ = writeln!(out, "\n{}", sentence(&plain(callpath::EXIT_CODES)));
    out += "\nWithout a command, `callpath` checks the site in this directory where there is a `callpath.toml`; elsewhere \
            it says what to do. `-h` and `--help` explain each command, `--version` prints the version.\n";
    for sub in commands(&command) {
        let _ = write!(out, "\n## callpath {}\n\n{}\n\n```\n", sub.get_name(), about(sub));
        let usage = sub.clone().render_usage().to_string();
        let _ = writeln!(out, "{}\n```", usage.strip_prefix("Usage: ").unwrap_or(&usage));
        let own = |a: &&Arg| !a.is_hide_set() && !matches!(a.get_action(), ArgAction::Help | ArgAction::HelpShort);
        let arguments: Vec<&Arg> = sub.get_arguments().filter(own).filter(|a| a.get_id() != "help").collect();
        if !arguments.is_empty() {
            out.push('\n');
        }
        for arg in arguments {
            argument(&mut out, arg);
        }
    }
    out
}

/// Every command, but clap's own `help`.
pub fn commands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set())
}

fn about(command: &Command) -> String {
    let text = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    sentence(&plain(&text.unwrap_or_default()))
}

fn argument(out: &mut String, arg: &Arg) {
    let names: Vec<String> = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let takes = arg.get_action().takes_values();
    let value = if takes { names.join(" ") } else { String::new() };
    let flags = [arg.get_short().map(|c| format!("-{c}")), arg.get_long().map(|l| format!("--{l}"))];
    let flags: Vec<String> = flags.into_iter().flatten().collect();
    let name = [flags.join(", "), value].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" ");
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(out, "- `{name}`: {}", plain(&help));
    let defaults: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    if takes && !defaults.is_empty() {
        let _ = write!(out, "; without it `{}`", defaults.join(" "));
    } else if arg.is_required_set() {
        out.push_str("; needed");
    }
    out.push('\n');
    if takes && !arg.is_hide_possible_values_set() {
        for value in arg.get_possible_values().iter().filter(|v| !v.is_hide_set()) {
            let help = value.get_help().map(|h| format!(": {}", plain(&h.to_string()))).unwrap_or_default();
            let _ = writeln!(out, "  - `{}`{help}", value.get_name());
        }
    }
}
