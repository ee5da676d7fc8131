//! The main job, from the AWS API to verdicts: collect, build the graph, ask which VPCs have no ACTIVE flow log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use passmuster::{
    catalog::{Catalog, shipped},
    graph::{Graph, GraphBuilder},
    model::{Clock, Time},
    query::{
        Engine, GuardLimits, Request,
        run::{Judgement, RunLimits},
    },
};

use super::bench::{Bench, EARLIER, LATER, time};
use crate::support::{
    aws::{REGIONS, Situation, populate},
    fault_server::{FaultServer, Rule, denied},
    moto::moto,
};

/// The stored check's query, word for word.
const SEED: &str = "vpcs(where: {OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: \"ACTIVE\"}}]}){\
                    ...AssetFragment}";

pub(super) fn engine() -> Engine {
    let catalog = Arc::new(Catalog::read(&shipped()).expect("the shipped schema"));
    let fragment = "fragment AssetFragment on Asset { id nativeId region }".to_owned();
    let fragments = BTreeMap::from([("AssetFragment".to_owned(), fragment)]);
    Engine::new(catalog, fragments, GuardLimits::default()).expect("an engine")
}

pub(super) fn graph(engine: &Engine, bench: &Bench) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(engine.catalog()));
    let mut push = |asset| builder.push(&asset).expect("an asset that fits");
    bench.store.read_assets(&mut push).expect("assets");
    let slices = bench.store.slices().expect("slices");
    builder.finish(Some(slices), bench.clock.now()).expect("a graph")
}

/// The native ids of VPCs that fail, are unknown, and how many pass.
#[derive(Debug, PartialEq, Eq)]
struct Verdicts {
    failing: BTreeSet<String>,
    unknown: BTreeSet<String>,
    passing: usize,
}

fn judge(bench: &Bench, oldest: Option<Time>) -> (Verdicts, Judgement) {
    let engine = engine();
    let graph = graph(&engine, bench);
    let judgement = engine.judge(&graph, SEED, oldest).expect("a judgement");
    let vpcs = &judgement.types[0];
    let native_id = |row: u32| graph.text(vpcs.of, row, "nativeId").expect("a native id").into_owned();
    let verdicts = Verdicts {
        failing: vpcs.failing.iter().map(|&row| native_id(row)).collect(),
        unknown: vpcs.unknown.iter().map(|unknown| native_id(unknown.row)).collect(),
        passing: vpcs.passing,
    };
    (verdicts, judgement)
}

#[tokio::test]
async fn the_check_names_exactly_the_right_vpcs() {
    let truth = populate().await;
    let bench = Bench::new(truth.account.clone(), &moto().url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let expected: BTreeSet<String> =
        REGIONS.iter().flat_map(|region| truth.without_active_flow_log(region)).collect();

    let (verdicts, judgement) = judge(&bench, None);
    assert_eq!(verdicts.failing, expected);
    assert_eq!(verdicts.unknown, BTreeSet::new());
    assert_eq!(verdicts.passing, truth.vpcs.len() - expected.len());
    assert_eq!(judgement.gaps, []);

    let engine = engine();
    let answer = engine.execute(&graph(&engine, &bench), &Request::new(SEED), &RunLimits::unlimited());
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let vpcs = answer["data"]["vpcs"].as_array().expect("a list");
    let named: BTreeSet<String> =
        vpcs.iter().filter_map(|vpc| vpc["nativeId"].as_str().map(str::to_owned)).collect();
    assert_eq!(named, expected, "the plain query says the same");
    assert!(answer.get("extensions").is_none(), "nothing is incomplete");
}

#[tokio::test]
async fn a_second_run_after_a_denial_resolves_nothing_until_what_was_seen_is_too_old() {
    let truth = populate().await;
    let server = FaultServer::start(&moto().url, []);
    let bench = Bench::new(truth.account.clone(), &server.url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let (before, _) = judge(&bench, Some(time(EARLIER)));

    bench.clock.set(time(LATER));
    server.set_rules([Rule::on("DescribeFlowLogs", denied())]);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let (after, _) = judge(&bench, Some(time(EARLIER)));
    assert_eq!(after, before, "the collection of an hour ago still stands");

    let (too_old, _) = judge(&bench, Some(time(LATER)));
    assert_eq!((too_old.failing, too_old.passing), (BTreeSet::new(), 0));
    assert_eq!(too_old.unknown.len(), truth.vpcs.len());
}

#[tokio::test]
async fn a_deleted_flow_log_makes_its_vpc_fail_after_the_next_collection() {
    let truth = populate().await;
    let bench = Bench::new(truth.account.clone(), &moto().url);
    bench.collect(&REGIONS, &[]).await.expect("a collection");
    let (before, _) = judge(&bench, None);

    let logged = truth.ids("eu-west-1", |situation| situation == Situation::RejectOnly);
    let logs = bench.assets("eu-west-1", "FlowLog");
    let log = logs.iter().find(|log| log.text("resourceId").is_some_and(|id| logged.contains(id)));
    let log_id = log.and_then(|log| log.text("flowLogId")).expect("its flow log");
    let ec2 = truth.account.ec2("eu-west-1");
    ec2.delete_flow_logs().flow_log_ids(log_id).send().await.expect("a deletion");

    bench.collect(&["eu-west-1"], &["FlowLog"]).await.expect("a collection");
    let (after, _) = judge(&bench, None);
    let fresh: BTreeSet<String> = after.failing.difference(&before.failing).cloned().collect();
    assert_eq!(fresh, logged);
}
