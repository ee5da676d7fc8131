//! Regions that hang, and collections that are broken off half-way.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use passmuster::{
    collect::{CollectError, CommitReport, Patience, SliceCommit, SliceSink, collect},
    model::Outcome,
};

use super::bench::{Bench, Shelf, quick};
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
    bench.patience = Patience { attempt_timeout: Duration::from_millis(700), attempts: 2, ..quick() };
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
    let six_done = async {
        while events.lock().expect("events").len() < 1 + 6 {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = bench.collect(&REGIONS, &[]) => panic!("the flow logs hang"),
        () = six_done => {}
    }
    assert_eq!(bench.shelf.keys().len(), 6);
    let vpcs = bench.assets("eu-west-1", "Vpc").len();
    assert_eq!(vpcs, truth.ids("eu-west-1", |_| true).len(), "a slice that was committed is whole");

    server.set_rules([]);
    let report = bench.collect(&REGIONS, &[]).await.expect("a collection");
    assert!(report.is_complete());
    let logs: usize = REGIONS.iter().map(|region| bench.assets(region, "FlowLog").len()).sum();
    assert_eq!(logs, truth.flow_logs);
}

/// Takes so many slices and refuses the next.
#[derive(Debug)]
struct FullShelf {
    room: AtomicUsize,
    shelf: Shelf,
}

impl SliceSink for FullShelf {
    fn commit(&self, commit: SliceCommit) -> Result<CommitReport, Box<dyn Error + Send + Sync>> {
        let left = self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |room| room.checked_sub(1));
        left.map_err(|_| "the disk is full")?;
        self.shelf.commit(commit)
    }
}

#[tokio::test]
async fn a_store_that_takes_no_more_stops_the_collection_and_keeps_what_it_has() {
    let bench = Bench::new(TestAccount::new().await, &moto().url);
    let sink = Arc::new(FullShelf { room: AtomicUsize::new(3), shelf: Shelf::default() });
    let options = bench.options(&REGIONS, &[]);
    let error = collect(options, Arc::clone(&sink) as _, bench.clock.clone(), Arc::new(|_| {}))
        .await
        .expect_err("the disk is full");
    assert!(matches!(error, CollectError::Store { .. }), "{error:?}");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("the disk is full"));
    assert_eq!(sink.shelf.keys().len(), 3);
}
