//! `passmuster evidence`: a verdict with everything it rests on in one file, and whether such a file agrees with itself.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::super::{
    Exit,
    arguments::{SummaryArguments, SummaryForm},
    context::Context,
    failure::Failure,
    moment::read_moment,
};
use super::check::select;
use crate::{
    check::{Disagreement, Evidence, EvidenceError, Moment},
    store::StoreError,
};

/// Write a verdict with everything it rests on into one file, or verify such a file
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The file holds the check, its schema, the slices and assets it looked at, what it says, and the records of the
journal that all this comes from, up to the journal's end. A FILE that ends in .zst is packed.
Exit codes of verify: 0 all agrees, 2 something differs, 3 the file is no bundle of evidence.

Examples:
  passmuster evidence aws-vpc-flow-logs-enabled --file 2026-11.evidence.zst
  passmuster evidence aws-vpc-flow-logs-enabled --at 2026-11-01 --file november.json
  passmuster evidence verify november.json
  passmuster evidence verify november.json --against-store --store /var/lib/passmuster"
)]
pub(crate) struct EvidenceArguments {
    #[command(subcommand)]
    command: Option<EvidenceCommand>,
    /// The check, e.g. aws-vpc-flow-logs-enabled
    #[arg(value_name = "CHECK", required = true)]
    id: Option<String>,
    /// The moment of the verdict: so long ago, a day or a time, e.g. 2026-11-01
    #[arg(long, value_name = "MOMENT", default_value = "now")]
    at: String,
    /// The file to write, packed where it ends in .zst, e.g. november.json
    #[arg(short = 'o', long = "file", value_name = "FILE", required = true)]
    file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum EvidenceCommand {
    /// Compute the verdict of a file again, from the file alone, and say what differs
    #[command(after_help = "Examples:
  passmuster evidence verify november.json
  passmuster evidence verify november.json --against-store
  passmuster evidence verify november.json -o json")]
    Verify {
        /// The file, e.g. november.json
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Also hold its records against the journal of the store (--store DIR), which may be in use
        #[arg(long)]
        against_store: bool,
        #[command(flatten)]
        summary: SummaryArguments,
    },
}

pub(crate) fn run(arguments: &EvidenceArguments, context: &Context) -> Result<Exit, Failure> {
    match (&arguments.command, &arguments.id, &arguments.file) {
        (Some(EvidenceCommand::Verify { file, against_store, summary }), ..) => {
            verify(file, *against_store, *summary, context)
        }
        (None, Some(id), Some(file)) => write(id, &arguments.at, file, context),
        (None, ..) => Err(Failure::bad_input("name a check and a file, or write `evidence verify FILE`")),
    }
}

fn write(id: &str, at: &str, file: &Path, context: &Context) -> Result<Exit, Failure> {
    let now = context.now();
    let at = read_moment(at, now).map_err(Failure::bad_input)?;
    if at > now {
        return Err(Failure::bad_input(format!("--at ({at}) has not come yet")));
    }
    let tools = context.tools()?;
    let checks = select(tools.checks()?, &[id.to_owned()])?;
    let Some(check) = checks.first() else { return Ok(Exit::Pass) };
    let store = context.open_existing_store()?;
    let in_force = store.in_force(at).map_err(|error| match error {
        StoreError::BeforeHistory { .. } => Failure::input(&error),
        other => Failure::program(&other),
    })?;
    let schema = context.schema_sources()?;
    let evidence = Evidence::gather(check, &tools.sources, &schema, &store, Moment { at, in_force })
        .map_err(|error| match error {
            EvidenceError::Store(error) => Failure::program(&error),
            other => Failure::input(&other),
        })?;
    let is_packed = file.extension().is_some_and(|extension| extension == "zst");
    let bytes = evidence.write(is_packed)?;
    #[expect(clippy::disallowed_methods, reason = "the file is an argument of the command line")]
    std::fs::write(file, &bytes)
        .map_err(|error| Failure::failed(format!("cannot write `{}`: {error}", file.display())))?;
    context.output.line(&format!(
        "{} at {}: {}, with {} assets and {} records of the journal",
        evidence.check_id(),
        evidence.at(),
        evidence.verdict(),
        evidence.assets(),
        evidence.records(),
    ))?;
    context.output.line(&format!("digest  {}", evidence.digest()))?;
    context.output.line(&format!("journal {}", evidence.journal_hash()))?;
    Ok(Exit::Pass)
}

fn verify(
    file: &Path,
    against_store: bool,
    summary: SummaryArguments,
    context: &Context,
) -> Result<Exit, Failure> {
    let unusable =
        |error: &dyn std::fmt::Display| Failure::bad_input(format!("`{}`: {error}", file.display()));
    #[expect(clippy::disallowed_methods, reason = "the file is an argument of the command line")]
    let bytes = std::fs::read(file).map_err(|error| unusable(&error))?;
    let evidence = Evidence::read(&bytes).map_err(|error| unusable(&error))?;
    let mut differences = evidence.verify();
    if against_store {
        let compared = evidence.compare_with_store(&context.common.store);
        differences.extend(compared.map_err(|error| Failure {
            exit: super::super::context::exit_of(&error),
            ..Failure::program(&error)
        })?);
    }
    match summary.form {
        SummaryForm::Json => {
            let told: Vec<_> = differences
                .iter()
                .map(|Disagreement { part, problem }| json!({"part": part, "problem": problem}))
                .collect();
            let report = json!({
                "check": evidence.check_id(),
                "at": evidence.at(),
                "verdict": evidence.verdict(),
                "agrees": differences.is_empty(),
                "againstStore": against_store,
                "digest": evidence.digest(),
                "journalHash": evidence.journal_hash(),
                "differences": told,
            });
            context.output.line(&format!("{report:#}"))?;
        }
        SummaryForm::Table => {
            for difference in &differences {
                context.output.line(&crate::report::printable(&difference.to_string()))?;
            }
            let what = format!("{} at {}: {}", evidence.check_id(), evidence.at(), evidence.verdict());
            let told = match (differences.len(), against_store) {
                (0, false) => "all agrees".to_owned(),
                (0, true) => "all agrees, with the store as well".to_owned(),
                (1, _) => "1 difference".to_owned(),
                (count, _) => format!("{count} differences"),
            };
            context.output.line(&crate::report::printable(&format!("{what} · {told}")))?;
            context.output.line(&format!("digest  {}", evidence.digest()))?;
            context
                .output
                .line(&crate::report::printable(&format!("journal {}", evidence.journal_hash())))?;
        }
    }
    Ok(if differences.is_empty() { Exit::Pass } else { Exit::Findings })
}
