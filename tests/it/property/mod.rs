//! The engine against a naive reference: random schemas, data and queries, answered by both. The reference walks
//! plain JSON row by row and knows nothing of columns, bitmaps or plans. Connections are walked page by page, and once
//! more over rows that changed meanwhile. `PASSMUSTER_PROPERTY_CASES` and `PASSMUSTER_PROPERTY_SEED` make the run longer
//! or repeat a failure.

mod answers;
mod asks;
mod generate;
mod patched;
mod reference;

use std::{env, sync::Arc, thread};

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::{Asset, Time},
    query::{
        Engine, ExplainRequest, Fragments, GuardLimits, Request,
        run::{RunLimits, Truth},
    },
};
use serde_json::Value;

use self::{
    asks::{Ask, Page, Query},
    generate::World,
};

const CASES: u64 = 1_000;
/// Queries over each inventory: building one costs more than asking it.
const QUERIES_PER_CASE: usize = 4;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn the_engine_answers_as_the_naive_reference_does() {
    let first = number("PASSMUSTER_PROPERTY_SEED").unwrap_or(1);
    let cases = number("PASSMUSTER_PROPERTY_CASES").unwrap_or(CASES);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let seen = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| {
                let seeds = (first..first + cases).skip(worker).step_by(workers);
                scope.spawn(move || seeds.map(check_case).fold(Seen::default(), Seen::plus))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).fold(Seen::default(), Seen::plus)
    });
    // A generator that only makes empty answers would prove nothing.
    assert!(seen.rows > cases, "{seen:?} in {cases} cases");
    assert!(seen.queries_with_rows > cases / 2, "{seen:?} in {cases} cases");
    assert!(seen.pages > cases / 2, "{seen:?} in {cases} cases");
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    rows: u64,
    queries_with_rows: u64,
    pages: u64,
}

impl Seen {
    fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            queries_with_rows: self.queries_with_rows + other.queries_with_rows,
            pages: self.pages + other.pages,
        }
    }
}

struct Case {
    seed: u64,
    sdl: String,
    catalog: Arc<Catalog>,
    engine: Engine,
}

fn check_case(seed: u64) -> Seen {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = generate::world(&mut random);
    let case = Case::new(seed, &world);
    let graph = case.graph(&world);
    let mut seen = Seen::default();
    for _ in 0..QUERIES_PER_CASE {
        let query = asks::query(&mut random, &world);
        if let Ask::Connection(page) = &query.ask {
            let first = *random.choice([0, 1, 2, 3, 4, 6].iter()).unwrap();
            let later = world.later(&mut random);
            seen.pages += case.check_connection(&world, &later, &graph, &query, page, first);
            continue;
        }
        let text = query.to_graphql(&world);
        let expected = answers::answer(&world, &query);
        let (actual, rows) = case.ask(&graph, &text);
        case.assert_same(&world, &text, &actual, &expected);
        if matches!(query.ask, Ask::List(..)) {
            check_why(&case.engine, &graph, &world, &text, &actual, seed);
        }
        seen.rows += rows;
        seen.queries_with_rows += u64::from(rows > 0);
    }
    seen
}

impl Case {
    fn new(seed: u64, world: &World) -> Self {
        let sdl = world.sdl();
        let catalog = Catalog::read(&[Source { name: "random.graphql".to_owned(), text: sdl.clone() }])
            .unwrap_or_else(|errors| panic!("seed {seed}: {errors:?}\n{sdl}"));
        let catalog = Arc::new(catalog);
        let engine = Engine::new(Arc::clone(&catalog), Fragments::new(), GuardLimits::default()).unwrap();
        Self { seed, sdl, catalog, engine }
    }

    fn graph(&self, world: &World) -> Graph {
        let mut builder = GraphBuilder::new(Arc::clone(&self.catalog));
        for row in &world.rows {
            let asset = Asset::from_json(row.to_json()).unwrap();
            builder.push(&asset).unwrap_or_else(|error| {
                panic!("seed {}: {error}\n{}\n{}", self.seed, self.sdl, row.to_json())
            });
        }
        builder.finish(None, Time::from_millis(0).unwrap()).unwrap()
    }

    fn ask(&self, graph: &Graph, text: &str) -> (Value, u64) {
        let response = self.engine.execute(graph, &Request::new(text), &RunLimits::unlimited());
        let answer = serde_json::from_slice(&response.body).unwrap_or_else(|error| {
            panic!("seed {}: {error}: {}", self.seed, String::from_utf8_lossy(&response.body))
        });
        (answer, response.rows)
    }

    fn assert_same(&self, world: &World, text: &str, actual: &Value, expected: &Value) {
        // Through the same reader of numbers as the answer: it is not exact to the last bit.
        let expected: Value = serde_json::from_str(&expected.to_string()).unwrap();
        if plain(&without_extensions(actual)) != plain(&expected) {
            let (seed, sdl) = (self.seed, &self.sdl);
            let data: Vec<String> = world.rows.iter().map(|row| row.to_json().to_string()).collect();
            panic!(
                "seed {seed} (PASSMUSTER_PROPERTY_SEED={seed} PASSMUSTER_PROPERTY_CASES=1)\n{sdl}\n{}\n{text}\n\
                 expected {expected}\n     got {actual}",
                data.join("\n")
            );
        }
    }

