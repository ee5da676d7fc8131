//! Findings over time: what opens, resolves and reopens them, what leaves them alone, and what exceptions do.

use std::collections::{BTreeMap, BTreeSet};

use passmuster::{
    check::Verdict,
    check::{
        AssetName, Exception, ExceptionError, ExceptionRequest, ExceptionStatus, Reason, Scope, Severity,
        ledger::{
            AssetVerdict, ChangeKind, CheckState, Finding, Matches, Previous, SeenSlice, Settled, Settling,
            Standing, Status, UnknownVerdict, finding_id, settle, settle_exceptions,
        },
    },
    model::{SliceKey, Time},
};

const CHECK: &str = "logged";

fn at(millis: i64) -> Time {
    Time::from_millis(millis).expect("a time")
}

fn asset(id: &str) -> AssetName {
    AssetName {
        account_id: Some(if id.ends_with('9') { "9" } else { "1" }.to_owned()),
        region: Some("eu-west-1".to_owned()),
        typename: "Vpc".to_owned(),
        native_id: Some(id.to_owned()),
        id: id.to_owned(),
        name: None,
    }
}

fn seen(millis: i64) -> Vec<SeenSlice> {
    vec![SeenSlice { slice_id: "1/eu-west-1/Vpc".to_owned(), completed_at: Some(at(millis)) }]
}

fn fails(id: &str) -> Standing {
    Standing::Fails { asset: Some(asset(id)), priority: Vec::new(), seen_in: seen(1).into() }
}

fn unknown(id: &str) -> Standing {
    let slice = SliceKey::new("1", "eu-west-1", "FlowLog");
    Standing::Unknown { asset: Some(asset(id)), reasons: vec![Reason::NeverCollected { slice }] }
}

fn passes() -> Standing {
    Standing::Passes { seen_in: seen(2).into() }
}

fn exception(id: &str, scope: Scope, expires_at: i64) -> Exception {
    Exception {
        id: id.to_owned(),
        check_id: None,
        scope,
        owner: "net-team".to_owned(),
        reason: "it goes away".to_owned(),
        created_at: at(0),
        expires_at: at(expires_at),
        revoked_at: None,
        status: ExceptionStatus::Active,
    }
}

fn of_asset(id: &str, expires_at: i64) -> Exception {
    exception(&format!("exc-{id}"), Scope::Asset { asset_id: id.to_owned() }, expires_at)
}

/// What is known of one check, run after run, as a store would keep it.
#[derive(Default)]
struct Memory {
    known: Previous,
    exceptions: Vec<Exception>,
    matches: Matches,
}

impl Memory {
    fn settling(&self, now: i64) -> Settling<'_> {
        Settling {
            check_id: CHECK,
            severity: Severity::High,
            exceptions: &self.exceptions,
            matches: &self.matches,
            now: at(now),
        }
    }

    /// A run that says this of these assets; without standings one that could not be run.
    fn run(&mut self, now: i64, standings: Option<&[(&str, Standing)]>) -> Vec<(ChangeKind, String)> {
        let standings: Option<BTreeMap<String, Standing>> = standings.map(|standings| {
            standings.iter().map(|(id, standing)| (finding_id(CHECK, Some(id)), standing.clone())).collect()
        });
        let settled = settle(&self.known, standings.as_ref(), self.settling(now));
        let verdict = if standings.is_some() { Verdict::Pass } else { Verdict::Error };
        let judged = standings.is_some().then_some(at(now));
        let before = self.known.state.as_ref().and_then(|state| state.last_judged_at);
        self.known.state = Some(CheckState {
            check_id: CHECK.to_owned(),
            verdict,
            verdict_since: at(now),
            last_run_at: at(now),
            last_judged_at: judged.or(before),
            gone_at: None,
        });
        self.keep(settled)
    }

    /// Takes in what was settled, through the form in which it is stored.
    fn keep(&mut self, settled: Settled) -> Vec<(ChangeKind, String)> {
        for finding in settled.findings {
            let stored = Finding::from_asset(&finding.to_asset()).expect("a finding");
            assert_eq!(stored, finding);
            self.known.findings.insert(stored.id.clone(), stored);
        }
        for unknown in settled.unknown {
            let stored = UnknownVerdict::from_asset(&unknown.to_asset()).expect("an unknown verdict");
            assert_eq!(stored, unknown);
            self.known.unknown.insert(stored.id.clone(), stored);
        }
        for id in settled.known {
            self.known.unknown.remove(&id).expect("it was not known");
        }
        let name = |finding: &Finding| finding.asset.as_ref().expect("an asset").id.clone();
        settled.changes.iter().map(|change| (change.kind, name(&change.finding))).collect()
    }

    fn finding(&self, id: &str) -> &Finding {
        &self.known.findings[&finding_id(CHECK, Some(id))]
    }
}

