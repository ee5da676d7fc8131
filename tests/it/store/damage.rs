//! Damaged files: a torn end is cut off, a damaged index is rebuilt, a damaged journal is never made to look whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use passmuster::{
    model::Outcome,
    store::{Store, StoreError, StoreOptions, verify},
};
use tempfile::{TempDir, tempdir};

use super::{
    Numbers, assets, contents, copy_folder, flip, ids, index_rows, open, open_clean, put, refusal, segments,
    vpc,
};

/// A store with three commits in one segment, closed, and what it holds.
fn three_commits() -> (TempDir, String) {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    put(&store, Outcome::Complete, 2_000, vec![vpc("a", "10.0.0.0/16"), vpc("b", "10.1.0.0/16")]);
    put(&store, Outcome::Complete, 3_000, vec![vpc("b", "10.9.0.0/16"), vpc("c", "10.2.0.0/16")]);
    let contents = contents(&store);
    (dir, contents)
}

fn only_segment(dir: &Path) -> PathBuf {
    let [segment] = <[PathBuf; 1]>::try_from(segments(dir)).unwrap();
    segment
}

fn read_store(dir: &Path) -> Result<(String, Vec<String>), StoreError> {
    Store::open(dir, &StoreOptions::default()).map(|opened| (contents(&opened.store), opened.notes))
}

/// S6, S9: a crash while the third record was written, which the index has not heard of.
#[test]
fn s9_a_record_cut_at_any_byte_is_removed_and_the_store_goes_on() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    put(&store, Outcome::Complete, 2_000, vec![vpc("b", "10.1.0.0/16")]);
    let before = contents(&store);
    drop(store);
    let older = tempdir().unwrap();
    copy_folder(dir.path(), older.path());
    let confirmed = fs::read(only_segment(dir.path())).unwrap().len();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 3_000, vec![vpc("c", "10.2.0.0/16")]);
    let after = contents(&store);
    drop(store);
    let journal = fs::read(only_segment(dir.path())).unwrap();
    for length in confirmed..=journal.len() {
        let scratch = tempdir().unwrap();
        copy_folder(older.path(), scratch.path());
        fs::write(only_segment(scratch.path()), &journal[..length]).unwrap();
        let (found, notes) = read_store(scratch.path()).unwrap();
        let whole = length == journal.len();
        assert_eq!(found, if whole { &after } else { &before }.clone(), "cut at {length}");
        assert_eq!(notes.len(), usize::from(length != confirmed), "{notes:?}");
        if !whole && length > confirmed {
            assert!(notes[0].starts_with("record 3 of the journal was cut short by a crash"), "{notes:?}");
            assert_eq!(fs::read(only_segment(scratch.path())).unwrap().len(), confirmed);
        }
        if length % 16 == 0 {
            let store = open_clean(scratch.path());
            put(&store, Outcome::Complete, 4_000, vec![vpc("d", "10.3.0.0/16")]);
            drop(store);
            assert_eq!(ids(&open_clean(scratch.path())), ["d"]);
            assert!(verify(scratch.path()).unwrap().is_sound());
        }
    }
}

