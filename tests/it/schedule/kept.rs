//! What is known of jobs, through the store and a restart.

use std::time::Duration;

use passmuster::{
    schedule::{JobName, JobOutcome, JobState, Known, When, keep_jobs, read_jobs},
    store::{Store, StoreOptions},
};

use super::at;

#[test]
fn what_is_known_of_jobs_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), &StoreOptions::default()).unwrap().store;
    let now = at("2026-11-20T06:00:01.234");
    let every = When::Every(Duration::from_secs(3600));
    let fresh = JobState::known(now, &every);
    let known = Known::from([
        (JobName::Collection("all".to_owned()), fresh.begun(now, at("2026-11-20T06:00"), 3)),
        (JobName::Check("c1".to_owned()), fresh.clone()),
        (
            JobName::Check("c2".to_owned()),
            fresh.begun(now, now, 0).ended(now, JobOutcome::Failed, "no \"credentials\"\n"),
        ),
    ]);
    let states =
        || known.clone().into_iter().map(|(name, state)| (name, state, Some(at("2026-11-20T07:00"))));
    let store = open();
    assert_eq!(read_jobs(&store).unwrap(), Known::new());
    let first = keep_jobs(&store, now, states()).unwrap();
    assert!(first.is_some());
    assert_eq!(keep_jobs(&store, now, states()).unwrap(), None, "what is as it was is not written");
    assert_eq!(keep_jobs(&store, now, []).unwrap(), None);
    assert_eq!(read_jobs(&store).unwrap(), known);
    drop(store);
    let store = open();
    assert_eq!(read_jobs(&store).unwrap(), known);
    assert_eq!(store.sequence(), first.unwrap());
}
