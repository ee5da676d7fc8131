//! Checks with one verdict as a whole, and checks that are gone: what is on record of them, and what exceptions do to it.

use std::sync::Arc;

use passmuster::{
    check::{
        self, Check, CheckResult, Exception, ExceptionRequest, ExitCode, Scope, Sources, Verdict, evaluate,
        ledger::{
            AssetVerdict, ChangeKind, Finding, LedgerMemory, NoOutbox, Recorded, Run, Status, Trigger,
            read_findings, read_states, record_exceptions, record_run_from,
        },
    },
    graph::{Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
    report::{self, Detail, Style},
    store::{Store, StoreOptions},
};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::{SHIPPED, shipped};

const POLICY: &str = r#"package vpcs

deny contains {"msg": "it has no name", "id": vpc.id} if {
  some vpc in input.vpcs
  vpc.name == null
}

deny contains "there are too many" if {
  count(input.vpcs) > 2
}
"#;

fn load(files: &[(&str, &str)]) -> Vec<Check> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    check::load(&Sources::from_files("q", files), &SHIPPED.0).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A check of how many VPCs there are.
fn few() -> Check {
    let yaml = "id: own-few\ntitle: There are few VPCs\nseverity: high\ncovers: Vpc\nexpect: count lt 3\n";
    load(&[("own/few/check.yaml", yaml), ("own/few/query.graphql", "vpcs { id }\n")]).remove(0)
}

/// A policy that denies VPCs without a name, and too many of them.
fn policy() -> Check {
    let yaml =
        "id: own-policy\ntitle: No VPC is denied\nseverity: high\ncovers: Vpc\nexpect: {rego: p.rego}\n";
    let query = ("own/policy/query.graphql", "vpcs { id name }\n");
    load(&[("own/policy/check.yaml", yaml), query, ("own/policy/p.rego", POLICY)]).remove(0)
}

fn at(hours: i64) -> Time {
    let begin: Time = "2026-11-27T12:00".parse().unwrap();
    Time::from_millis(begin.millis() + hours * 60 * 60 * 1000).unwrap()
}

/// So many VPCs, of which the first ones have names.
fn vpcs(named: usize, all: usize, outcome: Outcome) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(shipped().0.catalog()));
    for number in 0..all {
        let vpc = Asset::new("Vpc", format!("vpc-{number}"))
            .with("vpcId", format!("vpc-{number}"))
            .with("accountId", "1")
            .with("region", "eu-west-1")
            .with("name", (number < named).then(|| format!("named {number}")));
        builder.push(&vpc).unwrap();
    }
    let complete = (outcome == Outcome::Complete).then(|| at(0));
    let slice = SliceState {
        key: SliceKey::new("1", "eu-west-1", "Vpc"),
        api: String::new(),
        outcome,
        reason: None,
        attempted_at: Some(at(0)),
        completed_at: complete,
        assets: 0,
    };
    builder.finish(Some(vec![slice]), at(0)).unwrap()
}

/// A store, and what a process that judges remembers.
struct Records {
    _folder: TempDir,
    store: Store,
    memory: LedgerMemory,
}

impl Records {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        let store = Store::open(folder.path(), &StoreOptions::default()).unwrap().store;
        Self { _folder: folder, store, memory: LedgerMemory::default() }
    }

    /// Runs checks; of others that are on record `all` says whether they are gone.
    fn run(&mut self, checks: &[Check], all: Option<&[Check]>, graph: &Graph, now: Time) -> Recorded {
        let engine = &SHIPPED.0;
        let results: Vec<CheckResult> =
            checks.iter().map(|check| evaluate(check, engine, graph, now)).collect();
        let run = Run { checks, all, engine, graph, now, trigger: Trigger::Schedule };
        record_run_from(&self.store, &mut self.memory, &results, run, &mut NoOutbox).unwrap()
    }

    fn except(&self, checks: &[Check], scope: Scope, until: Time, graph: &Graph, now: Time) -> Exception {
        let request = ExceptionRequest {
            check_id: Some(checks[0].id.clone()),
            scope,
            owner: "net-team".to_owned(),
            reason: "two networks are merged".to_owned(),
            expires_at: until,
        };
        let exception = request.accept(now).unwrap();
        let run = Run { checks, all: None, engine: &SHIPPED.0, graph, now, trigger: Trigger::Request };
        record_exceptions(&self.store, std::slice::from_ref(&exception), run, &mut NoOutbox).unwrap();
        exception
    }

    fn finding(&self, id: &str) -> Finding {
        read_findings(&self.store).unwrap().into_iter().find(|finding| finding.id == id).expect("a finding")
    }
}

fn kinds(recorded: &Recorded) -> Vec<(ChangeKind, &str)> {
    recorded.changes.iter().map(|change| (change.kind, change.finding.id.as_str())).collect()
}

