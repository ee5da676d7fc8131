//! What goes on beside the answering of requests: building graphs, and with a store running what is due.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use super::{
    super::{
        commands::serve::blocking,
        context::{Context, Inventory, Tools},
        failure::{Failure, chain},
        graph_holder::{AnswerLimits, GraphHolder, Live, Present},
        graph_image::ImageKeeper,
        output::Output,
        refresh::{Refreshed, refreshed},
    },
    change::{Changes, Permission},
    jobs::{JobKeeper, Jobs},
    judge::Judge,
    notifier::Notifier,
    publisher::Publisher,
};
use crate::{
    check::{Check, ledger::Trigger},
    graph::Slices,
    model::{Clock, Time},
    notify::{Channel, Client, SystemResolver},
    query::Collection,
    schedule::{Job, Perform, Rebuild, Schedule, read_jobs, rebuild_loop, run_schedule},
    store::Store,
};

/// How often it is looked whether something has become too old, or an exception has ended.
const AGE_CHECK: Duration = Duration::from_secs(60);

/// What a server is to do by itself, and what it lets others do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The checks it judges.
    pub(crate) checks: Vec<Check>,
    /// Whom it tells.
    pub(crate) channels: Vec<Channel>,
    /// What recurs.
    pub(crate) jobs: Vec<Job>,
    /// What each collection collects.
    pub(crate) what: BTreeMap<String, Collection>,
    /// Whether mutations are done.
    pub(crate) permission: Permission,
    /// The bounds of what is printed for mutations and subscriptions.
    pub(crate) limits: AnswerLimits,
}

/// What goes on beside the answering.
pub(crate) struct Background<'a> {
    pub(crate) source: Inventory,
    pub(crate) holder: Arc<GraphHolder>,
    /// There once the first graph is, if that is of a store.
    pub(crate) keeper: Arc<OnceLock<ImageKeeper>>,
    /// There once the store is open.
    pub(crate) live: Arc<OnceLock<Live>>,
    pub(crate) tools: &'a Tools,
    pub(crate) context: &'a Context,
    pub(crate) plan: Plan,
}

impl Background<'_> {
    /// Runs until it is dropped; ends by itself only if the first graph can't be built or the store not be opened.
    pub(crate) async fn run(self) -> Result<(), Failure> {
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
        let publisher = Arc::new(Publisher::new(Arc::clone(&self.tools.engine), self.plan.limits));
        let beside = Beside {
            engine: Arc::clone(&self.tools.engine),
            store: Arc::clone(&store),
            holder: Arc::clone(&self.holder),
            clock: Arc::clone(&clock),
            rebuild: rebuild.clone(),
            publisher: Arc::clone(&publisher),
            output: Arc::clone(&self.context.output),
        };
        let options = self.context.config.collect_options();
        let Running { live, schedule, notifier } = blocking(move || beside.begin(self.plan, options)).await?;
        let (judge, jobs) = (Arc::clone(&live.changes.judge), Arc::clone(&live.changes.jobs));
        // Nobody else sets it.
        self.live.get_or_init(|| live);
        let refresh = {
            let (store, clock) = (Arc::clone(&store), Arc::clone(&clock));
            move |before: Option<&Present>| refreshed(&catalog, &store, clock.now(), before)
        };
        let graphs = Arc::new(Graphs { holder: self.holder, publisher, turn: Mutex::default() });
        let renew = Rebuild::default();
        let renewing = {
            let (graphs, refresh, clock) = (Arc::clone(&graphs), refresh.clone(), Arc::clone(&clock));
            rebuild_loop(renew.clone(), move || graphs.renew(&refresh, clock.now()))
        };
        let rebuilding = rebuild_loop(rebuild, move || {
            if graphs.follow(&refresh, &keep) {
                renew.request();
            }
        });
        let scheduled = run_schedule(Arc::clone(&schedule), jobs as Arc<dyn Perform>);
        let judging = judge_loop(judge, schedule);
        tokio::join!(rebuilding, renewing, keeping, scheduled, judging, notifier.run());
        Ok(())
    }
}

/// Makes the graph of a store that of its newest commit, given the one before.
type Refresh = dyn Fn(Option<&Present>) -> Result<Refreshed, Failure>;

/// The graph that answers, and who replaces it.
struct Graphs {
    holder: Arc<GraphHolder>,
    publisher: Arc<Publisher>,
    /// Held by whoever makes the newest graph and puts it in place, so that none is replaced by an older one.
    turn: Mutex<()>,
}

