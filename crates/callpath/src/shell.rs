//! Where output goes, and whether it is coloured.

use crate::NO_ANSWER;
use callpath_core::snapshot::{InputError, Snapshot};
use std::io::{ErrorKind, IsTerminal, Write};

/// Standard output and standard error.
pub struct Shell {
    /// Colours on standard output.
    pub colour: bool,
    error_colour: bool,
}

impl Shell {
    /// Colours only on a terminal, and not when `NO_COLOR` is set (no-color.org).
    pub fn new() -> Self {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            colour: allowed && std::io::stdout().is_terminal(),
            error_colour: allowed && std::io::stderr().is_terminal(),
        }
    }

    /// Prints to standard output. Whoever closes the pipe has read enough; any other failure ends the program, since half
    /// an answer that looks whole is none.
    pub fn print(text: &str) {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => {
                Self::advise(&format!("error: the answer cannot be printed: {e}\n"));
                std::process::exit(i32::from(NO_ANSWER));
            }
            _ => {}
        }
    }

    /// Says on standard error what to do: whoever reads the output gets none.
    pub fn advise(text: &str) {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Prints an error.
    pub fn error(&self, error: &InputError, snapshot: &Snapshot) {
        let _ = writeln!(std::io::stderr().lock(), "{}", error.render(snapshot, self.error_colour));
    }
}
