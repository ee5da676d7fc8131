//! What is due, and how bursts of changes become few rebuilds.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use passmuster::{
    model::{Clock, FixedClock, Time},
    schedule::{Due, Rebuild, RunState, due, rebuild_loop, run_every},
};

const HOUR: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(20);

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn started(text: &str) -> RunState {
    RunState { last_started: Some(at(text)) }
}

#[test]
fn a_job_that_never_ran_is_due() {
    assert_eq!(due(at("2026-11-20T10:00"), RunState::default(), HOUR), Due::Now);
}

#[test]
fn a_job_is_due_one_interval_after_it_began() {
    let state = started("2026-11-20T10:00");
    assert_eq!(due(at("2026-11-20T10:00"), state, HOUR), Due::In(HOUR));
    assert_eq!(due(at("2026-11-20T10:59:59"), state, HOUR), Due::In(Duration::from_secs(1)));
    assert_eq!(due(at("2026-11-20T11:00"), state, HOUR), Due::Now);
    assert_eq!(due(at("2026-11-23T11:00"), state, HOUR), Due::Now, "once, however many were missed");
}

/// C5
#[test]
fn a_clock_that_was_set_back_delays_by_one_interval_at_most() {
    assert_eq!(due(at("2025-01-01"), started("2026-11-20T10:00"), HOUR), Due::In(HOUR));
}

#[tokio::test]
async fn a_job_runs_at_once_and_again_when_the_clock_says_so() {
    let clock = Arc::new(FixedClock::at(at("2026-11-20T10:00")));
    let runs = Arc::new(AtomicUsize::new(0));
    let job = || {
        let (runs, clock) = (Arc::clone(&runs), Arc::clone(&clock));
        async move {
            // Each of three runs takes a whole interval; after the third the clock stands.
            if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                let later = clock.now().millis() + 3_600_000;
                clock.set(Time::from_millis(later).unwrap());
            }
        }
    };
    let looping = run_every(HOUR, clock.clone(), job);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), looping).await.is_err(),
        "it never ends by itself"
    );
    assert_eq!(runs.load(Ordering::SeqCst), 3);
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
