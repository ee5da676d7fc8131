//! The ledger: what is written down beside what is collected, in the same journal and by the same rules.

use std::fs;

use passmuster::{
    model::{Asset, Change, Outcome, SliceKey},
    store::{LedgerAddition, LedgerCommit, LedgerReport, StoreError, read_held_ledger, verify},
};
use serde_json::json;
use tempfile::tempdir;

use super::{
    OWNER, REGION, assets, commit_of, contents, ids, open, open_clean, put, segments, time, vpc, write_down,
};

fn finding(id: &str, status: &str) -> Asset {
    Asset::new("Finding", id).with("accountId", OWNER).with("region", REGION).with("status", status)
}

#[test]
fn what_is_written_down_stays_until_it_is_removed_and_what_is_as_it_was_is_no_commit() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let first = write_down(&store, 1, vec![finding("a", "OPEN"), finding("b", "OPEN")], &[]);
    assert_eq!(first, LedgerReport { sequence: Some(1), put: 2, unchanged: 0, removed: 0 });
    let same = write_down(&store, 2, vec![finding("b", "OPEN")], &[("Finding", "not there")]);
    assert_eq!(same, LedgerReport { sequence: None, put: 0, unchanged: 1, removed: 0 });
    assert_eq!(store.sequence(), 1);
    let changed =
        write_down(&store, 3, vec![finding("b", "RESOLVED")], &[("Finding", "b"), ("Finding", "a")]);
    assert_eq!(
        changed,
        LedgerReport { sequence: Some(2), put: 1, unchanged: 0, removed: 1 },
        "what is put stays"
    );
    assert_eq!(ids(&store), ["b"]);
    assert_eq!(store.find_ledger("Finding", "b").unwrap().unwrap().text("status"), Some("RESOLVED"));
    assert_eq!(store.find_ledger("Finding", "a").unwrap(), None);
}

#[test]
fn what_follows_from_a_commit_is_in_its_record_and_where_nothing_is_committed_nothing_follows() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let mut asked = Vec::new();
    let mut commit = |status: &str, gone: &[&str]| {
        let puts = vec![finding("a", status)];
        let removes: Vec<(String, String)> =
            gone.iter().map(|id| ("Notification".to_owned(), (*id).to_owned())).collect();
        let commit = LedgerCommit { at: time(1), puts, removes: Vec::new() };
        let report = store.begin_ledger().commit_with(&commit, &mut |sequence| {
            asked.push(sequence);
            let puts = vec![Asset::new("Notification", format!("of-{sequence}"))];
            LedgerAddition { puts, removes: removes.clone() }
        });
        report.unwrap()
    };
    assert_eq!(commit("OPEN", &[]), LedgerReport { sequence: Some(1), put: 2, unchanged: 0, removed: 0 });
    assert_eq!(commit("OPEN", &[]), LedgerReport { sequence: None, put: 0, unchanged: 1, removed: 0 });
    let last = commit("RESOLVED", &["of-1", "not there"]);
    assert_eq!(last, LedgerReport { sequence: Some(2), put: 2, unchanged: 0, removed: 1 });
    assert_eq!(asked, [1, 2]);
    assert_eq!(ids(&store), ["a", "of-2"]);
    assert_eq!(store.sequence(), 2);
}

#[test]
fn what_another_holds_is_read_from_its_journal_without_its_lock() {
    let dir = tempdir().unwrap();
    assert!(matches!(read_held_ledger(dir.path(), "Finding"), Err(StoreError::Absent { .. })));
    let store = open_clean(dir.path());
    assert_eq!(read_held_ledger(dir.path(), "Finding").unwrap(), []);
    put(&store, Outcome::Complete, 1, vec![vpc("vpc-1", "a")]);
    write_down(&store, 2, vec![finding("b", "OPEN"), finding("a", "OPEN"), finding("c", "OPEN")], &[]);
    write_down(&store, 3, vec![finding("b", "RESOLVED"), Asset::new("CheckRun", "a")], &[("Finding", "a")]);
    let read = read_held_ledger(dir.path(), "Finding").unwrap();
    assert_eq!(read, [finding("b", "RESOLVED"), finding("c", "OPEN")]);
    // What is being written just now is not there yet.
    let newest = segments(dir.path()).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    let written = fs::OpenOptions::new().append(true).open(&newest).unwrap();
    std::io::Write::write_all(&mut &written, &whole[48..100]).unwrap();
    assert_eq!(read_held_ledger(dir.path(), "Finding").unwrap(), read);
    drop(store);
}

