//! Runs on record: collections and checks day after day, in a store, with what the graph shows of them on every day.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use passmuster::{
    check::{
        Check, CheckResult, Exception, ExceptionRequest, RememberedVerdicts, Scope, Verdict, evaluate,
        ledger::{
            AssetVerdict, ChangeKind, Finding, Known, LedgerMemory, NoOutbox, Recorded, Run, Status, Trigger,
            read_findings, record_exceptions, record_run, record_run_from, settle_run,
        },
    },
    graph::{Changes, Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, Time, is_ledger_type},
    query::{Engine, Request, run::RunLimits},
    store::{SliceCommit, Store, StoreOptions},
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::shipped;

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-west-1";
const CHECK: &str = "aws-vpc-flow-logs-enabled";

fn open(dir: &Path) -> Store {
    Store::open(dir, &StoreOptions::default()).expect("the store opens").store
}

fn vpc(id: &str) -> Asset {
    Asset::new("Vpc", id)
        .with("vpcId", id)
        .with("nativeId", id)
        .with("accountId", ACCOUNT)
        .with("region", REGION)
}

fn log(vpc: &str) -> Asset {
    Asset::new("FlowLog", format!("fl-{vpc}"))
        .with("flowLogId", format!("fl-{vpc}"))
        .with("resourceId", vpc)
        .with("flowLogStatus", "ACTIVE")
        .with("accountId", ACCOUNT)
        .with("region", REGION)
}

/// Takes away what the store fills in and the schema doesn't have, as the program does.
fn fitting(mut asset: Asset) -> Asset {
    if is_ledger_type(&asset.typename) {
        asset.fields.remove("firstSeenAt");
        if asset.typename != "Finding" {
            asset.fields.remove("lastSeenAt");
        }
    }
    asset
}

/// An inventory that is collected and checked, with a clock that is set.
struct World {
    dir: TempDir,
    store: Option<Store>,
    engine: &'static Engine,
    check: Check,
    graph: Graph,
    sequence: u64,
    now: i64,
    /// What a process that runs many checks remembers.
    memory: LedgerMemory,
}

impl World {
    fn new() -> Self {
        let (engine, checks) = shipped();
        let check = checks.into_iter().find(|check| check.id == CHECK).expect("a shipped check");
        let dir = tempdir().unwrap();
        let store = open(dir.path());
        let graph =
            GraphBuilder::new(Arc::clone(engine.catalog())).finish(Some(Vec::new()), time(0)).unwrap();
        Self {
            dir,
            store: Some(store),
            engine,
            check,
            graph,
            sequence: 0,
            now: 1_800_000_000_000,
            memory: LedgerMemory::default(),
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("it is open")
    }

    fn now(&self) -> Time {
        time(self.now)
    }

    fn pass(&mut self, hours: i64) {
        self.now += hours * 60 * 60 * 1000;
    }

    /// Closes the store and opens it again, with or without its index.
    fn restart(&mut self, loses_index: bool) {
        self.store = None;
        if loses_index {
            fs::remove_dir_all(self.dir.path().join("index")).unwrap();
        }
        self.store = Some(open(self.dir.path()));
    }

    fn collect(&mut self, typename: &str, outcome: Outcome, assets: Vec<Asset>) {
        let key = SliceKey::new(ACCOUNT, REGION, typename);
        let reason = (outcome != Outcome::Complete).then(|| format!("request {}", self.now));
        let commit = SliceCommit { key, api: String::new(), outcome, reason, at: self.now(), assets };
        self.store().commit_slice(commit).unwrap();
        self.refresh();
    }

    /// The graph of the newest commit, made of the one before.
    fn refresh(&mut self) {
        let of = |name: &str| self.engine.catalog().find(name).expect("a type").0;
        let owned =
            |slice: &SliceKey| self.graph.ids_in(of(&slice.asset_type), &slice.account_id, &slice.region);
        let delta =
            self.store().delta(self.sequence, None, usize::MAX, &owned).unwrap().expect("it can be told");
        let put = delta.put.into_iter().map(fitting).collect();
        let changes = Changes { put, removed: delta.removed, slices: delta.slices };
        self.graph = self.graph.patched(&changes, self.now()).unwrap().graph;
        self.sequence = delta.sequence;
    }

    fn run(&self) -> Run<'_> {
        let checks = std::slice::from_ref(&self.check);
        let (graph, now) = (&self.graph, self.now());
        Run { checks, all: None, engine: self.engine, graph, now, trigger: Trigger::Schedule }
    }