fn told(kind: ChangeKind, id: &str) -> Vec<(ChangeKind, String)> {
    vec![(kind, id.to_owned())]
}

#[test]
fn a_finding_opens_resolves_and_opens_again_under_one_id() {
    let mut memory = Memory::default();
    assert_eq!(memory.run(10, Some(&[("a", fails("a"))])), told(ChangeKind::Opened, "a"));
    assert_eq!(memory.run(20, Some(&[("a", fails("a"))])), []);
    let open = memory.finding("a");
    assert_eq!((open.id.as_str(), open.opened_at, open.last_seen_at), ("logged/a", at(10), None));
    assert_eq!(open.seen_in, seen(1));
    assert_eq!(memory.run(30, Some(&[("a", passes())])), told(ChangeKind::Resolved, "a"));
    let resolved = memory.finding("a");
    assert_eq!((resolved.status, resolved.verdict), (Status::Resolved, AssetVerdict::Pass));
    assert_eq!((resolved.resolved_at, resolved.last_seen_at), (Some(at(30)), Some(at(20))));
    assert_eq!(resolved.resolved_in, seen(2));
    assert_eq!(memory.run(40, Some(&[("a", passes())])), []);
    assert_eq!(memory.run(50, Some(&[("a", fails("a"))])), told(ChangeKind::Reopened, "a"));
    let again = memory.finding("a");
    assert_eq!((again.opened_at, again.reopened_at, again.times_opened), (at(10), Some(at(50)), 2));
    assert_eq!((again.resolved_at, again.last_seen_at, again.resolved_in.len()), (None, None, 0));
    assert_eq!(again.since(), at(50));
}

#[test]
fn f2_nothing_is_resolved_by_what_is_not_known_not_seen_or_not_run() {
    let mut memory = Memory::default();
    memory.run(10, Some(&[("a", fails("a")), ("b", fails("b"))]));
    let both = [("a", unknown("a")), ("b", Standing::Unseen)];
    let became = |id: &str| (ChangeKind::BecameUnknown, id.to_owned());
    assert_eq!(memory.run(20, Some(&both)), [became("a"), became("b")]);
    assert_eq!(memory.run(30, Some(&both)), []);
    assert_eq!(memory.run(40, None), []);
    for id in ["a", "b"] {
        let finding = memory.finding(id);
        assert_eq!((finding.status, finding.verdict), (Status::Open, AssetVerdict::Unknown));
        assert_eq!((finding.last_seen_at, finding.unknown_since), (Some(at(10)), Some(at(20))));
    }
    assert_eq!(
        memory.known.unknown.keys().collect::<Vec<_>>(),
        ["logged/a"],
        "what is not there has no verdict"
    );
    let seen_again = (ChangeKind::SeenAgain, "a".to_owned());
    let gone = [("a", fails("a")), ("b", Standing::Gone { seen_in: seen(3).into() })];
    assert_eq!(memory.run(50, Some(&gone)), [seen_again, (ChangeKind::Resolved, "b".to_owned())]);
    assert_eq!(memory.finding("b").verdict, AssetVerdict::Gone);
    assert_eq!(memory.finding("b").last_seen_at, Some(at(10)), "not when it was not known");
    assert!(memory.known.unknown.is_empty());
}

