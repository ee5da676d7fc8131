//! Slices that the disk confirms together: the same store as one by one, a beginning of the group after a crash, and no
//! excuse for damage once they were acknowledged.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use passmuster::{
    model::{Outcome, SliceKey},
    store::{FaultPoint, Faults, SliceCommit, Store, StoreError, StoreOptions, verify},
};
use tempfile::{TempDir, tempdir};

use super::{
    OTHER, OWNER, REGION, commit, commit_of, contents, copy_folder, flip, ids, open, open_clean, put,
    refusal, segments, vpc,
};

/// Slices that share an asset, change what was there, remove, fail, and come twice.
fn group() -> Vec<SliceCommit> {
    let slice = |account: &str, region: &str| SliceKey::new(account, region, "Vpc");
    let shared = || vec![vpc("a", "10.0.0.0/16"), vpc("shared", "10.5.0.0/16")];
    vec![
        commit(Outcome::Complete, 2_000, shared()),
        commit_of(slice(OTHER, REGION), Outcome::Complete, 3_000, vec![vpc("shared", "10.5.0.0/16")]),
        commit_of(slice(OTHER, "us-east-1"), Outcome::Denied, 1_500, Vec::new()),
        commit_of(slice(OWNER, "us-east-1"), Outcome::Complete, 1_600, vec![vpc("c", "10.2.0.0/16")]),
        commit_of(slice(OWNER, "us-east-1"), Outcome::Failed, 1_700, Vec::new()),
    ]
}

/// A store with one commit that a group comes after.
fn store_before() -> TempDir {
    let dir = tempdir().unwrap();
    put(
        &open_clean(dir.path()),
        Outcome::Complete,
        1_000,
        vec![vpc("a", "10.9.0.0/16"), vpc("b", "10.1.0.0/16")],
    );
    dir
}

/// What the store holds after each beginning of the group, committed one by one.
fn beginnings() -> Vec<String> {
    let dir = store_before();
    let store = open_clean(dir.path());
    let mut found = vec![contents(&store)];
    for commit in group() {
        store.commit_slice(commit).unwrap();
        found.push(contents(&store));
    }
    found
}

#[test]
fn a_group_leaves_the_journal_and_the_reports_that_commits_one_by_one_leave() {
    let (dir, other) = (store_before(), store_before());
    let (store, one_by_one) = (open_clean(dir.path()), open_clean(other.path()));
    let reports = store.commit_slices(group()).unwrap();
    let expected: Vec<_> =
        group().into_iter().map(|commit| one_by_one.commit_slice(commit).unwrap()).collect();
    assert_eq!(reports, expected);
    assert_eq!(store.journal_hash(), one_by_one.journal_hash());
    assert_eq!(contents(&store), contents(&one_by_one));
    drop((store, one_by_one));
    assert!(verify(dir.path()).unwrap().is_sound());
    // The index that the group wrote is the one that the journal gives.
    assert_eq!(Some(&contents(&open_clean(dir.path()))), beginnings().last());
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    assert_eq!(Some(&contents(&open(dir.path()).store)), beginnings().last());
}

#[test]
fn an_empty_group_is_no_commit() {
    let dir = store_before();
    let store = open_clean(dir.path());
    assert_eq!(store.commit_slices(Vec::new()).unwrap(), []);
    assert_eq!(store.sequence(), 1);
}

#[test]
fn a_group_with_a_slice_that_makes_no_sense_is_refused_whole() {
    let dir = store_before();
    let store = open_clean(dir.path());
    let mut commits = group();
    commits.push(commit_of(
        SliceKey::new(OWNER, REGION, "Subnet"),
        Outcome::Complete,
        9,
        vec![vpc("x", "y")],
    ));
    assert!(matches!(store.commit_slices(commits), Err(StoreError::WrongType { .. })));
    assert_eq!(store.sequence(), 1);
}

/// A store with the faults of a test.
fn open_with(dir: &Path, hook: impl Fn(FaultPoint) -> io::Result<()> + Send + Sync + 'static) -> Store {
    let options = StoreOptions { faults: Faults::new(hook), ..StoreOptions::default() };
    Store::open(dir, &options).unwrap().store
}

/// What the disk holds when the `number`th of these points is reached while a group is committed.
fn killed_at(point: FaultPoint, number: usize) -> TempDir {
    let (dir, left) = (store_before(), tempdir().unwrap());
    let (from, to) = (dir.path().to_owned(), left.path().to_owned());
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let store = open_with(dir.path(), move |at| {
        if at == point && counted.fetch_add(1, Ordering::SeqCst) + 1 == number {
            copy_folder(&from, &to);
        }
        Ok(())
    });
    store.commit_slices(group()).unwrap();
    assert!(reached.load(Ordering::SeqCst) >= number, "{point:?}");
    left
}

