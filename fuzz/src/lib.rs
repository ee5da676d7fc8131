//! The rooms that read what comes from outside, compiled by themselves: a fuzz target would otherwise build the AWS SDK
//! with coverage, and none of it reads what a user sends.

#![allow(dead_code, unused_imports, missing_docs, unreachable_pub, reason = "parts of the product, not a library of its own")]

#[path = "../../src/model/mod.rs"]
pub mod model;

#[path = "../../src/catalog/mod.rs"]
pub mod catalog;

#[path = "../../src/import/mod.rs"]
pub mod import;

#[path = "../../src/graph/mod.rs"]
pub mod graph;

#[path = "../../src/query/mod.rs"]
pub mod query;

use std::sync::Arc;

use catalog::{Catalog, Source};
use graph::{Graph, GraphBuilder};
use model::{Asset, Time};
use query::{Engine, Fragments, GuardLimits};
use serde_json::json;

/// A schema with every kind of field.
pub const SDL: &str = r#"
enum Stage { PROD DEV }
type Tag { key: String! value: String }
interface Thing { id: ID! name: String region: String tags: [Tag!] }
type Vpc implements Thing {
  id: ID! name: String region: String tags: [Tag!]
  vpcId: String! stage: Stage stages: [Stage!] size: Int weight: Float big: BigInt isDefault: Boolean
  createdAt: DateTime day: Date cidrBlock: CIDR gateway: IPAddress zones: [String!] ports: [Int] raw: JSON
  hasFlowLog: [FlowLog!]! @relation(fields: ["vpcId"], references: ["resourceId"])
  mainLog: FlowLog @relation(fields: ["vpcId"], references: ["resourceId"])
  things: [Thing!]! @relation(fields: ["region"], references: ["region"])
  isLogged: Boolean! @computed(where: "{hasFlowLog_SOME: {flowLogStatus: \"ACTIVE\"}}")
}
type FlowLog implements Thing {
  id: ID! name: String region: String tags: [Tag!]
  resourceId: String flowLogStatus: String interval: Int
  vpc: Vpc @relation(fields: ["resourceId"], references: ["vpcId"])
}
"#;

/// The catalog of [`SDL`].
pub fn catalog() -> Arc<Catalog> {
    Arc::new(Catalog::read(&[Source::new("fuzz.graphql", SDL)]).expect("a sound schema"))
}

/// An engine over [`SDL`], and a few assets.
pub fn engine_and_graph() -> (Engine, Graph) {
    let catalog = catalog();
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    for asset in [
        json!({"__typename": "Vpc", "id": "a", "vpcId": "vpc-a", "name": "alpha", "region": "r1", "stage": "PROD",
            "stages": ["PROD", "DEV"], "size": 3, "weight": 1.5, "big": "9007199254740993", "isDefault": false,
            "createdAt": "2024-01-02", "day": "2024-01-02", "cidrBlock": "10.0.0.0/16", "gateway": "10.0.0.1",
            "zones": ["x", "y"], "ports": [1, null], "raw": {"a": [1]}, "tags": [{"key": "env", "value": "prod"}]}),
        json!({"__typename": "Vpc", "id": "b", "vpcId": "vpc-b", "name": "β \"q\"\n", "region": "r1", "tags": []}),
        json!({"__typename": "Vpc", "id": "c", "vpcId": "vpc-c", "region": "r2"}),
        json!({"__typename": "FlowLog", "id": "f", "resourceId": "vpc-a", "region": "r1", "flowLogStatus": "ACTIVE",
            "interval": 60}),
        json!({"__typename": "FlowLog", "id": "g", "resourceId": "vpc-c", "region": "r2"}),
    ] {
        builder.push(&Asset::from_json(asset).expect("an asset")).expect("it fits");
    }
    let graph = builder.finish(None, Time::from_millis(0).expect("a time")).expect("a graph");
    (Engine::new(catalog, Fragments::new(), GuardLimits::default()).expect("a schema"), graph)
}
