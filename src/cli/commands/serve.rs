//! `passmuster serve`: the inventory over HTTP.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use clap::Args;

use super::super::{
    Exit,
    context::{Context, Inventory, Tools},
    failure::{Failure, Report},
    graph_holder::{AnswerLimits, GraphHolder, Serving},
    graph_image::ImageKeeper,
    listen::{Address, listen, serve_until_stopped},
    server::{Background, Permission, Plan, planned},
};
use crate::{
    api::{HttpLimits, SocketLimits, Sockets, refuse_remote},
    check::Check,
    model::MaxAge,
    notify::Channel,
    schedule::JobName,
};

/// Serve the inventory as one GraphQL graph over HTTP
#[derive(Debug, Args)]
#[command(
    after_help = "POST /graphql answers queries and mutations, a WebSocket there subscriptions; GET /healthz says the process lives,
GET /readyz that it can answer. Checks run when they are due and when what they rest on was collected anew.
Ctrl-C and SIGTERM let running requests finish. No one is asked for a password: other machines need --allow-remote.

Examples:
  passmuster serve
  passmuster serve --collect-every 1h --listen 127.0.0.1:9000
  passmuster serve --data vpcs.ndjson & sleep 1; curl -s localhost:8080/graphql \\
    -H 'content-type: application/json' -d '{\"query\": \"{ vpcs { vpcId } }\"}'"
)]
pub(crate) struct ServeArguments {
    /// Address and port, 127.0.0.1:8080 unless the configuration says otherwise, e.g. 127.0.0.1:9000
    #[arg(long, value_name = "ADDRESS", env = "PASSMUSTER_LISTEN", hide_env_values = true)]
    listen: Option<SocketAddr>,
    /// Let other machines connect: only behind something that asks who they are
    #[arg(long)]
    allow_remote: bool,
    /// With --allow-remote, let mutations change what the store holds: nobody is asked who they are
    #[arg(long)]
    allow_mutations: bool,
    /// Judge nothing, on a schedule or after a collection
    #[arg(long)]
    no_checks: bool,
    /// Serve this file of assets (NDJSON) instead of the store, e.g. vpcs.ndjson
    #[arg(long, value_name = "FILE", conflicts_with = "collect_every")]
    data: Option<PathBuf>,
    /// Collect from AWS when it is due, at once in a new store, and then this often, e.g. 1h
    #[arg(long, value_name = "SPAN", value_parser = read_span)]
    collect_every: Option<Duration>,
    #[command(flatten)]
    limits: LimitArguments,
}

/// Where a server listens unless somebody says otherwise.
const USUAL_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The bounds of a request.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LimitArguments {
    /// The most assets in one answer, nested ones included, e.g. 1000000
    #[arg(long, value_name = "COUNT", default_value_t = 5_000_000)]
    max_rows: u64,
    /// The most megabytes of one answer, e.g. 256
    #[arg(long, value_name = "MB", default_value_t = 1024)]
    max_answer: u64,
    /// The most kilobytes of one request, e.g. 1024
    #[arg(long, value_name = "KB", default_value_t = 1024)]
    max_body: u64,
    /// How long a query may run, e.g. 30s
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = read_span)]
    max_time: Duration,
}

impl LimitArguments {
    pub(crate) fn of_answers(self) -> AnswerLimits {
        AnswerLimits {
            rows: self.max_rows,
            bytes: self.max_answer.saturating_mul(1024 * 1024),
            time: self.max_time,
        }
    }

    pub(crate) fn of_requests(self) -> HttpLimits {
        let default = HttpLimits::default();
        HttpLimits {
            body_bytes: self.max_body.saturating_mul(1024),
            // The engine stops itself first, with the figures; this is for what it can't stop.
            query_time: self.max_time.saturating_add(Duration::from_secs(1)),
            ..default
        }
    }
}

/// Reads `90s`, `15m`, `1h`, `7d`; nothing shorter than a second.
fn read_span(text: &str) -> Result<Duration, String> {
    let span = text.parse::<MaxAge>().map_err(|error| error.to_string())?.0;
    if span.is_zero() { Err("the span must be at least 1s".to_owned()) } else { Ok(span) }
}

pub(crate) fn run(arguments: ServeArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    run_async(serve(arguments, &tools, context))
}

