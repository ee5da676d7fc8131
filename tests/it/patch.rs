//! Patches of a graph: what they cost, counted; when they are too many; what they refuse. That a patched graph answers
//! as one built anew is held over random worlds in `property`, and here for keys that are no texts.

use std::{collections::BTreeMap, sync::Arc};

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Changes, Graph, GraphBuilder, GraphError, PatchWork, Slices},
    model::{Asset, GLOBAL_REGION, Outcome, SliceKey, SliceState, Time},
    query::{Engine, Fragments, GuardLimits, Request, run::RunLimits},
};
use serde_json::{Value, json};

const SCHEMA: &str = r#"
interface Named { id: ID! name: String }
type Tag { key: String! value: String }
type Account implements Named {
  id: ID! name: String accountId: String
  vpcs: [Vpc!]! @relation(fields: ["accountId"], references: ["accountId"])
  logs: [FlowLog!]! @relation(paths: ["vpcs.logs"])
}
type Vpc implements Named {
  id: ID! name: String accountId: String number: Int colours: [String!] tags: [Tag!]! json: JSON at: DateTime
  net: CIDR
  account: Account @relation(fields: ["accountId"], references: ["accountId"])
  logs: [FlowLog!]! @relation(fields: ["id"], references: ["vpc"])
}
type FlowLog implements Named {
  id: ID! name: String vpc: String number: Int
  vpcs: [Vpc!]! @relation(fields: ["vpc"], references: ["id"])
  numbered: [Numbered!]! @relation(fields: ["number"], references: ["number"])
}
type Numbered implements Named {
  id: ID! name: String number: Int
  first: FlowLog @relation(fields: ["number"], references: ["number"])
  any: Named @relation(fields: ["name"], references: ["name"])
}
"#;

fn catalog() -> Arc<Catalog> {
    Arc::new(Catalog::read(&[Source::new("patch.graphql", SCHEMA)]).unwrap())
}

fn now() -> Time {
    Time::from_millis(0).unwrap()
}

fn graph<'a>(assets: impl IntoIterator<Item = &'a Asset>) -> Graph {
    let mut builder = GraphBuilder::new(catalog());
    for asset in assets {
        builder.push(asset).unwrap();
    }
    let graph = builder.finish(None, now()).unwrap();
    graph.index_keys();
    graph
}

fn vpc(number: usize) -> Asset {
    Asset::new("Vpc", format!("vpc-{number:06}"))
        .with("name", format!("name {number}"))
        .with("accountId", format!("{}", number / 10))
        .with("tags", json!([{"key": "env", "value": "prod"}]))
}

fn log(number: usize) -> Asset {
    Asset::new("FlowLog", format!("log-{number:06}")).with("vpc", format!("vpc-{number:06}"))
}

/// So many VPCs, ten an account, each with a flow log.
fn inventory(vpcs: usize) -> Graph {
    let account = |number: usize| {
        Asset::new("Account", format!("account-{number}")).with("accountId", format!("{number}"))
    };
    let assets: Vec<Asset> =
        (0..vpcs).flat_map(|number| [vpc(number), log(number)]).chain((0..vpcs / 10).map(account)).collect();
    graph(&assets)
}

fn put(graph: &Graph, put: Vec<Asset>) -> (Graph, PatchWork) {
    let patched = graph.patched(&Changes { put, ..Changes::default() }, now()).unwrap();
    assert!(!patched.is_worn);
    (patched.graph, patched.work)
}

fn ask(graph: &Graph, query: &str) -> Value {
    let engine = Engine::new(catalog(), Fragments::new(), GuardLimits::default()).unwrap();
    let response = engine.execute(graph, &Request::new(query), &RunLimits::unlimited());
    serde_json::from_slice::<Value>(&response.body).unwrap()["data"].clone()
}