#[test]
fn what_is_not_known_opens_nothing_and_is_kept_with_its_reasons() {
    let mut memory = Memory::default();
    assert_eq!(memory.run(10, Some(&[("a", unknown("a"))])), []);
    assert!(memory.known.findings.is_empty());
    let kept = &memory.known.unknown["logged/a"];
    assert_eq!((kept.since, kept.reasons[0].code.as_str()), (at(10), "never_collected"));
    // A resolved finding stays so.
    memory.run(20, Some(&[("a", fails("a"))]));
    memory.run(30, Some(&[("a", passes())]));
    assert_eq!(memory.run(40, Some(&[("a", unknown("a"))])), []);
    assert_eq!(memory.finding("a").status, Status::Resolved);
    assert_eq!(memory.known.unknown["logged/a"].since, at(40));
}

#[test]
fn a_reason_in_other_words_is_the_same_reason() {
    let denied = |request: &str| Reason::NotComplete {
        slice: SliceKey::new("1", "eu-west-1", "FlowLog"),
        api: "ec2:DescribeFlowLogs".to_owned(),
        outcome: passmuster::model::Outcome::Denied,
        reason: Some(format!("UnauthorizedOperation, request {request}")),
    };
    let of = |reasons: Vec<Reason>, now: i64| {
        UnknownVerdict::new((CHECK, Severity::Low), Some(asset("a")), &reasons, at(now))
    };
    let first = of(vec![denied("1")], 10);
    assert_eq!(of(vec![denied("2")], 20).following(&first), first);
    let slice = SliceKey::new("1", "eu-west-1", "FlowLog");
    let another = of(vec![denied("1"), Reason::TooOld { slice, completed_at: None }], 30).following(&first);
    assert_eq!((another.since, another.reasons.len()), (at(10), 2));
    let cell = |field: &str| Reason::Cell {
        typename: "Vpc".to_owned(),
        id: "a".to_owned(),
        field: field.to_owned(),
    };
    let of_cell = of(vec![cell("isDefault")], 10);
    let other_cell = of(vec![cell("name")], 20).following(&of_cell);
    assert_ne!(other_cell.reasons, of_cell.reasons, "another field is another reason");
}

#[test]
fn a_check_that_no_longer_judges_an_asset_resolves_its_finding_and_says_so() {
    let mut memory = Memory::default();
    memory.run(10, Some(&[("a", fails("a"))]));
    assert_eq!(memory.run(20, Some(&[("a", Standing::NotCovered)])), told(ChangeKind::Resolved, "a"));
    assert_eq!(memory.finding("a").verdict, AssetVerdict::NotCovered);
}

#[test]
fn an_exception_accepts_what_fails_until_it_ends_and_then_says_so() {
    let mut memory = Memory { exceptions: vec![of_asset("a", 30)], ..Memory::default() };
    let both = [("a", fails("a")), ("b", fails("b"))];
    let changes = memory.run(10, Some(&both));
    assert_eq!(changes, [(ChangeKind::Excepted, "a".to_owned()), (ChangeKind::Opened, "b".to_owned())]);
    assert_eq!(memory.finding("a").exception_id.as_deref(), Some("exc-a"));
    assert_eq!(memory.run(29, Some(&both)), []);
    assert_eq!(memory.run(30, Some(&both)), told(ChangeKind::ExceptionExpired, "a"));
    let reopened = memory.finding("a");
    assert_eq!((reopened.status, reopened.opened_at, reopened.times_opened), (Status::Open, at(10), 1));
    memory.exceptions = vec![of_asset("a", 90)];
    assert_eq!(memory.run(40, Some(&both)), told(ChangeKind::Excepted, "a"));
    memory.exceptions = vec![memory.exceptions[0].revoked(at(45))];
    assert_eq!(memory.run(50, Some(&both)), told(ChangeKind::ExceptionRevoked, "a"));
}

