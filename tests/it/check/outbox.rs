//! Messages of a run: in the record of the run, whatever ends the process, and of each record its own.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use passmuster::{
    check::{
        Check, Verdict, evaluate,
        ledger::{
            LedgerError, LedgerMemory, News, NoOutbox, Outbox, Recorded, Run, Trigger, record_run_from,
        },
    },
    graph::{Graph, GraphBuilder},
    model::{Asset, Outcome, SliceKey, SliceState, Time},
    notify::{Delivery, deliveries_addition, read_deliveries},
    query::Engine,
    store::{FaultPoint, Faults, LedgerAddition, Store, StoreOptions},
};
use tempfile::tempdir;

use super::shipped;

const CHECK: &str = "aws-vpc-flow-logs-enabled";
const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-west-1";

/// One message for each record that changes something.
#[derive(Default)]
struct Letters {
    made: Vec<(u64, usize)>,
    confirmed: usize,
}

impl Outbox for Letters {
    fn messages(&mut self, sequence: u64, news: &News<'_>) -> LedgerAddition {
        let told = news.changes.len() + news.unknown.len();
        if told == 0 {
            return LedgerAddition::default();
        }
        self.made.push((sequence, told));
        let id = format!("msg_{sequence}");
        let letter = Delivery::new(id, "ops", &sequence.to_string(), now(), format!("{told} changes"));
        deliveries_addition(&[letter], &[])
    }

    fn confirm(&mut self) {
        self.confirmed += 1;
    }
}

fn now() -> Time {
    "2026-11-27T12:00".parse().unwrap()
}

fn enabled() -> (&'static Engine, Check) {
    let (engine, checks) = shipped();
    (engine, checks.into_iter().find(|check| check.id == CHECK).unwrap())
}

/// VPCs of which none is logged, all seen.
fn unlogged(engine: &Engine, vpcs: usize) -> Graph {
    let mut builder = GraphBuilder::new(Arc::clone(engine.catalog()));
    for number in 0..vpcs {
        let vpc = Asset::new("Vpc", format!("vpc-{number}"))
            .with("vpcId", format!("vpc-{number}"))
            .with("accountId", ACCOUNT)
            .with("region", REGION);
        builder.push(&vpc).unwrap();
    }
    let slice = |typename: &str| SliceState {
        key: SliceKey::new(ACCOUNT, REGION, typename),
        api: String::new(),
        outcome: Outcome::Complete,
        reason: None,
        attempted_at: Some(now()),
        completed_at: Some(now()),
        assets: 0,
    };
    builder.finish(Some(vec![slice("Vpc"), slice("FlowLog")]), now()).unwrap()
}

fn record(
    store: &Store,
    memory: &mut LedgerMemory,
    (graph, at): (&Graph, Time),
    outbox: &mut dyn Outbox,
) -> Result<Recorded, LedgerError> {
    let (engine, check) = enabled();
    let result = evaluate(&check, engine, graph, at);
    assert_eq!(result.verdict, Verdict::Fail);
    let run = Run {
        all: None,
        checks: std::slice::from_ref(&check),
        engine,
        graph,
        now: at,
        trigger: Trigger::Collection,
    };
    record_run_from(store, memory, &[result], run, outbox)
}

fn open(folder: &Path, faults: Faults) -> Store {
    Store::open(folder, &StoreOptions { faults, ..StoreOptions::default() }).unwrap().store
}

fn ids(store: &Store, typename: &str) -> Vec<String> {
    let mut ids = Vec::new();
    store.read_ledger(typename, "", &mut |asset| ids.push(asset.id)).unwrap();
    ids
}

#[test]
fn a_verdict_and_its_messages_are_both_there_or_neither_wherever_the_process_ends() {
    let graph = unlogged(enabled().0, 2);
    let points = [
        (FaultPoint::RecordWrite, false),
        (FaultPoint::RecordSync, false),
        (FaultPoint::IndexWrite, true),
        (FaultPoint::Acknowledge, true),
    ];
    for (point, is_on_record) in points {
        let folder = tempdir().unwrap();
        let faults = Faults::new(move |reached| {
            if reached == point { Err(io::Error::other("the process ends here")) } else { Ok(()) }
        });
        let mut letters = Letters::default();
        let store = open(folder.path(), faults);
        record(&store, &mut LedgerMemory::default(), (&graph, now()), &mut letters).unwrap_err();
        assert_eq!((letters.made.as_slice(), letters.confirmed), (&[(1, 2)][..], 0), "{point:?}");
        drop(store);
        // The next process finds what was to be told exactly where it finds what it tells of.
        let store = open(folder.path(), Faults::default());
        assert_eq!(ids(&store, "Finding").len(), if is_on_record { 2 } else { 0 }, "{point:?}");
        let waiting: Vec<String> = read_deliveries(&store).unwrap().into_iter().map(|one| one.run).collect();
        assert_eq!(waiting, if is_on_record { vec!["1"] } else { Vec::new() }, "{point:?}");
        // What never was on record is told by the run that puts it there; what was is not told again.
        let mut later = Letters::default();
        record(&store, &mut LedgerMemory::default(), (&graph, now()), &mut later).unwrap();
        assert_eq!(later.made.len(), usize::from(!is_on_record), "{point:?}");
        assert_eq!(read_deliveries(&store).unwrap().len(), 1, "{point:?}");
    }
}

