//! `verify`: what it counts, and that it finds what is wrong without changing or failing on it.

use std::fs;

use passmuster::{
    model::Outcome,
    store::{StoreError, VerifyReport, verify},
};
use tempfile::tempdir;

use super::{Numbers, copy_folder, flip, open_clean, put, segments, vpc};

#[test]
fn a_sound_store_is_counted() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16"), vpc("b", "10.1.0.0/16")]);
    put(&store, Outcome::Complete, 2_000, vec![vpc("b", "10.9.0.0/16")]);
    let hash = store.journal_hash();
    drop(store);
    let report = verify(dir.path()).unwrap();
    let bytes = fs::metadata(&segments(dir.path())[0]).unwrap().len();
    let expected = VerifyReport {
        records: 2,
        segments: 1,
        bytes,
        sequence: 2,
        hash,
        assets: 1,
        versions: 4,
        slices: 1,
        ledger: 0,
        image: None,
        notes: vec![],
        problems: vec![],
    };
    assert_eq!(report, expected);
}

#[test]
fn a_folder_without_a_store_is_an_error() {
    let dir = tempdir().unwrap();
    assert!(matches!(verify(dir.path()), Err(StoreError::Absent { .. })));
    assert!(matches!(verify(&dir.path().join("none")), Err(StoreError::Absent { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was created");
}

#[test]
fn a_store_without_its_journal_is_reported() {
    let dir = tempdir().unwrap();
    put(&open_clean(dir.path()), Outcome::Complete, 1_000, vec![]);
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    let report = verify(dir.path()).unwrap();
    assert_eq!(report.problems[0].problem, "the journal is missing");
}

/// Every file of the store, damaged in many places: a report or a clear error, never a panic.
#[test]
fn damage_anywhere_is_reported_or_harmless() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    for at in 1..=4 {
        put(
            &store,
            Outcome::Complete,
            at,
            vec![vpc("a", &format!("10.{at}.0.0/16")), vpc("b", "10.0.0.0/16")],
        );
    }
    drop(store);
    let mut numbers = Numbers(3);
    let journal = segments(dir.path())[0].file_name().unwrap().to_owned();
    let length = fs::metadata(&segments(dir.path())[0]).unwrap().len();
    for _ in 0..60 {
        let scratch = tempdir().unwrap();
        copy_folder(dir.path(), scratch.path());
        let place = numbers.below(usize::try_from(length).unwrap());
        flip(&scratch.path().join("journal").join(&journal), place, 3);
        let report = verify(scratch.path()).unwrap();
        assert!(!report.is_sound(), "byte {place} of the journal: {report:?}");
        for problem in &report.problems {
            assert!(!problem.place.is_empty() && !problem.remedy.is_empty(), "{problem:?}");
        }
    }
    for _ in 0..40 {
        let scratch = tempdir().unwrap();
        copy_folder(dir.path(), scratch.path());
        flip(&scratch.path().join("index/db"), numbers.below(2_000), 5);
        let report = verify(scratch.path()).unwrap();
        assert_eq!(report.records, 4);
        for problem in &report.problems {
            assert!(problem.remedy.contains("rebuilt from the journal"), "{problem:?}");
        }
    }
}
