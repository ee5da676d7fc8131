//! `passmuster except`: accept failing assets, for a reason, until some date.

use std::sync::Arc;

use clap::{Args, Subcommand};

use super::super::{
    Exit,
    arguments::{Format, FormatArguments, SummaryArguments, SummaryForm},
    context::{Context, Inventory, Tools},
    failure::{Failure, chain},
    graph_holder::Present,
    moment::read_moment,
    place,
};
use super::{check::select, findings::failure};
use crate::{
    catalog::TypeKind,
    check::{
        Check, Exception, ExceptionRequest, ExceptionStatus, Scope,
        ledger::{
            ExceptionProblem, FindingChange, NoOutbox, Recorded, Run, Status, Trigger, lint_exception,
            read_exceptions, read_findings, record_exceptions,
        },
    },
    model::{Time, is_ledger_type, nearest},
    query::{Request, run::find_assets},
    report::{CountedException, counted, exceptions_json, exceptions_ndjson, exceptions_sheet},
    store::Store,
};

/// Accept failing assets, for a reason, until some date
#[derive(Debug, Args)]
#[command(
    after_help = "What is accepted still fails, and no longer counts: not for the verdict, not for the exit code.
What is not known stays unknown. When an exception ends, its findings are open again.

Examples:
  passmuster except add --check aws-vpc-flow-logs-enabled --asset vpc-08209b480faed1b10 \\
      --owner net-team --reason 'decommissioned in January, ticket NET-311' --until 2027-01-31
  passmuster except list
  passmuster except revoke exc-0a1b2c3d4e"
)]
pub(crate) struct ExceptArguments {
    #[command(subcommand)]
    command: ExceptCommand,
}

#[derive(Debug, Subcommand)]
enum ExceptCommand {
    /// Accept an asset, the assets a filter is true of, those of an account, or a check as a whole
    #[command(after_help = "Examples:
  passmuster except add --check aws-vpc-flow-logs-enabled --asset vpc-08209b480faed1b10 \\
      --owner net-team --reason 'decommissioned in January, ticket NET-311' --until 2027-01-31
  passmuster except add --check aws-vpc-flow-logs-enabled --owner platform --until 2027-06-30 \\
      --where '{tags_SOME: {key: \"env\", value: \"sandbox\"}}' --reason 'sandboxes hold no data'
  passmuster except add --account 210987654321 --owner platform --until 2026-12-31 \\
      --reason 'the account is being closed'
  passmuster except add --check own-few-vpcs --owner platform --until 2026-12-31 \\
      --reason 'a count that is too high while two networks are merged'")]
    Add(AddArguments),
    /// List what is accepted, and how many findings each exception accepts
    #[command(after_help = "Examples:
  passmuster except list
  passmuster except list --all -o json")]
    List {
        /// Also those that have expired or were taken back
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        format: FormatArguments,
    },
    /// Take an exception back: its findings are open again
    #[command(after_help = "Examples:
  passmuster except revoke exc-0a1b2c3d4e
  passmuster except revoke exc-0a1b2c3d4e -o json")]
    Revoke {
        /// The exception, e.g. exc-0a1b2c3d4e
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        summary: SummaryArguments,
    },
    /// Find exceptions that accept nothing, end soon, or can no longer be understood
    #[command(after_help = "Exit codes: 0 nothing to say, 2 something to say.

Examples:
  passmuster except lint
  passmuster except lint -o json")]
    Lint {
        #[command(flatten)]
        summary: SummaryArguments,
    },
}

