//! The engine beside what a user would write instead, over one seeded inventory: the questions of
//! `docs/performance.md`, building, planning, writing JSON and judging a check. As a test, a small inventory is asked
//! once and both sides must give the same answers.
//!
//!     cargo bench --bench inventory -- --quiet Q4     # 10,000 and 100,000 VPCs; criterion's arguments
//!     PASSMUSTER_BENCH_VPCS=1000000 ..                # another size; needs 8 GB of memory
//!     PASSMUSTER_BENCH_ALONE=1 ..                     # without the peer
//!     cargo bench --bench inventory -- --write FILE --vpcs N [--neglected] [--slices]    # it as NDJSON

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a bench fails by panicking"
)]

mod generator;
mod measure;
mod peer;
mod questions;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::File,
    hint::black_box,
    io::BufWriter,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use criterion::Criterion;
use futures_util::FutureExt;
use generator::Skew;
use measure::{Measurements, Side};
use passmuster::{
    catalog::{self, Catalog},
    check,
    graph::{Changes, Graph, GraphBuilder},
    model::{Asset, GLOBAL_REGION, Outcome, SliceKey, SliceState, Time},
    query::{Engine, Graphs, GuardLimits, Request, run::RunLimits},
};
use questions::{Question, questions};
use serde_json::Value;

/// The check that is judged.
const CHECK: &str = "aws-vpc-flow-logs-enabled";
/// As the product has it, on both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Assets are made in lots, so that making them is not timed.
const LOT: usize = 10_000;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let after = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).cloned()
    };
    if let Some(file) = after("--write") {
        let vpcs = after("--vpcs").map_or(10_000, |vpcs| vpcs.parse().expect("a number of VPCs"));
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        let skew = if has("--neglected") { Skew::Neglected } else { Skew::Healthy };
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&file).expect("a file to write to"));
        let lines =
            generator::write(vpcs, skew, has("--slices"), &mut out).expect("a file that can be written to");
        println!("{lines} lines written to {file}");
    } else if arguments.iter().any(|argument| argument == "--bench") {
        let sizes = env::var("PASSMUSTER_BENCH_VPCS").unwrap_or_else(|_| "10000,100000".to_owned());
        let mut criterion = Criterion::default()
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_secs(1))
            .without_plots()
            .configure_from_args();
        for size in sizes.split(',') {
            let measurements = Measurements::default();
            bench_size(&mut criterion, &measurements, size.trim().parse().expect("sizes as 10000,100000"));
            println!("{}", measurements.table());
        }
    } else {
        compare_answers(500);
    }
}

/// As a test: every question once.
fn compare_answers(vpcs: usize) {
    let measurements = Measurements::default();
    for skew in [Skew::Healthy, Skew::Neglected] {
        let ours = apart(|| Ours::build(vpcs, skew, &measurements));
        let theirs = apart(|| build_peer(vpcs, skew, &measurements));
        for question in questions(vpcs).iter().filter(|question| question.skew == skew) {
            for turn in 0..question.variables.len() {
                let answer = Answer::of(&ours.ask(question, turn), question);
                assert_eq!(
                    answer,
                    Answer::of(&ask_peer(&theirs, question, turn), question),
                    "{}",
                    question.name
                );
            }
        }
        assert!(ours.judge().findings.len() > vpcs / 5 || skew == Skew::Healthy);
    }
}

/// Runs in a thread of its own, whose heap keeps the litter of building: what is measured later allocates from another.
fn apart<T: Send>(build: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(build).join()).expect("building does not panic")
}