impl Graphs {
    /// Replaces the graph by a newer one, and tells what that shows; whether one built whole would answer better.
    fn follow(&self, refresh: &Refresh, keep: &Rebuild) -> bool {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match refresh(self.holder.get().as_deref()) {
            Ok(Refreshed { present, is_worn }) => {
                let slices = present.graph.slices().map_or(0, Slices::len);
                tracing::info!(slices, "a newer graph answers");
                self.show(present);
                keep.request();
                is_worn
            }
            Err(failure) => {
                let reason = failure.render(false);
                tracing::error!("the graph could not be rebuilt, the one before it stays: {reason}");
                false
            }
        }
    }

    /// Replaces a worn graph by one built whole out of it. Meanwhile the worn one answers and is patched; what was
    /// committed by then is put into the new one before that takes its place.
    fn renew(&self, refresh: &Refresh, now: Time) {
        let Some(worn) = self.holder.get() else { return };
        let renewed = worn.graph.renewed(now).map_err(|error| Failure::program(&error)).and_then(|graph| {
            graph.index_keys();
            let renewed = Present { graph: Arc::new(graph), revision: worn.revision, is_from_image: false };
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.show(refresh(Some(&renewed))?.present);
            Ok(())
        });
        if let Err(failure) = renewed {
            tracing::error!("the graph could not be built whole: {}", failure.render(false));
        }
    }

    fn show(&self, present: Present) {
        self.holder.replace(present);
        if let Some(present) = self.holder.get() {
            self.publisher.publish(&present);
        }
    }
}

/// Judges what no collection and no schedule asks for: at the beginning what an earlier process has not judged, later
/// what has become too old.
async fn judge_loop(judge: Arc<Judge>, schedule: Arc<Schedule>) {
    let mut is_first = true;
    loop {
        let is_collecting = schedule.is_collecting();
        if !is_collecting {
            let judge = Arc::clone(&judge);
            let judged = tokio::task::spawn_blocking(move || {
                if is_first { judge.run_first() } else { judge.run_changed(Trigger::Schedule) }
            });
            match judged.await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::error!("checks could not be judged: {}", chain(&error)),
                Err(error) => tracing::error!(%error, "judging panicked; the process goes on"),
            }
            is_first = false;
        }
        tokio::time::sleep(AGE_CHECK).await;
    }
}

/// What is needed to begin.
struct Beside {
    engine: Arc<crate::query::Engine>,
    store: Arc<Store>,
    holder: Arc<GraphHolder>,
    clock: Arc<dyn Clock>,
    rebuild: Rebuild,
    publisher: Arc<Publisher>,
    output: Arc<Output>,
}

/// What has begun.
struct Running {
    live: Live,
    schedule: Arc<Schedule>,
    notifier: Arc<Notifier>,
}

impl Beside {
    /// Takes over what an earlier process left of jobs and messages. Blocking.
    fn begin(self, plan: Plan, options: crate::collect::CollectOptions) -> Result<Running, Failure> {
        let Self { engine, store, holder, clock, rebuild, publisher, output } = self;
        let Plan { checks, channels, jobs, what, permission, limits } = plan;
        let failed = |error: &crate::store::StoreError| Failure::program(error);
        // Without a channel, too: what is left for one that is gone comes to its end.
        let client = Client::new(Arc::new(SystemResolver));
        let notifier =
            Notifier::new(channels, client, Arc::clone(&store), Arc::clone(&clock), rebuild.clone());
        let notifier = Arc::new(notifier.map_err(|error| failed(&error))?);
        let known = read_jobs(&store).map_err(|error| failed(&error))?;
        let schedule = Arc::new(Schedule::new(jobs, known, Arc::clone(&clock)));
        let judge = Arc::new(Judge {
            engine,
            checks,
            store: Arc::clone(&store),
            graph: holder,
            clock: Arc::clone(&clock),
            rebuild: rebuild.clone(),
            publisher: Arc::clone(&publisher),
            notifier: Arc::clone(&notifier),
            remembered: Mutex::default(),
        });
        let keeper = JobKeeper { store, clock, schedule: Arc::clone(&schedule), rebuild };
        let what = Mutex::new(what);
        let jobs = Arc::new(Jobs { keeper, output, judge: Arc::clone(&judge), options, what });
        let changes = Arc::new(Changes { judge, jobs, schedule: Arc::clone(&schedule), limits, permission });
        Ok(Running { live: Live { changes, publisher }, schedule, notifier })
    }
}