#[test]
fn an_exception_that_is_over_lets_go_even_where_a_check_cannot_be_run_or_does_not_know() {
    for standings in [None, Some([("a", unknown("a"))])] {
        let mut memory = Memory { exceptions: vec![of_asset("a", 30)], ..Memory::default() };
        memory.run(10, Some(&[("a", fails("a"))]));
        memory.run(20, standings.as_ref().map(|standings| &standings[..]));
        assert_eq!(memory.finding("a").status, Status::Excepted);
        let changes = memory.run(30, standings.as_ref().map(|standings| &standings[..]));
        assert_eq!(changes, told(ChangeKind::ExceptionExpired, "a"));
        assert_eq!(memory.finding("a").status, Status::Open);
    }
}

#[test]
fn an_exception_makes_nothing_of_what_is_not_known() {
    let mut memory = Memory { exceptions: vec![of_asset("a", 90)], ..Memory::default() };
    assert_eq!(memory.run(10, Some(&[("a", unknown("a"))])), []);
    assert!(memory.known.findings.is_empty());
    assert_eq!(memory.known.unknown.len(), 1);
}

#[test]
fn a_filter_accepts_only_what_it_is_certainly_true_of_and_lets_go_only_of_what_it_is_certainly_not() {
    let scope = Scope::Filter { typename: "Vpc".to_owned(), filter: "{isDefault: true}".to_owned() };
    let mut memory = Memory { exceptions: vec![exception("exc-f", scope, 90)], ..Memory::default() };
    let is = |ids: &[&str]| {
        BTreeMap::from([("exc-f".to_owned(), ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>())])
    };
    memory.matches = Matches { certain: BTreeMap::new(), possible: is(&["a"]) };
    assert_eq!(memory.run(10, Some(&[("a", fails("a"))])), told(ChangeKind::Opened, "a"));
    memory.matches = Matches { certain: is(&["a"]), possible: BTreeMap::new() };
    assert_eq!(memory.run(20, Some(&[("a", fails("a"))])), told(ChangeKind::Excepted, "a"));
    memory.matches = Matches { certain: BTreeMap::new(), possible: is(&["a"]) };
    assert_eq!(memory.run(30, Some(&[("a", fails("a"))])), []);
    memory.matches = Matches::default();
    assert_eq!(memory.run(40, Some(&[("a", unknown("a"))])), told(ChangeKind::BecameUnknown, "a"));
    assert_eq!(memory.finding("a").status, Status::Excepted);
    let left = [(ChangeKind::ExceptionLeft, "a".to_owned()), (ChangeKind::SeenAgain, "a".to_owned())];
    assert_eq!(memory.run(50, Some(&[("a", fails("a"))])), left);
}

#[test]
fn of_several_exceptions_the_one_that_accepts_a_finding_keeps_it_and_the_one_that_ends_last_takes_it_over() {
    let account = exception("exc-account", Scope::Account { account_id: "1".to_owned() }, 90);
    let mut memory = Memory { exceptions: vec![of_asset("a", 30)], ..Memory::default() };
    memory.run(10, Some(&[("a", fails("a"))]));
    memory.exceptions =
        vec![account, of_asset("a", 30), exception("exc-b", Scope::Asset { asset_id: "a".to_owned() }, 60)];
    assert_eq!(
        memory.run(20, Some(&[("a", fails("a")), ("b", fails("b"))])),
        told(ChangeKind::Excepted, "b")
    );
    assert_eq!(memory.finding("a").exception_id.as_deref(), Some("exc-a"));
    assert_eq!(memory.run(30, Some(&[("a", fails("a"))])), [], "another accepts it");
    assert_eq!(memory.finding("a").exception_id.as_deref(), Some("exc-account"));
    let other = Exception { check_id: Some("another".to_owned()), ..of_asset("c", 90) };
    memory.exceptions = vec![other];
    memory.known = Previous::default();
    assert_eq!(memory.run(40, Some(&[("c", fails("c"))])), told(ChangeKind::Opened, "c"));
}