/// One side after the other, so that only one inventory is in memory.
fn bench_size(criterion: &mut Criterion, measurements: &Measurements, vpcs: usize) {
    for skew in [Skew::Healthy, Skew::Neglected] {
        let asked: Vec<Question> =
            questions(vpcs).into_iter().filter(|question| question.skew == skew).collect();
        let mut answers = BTreeMap::new();
        {
            let ours = apart(|| Ours::build(vpcs, skew, measurements));
            for question in &asked {
                let body = ours.ask(question, 0);
                let answer = Answer::of(&body, question);
                measurements.note(question.name, vpcs, answer.note(body.len()));
                answers.insert(question.name, answer);
                let mut turn = 0;
                measurements.bench(criterion, (question.name, question.title), vpcs, Side::Ours, || {
                    turn += 1;
                    black_box(ours.stream(question, turn));
                });
            }
            if skew == Skew::Healthy {
                bench_alone(criterion, measurements, vpcs, &ours, &asked);
            }
        }
        if env::var_os("PASSMUSTER_BENCH_ALONE").is_some() {
            continue;
        }
        let theirs = apart(|| build_peer(vpcs, skew, measurements));
        for question in &asked {
            let answer = Answer::of(&ask_peer(&theirs, question, 0), question);
            assert_eq!(answers.get(question.name), Some(&answer), "{}: both give one answer", question.name);
            let mut turn = 0;
            measurements.bench(criterion, (question.name, question.title), vpcs, Side::Theirs, || {
                turn += 1;
                black_box(ask_peer(&theirs, question, turn));
            });
        }
    }
}

/// What has no counterpart on the other side.
fn bench_alone(
    criterion: &mut Criterion,
    measurements: &Measurements,
    vpcs: usize,
    ours: &Ours,
    asked: &[Question],
) {
    let paged = asked.iter().find(|question| question.name == "Q4").expect("the filtered page");
    measurements.bench(criterion, ("plan", "parse, validate and plan Q4"), vpcs, Side::Ours, || {
        black_box(ours.engine.plan(&request(paged, 0)).expect("a valid query"));
    });
    measurements.bench(criterion, ("check", "judge the stored check"), vpcs, Side::Ours, || {
        black_box(ours.judge());
    });
    let collected = ours.with_slices();
    let title = "the same, every slice complete";
    measurements.bench(criterion, ("slices", title), vpcs, Side::Ours, || {
        black_box(check::evaluate(&ours.check, &ours.engine, &collected, ours.now));
    });
}

/// What is compared of an answer: all its bytes, or how many rows it has.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    rows: usize,
    bytes: Option<blake3::Hash>,
}

impl Answer {
    fn of(body: &[u8], question: &Question) -> Self {
        let parsed: Value = serde_json::from_slice(body).expect("a response is JSON");
        let rows = parsed["data"]["rows"].as_array().unwrap_or_else(|| panic!("no rows in {parsed}")).len();
        Self { rows, bytes: question.same_bytes.then(|| blake3::hash(body)) }
    }

    fn note(&self, bytes: usize) -> String {
        match bytes {
            0..10_000 => format!("{} rows, {bytes} B", self.rows),
            10_000..10_000_000 => format!("{} rows, {} kB", self.rows, bytes / 1000),
            _ => format!("{} rows, {} MB", self.rows, bytes / 1_000_000),
        }
    }
}

fn request(question: &Question, turn: usize) -> Request {
    let variables = question.variables[turn % question.variables.len()].clone();
    Request { variables, ..Request::new(question.ours) }
}

struct Ours {
    engine: Engine,
    graph: Graph,
    check: check::Check,
    now: Time,
}

impl Ours {
    fn build(vpcs: usize, skew: Skew, measurements: &Measurements) -> Self {
        let catalog = Arc::new(Catalog::read(&catalog::shipped()).expect("the shipped schema is valid"));
        let mut builder = GraphBuilder::new(Arc::clone(&catalog));
        let mut taken = in_lots(vpcs, skew, |lot| {
            for asset in lot {
                builder.push(&asset).expect("generated assets fit the schema");
            }
        });
        let now = Time::from_millis(0).expect("1970 is a time");
        let begun = Instant::now();
        let graph = builder.finish(None, now).expect("generated assets make a graph");
        taken += begun.elapsed();
        measurements.keep(("build", "assets into a graph"), vpcs, Side::Ours, taken);
        let shipped = check::shipped();
        let engine = Engine::new(catalog, shipped.fragments().clone(), GuardLimits::default())
            .expect("a schema of the catalog");
        let checks = check::load(&shipped, &engine).expect("the shipped checks are valid");
        let check = checks.into_iter().find(|check| check.id == CHECK).expect("the shipped check");
        Self { engine, graph, check, now }
    }

