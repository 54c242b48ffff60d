//! Where output goes, and whether it is coloured.

use crate::NO_ANSWER;
use callpath_core::snapshot::{InputError, Snapshot};
use callpath_core::visible::terminal;
use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};

/// A text as it may stand in the log of a workflow on GitHub, whose runner takes commands from both outputs: a line that
/// begins with `::` after its blanks, and `##[` anywhere (actions/runner, `ActionCommand.cs`, both versions of the syntax).
/// Commands of the format `github` begin with the name of a command, and its values are escaped already.
fn in_a_log(text: &str) -> Cow<'_, str> {
    if std::env::var_os("GITHUB_ACTIONS").is_none() { Cow::Borrowed(text) } else { Cow::Owned(without_commands(text)) }
}

fn without_commands(text: &str) -> String {
    const OURS: [&str; 3] = ["::error ", "::warning ", "::notice "];
    // In JSON the sign has a second spelling, and the value stays what it is.
    let json = text.starts_with('{');
    let text = text.replace("##[", if json { "#\\u0023[" } else { "# #[" });
    let ours = OURS.iter().any(|command| text.starts_with(command));
    let line = |line: &str| {
        let start = line.trim_start();
        if !start.starts_with("::") || ours && OURS.iter().any(|command| line.starts_with(command)) {
            return line.to_owned();
        }
        format!("{}: :{}", &line[..line.len() - start.len()], &start[2..])
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Colours only on a terminal, and not when `NO_COLOR` is set (no-color.org).
fn coloured(out: &impl IsTerminal) -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && out.is_terminal()
}

/// Standard output and standard error. All that is printed goes through here: no sign that cannot be seen leaves the
/// program, and no colour but where colours are.
pub struct Shell {
    /// Colours on standard output.
    pub colour: bool,
    error_colour: bool,
}

impl Shell {
    /// What is there.
    pub fn new() -> Self {
        Self { colour: coloured(&std::io::stdout()), error_colour: coloured(&std::io::stderr()) }
    }

    /// Prints to standard output. Whoever closes the pipe has read enough; any other failure ends the program, since half
    /// an answer that looks whole is none.
    pub fn print(text: &str) {
        let mut out = std::io::stdout().lock();
        let text = terminal(text, coloured(&out));
        match out.write_all(in_a_log(&text).as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => {
                Self::advise(&format!("error: the answer cannot be printed: {e}\n"));
                std::process::exit(i32::from(NO_ANSWER));
            }
            _ => {}
        }
    }

    /// Says on standard error what to do: whoever reads the output gets none.
    pub fn advise(text: &str) {
        let mut out = std::io::stderr().lock();
        let text = terminal(text, coloured(&out));
        let _ = out.write_all(in_a_log(&text).as_bytes());
    }

    /// Prints an error.
    pub fn error(&self, error: &InputError, snapshot: &Snapshot) {
        Self::advise(&(error.render(snapshot, self.error_colour) + "\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::without_commands;

    #[test]
    fn only_our_own_commands_stand_in_a_log() {
        let report = "FAILS  calls fail\n  ::error::forged\n::warning file=x::forged\na ##[error]forged\n";
        let safe = "FAILS  calls fail\n  : :error::forged\n: :warning file=x::forged\na # #[error]forged\n";
        assert_eq!(without_commands(report), safe);
        let ours = "::error file=a::x %0A::error::y\n::notice title=callpath::fails\n::debug::forged\n";
        assert_eq!(without_commands(ours), ours.replace("\n::debug", "\n: :debug"));
        assert_eq!(without_commands("{\"a\": \"##[b]\"}"), "{\"a\": \"#\\u0023[b]\"}");
    }
}
