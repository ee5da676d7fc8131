//! `passmuster check`: judges the inventory by stored checks, or by one pasted query.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum};

use super::super::{
    Exit,
    context::{Context, Inventory, Tools},
    explained,
    failure::{Failure, chain},
    late_store::LateStore,
    place,
};
use crate::{
    check::{
        self, Check, CheckResult, ExitCode, Framework, Severity,
        ledger::{self, Trigger},
    },
    graph::Graph,
    model::Time,
    query::{
        Request,
        run::{RunLimits, Truth},
    },
    report::{
        AUDIT_QUERY, Detail, Run, Sheet, asff, audit_sheet, checks_csv, checks_json, checks_ndjson,
        checks_text, compliance_json, compliance_ndjson, compliance_sheet, compliance_text, html, junit,
        markdown, ocsf, sarif,
    },
};

/// So many regions that were never read are named.
const REGIONS_NAMED: usize = 4;

/// Judge the inventory: which assets fail, which pass, and what is not known
#[derive(Debug, Args)]
#[command(
    after_help = "A verdict is PASS only on complete, fresh data; what could not be collected makes it UNKNOWN, with the reason.
Exit codes: 0 all pass, 2 assets fail, 4 nothing fails but something is unknown, 1 a check could not be run, 3 bad input.

Examples:
  passmuster check
  passmuster check aws-vpc-flow-logs-enabled -o json > verdict.json
  passmuster check --no-record
  passmuster check --framework cis-aws-3.0.0
  passmuster check --fail-on high -o sarif > verdicts.sarif
  passmuster check -o html > report.html      # with the answers of passmuster audit
  passmuster check aws-vpc-flow-logs-enabled --explain vpc-08209b480faed1b10
  passmuster check --data vpcs.ndjson --query 'vpcs(where: {hasFlowLog: null}) { id }' --expect 'eq []'"
)]
pub(crate) struct CheckArguments {
    /// Checks to run, all if none is named, e.g. aws-vpc-flow-logs-enabled
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Judge by this query instead of the stored checks, e.g. 'vpcs(where: {hasFlowLog: null}) { id }'
    #[arg(long, value_name = "QUERY", conflicts_with = "ids")]
    query: Option<String>,
    /// What the result of --query must be, e.g. 'eq []' or 'count lt 5'
    #[arg(long, value_name = "EXPECTATION", requires = "query", default_value = "eq []")]
    expect: String,
    /// Judge by the checks of a framework, control by control, e.g. cis-aws-3.0.0
    #[arg(long, value_name = "FRAMEWORK", conflicts_with_all = ["ids", "query"])]
    framework: Option<String>,
    /// Exit with 2 or 4 only for checks of at least this severity (low, medium, high, critical), e.g. high
    #[arg(long, value_enum, value_name = "SEVERITY", hide_possible_values = true)]
    fail_on: Option<Least>,
    /// How old a collection may be to be believed by --query, e.g. 7d
    #[arg(long, value_name = "AGE", requires = "query", default_value = "24h")]
    max_age: String,
    /// Judge this file of assets (NDJSON, - for stdin) instead of the store, e.g. vpcs.ndjson
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Why this asset fails, passes or is unknown, by id or native id, e.g. vpc-08209b480faed1b10
    #[arg(long, value_name = "ASSET")]
    explain: Option<String>,
    /// Don't write the run and its findings down in the store
    #[arg(long)]
    no_record: bool,
    /// Close the findings of checks that are on record and no longer there
    #[arg(long, conflicts_with_all = ["ids", "query", "framework", "data", "explain", "no_record"])]
    close_gone: bool,
    /// Form of the report: table, json, csv, ndjson, junit, sarif, ocsf, asff, markdown or html
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        value_name = "FORM",
        default_value = "table",
        hide_possible_values = true
    )]
    form: ReportForm,
}