    fn judge(&self) -> CheckResult {
        evaluate(&self.check, self.engine, &self.graph, self.now())
    }

    /// Runs the check and puts it on record.
    fn check(&mut self) -> Recorded {
        let mut memory = std::mem::take(&mut self.memory);
        let recorded =
            record_run_from(self.store(), &mut memory, &[self.judge()], self.run(), &mut NoOutbox).unwrap();
        self.memory = memory;
        self.refresh();
        recorded
    }

    fn except(&mut self, exception: &Exception) -> Recorded {
        let recorded =
            record_exceptions(self.store(), std::slice::from_ref(exception), self.run(), &mut NoOutbox)
                .unwrap();
        self.refresh();
        recorded
    }

    fn exception(&self, check_id: Option<&str>, scope: Scope, hours: i64) -> Exception {
        let request = ExceptionRequest {
            check_id: check_id.map(str::to_owned),
            scope,
            owner: "net-team".to_owned(),
            reason: "it goes away".to_owned(),
            expires_at: time(self.now + hours * 60 * 60 * 1000),
        };
        request.accept(self.now()).unwrap()
    }

    fn ask(&self, query: &str) -> Value {
        ask(self.engine, &self.graph, query)
    }

    fn finding(&self, asset: &str) -> Finding {
        let id = format!("{CHECK}/{asset}");
        read_findings(self.store()).unwrap().into_iter().find(|finding| finding.id == id).expect("a finding")
    }

    /// The graph of then, built whole.
    fn graph_at(&self, moment: Time) -> Graph {
        let mut builder = GraphBuilder::new(Arc::clone(self.engine.catalog()));
        let past = self.store().as_of(moment, &mut |asset| builder.push(&fitting(asset)).unwrap()).unwrap();
        builder.finish(Some(past.slices), moment).unwrap()
    }
}

fn time(millis: i64) -> Time {
    Time::from_millis(millis).expect("a time")
}

fn ask(engine: &Engine, graph: &Graph, query: &str) -> Value {
    let response = engine.execute(graph, &Request::new(query), &RunLimits::unlimited());
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let incomplete = body.pointer("/extensions/incomplete").and_then(Value::as_array).into_iter().flatten();
    let is_own = |slice: &Value| is_ledger_type(slice["assetType"].as_str().unwrap());
    assert!(!incomplete.into_iter().any(is_own), "{body}");
    body["data"].clone()
}

fn kinds(recorded: &Recorded) -> Vec<(ChangeKind, String)> {
    let id = |finding: &Finding| finding.asset.as_ref().expect("an asset").id.clone();
    recorded.changes.iter().map(|change| (change.kind, id(&change.finding))).collect()
}

fn opened(ids: &[&str]) -> Vec<(ChangeKind, String)> {
    ids.iter().map(|id| (ChangeKind::Opened, (*id).to_owned())).collect()
}

