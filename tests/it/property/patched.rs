//! A graph that was patched, change by change, answers every query exactly as the one built anew: the same bytes, the
//! same cursors, the same verdicts for the same reasons.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use passmuster::{
    graph::{Changes, Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
    query::{ExplainRequest, Request, run::Judgement, run::RunLimits},
};
use serde_json::json;

use super::{
    Case,
    asks::{self, Ask},
    generate::{World, object_text},
    number,
};

const CASES: u64 = 60;
/// How many cases of the other property are as much work as one of this.
const CASES_EACH: u64 = 16;
const CHANGES_PER_CASE: usize = 4;
const QUERIES_PER_CHANGE: usize = 3;

fn moment(millis: i64) -> Time {
    Time::from_millis(millis).unwrap()
}

/// Assets by type and id, and slices by key.
#[derive(Clone, Default)]
struct Inventory {
    assets: BTreeMap<(String, String), Asset>,
    slices: BTreeMap<SliceKey, SliceState>,
}

impl Inventory {
    fn of(world: &World, before: &Self, random: &mut Rng) -> Self {
        let asset = |row: &super::generate::Row, random: &mut Rng| {
            let key = (row.typename.clone(), row.id.clone());
            // Most assets stay as they are, unknown cells included.
            if let Some(known) = before.assets.get(&key)
                && row.to_json()["f"].is_null()
                && random.u8(0..4) > 0
            {
                return (key, known.clone());
            }
            let mut asset = Asset::from_json(row.to_json()).unwrap();
            for field in ["label", "one", "other", "keys", "tags", "rank"] {
                if random.u8(0..12) == 0 {
                    asset.fields.remove(field);
                    asset.unknown.insert(field.to_owned());
                }
            }
            (key, asset)
        };
        let assets = world.rows.iter().map(|row| asset(row, random)).collect();
        let mut slices = before.slices.clone();
        for of in &world.types {
            let account = random.choice(["1", "2"]).unwrap();
            let key = SliceKey::new(account, random.choice(["here", "there", "global"]).unwrap(), &of.name);
            if random.u8(0..4) == 0 {
                slices.remove(&key);
                continue;
            }
            let outcome = random.choice([Outcome::Complete, Outcome::Complete, Outcome::Denied]).unwrap();
            let completed_at = (outcome == Outcome::Complete).then(|| moment(random.i64(0..3) * 1000));
            slices.insert(
                key.clone(),
                SliceState {
                    key,
                    api: String::new(),
                    outcome,
                    reason: None,
                    attempted_at: None,
                    completed_at,
                    assets: 0,
                },
            );
        }
        Self { assets, slices }
    }

    fn graph(&self, case: &Case) -> Graph {
        let mut builder = GraphBuilder::new(case.catalog.clone());
        for asset in self.assets.values() {
            builder.push(asset).unwrap();
        }
        builder.finish(Some(self.slices.values().cloned().collect()), moment(0)).unwrap()
    }

    fn changes_to(&self, later: &Self) -> Changes {
        let keys = |inventory: &Self| inventory.slices.keys().cloned().collect::<BTreeSet<SliceKey>>();
        let slices = keys(self).union(&keys(later)).cloned().collect::<Vec<_>>();
        Changes {
            put: later
                .assets
                .iter()
                .filter(|(key, asset)| self.assets.get(*key) != Some(asset))
                .map(|(_, asset)| asset.clone())
                .collect(),
            removed: self.assets.keys().filter(|key| !later.assets.contains_key(*key)).cloned().collect(),
            slices: slices
                .into_iter()
                .filter(|key| self.slices.get(key) != later.slices.get(key))
                .map(|key| (key.clone(), later.slices.get(&key).cloned()))
                .collect(),
        }
    }
}

/// The world a while later: rows go, come, come back and get the fields of others.
fn later(world: &World, gone: &mut Vec<super::generate::Row>, random: &mut Rng) -> World {
    let mut later = world.later(random);
    let is_there = |world: &World, id: &str| world.rows.iter().any(|row| row.id == id);
    let mut seen = BTreeSet::new();
    later.rows.retain(|row| seen.insert(row.id.clone()));
    gone.extend(world.rows.iter().filter(|row| !is_there(&later, &row.id)).cloned());
    if !gone.is_empty() && random.bool() {
        let back = gone.swap_remove(random.usize(0..gone.len()));
        if !is_there(&later, &back.id) {
            later.rows.push(back);
        }
    }
    for place in 0..later.rows.len() {
        let other = random.usize(0..later.rows.len());
        if random.u8(0..4) == 0 && later.rows[place].of == later.rows[other].of {
            if random.bool() {
                later.rows[place].fields = later.rows[other].fields.clone();
            } else if let Some((name, value)) =
                random.choice(later.rows[other].fields.clone().into_iter().collect::<Vec<_>>())
            {
                later.rows[place].fields.insert(name, value);
            }
        }
    }
    later
}

fn judged(graph: &Graph, judgement: &Judgement) -> String {
    let mut told = format!("{:?}\n", judgement.gaps);
    for judged in &judgement.types {
        let id = |row: u32| graph.id(judged.of, row).into_owned();
        let failing: Vec<String> = judged.failing.iter().map(|row| id(*row)).collect();
        told += &format!("{:?} of {} pass {} fail {failing:?}\n", judged.of, judged.assets, judged.passing);
        for unknown in &judged.unknown {
            let reasons: Vec<_> = judgement.reasons_of(unknown).collect();
            told += &format!("{} {reasons:?}\n", id(unknown.row));
        }
    }
    told
}