#[test]
fn a_kill_at_any_point_of_a_group_leaves_a_beginning_of_it() {
    // The fifth slice was there before in the same call: it is a group of its own.
    let points = [
        (FaultPoint::GroupNote, 1, 0),
        (FaultPoint::RecordWrite, 1, 0),
        (FaultPoint::RecordWrite, 2, 1),
        (FaultPoint::RecordWrite, 4, 3),
        (FaultPoint::RecordSync, 1, 4),
        (FaultPoint::IndexWrite, 1, 4),
        (FaultPoint::Acknowledge, 1, 4),
        (FaultPoint::GroupNote, 2, 4),
        (FaultPoint::IndexWrite, 2, 5),
    ];
    for (point, number, expected) in points {
        let left = killed_at(point, number);
        let opened = open(left.path());
        assert_eq!(contents(&opened.store), beginnings()[expected], "{point:?} {number}");
        // And the store goes on.
        put(&opened.store, Outcome::Complete, 9_000, vec![vpc("z", "10.8.0.0/16")]);
        drop(opened);
        assert!(ids(&open_clean(left.path())).contains(&"z".to_owned()));
        assert!(verify(left.path()).unwrap().is_sound());
    }
}

fn segment_of(dir: &Path) -> std::path::PathBuf {
    segments(dir).pop().unwrap()
}

/// Where each record of a segment begins, and at the end where the last one ends.
fn places(dir: &Path) -> Vec<usize> {
    let bytes = fs::read(segment_of(dir)).unwrap();
    let begins = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"PMr\x01"));
    begins.chain([bytes.len()]).collect()
}

#[test]
fn pages_of_a_group_that_a_power_cut_lost_are_cut_off_with_what_follows_them() {
    for lost in 1..=3 {
        let left = killed_at(FaultPoint::RecordSync, 1);
        let places = places(left.path());
        assert_eq!(places.len(), 6, "five records");
        let segment = segment_of(left.path());
        let mut bytes = fs::read(&segment).unwrap();
        bytes[places[lost]..places[lost + 1]].fill(0);
        fs::write(&segment, bytes).unwrap();
        let opened = open(left.path());
        assert_eq!(contents(&opened.store), beginnings()[lost - 1]);
        assert!(
            opened.notes[0].contains("was cut short by a crash before it was confirmed"),
            "{:?}",
            opened.notes
        );
        drop(opened);
        assert_eq!(contents(&open_clean(left.path())), beginnings()[lost - 1]);
        assert!(verify(left.path()).unwrap().is_sound());
    }
}

#[test]
fn without_the_note_of_the_group_a_lost_page_is_damage() {
    let left = killed_at(FaultPoint::RecordSync, 1);
    fs::remove_file(left.path().join("journal/group")).unwrap();
    flip(&segment_of(left.path()), places(left.path())[2] + 60, 3);
    let refused = refusal(Store::open(left.path(), &StoreOptions::default()));
    assert!(matches!(refused, StoreError::JournalDamaged { sequence: 3, .. }), "{refused}");
}

#[test]
fn damage_in_a_group_that_was_acknowledged_is_damage() {
    let dir = store_before();
    open_clean(dir.path()).commit_slices(group()).unwrap();
    flip(&segment_of(dir.path()), places(dir.path())[2] + 60, 3);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(matches!(refused, StoreError::JournalDamaged { sequence: 3, .. }), "{refused}");
}

#[test]
fn a_group_that_could_not_be_written_costs_nothing_but_itself() {
    for point in [FaultPoint::GroupNote, FaultPoint::RecordWrite] {
        let dir = store_before();
        let failing = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&failing);
        let first = if point == FaultPoint::RecordWrite { 2 } else { 1 };
        let store = open_with(dir.path(), move |at| {
            let is_failing = at == point && count.fetch_add(1, Ordering::SeqCst) + 1 == first;
            if is_failing { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        });
        assert!(matches!(store.commit_slices(group()), Err(StoreError::NotWritten { .. })));
        assert_eq!(contents(&store), beginnings()[0]);
        store.commit_slices(group()).unwrap();
        assert_eq!(Some(&contents(&store)), beginnings().last());
        drop(store);
        assert_eq!(Some(&contents(&open_clean(dir.path()))), beginnings().last());
    }
}

#[test]
fn after_a_group_that_was_not_confirmed_the_store_takes_nothing() {
    let dir = store_before();
    let store = open_with(dir.path(), |at| match at {
        FaultPoint::RecordSync => Err(io::Error::other("the disk is gone")),
        _ => Ok(()),
    });
    assert!(matches!(store.commit_slices(group()), Err(StoreError::NotSynced { .. })));
    assert!(matches!(store.commit_slices(group()), Err(StoreError::Closed { .. })));
    assert!(matches!(store.commit_slice(group().remove(0)), Err(StoreError::Closed { .. })));
    drop(store);
    assert_eq!(contents(&open(dir.path()).store), beginnings()[0]);
}