#[derive(Debug, Args)]
struct AddArguments {
    /// The check, all if none is named, e.g. aws-vpc-flow-logs-enabled
    #[arg(long, value_name = "CHECK")]
    check: Option<String>,
    /// One asset, by id or native id, e.g. vpc-08209b480faed1b10
    #[arg(long, value_name = "ASSET", conflicts_with_all = ["filter", "account"])]
    asset: Option<String>,
    /// The assets of which this filter is certainly true, e.g. '{isDefault: true}'
    #[arg(long = "where", value_name = "FILTER", conflicts_with = "account")]
    filter: Option<String>,
    /// The type that --where is about, where no check says so, e.g. Vpc
    #[arg(long = "type", value_name = "TYPE", requires = "filter")]
    typename: Option<String>,
    /// Every asset of an account, e.g. 123456789012
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Who answers for it, e.g. net-team
    #[arg(long, value_name = "OWNER")]
    owner: String,
    /// Why it is accepted, e.g. 'decommissioned in January, ticket NET-311'
    #[arg(long, value_name = "REASON")]
    reason: String,
    /// The last day (UTC) or the moment at which it ends, e.g. 2027-01-31
    #[arg(long, value_name = "DATE")]
    until: String,
    #[command(flatten)]
    summary: SummaryArguments,
}

pub(crate) fn run(arguments: &ExceptArguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.command {
        ExceptCommand::Add(arguments) => add(arguments, context),
        ExceptCommand::List { all, format } => list(*all, *format, context),
        ExceptCommand::Revoke { id, summary } => revoke(id, *summary, context),
        ExceptCommand::Lint { summary } => lint(*summary, context),
    }
}

/// What a command needs to know which findings an exception is about.
struct Judged {
    tools: Tools,
    checks: Vec<Check>,
    inventory: Inventory,
    present: Present,
    store: Arc<Store>,
    now: Time,
}

impl Judged {
    fn new(context: &Context) -> Result<Self, Failure> {
        let tools = context.tools()?;
        let checks = tools.checks()?;
        let late = context.take_existing_store()?;
        let inventory = Inventory::Store(Arc::clone(&late));
        let present = inventory.present(&tools.catalog, context.now())?;
        Ok(Self { tools, checks, inventory, present, store: late.get()?, now: context.now() })
    }

    fn record(&self, exceptions: &[Exception]) -> Result<Recorded, Failure> {
        let run = Run {
            checks: &self.checks,
            all: None,
            engine: &self.tools.engine,
            graph: &self.present.graph,
            now: self.now,
            trigger: Trigger::Command,
        };
        let recorded = record_exceptions(&self.store, exceptions, run, &mut NoOutbox).map_err(failure)?;
        self.inventory.keep_newest(&self.tools.catalog, &self.present, self.now)?;
        Ok(recorded)
    }
}

fn add(arguments: &AddArguments, context: &Context) -> Result<Exit, Failure> {
    let judged = Judged::new(context)?;
    let check = match &arguments.check {
        Some(id) => select(judged.checks.clone(), std::slice::from_ref(id))?.into_iter().next(),
        None => None,
    };
    let scope = scope_of(arguments, check.as_ref(), &judged)?;
    let request = ExceptionRequest {
        check_id: arguments.check.clone(),
        scope,
        owner: arguments.owner.clone(),
        reason: arguments.reason.clone(),
        expires_at: last_moment(&arguments.until, judged.now)?,
    };
    let exception = request.accept(judged.now).map_err(|error| Failure::bad_input(chain(&error)))?;
    let recorded = judged.record(std::slice::from_ref(&exception))?;
    tell(&exception, &recorded.changes, arguments.summary, context)
}

