//! `passmuster query`: one query, answered from the store or from a file.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::{
    Exit,
    arguments::{Format, FormatArguments},
    context::{Context, Tools},
    explained,
    failure::Failure,
    moment::read_moment,
    pages,
    past_graphs::KnownMoments,
    place, variables,
};
use super::checks::print_sheet;
use crate::{
    check::Sources,
    model::nearest,
    query::{
        Engine, ExplainRequest, Graphs, Plan, QueryError, Request, Response, RootKind,
        run::{Incomplete, RunLimits, incomplete_slices},
    },
    report::{Answer, Cell, Sheet, age, noun, thousands},
};

/// Ask the inventory a question in GraphQL
#[derive(Debug, Args)]
#[command(
    after_help = "On a pipe the answer is the GraphQL response, as JSON on one line; on a terminal a table.
A query that is refused ends with exit code 3; with -o json its errors are a GraphQL response on stdout.

Examples:
  passmuster query 'vpcs(where: {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}) { vpcId region }'
  passmuster query --data vpcs.ndjson -o csv '{ vpcs { vpcId name region } }'
  passmuster query vpcs --var accounts=111122223333,444455556666
  passmuster query --explain --asset vpc-08209b480faed1b10 vpcs-without-flow-logs
  passmuster query --as-of 2d 'vpcs { vpcId isDefault lastSeenAt }'
  passmuster query --file by-account.graphql --var account=123456789012 | jq '.data.vpcs | length'"
)]
pub(crate) struct QueryArguments {
    /// The query: text, the name of a saved query, @file or - for stdin, e.g. '{ vpcs { vpcId } }'
    #[arg(value_name = "QUERY", required_unless_present_any = ["file", "list"], conflicts_with = "file")]
    query: Option<String>,
    /// List the saved queries, which NAME runs
    #[arg(long, conflicts_with_all = ["query", "file"])]
    list: bool,
    /// File that holds the query, e.g. query.graphql
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Answer from this file of assets (NDJSON, - for stdin) instead of the store, e.g. vpcs.ndjson
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// A variable, as often as needed; its type is the query's, a list is written a,b, e.g. region=eu-west-1
    #[arg(long = "var", value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// All variables as one JSON object, e.g. '{"region": "eu-west-1"}'
    #[arg(long, value_name = "JSON")]
    variables: Option<String>,
    /// Which operation of the document to run, e.g. ByRegion
    #[arg(long, value_name = "NAME")]
    operation_name: Option<String>,
    /// Moment that root fields without `asOf` ask for, e.g. 2026-11-20, 2026-11-20T12:04:11Z or 2d (ago)
    #[arg(long, value_name = "MOMENT", conflicts_with = "data")]
    as_of: Option<String>,
    /// Page through a connection that takes `after: $after`, and show the nodes of all pages
    #[arg(long, conflicts_with = "explain")]
    all: bool,
    /// Show how the query is answered instead of the answer: the plan, and what each step visits
    #[arg(long, conflicts_with = "list")]
    explain: bool,
    /// With --explain: why this asset is in the answer or isn't, by id or native id, e.g. vpc-08209b480faed1b10
    #[arg(long, value_name = "ASSET", requires = "explain")]
    asset: Option<String>,
    /// Form of the answer: table, json, csv or ndjson; a table on a terminal, JSON elsewhere
    #[arg(short = 'o', long = "output", value_enum, value_name = "FORM", hide_possible_values = true)]
    format: Option<Format>,
}