/// Holds the two graphs against each other with one request; returns the answer.
fn check_text(
    case: &Case,
    (patched, built): (&Graph, &Graph),
    text: &str,
    asset: Option<&str>,
) -> serde_json::Value {
    let explain = asset.map(|id| ExplainRequest { asset: Some(id.to_owned()) });
    let ask = |graph: &Graph| {
        let request = Request { explain: explain.clone(), ..Request::new(text) };
        case.engine.execute(graph, &request, &RunLimits::unlimited())
    };
    let (one, other) = (ask(patched), ask(built));
    let plain = |body: &[u8]| super::without_extensions(&serde_json::from_slice(body).unwrap());
    assert_eq!(plain(&one.body), plain(&other.body), "seed {}\n{}\n{text}", case.seed, case.sdl);
    if explain.is_some() {
        let whys = |response: passmuster::query::Response| {
            let whys = response.explanation.map(|explanation| explanation.whys).unwrap_or_default();
            whys.iter().map(|(of, why)| format!("{of}: {why}")).collect::<Vec<_>>()
        };
        assert_eq!(whys(one), whys(other), "seed {}\n{}\n{text}", case.seed, case.sdl);
        return serde_json::Value::Null;
    }
    plain(&other.body)
}

fn check_query(case: &Case, world: &World, graphs: (&Graph, &Graph), random: &mut Rng) {
    let query = asks::query(random, world);
    let root = query.root(world);
    let filter = match &query.ask {
        Ask::Connection(page) => {
            let first = *random.choice([1, 2, 3, 6].iter()).unwrap();
            let mut after = None;
            for _ in 0..40 {
                let text = page.to_connection(&root, first, after.as_deref());
                let answer = check_text(case, graphs, &text, None);
                let cursors = super::cursors(&answer);
                after = cursors.last().cloned();
                if after.is_none() {
                    break;
                }
            }
            &page.filter
        }
        Ask::List(page, _) => {
            check_text(case, graphs, &query.to_graphql(world), None);
            if let Some(row) = random.choice(world.rows.iter()) {
                check_text(case, graphs, &query.to_graphql(world), Some(&row.id));
            }
            &page.filter
        }
        Ask::Aggregate(filter) | Ask::Group { filter, .. } => {
            check_text(case, graphs, &query.to_graphql(world), None);
            filter
        }
    };
    let text = format!("{{ {root}(where: {}) {{ id }} }}", object_text(filter));
    for oldest in [None, Some(moment(random.i64(0..3) * 1000))] {
        let judge =
            |graph| case.engine.judge(graph, &text, oldest).map(|judgement| judged(graph, &judgement));
        let (one, other) = (judge(graphs.0).unwrap(), judge(graphs.1).unwrap());
        assert_eq!(one, other, "seed {}\n{}\n{text}", case.seed, case.sdl);
    }
}

fn check_patches(seed: u64) {
    let mut random = Rng::with_seed(seed);
    let mut world = super::generate::world(&mut random);
    let case = Case::new(seed, &world);
    let mut inventory = Inventory::of(&world, &Inventory::default(), &mut random);
    let mut graph = inventory.graph(&case);
    let mut gone = Vec::new();
    for _ in 0..CHANGES_PER_CASE {
        if random.bool() {
            // Some indexes are made before a change, others after it.
            graph.index_keys();
        }
        check_query(&case, &world, (&graph, &graph), &mut random);
        world = later(&world, &mut gone, &mut random);
        let next = Inventory::of(&world, &inventory, &mut random);
        let patched = graph.patched(&inventory.changes_to(&next), moment(0)).unwrap();
        let built = next.graph(&case);
        inventory = next;
        graph = patched.graph;
        for (typename, id) in inventory.assets.keys() {
            let (of, _) = case.catalog.find(typename).unwrap();
            let written = |graph: &Graph| {
                let mut out = Vec::new();
                graph.write_asset(of, graph.find(of, id).unwrap(), &mut out);
                String::from_utf8(out).unwrap()
            };
            assert_eq!(written(&graph), written(&built), "seed {seed}\n{}", case.sdl);
        }
        assert_eq!(graph.slices().unwrap().all(), built.slices().unwrap().all(), "seed {seed}");
        let all = "{ things { id __typename flag tags { key value } } thingsAggregate { count } }";
        check_text(&case, (&graph, &built), all, None);
        if random.u8(0..4) == 0 {
            // Built whole again out of itself; what follows is a patch of that.
            graph = graph.renewed(moment(0)).unwrap();
            assert_eq!(graph.slices().unwrap().all(), built.slices().unwrap().all(), "seed {seed}");
            check_text(&case, (&graph, &built), all, None);
        }
        let text = random.choice(["a", "B", "env", "\\n", "1"]).unwrap();
        let search = json!(text).to_string();
        let search = format!("{{ search(text: {search}) {{ field id typename }} }}");
        check_text(&case, (&graph, &built), &search, None);
        for _ in 0..QUERIES_PER_CHANGE {
            check_query(&case, &world, (&graph, &built), &mut random);
        }
    }
}

#[test]
fn a_patched_graph_answers_as_one_built_anew() {
    let first = number("PASSMUSTER_PROPERTY_SEED").unwrap_or(1);
    let cases = number("PASSMUSTER_PROPERTY_CASES").map_or(CASES, |cases| cases.div_ceil(CASES_EACH));
    (first..first + cases).for_each(check_patches);
}
