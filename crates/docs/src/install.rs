//! What a distribution brings along beside the program: completions and man pages.

use crate::command::commands;
use callpath::EXIT_CODES;
use clap::Command;
use clap::builder::PossibleValue;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

/// Shells, and the file names under which each finds completions.
const SHELLS: [(Shell, &str); 3] =
    [(Shell::Bash, "bash/callpath"), (Shell::Zsh, "zsh/_callpath"), (Shell::Fish, "fish/callpath.fish")];

/// Writes `completions/` and `man/` into a directory. The date is that of the pages: `2026-11-21`.
///
/// # Errors
/// What cannot be written.
pub fn write(directory: &Path, date: &str) -> io::Result<()> {
    let mut command = callpath::command();
    for (shell, name) in SHELLS {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, "callpath", &mut text);
        if shell == Shell::Fish {
            text.extend(fish_words(&command).into_bytes());
        }
        put(&directory.join("completions").join(name), &text)?;
    }
    // Nobody needs a man page of `help`.
    let mut command = callpath::command().disable_help_subcommand(true);
    command.build();
    let names: Vec<String> = commands(&command).map(page_name).collect();
    for page in commands(&command).chain([&command]) {
        let name = page_name(page);
        let others: Vec<&String> = names.iter().filter(|n| **n != name).collect();
        put(&directory.join("man").join(format!("{name}.1")), man(page, &others, date)?.as_bytes())?;
    }
    Ok(())
}

/// Words that are no options, which `clap_complete` leaves out for fish.
fn fish_words(command: &Command) -> String {
    let mut out = String::new();
    for sub in commands(command) {
        for arg in sub.get_positionals().filter(|a| !a.get_possible_values().is_empty()) {
            let word = |v: &PossibleValue| {
                let help = v.get_help().map(ToString::to_string).unwrap_or_default();
                // Read twice: as a string in double quotes, then as words of which each ends with one in single quotes.
                format!("{}\\t'{}'", v.get_name(), help.replace('\'', r"\\'").replace('"', "\\\"").replace('$', "\\$"))
            };
            let words: Vec<String> = arg.get_possible_values().iter().map(word).collect();
            let when = format!("__fish_callpath_using_subcommand {}", sub.get_name());
            // Another argument may be a file.
            let files = if sub.get_positionals().count() > 1 { "" } else { " -f" };
            let _ = writeln!(out, "complete -c callpath -n \"{when}\"{files} -a \"{}\"", words.join("\n"));
        }
    }
    out
}

fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text)
}

/// `callpath-check`.
fn page_name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// A page, with the sections that man(7) names in its order.
fn man(command: &Command, others: &[&String], date: &str) -> io::Result<String> {
    let version = format!("callpath {}", env!("CARGO_PKG_VERSION"));
    let page = Man::new(command.clone()).date(date).source(version).manual("callpath");
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut out)?;
    }
    let mut end = Roff::new();
    end.control("SH", ["EXIT STATUS"]);
    for (code, says) in EXIT_CODES {
        end.control("TP", []);
        end.text([bold(code.to_string())]);
        end.text([roman(says)]);
    }
    end.control("SH", ["SEE ALSO"]);
    let mut list = Vec::new();
    for name in std::iter::once("callpath").filter(|_| !command.has_subcommands()).chain(others.iter().map(|n| &***n)) {
        if !list.is_empty() {
            list.push(roman(", "));
        }
        list.extend([bold(name), roman("(1)")]);
    }
    end.text(list);
    end.to_writer(&mut out)?;
    Ok(tidy(&String::from_utf8_lossy(&out)))
}

/// Each section was written with a beginning of its own, and with breaks beside empty lines, of which mandoc warns.
fn tidy(page: &str) -> String {
    let once = page.find(".TH").map_or("", |end| &page[..end]);
    let rest = page.replace(once, "").replace(".br\n\n.br\n", ".sp\n");
    format!("{once}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use callpath_core::finding::CAUSES;
    use callpath_core::profile::PROFILES;
    use callpath_core::report::FORMATS;

    #[test]
    fn every_word_of_the_tables_is_completed_in_every_shell() {
        let directory = std::env::temp_dir().join(format!("callpath-install-{}", std::process::id()));
        write(&directory, "2026-11-21").expect("written");
        let words: Vec<&str> = CAUSES.iter().map(|c| c.code).chain(FORMATS.iter().map(|f| f.name)).collect();
        for (_, name) in SHELLS {
            let text = fs::read_to_string(directory.join("completions").join(name)).expect("a script");
            for word in words.iter().chain(PROFILES.iter().map(|(name, _)| name)) {
                assert!(text.contains(word), "{name}: {word}");
            }
        }
        let mut pages: Vec<_> =
            fs::read_dir(directory.join("man")).expect("pages").map(|e| e.expect("entry")).collect();
        pages.sort_by_key(fs::DirEntry::file_name);
        assert_eq!(pages.len(), 1 + commands(&callpath::command()).count(), "{pages:?}");
        for page in pages {
            let text = fs::read_to_string(page.path()).expect("a page");
            assert!(text.contains(".SH \"EXIT STATUS\""), "{page:?}");
            assert!(!text.contains("callpath\\-callpath"), "{page:?}: {text}");
        }
        fs::remove_dir_all(&directory).expect("clean up");
    }
}