#[test]
fn a_changed_field_copies_its_column_and_joins_nothing() {
    let before = inventory(2000);
    let changed: Vec<Asset> = (0..10).map(|number| vpc(number).with("at", "2026-01-01T00:00:00Z")).collect();
    let (after, work) = put(&before, changed);
    let expected = PatchWork { assets: 10, tables: 1, columns: 1, cells: 2000, ..PatchWork::default() };
    assert_eq!(work, expected);
    let count = "{ vpcsAggregate(where: {NOT: {at: null}}) { count } }";
    assert_eq!(ask(&after, count), json!({"vpcsAggregate": {"count": 10}}));
    assert_eq!(
        ask(&before, count),
        json!({"vpcsAggregate": {"count": 0}}),
        "the graph before stays as it is"
    );
}

#[test]
fn an_asset_put_as_it_is_changes_nothing() {
    let (_, work) = put(&inventory(100), (0..100).map(vpc).collect());
    assert_eq!(work, PatchWork { assets: 100, ..PatchWork::default() });
}

#[test]
fn what_comes_and_goes_costs_the_same_in_a_large_inventory_as_in_a_small_one() {
    let works: Vec<PatchWork> = [200, 4000]
        .into_iter()
        .map(|vpcs| {
            let before = inventory(vpcs);
            // Three VPCs with flow logs come to account 0, one goes, and one moves to account 1.
            let new = |number: usize| vpc(number).with("accountId", "0");
            let come = (vpcs..vpcs + 3).flat_map(|number| [new(number), log(number)]);
            let changes = Changes {
                put: come.collect(),
                removed: vec![("Vpc".to_owned(), "vpc-000001".to_owned())],
                ..Changes::default()
            };
            let patched = before.patched(&changes, now()).unwrap();
            let account =
                "{ accounts(where: {accountId: \"0\"}) { vpcsAggregate { count } logsAggregate { count } } }";
            let expected = json!([{"vpcsAggregate": {"count": 12}, "logsAggregate": {"count": 12}}]);
            assert_eq!(ask(&patched.graph, account)["accounts"], expected);
            patched.work
        })
        .collect();
    assert_eq!(works[0], works[1]);
    assert!(works[0].edges < 200 && works[0].joined < 60 && works[0].cells < 300, "{:?}", works[0]);
}

#[test]
fn an_asset_that_goes_copies_no_column() {
    let removed =
        vec![("FlowLog".to_owned(), "log-000007".to_owned()), ("Vpc".to_owned(), "nobody".to_owned())];
    let patched = inventory(500).patched(&Changes { removed, ..Changes::default() }, now()).unwrap();
    let PatchWork { assets, tables, columns, cells, .. } = patched.work;
    assert_eq!((assets, tables, columns, cells), (1, 1, 0, 0));
    let query = "{ flowLogsAggregate { count } vpcs(where: {logs: null}) { id } }";
    let expected = json!({"flowLogsAggregate": {"count": 499}, "vpcs": [{"id": "vpc-000007"}]});
    assert_eq!(ask(&patched.graph, query), expected);
}

#[test]
fn a_graph_with_many_patches_says_that_it_is_worn() {
    let before = inventory(100);
    let many = Changes { put: (1000..10_000).map(log).collect(), ..Changes::default() };
    assert!(before.patched(&many, now()).unwrap().is_worn);
    let few = Changes { put: (1000..2000).map(log).collect(), ..Changes::default() };
    assert!(!before.patched(&few, now()).unwrap().is_worn);
}

#[test]
fn a_worn_graph_is_built_whole_out_of_itself() {
    let many = Changes {
        put: (1000..10_000).map(log).chain([vpc(7).with("json", json!({"a": [null, 1.5]}))]).collect(),
        removed: vec![("Vpc".to_owned(), "vpc-000003".to_owned())],
        ..Changes::default()
    };
    let worn = inventory(100).patched(&many, now()).unwrap().graph;
    let renewed = worn.renewed(now()).unwrap();
    let all = "{ vpcs { id name json tags { key value } logs { id } } flowLogsAggregate { count } }";
    assert_eq!(ask(&renewed, all), ask(&worn, all));
    let one = Changes { put: vec![log(5)], ..Changes::default() };
    assert!(worn.patched(&one, now()).unwrap().is_worn);
    assert!(!renewed.patched(&one, now()).unwrap().is_worn);
}