#[test]
fn an_exception_needs_an_owner_a_reason_a_scope_and_an_end_that_is_to_come() {
    let request = |owner: &str, reason: &str, expires_at: i64| ExceptionRequest {
        check_id: None,
        scope: Scope::Asset { asset_id: "a".to_owned() },
        owner: owner.to_owned(),
        reason: reason.to_owned(),
        expires_at: at(expires_at),
    };
    let now = at(100);
    let refused = |request: ExceptionRequest| request.accept(now).unwrap_err().to_string();
    assert_eq!(refused(request("  ", "r", 200)), "an exception needs an owner: say who answers for it");
    assert_eq!(refused(request("o", "", 200)), "an exception needs a reason: say why it is accepted");
    let scope = Scope::Account { account_id: " ".to_owned() };
    let nothing = ExceptionRequest { scope, ..request("o", "r", 200) };
    assert!(refused(nothing).starts_with("an exception needs a scope"));
    for past in [99, 100] {
        assert!(matches!(request("o", "r", past).accept(now), Err(ExceptionError::Past { .. })));
    }
    assert!(matches!(
        request("o", &"r".repeat(2_001), 200).accept(now),
        Err(ExceptionError::TooLong { what: "a reason", bytes: 2_001, limit: 2_000 })
    ));
    let made = request("o", "r", 200).accept(now).unwrap();
    assert_eq!(Exception::from_asset(&made.to_asset()).unwrap(), made);
    assert_eq!(made.id, request("o", "another reason", 300).accept(now).unwrap().id);
    assert_ne!(made.id, request("p", "r", 200).accept(now).unwrap().id);
    assert_eq!(made.status_at(at(199)), ExceptionStatus::Active);
    assert_eq!(made.status_at(at(200)), ExceptionStatus::Expired);
    assert_eq!(made.revoked(at(150)).status_at(at(300)), ExceptionStatus::Revoked);
    assert_eq!(made.revoked(at(250)).status, ExceptionStatus::Expired, "it is over already");
}

#[test]
fn what_the_store_holds_and_makes_no_sense_is_refused_by_name() {
    let mut memory = Memory::default();
    memory.run(10, Some(&[("a", fails("a"))]));
    let asset = memory.finding("a").to_asset().with("status", "CLOSED");
    let misfit = Finding::from_asset(&asset).unwrap_err();
    assert_eq!(
        misfit.to_string(),
        "the `Finding` `logged/a` in the store makes no sense: `status` is missing or of another kind"
    );
    let asset = memory.finding("a").to_asset().with("openedAt", "yesterday");
    assert_eq!(Finding::from_asset(&asset).unwrap_err().field, "openedAt");
    let asset = memory.finding("a").to_asset().with("seenIn", serde_json::json!([{"slice": "x"}]));
    assert_eq!(Finding::from_asset(&asset).unwrap_err().field, "seenIn");
}

/// What a run said of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Fails,
    Passes,
    Unknown,
}

/// Everything that was said of one asset, and what is to be made of it, found by looking at all of it.
#[derive(Default)]
struct History(Vec<(i64, Truth)>);

impl History {
    fn certain(&self) -> Vec<(i64, Truth)> {
        self.0.iter().copied().filter(|(_, truth)| *truth != Truth::Unknown).collect()
    }

    /// The moments at which it opened: it fails and did not when it was last known.
    fn openings(&self) -> Vec<i64> {
        let certain = self.certain();
        let before = |place: usize| place.checked_sub(1).map(|place| certain[place].1);
        let opens = |(place, (_, truth)): &(usize, &(i64, Truth))| {
            *truth == Truth::Fails && before(*place) != Some(Truth::Fails)
        };
        certain.iter().enumerate().filter(opens).map(|(_, (at, _))| *at).collect()
    }

    fn last(&self, wanted: Truth) -> Option<i64> {
        self.0.iter().rev().find(|(_, truth)| *truth == wanted).map(|(at, _)| *at)
    }

    /// The first of the runs at the end that all say so.
    fn unknown_since(&self) -> Option<i64> {
        self.0.iter().rev().take_while(|(_, truth)| *truth == Truth::Unknown).last().map(|(at, _)| *at)
    }

    fn is_standing(&self) -> bool {
        self.certain().last().is_some_and(|(_, truth)| *truth == Truth::Fails)
    }

    fn resolved_at(&self) -> Option<i64> {
        let last = self.last(Truth::Fails)?;
        self.0.iter().find(|(at, truth)| *at > last && *truth == Truth::Passes).map(|(at, _)| *at)
    }
}

