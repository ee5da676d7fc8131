//! `passmuster checks`: the stored checks themselves.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::{
    Exit,
    arguments::{Format, FormatArguments},
    context::Context,
    failure::Failure,
    value_hints::value_hints,
};
use super::check::select;
use crate::{
    check::{CaseOutcome, run_cases},
    query::Request,
    report::{Sheet, case_list, cases_text, check_json, check_list, check_page},
};

/// List, show, lint and test the stored checks
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  passmuster checks list
  passmuster checks show aws-vpc-flow-logs-enabled
  passmuster checks lint ./queries && passmuster checks test --queries ./queries")]
pub(crate) struct ChecksArguments {
    #[command(subcommand)]
    command: ChecksCommand,
}

#[derive(Debug, Subcommand)]
enum ChecksCommand {
    /// List the checks there are
    #[command(after_help = "Examples:
  passmuster checks list
  passmuster checks list -o csv > checks.csv")]
    List {
        #[command(flatten)]
        format: FormatArguments,
    },
    /// Show one check in full: its query, why it matters, how to remedy it
    #[command(after_help = "Examples:
  passmuster checks show aws-vpc-flow-logs-enabled
  passmuster checks show aws-vpc-flow-logs-enabled -o json")]
    Show {
        /// The check, e.g. aws-vpc-flow-logs-enabled
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        format: FormatArguments,
    },
    /// Find mistakes in check files: unknown fields and keys, expectations that can't be met, ids that are taken
    #[command(after_help = "Examples:
  passmuster checks lint
  passmuster checks lint ./queries")]
    Lint {
        /// Folder of checks, e.g. ./queries
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Run the cases of the checks: small inventories with the verdict each must give
    #[command(after_help = "Examples:
  passmuster checks test
  passmuster checks test aws-vpc-flow-logs-enabled --queries ./queries")]
    Test {
        /// Checks to test, all if none is named, e.g. aws-vpc-flow-logs-enabled
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        format: FormatArguments,
    },
}

pub(crate) fn run(arguments: &ChecksArguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.command {
        ChecksCommand::List { format } => {
            let checks = context.tools()?.checks()?;
            print_sheet(&check_list(&checks), *format, context)?;
            Ok(Exit::Pass)
        }
        ChecksCommand::Show { id, format } => {
            let checks = select(context.tools()?.checks()?, std::slice::from_ref(id))?;
            for check in &checks {
                let text = match format.format {
                    Format::Json | Format::Ndjson => check_json(check),
                    Format::Csv => check_list(&checks).csv(),
                    Format::Table => check_page(check),
                };
                context.output.write(text.as_bytes())?;
            }
            Ok(Exit::Pass)
        }
        ChecksCommand::Lint { folder } => {
            let queries = folder.as_deref().or(context.common.queries.as_deref());
            let tools = context.tools_of(queries)?;
            let checks = tools.checks()?;
            for check in &checks {
                let request = Request::new(&*check.query);
                let plan = tools.engine.plan(&request).ok();
                for hint in plan.iter().flat_map(|plan| value_hints(&tools.catalog, plan)) {
                    context.output.note(&format!("warning: {}: {hint}", check.file));
                }
            }
            context.output.line(&format!("{} checks, no mistakes", checks.len()))?;
            Ok(Exit::Pass)
        }
        ChecksCommand::Test { ids, format } => test(ids, *format, context),
    }
}

fn test(ids: &[String], format: FormatArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    let checks = select(tools.checks()?, ids)?;
    let outcomes = run_cases(&checks, &tools.engine);
    match format.format {
        Format::Table => context.output.write(cases_text(&outcomes).as_bytes())?,
        Format::Json | Format::Csv | Format::Ndjson => print_sheet(&case_list(&outcomes), format, context)?,
    }
    let as_expected = |outcome: &CaseOutcome| outcome.differences.is_empty();
    Ok(if outcomes.iter().all(as_expected) { Exit::Pass } else { Exit::Findings })
}

/// Prints rows in the form that was asked for.
pub(crate) fn print_sheet(sheet: &Sheet, format: FormatArguments, context: &Context) -> Result<(), Failure> {
    let text = match format.format {
        Format::Table => sheet.table(context.style()),
        Format::Json => sheet.json(),
        Format::Csv => sheet.csv(),
        Format::Ndjson => sheet.ndjson(),
    };
    Ok(context.output.write(text.as_bytes())?)
}