#[test]
fn an_asset_that_does_not_fit_is_refused_and_the_graph_stays() {
    let before = inventory(10);
    let refuse = |asset: Asset| before.patched(&Changes { put: vec![asset], ..Changes::default() }, now());
    assert!(matches!(refuse(Asset::new("Nothing", "a")), Err(GraphError::Misfit(_))));
    assert!(matches!(refuse(vpc(1).with("number", "many")), Err(GraphError::Misfit(_))));
    let twice = Changes { put: vec![vpc(1), vpc(1)], ..Changes::default() };
    assert!(matches!(before.patched(&twice, now()), Err(GraphError::Duplicate { .. })));
    assert_eq!(ask(&before, "{ vpcsAggregate { count } }"), json!({"vpcsAggregate": {"count": 10}}));
}

const EVERYTHING: &str = "{
  accounts { id name vpcs { id } logs { id } }
  vpcs { id name number colours tags { key value } json at net account { id } logs { id } }
  flowLogs { id number vpcs { id } numbered { id } }
  numbereds { id number first { id } any { id __typename } }
  nets: vpcs(where: {net_WITHIN: \"10.0.0.0/8\"}, sort: [{name: DESC}]) { id }
  byColour: vpcs(where: {colours_INCLUDES: \"red\"}) { id }
  byTag: vpcs(where: {tags_SOME: {value: \"a\"}}) { id }
  alike: nameds(where: {name_GT: \"a\"}, sort: [{name: ASC}]) { id }
}";

fn random_asset(random: &mut fastrand::Rng) -> Asset {
    let number = random.usize(0..12);
    let typename = ["Account", "Vpc", "Vpc", "FlowLog", "Numbered"][random.usize(0..5)];
    let mut asset = Asset::new(typename, format!("{typename}-{number}"));
    let fields = &mut asset.fields;
    let mut give = |random: &mut fastrand::Rng, name: &str, value: Value| {
        if name == "tags" || random.u8(0..4) > 0 {
            fields.insert(name.to_owned(), value);
        }
    };
    let texts = ["a", "b\"", "Vpc-3", "ä", "zz"];
    let text = |random: &mut fastrand::Rng| json!(texts[random.usize(0..texts.len())]);
    let name = text(random);
    give(random, "name", name);
    if typename != "Vpc" && typename != "Account" {
        let number = json!(random.i64(0..4));
        give(random, "number", number);
    }
    if typename == "FlowLog" {
        let vpc = json!(format!("Vpc-{}", random.usize(0..12)));
        give(random, "vpc", vpc);
    }
    if typename == "Account" || typename == "Vpc" {
        let account = json!(format!("{}", random.usize(0..3)));
        give(random, "accountId", account);
    }
    if typename == "Vpc" {
        let colours = ["red", "blue", "green"].iter().filter(|_| random.bool()).collect::<Vec<_>>();
        give(random, "colours", json!(colours));
        let tags: Vec<Value> =
            (0..random.usize(0..3)).map(|_| json!({"key": text(random), "value": text(random)})).collect();
        give(random, "tags", json!(tags));
        let json_value = json!({"a": random.usize(0..3), "text": text(random)});
        give(random, "json", json_value);
        let net = ["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"][random.usize(0..3)];
        give(random, "net", json!(net));
        let at = format!("2026-01-0{}T00:00:00Z", random.usize(1..4));
        give(random, "at", json!(at));
    }
    asset
}

#[test]
fn keys_of_every_kind_lead_where_they_would_in_a_graph_built_anew() {
    for seed in 0..25 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut assets: BTreeMap<(String, String), Asset> = BTreeMap::new();
        let mut patched = graph([]);
        for step in 0..8 {
            let mut changes = Changes::default();
            for _ in 0..random.usize(1..8) {
                let asset = random_asset(&mut random);
                let key = (asset.typename.clone(), asset.id.clone());
                changes.put.retain(|other| (&other.typename, &other.id) != (&key.0, &key.1));
                changes.removed.retain(|other| *other != key);
                if random.u8(0..3) == 0 {
                    assets.remove(&key);
                    changes.removed.push(key);
                } else {
                    assets.insert(key, asset.clone());
                    changes.put.push(asset);
                }
            }
            patched = patched.patched(&changes, now()).unwrap().graph;
            let built = graph(assets.values());
            assert_eq!(ask(&patched, EVERYTHING), ask(&built, EVERYTHING), "seed {seed}, step {step}");
        }
    }
}

#[test]
fn a_relation_by_numbers_is_joined_whole_and_only_where_its_keys_changed() {
    let assets: Vec<Asset> = (0..20)
        .flat_map(|number| {
            let numbered = Asset::new("Numbered", format!("n{number}")).with("number", number % 5);
            [log(number).with("number", number % 5), numbered]
        })
        .collect();
    let before = graph(&assets);
    let (_, work) = put(&before, vec![log(3).with("number", 3).with("name", "other")]);
    assert_eq!(work.whole_relations, 0);
    let (_, work) = put(&before, vec![log(3).with("number", 4)]);
    assert_eq!(work.whole_relations, 2);
}

/// A state of one of a few slices, complete or not, at one of a few times within two minutes or at none.
fn random_slice(random: &mut fastrand::Rng) -> (SliceKey, Option<SliceState>) {
    let key = SliceKey::new(
        fastrand::Rng::choice(random, ["1", "2", "3"]).expect("an account"),
        random.choice(["r1", "r2", GLOBAL_REGION]).expect("a region"),
        random.choice(["Vpc", "FlowLog"]).expect("a type"),
    );
    let time = |random: &mut fastrand::Rng| {
        let seconds = random.choice([0, 0, 1, 59, 60, 61, 119]).expect("seconds");
        random.bool().then(|| Time::from_millis(now().millis() + seconds * 1000).expect("a time"))
    };
    let state = (random.u8(..4) > 0).then(|| SliceState {
        key: key.clone(),
        api: String::new(),
        outcome: if random.bool() { Outcome::Complete } else { Outcome::Denied },
        reason: None,
        attempted_at: time(random),
        completed_at: time(random),
        assets: 0,
    });
    (key, state)
}

#[test]
fn what_is_counted_of_slices_is_what_each_of_them_says() {
    let mut random = fastrand::Rng::with_seed(29);
    for _ in 0..200 {
        let first: Vec<SliceState> =
            (0..random.usize(..12)).filter_map(|_| random_slice(&mut random).1).collect();
        let mut slices = Slices::new(first);
        for _ in 0..6 {
            let before = slices.clone();
            let changes: Vec<_> = (0..random.usize(..4)).map(|_| random_slice(&mut random)).collect();
            for slices in [&before, &slices.patched(&changes), &before] {
                for (asset_type, seconds) in
                    ["Vpc", "FlowLog", "Subnet"].into_iter().flat_map(|of| (-1..121).map(move |at| (of, at)))
                {
                    let oldest = Time::from_millis(now().millis() + seconds * 1000).expect("a time");
                    let of_type: Vec<&SliceState> = slices.of_type(asset_type).collect();
                    let complete =
                        of_type.iter().filter(|slice| slice.is_complete_since(Some(oldest))).count();
                    let completed = of_type.iter().filter_map(|slice| slice.completed_at);
                    assert_eq!(slices.count_of(asset_type), of_type.len());
                    assert_eq!(slices.count_complete(asset_type, oldest), complete, "{of_type:?}");
                    assert_eq!(
                        slices.first_completed(asset_type, oldest),
                        completed.filter(|at| *at >= oldest).min(),
                        "{of_type:?}"
                    );
                }
            }
            slices = slices.patched(&changes);
        }
    }
}