pub(crate) fn run(arguments: &QueryArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    if arguments.list {
        let format = FormatArguments { format: arguments.format.unwrap_or(Format::Table) };
        print_sheet(&saved_list(&tools.sources), format, context)?;
        return Ok(Exit::Pass);
    }
    let written = read_query(arguments, &tools.sources)?;
    let wants_table = context.output.stdout_is_terminal || arguments.explain;
    let fitting = if wants_table { Format::Table } else { Format::Json };
    let format = arguments.format.unwrap_or(fitting);
    let variables = variables::read(&written.text, &arguments.var, arguments.variables.as_deref())
        .map_err(Failure::bad_input)?;
    let as_of = match &arguments.as_of {
        Some(text) => Some(read_moment(text, context.now()).map_err(Failure::bad_input)?),
        None => None,
    };
    let request = Request {
        query: written.text.clone(),
        operation_name: arguments.operation_name.clone(),
        variables,
        explain: arguments.explain.then(|| ExplainRequest { asset: arguments.asset.clone() }),
        as_of,
    };
    // A mistake in the query is told before any data is read.
    let plan = match tools.engine.plan(&request) {
        Ok(plan) => plan,
        Err(errors) => return refuse(&written, &errors, format, &tools, context),
    };
    let inventory = context.inventory(arguments.data.as_deref())?;
    let asks_for_present = plan.moments().contains(&None);
    let present = asks_for_present.then(|| inventory.present(&tools.catalog, context.now())).transpose()?;
    let present = present.map(Arc::new);
    let past = inventory.past(&tools.catalog);
    let graphs = match plan.gather(&KnownMoments { present: present.clone(), past: past.as_ref() }) {
        Ok(graphs) => graphs,
        Err(errors) => return refuse(&written, &errors, format, &tools, context),
    };
    let graphs = Graphs::from(&graphs);
    let started = Instant::now();
    let response = if arguments.all {
        pages::execute_all(&tools.engine, &graphs, &request)?
    } else if format == Format::Json {
        print_as_written(&tools.engine, &graphs, &request, context)?
    } else {
        tools.engine.execute_over(&graphs, &request, &RunLimits::unlimited())
    };
    let took = started.elapsed();
    match &response.explanation {
        Some(explanation) if response.errors.is_empty() => explained::print(explanation, format, context)?,
        Some(_) => {}
        None => print(&response, format, context)?,
    }
    if let Some(present) = &present {
        inventory.keep(present);
    }
    if !response.errors.is_empty() {
        show_errors(&written, &response.errors, &tools, context);
        let is_refused = !response.has_data || response.errors.iter().any(|error| error.kind.is_refusal());
        return Ok(if is_refused { Exit::BadInput } else { Exit::Failed });
    }
    if format == Format::Table {
        summarise(&response, &plan, &graphs, took, context);
    }
    Ok(Exit::Pass)
}

/// A query and what messages call it.
struct Written {
    name: String,
    text: String,
}

/// Where the query is written: text, a file, or a saved query. A word alone is no query, so it is a name.
fn read_query(arguments: &QueryArguments, sources: &Sources) -> Result<Written, Failure> {
    let text = arguments.query.as_deref().unwrap_or_default();
    match (&arguments.file, text.strip_prefix('@')) {
        (Some(file), _) => read_query_file(file),
        (None, Some(file)) if !Path::new(file).exists() && sources.query(file).is_some() => {
            read_saved(file, sources)
        }
        (None, Some(file)) => read_query_file(Path::new(file)),
        (None, None) if is_name(text) => read_saved(text, sources),
        (None, None) if text == "-" => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Failure::bad_input(format!("cannot read the query from stdin: {error}")))?;
            Ok(Written { name: "stdin".to_owned(), text })
        }
        (None, None) => Ok(Written { name: "query".to_owned(), text: text.to_owned() }),
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    text.len() > 1 && !text.starts_with(['_', '-']) && text.chars().all(is_letter)
}

fn read_saved(name: &str, sources: &Sources) -> Result<Written, Failure> {
    let Some(file) = sources.query(name) else {
        let help = nearest(name, sources.saved_queries().map(|(name, _)| name))
            .map(|nearest| format!("did you mean `{nearest}`?"))
            .unwrap_or_else(|| "`passmuster query --list` shows all".to_owned());
        return Err(Failure::bad_input(format!("there is no saved query `{name}`: {help}")));
    };
    Ok(Written { name: file.shown.clone(), text: file.text.to_string() })
}

/// One row a saved query: its name, and what the comment at its beginning says.
fn saved_list(sources: &Sources) -> Sheet {
    let mut sheet = Sheet::new(&["query", "variables", "~description"]);
    for (name, file) in sources.saved_queries() {
        let comment = file.text.lines().next().and_then(|line| line.strip_prefix('#')).unwrap_or_default();
        let variables = variables::declared(&file.text).join(", ");
        sheet.rows.push(vec![Cell::new(name), Cell::new(variables), Cell::new(comment.trim())]);
    }
    sheet
}