#[test]
fn it_is_found_by_how_ids_begin() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let of = |id: &str| finding(id, "OPEN");
    write_down(&store, 1, vec![of("c#1"), of("c#2"), of("c-d#1"), Asset::new("CheckRun", "c#1")], &[]);
    let begin = |typename: &str, prefix: &str| {
        let mut found = Vec::new();
        store.read_ledger(typename, prefix, &mut |asset| found.push(asset.id)).unwrap();
        found
    };
    assert_eq!(begin("Finding", "c#"), ["c#1", "c#2"]);
    assert_eq!(begin("Finding", ""), ["c#1", "c#2", "c-d#1"]);
    assert_eq!(begin("CheckRun", "c#"), ["c#1"]);
    assert_eq!(begin("Exception", ""), Vec::<String>::new());
}

#[test]
fn it_is_no_slice_and_counts_as_none() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1, vec![vpc("vpc-1", "10.0.0.0/16")]);
    write_down(&store, 2, vec![finding("a", "OPEN")], &[]);
    assert_eq!(store.slices().unwrap().len(), 1);
    // A collection that finds nothing more takes away what it lists, and nothing else.
    put(&store, Outcome::Complete, 3, Vec::new());
    assert_eq!(ids(&store), ["a"]);
    drop(store);
    let report = verify(dir.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.slices, report.assets, report.ledger, report.versions), (1, 0, 1, 3));
}

#[test]
fn what_is_collected_and_what_is_written_down_are_kept_apart() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let slice =
        commit_of(SliceKey::new(OWNER, REGION, "Finding"), Outcome::Complete, 1, vec![finding("a", "OPEN")]);
    let refused = store.commit_slice(slice).unwrap_err();
    assert!(matches!(&refused, StoreError::NotCollected { typename } if typename == "Finding"));
    assert_eq!(
        refused.to_string(),
        "`Finding` is what Passmuster itself keeps: it can't be collected or imported, leave it out"
    );
    let mut turn = store.begin_ledger();
    let mut commit = |puts: Vec<Asset>, removes: &[(&str, &str)]| {
        let removes = removes.iter().map(|(of, id)| ((*of).to_owned(), (*id).to_owned())).collect();
        turn.commit(&LedgerCommit { at: time(1), puts, removes }).unwrap_err()
    };
    for refused in [commit(vec![vpc("vpc-1", "10.0.0.0/16")], &[]), commit(Vec::new(), &[("Vpc", "vpc-1")])] {
        assert!(matches!(&refused, StoreError::NotOfLedger { typename } if typename == "Vpc"), "{refused}");
    }
    assert!(matches!(commit(vec![finding("", "OPEN")], &[]), StoreError::BadName { .. }));
    assert_eq!(store.sequence(), 0, "nothing was kept");
}

