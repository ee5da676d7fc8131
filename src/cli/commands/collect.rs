//! `passmuster collect`: an AWS account into the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::super::{
    Exit,
    arguments::{SummaryArguments, SummaryForm},
    context::Context,
    failure::{Failure, chain},
    stop::asked_to_stop,
};
use super::serve::run_async;
use crate::{
    collect::{
        CollectError, CollectOptions, CollectReport, DryCall, DryRun, Event, SliceReport, collect, dry_run,
    },
    model::{Clock, Outcome, SliceState, Time},
    report::{Changes, collection_text, thousands},
    store::Store,
};

/// Read AWS accounts into the store: VPCs, their flow logs, and what relates to them
#[derive(Clone, Debug, Default, Args)]
#[command(
    after_help = "Credentials, profile, region and endpoint are found as the AWS CLI finds them (AWS_PROFILE, AWS_REGION, ..).
A slice (account, region, type) is stored whole or not at all; one that is denied or fails deletes nothing.
Exit codes: 0 every slice is complete, 4 some are not, 1 nothing was collected, 3 bad input.

Examples:
  passmuster collect
  AWS_PROFILE=audit passmuster collect --regions eu-west-1,us-east-1
  passmuster collect --regions eu-west-1 --only FlowLog
  passmuster collect --assets vpc-0a56e8e5d8be2e3ed,vpc-08209b480faed1b10
  passmuster collect --dry-run"
)]
pub(crate) struct CollectArguments {
    /// Only these regions, e.g. eu-west-1,us-east-1
    #[arg(
        long,
        value_name = "REGIONS",
        value_delimiter = ',',
        env = "PASSMUSTER_REGIONS",
        hide_env_values = true
    )]
    regions: Vec<String>,
    /// Only these types, e.g. Vpc,FlowLog
    #[arg(
        long,
        value_name = "TYPES",
        value_delimiter = ',',
        env = "PASSMUSTER_ONLY",
        hide_env_values = true
    )]
    only: Vec<String>,
    /// Only these accounts, e.g. 111111111111,222222222222
    #[arg(long, value_name = "ACCOUNTS", value_delimiter = ',', value_parser = word)]
    accounts: Vec<String>,
    /// Only what is behind these assets of the store, e.g. vpc-0a56e8e5d8be2e3ed: after a remediation
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = word)]
    assets: Vec<String>,
    /// Show the calls that would be made and the least IAM policy for them, and collect nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    summary: SummaryArguments,
}

/// One of a list. An empty one (of a variable that nothing was put into) would ask for everything.
fn word(text: &str) -> Result<String, &'static str> {
    let word = text.trim();
    if word.is_empty() { Err("there is nothing in it") } else { Ok(word.to_owned()) }
}

impl CollectArguments {
    /// What the configuration says, but for what stands on the command line.
    fn options(&self, context: &Context) -> CollectOptions {
        let set = |words: &[String]| -> BTreeSet<String> {
            words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
        };
        let mut options = context.config.collect_options();
        let (regions, only) = (set(&self.regions), set(&self.only));
        if !regions.is_empty() {
            // Those of single accounts, too.
            options.accounts.iter_mut().for_each(|account| account.regions.clear());
            options.regions = regions;
        }
        if !only.is_empty() {
            options.only = only;
        }
        options.only_accounts = set(&self.accounts);
        options.assets = set(&self.assets);
        options
    }
}

pub(crate) fn run(arguments: &CollectArguments, context: &Context) -> Result<Exit, Failure> {
    let store = context.open_store(&context.common.store)?;
    if arguments.dry_run {
        return plan(arguments, store, context);
    }
    let progress = Arc::new(Progress::new(context));
    let shown = Arc::clone(&progress);
    let on_event = Arc::new(move |event: Event| shown.show(&event));
    run_async(async {
        let collecting = collect(arguments.options(context), store, Arc::clone(&context.clock), on_event);
        let collected = tokio::select! {
            collected = collecting => Some(collected),
            () = asked_to_stop() => None,
        };
        progress.finish();
        match collected {
            None => {
                context
                    .output
                    .note("stopped: what was collected is kept; run the same command again for the rest");
                Ok(Exit::Failed)
            }
            Some(Err(error)) => Err(failure_of(&error)),
            Some(Ok(report)) => {
                summarise(arguments, &report, context)?;
                Ok(exit_of(&report))
            }
        }
    })
}

/// Shows what would be done.
fn plan(arguments: &CollectArguments, store: Arc<Store>, context: &Context) -> Result<Exit, Failure> {
    run_async(async {
        let planned = dry_run(arguments.options(context), store).await.map_err(|error| failure_of(&error))?;
        let text = match arguments.summary.form {
            SummaryForm::Json => dry_run_json(&planned).to_string(),
            SummaryForm::Table => dry_run_text(&planned),
        };
        context.output.line(&text)?;
        Ok(Exit::Pass)
    })
}