pub(crate) fn run(arguments: &CheckArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    let (checks, framework) = match (&arguments.query, &arguments.framework) {
        (Some(query), _) => (vec![pasted_check(query, arguments, &tools)?], None),
        (None, Some(id)) => {
            let mut checks = tools.checks()?;
            let framework = framework_of(id, &checks, &tools)?;
            checks.retain(|check| framework.checks().contains(check.id.as_str()));
            (checks, Some(framework))
        }
        (None, None) => (select(tools.checks()?, &arguments.ids)?, None),
    };
    let inventory = context.inventory(arguments.data.as_deref())?;
    let present = inventory.present(&tools.catalog, context.now())?;
    let (graph, now) = (Arc::clone(&present.graph), context.now());
    if let Some(asset) = &arguments.explain {
        inventory.keep(&present);
        return explain(&checks, asset, (&tools, &graph, now), arguments.form, context);
    }
    let judged = check::evaluate_all(&checks, &tools.engine, &graph, now);
    let results = match &inventory {
        // Nothing is remembered of a query that nobody stored, nor of a file.
        Inventory::Store(store) if arguments.query.is_none() => {
            let trigger = Trigger::Command;
            let all = arguments.close_gone.then_some(&*checks);
            let run =
                ledger::Run { checks: &checks, all, engine: &tools.engine, graph: &graph, now, trigger };
            settled(&judged, run, store, arguments.no_record)?
        }
        Inventory::Store(_) | Inventory::File(_) => judged,
    };
    if let Inventory::Store(store) = &inventory
        && arguments.ids.is_empty()
        && arguments.query.is_none()
        && arguments.framework.is_none()
        && !arguments.no_record
    {
        tell_gone(&checks, store, context)?;
    }
    if arguments.no_record || arguments.query.is_some() {
        inventory.keep(&present);
    } else {
        inventory.keep_newest(&tools.catalog, &present, now)?;
    }
    let exit = ExitCode::of_severity(&results, arguments.fail_on.map_or(Severity::Low, Least::severity));
    let compliance = framework.map(|framework| check::comply(&framework, &results, &tools.engine, &graph));
    let run = Run { results: &results, checks: &checks, compliance: compliance.as_ref(), now };
    let text = match (arguments.form, &compliance) {
        (ReportForm::Table, None) => checks_text(&results, now, context.style(), Detail::default()),
        (ReportForm::Json, None) => checks_json(&results, exit, now),
        (ReportForm::Csv, None) => checks_csv(&results),
        (ReportForm::Ndjson, None) => checks_ndjson(&results),
        (ReportForm::Table, Some(compliance)) => compliance_text(compliance, context.style()),
        (ReportForm::Json, Some(compliance)) => compliance_json(compliance, &results, exit, now),
        (ReportForm::Csv, Some(compliance)) => compliance_sheet(compliance).csv(),
        (ReportForm::Ndjson, Some(compliance)) => compliance_ndjson(compliance),
        (ReportForm::Junit, _) => junit(&run),
        (ReportForm::Sarif, _) => sarif(&run),
        (ReportForm::Ocsf, _) => ocsf(&run),
        (ReportForm::Asff, _) => {
            let (text, left_out) = asff(&run);
            if left_out > 0 {
                let what = "verdicts about a whole check or an asset without an account";
                context.output.note(&format!("{left_out} {what} have no place in ASFF: -o json has all"));
            }
            text
        }
        (ReportForm::Markdown, _) => markdown(&run),
        (ReportForm::Html, _) => html(&run, audit(&results, &tools, &graph).as_ref()),
    };
    context.output.write(text.as_bytes())?;
    if let Some(note) = unread_note(&check::unread_regions(&graph)) {
        context.output.note(&note);
    }
    Ok(exit_of(exit))
}

/// Tells of regions that no verdict speaks of.
fn unread_note(unread: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let regions: BTreeSet<&str> = unread.values().flatten().map(String::as_str).collect();
    let (first, count) = (unread.keys().next()?, regions.len());
    let accounts = match unread.len() {
        1 => format!("account {first}"),
        accounts => format!("{accounts} accounts"),
    };
    let named: Vec<&str> = regions.iter().copied().take(REGIONS_NAMED).collect();
    let more = if count > named.len() { ", .." } else { "" };
    let what = if count == 1 { "region is" } else { "regions are" };
    Some(format!(
        "! {count} {what} enabled for {accounts} and left out of every collection; no verdict speaks of {}{more}",
        named.join(", ")
    ))
}

/// The results with what the store remembers: what is accepted doesn't count. Writes the run down where it is to be.
pub(super) fn settled(
    judged: &[CheckResult],
    run: ledger::Run<'_>,
    store: &LateStore,
    is_only_read: bool,
) -> Result<Vec<CheckResult>, Failure> {
    if is_only_read {
        let ids = || run.checks.iter().map(|check| check.id.as_str());
        let shown = ledger::Known::of_graph(run.graph, ids()).map_err(|error| Failure::program(&error))?;
        let known = match shown {
            Some(known) => known,
            None => ledger::Known::read(&*store.get()?, ids()).map_err(|error| Failure::program(&error))?,
        };
        return Ok(ledger::settle_run(&known, judged, run).results);
    }
    match ledger::record_run(&*store.get()?, judged, run) {
        Ok(recorded) => Ok(recorded.results),
        Err(error) => Err(Failure::failed(format!(
            "the run was not written down ({}): --no-record judges without doing so",
            chain(&error)
        ))),
    }
}

/// Names the checks that are on record and not among those there are: nobody judges what they found.
fn tell_gone(checks: &[Check], store: &LateStore, context: &Context) -> Result<(), Failure> {
    let states = ledger::read_states(&*store.get()?).map_err(|error| Failure::program(&error))?;
    let judged = states.iter().filter(|state| state.gone_at.is_none());
    let gone = ledger::gone(judged.map(|state| state.check_id.as_str()), checks);
    if !gone.is_empty() {
        let those = if gone.len() == 1 {
            "is on record and not among these checks"
        } else {
            "are on record and not among these checks"
        };
        let note =
            format!("! {} {those}: what was found stays open; --close-gone closes it", gone.join(", "));
        context.output.note(&note);
    }
    Ok(())
}

