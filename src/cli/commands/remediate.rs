//! `passmuster remediate`: one script that mends what fails a check. It is written, never run.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};

use super::super::{
    Exit,
    arguments::{SummaryArguments, SummaryForm},
    context::{Context, Inventory},
    failure::Failure,
};
use super::check::{select, settled};
use crate::{
    check::{AssetName, CheckResult, Destination, Part, RemediationError, Verdict, evaluate, ledger},
    report::{Remedy, remedy_json, remedy_script},
};

/// Write a script that mends what fails a check; nothing is run
#[derive(Debug, Args)]
#[command(
    after_help = "The script is for all assets that fail now, in batches by account and region; what is not known is named and not touched.
Write the back-out before you run the script: afterwards the assets no longer fail, and nothing is written for what does not.

Examples:
  passmuster remediate aws-vpc-flow-logs-enabled --destination s3:org-flow-logs > mend.sh
  passmuster remediate aws-vpc-flow-logs-enabled --destination logs:/vpc/flow-logs:flow-logs --asset vpc-08209b480faed1b10
  passmuster remediate aws-vpc-flow-logs-siem --destination 'forward:arn:aws:kinesis:{region}:{account}:stream/siem:to-siem'
  passmuster remediate aws-vpc-flow-logs-enabled --format terraform --destination s3:org-flow-logs > flow_logs.tf
  passmuster remediate aws-vpc-flow-logs-enabled --format back-out > back-out.sh"
)]
pub(crate) struct RemediateArguments {
    /// The check, e.g. aws-vpc-flow-logs-enabled
    #[arg(value_name = "CHECK")]
    id: String,
    /// Where logs are to go: s3:BUCKET, logs:GROUP:ROLE or firehose:ARN, e.g. s3:org-flow-logs; or are sent on to: forward:ARN[:ROLE]
    #[arg(long, value_name = "PLACE")]
    destination: Option<Destination>,
    /// What to write: cli, terraform or back-out, e.g. terraform
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "cli", hide_possible_values = true)]
    format: ScriptFormat,
    /// Only this asset, by id or native id, e.g. vpc-08209b480faed1b10; may be given several times
    #[arg(long = "asset", value_name = "ID")]
    assets: Vec<String>,
    /// Judge this file of assets (NDJSON, - for stdin) instead of the store, e.g. vpcs.ndjson
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    summary: SummaryArguments,
}

/// One form of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScriptFormat {
    /// Commands of the AWS CLI
    Cli,
    /// Terraform
    Terraform,
    /// Commands that take back what the others did
    BackOut,
}

impl ScriptFormat {
    fn part(self) -> Part {
        match self {
            Self::Cli => Part::Cli,
            Self::Terraform => Part::Terraform,
            Self::BackOut => Part::BackOut,
        }
    }
}

pub(crate) fn run(arguments: &RemediateArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    let checks = select(tools.checks()?, std::slice::from_ref(&arguments.id))?;
    let Some(check) = checks.first() else { return Ok(Exit::Pass) };
    let part = arguments.format.part();
    let missing = || RemediationError::NoPart { check: check.id.clone(), part, there: Vec::new() };
    let remediation = check.remediation.as_ref().ok_or_else(|| Failure::input(&missing()))?;
    let inventory = context.inventory(arguments.data.as_deref())?;
    let present = inventory.present(&tools.catalog, context.now())?;
    inventory.keep(&present);
    let (graph, now) = (Arc::clone(&present.graph), context.now());
    let mut results = vec![evaluate(check, &tools.engine, &graph, now)];
    if let Inventory::Store(store) = &inventory {
        // What is accepted is left out; nothing is written down.
        let trigger = ledger::Trigger::Command;
        let run =
            ledger::Run { checks: &checks, all: None, engine: &tools.engine, graph: &graph, now, trigger };
        results = settled(&results, run, store, true)?;
    }
    let Some(result) = results.pop() else { return Ok(Exit::Pass) };
    if let (Verdict::Error, Some(error)) = (result.verdict, &result.error) {
        return Err(Failure::failed(format!("`{}` could not be run: {error}", check.id)));
    }
    let assets = chosen(&result, &arguments.assets)?;
    let script = remediation
        .script(check, (&tools.engine, &graph), &assets, part, arguments.destination.as_ref())
        .map_err(|error| Failure::input(&error))?;
    let excepted: Vec<AssetName> =
        result.excepted.iter().map(|excepted| AssetName::clone(&excepted.finding.asset)).collect();
    let remedy = Remedy { check, result: &result, part, script: &script, excepted: &excepted, now };
    match arguments.summary.form {
        SummaryForm::Json => context.output.write(remedy_json(&remedy).as_bytes())?,
        SummaryForm::Table => {
            context.output.write(remedy_script(&remedy).as_bytes())?;
            notes(&remedy, context);
        }
    }
    Ok(Exit::Pass)
}

/// The assets that fail, or those of them that were named.
fn chosen(result: &CheckResult, named: &[String]) -> Result<Vec<AssetName>, Failure> {
    let failing = || result.findings.iter().map(|finding| &*finding.asset);
    if named.is_empty() {
        return Ok(failing().cloned().collect());
    }
    let is_named =
        |asset: &AssetName, name: &str| asset.id == name || asset.native_id.as_deref() == Some(name);
    let mut chosen = Vec::new();
    for name in named {
        let mut found = failing().filter(|asset| is_named(asset, name)).peekable();
        if found.peek().is_none() {
            let is_unknown = result.unknown.iter().any(|unknown| is_named(&unknown.asset, name));
            let why = if is_unknown { "is not known to fail" } else { "does not fail" };
            return Err(Failure::bad_input(format!(
                "`{name}` {why} `{}`: nothing is to be mended",
                result.id
            )));
        }
        chosen.extend(found.cloned());
    }
    chosen.sort();
    chosen.dedup();
    Ok(chosen)
}

/// What the script does not do, on stderr.
fn notes(remedy: &Remedy<'_>, context: &Context) {
    let Remedy { check, result, script, .. } = remedy;
    if script.batches.is_empty() && script.left_out.is_empty() {
        context.output.note(&format!("nothing fails `{}`: nothing is to be done", check.id));
    }
    for left in &script.left_out {
        context.output.note(&format!("! left out {}: {}", left.asset.short_id(), left.reason));
    }
    let unknown = result.unknown.len();
    if unknown > 0 || !result.unknown_coverage.is_empty() {
        context.output.note(&format!(
            "! not all is known: {unknown} assets are not touched; passmuster check {} says why",
            check.id
        ));
    }
}