#[test]
fn a_run_is_on_record_and_all_of_it_can_be_asked_for_in_the_graph() {
    let mut world = World::new();
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1"), vpc("vpc-2")]);
    world.collect("FlowLog", Outcome::Complete, vec![log("vpc-1")]);
    let recorded = world.check();
    assert_eq!(kinds(&recorded), opened(&["vpc-2"]));
    let [run] = recorded.runs.as_slice() else { panic!("{:?}", recorded.runs) };
    assert_eq!((run.verdict, run.previous_verdict, run.opened), (Verdict::Fail, None, 1));
    let now = world.now().to_string();
    assert_eq!(
        world.ask(
            "{ vpcs(where: {findings_SOME: {severity: MEDIUM, status: OPEN}}) { id findings { openedAt } } }"
        ),
        json!({"vpcs": [{"id": "vpc-2", "findings": [{"openedAt": now}]}]})
    );
    let query = format!(
        "{{ findings(where: {{check: {{id: \"{CHECK}\"}}, asset: {{region: \"{REGION}\"}}}}) \
         {{ id asset {{ id __typename }} check {{ verdict failCount }} seenIn {{ sliceId completedAt }} lastSeenAt }} }}"
    );
    assert_eq!(
        world.ask(&query),
        json!({"findings": [{
            "id": format!("{CHECK}/vpc-2"),
            "asset": {"id": "vpc-2", "__typename": "Vpc"},
            "check": {"verdict": "FAIL", "failCount": "1"},
            "seenIn": [
                {"sliceId": format!("{ACCOUNT}/{REGION}/FlowLog"), "completedAt": now},
                {"sliceId": format!("{ACCOUNT}/{REGION}/Vpc"), "completedAt": now},
            ],
            "lastSeenAt": null,
        }]})
    );
    assert_eq!(
        world.ask(
            "{ checkRuns { check { id } verdict trigger openedCount completeSlices } slices { assetType } }"
        ),
        json!({
            "checkRuns": [{"check": {"id": CHECK}, "verdict": "FAIL", "trigger": "SCHEDULE", "openedCount": "1", "completeSlices": "2"}],
            "slices": [{"assetType": "FlowLog"}, {"assetType": "Vpc"}],
        })
    );
}

#[test]
fn f2_a_failed_collection_resolves_nothing_and_what_is_not_known_can_be_asked_for() {
    let mut world = World::new();
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1"), vpc("vpc-2")]);
    world.collect("FlowLog", Outcome::Complete, vec![log("vpc-1")]);
    assert_eq!(kinds(&world.check()), opened(&["vpc-2"]));
    // A day and more later nothing but refusals: what was seen is too old to say anything.
    world.pass(25);
    world.collect("Vpc", Outcome::Denied, Vec::new());
    world.collect("FlowLog", Outcome::Failed, Vec::new());
    let recorded = world.check();
    assert_eq!(kinds(&recorded), [(ChangeKind::BecameUnknown, "vpc-2".to_owned())]);
    assert_eq!(recorded.runs[0].verdict, Verdict::Unknown);
    let unknown: Vec<&str> = recorded.unknown.iter().map(|unknown| unknown.id.as_str()).collect();
    assert_eq!(unknown, [format!("{CHECK}/vpc-1"), format!("{CHECK}/vpc-2")]);
    assert_eq!(
        world.ask("{ vpcs(where: {unknownVerdicts_SOME: {reasons_SOME: {assetType: \"FlowLog\"}}}) { id findings { status verdict } } }"),
        json!({"vpcs": [{"id": "vpc-1", "findings": []}, {"id": "vpc-2", "findings": [{"status": "OPEN", "verdict": "UNKNOWN"}]}]})
    );
    // The same again, with other words of the cloud: nothing but the run and the check is written.
    world.pass(1);
    world.collect("FlowLog", Outcome::Failed, Vec::new());
    let versions = |world: &World, id: &str| {
        world.store().versions("UnknownVerdict", &format!("{CHECK}/{id}")).unwrap().len()
    };
    let recorded = world.check();
    assert!(recorded.changes.is_empty() && recorded.unknown.is_empty(), "{recorded:?}");
    assert_eq!((versions(&world, "vpc-1"), versions(&world, "vpc-2")), (1, 1));
    // Only what is seen again resolves.
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1"), vpc("vpc-2")]);
    assert_eq!(kinds(&world.check()), [], "the flow logs are still not known");
    world.collect("FlowLog", Outcome::Complete, vec![log("vpc-1"), log("vpc-2")]);
    assert_eq!(kinds(&world.check()), [(ChangeKind::Resolved, "vpc-2".to_owned())]);
    assert_eq!(world.ask("{ unknownVerdicts { id } }"), json!({"unknownVerdicts": []}));
}