fn dry_run_text(planned: &DryRun) -> String {
    let mut lines = Vec::new();
    for account in &planned.accounts {
        let mut by_action: BTreeMap<&str, (usize, Vec<&str>)> = BTreeMap::new();
        for call in &account.calls {
            let (at_least, regions) = by_action.entry(call.action).or_default();
            *at_least += call.at_least;
            regions.push(&call.region);
        }
        lines.push(format!("{}: {} calls at least", account.account_id, account.at_least()));
        lines.extend(account.note.iter().map(|note| format!("  {note}")));
        lines.extend(by_action.into_iter().map(|(action, (at_least, regions))| {
            format!("  {at_least:>5}  {action}  {}", regions.join(", "))
        }));
    }
    lines.push("the least policy for these types (docs/aws-permissions.md; docs/audit-role.yaml for an organisation):".to_owned());
    lines.push(serde_json::to_string_pretty(&planned.policy).unwrap_or_default());
    lines.join("\n")
}

fn dry_run_json(planned: &DryRun) -> serde_json::Value {
    let call =
        |call: &DryCall| json!({"action": call.action, "region": call.region, "atLeast": call.at_least});
    let accounts = planned.accounts.iter().map(|account| {
        json!({
            "accountId": account.account_id,
            "regions": account.regions,
            "atLeast": account.at_least(),
            "calls": account.calls.iter().map(call).collect::<Vec<_>>(),
            "note": account.note,
        })
    });
    json!({"accounts": accounts.collect::<Vec<_>>(), "policy": planned.policy})
}

fn failure_of(error: &CollectError) -> Failure {
    match error {
        CollectError::UnknownType { .. }
        | CollectError::UnknownRegion { .. }
        | CollectError::UnknownUnit { .. }
        | CollectError::UnknownAccount { .. }
        | CollectError::UnknownAsset { .. }
        | CollectError::NoRole { .. }
        | CollectError::NoAccount
        | CollectError::NoRegion => Failure::input(error),
        _ => Failure::program(error),
    }
}

/// Some slices missing is not a failure of the program: what they hold is unknown.
fn exit_of(report: &CollectReport) -> Exit {
    if report.is_complete() {
        Exit::Pass
    } else if report.is_nothing() {
        Exit::Failed
    } else {
        Exit::Unknown
    }
}

fn summarise(arguments: &CollectArguments, report: &CollectReport, context: &Context) -> Result<(), Failure> {
    if arguments.summary.form == SummaryForm::Json {
        context.output.line(&as_json(report))?;
        return Ok(());
    }
    let totals = report.totals();
    let changes = Changes {
        assets: report.assets(),
        added: totals.added,
        changed: totals.changed,
        removed: totals.removed,
    };
    let slices: Vec<SliceState> = report.slices.iter().map(|slice| state_of(slice, context.now())).collect();
    context.output.write(collection_text(&slices, changes).as_bytes())?;
    for text in not_opted_in(report) {
        context.output.line(&text)?;
    }
    for note in &report.notes {
        context.output.line(note)?;
    }
    if let Some(again) = again(report, !arguments.accounts.is_empty()) {
        context.output.line(&format!("to read only what is missing: {again}"))?;
    }
    Ok(())
}

/// The regions that were left out, of the accounts that leave out the same ones.
fn not_opted_in(report: &CollectReport) -> Vec<String> {
    let mut accounts: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for account in report.accounts.iter().filter(|account| !account.not_opted_in.is_empty()) {
        accounts.entry(&account.not_opted_in).or_default().push(&account.account_id);
    }
    let is_same_for_all = accounts.values().any(|ids| ids.len() == report.accounts.len());
    let line = |(regions, ids): (&[String], Vec<&str>)| {
        let regions = regions.join(", ");
        if is_same_for_all {
            format!("not opted in, so not read: {regions}")
        } else {
            format!("not opted in, so not read of {}: {regions}", ids.join(", "))
        }
    };
    accounts.into_iter().map(line).collect()
}

/// The command that collects just what is missing. Where only some accounts were asked for, it names those of them.
fn again(report: &CollectReport, is_of_some_accounts: bool) -> Option<String> {
    let missing: Vec<&SliceReport> =
        report.slices.iter().filter(|slice| slice.outcome != Outcome::Complete).collect();
    if missing.is_empty() {
        return None;
    }
    let regional: BTreeSet<&str> = missing
        .iter()
        .map(|slice| slice.key.region.as_str())
        .filter(|region| *region != crate::model::GLOBAL_REGION)
        .collect();
    let types: BTreeSet<&str> = missing.iter().map(|slice| slice.key.asset_type.as_str()).collect();
    let accounts: BTreeSet<&str> = missing.iter().map(|slice| slice.key.account_id.as_str()).collect();
    let mut command = "passmuster collect".to_owned();
    if is_of_some_accounts || accounts.len() < report.accounts.len() {
        command.push_str(&format!(" --accounts {}", accounts.into_iter().collect::<Vec<_>>().join(",")));
    }
    if !regional.is_empty() {
        command.push_str(&format!(" --regions {}", regional.into_iter().collect::<Vec<_>>().join(",")));
    }
    command.push_str(&format!(" --only {}", types.into_iter().collect::<Vec<_>>().join(",")));
    Some(command)
}