fn read_query_file(file: &Path) -> Result<Written, Failure> {
    let name = file.display().to_string();
    #[expect(clippy::disallowed_methods, reason = "the file is an argument of the command line")]
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::bad_input(format!("cannot read the query from `{name}`: {error}")))?;
    Ok(Written { name, text })
}

fn refuse(
    written: &Written,
    errors: &[QueryError],
    format: Format,
    tools: &Tools,
    context: &Context,
) -> Result<Exit, Failure> {
    if format == Format::Json {
        let errors: Vec<Value> = errors.iter().map(QueryError::to_json).collect();
        context.output.line(&json!({ "errors": errors }).to_string())?;
    }
    show_errors(written, errors, tools, context);
    Ok(if errors.iter().all(|error| error.kind.is_refusal()) { Exit::BadInput } else { Exit::Failed })
}

fn show_errors(written: &Written, errors: &[QueryError], tools: &Tools, context: &Context) {
    let snippets = place::of_query(&written.name, &written.text, tools.sources.fragments(), errors);
    context.output.note(&Failure::snippets(snippets).render(context.output.stderr_color));
}

/// Answers as JSON. Of a large answer all but the end is printed while it is written: it need not fit into memory.
fn print_as_written(
    engine: &Engine,
    graphs: &Graphs<'_>,
    request: &Request,
    context: &Context,
) -> Result<Response, Failure> {
    let mut printed = Ok(());
    let mut outlet = |piece: Vec<u8>| {
        printed = context.output.write(&piece);
        printed.is_ok()
    };
    let response = engine.stream_over(graphs, request, &RunLimits::unlimited(), &mut outlet);
    printed?;
    Ok(response)
}

/// Prints an answer, or what is left to print of one.
fn print(response: &Response, format: Format, context: &Context) -> Result<(), Failure> {
    if format == Format::Json {
        context.output.write(&response.body)?;
        return Ok(context.output.write(b"\n")?);
    }
    // Without data there are only errors, which follow on stderr.
    let Ok(answer) = Answer::read(&response.body) else { return Ok(()) };
    let text = match format {
        Format::Csv => answer.csv(),
        Format::Ndjson => answer.ndjson(),
        Format::Table | Format::Json => answer.table(context.style()),
    };
    Ok(context.output.write(text.as_bytes())?)
}

/// What the answer looked at, and what it could not see.
fn summarise(response: &Response, plan: &Plan, graphs: &Graphs<'_>, took: Duration, context: &Context) {
    let rows: Map<String, Value> = Answer::read(&response.body)
        .map(|answer| answer.rows().map(|(key, rows)| (key.to_owned(), json!(rows))).collect())
        .unwrap_or_default();
    let looked_at: Vec<String> = plan
        .roots
        .iter()
        .filter_map(|root| {
            let RootKind::Nodes(nodes) = &root.kind else { return None };
            let shown = rows.get(&root.key).and_then(Value::as_u64).unwrap_or(0);
            let graph = graphs.at(root.as_of)?;
            let all = graph.count(nodes.of) as u64;
            let noun = noun(&graph.catalog().get(nodes.of).name, all);
            let then = root.as_of.map(|moment| format!(" as of {moment}")).unwrap_or_default();
            Some(format!("{} of {} {noun}{then}", thousands(shown), thousands(all)))
        })
        .collect();
    let milliseconds = took.as_secs_f64() * 1000.0;
    let mut parts = vec![looked_at.join(", "), format!("{milliseconds:.1} ms")];
    parts.retain(|part| !part.is_empty());
    context.output.note(&parts.join(" · "));
    let now = context.now();
    for Incomplete { as_of, slice } in incomplete_slices(plan, graphs.clone()) {
        let reason = slice.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let nouns = noun(&slice.key.asset_type, 2);
        let since = match slice.completed_at {
            Some(completed) if as_of.is_none() => {
                format!(", last seen whole {}", age(now.since(completed)))
            }
            Some(completed) => format!(", last seen whole at {completed}"),
            None => String::new(),
        };
        context.output.note(&format!(
            "! {nouns} of {} in {} {}: {}{reason}{since}",
            slice.key.account_id,
            slice.key.region,
            match as_of {
                Some(moment) => format!("were not fully known at {moment}"),
                None => "are not fully known".to_owned(),
            },
            slice.outcome.word(),
        ));
    }
    for warning in &response.warnings {
        context.output.note(&format!("! {warning}"));
    }
}
