//! A small inventory of the tests' own, and short ways to write filters and read what a run says of them.

use std::{collections::BTreeMap, sync::Arc};

use passmuster::{
    catalog::{Catalog, FieldId, Source, TypeId},
    graph::{Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
    query::{
        Comparison, Filter, Filters, Nodes, Operand, Output, OutputField, OutputKind, Plan, Quantifier,
        ResponseKey, RootField, RootKind, SortBy, SortKey, SortedValue, Test,
        run::{Judgement, Ran, Reason, RunLimits, judge, run},
    },
};
use serde_json::{Value, json};

/// Everything the language knows: every scalar, lists, embedded objects, relations to one, to many, to an interface.
pub(super) const SCHEMA: &str = r#"
interface Asset { id: ID! accountId: String region: String name: String }
enum Status { ACTIVE INACTIVE }
type Tag { key: String! value: String }
type Box implements Asset {
  id: ID! accountId: String region: String name: String lastSeenAt: DateTime
  text: String int: Int big: BigInt float: Float flag: Boolean at: DateTime day: Date
  net: CIDR ip: IPAddress json: JSON status: Status words: [String!] numbers: [Int] required: String!
  hubId: String
  tags: [Tag!]!
  first: Tag
  hub: Hub @relation(fields: ["hubId"], references: ["id"])
  mustHub: Hub! @relation(fields: ["hubId"], references: ["id"])
  items: [Item!]! @relation(fields: ["id"], references: ["boxId"])
  things: [Thing!]! @relation(fields: ["id"], references: ["boxId"])
}
type Hub implements Asset {
  id: ID! accountId: String region: String name: String
  boxes: [Box!]! @relation(fields: ["id"], references: ["hubId"])
}
interface Thing { id: ID! boxId: String weight: Int }
type Item implements Asset & Thing {
  id: ID! accountId: String region: String name: String
  boxId: String weight: Int score: Float at: DateTime
  box: Box @relation(fields: ["boxId"], references: ["id"])
  parts: [Part!]! @relation(fields: ["id"], references: ["itemId"])
}
type Part implements Asset {
  id: ID! accountId: String region: String name: String
  itemId: String size: Int
}
type Gadget implements Asset & Thing {
  id: ID! accountId: String region: String name: String
  weight: Int boxId: String
}
"#;

pub(super) fn read_catalog(schema: &str) -> Arc<Catalog> {
    match Catalog::read(&[Source::new("test.graphql", schema)]) {
        Ok(catalog) => Arc::new(catalog),
        Err(errors) => panic!("{errors:?}"),
    }
}

/// An asset from its JSON.
pub(super) fn asset(json: Value) -> Asset {
    Asset::from_json(json).unwrap()
}

/// A box with an id and some fields.
pub(super) fn a_box(id: &str, fields: Value) -> Asset {
    typed("Box", id, json!({"required": "r", "tags": []}), fields)
}

pub(super) fn item(id: &str, fields: Value) -> Asset {
    typed("Item", id, json!({}), fields)
}

pub(super) fn typed(typename: &str, id: &str, defaults: Value, fields: Value) -> Asset {
    let mut object = json!({"__typename": typename, "id": id, "accountId": "1", "region": "r1"});
    for more in [defaults, fields] {
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    if let Some(unknown) = object.get("__unknown").and_then(Value::as_array).cloned() {
        for field in unknown {
            object.as_object_mut().unwrap().remove(field.as_str().unwrap());
        }
    }
    asset(object)
}

pub(super) fn graph_of(assets: Vec<Asset>) -> World {
    World::new(SCHEMA, assets, None)
}

pub(super) fn time(millis: i64) -> Time {
    Time::from_millis(millis).unwrap()
}

/// A complete slice of account 1, region r1, whole at the moment 1000.
pub(super) fn complete(asset_type: &str) -> SliceState {
    slice(asset_type, Outcome::Complete, Some(1000))
}

pub(super) fn slice(asset_type: &str, outcome: Outcome, completed_at: Option<i64>) -> SliceState {
    SliceState {
        key: SliceKey::new("1", "r1", asset_type),
        api: String::new(),
        outcome,
        reason: None,
        attempted_at: Some(time(1000)),
        completed_at: completed_at.map(time),
        assets: 0,
    }
}

/// A graph and its catalog.
pub(super) struct World {
    pub(super) catalog: Arc<Catalog>,
    pub(super) graph: Graph,
}

impl World {
    pub(super) fn new(schema: &str, assets: Vec<Asset>, slices: Option<Vec<SliceState>>) -> Self {
        let catalog = read_catalog(schema);
        let mut builder = GraphBuilder::new(Arc::clone(&catalog));
        for asset in &assets {
            builder.push(asset).unwrap();
        }
        let graph = builder.finish(slices, time(0)).unwrap();
        Self { catalog, graph }
    }

    pub(super) fn of(&self, typename: &str) -> TypeId {
        self.catalog.find(typename).unwrap().0
    }

    pub(super) fn field(&self, typename: &str, field: &str) -> FieldId {
        self.catalog.get(self.of(typename)).find(field).unwrap().0
    }

    /// A test of a box's field.
    pub(super) fn test(&self, field: &str, test: Test) -> Filter {
        Filter::Field(self.field("Box", field), test)
    }

    pub(super) fn is_null(&self, field: &str) -> Filter {
        Filter::IsNull(self.field("Box", field))
    }

    /// A filter on one type.
    pub(super) fn filters(&self, typename: &str, filter: Filter) -> Filters {
        Filters(vec![(self.of(typename), Some(filter))])
    }

    /// A quantifier over a box's relation, the same filter for every type given.
    pub(super) fn related(&self, field: &str, quantifier: Quantifier, of: &[(&str, Filter)]) -> Filter {
        let filters = of.iter().map(|(name, filter)| (self.of(name), Some(filter.clone()))).collect();
        Filter::Related { field: self.field("Box", field), quantifier, filters: Filters(filters) }
    }

    pub(super) fn nodes(&self, typename: &str, filters: Filters) -> Nodes {
        let output = self.catalog.concrete(self.of(typename)).into_iter().map(|of| {
            let id = self.catalog.get(of).find("id").unwrap().0;
            (of, vec![OutputField { key: ResponseKey::new("id"), kind: OutputKind::Scalar(id) }])
        });
        Nodes {
            of: self.of(typename),
            filters,
            sort: Vec::new(),
            limit: None,
            offset: 0,
            output: Output(output.collect()),
        }
    }

    pub(super) fn run_nodes(&self, nodes: Nodes) -> Ran {
        run(&plan(RootKind::Nodes(nodes)), &self.graph, &BTreeMap::new(), &RunLimits::unlimited()).unwrap()
    }

    /// The ids that a root list gives, in its order.
    pub(super) fn ids_of(&self, nodes: Nodes) -> Vec<String> {
        let ran = self.run_nodes(nodes);
        assert_eq!(ran.errors, []);
        let data: Value = serde_json::from_slice(&ran.data).unwrap();
        let rows = data["root"].as_array().unwrap();
        assert_eq!(ran.rows, rows.len() as u64);
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The boxes that a filter keeps, as `a b c`.
    pub(super) fn kept(&self, filter: Filter) -> String {
        self.ids_of(self.nodes("Box", self.filters("Box", filter))).join(" ")
    }

    /// The boxes a filter keeps, those that its negation keeps.
    pub(super) fn both(&self, filter: Filter) -> (String, String) {
        (self.kept(filter.clone()), self.kept(Filter::Not(Box::new(filter))))
    }

    /// What a filter says of each box in an open world.
    pub(super) fn verdicts(&self, filter: Filter, oldest: Option<i64>) -> Verdicts {
        let judgement = judge(&self.graph, self.of("Box"), &self.filters("Box", filter), oldest.map(time));
        Verdicts { judgement }
    }
}

pub(super) struct Verdicts {
    pub(super) judgement: Judgement,
}

impl Verdicts {
    /// `FAIL`, `PASS` or `UNKNOWN` of the only box there is.
    pub(super) fn only(&self) -> &'static str {
        let judged = &self.judgement.types[0];
        assert_eq!(judged.assets, 1, "one box");
        match (judged.failing.len(), judged.passing, judged.unknown.len()) {
            (1, 0, 0) => "FAIL",
            (0, 1, 0) => "PASS",
            (0, 0, 1) => "UNKNOWN",
            other => panic!("not one verdict: {other:?}"),
        }
    }

    /// The reasons of the first unknown row, in words.
    pub(super) fn reasons(&self) -> Vec<String> {
        let judged = &self.judgement.types[0];
        judged.unknown.first().map_or(Vec::new(), |row| self.judgement.reasons_of(row).map(word).collect())
    }

    pub(super) fn gaps(&self) -> Vec<String> {
        self.judgement.gaps.iter().map(word).collect()
    }
}

fn word(reason: &Reason) -> String {
    match reason {
        Reason::Slice { key, state: Some(state) } => format!("{key} {}", state.outcome.word()),
        Reason::Slice { key, state: None } => format!("{key} missing"),
        Reason::Stale { key, .. } => format!("{key} stale"),
        Reason::Cell { typename, id, field } => format!("{typename} {id} {field} unknown"),
        Reason::Stub { typename, id, why } => format!("{typename} {id} {why}"),
    }
}

pub(super) fn plan(kind: RootKind) -> Plan {
    Plan { roots: vec![RootField { key: "root".to_owned(), as_of: None, kind }] }
}

pub(super) fn text(text: &str) -> Operand {
    Operand::Text(text.to_owned())
}

pub(super) fn equals(operand: Operand) -> Test {
    Test::Equal(operand)
}

pub(super) fn compares(comparison: Comparison, operand: Operand) -> Test {
    Test::Compare(comparison, operand)
}

pub(super) fn is_in(values: Vec<Operand>, with_null: bool) -> Test {
    Test::In { values, with_null }
}

pub(super) fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

pub(super) fn sort_by(fields: Vec<(TypeId, FieldId)>, descending: bool) -> SortKey {
    let values = fields.into_iter().map(|(of, field)| (of, SortedValue::Field(field)));
    SortKey { name: String::new(), by: SortBy::Value(values.collect()), descending }
}