fn state_of(slice: &SliceReport, now: Time) -> SliceState {
    SliceState {
        key: slice.key.clone(),
        api: slice.api.clone(),
        outcome: slice.outcome,
        reason: slice.reason.clone(),
        attempted_at: Some(now),
        completed_at: (slice.outcome == Outcome::Complete).then_some(now),
        assets: slice.assets,
    }
}

fn as_json(report: &CollectReport) -> String {
    let totals = report.totals();
    let slices: Vec<_> = report
        .slices
        .iter()
        .map(|slice| {
            json!({
                "accountId": slice.key.account_id,
                "region": slice.key.region,
                "assetType": slice.key.asset_type,
                "outcome": slice.outcome.as_str(),
                "reason": slice.reason,
                "api": slice.api,
                "assets": slice.assets,
            })
        })
        .collect();
    let accounts: Vec<_> = report
        .accounts
        .iter()
        .map(|account| {
            json!({
                "accountId": account.account_id,
                "name": account.name,
                "regions": account.regions,
                "notOptedIn": account.not_opted_in,
            })
        })
        .collect();
    json!({
        "accounts": accounts,
        "assets": report.assets(),
        "added": totals.added,
        "changed": totals.changed,
        "removed": totals.removed,
        "slices": slices,
        "notes": report.notes,
    })
    .to_string()
}

/// What came of a collection without progress.
#[derive(Clone, Debug)]
pub(crate) struct Quietly {
    /// In one line.
    pub(crate) note: String,
    /// Whether it could not begin or read anything.
    pub(crate) is_failure: bool,
}

/// Collects without progress, for a server.
pub(crate) async fn collect_quietly(
    options: CollectOptions,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    on_commit: impl Fn() + Send + Sync + 'static,
) -> Quietly {
    let on_event = Arc::new(move |event: Event| {
        if matches!(event, Event::SliceDone { .. }) {
            on_commit();
        }
    });
    match collect(options, store, clock, on_event).await {
        Ok(report) => {
            let complete = report.count(Outcome::Complete);
            let (slices, assets) = (report.slices.len(), thousands(report.assets()));
            let whose = match report.accounts.as_slice() {
                [only] => only.account_id.clone(),
                many => format!("{} accounts", many.len()),
            };
            let note = format!("collected {whose}: {complete} of {slices} slices, {assets} assets");
            Quietly { note, is_failure: report.is_nothing() }
        }
        Err(error) => Quietly { note: format!("the collection failed: {}", chain(&error)), is_failure: true },
    }
}

/// A bar on a terminal, one line a slice elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(context: &Context) -> Self {
        let bar = context.output.stderr_is_terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let template = "{msg:30} {wide_bar} {pos}/{len} slices  {elapsed}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message("Asking who is calling");
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar }
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Planned { account_id, accounts, regions, slices } => {
                let noun = if regions.len() == 1 { "region" } else { "regions" };
                let message = match regions.len() {
                    0 => format!("{account_id} lets nobody in"),
                    count => format!("Collecting {account_id}, {count} {noun}"),
                };
                match &self.bar {
                    Some(bar) => {
                        bar.inc_length(slices.len() as u64);
                        bar.set_message(match accounts {
                            1 => message,
                            _ => format!("Collecting {accounts} accounts"),
                        });
                    }
                    None => self.line(&format!("{message}, {} slices", slices.len())),
                }
            }
            Event::SliceDone { slice, done, of } => {
                let text = line_of(slice);
                match &self.bar {
                    Some(bar) => {
                        bar.set_position(*done as u64);
                        if slice.outcome != Outcome::Complete {
                            bar.println(format!("  {text}"));
                        }
                    }
                    None => self.line(&format!("{done}/{of} {text}")),
                }
            }
        }
    }

    fn line(&self, text: &str) {
        use std::io::Write as _;
        // Progress that nobody can read is no reason to stop.
        let written = writeln!(std::io::stderr().lock(), "{text}");
        drop(written);
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line_of(slice: &SliceReport) -> String {
    let reason = slice.reason.as_deref().map(|reason| format!("  {reason}")).unwrap_or_default();
    let assets = match slice.outcome {
        Outcome::Complete => format!("  {} assets", thousands(slice.assets)),
        _ => String::new(),
    };
    format!(
        "{}  {:<14}  {:<8}  {:<9}{assets}{reason}",
        slice.key.account_id,
        slice.key.region,
        slice.key.asset_type,
        slice.outcome.word(),
    )
}