#[test]
fn an_asset_that_is_gone_resolves_its_finding_only_where_that_was_seen() {
    let mut world = World::new();
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1"), vpc("vpc-2")]);
    world.check();
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-2")]);
    // By the time the check runs again, that it is gone was seen too long ago.
    world.pass(25);
    assert_eq!(world.check().changes.iter().filter(|change| change.kind == ChangeKind::Resolved).count(), 0);
    let unseen = world.finding("vpc-1");
    assert_eq!((unseen.status, unseen.verdict), (Status::Open, AssetVerdict::Unknown));
    assert_eq!(
        world.ask("{ findings(where: {asset: null}) { nativeId } }"),
        json!({"findings": [{"nativeId": "vpc-1"}]})
    );
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-2")]);
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    let resolved = (ChangeKind::Resolved, "vpc-1".to_owned());
    assert_eq!(kinds(&world.check()), [resolved, (ChangeKind::SeenAgain, "vpc-2".to_owned())]);
    let gone = world.finding("vpc-1");
    assert_eq!((gone.verdict, gone.resolved_in[0].completed_at), (AssetVerdict::Gone, Some(world.now())));
}

#[test]
fn an_exception_takes_effect_at_once_counts_no_more_and_expires_by_itself() {
    let mut world = World::new();
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    let tagged = vpc("vpc-1").with("tags", json!([{"key": "env", "value": "sandbox"}]));
    world.collect("Vpc", Outcome::Complete, vec![tagged, vpc("vpc-2")]);
    world.check();
    let filter = "{tags_SOME: {key: \"env\", value: \"sandbox\"}}".to_owned();
    let by_filter = world.exception(Some(CHECK), Scope::Filter { typename: "Vpc".to_owned(), filter }, 2);
    assert_eq!(kinds(&world.except(&by_filter)), [(ChangeKind::Excepted, "vpc-1".to_owned())]);
    let by_asset = world.exception(None, Scope::Asset { asset_id: "vpc-2".to_owned() }, 9);
    assert_eq!(kinds(&world.except(&by_asset)), [(ChangeKind::Excepted, "vpc-2".to_owned())]);
    let recorded = world.check();
    let result = &recorded.results[0];
    assert_eq!((result.verdict, result.counts.fail, result.counts.excepted), (Verdict::Pass, 0, 2));
    assert_eq!(
        result.excepted.iter().map(|excepted| excepted.exception_id.as_str()).collect::<Vec<_>>(),
        [by_filter.id.as_str(), by_asset.id.as_str(),]
    );
    let query = "{ exceptions(where: {findings_SOME: {status: EXCEPTED}}) { owner findings { nativeId } } }";
    assert_eq!(world.ask(query)["exceptions"].as_array().unwrap().len(), 2);
    // What is only read counts the same, and leaves nothing.
    let known = Known::read(world.store(), [CHECK]).unwrap();
    let shown = Known::of_graph(&world.graph, [CHECK]).unwrap().expect("the schema has the types");
    assert_eq!(format!("{shown:?}"), format!("{known:?}"));
    let before = world.store().sequence();
    assert_eq!(settle_run(&known, &[world.judge()], world.run()).results, recorded.results);
    assert_eq!(world.store().sequence(), before);
    world.pass(2);
    assert_eq!(kinds(&world.check()), [(ChangeKind::ExceptionExpired, "vpc-1".to_owned())]);
    assert_eq!(
        world.ask(&format!("{{ exception(id: \"{}\") {{ status findings {{ id }} }} }}", by_filter.id)),
        json!({"exception": {"status": "EXPIRED", "findings": []}})
    );
    let revoked = by_asset.revoked(world.now());
    assert_eq!(kinds(&world.except(&revoked)), [(ChangeKind::ExceptionRevoked, "vpc-2".to_owned())]);
    assert_eq!(world.judge().verdict, Verdict::Fail);
}

