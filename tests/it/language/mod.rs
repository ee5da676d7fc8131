//! The query language row by row: each row of the tables in `docs/query-language.md`, asked as text over small
//! inventories whose schema is written for the purpose.

mod actions;
mod connections;
mod figures;
mod refused;
mod relations;
mod scalars;
mod schema;
mod search;
mod sorts;

use std::sync::Arc;

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder},
    model::{Asset, SliceState, Time},
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};
use serde_json::{Value, json};

/// A schema, an inventory, and the engine over them.
struct Inventory {
    engine: Engine,
    graph: Graph,
}

impl Inventory {
    fn new(sdl: &str, assets: &[Value]) -> Self {
        Self::with_slices(sdl, assets, None)
    }

    fn with_slices(sdl: &str, assets: &[Value], slices: Option<Vec<SliceState>>) -> Self {
        let catalog = Catalog::read(&[Source::new("language.graphql", sdl)])
            .unwrap_or_else(|errors| panic!("{errors}"));
        let catalog = Arc::new(catalog);
        let mut builder = GraphBuilder::new(Arc::clone(&catalog));
        for asset in assets {
            let asset = Asset::from_json(asset.clone()).unwrap();
            catalog.check_asset(&asset).unwrap_or_else(|misfit| panic!("{misfit}"));
            builder.push(&asset).unwrap();
        }
        let graph = builder.finish(slices, Time::from_millis(0).unwrap()).unwrap();
        Self { engine: Engine::new(catalog, Fragments::new(), GuardLimits::default()).unwrap(), graph }
    }

    /// The same engine over other assets.
    fn over(&self, assets: &[Value]) -> Graph {
        let mut builder = GraphBuilder::new(Arc::clone(self.engine.catalog()));
        for asset in assets {
            builder.push(&Asset::from_json(asset.clone()).unwrap()).unwrap();
        }
        builder.finish(None, Time::from_millis(0).unwrap()).unwrap()
    }

    fn answer(&self, graph: &Graph, query: &str, variables: &Value) -> Value {
        let request = Request { variables: variables.as_object().unwrap().clone(), ..Request::new(query) };
        let response = self.engine.execute(graph, &request, &RunLimits::unlimited());
        serde_json::from_slice(&response.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&response.body)))
    }

    /// The `data` of a query that must succeed.
    fn data(&self, query: &str) -> Value {
        self.data_with(query, &json!({}))
    }

    fn data_with(&self, query: &str, variables: &Value) -> Value {
        let answer = self.answer(&self.graph, query, variables);
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].clone()
    }

    /// The only root field of a query that must succeed.
    fn root(&self, query: &str) -> Value {
        self.data(query).as_object().unwrap().values().next().unwrap().clone()
    }

    /// The ids of the rows of the only root field, joined.
    fn ids(&self, query: &str) -> String {
        ids_of(&self.root(query))
    }

    /// The code, column, message and help of the first error of a query that must be refused.
    fn refusal(&self, query: &str) -> (String, u64, String, String) {
        let answer = self.answer(&self.graph, query, &json!({}));
        assert_eq!(answer.get("data"), None, "{query}: {answer}");
        let error = &answer["errors"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&error["extensions"]["code"]),
            error["locations"][0]["column"].as_u64().unwrap_or(0),
            text(&error["message"]),
            text(&error["extensions"]["help"]),
        )
    }

    /// What a check's query says: the ids that fail, those that pass (by count), and those nobody can say.
    fn verdicts(&self, query: &str) -> (String, usize, String) {
        let judgement = self.engine.judge(&self.graph, query, None).unwrap();
        let (mut failing, mut unknown, mut passing) = (Vec::new(), Vec::new(), 0);
        for judged in &judgement.types {
            failing.extend(judged.failing.iter().map(|row| self.graph.id(judged.of, *row).into_owned()));
            unknown.extend(judged.unknown.iter().map(|row| self.graph.id(judged.of, row.row).into_owned()));
            passing += judged.passing;
        }
        (failing.join(" "), passing, unknown.join(" "))
    }
}

fn ids_of(rows: &Value) -> String {
    let rows = rows.as_array().unwrap_or_else(|| panic!("{rows} is no list"));
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}