    fn ask(&self, question: &Question, turn: usize) -> Vec<u8> {
        let response = self.engine.execute(&self.graph, &request(question, turn), &RunLimits::unlimited());
        assert!(response.errors.is_empty(), "{}: {:?}", question.name, response.errors);
        response.body
    }

    /// The answer as the server sends it, piece by piece; how many bytes it has.
    fn stream(&self, question: &Question, turn: usize) -> usize {
        let mut bytes = 0;
        let mut outlet = |piece: Vec<u8>| {
            bytes += black_box(piece).len();
            true
        };
        let graphs = Graphs::from(&self.graph);
        let limits = RunLimits::unlimited();
        let response = self.engine.stream_over(&graphs, &request(question, turn), &limits, &mut outlet);
        assert!(response.errors.is_empty(), "{}: {:?}", question.name, response.errors);
        bytes + response.body.len()
    }

    /// The same graph as if everything had been collected, completely and just now.
    fn with_slices(&self) -> Graph {
        let (of, _) = self.graph.catalog().find("Vpc").expect("the type of VPCs");
        let rows = 0..u32::try_from(self.graph.count(of)).expect("rows are numbered");
        let text = |row, field| self.graph.text(of, row, field).expect("a VPC is somewhere").into_owned();
        let mut places: BTreeSet<[String; 2]> =
            rows.map(|row| [text(row, "accountId"), text(row, "region")]).collect();
        let accounts: BTreeSet<String> = places.iter().map(|[account, _]| account.clone()).collect();
        places.extend(accounts.into_iter().map(|account| [account, GLOBAL_REGION.to_owned()]));
        let slice = |[account, region]: &[String; 2], asset_type: &str| {
            let state = SliceState {
                key: SliceKey::new(account, region, asset_type),
                api: String::new(),
                outcome: Outcome::Complete,
                reason: None,
                attempted_at: Some(self.now),
                completed_at: Some(self.now),
                assets: 0,
            };
            (state.key.clone(), Some(state))
        };
        let of_place = |place| generator::types_at(place).map(move |asset_type| slice(place, asset_type));
        let changes = Changes { slices: places.iter().flat_map(of_place).collect(), ..Changes::default() };
        self.graph.patched(&changes, self.now).expect("slices").graph
    }

    fn judge(&self) -> check::CheckResult {
        check::evaluate(&self.check, &self.engine, &self.graph, self.now)
    }
}

fn build_peer(vpcs: usize, skew: Skew, measurements: &Measurements) -> peer::PeerSchema {
    let mut inventory = peer::Inventory::default();
    let mut taken = in_lots(vpcs, skew, |lot| {
        for asset in lot {
            inventory.push(asset);
        }
    });
    let begun = Instant::now();
    inventory.index();
    taken += begun.elapsed();
    measurements.keep(("build", "assets into a graph"), vpcs, Side::Theirs, taken);
    peer::schema(inventory)
}

fn ask_peer(peer: &peer::PeerSchema, question: &Question, turn: usize) -> Vec<u8> {
    let variables = question.variables[turn % question.variables.len()].clone();
    let request = async_graphql::Request::new(question.theirs)
        .variables(async_graphql::Variables::from_json(Value::Object(variables)));
    let response = peer.execute(request).now_or_never().expect("resolvers that never wait");
    assert!(response.errors.is_empty(), "{}: {:?}", question.name, response.errors);
    serde_json::to_vec(&response).expect("a response is JSON")
}

/// Hands on the inventory lot by lot, and says how long the receiver took.
fn in_lots(vpcs: usize, skew: Skew, mut receive: impl FnMut(Vec<Asset>)) -> Duration {
    let mut taken = Duration::ZERO;
    let mut lot = Vec::with_capacity(LOT);
    let mut timed = |lot: Vec<Asset>| {
        let begun = Instant::now();
        receive(lot);
        taken += begun.elapsed();
    };
    generator::each_asset(vpcs, skew, |asset| {
        lot.push(asset);
        if lot.len() == LOT {
            timed(std::mem::replace(&mut lot, Vec::with_capacity(LOT)));
        }
    });
    timed(lot);
    taken
}