#[test]
fn an_exception_that_is_over_lets_go_of_findings_of_checks_that_no_longer_run() {
    let mut world = World::new();
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1")]);
    world.check();
    let exception = world.exception(None, Scope::Account { account_id: ACCOUNT.to_owned() }, 2);
    world.except(&exception);
    assert_eq!(world.finding("vpc-1").status, Status::Excepted);
    world.pass(3);
    let (engine, checks) = shipped();
    let other = checks.into_iter().find(|check| check.id.ends_with("delivering")).unwrap();
    let result = evaluate(&other, engine, &world.graph, world.now());
    let run = Run { checks: std::slice::from_ref(&other), ..world.run() };
    let recorded = record_run(world.store(), &[result], run).unwrap();
    assert_eq!(kinds(&recorded), [(ChangeKind::ExceptionExpired, "vpc-1".to_owned())]);
    assert_eq!(world.finding("vpc-1").status, Status::Open);
}

#[test]
fn verdicts_do_not_depend_on_what_is_written_down_of_them() {
    let mut world = World::new();
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1")]);
    let mut remembered = RememberedVerdicts::default();
    let judge = |remembered: &mut RememberedVerdicts, world: &World| {
        let checks = std::slice::from_ref(&world.check);
        remembered.evaluate_all(checks, world.engine, &world.graph, world.now());
        remembered.evaluated()
    };
    assert_eq!(judge(&mut remembered, &world), 1);
    world.check();
    assert_eq!(world.ask("{ vpcs(where: {findings: null}) { id } }"), json!({"vpcs": []}));
    assert_eq!(judge(&mut remembered, &world), 1, "a finding changes no VPC");
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1"), vpc("vpc-2")]);
    assert_eq!(judge(&mut remembered, &world), 2);
}

#[test]
fn what_is_remembered_is_read_again_where_somebody_else_has_written() {
    let mut world = World::new();
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1"), vpc("vpc-2")]);
    world.check();
    let exception = world.exception(None, Scope::Asset { asset_id: "vpc-1".to_owned() }, 9);
    world.except(&exception);
    assert_eq!(world.check().results[0].counts.excepted, 1);
    // Another run beside this one resolves a finding; the one that remembers must not resolve it again.
    world.collect("FlowLog", Outcome::Complete, vec![log("vpc-2")]);
    record_run(world.store(), &[world.judge()], world.run()).unwrap();
    world.refresh();
    assert_eq!(kinds(&world.check()), []);
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    assert_eq!(kinds(&world.check()), [(ChangeKind::Reopened, "vpc-2".to_owned())]);
    assert_eq!(world.finding("vpc-2").times_opened, 2);
}

#[test]
fn a_relation_to_findings_is_always_complete() {
    let mut world = World::new();
    world.collect("FlowLog", Outcome::Denied, Vec::new());
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1")]);
    world.check();
    let without =
        world.engine.judge(&world.graph, "vpcs(where: {findings: null}) { id }", Some(world.now())).unwrap();
    assert_eq!((without.types[0].failing.len(), without.types[0].unknown.len()), (1, 0));
    let covered = world
        .engine
        .judge(&world.graph, "findings(where: {status: OPEN}) { id }", Some(world.now()))
        .unwrap();
    assert_eq!((covered.gaps.len(), covered.types[0].unknown.len()), (0, 0));
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    world.check();
    world.pass(48);
    let old = world
        .engine
        .judge(&world.graph, "findings(where: {status: OPEN}) { id }", Some(world.now()))
        .unwrap();
    assert_eq!(
        (old.types[0].failing.len(), old.types[0].unknown.len()),
        (1, 0),
        "a finding does not become stale"
    );
}

#[test]
fn of_each_check_the_latest_hundred_runs_are_in_the_present_and_the_others_in_the_past() {
    let mut world = World::new();
    world.collect("FlowLog", Outcome::Complete, Vec::new());
    world.collect("Vpc", Outcome::Complete, vec![vpc("vpc-1")]);
    let begin = world.now();
    for _ in 0..103 {
        world.check();
        world.pass(0);
        world.now += 1000;
    }
    let runs = world.ask("{ checkRuns(sort: [{at: ASC}]) { at } }");
    let runs = runs["checkRuns"].as_array().unwrap();
    assert_eq!(runs.len(), 100);
    assert_eq!(runs[0]["at"], time(begin.millis() + 3000).to_string());
    let then = ask(world.engine, &world.graph_at(begin), "{ checkRuns { at } }");
    assert_eq!(then["checkRuns"][0]["at"], begin.to_string());
}

