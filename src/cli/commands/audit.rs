//! `passmuster audit`: what auditors ask of each VPC, answered in one row.

use std::path::PathBuf;

use clap::Args;

use super::super::{Exit, arguments::FormatArguments, context::Context, failure::Failure};
use super::{check, checks::print_sheet};
use crate::{
    check::{Verdict, evaluate_all},
    report::AUDIT_QUERY,
};

/// Answer what auditors ask of each VPC: logged? which traffic? kept where, how long? forwarded where?
#[derive(Debug, Args)]
#[command(
    after_help = "One row a VPC. What could not be seen is \"not known\", and the last column says why; a dash is nothing.
The same stands in the page of passmuster check -o html.

Examples:
  passmuster audit
  passmuster audit -o csv > vpcs.csv
  passmuster audit --data vpcs.ndjson -o json | jq '.[] | select(.logged == \"no\")'"
)]
pub(crate) struct AuditArguments {
    /// Read this file of assets (NDJSON, - for stdin) instead of the store, e.g. vpcs.ndjson
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArguments,
}

pub(crate) fn run(arguments: &AuditArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    let mut checks = tools.checks()?;
    checks.retain(|check| check.covers_name == "Vpc");
    let graph = context.graph(&tools.catalog, arguments.data.as_deref())?;
    let results = evaluate_all(&checks, &tools.engine, &graph, context.now());
    let sheet = check::audit(&results, &tools, &graph).ok_or_else(|| {
        let message = format!("no check of these covers `Vpc`, or there is no saved query `{AUDIT_QUERY}`");
        Failure::bad_input(message)
    })?;
    print_sheet(&sheet, arguments.format, context)?;
    let is_unknown = results.iter().any(|result| {
        !result.unknown_coverage.is_empty()
            || !result.unknown.is_empty()
            || result.verdict == Verdict::Unknown
    });
    for reason in results.first().map(|result| result.unknown_coverage.as_slice()).unwrap_or_default() {
        context.output.note(&format!("! there may be more VPCs than are listed: {reason}"));
    }
    Ok(if is_unknown { Exit::Unknown } else { Exit::Pass })
}
