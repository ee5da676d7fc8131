//! `passmuster store`: looking after the store.

use clap::{Args, Subcommand};
use serde_json::json;

use super::super::{
    Exit,
    arguments::{SummaryArguments, SummaryForm},
    context::{Context, exit_of},
    failure::{Failure, Report, chain},
};
use crate::{
    report::thousands,
    store::{VerifyReport, verify},
};

/// Look after the store
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  passmuster store verify
  passmuster store verify --store /var/lib/passmuster -o json")]
pub(crate) struct StoreArguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Check every record of the journal and every row of the index; changes nothing
    #[command(
        after_help = "Ends with exit code 1 if something is wrong. No other process may have the store open.

Examples:
  passmuster store verify
  passmuster store verify --store /var/lib/passmuster -o json"
    )]
    Verify {
        #[command(flatten)]
        summary: SummaryArguments,
    },
}

pub(crate) fn run(arguments: &StoreArguments, context: &Context) -> Result<Exit, Failure> {
    let StoreCommand::Verify { summary } = &arguments.command;
    let report = verify(&context.common.store).map_err(|error| {
        let message = chain(&error);
        Failure { exit: exit_of(&error), report: Report::Message(message) }
    })?;
    match summary.form {
        SummaryForm::Json => context.output.line(&as_json(&report))?,
        SummaryForm::Table => context.output.write(as_text(&report).as_bytes())?,
    }
    Ok(if report.is_sound() { Exit::Pass } else { Exit::Failed })
}

fn as_text(report: &VerifyReport) -> String {
    let mut text = format!(
        "journal  {} records in {} {}, {} bytes, the last is {} ({})\n\
         index    {} assets, {} versions, {} slices\n",
        thousands(report.records),
        thousands(report.segments),
        if report.segments == 1 { "segment" } else { "segments" },
        thousands(report.bytes),
        thousands(report.sequence),
        report.hash,
        thousands(report.assets),
        thousands(report.versions),
        thousands(report.slices),
    );
    if report.ledger > 0 {
        text.push_str(&format!(
            "ledger   {} findings, runs, exceptions and the like\n",
            thousands(report.ledger)
        ));
    }
    if let Some(bytes) = report.image {
        text.push_str(&format!(
            "image    {} bytes, from which the graph is read at the next start; checked then, and never needed\n",
            thousands(bytes)
        ));
    }
    for note in &report.notes {
        text.push_str(&format!("note     {note}\n"));
    }
    for problem in &report.problems {
        text.push_str(&format!("WRONG    {}: {}; {}\n", problem.place, problem.problem, problem.remedy));
    }
    if report.is_sound() {
        text.push_str("the store is sound\n");
    }
    text
}

fn as_json(report: &VerifyReport) -> String {
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(
            |problem| json!({ "place": problem.place, "problem": problem.problem, "remedy": problem.remedy }),
        )
        .collect();
    json!({
        "isSound": report.is_sound(),
        "records": report.records,
        "segments": report.segments,
        "bytes": report.bytes,
        "sequence": report.sequence,
        "hash": report.hash,
        "assets": report.assets,
        "versions": report.versions,
        "slices": report.slices,
        "ledger": report.ledger,
        "imageBytes": report.image,
        "notes": report.notes,
        "problems": problems,
    })
    .to_string()
}
