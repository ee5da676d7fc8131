//! Where a command writes: the answer to stdout, everything about it to stderr. A closed pipe (`| head`) ends the
//! writing, not the command, so that the exit code still tells the truth.

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::ValueEnum;

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The two streams, and what they can show.
#[derive(Debug)]
pub(crate) struct Output {
    /// Whether stdout is a terminal, and so wants tables.
    pub(crate) stdout_is_terminal: bool,
    /// Whether stderr is a terminal, and so can show progress.
    pub(crate) stderr_is_terminal: bool,
    /// Whether stdout gets colours.
    pub(crate) stdout_color: bool,
    /// Whether stderr gets colours.
    pub(crate) stderr_color: bool,
    stdout_is_closed: AtomicBool,
}

impl Output {
    /// `no_color` is the environment's wish.
    pub(crate) fn new(color: Color, no_color: bool) -> Self {
        let (stdout_is_terminal, stderr_is_terminal) =
            (io::stdout().is_terminal(), io::stderr().is_terminal());
        let wants = |is_terminal: bool| match color {
            Color::Auto => is_terminal && !no_color,
            Color::Always => true,
            Color::Never => false,
        };
        Self {
            stdout_is_terminal,
            stderr_is_terminal,
            stdout_color: wants(stdout_is_terminal),
            stderr_color: wants(stderr_is_terminal),
            stdout_is_closed: AtomicBool::new(false),
        }
    }

    /// Writes bytes to stdout.
    ///
    /// # Errors
    /// Anything but a closed pipe.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if self.stdout_is_closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut stdout = BufWriter::new(io::stdout().lock());
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.stdout_is_closed.store(true, Ordering::Relaxed);
                // What could not be written must not be tried again when the buffer goes.
                drop(stdout.into_parts());
                Ok(())
            }
            written => written,
        }
    }

    /// Writes a line to stdout.
    ///
    /// # Errors
    /// Anything but a closed pipe.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Writes a line to stderr. Nobody is left to tell where that fails.
    pub(crate) fn note(&self, text: &str) {
        let written = writeln!(io::stderr().lock(), "{text}");
        drop(written);
    }
}
