//! Regions that hang, and collections that are broken off half-way.

use std::{
    error::Error,
    io::{self, BufRead, BufReader},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use passmuster::{
    collect::{CollectError, CollectOptions, Patience, collect},
    model::{GLOBAL_REGION, Outcome},
    store::{FaultPoint, Faults, Store, StoreOptions},
};

use super::{
    bench::{Bench, assets_of, open, quick},
    child::{self, child},
};
use crate::support::{
    aws::{REGIONS, TestAccount, populate},
    fault_server::{Fault, FaultServer, Rule},
    moto::moto,
};

#[tokio::test]
async fn c7_a_region_that_hangs_fails_in_bounded_time_and_holds_up_no_other() {
    let rules = [Rule::on("DescribeVpcs", Fault::Hang).in_region("eu-west-1")];
    let server = FaultServer::start(&moto().url, rules);
    let mut bench = Bench::new(TestAccount::new().await, &server.url);
    // Long enough for the region that answers, on a busy machine too.
    bench.patience = Patience { attempt_timeout: Duration::from_millis(2_500), attempts: 2, ..quick() };
    let report = bench.collect(&REGIONS, &["Vpc"]).await.expect("a collection");
    let slice = bench.slice("eu-west-1", "Vpc");
    assert_eq!(slice.outcome, Outcome::Failed);
    assert_eq!(slice.reason.as_deref(), Some("ec2:DescribeVpcs: no answer in time"));
    assert_eq!(bench.slice("us-east-1", "Vpc").outcome, Outcome::Complete);
    assert_eq!(report.slices.len(), 2);
    assert_eq!(server.calls("DescribeVpcs", "eu-west-1"), 2);
}

#[tokio::test]
async fn c4_a_collection_that_is_dropped_half_way_tears_no_slice_and_the_next_one_converges() {
    let truth = populate().await;
    let rules = [Rule::on("DescribeFlowLogs", Fault::Hang)];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Arc::new(Bench::new(truth.account.clone(), &server.url));

    // Everything but the flow logs gets through; then the collection is dropped where it hangs.
    let events = Arc::clone(&bench.events);
    let others = 2 + 10 * REGIONS.len();
    let others_done = async {
        while events.lock().expect("events").len() < 1 + others {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = bench.collect(&REGIONS, &[]) => panic!("the flow logs hang"),
        () = others_done => {}
    }
    assert_eq!(bench.keys().len(), others);
    let vpcs = bench.assets("eu-west-1", "Vpc").len();
    assert_eq!(vpcs, truth.ids("eu-west-1", |_| true).len(), "a slice that was committed is whole");

    server.set_rules([]);
    let report = bench.collect(&REGIONS, &[]).await.expect("a collection");
    assert!(report.is_complete());
    let logs: usize = REGIONS.iter().map(|region| bench.assets(region, "FlowLog").len()).sum();
    assert_eq!(logs, truth.flow_logs);
}

/// Starts a collection in a process of its own and kills it (SIGKILL) once so many slices are committed.
fn kill_after(slices: usize, folder: &Path, variables: &[(&str, String)]) {
    let mut child = child(folder, variables).spawn().expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let done = lines.map_while(Result::ok).filter(|line| line.starts_with("DONE ")).take(slices).count();
    child.kill().expect("a kill");
    child.wait().expect("its end");
    assert_eq!(done, slices, "the child did not come so far");
}

#[tokio::test]
async fn c4_a_collection_that_is_killed_leaves_whole_slices_and_the_next_one_converges() {
    let truth = populate().await;
    let server = FaultServer::start(&moto().url, [Rule::on("DescribeFlowLogs", Fault::Hang)]);
    let mut bench = Bench::new(truth.account.clone(), &server.url);
    let folder = tempfile::tempdir().expect("a folder");
    let mut variables = truth.account.environment(&server.url, "us-east-1");
    variables.push((child::REGIONS, REGIONS.join(",")));

    for slices in [1, 4, 6] {
        kill_after(slices, folder.path(), &variables);
        let store = open(folder.path());
        let kept = store.slices().expect("slices");
        assert!(kept.len() >= slices, "what was told as done is there");
        for region in kept.iter().filter(|slice| slice.key.asset_type == "Vpc").map(|slice| &slice.key.region)
        {
            let vpcs = assets_of(&store, region, "Vpc");
            assert_eq!(vpcs.len(), truth.ids(region, |_| true).len(), "a slice that is there is whole");
        }
    }
    bench.store = open(folder.path());
    server.set_rules([]);
    let report = bench.collect(&REGIONS, &[]).await.expect("a collection");
    assert!(report.is_complete());
    assert_eq!(bench.assets(GLOBAL_REGION, "FlowLog").len(), truth.flow_logs);
}

#[tokio::test]
async fn no_more_slices_are_read_at_a_time_than_allowed() {
    let rules = [Rule::on("DescribeVpcs", Fault::Hang)];
    let server = FaultServer::start(&moto().url, rules);
    let bench = Bench::new(TestAccount::new().await, &server.url);
    let regions = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1"];
    let options = CollectOptions { concurrency: 2, ..bench.options(&regions, &["Vpc"]) };
    let called = || server.regions_called("DescribeVpcs").len();
    let two_called_and_a_while_later = async {
        while called() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    tokio::select! {
        _ = collect(options, bench.store.clone(), bench.clock.clone(), Arc::new(|_| {})) => panic!("they hang"),
        () = two_called_and_a_while_later => assert_eq!(called(), 2),
    }
}

#[tokio::test]
async fn a_store_that_takes_no_more_stops_the_collection_and_keeps_what_it_has() {
    let mut bench = Bench::new(TestAccount::new().await, &moto().url);
    let folder = tempfile::tempdir().expect("a folder");
    let written = AtomicUsize::new(0);
    let full = Faults::new(move |point| match point {
        FaultPoint::RecordWrite if written.fetch_add(1, Ordering::SeqCst) >= 3 => {
            Err(io::ErrorKind::StorageFull.into())
        }
        _ => Ok(()),
    });
    let options = StoreOptions { faults: full, ..StoreOptions::default() };
    bench.store = Arc::new(Store::open(folder.path(), &options).expect("a store").store);

    let error = bench.collect(&REGIONS, &[]).await.expect_err("the disk is full");
    assert!(matches!(error, CollectError::Store { .. }), "{error:?}");
    assert!(error.source().is_some(), "the store says why");
    assert_eq!(bench.keys().len(), 3);
}