    /// Walks a connection page by page; then takes up the walk at one of its cursors over other rows.
    fn check_connection(
        &self,
        world: &World,
        later: &World,
        graph: &Graph,
        query: &Query,
        page: &Page,
        first: usize,
    ) -> u64 {
        let root = query.root(world);
        let all = answers::all_in_order(world, query.target, page);
        let ids = |rows: &[(&generate::Row, answers::SortKeys)]| {
            rows.iter().map(|(row, _)| row.id.clone()).collect::<Vec<String>>()
        };
        let expected_ids = ids(&all);
        let (mut at, mut after, mut pages) = (0, None::<String>, 0);
        loop {
            let text = page.to_connection(&root, first, after.as_deref());
            let (answer, _) = self.ask(graph, &text);
            let end = (at + first).min(all.len());
            let cursors = cursors(&answer);
            let mut expected = expected_page(&cursors, &expected_ids[at..end]);
            expected["data"]["page"]["totalCount"] = all.len().into();
            expected["data"]["page"]["pageInfo"]["hasNextPage"] = (end < all.len()).into();
            expected["data"]["page"]["pageInfo"]["hasPreviousPage"] = (at > 0).into();
            self.assert_same(world, &text, &answer, &expected);
            pages += 1;
            at = end;
            after = cursors.last().cloned();
            // Rows come and go: what was behind the cursor and stayed is still behind it, and so is what is new there.
            if pages == 1
                && let Some(cursor) = &after
            {
                let position = &all[end - 1].1;
                let graph = self.graph(later);
                let rest = answers::all_in_order(later, query.target, page);
                let total = rest.len();
                let behind: Vec<_> = rest
                    .into_iter()
                    .filter(|(_, keys)| answers::compare_keys(keys, position).is_gt())
                    .collect();
                let text = page.to_connection(&root, 3, Some(cursor));
                let (answer, _) = self.ask(&graph, &text);
                let shown = ids(&behind[..behind.len().min(3)]);
                let mut expected = expected_page(&self::cursors(&answer), &shown);
                expected["data"]["page"]["totalCount"] = total.into();
                expected["data"]["page"]["pageInfo"]["hasNextPage"] = (behind.len() > 3).into();
                expected["data"]["page"]["pageInfo"]["hasPreviousPage"] = (behind.len() < total).into();
                self.assert_same(later, &text, &answer, &expected);
            }
            if at >= all.len() || first == 0 {
                return pages;
            }
        }
    }
}

fn cursors(answer: &Value) -> Vec<String> {
    let edges = answer["data"]["page"]["edges"].as_array().cloned().unwrap_or_default();
    edges.iter().map(|edge| edge["cursor"].as_str().unwrap().to_owned()).collect()
}

/// A page of these ids, with the cursors that the engine gave.
fn expected_page(cursors: &[String], ids: &[String]) -> Value {
    let edges = ids.iter().zip(cursors.iter().map(Some).chain(std::iter::repeat(None)));
    let edges: Vec<Value> =
        edges.map(|(id, cursor)| serde_json::json!({"cursor": cursor, "node": {"id": id}})).collect();
    serde_json::json!({"data": {"page": {
        "totalCount": 0,
        "pageInfo": {
            "hasNextPage": false, "hasPreviousPage": false,
            "startCursor": cursors.first(), "endCursor": cursors.last(),
        },
        "edges": edges,
    }}})
}

fn without_extensions(response: &Value) -> Value {
    let mut response = response.clone();
    if let Some(entries) = response.as_object_mut() {
        entries.remove("extensions");
    }
    response
}

/// What is answered matches for the reason given: every row of an answer is TRUE, and where the answer is not a page,
/// nothing else is.
fn check_why(engine: &Engine, graph: &Graph, world: &World, text: &str, actual: &Value, seed: u64) {
    let Some(rows) = actual["data"].as_object().and_then(|data| data.values().next()?.as_array().cloned())
    else {
        return;
    };
    for asset in world.rows.iter().take(3) {
        let explain = Some(ExplainRequest { asset: Some(asset.id.clone()) });
        let request = Request { explain, ..Request::new(text) };
        let Some(explanation) = engine.execute(graph, &request, &RunLimits::unlimited()).explanation else {
            continue;
        };
        for (_, why) in explanation.whys {
            let is_there = rows.iter().any(|row| row["id"] == asset.id.as_str());
            let matches = why.truth == Truth::True;
            assert!(!is_there || matches, "seed {seed}: {text}\n{why}");
            assert!(is_there || !matches || why.note.is_some(), "seed {seed}: {text}\n{why}");
        }
    }
}

/// JSON has one kind of number: `2` and `2.0` are the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, one)| (key.clone(), plain(one))).collect())
        }
        other => other.clone(),
    }
}