/// S6: the length of the file was written, its last pages were not.
#[test]
fn s6_a_record_of_zeros_is_removed() {
    let (dir, _) = three_commits();
    let segment = only_segment(dir.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes.extend_from_slice(&[0; 4_096]);
    fs::write(&segment, bytes).unwrap();
    let opened = open(dir.path());
    assert_eq!(opened.notes.len(), 1, "{:?}", opened.notes);
    assert_eq!(ids(&opened.store), ["b", "c"]);
}

/// S6: a disk that confirmed what it then lost; the index knows better and says so.
#[test]
fn s6_a_confirmed_record_that_the_disk_lost_is_named_and_what_is_left_of_it_kept() {
    let (dir, _) = three_commits();
    let segment = only_segment(dir.path());
    let bytes = fs::read(&segment).unwrap();
    for cut in [1, 20, 60] {
        let scratch = tempdir().unwrap();
        copy_folder(dir.path(), scratch.path());
        fs::write(only_segment(scratch.path()), &bytes[..bytes.len() - cut]).unwrap();
        let report = verify(scratch.path()).unwrap();
        assert!(!report.is_sound());
        let opened = open(scratch.path());
        assert_eq!(
            opened.notes,
            [
                "the disk has lost record 3 although it had confirmed it: the store is as it was before that commit, \
              collect again and check the disk"
            ]
        );
        assert_eq!(ids(&opened.store), ["a", "b"]);
        let kept = fs::read(scratch.path().join("journal/record-3.lost")).unwrap();
        assert_eq!(kept, &bytes[..bytes.len() - cut]);
        drop(opened.store);
        open_clean(scratch.path());
    }
}

#[test]
fn a_segment_whose_header_was_cut_short_is_begun_again() {
    let (dir, before) = three_commits();
    let next = dir.path().join("journal/00000000000000000004.journal");
    for length in [0, 1, 30, 51, 52] {
        fs::write(&next, vec![0; length]).unwrap();
        let (found, notes) = read_store(dir.path()).unwrap();
        assert_eq!(found, before);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(!next.exists());
    }
}

#[test]
fn s10_a_damaged_record_in_the_middle_stops_the_opening_and_changes_nothing() {
    let (dir, _) = three_commits();
    let segment = only_segment(dir.path());
    let whole = fs::read(&segment).unwrap();
    let first_length = u32::from_le_bytes(whole[56..60].try_into().unwrap()) as usize;
    let (first, second) = (52, 52 + 52 + first_length);
    let places = [
        (first, 1), // magic
        (first + 4, 1),
        (first + 7, 1),  // the length, as if the file ended within the record
        (first + 8, 1),  // sequence
        (first + 16, 1), // checksum
        (first + 20, 1), // hash
        (first + 60, 1), // payload
        (second + 5, 2),
        (second + 70, 2),
    ];
    for (place, sequence) in places {
        flip(&segment, place, 6);
        let damaged = fs::read(&segment).unwrap();
        let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
        let expected = if sequence == 1 { first } else { second } as u64;
        assert!(
            matches!(&refused, StoreError::JournalDamaged { offset, sequence: found, .. }
                if *offset == expected && *found == sequence),
            "byte {place}: {refused}"
        );
        assert!(refused.to_string().contains("put that file back from a backup"), "{refused}");
        assert_eq!(fs::read(&segment).unwrap(), damaged, "nothing was changed");
        let report = verify(dir.path()).unwrap();
        assert_eq!((report.problems.len(), report.records), (1, 2), "{report:?}");
        assert!(report.problems[0].place.contains(&format!("byte {expected}, record {sequence}")));
        fs::write(&segment, &whole).unwrap();
    }
    open_clean(dir.path());
}

#[test]
fn a_record_edited_with_care_is_found_by_the_chain() {
    let (dir, _) = three_commits();
    let segment = only_segment(dir.path());
    let mut bytes = fs::read(&segment).unwrap();
    let (header, payload) = (52, 52 + 52);
    let length = u32::from_le_bytes(bytes[56..60].try_into().unwrap()) as usize;
    bytes[payload + length - 1] ^= 1;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[header + 4..header + 16]);
    crc.update(&bytes[header + 20..payload + length]);
    bytes[header + 16..header + 20].copy_from_slice(&crc.finalize().to_le_bytes());
    fs::write(&segment, bytes).unwrap();
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(refused.to_string().contains("the hash chain is broken"), "{refused}");
    assert!(!verify(dir.path()).unwrap().is_sound());
}

/// A store whose journal has a segment for each commit.
fn many_segments(base: i64) -> TempDir {
    let dir = tempdir().unwrap();
    let options = StoreOptions { segment_bytes: 1, ..StoreOptions::default() };
    let store = Store::open(dir.path(), &options).unwrap().store;
    for number in 1..=4 {
        put(&store, Outcome::Complete, base + number, vec![vpc(&format!("{number}"), "10.0.0.0/16")]);
    }
    drop(store);
    assert_eq!(segments(dir.path()).len(), 4);
    dir
}

#[test]
fn s10_a_missing_or_foreign_segment_stops_the_opening() {
    let dir = many_segments(1_000);
    let foreign = many_segments(2_000);
    let second = &segments(dir.path())[1];
    let kept = fs::read(second).unwrap();

    fs::remove_file(second).unwrap();
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(matches!(&refused, StoreError::JournalDamaged { sequence: 2, .. }), "{refused}");
    assert!(
        refused.to_string().contains("it begins with record 3, a file before it is missing"),
        "{refused}"
    );

    fs::copy(&segments(foreign.path())[1], second).unwrap();
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(refused.to_string().contains("the file doesn't follow from the one before it"), "{refused}");
    assert!(!verify(dir.path()).unwrap().is_sound());

    fs::write(second, kept).unwrap();
    assert_eq!(open_clean(dir.path()).sequence(), 4);
}

