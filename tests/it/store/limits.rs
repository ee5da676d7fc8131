//! Full disks, disks that fail, large assets, other versions, folders that are none.

use std::{
    fs,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use passmuster::{
    model::{Asset, Outcome},
    store::{FaultPoint, Faults, Store, StoreError, StoreOptions, verify},
};
use tempfile::tempdir;

use super::{OWNER, assets, commit, contents, ids, index_rows, open_clean, put, refusal, segments, vpc};

/// Options that fail at `point` as long as the switch is on.
fn failing(point: FaultPoint, kind: io::ErrorKind) -> (StoreOptions, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    let on = Arc::clone(&switch);
    let faults =
        Faults::new(
            move |reached| {
                if reached == point && on.load(Ordering::SeqCst) { Err(kind.into()) } else { Ok(()) }
            },
        );
    (StoreOptions { faults, ..StoreOptions::default() }, switch)
}

#[test]
fn s11_a_disk_that_is_full_while_writing_costs_that_commit_alone() {
    let dir = tempdir().unwrap();
    let folder = dir.path().to_owned();
    let switch = Arc::new(AtomicBool::new(false));
    let on = Arc::clone(&switch);
    let faults = Faults::new(move |reached| {
        if reached != FaultPoint::RecordWrite || !on.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut segment = fs::File::options().append(true).open(&segments(&folder)[0])?;
        segment.write_all(b"PMr\x01 half a record")?;
        Err(io::ErrorKind::StorageFull.into())
    });
    let store = Store::open(dir.path(), &StoreOptions { faults, ..StoreOptions::default() }).unwrap().store;
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    let (before, bytes) = (contents(&store), fs::read(&segments(dir.path())[0]).unwrap());
    switch.store(true, Ordering::SeqCst);
    let refused = store.commit_slice(commit(Outcome::Complete, 2_000, vec![])).unwrap_err();
    assert!(matches!(refused, StoreError::NotWritten { .. }), "{refused}");
    assert_eq!(contents(&store), before);
    assert_eq!(fs::read(&segments(dir.path())[0]).unwrap(), bytes);
    switch.store(false, Ordering::SeqCst);
    put(&store, Outcome::Complete, 3_000, vec![vpc("b", "10.0.0.0/16")]);
    drop(store);
    assert_eq!(ids(&open_clean(dir.path())), ["b"]);
    assert!(verify(dir.path()).unwrap().is_sound());
}

#[test]
fn s11_a_segment_that_cannot_be_created_costs_that_commit_alone() {
    let dir = tempdir().unwrap();
    let (mut options, switch) = failing(FaultPoint::SegmentCreate, io::ErrorKind::StorageFull);
    options.segment_bytes = 1;
    let store = Store::open(dir.path(), &options).unwrap().store;
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    switch.store(true, Ordering::SeqCst);
    let refused = store.commit_slice(commit(Outcome::Complete, 2_000, vec![])).unwrap_err();
    assert!(matches!(refused, StoreError::NotWritten { .. }), "{refused}");
    switch.store(false, Ordering::SeqCst);
    put(&store, Outcome::Complete, 3_000, vec![vpc("b", "10.0.0.0/16")]);
    drop(store);
    assert_eq!(ids(&open_clean(dir.path())), ["b"]);
}

#[test]
fn s11_s12_too_little_room_is_refused_before_anything_is_written() {
    let dir = tempdir().unwrap();
    let options = StoreOptions { min_free_bytes: u64::MAX, ..StoreOptions::default() };
    let refused = refusal(Store::open(dir.path(), &options));
    assert!(matches!(refused, StoreError::DiskFull { needed: u64::MAX, free, .. } if free > 0), "{refused}");
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
    put(&open_clean(dir.path()), Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    assert!(matches!(refusal(Store::open(dir.path(), &options)), StoreError::DiskFull { .. }));
    assert_eq!(ids(&open_clean(dir.path())), ["a"]);
}

#[test]
fn s14_after_a_failed_sync_the_store_takes_nothing_until_it_is_opened_again() {
    let dir = tempdir().unwrap();
    let (options, switch) = failing(FaultPoint::RecordSync, io::ErrorKind::Other);
    let store = Store::open(dir.path(), &options).unwrap().store;
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    let before = contents(&store);
    switch.store(true, Ordering::SeqCst);
    let refused = store.commit_slice(commit(Outcome::Complete, 2_000, vec![])).unwrap_err();
    assert!(matches!(refused, StoreError::NotSynced { .. }), "{refused}");
    switch.store(false, Ordering::SeqCst);
    let refused = store.commit_slice(commit(Outcome::Complete, 3_000, vec![])).unwrap_err();
    assert!(matches!(refused, StoreError::Closed { .. }), "{refused}");
    assert_eq!(contents(&store), before, "reading goes on");
    drop(store);
    let store = open_clean(dir.path());
    assert_eq!(contents(&store), before);
    put(&store, Outcome::Complete, 4_000, vec![]);
}

#[test]
fn an_index_that_fails_after_the_journal_closes_the_store_and_the_next_open_repairs_it() {
    let dir = tempdir().unwrap();
    let (options, switch) = failing(FaultPoint::IndexWrite, io::ErrorKind::StorageFull);
    let store = Store::open(dir.path(), &options).unwrap().store;
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    switch.store(true, Ordering::SeqCst);
    store.commit_slice(commit(Outcome::Complete, 2_000, vec![])).unwrap_err();
    switch.store(false, Ordering::SeqCst);
    let refused = store.commit_slice(commit(Outcome::Complete, 3_000, vec![])).unwrap_err();
    assert!(matches!(refused, StoreError::Closed { .. }), "{refused}");
    assert_eq!(ids(&store), ["a"]);
    drop(store);
    let opened = super::open(dir.path());
    assert_eq!(opened.notes, ["the index was behind: took in 1 commit from the journal"]);
    assert_eq!(ids(&opened.store), Vec::<String>::new());
}

#[test]
fn s15_assets_of_a_megabyte_and_more_come_back_whole_and_leave_nothing_behind() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let sizes = [10, 59_000, 60_000, 61_000, 120_000, 1 << 20, 3 << 20];
    let large = |size: usize, seed: u8| {
        let text: String = (0..size).map(|at| char::from(b'a' + (at % 23) as u8 + seed)).collect();
        Asset::new("Vpc", format!("{size:08}")).with("accountId", OWNER).with("text", text)
    };
    let expected: Vec<Asset> = sizes.iter().map(|size| large(*size, 0)).collect();
    put(&store, Outcome::Complete, 1_000, expected.clone());
    let without_times = |store: &Store| {
        let strip = |mut asset: Asset| {
            asset.fields.remove("firstSeenAt");
            asset.fields.remove("lastSeenAt");
            asset
        };
        assets(store).into_iter().map(strip).collect::<Vec<_>>()
    };
    assert!(without_times(&store) == expected);
    let changed: Vec<Asset> = sizes.iter().map(|size| large(*size, 1)).collect();
    assert_eq!(put(&store, Outcome::Complete, 2_000, changed.clone()).changed, 7);
    drop(store);
    let index = index_rows(dir.path());
    let sizes_of_rows = index.iter().map(|row| row.unwrap().1.len());
    assert!(sizes_of_rows.max() < Some(64_000), "sled leaks the space of large values");
    drop(index);
    let store = open_clean(dir.path());
    assert!(without_times(&store) == changed);
    let small: Vec<Asset> =
        sizes.iter().map(|size| Asset::new("Vpc", format!("{size:08}")).with("accountId", OWNER)).collect();
    put(&store, Outcome::Complete, 3_000, small.clone());
    assert!(without_times(&store) == small);
    drop(store);
    assert!(verify(dir.path()).unwrap().is_sound());
    let index = index_rows(dir.path());
    assert_eq!(index.scan_prefix("c").count(), 0, "pieces of the large assets were left behind");
}

#[test]
fn s16_fifty_full_overwrites_do_not_make_the_index_grow_without_bound() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let mut sizes = Vec::new();
    for round in 0..50 {
        let text = format!("{round}").repeat(200);
        let list =
            (0..100).map(|id| vpc(&format!("{id:03}"), "10.0.0.0/16").with("text", text.clone())).collect();
        put(&store, Outcome::Complete, round, list);
        sizes.push(fs::metadata(dir.path().join("index/db")).unwrap().len());
    }
    // 100 assets of 700 bytes and 5,000 versions of 150 bytes are less than a megabyte.
    assert!(sizes.last().unwrap() < &(16 << 20), "{sizes:?}");
}

#[test]
fn s19_a_store_of_another_version_is_refused_and_left_alone() {
    let dir = tempdir().unwrap();
    put(&open_clean(dir.path()), Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    let format = dir.path().join("format");
    let right = fs::read(&format).unwrap();
    for other in ["passmuster store 2\n", "", "\u{0}\u{0}"] {
        fs::write(&format, other).unwrap();
        let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
        assert!(matches!(refused, StoreError::OtherFormat { .. }), "{refused}");
        assert!(matches!(verify(dir.path()), Err(StoreError::OtherFormat { .. })));
    }
    fs::remove_file(&format).unwrap();
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(matches!(refused, StoreError::OtherFormat { .. }), "{refused}");
    fs::write(&format, right).unwrap();
    assert_eq!(ids(&open_clean(dir.path())), ["a"]);
}

#[test]
fn s20_a_path_that_is_a_file_is_refused_with_its_name() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let refused = refusal(Store::open(&path, &StoreOptions::default()));
        assert!(matches!(refused, StoreError::NotWritable { .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("can't write `{}`", path.display())), "{refused}");
    }
}
