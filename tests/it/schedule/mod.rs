//! When jobs recur and which are due, the loop that runs them, and how bursts of changes become few rebuilds.

mod cron;
mod due;
mod kept;
mod running;

use std::{
    sync::{Mutex, mpsc},
    time::Duration,
};

use passmuster::{
    model::Time,
    schedule::{Rebuild, rebuild_loop},
};

const PATIENCE: Duration = Duration::from_secs(20);

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_changes_during_a_rebuild_cause_one_more() {
    let (begun, has_begun) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let may_finish = Mutex::new(may_finish);
    let rebuild = Rebuild::default();
    let looping = tokio::spawn(rebuild_loop(rebuild.clone(), move || {
        begun.send(()).unwrap();
        may_finish.lock().unwrap().recv_timeout(PATIENCE).unwrap();
    }));
    let counted = tokio::task::spawn_blocking(move || {
        rebuild.request();
        has_begun.recv_timeout(PATIENCE).unwrap();
        for _ in 0..100 {
            rebuild.request();
        }
        finish.send(()).unwrap();
        has_begun.recv_timeout(PATIENCE).unwrap();
        finish.send(()).unwrap();
        has_begun.recv_timeout(Duration::from_millis(100)).is_err()
    });
    assert!(counted.await.unwrap(), "a hundred requests were one rebuild");
    looping.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_panics_does_not_end_the_rebuilding() {
    let (begun, has_begun) = mpsc::channel();
    let rebuild = Rebuild::default();
    let looping = tokio::spawn(rebuild_loop(rebuild.clone(), move || {
        begun.send(()).unwrap();
        panic!("as a test of panics does");
    }));
    let again = tokio::task::spawn_blocking(move || {
        rebuild.request();
        has_begun.recv_timeout(PATIENCE).unwrap();
        rebuild.request();
        has_begun.recv_timeout(PATIENCE)
    });
    assert_eq!(again.await.unwrap(), Ok(()));
    looping.abort();
}