/// S10: opening takes the word of the notes about closed segments; whoever reads a record there finds the damage.
#[test]
fn s10_damage_in_a_closed_segment_is_found_where_its_records_are_read() {
    let dir = many_segments(1_000);
    let before = contents(&open_clean(dir.path()));
    let second = &segments(dir.path())[1];
    let payload = 52 + 52;
    flip(second, payload + 3, 1);
    let store = open_clean(dir.path());
    assert_eq!(contents(&store), before, "the present does not rest on it");
    let version = store.versions("Vpc", "2").unwrap().remove(0);
    let refused = store.read_version("2", &version).unwrap_err();
    assert!(matches!(&refused, StoreError::JournalDamaged { sequence: 2, .. }), "{refused}");
    drop(store);
    assert!(!verify(dir.path()).unwrap().is_sound());

    let index = dir.path().join("index");
    fs::rename(&index, dir.path().join("kept")).unwrap();
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(matches!(&refused, StoreError::JournalDamaged { sequence: 2, .. }), "{refused}");
    fs::remove_dir_all(&index).unwrap();
    fs::rename(dir.path().join("kept"), &index).unwrap();
    assert_eq!(contents(&open_clean(dir.path())), before, "the attempt to rebuild the index cost nothing");

    for note in notes_of_segments(dir.path()) {
        fs::remove_file(note).unwrap();
    }
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(matches!(&refused, StoreError::JournalDamaged { sequence: 2, .. }), "{refused}");
}

/// What was noted about closed segments, in order.
fn notes_of_segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "closed"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_wrong_note_about_a_closed_segment_is_not_believed_and_written_again() {
    let dir = many_segments(1_000);
    let before = contents(&open_clean(dir.path()));
    let notes = notes_of_segments(dir.path());
    assert_eq!(notes.len(), 3, "the open segment has none");
    let right = fs::read(&notes[1]).unwrap();
    for place in 0..right.len() {
        flip(&notes[1], place, u8::try_from(place % 8).unwrap());
        assert_eq!(contents(&open_clean(dir.path())), before, "byte {place}");
        assert_eq!(fs::read(&notes[1]).unwrap(), right, "byte {place}");
    }
    fs::write(&notes[1], &right[..20]).unwrap();
    assert_eq!(contents(&open_clean(dir.path())), before);
    // Of another journal: intact, and of the same length.
    let mut foreign = right.clone();
    foreign[40] ^= 1;
    let crc = crc32fast::hash(&foreign[..foreign.len() - 4]).to_le_bytes();
    let at = foreign.len() - 4;
    foreign[at..].copy_from_slice(&crc);
    fs::write(&notes[1], foreign).unwrap();
    assert_eq!(contents(&open_clean(dir.path())), before);
    assert_eq!(fs::read(&notes[1]).unwrap(), right);
}

#[test]
fn a_journal_whose_end_was_taken_away_does_not_empty_the_index() {
    let dir = many_segments(1_000);
    for segment in &segments(dir.path())[2..] {
        fs::remove_file(segment).unwrap();
    }
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    assert!(matches!(refused, StoreError::JournalShort { journal: 2, index: 4, .. }), "{refused}");
    assert!(!verify(dir.path()).unwrap().is_sound());
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    assert_eq!(ids(&open(dir.path()).store), ["2"], "as the message says, without the index it goes on");
}

#[test]
fn s3_a_snapshot_that_a_kill_left_unfinished_is_removed() {
    let (dir, before) = three_commits();
    let leftover = dir.path().join("index/snap.00000000000007D0.generating");
    fs::write(&leftover, "half a snapshot").unwrap();
    assert!(verify(dir.path()).unwrap().is_sound());
    assert!(leftover.exists(), "verifying changes nothing");
    let (found, notes) = read_store(dir.path()).unwrap();
    assert_eq!(found, before);
    assert_eq!(notes, ["removed an unfinished snapshot that a crash had left in the index"]);
    assert!(!leftover.exists());
}

#[test]
fn s7_a_flipped_bit_in_the_index_loses_nothing() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    for at in 1..=3 {
        let text = format!("{at}").repeat(300);
        let list = (0..400).map(|id| vpc(&format!("{id:03}"), "10.0.0.0/16").with("text", text.clone()));
        put(&store, Outcome::Complete, at, list.collect());
    }
    let before = contents(&store);
    drop(store);
    let mut numbers = Numbers(7);
    let mut repaired = 0;
    let db = fs::read(dir.path().join("index/db")).unwrap();
    let used = db.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for _ in 0..40 {
        let scratch = tempdir().unwrap();
        copy_folder(dir.path(), scratch.path());
        let place = numbers.below(used);
        flip(&scratch.path().join("index/db"), place, u8::try_from(numbers.below(8)).unwrap());
        let (found, notes) = read_store(scratch.path()).unwrap();
        assert_eq!(found, before, "byte {place}");
        repaired += usize::from(!notes.is_empty());
        assert_eq!(read_store(scratch.path()).unwrap(), (before.clone(), vec![]), "byte {place}");
    }
    assert!(repaired > 0, "no flip did any harm: the test proves nothing");
}