fn scope_of(arguments: &AddArguments, check: Option<&Check>, judged: &Judged) -> Result<Scope, Failure> {
    let AddArguments { asset, filter, typename, account, .. } = arguments;
    if let Some(asset) = asset {
        return Ok(Scope::Asset { asset_id: find_asset(asset, judged)? });
    }
    if let Some(account_id) = account {
        return Ok(Scope::Account { account_id: account_id.clone() });
    }
    let Some(filter) = filter else {
        return match check {
            Some(check) if check.is_judged_as_a_whole() => Ok(Scope::Whole),
            _ => Err(Failure::bad_input("say what is accepted: --asset, --where or --account")),
        };
    };
    let covered = check.map(|check| check.covers_name.clone());
    let typename = match (typename, covered) {
        (Some(typename), Some(covered)) if *typename != covered => {
            let message = format!("the check judges `{covered}`, not `{typename}`: leave --type out");
            return Err(Failure::bad_input(message));
        }
        (Some(typename), _) => typename.clone(),
        (None, Some(covered)) => covered,
        (None, None) => {
            return Err(Failure::bad_input(
                "say what the filter is about: --check, or --type for all checks",
            ));
        }
    };
    let catalog = &judged.tools.catalog;
    let Some((_, definition)) = catalog.find(&typename) else {
        let known = catalog.types().iter().map(|definition| definition.name.as_str());
        let help =
            nearest(&typename, known).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
        return Err(Failure::bad_input(format!("there is no type `{typename}`{help}")));
    };
    let query = Scope::query(&definition.plural, filter);
    if let Err(errors) = judged.tools.engine.plan(&Request::new(query.as_str())) {
        let snippets = place::of_query("where", &query, judged.tools.sources.fragments(), &errors);
        return Err(Failure::snippets(snippets));
    }
    Ok(Scope::Filter { typename, filter: filter.clone() })
}

/// The id of an asset that is there, or that something was found of.
fn find_asset(named: &str, judged: &Judged) -> Result<String, Failure> {
    let findings = read_findings(&judged.store).map_err(failure)?;
    let types = judged
        .present
        .graph
        .catalog()
        .iter()
        .filter(|(_, of)| of.kind == TypeKind::Asset && !is_ledger_type(&of.name));
    let called = types.flat_map(|(of, _)| find_assets(&judged.present.graph, of, named));
    let mut found: Vec<String> =
        called.map(|(of, row)| judged.present.graph.id(of, row).into_owned()).collect();
    let assets = findings.iter().filter_map(|finding| finding.asset.as_ref());
    found.extend(
        assets.filter(|asset| asset.id == *named || asset.short_id() == named).map(|asset| asset.id.clone()),
    );
    found.sort();
    found.dedup();
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(Failure::bad_input(format!(
            "there is no asset `{named}`: give the id or native id of one that was collected"
        ))),
        several => Err(Failure::bad_input(format!(
            "`{named}` is several assets, give one id: {}",
            several.join(", ")
        ))),
    }
}

/// The moment an exception ends: that of a bare day is its end.
fn last_moment(text: &str, now: Time) -> Result<Time, Failure> {
    let moment = read_moment(text, now).map_err(Failure::bad_input)?;
    let is_day = text.trim().len() == "2026-11-27".len() && text.contains('-');
    let day_ms = 24 * 60 * 60 * 1000;
    let end = if is_day { Time::from_millis(moment.millis().saturating_add(day_ms)) } else { Some(moment) };
    end.ok_or_else(|| Failure::bad_input(format!("`{text}` is too far away")))
}

fn list(all: bool, format: FormatArguments, context: &Context) -> Result<Exit, Failure> {
    let store = context.open_existing_store()?;
    let now = context.now();
    let exceptions: Vec<Exception> = read_exceptions(&store)
        .map_err(failure)?
        .iter()
        .map(|exception| exception.as_of(now))
        .filter(|exception| all || exception.status == ExceptionStatus::Active)
        .collect();
    let counted = count_findings(&exceptions, &store)?;
    let text = match format.format {
        Format::Json => exceptions_json(&counted),
        Format::Ndjson => exceptions_ndjson(&counted),
        Format::Csv => exceptions_sheet(&counted).csv(),
        Format::Table if counted.is_empty() => {
            "nothing is accepted: `passmuster except add` does\n".to_owned()
        }
        Format::Table => exceptions_sheet(&counted).table(context.style()),
    };
    context.output.write(text.as_bytes())?;
    Ok(Exit::Pass)
}

fn count_findings<'e>(
    exceptions: &'e [Exception],
    store: &Store,
) -> Result<Vec<CountedException<'e>>, Failure> {
    let findings = read_findings(store).map_err(failure)?;
    let count = |exception: &'e Exception| {
        let accepted = findings.iter().filter(|finding| {
            finding.status == Status::Excepted && finding.exception_id.as_ref() == Some(&exception.id)
        });
        CountedException { exception, findings: accepted.count() as u64 }
    };
    Ok(exceptions.iter().map(count).collect())
}