#[test]
fn an_index_rebuilt_from_the_journal_is_the_same_byte_for_byte() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1, vec![vpc("vpc-1", "10.0.0.0/16")]);
    write_down(&store, 2, vec![finding("a", "OPEN"), finding("large", &"x".repeat(130_000))], &[]);
    write_down(&store, 3, vec![finding("large", "small again")], &[("Finding", "a")]);
    write_down(&store, 4, vec![Asset::new("Check", "c").with("title", "t")], &[]);
    let before = contents(&store);
    drop(store);
    let rows =
        |dir: &std::path::Path| -> Vec<_> { super::index_rows(dir).iter().map(|row| row.unwrap()).collect() };
    let indexed = rows(dir.path());
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let rebuilt = open(dir.path());
    assert_eq!(rebuilt.notes, ["the index was missing: rebuilt it from the journal"]);
    assert_eq!(contents(&rebuilt.store), before);
    drop(rebuilt);
    assert_eq!(rows(dir.path()), indexed);
    let report = verify(dir.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[test]
fn its_versions_its_past_and_its_changes_are_those_of_any_asset() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    // Two types with one id in one record.
    let unknown = || Asset::new("UnknownVerdict", "a").with("why", "denied");
    write_down(&store, 10, vec![finding("a", "OPEN"), unknown()], &[]);
    write_down(&store, 20, vec![finding("a", "RESOLVED")], &[("UnknownVerdict", "a")]);
    let versions = store.versions("Finding", "a").unwrap();
    assert_eq!(versions.iter().map(|version| version.at.millis()).collect::<Vec<_>>(), [10, 20]);
    let status = |place: usize| {
        store.read_version("a", &versions[place]).unwrap().unwrap().text("status").unwrap().to_owned()
    };
    assert_eq!([status(0), status(1)], ["OPEN", "RESOLVED"]);
    let other = store.versions("UnknownVerdict", "a").unwrap();
    assert_eq!(other.iter().map(|version| version.removed).collect::<Vec<_>>(), [false, true]);
    assert_eq!(store.read_version("a", &other[0]).unwrap().unwrap().text("why"), Some("denied"));
    let mut then = Vec::new();
    store
        .as_of(time(15), &mut |asset| {
            then.push((asset.typename.clone(), asset.text("status").map(str::to_owned)))
        })
        .unwrap();
    assert_eq!(then, [("Finding".to_owned(), Some("OPEN".to_owned())), ("UnknownVerdict".to_owned(), None)]);
    let moment = |at| store.in_force(time(at)).unwrap();
    let mut changes = Vec::new();
    store.changes(moment(10), moment(20), None, &mut |change| changes.push(change)).unwrap();
    assert!(
        matches!(changes.as_slice(), [Change::Changed { before, .. }, Change::Vanished(gone)]
            if before.typename == "Finding" && gone.typename == "UnknownVerdict"),
        "{changes:?}"
    );
    let delta = store.delta(1, None, 10, &|_| Vec::new()).unwrap().unwrap();
    assert_eq!(delta.put.iter().map(|asset| asset.text("status")).collect::<Vec<_>>(), [Some("RESOLVED")]);
    assert_eq!(delta.removed, [("UnknownVerdict".to_owned(), "a".to_owned())]);
    assert!(delta.slices.is_empty());
}

#[test]
fn damage_in_a_record_of_the_ledger_is_found() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    write_down(&store, 1, vec![finding("a", "OPEN")], &[]);
    put(&store, Outcome::Complete, 2, vec![vpc("vpc-1", "10.0.0.0/16")]);
    drop(store);
    super::flip(&segments(dir.path())[0], 130, 3);
    let report = verify(dir.path()).unwrap();
    assert!(!report.is_sound(), "{report:?}");
}

#[test]
fn the_journal_says_it_in_words_that_another_program_can_read() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    write_down(&store, 7, vec![finding("a", "OPEN")], &[]);
    drop(store);
    let bytes = fs::read(&segments(dir.path())[0]).unwrap();
    let frame = bytes.windows(4).position(|window| window == [0x28, 0xb5, 0x2f, 0xfd]).expect("a zstd frame");
    let json = zstd::decode_all(&bytes[frame..]).unwrap();
    let entry: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        entry,
        json!({"ledger": {
            "at": 7,
            "puts": [{"type": "Finding", "id": "a", "asset": {
                "__typename": "Finding", "accountId": OWNER, "id": "a", "region": REGION, "status": "OPEN",
            }}],
            "removes": [],
            "totals": {"slices": 0, "assets": 0, "versions": 1, "ledger": 1},
        }})
    );
    assert_eq!(assets(&open_clean(dir.path())).len(), 1);
}
