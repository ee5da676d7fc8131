//! `passmuster findings`: what is remembered of what failed.

use clap::{Args, ValueEnum};

use super::super::{
    Exit,
    arguments::{Format, FormatArguments},
    context::Context,
    failure::Failure,
    moment::read_moment,
};
use super::check::Least;
use crate::{
    check::ledger::{Finding, LedgerError, Status, read_exceptions, read_findings, read_states},
    model::nearest,
    report::{Findings, counted},
};

/// Show what is remembered of what failed: since when, how often, and what became of it
#[derive(Debug, Args)]
#[command(
    after_help = "`passmuster check` writes them down. Only an asset that certainly fails opens one; only one that
certainly passes, or is certainly gone, resolves it. A moment is a day (its beginning, UTC), a time,
or so long ago: 90m, 24h, 7d.

Examples:
  passmuster findings
  passmuster findings aws-vpc-flow-logs-enabled --status all -o csv > findings.csv
  passmuster findings --status resolved --since 7d
  passmuster query --as-of 30d 'findings(where: {status: OPEN}) { id openedAt }'"
)]
pub(crate) struct FindingsArguments {
    /// Only those of these checks, e.g. aws-vpc-flow-logs-enabled
    #[arg(value_name = "CHECK")]
    checks: Vec<String>,
    /// Where they stand: open, excepted, resolved or all, e.g. all
    #[arg(long, value_enum, value_name = "STATUS", default_value = "open", hide_possible_values = true)]
    status: Wanted,
    /// Only those that opened or were resolved since a moment, e.g. 7d or 2026-11-01
    #[arg(long, value_name = "MOMENT")]
    since: Option<String>,
    /// Only those of at least this severity (low, medium, high, critical), e.g. high
    #[arg(long, value_enum, value_name = "SEVERITY", hide_possible_values = true)]
    severity: Option<Least>,
    /// Only those of one account, e.g. 123456789012
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only those of one asset, by id or native id, e.g. vpc-08209b480faed1b10
    #[arg(long, value_name = "ASSET")]
    asset: Option<String>,
    #[command(flatten)]
    format: FormatArguments,
}

/// Which findings are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// To be mended
    Open,
    /// Accepted
    Excepted,
    /// No longer so
    Resolved,
    /// All there ever were
    All,
}

impl Wanted {
    fn takes(self, status: Status) -> bool {
        match self {
            Self::Open => status == Status::Open,
            Self::Excepted => status == Status::Excepted,
            Self::Resolved => status == Status::Resolved,
            Self::All => true,
        }
    }
}

pub(crate) fn run(arguments: &FindingsArguments, context: &Context) -> Result<Exit, Failure> {
    let now = context.now();
    let since = match &arguments.since {
        Some(text) => Some(read_moment(text, now).map_err(Failure::bad_input)?),
        None => None,
    };
    let store = context.open_existing_store()?;
    let (all, states) = (read_findings(&store).map_err(failure)?, read_states(&store).map_err(failure)?);
    let exceptions = read_exceptions(&store).map_err(failure)?;
    for check in &arguments.checks {
        if !states.iter().any(|state| state.check_id == *check) {
            let known = states.iter().map(|state| state.check_id.as_str());
            let help = match nearest(check, known) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`passmuster check` runs checks and writes down what they find".to_owned(),
            };
            return Err(Failure::bad_input(format!("no run of a check `{check}` is on record: {help}")));
        }
    }
    let is_wanted = |finding: &&Finding| {
        let asset = finding.asset.as_ref();
        let is_of =
            |wanted: &String| asset.is_some_and(|asset| asset.id == *wanted || asset.short_id() == wanted);
        let account = asset.and_then(|asset| asset.account_id.as_ref());
        (arguments.checks.is_empty() || arguments.checks.contains(&finding.check_id))
            && since.is_none_or(|since| {
                finding.resolved_at.unwrap_or(finding.since()).max(finding.since()) >= since
            })
            && arguments.severity.is_none_or(|least| finding.severity >= least.severity())
            && arguments.account.as_ref().is_none_or(|wanted| account == Some(wanted))
            && arguments.asset.as_ref().is_none_or(is_of)
    };
    let wanted: Vec<&Finding> = all.iter().filter(is_wanted).collect();
    let shown = wanted.iter().copied().filter(|finding| arguments.status.takes(finding.status));
    let findings = Findings::new(shown, &states, &exceptions);
    match arguments.format.format {
        Format::Json => context.output.write(findings.json(now).as_bytes())?,
        Format::Ndjson => context.output.write(findings.ndjson().as_bytes())?,
        Format::Csv => context.output.write(findings.sheet().csv().as_bytes())?,
        Format::Table => {
            if !findings.findings.is_empty() {
                context.output.write(findings.sheet().table(context.style()).as_bytes())?;
            }
            context.output.line(&summary(findings.findings.len(), &wanted, states.len()))?;
        }
    }
    Ok(Exit::Pass)
}

/// What was looked at: `3 of 41 findings: 9 open, 2 excepted, 30 resolved`.
fn summary(shown: usize, wanted: &[&Finding], checks: usize) -> String {
    if checks == 0 {
        return "no run of a check is on record: `passmuster check` runs them and writes down what they find"
            .to_owned();
    }
    let of = |status: Status| wanted.iter().filter(|finding| finding.status == status).count();
    let [open, excepted, resolved] = Status::ALL.map(of);
    format!(
        "{shown} of {} on record: {open} open, {excepted} excepted, {resolved} resolved",
        counted(wanted.len() as u64, "Finding")
    )
}

/// What the shell is told where the ledger can't be read or written.
#[expect(clippy::needless_pass_by_value, reason = "the form that `Result::map_err` calls")]
pub(super) fn failure(error: LedgerError) -> Failure {
    Failure::program(&error)
}
