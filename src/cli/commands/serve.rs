//! `passmuster serve`: the inventory over HTTP.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use clap::Args;

use super::super::{
    Exit,
    context::{Context, Inventory, Tools},
    failure::{Failure, Report},
    graph_holder::{AnswerLimits, GraphHolder, Present, Serving},
    graph_image::ImageKeeper,
    listen::{Address, listen, serve_until_stopped},
    refresh::{Refreshed, refreshed},
};
use super::collect::collect_quietly;
use crate::{
    api::{HttpLimits, refuse_remote},
    graph::Slices,
    model::MaxAge,
    schedule::{Rebuild, rebuild_loop, run_every},
};

/// Serve the inventory as one GraphQL graph over HTTP
#[derive(Debug, Args)]
#[command(
    after_help = "POST /graphql answers queries, GET /healthz says the process lives, GET /readyz that it can answer.
Ctrl-C and SIGTERM let running requests finish. No one is asked for a password: other machines need --allow-remote.

Examples:
  passmuster serve
  passmuster serve --collect-every 1h --listen 127.0.0.1:9000
  passmuster serve --data vpcs.ndjson & sleep 1; curl -s localhost:8080/graphql \\
    -H 'content-type: application/json' -d '{\"query\": \"{ vpcs { vpcId } }\"}'"
)]
pub(crate) struct ServeArguments {
    /// Address and port, e.g. 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Let other machines connect: only behind something that asks who they are
    #[arg(long)]
    allow_remote: bool,
    /// Serve this file of assets (NDJSON) instead of the store, e.g. vpcs.ndjson
    #[arg(long, value_name = "FILE", conflicts_with = "collect_every")]
    data: Option<PathBuf>,
    /// Collect from AWS at once and then this often, e.g. 1h
    #[arg(long, value_name = "SPAN", value_parser = read_span)]
    collect_every: Option<Duration>,
    #[command(flatten)]
    limits: LimitArguments,
}

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
    let ServeArguments { listen: address, allow_remote, data, collect_every, limits } = arguments;
    refuse_remote(address, allow_remote).map_err(|error| Failure::input(&error))?;
    let source = match data {
        Some(file) => Inventory::File(file),
        // A server that collects by itself may begin with nothing.
        None if collect_every.is_some() => Inventory::Store(context.take_store(&context.common.store)?),
        None => Inventory::Store(context.take_existing_store()?),
    };
    let listener = listen(Address { address, allow_remote }).await?;
    let address = listener.local_addr()?;
    let holder = Arc::new(GraphHolder::default());
    let serving = Arc::new(Serving {
        engine: Arc::clone(&tools.engine),
        graph: Arc::clone(&holder),
        past: source.past(&tools.catalog),
        limits: limits.of_answers(),
    });
    context.output.note(&format!("serving http://{address}/graphql (Ctrl-C stops)"));
    let keeper = Arc::new(OnceLock::new());
    let kept = (Arc::clone(&holder), Arc::clone(&keeper));
    let background = Background { source, holder, keeper, tools, context, collect_every };
    tokio::select! {
        () = serve_until_stopped(listener, serving, limits.of_requests(), allow_remote) => {}
        ended = background.run() => ended?,
    }
    keep_last(kept).await?;
    context.output.note("stopped");
    Ok(Exit::Pass)
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

/// What goes on beside the serving: building the graph, collecting.
struct Background<'a> {
    source: Inventory,
    holder: Arc<GraphHolder>,
    /// There once the first graph is, if that is of a store.
    keeper: Arc<OnceLock<ImageKeeper>>,
    tools: &'a Tools,
    context: &'a Context,
    collect_every: Option<Duration>,
}

impl Background<'_> {
    /// Runs until it is dropped; ends by itself only if the first graph can't be built or the store not be opened.
    async fn run(self) -> Result<(), Failure> {
        let clock = Arc::clone(&self.context.clock);
        let catalog = Arc::clone(&self.tools.catalog);
        let first = {
            let (source, catalog, clock) = (self.source.clone(), Arc::clone(&catalog), Arc::clone(&clock));
            blocking(move || source.present(&catalog, clock.now())).await?
        };
        let Inventory::Store(late) = self.source else {
            self.holder.replace(first);
            return std::future::pending().await;
        };
        let keeper = self.keeper;
        // Nobody else sets it.
        keeper.get_or_init(|| ImageKeeper::new(Arc::clone(&late), &first));
        let graph = Arc::clone(&first.graph);
        self.holder.replace(first);
        // Queries are answered meanwhile; the first change doesn't wait for them.
        drop(tokio::task::spawn_blocking(move || graph.index_keys()));
        // What the image could not do: the past, and commits.
        let store = blocking(move || late.get()).await?;
        let (rebuild, keep) = (Rebuild::default(), Rebuild::default());
        keep.request();
        let kept = Arc::clone(&self.holder);
        let keeping = rebuild_loop(keep.clone(), move || {
            if let (Some(present), Some(keeper)) = (kept.get(), keeper.get()) {
                keeper.follow(&present);
            }
        });
        let holder = self.holder;
        let refresh = {
            let store = Arc::clone(&store);
            let clock = Arc::clone(&self.context.clock);
            move |before: Option<&Present>| refreshed(&catalog, &store, clock.now(), before)
        };
        let rebuilding = rebuild_loop(rebuild.clone(), move || match refresh(holder.get().as_deref()) {
            Ok(Refreshed { present, is_worn }) => {
                tracing::info!(
                    slices = present.graph.slices().map_or(0, Slices::len),
                    "a newer graph answers"
                );
                holder.replace(present);
                if is_worn {
                    // Meanwhile the patched one answers; what is committed until then follows as a patch of its own.
                    match refresh(None) {
                        Ok(Refreshed { present, .. }) => holder.replace(present),
                        Err(failure) => {
                            tracing::error!("the graph could not be built whole: {}", failure.render(false));
                        }
                    }
                }
                keep.request();
            }
            Err(failure) => {
                let reason = failure.render(false);
                tracing::error!("the graph could not be rebuilt, the one before it stays: {reason}");
            }
        });
        let clock = Arc::clone(&self.context.clock);
        let collecting = async {
            let Some(interval) = self.collect_every else { return };
            run_every(interval, Arc::clone(&clock), || {
                let (store, clock, rebuild) = (Arc::clone(&store), Arc::clone(&clock), rebuild.clone());
                let output = &self.context.output;
                let options = self.context.config.collect_options();
                async move {
                    output.note(&collect_quietly(options, store, clock, move || rebuild.request()).await);
                }
            })
            .await;
        };
        tokio::join!(rebuilding, keeping, collecting);
        Ok(())
    }
}

/// Runs what takes long on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::program(&error))?
}