/// What auditors ask of each VPC, where a check covers them.
pub(super) fn audit(results: &[CheckResult], tools: &Tools, graph: &Graph) -> Option<Sheet> {
    if !results.iter().any(|result| result.covers == "Vpc") {
        return None;
    }
    let query = tools.sources.query(AUDIT_QUERY)?;
    let response = tools.engine.execute(graph, &Request::new(&*query.text), &RunLimits::unlimited());
    let answer = serde_json::from_slice(&response.body).ok()?;
    Some(audit_sheet(&answer, results))
}

/// One form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    /// For people
    Table,
    /// For machines
    Json,
    /// For spreadsheets
    Csv,
    /// One JSON object a line
    Ndjson,
    /// For CI servers
    Junit,
    /// For code scanning
    Sarif,
    /// For security data lakes
    Ocsf,
    /// For AWS Security Hub
    Asff,
    /// For tickets
    Markdown,
    /// One page for people
    Html,
}

/// The framework of an id.
pub(crate) fn framework_of(id: &str, checks: &[Check], tools: &Tools) -> Result<Framework, Failure> {
    let frameworks = tools.frameworks(checks)?;
    frameworks.iter().find(|framework| framework.id == *id).cloned().ok_or_else(|| {
        let known = frameworks.iter().map(|framework| framework.id.as_str());
        let help = crate::model::nearest(id, known)
            .map(|nearest| format!("did you mean `{nearest}`?"))
            .unwrap_or_else(|| "`passmuster checks frameworks` shows all".to_owned());
        Failure::bad_input(format!("there is no framework `{id}`: {help}"))
    })
}

/// The least severity that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Least {
    /// All
    Low,
    /// All but low
    Medium,
    /// High and critical
    High,
    /// Critical alone
    Critical,
}

impl Least {
    pub(super) fn severity(self) -> Severity {
        match self {
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}

/// Why one asset has its verdict, check by check. An asset of another type than a check covers has none there.
fn explain(
    checks: &[Check],
    asset: &str,
    (tools, graph, now): (&Tools, &Graph, Time),
    form: ReportForm,
    context: &Context,
) -> Result<Exit, Failure> {
    let (mut text, mut objects) = (String::new(), Vec::new());
    let mut exit = Exit::Pass;
    let mut refused = None;
    for check in checks {
        let why = match check::explain(check, &tools.engine, graph, asset, now) {
            Ok(why) => why,
            Err(errors) => {
                refused = refused.or(Some((check, errors)));
                continue;
            }
        };
        let verdict = match why.truth {
            Truth::True => "FAIL",
            _ if why.is_undecided => "UNKNOWN",
            _ => "PASS",
        };
        exit = match (verdict, exit) {
            ("FAIL", _) | (_, Exit::Findings) => Exit::Findings,
            ("UNKNOWN", _) => Exit::Unknown,
            (_, exit) => exit,
        };
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}{verdict}  {}\n{}", check.id, explained::why_text(&why)));
        let mut object = why.to_json();
        if let Some(entries) = object.as_object_mut() {
            entries.insert("check".to_owned(), check.id.clone().into());
            entries.insert("verdict".to_owned(), verdict.into());
        }
        objects.push(object);
    }
    if let (true, Some((check, errors))) = (objects.is_empty(), refused) {
        let snippets = place::of_query(&check.id, &check.query, tools.sources.fragments(), &errors);
        return Err(Failure::snippets(snippets));
    }
    match form {
        ReportForm::Table => context.output.write(text.as_bytes())?,
        ReportForm::Ndjson => {
            for object in &objects {
                context.output.line(&object.to_string())?;
            }
        }
        ReportForm::Json => context.output.line(&serde_json::json!({ "why": objects }).to_string())?,
        _ => return Err(Failure::bad_input("an explanation is given as table, json or ndjson")),
    }
    Ok(exit)
}

/// What the shell sees.
pub(crate) fn exit_of(exit: ExitCode) -> Exit {
    match exit {
        ExitCode::Pass => Exit::Pass,
        ExitCode::Error => Exit::Failed,
        ExitCode::Findings => Exit::Findings,
        ExitCode::Unknown => Exit::Unknown,
    }
}

/// The checks with these ids, in the order of the ids; all where none is named.
pub(crate) fn select(checks: Vec<Check>, ids: &[String]) -> Result<Vec<Check>, Failure> {
    if ids.is_empty() {
        return Ok(checks);
    }
    ids.iter()
        .map(|id| {
            checks.iter().find(|check| check.id == *id).cloned().ok_or_else(|| {
                let known = checks.iter().map(|check| check.id.as_str());
                let help = crate::model::nearest(id, known)
                    .map(|nearest| format!("did you mean `{nearest}`?"))
                    .unwrap_or_else(|| "`passmuster checks list` shows all".to_owned());
                Failure::bad_input(format!("there is no check `{id}`: {help}"))
            })
        })
        .collect()
}

/// A check made of a query on the command line.
fn pasted_check(query: &str, arguments: &CheckArguments, tools: &Tools) -> Result<Check, Failure> {
    let max_age =
        arguments.max_age.parse().map_err(|error| Failure::bad_input(format!("--max-age: {error}")))?;
    check::pasted(query, &arguments.expect, max_age, &tools.engine)
        .map_err(|errors| Failure::snippets(place::of_checks(&errors)))
}
