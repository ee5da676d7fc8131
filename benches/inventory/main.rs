//! The engine beside what a user would write instead, over one seeded inventory: building the graph, the seed check,
//! a point lookup with two relations, and a large answer. `cargo bench` runs 10 k and 100 k VPCs; as a test, a small
//! inventory runs once and both must give the same number of rows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a bench fails by panicking"
)]

mod generator;
mod peer;

use std::{env, hint::black_box, sync::Arc};

use criterion::{BenchmarkId, Criterion};
use futures_util::FutureExt;
use generator::{Skew, inventory};
use passmuster::{
    catalog::{self, Catalog},
    graph::{Graph, GraphBuilder},
    model::{Asset, Time},
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};
use serde_json::Value;

const FIELDS: &str = "id vpcId accountId region name cidrBlock state isDefault";
const SEED_FILTER: &str = r#"{OR: [{hasFlowLog: null}, {hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}]}"#;

struct Setup {
    engine: Engine,
    graph: Graph,
    peer: peer::PeerSchema,
}

fn shipped_catalog() -> Arc<Catalog> {
    Arc::new(Catalog::read(&catalog::shipped()).expect("the shipped schema is valid"))
}

fn build(catalog: &Arc<Catalog>, assets: &[Asset]) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    for asset in assets {
        builder.push(asset).expect("generated assets fit the schema");
    }
    let built_at = Time::from_millis(0).expect("1970 is a time");
    builder.finish(None, built_at).expect("generated assets make a graph")
}

fn setup(assets: &[Asset]) -> Setup {
    let catalog = shipped_catalog();
    let graph = build(&catalog, assets);
    let engine = Engine::new(catalog, Fragments::new(), GuardLimits::default())
        .expect("a schema of the shipped catalog");
    Setup { engine, graph, peer: peer::schema(assets) }
}

impl Setup {
    fn ours(&self, query: &str) -> Vec<u8> {
        let response = self.engine.execute(&self.graph, &Request::new(query), &RunLimits::unlimited());
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.body
    }

    fn theirs(&self, query: &str) -> Vec<u8> {
        let response = self.peer.execute(query).now_or_never().expect("resolvers that never wait");
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        serde_json::to_vec(&response).expect("a response is JSON")
    }
}

fn rows(body: &[u8], field: &str) -> usize {
    let parsed: Value = serde_json::from_slice(body).expect("a response is JSON");
    match &parsed["data"][field] {
        Value::Array(rows) => rows.len(),
        Value::Object(_) => 1,
        other => panic!("no rows in {other}"),
    }
}

fn main() {
    let is_bench = env::args().any(|argument| argument == "--bench");
    let sizes: &[usize] = if is_bench { &[10_000, 100_000] } else { &[500] };
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    for &size in sizes {
        bench_build(&mut criterion, size);
        bench_queries(&mut criterion, size);
    }
    criterion.final_summary();
}

fn bench_build(criterion: &mut Criterion, size: usize) {
    let assets = inventory(size, Skew::Healthy);
    let catalog = shipped_catalog();
    let mut group = criterion.benchmark_group("build");
    group.bench_function(BenchmarkId::new("passmuster", size), |bencher| {
        bencher.iter(|| black_box(build(&catalog, &assets)));
    });
    group.bench_function(BenchmarkId::new("peer", size), |bencher| {
        bencher.iter(|| black_box(peer::Inventory::new(&assets)));
    });
    group.finish();
}

fn bench_queries(criterion: &mut Criterion, size: usize) {
    let seed_check = format!("{{ vpcs(where: {SEED_FILTER}) {{ {FIELDS} }} }}");
    let peer_check = format!("{{ vpcsWithoutActiveFlowLog {{ {FIELDS} }} }}");
    for (name, skew) in [("seed_check", Skew::Healthy), ("large_answer", Skew::Neglected)] {
        let assets = inventory(size, skew);
        let setup = setup(&assets);
        let (ours, theirs) = (setup.ours(&seed_check), setup.theirs(&peer_check));
        assert_eq!(
            rows(&ours, "vpcs"),
            rows(&theirs, "vpcsWithoutActiveFlowLog"),
            "both answer the same question"
        );
        compare(criterion, &setup, name, size, &seed_check, &peer_check);
        if matches!(skew, Skew::Healthy) {
            let id = &assets.iter().find(|asset| asset.typename == "Vpc").expect("a VPC").id;
            let below = "vpcId name hasFlowLog { flowLogId flowLogStatus trafficType } subnets { subnetId cidrBlock }";
            let query = format!("{{ vpc(id: \"{id}\") {{ {below} }} }}");
            assert_eq!(rows(&setup.ours(&query), "vpc"), rows(&setup.theirs(&query), "vpc"));
            compare(criterion, &setup, "point_lookup", size, &query, &query);
        }
    }
}

fn compare(criterion: &mut Criterion, setup: &Setup, name: &str, size: usize, ours: &str, theirs: &str) {
    let mut group = criterion.benchmark_group(name);
    group.bench_function(BenchmarkId::new("passmuster", size), |bencher| {
        bencher.iter(|| black_box(setup.ours(ours)));
    });
    group.bench_function(BenchmarkId::new("peer", size), |bencher| {
        bencher.iter(|| black_box(setup.theirs(theirs)));
    });
    group.finish();
}