fn revoke(id: &str, summary: SummaryArguments, context: &Context) -> Result<Exit, Failure> {
    let judged = Judged::new(context)?;
    let exceptions = read_exceptions(&judged.store).map_err(failure)?;
    let Some(exception) = exceptions.iter().find(|exception| exception.id == *id) else {
        let known = exceptions.iter().map(|exception| exception.id.as_str());
        let help = nearest(id, known)
            .map(|near| format!("did you mean `{near}`?"))
            .unwrap_or_else(|| "`passmuster except list` shows all".to_owned());
        return Err(Failure::bad_input(format!("there is no exception `{id}`: {help}")));
    };
    let status = exception.status_at(judged.now);
    if status != ExceptionStatus::Active {
        let how = if status == ExceptionStatus::Expired { "has expired" } else { "was taken back already" };
        return Err(Failure::bad_input(format!("`{id}` {how}")));
    }
    let revoked = exception.revoked(judged.now);
    let recorded = judged.record(std::slice::from_ref(&revoked))?;
    tell(&revoked, &recorded.changes, summary, context)
}

/// Says what came of an exception.
fn tell(
    exception: &Exception,
    changes: &[FindingChange],
    summary: SummaryArguments,
    context: &Context,
) -> Result<Exit, Failure> {
    let accepted = changes.iter().filter(|change| change.finding.status == Status::Excepted).count() as u64;
    let opened = changes.iter().filter(|change| change.finding.status == Status::Open).count() as u64;
    match summary.form {
        SummaryForm::Json => {
            let counted = [CountedException { exception, findings: accepted }];
            context.output.write(exceptions_json(&counted).as_bytes())?;
        }
        SummaryForm::Table if exception.status == ExceptionStatus::Active => {
            let findings = counted(accepted, "Finding");
            context
                .output
                .line(&format!("{}: {findings} accepted until {}", exception.id, exception.expires_at))?;
            if accepted == 0 {
                context.output.note("! it accepts nothing now: what fails later is accepted if it fits");
            }
        }
        SummaryForm::Table => {
            let findings = counted(opened, "Finding");
            context.output.line(&format!("{}: taken back, {findings} open again", exception.id))?;
        }
    }
    Ok(Exit::Pass)
}

fn lint(summary: SummaryArguments, context: &Context) -> Result<Exit, Failure> {
    let judged = Judged::new(context)?;
    let exceptions = read_exceptions(&judged.store).map_err(failure)?;
    let findings = read_findings(&judged.store).map_err(failure)?;
    let active: Vec<&Exception> = exceptions
        .iter()
        .filter(|exception| exception.status_at(judged.now) == ExceptionStatus::Active)
        .collect();
    let problems: Vec<(&Exception, ExceptionProblem)> = active
        .iter()
        .flat_map(|exception| {
            let problems =
                lint_exception(exception, &judged.checks, &findings, &judged.tools.engine, judged.now);
            problems.into_iter().map(|problem| (*exception, problem))
        })
        .collect();
    match summary.form {
        SummaryForm::Json => {
            let object = |(exception, problem): &(&Exception, ExceptionProblem)| serde_json::json!({"exception": exception.id, "problem": problem.to_string()});
            let problems: Vec<serde_json::Value> = problems.iter().map(object).collect();
            context
                .output
                .line(&serde_json::json!({"exceptions": active.len(), "problems": problems}).to_string())?;
        }
        SummaryForm::Table => {
            for (exception, problem) in &problems {
                context.output.line(&format!("{} ({}): {problem}", exception.id, exception.owner))?;
            }
            let said = counted(problems.len() as u64, "Problem");
            context.output.line(&format!("{said} with {}", counted(active.len() as u64, "Exception")))?;
        }
    }
    Ok(if problems.is_empty() { Exit::Pass } else { Exit::Findings })
}
