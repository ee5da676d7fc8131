//! Why a command ended early, as a person reads it: one line with its causes, or the place in a text.

use std::error::Error;

use super::{Exit, snippet::Snippet};

/// A command that could not go on.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the shell sees.
    pub(crate) exit: Exit,
    /// What went wrong.
    pub(crate) report: Report,
}

/// What there is to say.
#[derive(Debug)]
pub(crate) enum Report {
    /// One message with its causes.
    Message(String),
    /// Places in texts.
    Snippets(Vec<Snippet>),
}

impl Failure {
    /// The input is wrong.
    pub(crate) fn input(error: &dyn Error) -> Self {
        Self { exit: Exit::BadInput, report: Report::Message(chain(error)) }
    }

    /// The input is wrong, in words of the command's own.
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, report: Report::Message(message.into()) }
    }

    /// The program could not do its work.
    pub(crate) fn program(error: &dyn Error) -> Self {
        Self { exit: Exit::Failed, report: Report::Message(chain(error)) }
    }

    /// The program could not do its work, in words of the command's own.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, report: Report::Message(message.into()) }
    }

    /// The input is wrong, at these places.
    pub(crate) fn snippets(snippets: Vec<Snippet>) -> Self {
        Self { exit: Exit::BadInput, report: Report::Snippets(snippets) }
    }

    /// The text for stderr.
    pub(crate) fn render(&self, color: bool) -> String {
        match &self.report {
            Report::Message(message) => {
                let (start, end) = if color { ("\u{1b}[31;1m", "\u{1b}[0m") } else { ("", "") };
                format!("{start}error{end}: {message}")
            }
            Report::Snippets(snippets) => {
                let texts: Vec<String> = snippets.iter().map(|snippet| snippet.render(color)).collect();
                texts.join("\n").trim_end().to_owned()
            }
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { exit: Exit::Failed, report: Report::Message(format!("cannot write the answer: {error}")) }
    }
}

/// An error with its causes, each after a colon; a cause that only repeats its effect is left out.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
