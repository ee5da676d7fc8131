//! `passmuster checks`: the stored checks themselves.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::super::{
    Exit,
    arguments::{Format, FormatArguments},
    context::{Context, Tools},
    failure::{Failure, Report},
    place,
    snippet::Snippet,
};
use super::check::{framework_of, select};
use crate::{
    check::{CaseOutcome, run_cases},
    query::{QueryErrorKind, Request},
    report::{
        Cell, Sheet, case_list, cases_text, check_json, check_list, check_page, counted, framework_list,
    },
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
  passmuster checks list --framework cis-aws-3.0.0
  passmuster checks list -o csv > checks.csv")]
    List {
        /// Only the checks of a framework, e.g. cis-aws-3.0.0
        #[arg(long, value_name = "FRAMEWORK")]
        framework: Option<String>,
        #[command(flatten)]
        format: FormatArguments,
    },
    /// List the frameworks there are, and how many of their controls a check answers for
    #[command(after_help = "Examples:
  passmuster checks frameworks
  passmuster checks frameworks -o json")]
    Frameworks {
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
    /// Find mistakes in check files: unknown fields and keys, filters that can't match, ids that are taken
    #[command(after_help = "Examples:
  passmuster checks lint
  passmuster checks lint ./queries --data vpcs.ndjson --strict
  passmuster checks lint ./queries -o json")]
    Lint {
        /// Folder of checks, e.g. ./queries
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Also look at what this file of assets has (NDJSON, - for stdin), e.g. vpcs.ndjson
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
        /// Fail on warnings, too: filters that can't match
        #[arg(long)]
        strict: bool,
        #[command(flatten)]
        format: FormatArguments,
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
        ChecksCommand::List { framework, format } => {
            let tools = context.tools()?;
            let mut checks = tools.checks()?;
            if let Some(id) = framework {
                let framework = framework_of(id, &checks, &tools)?;
                checks.retain(|check| framework.checks().contains(check.id.as_str()));
            }
            print_sheet(&check_list(&checks), *format, context)?;
            Ok(Exit::Pass)
        }
        ChecksCommand::Frameworks { format } => {
            let tools = context.tools()?;
            let frameworks = tools.frameworks(&tools.checks()?)?;
            print_sheet(&framework_list(&frameworks), *format, context)?;
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
        ChecksCommand::Lint { folder, data, strict, format } => {
            let queries = folder.as_deref().or(context.common.queries.as_deref());
            match lint(&context.tools_of(queries)?, data.as_deref(), context) {
                Ok(linted) => print_linted(linted, *strict, *format, context),
                Err(Failure { exit, report: Report::Snippets(mistakes) })
                    if format.format != Format::Table =>
                {
                    print_sheet(&lint_list(&mistakes), *format, context)?;
                    Ok(exit)
                }
                Err(failure) => Err(failure),
            }
        }
        ChecksCommand::Test { ids, format } => test(ids, *format, context),
    }
}

/// What linting found where there are no mistakes.
struct Linted {
    checks: usize,
    warnings: Vec<Snippet>,
}

/// Mistakes are refused; filters that can't match are warned of.
fn lint(tools: &Tools, data: Option<&Path>, context: &Context) -> Result<Linted, Failure> {
    let checks = tools.checks()?;
    let graph = data.map(|file| context.graph(&tools.catalog, Some(file))).transpose()?;
    let queries =
        checks.iter().map(|check| (check.file.replace("check.yaml", "query.graphql"), &*check.query));
    let saved = tools.sources.saved_queries().map(|(_, file)| (file.shown.clone(), &*file.text));
    let (mut mistakes, mut warnings) = (Vec::new(), Vec::new());
    for (file, text) in queries.chain(saved) {
        let fragments = tools.sources.fragments();
        match tools.engine.lint(&Request::new(text), graph.as_deref()) {
            Ok(found) => warnings.extend(place::of_warnings(&file, text, fragments, &found)),
            Err(mut errors) => {
                // Which values a saved query is given is not its own mistake.
                errors.retain(|error| !matches!(error.kind, QueryErrorKind::MissingVariable { .. }));
                mistakes.extend(place::of_query(&file, text, fragments, &errors));
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(Failure::snippets(mistakes));
    }
    Ok(Linted { checks: checks.len(), warnings })
}

fn print_linted(
    linted: Linted,
    strict: bool,
    format: FormatArguments,
    context: &Context,
) -> Result<Exit, Failure> {
    let count = linted.warnings.len();
    let checks = counted(linted.checks as u64, "Check");
    if format.format != Format::Table {
        print_sheet(&lint_list(&linted.warnings), format, context)?;
    } else if count == 0 {
        context.output.line(&format!("{checks}, no mistakes"))?;
    } else {
        context.output.note(&Failure::snippets(linted.warnings).render(context.output.stderr_color));
        let warnings = counted(count as u64, "Warning");
        context.output.line(&format!("{checks}, no mistakes, {warnings}"))?;
    }
    Ok(if strict && count > 0 { Exit::BadInput } else { Exit::Pass })
}

/// One row a mistake or warning.
fn lint_list(snippets: &[Snippet]) -> Sheet {
    let mut sheet = Sheet::new(&["severity", "code", "file", "#line", "#column", "~message", "~help"]);
    for snippet in snippets {
        let (line, column) = snippet.line_and_column().unzip();
        let help = snippet.remedy.as_ref().or(snippet.help.as_ref());
        sheet.rows.push(vec![
            Cell::new(if snippet.is_warning { "warning" } else { "error" }),
            Cell::new(snippet.code.as_str()),
            Cell::new(snippet.file.as_str()),
            Cell::new(line.map_or(Value::Null, Value::from)),
            Cell::new(column.map_or(Value::Null, Value::from)),
            Cell::new(snippet.message.as_str()),
            Cell::new(help.map_or(Value::Null, |help| Value::from(help.as_str()))),
        ]);
    }
    sheet
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
