//! What tests of many accounts stand on: an organisation, a fault server before it, options, a store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use passmuster::{
    collect::{
        AwsConfig, CollectError, CollectOptions, CollectReport, Event, OrganizationOptions, RoleOptions,
        collect,
    },
    model::{Clock, FixedClock, SliceKey, SliceState, Time},
    query::{Engine, run::Judgement},
    store::Store,
};
use tempfile::TempDir;

use super::{
    bench::{EARLIER, open, quick, time},
    main_job::engine,
};
use crate::support::{
    fault_server::{FaultServer, Rule},
    moto::moto,
    organization::{REGIONS, TestOrganization, organization},
};

/// The stored check's query: VPCs that no ACTIVE flow log covers.
const SEED: &str =
    "vpcs(where: {OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}]}) { nativeId }";

/// An organisation, and what has been collected of it so far.
pub(super) struct FleetBench {
    pub(super) organization: &'static TestOrganization,
    pub(super) server: FaultServer,
    pub(super) clock: Arc<FixedClock>,
    pub(super) store: Arc<Store>,
    _folder: TempDir,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
}

/// Native ids of VPCs by verdict.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdicts {
    pub(super) failing: BTreeSet<String>,
    pub(super) unknown: BTreeSet<String>,
    pub(super) passing: usize,
}

impl FleetBench {
    pub(super) async fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            organization: organization().await,
            server: FaultServer::start(&moto().url, rules),
            clock: Arc::new(FixedClock::at(time(EARLIER))),
            store: open(folder.path()),
            _folder: folder,
            events: Arc::default(),
        }
    }

    /// All accounts of the organisation, VPCs and flow logs in both regions, through a role.
    pub(super) fn options(&self) -> CollectOptions {
        let management = &self.organization.management;
        CollectOptions {
            aws: AwsConfig::Given(Box::new(management.sdk_config(&self.server.url, "us-east-1"))),
            organization: Some(OrganizationOptions::default()),
            role: RoleOptions { role: Some("audit/Passmuster".to_owned()), ..RoleOptions::default() },
            regions: words(&REGIONS),
            only: words(&["Account", "Vpc", "FlowLog"]),
            patience: quick(),
            ..CollectOptions::default()
        }
    }

    pub(super) async fn collect(&self) -> CollectReport {
        self.collect_as(self.options()).await.expect("a collection")
    }

    pub(super) async fn collect_as(&self, options: CollectOptions) -> Result<CollectReport, CollectError> {
        let events = Arc::clone(&self.events);
        let on_event = Arc::new(move |event| events.lock().expect("events").push(event));
        Box::pin(collect(options, Arc::clone(&self.store), Arc::clone(&self.clock) as _, on_event)).await
    }

    pub(super) fn slices(&self) -> BTreeMap<SliceKey, SliceState> {
        let slices = self.store.slices().expect("slices");
        slices.into_iter().map(|slice| (slice.key.clone(), slice)).collect()
    }

    pub(super) fn slice(&self, account: &str, region: &str, asset_type: &str) -> SliceState {
        let key = SliceKey::new(account, region, asset_type);
        self.slices().remove(&key).unwrap_or_else(|| panic!("{key} was not committed"))
    }

    /// What the stored check says of the VPCs, where nothing older than `oldest` counts.
    pub(super) fn verdicts(&self, oldest: Option<Time>) -> Verdicts {
        let engine: Engine = engine();
        let mut builder = passmuster::graph::GraphBuilder::new(Arc::clone(engine.catalog()));
        let mut push = |asset| builder.push(&asset).expect("an asset that fits");
        self.store.read_assets(&mut push).expect("assets");
        let slices = self.store.slices().expect("slices");
        let graph = builder.finish(Some(slices), self.clock.now()).expect("a graph");
        let judgement: Judgement = engine.judge(&graph, SEED, oldest).expect("a judgement");
        let vpcs = &judgement.types[0];
        let native_id = |row: u32| graph.text(vpcs.of, row, "nativeId").expect("a native id").into_owned();
        Verdicts {
            failing: vpcs.failing.iter().map(|&row| native_id(row)).collect(),
            unknown: vpcs.unknown.iter().map(|unknown| native_id(unknown.row)).collect(),
            passing: vpcs.passing,
        }
    }

    /// What it must say where everything is known.
    pub(super) fn truth(&self) -> Verdicts {
        self.truth_without(&[])
    }

    /// What it must say where nothing is known of these accounts but that their VPCs were there once.
    pub(super) fn truth_without(&self, hidden: &[&str]) -> Verdicts {
        let mut truth = Verdicts::default();
        for account in &self.organization.accounts {
            if hidden.contains(&account.id.as_str()) {
                truth.unknown.extend(account.logged.iter().chain(&account.unlogged).cloned());
            } else {
                truth.failing.extend(account.unlogged.iter().cloned());
                truth.passing += account.logged.len();
            }
        }
        truth
    }
}

pub(super) fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