/// Runs a command that waits for the network. What still works on a thread of its own at the end is given a moment.
pub(crate) fn run_async(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio_runtime()?;
    let ended = runtime.block_on(command);
    runtime.shutdown_timeout(Duration::from_secs(5));
    ended
}

fn tokio_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        let message = format!("cannot start the threads that wait for the network: {error}");
        Failure { exit: Exit::Failed, report: Report::Message(message) }
    })
}

async fn serve(arguments: ServeArguments, tools: &Tools, context: &Context) -> Result<Exit, Failure> {
    let ServeArguments {
        listen: address,
        allow_remote,
        allow_mutations,
        no_checks,
        data,
        collect_every,
        limits,
    } = arguments;
    let section = &context.config.server;
    let address = address.or(section.listen).unwrap_or(USUAL_ADDRESS);
    let allow_remote = allow_remote || section.allow_remote;
    refuse_remote(address, allow_remote).map_err(|error| Failure::input(&error))?;
    let checks = if no_checks || data.is_some() { Vec::new() } else { judged(tools, context)? };
    let channels: Vec<Channel> = context
        .config
        .notifications
        .iter()
        .map(|section| section.channel().map_err(Failure::bad_input))
        .collect::<Result<_, _>>()?;
    let (jobs, what) = planned(&context.config, &checks, collect_every);
    let collects = jobs.iter().any(|job| matches!(job.name, JobName::Collection(_)));
    let source = match data {
        Some(file) => Inventory::File(file),
        // A server that collects by itself may begin with nothing.
        None if collects => Inventory::Store(context.take_store(&context.common.store)?),
        None => Inventory::Store(context.take_existing_store()?),
    };
    let listener = listen(Address { address, allow_remote }).await?;
    let address = listener.local_addr()?;
    let holder = Arc::new(GraphHolder::default());
    let live = Arc::new(OnceLock::new());
    let serving = Arc::new(Serving {
        engine: Arc::clone(&tools.engine),
        graph: Arc::clone(&holder),
        past: source.past(&tools.catalog),
        limits: limits.of_answers(),
        live: matches!(source, Inventory::Store(_)).then(|| Arc::clone(&live)),
    });
    context.output.note(&format!("serving http://{address}/graphql (Ctrl-C stops)"));
    let keeper = Arc::new(OnceLock::new());
    let kept = (Arc::clone(&holder), Arc::clone(&keeper));
    let permission = match (allow_mutations, section.allow_mutations, allow_remote) {
        (true, _, _) | (false, Some(true), _) | (false, None, false) => Permission::Granted,
        (false, Some(false), _) => Permission::Refused,
        (false, None, true) => Permission::Remote,
    };
    let background = Background {
        source,
        holder,
        keeper,
        live,
        tools,
        context,
        plan: Plan { checks, channels, jobs, what, permission, limits: limits.of_answers() },
    };
    let sockets = Sockets::new(SocketLimits::default(), section.allowed_origins.clone());
    tokio::select! {
        () = serve_until_stopped(listener, serving, limits.of_requests(), (allow_remote, sockets)) => {}
        ended = background.run() => ended?,
    }
    keep_last(kept).await?;
    context.output.note("stopped");
    Ok(Exit::Pass)
}

/// The checks that a server judges by. Those that come with the program need not fit a schema of one's own.
fn judged(tools: &Tools, context: &Context) -> Result<Vec<Check>, Failure> {
    match tools.checks() {
        Err(_) if context.common.schema.is_some() && context.common.queries.is_none() => {
            let note = "the checks that come with passmuster don't fit this schema, so nothing is judged: name a folder of \
                        your own with --queries";
            context.output.note(note);
            Ok(Vec::new())
        }
        checks => checks,
    }
}

/// Leaves an image of the newest graph for the next start.
async fn keep_last((holder, keeper): (Arc<GraphHolder>, Arc<OnceLock<ImageKeeper>>)) -> Result<(), Failure> {
    let keep = move || {
        if let (Some(present), Some(keeper)) = (holder.get(), keeper.get()) {
            keeper.finish(&present);
        }
    };
    tokio::task::spawn_blocking(keep).await.map_err(|error| Failure::program(&error))
}

/// Runs what takes long on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::program(&error))?
}
