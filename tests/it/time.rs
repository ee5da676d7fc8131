//! `asOf`: each root field at its own moment, what an answer of the past says of what it could not see, and how graphs
//! of the past are kept.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use passmuster::{
    catalog::{Catalog, Source},
    graph::{Graph, GraphBuilder, GraphCache},
    model::{Asset, Outcome, SliceKey, Time},
    query::{Engine, ExplainRequest, Fragments, GuardLimits, MomentError, Moments, Request, run::RunLimits},
    store::{SliceCommit, Store, StoreError, StoreOptions},
};
use serde_json::{Value, json};

const SDL: &str = r#"
interface Asset { id: ID! accountId: String region: String firstSeenAt: DateTime lastSeenAt: DateTime }
type Vpc implements Asset {
  id: ID! accountId: String region: String firstSeenAt: DateTime lastSeenAt: DateTime name: String
  hasFlowLog: [FlowLog!]! @relation(fields: ["id"], references: ["resourceId"])
}
type FlowLog implements Asset {
  id: ID! accountId: String region: String firstSeenAt: DateTime lastSeenAt: DateTime resourceId: String status: String
}
"#;

fn catalog() -> Arc<Catalog> {
    Arc::new(Catalog::read(&[Source::new("test.graphql", SDL)]).unwrap_or_else(|errors| panic!("{errors}")))
}