#[test]
fn a_message_is_in_the_record_that_it_names() {
    let (folder, graph) = (tempdir().unwrap(), unlogged(enabled().0, 2));
    let store = open(folder.path(), Faults::default());
    let (mut memory, mut letters) = (LedgerMemory::default(), Letters::default());
    let recorded = record(&store, &mut memory, (&graph, now()), &mut letters).unwrap();
    assert_eq!((letters.made.as_slice(), letters.confirmed), (&[(1, 2)][..], 1));
    assert_eq!(recorded.sequence, Some(1));
    let [finding, _] = &ids(&store, "Finding")[..] else { panic!("two findings") };
    let record_of = |typename: &str, id: &str| store.versions(typename, id).unwrap()[0].sequence;
    assert_eq!(record_of("Finding", finding), record_of("Notification", "msg_1"));
    // A run that changes nothing is a record, and nothing to tell.
    let later = Time::from_millis(now().millis() + 1000).unwrap();
    record(&store, &mut memory, (&graph, later), &mut letters).unwrap();
    assert_eq!((letters.made.len(), store.sequence()), (1, 2));
}

#[test]
fn of_a_run_in_several_records_each_tells_of_its_own_changes() {
    let (folder, graph) = (tempdir().unwrap(), unlogged(enabled().0, 3));
    let store = open(folder.path(), Faults::default());
    let recorded = record(&store, &mut LedgerMemory::default(), (&graph, now()), &mut NoOutbox).unwrap();
    let mut news = News { changes: recorded.changes.iter().collect(), unknown: Vec::new() };
    let first = recorded.changes[1].finding.to_asset();
    let same_id_of_another_type = Asset::new("UnknownVerdict", recorded.changes[0].finding.id.clone());
    let told = |news: &News<'_>| -> Vec<String> {
        news.changes.iter().map(|change| change.finding.asset.as_ref().unwrap().id.clone()).collect()
    };
    let part = news.split_off(&[first, same_id_of_another_type]);
    assert_eq!(told(&part), ["vpc-1"]);
    assert_eq!(told(&news), ["vpc-0", "vpc-2"]);
}

#[test]
fn a_process_that_remembers_reads_the_ledger_once_and_again_only_where_others_wrote() {
    let (folder, graph) = (tempdir().unwrap(), unlogged(enabled().0, 5));
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let faults = Faults::new(move |reached| {
        if reached == FaultPoint::LedgerRead {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    let store = open(folder.path(), faults);
    let (mut memory, moment) = (LedgerMemory::default(), AtomicU64::new(0));
    let mut run = || {
        let passed = i64::try_from(moment.fetch_add(1000, Ordering::SeqCst)).unwrap();
        let at = Time::from_millis(now().millis() + passed).unwrap();
        let before = reads.load(Ordering::SeqCst);
        record(&store, &mut memory, (&graph, at), &mut NoOutbox).unwrap();
        reads.load(Ordering::SeqCst) - before
    };
    assert!(run() > 0, "nothing is remembered yet");
    // More runs than are kept: which of them go is remembered as well.
    for _ in 0..102 {
        assert_eq!(run(), 0);
    }
    assert_eq!(ids(&store, "CheckRun").len(), 100);
    // What a message becomes is no business of a run.
    let letter = Delivery::new("msg_1".to_owned(), "ops", "1", now(), "{}".to_owned());
    passmuster::notify::keep_deliveries(&store, now(), &[letter], &[]).unwrap();
    assert_eq!(run(), 0);
    let later = Time::from_millis(now().millis() + 1_000_000).unwrap();
    record(&store, &mut LedgerMemory::default(), (&graph, later), &mut NoOutbox).unwrap();
    assert!(run() > 0, "another wrote");
    assert_eq!(run(), 0);
}