#[test]
fn what_fails_as_a_whole_is_accepted_by_its_check_alone_until_that_ends() {
    let (checks, graph) = ([few()], vpcs(3, 3, Outcome::Complete));
    let mut records = Records::new();
    let failing = records.run(&checks, None, &graph, at(0));
    assert_eq!(kinds(&failing), [(ChangeKind::Opened, "own-few")]);
    assert_eq!(ExitCode::of(&failing.results), ExitCode::Findings);
    // What is about assets is not about the check.
    for scope in [
        Scope::Account { account_id: "1".to_owned() },
        Scope::Filter { typename: "Vpc".to_owned(), filter: "{}".to_owned() },
        Scope::Asset { asset_id: "vpc-0".to_owned() },
    ] {
        records.except(&checks, scope, at(9), &graph, at(1));
        assert_eq!(records.finding("own-few").status, Status::Open);
    }
    let exception = records.except(&checks, Scope::Whole, at(3), &graph, at(1));
    let accepted = records.finding("own-few");
    assert_eq!((accepted.status, accepted.exception_id), (Status::Excepted, Some(exception.id.clone())));
    let recorded = records.run(&checks, None, &graph, at(2));
    let result = &recorded.results[0];
    assert_eq!((result.verdict, recorded.runs[0].verdict), (Verdict::Pass, Verdict::Pass));
    assert_eq!(result.figure.as_ref().unwrap().accepted_by.as_ref(), Some(&exception.id));
    assert_eq!(ExitCode::of(&recorded.results), ExitCode::Pass);
    // The end of it opens the finding again, and says why.
    let ended = records.run(&checks, None, &graph, at(3));
    assert_eq!(kinds(&ended), [(ChangeKind::ExceptionExpired, "own-few")]);
    assert_eq!((ended.results[0].verdict, records.finding("own-few").times_opened), (Verdict::Fail, 1));
    let mended = records.run(&checks, None, &vpcs(2, 2, Outcome::Complete), at(4));
    assert_eq!(kinds(&mended), [(ChangeKind::Resolved, "own-few")]);
}

#[test]
fn an_exception_as_a_whole_names_its_check() {
    let request = |check_id: Option<&str>| ExceptionRequest {
        check_id: check_id.map(str::to_owned),
        scope: Scope::Whole,
        owner: "o".to_owned(),
        reason: "r".to_owned(),
        expires_at: at(1),
    };
    let refused = request(None).accept(at(0)).unwrap_err().to_string();
    assert!(refused.starts_with("an exception needs a scope"), "{refused}");
    let exception = request(Some("own-few")).accept(at(0)).unwrap();
    assert_eq!(Exception::from_asset(&exception.to_asset()).unwrap(), exception);
    assert_eq!(exception.finding_id().as_deref(), Some("own-few"));
    let of_nothing = exception.to_asset().with("checkId", Value::Null);
    assert!(Exception::from_asset(&of_nothing).is_err());
}

#[test]
fn reports_show_what_is_accepted_as_a_whole_and_do_not_count_it() {
    let (checks, graph) = ([few()], vpcs(3, 3, Outcome::Complete));
    let mut records = Records::new();
    records.run(&checks, None, &graph, at(0));
    let exception = records.except(&checks, Scope::Whole, at(9), &graph, at(1));
    let results = records.run(&checks, None, &graph, at(2)).results;
    let words = format!("expected count lt 3, found 3, accepted by {}", exception.id);
    let text = report::checks_text(&results, at(2), Style { width: None, colour: false }, Detail::default());
    assert!(text.contains(&words) && text.contains("PASS") && text.contains("found 3 (accepted)"), "{text}");
    let json: Value =
        serde_json::from_str(&report::checks_json(&results, ExitCode::of(&results), at(2))).unwrap();
    assert_eq!(json["checks"][0]["figure"]["exceptionId"], exception.id, "{json}");
    let csv = report::checks_csv(&results);
    assert!(csv.contains("PASS,EXCEPTED,") && csv.contains(&words), "{csv}");
    let run = report::Run { results: &results, checks: &checks, compliance: None, now: at(2) };
    let junit = report::junit(&run);
    assert!(
        junit.contains("failures=\"0\" errors=\"0\" skipped=\"1\"") && junit.contains("<skipped/>"),
        "{junit}"
    );
}

#[test]
fn a_policy_that_denies_the_whole_does_not_pass_because_its_assets_are_accepted() {
    let (checks, graph) = ([policy()], vpcs(2, 3, Outcome::Complete));
    let mut records = Records::new();
    let recorded = records.run(&checks, None, &graph, at(0));
    let both = [(ChangeKind::Opened, "own-policy"), (ChangeKind::Opened, "own-policy/vpc-2")];
    assert_eq!(kinds(&recorded), both);
    records.except(&checks, Scope::Asset { asset_id: "vpc-2".to_owned() }, at(9), &graph, at(1));
    let recorded = records.run(&checks, None, &graph, at(2));
    let counts = recorded.results[0].counts;
    assert_eq!((recorded.results[0].verdict, counts.fail, counts.excepted), (Verdict::Fail, 0, 1));
    records.except(&checks, Scope::Whole, at(5), &graph, at(3));
    assert_eq!(records.run(&checks, None, &graph, at(4)).results[0].verdict, Verdict::Pass);
    assert_eq!(records.run(&checks, None, &graph, at(5)).results[0].verdict, Verdict::Fail);
    // And the other way round: the whole accepted, an asset not.
    records.except(&checks, Scope::Whole, at(20), &graph, at(6));
    let recorded = records.run(&checks, None, &graph, at(10));
    assert_eq!((recorded.results[0].verdict, recorded.results[0].counts.fail), (Verdict::Fail, 1));
}

