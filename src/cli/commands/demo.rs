//! `passmuster demo`: the whole main job on a sample organisation, without AWS and without a network.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::super::{
    Exit,
    context::{Context, Tools, graph_of_store},
    failure::{Failure, Report},
    graph_holder::{GraphHolder, Present, Serving},
    late_store::LateStore,
    listen::{Address, listen, serve_until_stopped},
    past_graphs::PastGraphs,
    refresh::refreshed,
};
use super::{
    import::commit_all,
    serve::{LimitArguments, run_async},
};
use crate::{
    api::Sockets,
    check::{
        CheckResult, evaluate_all,
        ledger::{Run, Trigger, record_run},
    },
    import::{ImportLimits, WaitingAssets, read_ndjson, slice_batches},
    model::Time,
    report::{Detail, checks_sheet, checks_text, collection_text},
    store::Store,
};

/// The sample organisation.
const ORGANISATION: &str = include_str!("../../../examples/organisation.ndjson");

/// What the sample is called in messages.
const ORGANISATION_NAME: &str = "examples/organisation.ndjson";

/// The port where none is asked for; another is taken if it is not free.
const USUAL_PORT: u16 = 8080;

/// The check whose failing assets are listed.
const CONTROL: &str = "aws-vpc-flow-logs-enabled";

/// The query of the printed `curl` line.
const QUERY: &str =
    "{ vpcs(where: {hasFlowLog_NONE: {flowLogStatus: \\\"ACTIVE\\\"}}) { vpcId name region } }";

/// See what it does, on a sample organisation: no AWS account, no network
#[derive(Debug, Args)]
#[command(
    after_help = "Loads 3 accounts into a store of its own in the folder for temporary files, runs every check, serves the result.
Ctrl-C stops it and removes that store.

Examples:
  passmuster demo
  passmuster demo --no-serve
  passmuster demo --port 9000"
)]
pub(crate) struct DemoArguments {
    /// Port to serve on, 8080 or any that is free if none is given, e.g. 9000
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// End after the report instead of serving
    #[arg(long)]
    no_serve: bool,
    #[command(flatten)]
    limits: LimitArguments,
}

pub(crate) fn run(arguments: &DemoArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    let folder = ScratchFolder::make()?;
    let (present, store) = load(&tools, &folder.0, context)?;
    let present = report(&tools, &present, &*store.get()?, context)?;
    if arguments.no_serve {
        return Ok(Exit::Pass);
    }
    let holder = Arc::new(GraphHolder::default());
    holder.replace(present);
    let past = PastGraphs::new(Arc::clone(&tools.catalog), store);
    let engine = Arc::clone(&tools.engine);
    let serving = Serving {
        engine,
        graph: holder,
        past: Some(past),
        limits: arguments.limits.of_answers(),
        live: None,
    };
    run_async(serve(arguments, serving, context))
}

/// Reads the sample into a store, as `passmuster import` would, and the store into a graph.
fn load(tools: &Tools, folder: &Path, context: &Context) -> Result<(Present, Arc<LateStore>), Failure> {
    let mut assets = WaitingAssets::default();
    let mut take = |asset| {
        assets.push(asset);
        Ok(())
    };
    let limits = ImportLimits::default();
    let summary = read_ndjson(ORGANISATION_NAME, ORGANISATION.as_bytes(), &tools.catalog, limits, &mut take)
        .map_err(|error| Failure::input(&error))?;
    let batches = slice_batches(&tools.catalog, assets, summary.slices);
    let late = context.take_store(folder)?;
    let store = late.get()?;
    let imported = commit_all(batches, &store, context.now())?;
    context
        .output
        .line("A sample organisation of 3 accounts in 4 regions, from examples/organisation.ndjson\n")?;
    context.output.write(collection_text(&imported.slices, imported.changes).as_bytes())?;
    let present = graph_of_store(&tools.catalog, &store, context.now())?;
    Ok((present, late))
}

/// The verdicts of all checks, and everything that fails the control itself; returns the present with what was written
/// down of them.
fn report(tools: &Tools, present: &Present, store: &Store, context: &Context) -> Result<Present, Failure> {
    let now = context.now();
    let (checks, graph) = (tools.checks()?, &present.graph);
    let results = evaluate_all(&checks, &tools.engine, graph, now);
    let run =
        Run { checks: &checks, all: None, engine: &tools.engine, graph, now, trigger: Trigger::Command };
    let recorded = record_run(store, &results, run).map_err(|error| Failure::program(&error))?;
    print(&recorded.results, now, context)?;
    Ok(refreshed(&tools.catalog, store, now, Some(present))?.present)
}

fn print(results: &[CheckResult], now: Time, context: &Context) -> Result<(), Failure> {
    let style = context.style();
    context.output.line("")?;
    let Some(control) = results.iter().find(|result| result.id == CONTROL) else {
        // Checks of the user's own: each in short.
        let text = checks_text(results, now, style, Detail { assets: 5, reasons: 3 });
        return Ok(context.output.write(text.as_bytes())?);
    };
    context.output.line(&checks_sheet(results, now).table(style))?;
    let all = Detail { assets: usize::MAX, reasons: usize::MAX };
    let text = checks_text(std::slice::from_ref(control), now, style, all);
    // Without the table of this one check.
    let paragraphs = text.split_once("\n\n").map_or(text.as_str(), |(_, paragraphs)| paragraphs);
    context.output.write(paragraphs.as_bytes())?;
    Ok(context
        .output
        .line("\nThe same for an AWS account of yours: passmuster collect && passmuster check")?)
}

async fn serve(arguments: &DemoArguments, serving: Serving, context: &Context) -> Result<Exit, Failure> {
    let at = |port| Address { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), allow_remote: false };
    let listener = match arguments.port {
        Some(port) => listen(at(port)).await?,
        None => match listen(at(USUAL_PORT)).await {
            Ok(listener) => listener,
            Err(_) => listen(at(0)).await?,
        },
    };
    let address = listener.local_addr()?;
    context.output.line(&format!(
        "\nServing it on http://{address}/graphql until Ctrl-C. In another terminal:\n\n  \
         curl -s http://{address}/graphql -H 'content-type: application/json' -d '{{\"query\": \"{QUERY}\"}}'\n"
    ))?;
    serve_until_stopped(
        listener,
        Arc::new(serving),
        arguments.limits.of_requests(),
        (false, Sockets::default()),
    )
    .await;
    context.output.note("stopped");
    Ok(Exit::Pass)
}

/// A new folder for temporary files, removed when the demo ends.
struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// Never an existing one: somebody else could have put it there.
    fn make() -> Result<Self, Failure> {
        let base = std::env::temp_dir();
        let process = std::process::id();
        let mut last = None;
        for attempt in 0..100 {
            let folder = base.join(format!("passmuster-demo-{process}-{attempt}"));
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) => last = Some(error),
            }
        }
        let reason = last.map(|error| error.to_string()).unwrap_or_default();
        let message =
            format!("cannot make a folder in `{}`: {reason}; set TMPDIR to one that can", base.display());
        Err(Failure { exit: Exit::Failed, report: Report::Message(message) })
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the demo's store could not be removed");
        }
    }
}