/// How long the simulation runs, and over how many VPCs.
fn scale() -> (usize, usize) {
    if std::env::var_os("PASSMUSTER_LEDGER_YEAR").is_some() { (365, 2000) } else { (60, 300) }
}

/// What one day was: the moment after its run, and what was open and not known then.
struct Day {
    moment: Time,
    open: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

#[test]
fn every_day_of_a_year_answers_as_it_was_at_a_cost_of_what_changed() {
    let (days, vpcs) = scale();
    let mut random = fastrand::Rng::with_seed(7);
    let mut world = World::new();
    let ids: Vec<String> = (0..vpcs).map(|number| format!("vpc-{number:05}")).collect();
    let mut logged: BTreeSet<usize> = (0..vpcs).filter(|number| number % 10 != 0).collect();
    let mut open: BTreeSet<String> = BTreeSet::new();
    let mut seen: Vec<Day> = Vec::new();
    let mut changes = 0_u64;
    for day in 0..days {
        world.pass(24);
        // One in a hundred changes a day; on some days the flow logs can't be read at all.
        for _ in 0..(vpcs / 100).max(1) {
            let number = random.usize(..vpcs);
            if !logged.remove(&number) {
                logged.insert(number);
            }
        }
        let is_denied = day % 13 == 12;
        world.collect("Vpc", Outcome::Complete, ids.iter().map(|id| vpc(id)).collect());
        if is_denied {
            // Longer ago than a day is too old.
            world.pass(1);
            world.collect("FlowLog", Outcome::Denied, Vec::new());
        } else {
            let logs = logged.iter().map(|number| log(&ids[*number])).collect();
            world.collect("FlowLog", Outcome::Complete, logs);
            open = (0..vpcs)
                .filter(|number| !logged.contains(number))
                .map(|number| ids[number].clone())
                .collect();
        }
        let recorded = world.check();
        changes += recorded.changes.len() as u64;
        let run = &recorded.runs[0];
        if is_denied {
            assert_eq!((run.opened, run.reopened, run.resolved), (0, 0, 0), "day {day}");
        }
        let unknown = if is_denied { ids.iter().cloned().collect() } else { BTreeSet::new() };
        seen.push(Day { moment: world.now(), open: open.clone(), unknown });
        if day % 20 == 19 {
            world.restart(day % 40 == 39);
        }
    }
    assert_costs_follow_changes(&world, changes);
    for (number, day) in seen.iter().enumerate() {
        let (mut open, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        world
            .store()
            .as_of(day.moment, &mut |asset| match asset.typename.as_str() {
                "Finding" if asset.text("status") == Some("OPEN") => {
                    open.insert(asset.text("assetId").unwrap().to_owned());
                }
                "UnknownVerdict" => {
                    unknown.insert(asset.text("assetId").unwrap().to_owned());
                }
                _ => {}
            })
            .unwrap();
        assert_eq!(open, day.open, "day {number}");
        assert_eq!(unknown, day.unknown, "day {number}");
    }
    for day in [0, 12, days / 2, days - 1] {
        let graph = world.graph_at(seen[day].moment);
        let answer = ask(world.engine, &graph, "{ vpcs(where: {findings_SOME: {status: OPEN}}) { id } }");
        let found: BTreeSet<String> = answer["vpcs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|vpc| vpc["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, seen[day].open, "day {day}");
    }
}

/// Every version of a finding is there because something became of it, and nothing else was written for it.
fn assert_costs_follow_changes(world: &World, changes: u64) {
    let findings = read_findings(world.store()).unwrap();
    let mut versions = 0;
    let mut by_kind: BTreeMap<Status, usize> = BTreeMap::new();
    for finding in &findings {
        versions += world.store().versions("Finding", &finding.id).unwrap().len() as u64;
        *by_kind.entry(finding.status).or_default() += 1;
    }
    assert_eq!(versions, changes);
    assert!(by_kind[&Status::Open] > 0 && by_kind[&Status::Resolved] > 0, "{by_kind:?}");
}