fn engine() -> Engine {
    Engine::new(catalog(), Fragments::new(), GuardLimits::default()).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// A store as a server would hold it, and what was asked of it.
#[derive(Debug)]
struct Inventory {
    store: Store,
    cache: GraphCache,
    asked: Mutex<Vec<Option<Time>>>,
    built: AtomicUsize,
}

impl Inventory {
    fn new(dir: &Path) -> Self {
        let store = Store::open(dir, &StoreOptions::default()).unwrap().store;
        Self { store, cache: GraphCache::new(2), asked: Mutex::default(), built: AtomicUsize::new(0) }
    }

    fn commit(&self, asset_type: &str, outcome: Outcome, at: &str, assets: Vec<Asset>) {
        let key = SliceKey::new("1", "r1", asset_type);
        let assets: Vec<Asset> =
            assets.into_iter().map(|asset| asset.with("accountId", "1").with("region", "r1")).collect();
        let commit = SliceCommit { key, api: String::new(), outcome, reason: None, at: time(at), assets };
        self.store.commit_slice(commit).unwrap();
    }
}

impl Moments for Inventory {
    fn graph_at(&self, moment: Option<Time>) -> Result<Arc<Graph>, MomentError> {
        self.asked.lock().unwrap().push(moment);
        let in_force = match moment {
            None => self.store.newest().unwrap().unwrap(),
            Some(moment) => self.store.in_force(moment).map_err(|error| match error {
                StoreError::BeforeHistory { moment, earliest } => {
                    MomentError::BeforeHistory { moment, earliest }
                }
                other => panic!("{other}"),
            })?,
        };
        self.cache.get_or_build(in_force.sequence, || {
            self.built.fetch_add(1, Ordering::SeqCst);
            let mut builder = GraphBuilder::new(catalog());
            let past = self.store.read_past(in_force, &mut |asset| builder.push(&asset).unwrap()).unwrap();
            Ok(builder.finish(Some(past.slices), in_force.at).unwrap())
        })
    }
}

fn ask(inventory: &Inventory, query: &str) -> Value {
    ask_request(inventory, &Request::new(query))
}

fn ask_request(inventory: &Inventory, request: &Request) -> Value {
    let response = engine().execute_at(inventory, request, &RunLimits::unlimited());
    serde_json::from_slice(&response.body).unwrap()
}

/// Two VPCs of which one goes on the 2nd, and a flow log that stops on the 3rd; on the 4th its slice is denied.
fn inventory(dir: &Path) -> Inventory {
    let inventory = Inventory::new(dir);
    let vpc = |id: &str, name: &str| Asset::new("Vpc", id).with("name", name);
    let log = |status: &str| Asset::new("FlowLog", "f").with("resourceId", "a").with("status", status);
    inventory.commit("Vpc", Outcome::Complete, "2026-11-01", vec![vpc("a", "old"), vpc("b", "gone")]);
    inventory.commit("FlowLog", Outcome::Complete, "2026-11-01T00:00:01Z", vec![log("ACTIVE")]);
    inventory.commit("Vpc", Outcome::Complete, "2026-11-02", vec![vpc("a", "new")]);
    inventory.commit("FlowLog", Outcome::Complete, "2026-11-03", vec![log("INACTIVE")]);
    inventory.commit("FlowLog", Outcome::Denied, "2026-11-04", vec![]);
    inventory
}

#[test]
fn the_plan_says_which_moment_each_root_field_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = inventory(folder.path());
    let query = "{ then: vpcs(asOf: \"2026-11-01T12:00:00+01:00\") { id } now: vpcsAggregate { count }
        counts: vpcsGroup(asOf: \"2026-11-02\", by: [name]) { count }
        one: vpc(id: \"b\", asOf: \"2026-11-02\") { id } }";
    let request = Request { explain: Some(ExplainRequest::default()), ..Request::new(query) };
    let answer = ask_request(&inventory, &request);
    let plan: Vec<&str> = answer["extensions"]["explain"]["plan"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .filter_map(Value::as_str)
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(
        plan,
        [
            "then: list of Vpc as of 2026-11-01T11:00:00.000Z",
            "now: figures of Vpc",
            "counts: counts of Vpc as of 2026-11-02T00:00:00.000Z",
            "one: the Vpc with id \"b\" as of 2026-11-02T00:00:00.000Z",
        ]
    );
}

#[test]
fn each_root_field_is_answered_as_of_its_own_moment() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    let answer = ask(
        &inventory,
        r#"{
            first: vpcs(asOf: "2026-11-01T12:00:00Z") { id name hasFlowLog { status } }
            now: vpcs { id name hasFlowLog { status } }
            then: vpcs(asOf: "2026-11-02T12:00:00+01:00", where: {hasFlowLog_SOME: {status: "ACTIVE"}}) { name lastSeenAt }
            gone: vpc(id: "b", asOf: "2026-11-01T23:59:59.999Z") { name }
            stillGone: vpc(id: "b") { name }
            all: assets(asOf: "2026-11-01") { __typename id }
            page: vpcsConnection(asOf: "2026-11-01", first: 1) { totalCount edges { node { name } } }
            figures: vpcsAggregate(asOf: "2026-11-01") { count }
            groups: vpcsGroup(asOf: "2026-11-01", by: [name], sort: [{count: DESC}], where: {name_STARTS_WITH: "o"}) {
                key { name } count
            }
            found: search(text: "old", asOf: "2026-11-01") { id }
            notFound: search(text: "old") { id }
            __typename
        }"#,
    );
    assert_eq!(
        answer["data"],
        json!({
            "first": [
                {"id": "a", "name": "old", "hasFlowLog": [{"status": "ACTIVE"}]},
                {"id": "b", "name": "gone", "hasFlowLog": []},
            ],
            "now": [{"id": "a", "name": "new", "hasFlowLog": [{"status": "INACTIVE"}]}],
            "then": [{"name": "new", "lastSeenAt": "2026-11-02T00:00:00.000Z"}],
            "gone": {"name": "gone"},
            "stillGone": null,
            "all": [{"__typename": "Vpc", "id": "a"}, {"__typename": "Vpc", "id": "b"}],
            "page": {"totalCount": 2, "edges": [{"node": {"name": "old"}}]},
            "figures": {"count": 2},
            "groups": [{"key": {"name": "old"}, "count": 1}],
            "found": [{"id": "a"}],
            "notFound": [],
            "__typename": "Query",
        })
    );
    assert_eq!(answer["errors"], Value::Null);
}

#[test]
fn what_an_answer_could_not_see_is_told_for_its_moment() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    let denied = json!({
        "assetType": "FlowLog", "accountId": "1", "region": "r1", "outcome": "DENIED",
        "attemptedAt": "2026-11-04T00:00:00.000Z", "completedAt": "2026-11-03T00:00:00.000Z",
    });
    let incomplete = |query| ask(&inventory, query)["extensions"]["incomplete"].clone();
    assert_eq!(incomplete("flowLogs { id }"), json!([denied]));
    assert_eq!(incomplete(r#"flowLogs(asOf: "2026-11-03") { id }"#), Value::Null);
    assert_eq!(incomplete(r#"{ flowLogs(asOf: "2026-11-03") { id } now: vpcs { id } }"#), Value::Null);
    let mut then = denied.clone();
    then["asOf"] = json!("2026-11-05T00:00:00.000Z");
    assert_eq!(
        incomplete(r#"{ then: flowLogs(asOf: "2026-11-05") { id } flowLogs { id } }"#),
        json!([denied, then])
    );
}

#[test]
fn a_moment_before_the_first_collection_is_refused_and_the_earliest_named() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    let answer = ask(&inventory, r#"{ vpcs { id } old: vpcs(asOf: "2026-10-31T23:59:59.999Z") { id } }"#);
    assert_eq!(
        answer,
        json!({"errors": [{
            "message": "nothing is known of 2026-10-31T23:59:59.999Z: the first collection was at \
                        2026-11-01T00:00:00.000Z",
            "path": ["old"],
            "extensions": {
                "code": "before_history",
                "help": "ask for that moment or a later one: `asOf: \"2026-11-01T00:00:00.000Z\"`",
            },
        }]})
    );
}

#[test]
fn a_graph_without_a_past_refuses_moments_and_answers_the_rest() {
    let graph = GraphBuilder::new(catalog()).finish(None, time("2026-11-01")).unwrap();
    let execute = |query: &str| {
        let response = engine().execute(&graph, &Request::new(query), &RunLimits::unlimited());
        serde_json::from_slice::<Value>(&response.body).unwrap()
    };
    assert_eq!(execute("vpcs { id }"), json!({"data": {"vpcs": []}}));
    assert_eq!(execute("vpcs(asOf: null) { id }"), json!({"data": {"vpcs": []}}));
    let refused = execute(r#"vpcs(asOf: "2026-11-01") { id }"#);
    assert_eq!(refused["errors"][0]["extensions"]["code"], "no_history");
    assert_eq!(refused["data"], Value::Null);
}

#[test]
fn a_moment_may_be_a_variable_and_what_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    let query = "query($t: DateTime) { vpcs(asOf: $t) { name } }";
    let with = |variables: Value| {
        let Value::Object(variables) = variables else { panic!("an object") };
        ask_request(&inventory, &Request { variables, ..Request::new(query) })
    };
    let names = |answer: &Value| answer["data"]["vpcs"].as_array().map(Vec::len);
    assert_eq!(names(&with(json!({"t": "2026-11-01"}))), Some(2));
    assert_eq!(names(&with(json!({"t": null}))), Some(1));
    assert_eq!(names(&with(json!({}))), Some(1));
    assert_eq!(with(json!({"t": "yesterday"}))["data"], Value::Null);
    for (query, code) in [
        (r#"vpcs(asOf: "soon") { id }"#, "wrong_value"),
        ("vpcs(asOf: 5) { id }", "wrong_value"),
        (r#"vpcs(asof: "2026-11-01") { id }"#, "unknown_argument"),
        (r#"vpcs { hasFlowLog(asOf: "2026-11-01") { id } }"#, "unknown_argument"),
        (r#"{ vpcs { id } vpcs(asOf: "2026-11-01") { id } }"#, "conflicting_fields"),
        (r#"vpcs(asOf: "2026-11-01", asOf: "2026-11-02") { id }"#, "given_twice"),
    ] {
        let answer = ask(&inventory, query);
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}: {answer}");
        assert_eq!(answer.get("data"), None, "{query}: {answer}");
    }
}

#[test]
fn a_request_may_name_the_moment_of_root_fields_that_name_none() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    let query = r#"{ vpcs { name } own: vpcs(asOf: "2026-11-02") { name } }"#;
    let request = Request { as_of: Some(time("2026-11-01")), ..Request::new(query) };
    assert_eq!(
        ask_request(&inventory, &request)["data"],
        json!({"vpcs": [{"name": "old"}, {"name": "gone"}], "own": [{"name": "new"}]})
    );
    let asked = inventory.asked.lock().unwrap().clone();
    assert_eq!(asked, [Some(time("2026-11-01")), Some(time("2026-11-02"))], "nobody asked for the present");
}

#[test]
fn the_schema_gives_every_root_field_of_the_inventory_a_moment() {
    let sdl = engine().sdl();
    let (_, query) = sdl.split_once("type Query {").unwrap();
    let (query, _) = query.split_once("\n}").unwrap();
    let fields = query.matches("\n  ):").count();
    assert!(fields >= 6, "{query}");
    assert_eq!(query.matches("asOf: DateTime").count(), fields, "{query}");
    assert!(sdl.contains("scalar DateTime"));
    let catalog = Catalog::read(&[Source::new("bare.graphql", "type Vpc { id: ID! }")])
        .unwrap_or_else(|e| panic!("{e}"));
    let bare = Engine::new(Arc::new(catalog), Fragments::new(), GuardLimits::default()).unwrap();
    assert!(bare.sdl().contains("scalar DateTime"), "also where no type has a time of its own");
}

#[test]
fn a_check_query_may_not_name_a_moment() {
    let errors = engine().plan_check(r#"vpcs(asOf: "2026-11-01") { id }"#).unwrap_err();
    assert_eq!(errors[0].to_string(), "a check's query has no `asOf`");
}

#[test]
fn moments_between_two_collections_share_one_graph_and_it_is_built_once() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    for moment in ["2026-11-02", "2026-11-02T10:00:00Z", "2026-11-02T23:59:59.999Z"] {
        ask(&inventory, &format!("vpcs(asOf: \"{moment}\") {{ id }}"));
    }
    assert_eq!(inventory.built.load(Ordering::SeqCst), 1);
    ask(&inventory, r#"vpcs(asOf: "2026-11-03") { id }"#);
    assert_eq!(inventory.built.load(Ordering::SeqCst), 2);
}

fn empty_graph() -> Graph {
    GraphBuilder::new(catalog()).finish(None, time("2026-11-01")).unwrap()
}

#[test]
fn the_graph_asked_for_longest_ago_goes_first() {
    let cache = GraphCache::new(2);
    let mut built = Vec::new();
    for sequence in [1, 2, 1, 3, 1, 2] {
        cache
            .get_or_build(sequence, || {
                built.push(sequence);
                Ok::<_, ()>(empty_graph())
            })
            .unwrap();
    }
    assert_eq!(built, [1, 2, 3, 2]);
}

#[test]
fn a_graph_that_could_not_be_built_is_tried_again() {
    let cache = GraphCache::new(2);
    assert_eq!(cache.get_or_build(1, || Err("the disk is gone")).unwrap_err(), "the disk is gone");
    assert!(cache.get_or_build(1, || Ok::<_, ()>(empty_graph())).is_ok());
    assert!(cache.get_or_build(1, || Err("not asked any more")).is_ok());
}

#[test]
fn many_that_ask_for_one_moment_at_once_wait_for_one_build() {
    let cache = GraphCache::new(1);
    let built = AtomicUsize::new(0);
    let barrier = Barrier::new(6);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                barrier.wait();
                let build = || {
                    built.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, ()>(empty_graph())
                };
                cache.get_or_build(7, build).unwrap();
            });
        }
    });
    assert_eq!(built.load(Ordering::SeqCst), 1);
}

#[test]
fn a_verdict_over_a_graph_of_the_past_rests_on_what_was_known_then() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    let query = r#"vpcs(where: {hasFlowLog_NONE: {status: "ACTIVE"}}) { id }"#;
    let judged = |moment: &str| {
        let graph = inventory.graph_at(Some(time(moment))).unwrap();
        let oldest = Some(time(moment).before(std::time::Duration::from_hours(24)));
        let judgement = engine().judge(&graph, query, oldest).unwrap();
        let of_vpcs = &judgement.types[0];
        (of_vpcs.passing, of_vpcs.failing.len(), of_vpcs.unknown.len())
    };
    assert_eq!(judged("2026-11-01T06:00:00Z"), (1, 1, 0), "one had an active flow log, the other had none");
    assert_eq!(judged("2026-11-02T00:00:00Z"), (1, 0, 0));
    assert_eq!(
        judged("2026-11-02T06:00:00Z"),
        (0, 0, 1),
        "the flow logs of the day before were no longer fresh"
    );
}

#[test]
fn too_many_moments_in_one_query_are_refused_before_any_graph_is_built() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = inventory(dir.path());
    let field = |day: usize| format!("v{day}: vpcs(asOf: \"2026-11-{day:02}\") {{ id }} ");
    let query = |days: usize| format!("{{ {} }}", (1..=days).map(field).collect::<String>());
    assert_eq!(ask(&inventory, &query(8))["errors"], Value::Null);
    inventory.asked.lock().unwrap().clear();
    let refused = ask(&inventory, &query(9));
    let message = "the query has 9 different moments (`asOf`), the limit is 8";
    assert_eq!(refused["errors"][0]["message"], message);
    assert_eq!(inventory.asked.lock().unwrap().len(), 0);
}

/// What is handed in by the moment itself, to tell that a plan never falls back on another graph.
#[test]
fn a_plan_runs_over_the_graphs_of_its_own_moments_only() {
    let engine = engine();
    let request = Request::new(r#"{ vpcs { id } then: vpcs(asOf: "2026-11-01") { id } }"#);
    let plan = engine.plan(&request).unwrap();
    let (now, then) = (None, Some(time("2026-11-01")));
    assert_eq!(plan.moments().into_iter().collect::<Vec<_>>(), [now, then]);
    for (moments, is_answered) in [(vec![now, then], true), (vec![now], false), (vec![then], false)] {
        let graphs: BTreeMap<_, _> =
            moments.into_iter().map(|moment| (moment, Arc::new(empty_graph()))).collect();
        let response = engine.execute_over(&(&graphs).into(), &request, &RunLimits::unlimited());
        assert_eq!(response.errors.is_empty(), is_answered, "{:?}", response.errors);
    }
}
