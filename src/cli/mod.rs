//! The command line: arguments, one file for each command, exit codes. The only room that prints, reads the
//! environment and puts the others together.

mod arguments;
mod commands;
mod config;
mod context;
mod exit;
mod explained;
mod failure;
mod graph_holder;
mod graph_image;
mod isolation;
mod late_store;
mod listen;
mod moment;
mod output;
mod pages;
mod past_graphs;
mod place;
mod refresh;
mod server;
mod snippet;
mod stop;
mod variables;

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, error::ErrorKind};
use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

pub use exit::Exit;

use arguments::Arguments;
use config::Config;
use context::Context;
use output::Output;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(ended) = isolation::work() {
        return ended.into();
    }
    isolation::run_policies_apart();
    match Arguments::try_parse() {
        Ok(arguments) => std::panic::catch_unwind(|| run(arguments)).unwrap_or_else(|_| fault()).into(),
        Err(error) => {
            // A closed pipe is the only way this fails, and then nobody is left to tell.
            let printed = error.print();
            drop(printed);
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Pass.into(),
                _ => Exit::BadInput.into(),
            }
        }
    }
}

/// A fault of the program's own: the panic itself has been printed.
fn fault() -> Exit {
    let output = Output::new(output::Color::Never, true);
    output.note("error: this is a fault of passmuster, not of what you asked: please report the lines above");
    Exit::Failed
}

fn run(arguments: Arguments) -> Exit {
    let Arguments { common, command } = arguments;
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let output = Arc::new(Output::new(common.color, no_color));
    start_log(common.verbose, output.stderr_color);
    let ended = Config::find(common.config.as_deref())
        .and_then(|config| command.run(&Context::new(common, config, Arc::clone(&output))));
    ended.unwrap_or_else(|failure| {
        output.note(&failure.render(output.stderr_color));
        failure.exit
    })
}

/// The log of the product's own rooms goes to stderr: warnings always, more with each `-v`.
fn start_log(verbose: u8, color: bool) {
    let own = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let others = if verbose > 2 { LevelFilter::INFO } else { LevelFilter::OFF };
    let targets =
        tracing_subscriber::filter::Targets::new().with_default(others).with_target("passmuster", own);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(color).with_target(false);
    // A second start (never in the binary) keeps the first log.
    let started = tracing_subscriber::registry().with(targets).with(lines).try_init();
    drop(started);
}