/// S7: what sled loses without a word is found by the sum over all rows.
#[test]
fn s7_a_row_that_the_index_lost_or_changed_is_noticed() {
    let (dir, before) = three_commits();
    type Tamper<'t> = &'t dyn Fn(&sled::Db, sled::IVec);
    let tampered: [(&str, Tamper<'_>); 3] = [
        ("a lost row", &|db, key| assert!(db.remove(key).unwrap().is_some())),
        ("a changed row", &|db, key| assert!(db.insert(key, "nonsense").unwrap().is_some())),
        ("an invented row", &|db, _| assert!(db.insert("vx", "nonsense").unwrap().is_none())),
    ];
    for (what, tamper) in tampered {
        for kind in ["a", "k", "l", "s", "v"] {
            let scratch = tempdir().unwrap();
            copy_folder(dir.path(), scratch.path());
            let db = index_rows(scratch.path());
            let (key, _) = db.scan_prefix(kind).next().unwrap().unwrap();
            tamper(&db, key);
            drop(db);
            assert!(!verify(scratch.path()).unwrap().is_sound(), "{what} of kind {kind}");
            let (found, notes) = read_store(scratch.path()).unwrap();
            assert_eq!(found, before, "{what} of kind {kind}");
            assert_eq!(notes, ["the index didn't hold what the journal says: rebuilt it"]);
        }
    }
}

#[test]
fn s8_a_truncated_or_missing_index_loses_nothing() {
    let (dir, before) = three_commits();
    let index = dir.path().join("index");
    let length = fs::metadata(index.join("db")).unwrap().len();
    for part in 0..=12 {
        let scratch = tempdir().unwrap();
        copy_folder(dir.path(), scratch.path());
        let db = fs::File::options().write(true).open(scratch.path().join("index/db")).unwrap();
        db.set_len(length * part / 12).unwrap();
        assert_eq!(read_store(scratch.path()).unwrap().0, before, "cut to {part}/12");
    }
    for name in ["conf", "db"] {
        let scratch = tempdir().unwrap();
        copy_folder(dir.path(), scratch.path());
        fs::remove_file(scratch.path().join("index").join(name)).unwrap();
        assert_eq!(read_store(scratch.path()).unwrap().0, before, "without {name}");
    }
    fs::write(index.join("conf"), "nonsense").unwrap();
    assert_eq!(read_store(dir.path()).unwrap().0, before);
    fs::remove_dir_all(&index).unwrap();
    let (found, notes) = read_store(dir.path()).unwrap();
    assert_eq!(
        (found, notes),
        (before, vec!["the index was missing: rebuilt it from the journal".to_owned()])
    );
}

#[test]
fn an_index_of_another_journal_is_rebuilt() {
    let (dir, before) = three_commits();
    let other = tempdir().unwrap();
    let store = open_clean(other.path());
    for at in [1, 2, 3] {
        put(&store, Outcome::Complete, at, vec![vpc("x", "10.0.0.0/16")]);
    }
    drop(store);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    copy_folder(&other.path().join("index"), &dir.path().join("index"));
    assert!(!verify(dir.path()).unwrap().is_sound());
    let (found, notes) = read_store(dir.path()).unwrap();
    assert_eq!(
        (found, notes),
        (before, vec!["the index belonged to another journal: rebuilt it".to_owned()])
    );
}

#[test]
fn an_index_that_is_behind_takes_in_what_it_lacks() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    drop(store);
    let old_index = tempdir().unwrap();
    copy_folder(&dir.path().join("index"), old_index.path());
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 2_000, vec![vpc("b", "10.1.0.0/16")]);
    put(&store, Outcome::Denied, 3_000, vec![]);
    let before = contents(&store);
    drop(store);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    copy_folder(old_index.path(), &dir.path().join("index"));
    let report = verify(dir.path()).unwrap();
    assert!(report.is_sound() && report.notes.len() == 1, "{report:?}");
    let opened = open(dir.path());
    assert_eq!(opened.notes, ["the index was behind: took in 2 commits from the journal"]);
    assert_eq!(contents(&opened.store), before);
    assert_eq!(assets(&opened.store).len(), 1);
}