#[test]
fn what_a_policy_denied_as_a_whole_is_resolved_only_by_a_policy_that_saw_all() {
    let checks = [policy()];
    let mut records = Records::new();
    records.run(&checks, None, &vpcs(3, 3, Outcome::Complete), at(0));
    let unseen = records.run(&checks, None, &vpcs(1, 1, Outcome::Denied), at(1));
    assert_eq!(kinds(&unseen), [(ChangeKind::BecameUnknown, "own-policy")]);
    let finding = records.finding("own-policy");
    assert_eq!((finding.status, finding.verdict), (Status::Open, AssetVerdict::Unknown));
    // It denies a VPC still, and the whole no more.
    let seen = records.run(&checks, None, &vpcs(0, 1, Outcome::Complete), at(2));
    assert_eq!(
        kinds(&seen),
        [(ChangeKind::Resolved, "own-policy"), (ChangeKind::Opened, "own-policy/vpc-0")]
    );
    assert_eq!(records.finding("own-policy").verdict, AssetVerdict::Pass);
}

#[test]
fn what_a_check_found_that_is_gone_is_closed_and_never_counts_as_passing() {
    let (few, policy) = (few(), policy());
    let (both, left) = ([few.clone(), policy.clone()], [few]);
    let graph = vpcs(1, 3, Outcome::Complete);
    let mut records = Records::new();
    records.run(&both, Some(&both), &graph, at(0));
    records.except(&[policy], Scope::Whole, at(90), &graph, at(1));
    // Where not all checks are known, none is gone.
    assert_eq!(kinds(&records.run(&left, None, &graph, at(2))), []);
    let recorded = records.run(&left, Some(&left), &graph, at(3));
    let closed = ["own-policy", "own-policy/vpc-1", "own-policy/vpc-2"];
    assert_eq!(kinds(&recorded), closed.map(|id| (ChangeKind::CheckGone, id)));
    for id in closed {
        let finding = records.finding(id);
        assert_eq!((finding.status, finding.verdict), (Status::Resolved, AssetVerdict::CheckGone));
        assert_eq!((finding.resolved_at, finding.resolved_in.len()), (Some(at(3)), 0));
    }
    assert_eq!(records.finding("own-few").status, Status::Open);
    let [_, run] = recorded.runs.as_slice() else { panic!("{:?}", recorded.runs) };
    assert_eq!((run.verdict, run.counts.unknown, run.resolved), (Verdict::Unknown, 3, 0));
    let said = "the check is gone: 3 findings were closed, and nobody says that what they are about passes";
    assert_eq!(run.error.as_deref(), Some(said));
    let state = || {
        let states = read_states(&records.store).unwrap();
        states.into_iter().find(|state| state.check_id == "own-policy").unwrap()
    };
    assert_eq!((state().verdict, state().gone_at), (Verdict::Unknown, Some(at(3))));
    // Once is enough, for this process and the next.
    assert_eq!(records.run(&left, Some(&left), &graph, at(4)).runs.len(), 1);
    records.memory = LedgerMemory::default();
    assert_eq!(records.run(&left, Some(&left), &graph, at(5)).runs.len(), 1);
    // It comes back: what fails opens again, under the same ids.
    let back = records.run(&both, Some(&both), &graph, at(6));
    let reopened = |id| (ChangeKind::Reopened, id);
    assert_eq!(
        kinds(&back),
        [(ChangeKind::Excepted, "own-policy"), reopened("own-policy/vpc-1"), reopened("own-policy/vpc-2")]
    );
    let states = read_states(&records.store).unwrap();
    assert!(states.iter().all(|state| state.gone_at.is_none()), "{states:?}");
}

#[test]
fn what_was_not_known_of_a_check_that_is_gone_is_let_go_of() {
    let (few, policy) = (few(), policy());
    let (both, left) = ([few.clone(), policy], [few]);
    let graph = vpcs(2, 2, Outcome::Denied);
    let mut records = Records::new();
    records.run(&both, Some(&both), &graph, at(0));
    let unknown = |records: &Records| {
        let mut ids = Vec::new();
        records.store.read_ledger("UnknownVerdict", "", &mut |asset| ids.push(asset.id)).unwrap();
        ids
    };
    assert_eq!(unknown(&records), ["own-few", "own-policy/vpc-0", "own-policy/vpc-1"]);
    records.run(&left, Some(&left), &graph, at(1));
    assert_eq!(unknown(&records), ["own-few"]);
}