#[test]
fn any_history_ends_as_one_who_looks_at_all_of_it_would_say() {
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut memory = Memory::default();
        let mut histories: BTreeMap<&str, History> = BTreeMap::new();
        let mut now = 0;
        for _ in 0..random.usize(1..30) {
            now += random.i64(1..10);
            if random.u8(..) < 40 {
                let id = ["a", "b", "c9"][random.usize(..3)];
                let end = now + random.i64(1..40);
                let scope = match random.bool() {
                    true => Scope::Asset { asset_id: id.to_owned() },
                    false => Scope::Account { account_id: asset(id).account_id.unwrap() },
                };
                memory.exceptions.push(exception(&format!("exc-{now}"), scope, end));
            }
            if random.u8(..) < 20 && !memory.exceptions.is_empty() {
                let place = random.usize(..memory.exceptions.len());
                memory.exceptions[place] = memory.exceptions[place].revoked(at(now));
            }
            match random.u8(..10) {
                0 => drop(memory.run(now, None)),
                1 => {
                    let settled = settle_exceptions(memory.known.findings.values(), memory.settling(now));
                    memory.keep(settled);
                }
                _ => {
                    let mut standings = Vec::new();
                    for id in ["a", "b", "c9"] {
                        let is_found = memory.known.findings.contains_key(&finding_id(CHECK, Some(id)));
                        let (truth, standing) = match random.u8(..6) {
                            0 | 1 => (Truth::Fails, fails(id)),
                            2 => (Truth::Unknown, unknown(id)),
                            // Nobody asks of an asset that was never found to fail.
                            3 if is_found => (Truth::Unknown, Standing::Unseen),
                            4 if is_found => (Truth::Passes, Standing::Gone { seen_in: seen(now).into() }),
                            _ => (Truth::Passes, passes()),
                        };
                        histories.entry(id).or_default().0.push((now, truth));
                        standings.push((id, standing));
                    }
                    memory.run(now, Some(&standings));
                }
            }
            for (id, history) in &histories {
                check_against(history, &memory, id, now, seed);
            }
        }
    }
}

fn check_against(history: &History, memory: &Memory, id: &str, now: i64, seed: u64) {
    let place = format!("seed {seed}, {id} at {now}: {:?}", history.0);
    let openings = history.openings();
    let Some(finding) = memory.known.findings.get(&finding_id(CHECK, Some(id))) else {
        assert!(openings.is_empty(), "{place}");
        return;
    };
    let is_accepted = memory.exceptions.iter().any(|exception| {
        exception.status_at(at(now)) == ExceptionStatus::Active
            && match &exception.scope {
                Scope::Asset { asset_id } => asset_id == id,
                Scope::Account { account_id } => asset(id).account_id.as_ref() == Some(account_id),
                Scope::Filter { .. } | Scope::Whole => unreachable!("not made here"),
            }
    });
    let status = match (history.is_standing(), is_accepted) {
        (false, _) => Status::Resolved,
        (true, true) => Status::Excepted,
        (true, false) => Status::Open,
    };
    assert_eq!(finding.status, status, "{place}");
    assert_eq!(finding.times_opened, openings.len() as u64, "{place}");
    assert_eq!(Some(finding.opened_at), openings.first().copied().map(at), "{place}");
    assert_eq!(Some(finding.since()), openings.last().copied().map(at), "{place}");
    assert_eq!(finding.resolved_at, history.resolved_at().map(at), "{place}");
    let is_seen = history.0.last().is_some_and(|(_, truth)| *truth == Truth::Fails);
    let last_seen = history.last(Truth::Fails).filter(|_| !is_seen).map(at);
    assert_eq!(finding.last_seen_at, last_seen, "{place}");
    let unknown_since = history.unknown_since().filter(|_| history.is_standing()).map(at);
    assert_eq!(finding.unknown_since, unknown_since, "{place}");
    assert_eq!(finding.verdict == AssetVerdict::Unknown, unknown_since.is_some(), "{place}");
}
