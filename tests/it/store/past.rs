//! The past: what a store shows of any moment since its first commit, what it costs, and what lies between two.

use std::collections::BTreeMap;

use passmuster::{
    model::{Asset, Change, FieldChange, FieldValue, Outcome, SliceKey, SliceState, field_changes},
    store::{PastWork, Store, StoreError},
};
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{
    Numbers, OTHER, OWNER, REGION, assets, commit_of, flip, index_rows, open, open_clean, put, segments,
    time, vpc, write_down,
};

/// All that a reader sees.
type Seen = (Vec<SliceState>, Vec<Asset>);

fn seen_now(store: &Store) -> Seen {
    (store.slices().unwrap(), assets(store))
}

fn seen_at(store: &Store, moment: i64) -> Result<(u64, PastWork, Seen), StoreError> {
    let mut assets = Vec::new();
    let past = store.as_of(time(moment), &mut |asset| assets.push(asset))?;
    Ok((past.in_force.sequence, past.work, (past.slices, assets)))
}

fn ids_at(store: &Store, moment: i64) -> Vec<String> {
    seen_at(store, moment).unwrap().2.1.into_iter().map(|asset| asset.id).collect()
}

/// A commit of a random slice: mostly later than the one before, sometimes earlier (C5: the clock was put back).
fn random_commit(store: &Store, numbers: &mut Numbers, clock: &mut i64) -> i64 {
    *clock += match numbers.below(8) {
        0 => -3,
        1 => 0,
        2 => 40,
        step => i64::try_from(step).unwrap(),
    };
    if numbers.below(4) == 0 {
        random_ledger_commit(store, numbers, *clock);
        return *clock;
    }
    let account = [OWNER, OTHER][numbers.below(2)];
    let region = [REGION, "us-east-1"][numbers.below(2)];
    let typename = ["Vpc", "Vpc", "Subnet"][numbers.below(3)];
    let outcome = [Outcome::Complete, Outcome::Complete, Outcome::Complete, Outcome::Denied, Outcome::Failed]
        [numbers.below(5)];
    let mut list = Vec::new();
    for id in 0..5 {
        if numbers.below(2) == 0 {
            continue;
        }
        // Some are shared: listed under an account that does not own them.
        let owner = [OWNER, OWNER, account][numbers.below(3)];
        // And some are listed by the slices of two regions.
        let place = if id == 4 { "global" } else { region };
        let mut asset = Asset::new(typename, format!("{typename}-{place}-{id}"))
            .with("accountId", owner)
            .with("region", region)
            .with("size", numbers.below(3));
        match numbers.below(20) {
            0 => asset = asset.with("large", "x".repeat(70_000 + numbers.below(2) * 60_000)),
            1 => drop(asset.unknown.insert("name".to_owned())),
            2 => asset = asset.with("name", Value::Null),
            _ => {}
        }
        list.push(asset);
    }
    let key = SliceKey::new(account, region, typename);
    store.commit_slice(commit_of(key, outcome, *clock, list)).unwrap();
    *clock
}

/// A commit of findings and the like: of two types with the same ids, some put, some removed, one always new.
fn random_ledger_commit(store: &Store, numbers: &mut Numbers, clock: i64) {
    let (mut puts, mut removes) = (Vec::new(), Vec::new());
    for typename in ["Finding", "UnknownVerdict"] {
        for id in ["check#1", "check#2", "other#1"] {
            let asset = Asset::new(typename, id).with("accountId", OWNER).with("size", numbers.below(3));
            match numbers.below(3) {
                0 => puts.push(asset),
                1 => removes.push((typename, id)),
                _ => {}
            }
        }
    }
    puts.push(Asset::new("CheckRun", format!("check@{}", store.sequence())));
    assert!(write_down(store, clock, puts, &removes).sequence.is_some());
}

/// What differs between two sights, found by comparing all of both.
fn differences(before: &Seen, after: &Seen) -> Vec<Change> {
    let bare = |seen: &Seen| -> BTreeMap<(String, String), Asset> {
        let strip = |mut asset: Asset| {
            asset.fields.remove("firstSeenAt");
            asset.fields.remove("lastSeenAt");
            ((asset.typename.clone(), asset.id.clone()), asset)
        };
        seen.1.iter().cloned().map(strip).collect()
    };
    let (before, after) = (bare(before), bare(after));
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter_map(|key| match (before.get(key), after.get(key)) {
            (None, Some(after)) => Some(Change::Appeared(after.clone())),
            (Some(before), None) => Some(Change::Vanished(before.clone())),
            (Some(before), Some(after)) if !field_changes(before, after).is_empty() => {
                Some(Change::Changed { before: before.clone(), after: after.clone() })
            }
            _ => None,
        })
        .collect()
}

#[test]
fn every_moment_shows_what_a_snapshot_taken_then_showed() {
    for seed in 1..=6 {
        let dir = tempdir().unwrap();
        let mut store = open_clean(dir.path());
        let (mut numbers, mut clock) = (Numbers(seed), 1_000);
        let mut taken: Vec<(i64, Seen)> = Vec::new();
        for _ in 0..30 {
            let at = random_commit(&store, &mut numbers, &mut clock);
            taken.push((at, seen_now(&store)));
            if numbers.below(10) == 0 {
                drop(store);
                if numbers.below(2) == 0 {
                    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
                }
                store = open(dir.path()).store;
            }
        }
        let (first, last) = (taken.iter().map(|(at, _)| *at).min().unwrap(), clock + 10);
        assert_eq!(store.earliest().unwrap(), Some(time(first)), "seed {seed}");
        for moment in first - 2..=last {
            let expected = taken.iter().rposition(|(at, _)| *at <= moment);
            match (seen_at(&store, moment), expected) {
                (Ok((sequence, _, seen)), Some(place)) => {
                    assert_eq!(sequence, place as u64 + 1, "seed {seed}, moment {moment}");
                    assert_eq!(seen, taken[place].1, "seed {seed}, moment {moment}");
                }
                (Err(StoreError::BeforeHistory { earliest, .. }), None) => {
                    assert_eq!(earliest, Some(time(first)));
                }
                (got, _) => panic!("seed {seed}, moment {moment}, commit {expected:?}: {got:?}"),
            }
        }
        for _ in 0..20 {
            let (one, other) = (time(taken[numbers.below(30)].0), time(taken[numbers.below(30)].0));
            let (from, to) = (store.in_force(one).unwrap(), store.in_force(other).unwrap());
            let of = |sequence: u64| &taken[usize::try_from(sequence).unwrap() - 1].1;
            let mut changes = Vec::new();
            let (before, after) = store.changes(from, to, None, &mut |change| changes.push(change)).unwrap();
            assert_eq!(
                changes,
                differences(of(from.sequence), of(to.sequence)),
                "seed {seed}, {from:?} {to:?}"
            );
            assert_eq!(
                (before.slices, after.slices),
                (of(from.sequence).0.clone(), of(to.sequence).0.clone())
            );
        }
    }
}

#[test]
fn what_was_removed_is_there_again_as_it_was() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    put(&store, Outcome::Complete, 2_000, vec![vpc("a", "10.1.0.0/16")]);
    put(&store, Outcome::Complete, 3_000, vec![]);
    put(&store, Outcome::Complete, 4_000, vec![vpc("a", "10.2.0.0/16"), vpc("b", "10.3.0.0/16")]);
    let at = |moment| seen_at(&store, moment).unwrap().2;
    assert_eq!(at(2_999).1[0].text("cidrBlock"), Some("10.1.0.0/16"));
    assert_eq!(at(2_999).1[0].text("firstSeenAt"), Some("1970-01-01T00:00:01.000Z"));
    assert_eq!(at(2_999).1[0].text("lastSeenAt"), Some("1970-01-01T00:00:02.000Z"));
    assert_eq!(at(2_999).0[0].completed_at, Some(time(2_000)));
    assert_eq!(at(1_000).1[0].text("cidrBlock"), Some("10.0.0.0/16"), "a commit is in force at its own time");
    assert_eq!((at(3_000).1.len(), at(9_999).1.len()), (0, 2));
}

#[test]
fn a_shared_asset_is_seen_through_the_rules_of_then() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let list = |at, cidr| {
        let key = SliceKey::new(OTHER, REGION, "Vpc");
        store.commit_slice(commit_of(key, Outcome::Complete, at, vec![vpc("shared", cidr)])).unwrap();
    };
    list(1_000, "10.1.0.0/16");
    put(&store, Outcome::Complete, 2_000, vec![vpc("shared", "10.0.0.0/16")]);
    put(&store, Outcome::Complete, 3_000, vec![]);
    list(4_000, "10.1.0.0/16");
    let cidr = |moment| {
        seen_at(&store, moment)
            .unwrap()
            .2
            .1
            .first()
            .and_then(|asset| asset.text("cidrBlock").map(str::to_owned))
    };
    let seen: Vec<_> = [1_000, 2_000, 3_000, 4_000].map(cidr).into();
    let own = |cidr: &str| Some(cidr.to_owned());
    assert_eq!(seen, [own("10.1.0.0/16"), own("10.0.0.0/16"), None, own("10.1.0.0/16")]);
}

#[test]
fn a_recent_moment_costs_what_has_changed_since() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let many = |changed: &[usize]| -> Vec<Asset> {
        (0..200)
            .map(|id| {
                vpc(&format!("vpc-{id}"), if changed.contains(&id) { "10.1.0.0/16" } else { "10.0.0.0/16" })
            })
            .collect()
    };
    let mut clock = 1_000;
    let mut next = |list| {
        clock += 1_000;
        put(&store, Outcome::Complete, clock, list);
        clock
    };
    let first = next(many(&[]));
    let mut quiet = first;
    for _ in 0..100 {
        quiet = next(many(&[]));
    }
    next(many(&[3]));
    next(many(&[3]));
    let end = next(many(&[3, 7]));
    let work = |moment| seen_at(&store, moment).unwrap().1;
    assert_eq!(work(end), PastWork::default(), "the present costs nothing");
    // Two commits that touched something, and the one record that holds both assets as they were.
    assert_eq!(work(quiet), PastWork { commits: 3, records: 3, assets: 2 });
    // A hundred commits that touched nothing are stepped over without reading their records.
    assert_eq!(work(first), PastWork { commits: 103, records: 3, assets: 2 });
    assert_eq!(store.in_force(time(quiet + 999)).unwrap(), store.in_force(time(quiet)).unwrap());
}

#[test]
fn a_moment_before_the_first_collection_names_the_earliest() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    assert_eq!((store.earliest().unwrap(), store.newest().unwrap()), (None, None));
    assert_eq!(
        seen_at(&store, 5).unwrap_err().to_string(),
        "nothing is known of 1970-01-01T00:00:00.005Z: nothing was ever collected; collect or import first"
    );
    put(&store, Outcome::Denied, 1_000, vec![]);
    assert_eq!(
        seen_at(&store, 999).unwrap_err().to_string(),
        "nothing is known of 1970-01-01T00:00:00.999Z: the first collection was at 1970-01-01T00:00:01.000Z"
    );
    assert_eq!(ids_at(&store, 1_000), Vec::<String>::new());
}

/// C5: commits dated ahead are seen as soon as one dated rightly follows them.
#[test]
fn a_clock_that_was_put_back_hides_nothing_for_long() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    put(&store, Outcome::Complete, 900_000, vec![vpc("b", "10.0.0.0/16")]);
    assert_eq!(ids_at(&store, 2_000), ["a"]);
    put(&store, Outcome::Complete, 2_000, vec![vpc("c", "10.0.0.0/16")]);
    assert_eq!((ids_at(&store, 1_999), ids_at(&store, 2_000)), (vec!["a".to_owned()], vec!["c".to_owned()]));
    assert_eq!(ids_at(&store, 900_000), ["c"]);
    assert_eq!(store.newest().unwrap().unwrap().sequence, 3);
}

/// S10: a record that is damaged while the store is open is an error where it is needed, and nowhere else.
#[test]
fn a_damaged_record_is_an_error_of_the_moments_that_need_it() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    let end_of_first = std::fs::metadata(&segments(dir.path())[0]).unwrap().len();
    put(&store, Outcome::Complete, 2_000, vec![vpc("a", "10.1.0.0/16")]);
    put(&store, Outcome::Complete, 3_000, vec![vpc("a", "10.1.0.0/16"), vpc("b", "10.0.0.0/16")]);
    flip(&segments(dir.path())[0], usize::try_from(end_of_first).unwrap() - 5, 3);
    assert_eq!(ids_at(&store, 3_000), ["a", "b"]);
    assert_eq!(ids_at(&store, 2_000), ["a"], "the second record has what is needed");
    let refused = seen_at(&store, 1_000).unwrap_err();
    assert!(matches!(refused, StoreError::JournalDamaged { sequence: 1, .. }), "{refused:?}");
}

#[test]
fn an_index_of_another_version_is_rebuilt() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    put(&store, Outcome::Complete, 2_000, vec![]);
    drop(store);
    let db = index_rows(dir.path());
    let mut meta: Value = serde_json::from_slice(&db.get("m").unwrap().unwrap()).unwrap();
    meta.as_object_mut().unwrap().remove("format").unwrap();
    db.insert("m", meta.to_string().into_bytes()).unwrap();
    drop(db);
    let report = passmuster::store::verify(dir.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert!(report.notes[0].contains("written by another version"), "{report:?}");
    let opened = open(dir.path());
    assert_eq!(opened.notes, ["the index was written by another version: rebuilt it from the journal"]);
    assert_eq!(ids_at(&opened.store, 1_000), ["a"]);
    drop(opened);
    open_clean(dir.path());
}

#[test]
fn changes_are_told_field_by_field_and_null_is_the_same_as_absent() {
    let before = vpc("a", "10.0.0.0/16").with("name", Value::Null).with("tags", json!([{"key": "k"}]));
    let mut after = vpc("a", "10.1.0.0/16").with("tags", json!([]));
    after.unknown.insert("state".to_owned());
    let known = |value| FieldValue::Known(value);
    let change = |field: &str, before, after| FieldChange { field: field.to_owned(), before, after };
    assert_eq!(
        field_changes(&before, &after),
        [
            change("cidrBlock", known(json!("10.0.0.0/16")), known(json!("10.1.0.0/16"))),
            change("state", known(Value::Null), FieldValue::Unknown),
            change("tags", known(json!([{"key": "k"}])), known(json!([]))),
        ]
    );
}

/// C9: the participant's listing stays as it was, and what it says of the owner's asset no longer counts.
#[test]
fn a_shared_asset_vanishes_when_its_owner_turns_out_not_to_have_it() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let shared = vpc("shared", "10.1.0.0/16");
    let listed =
        commit_of(SliceKey::new(OTHER, REGION, "Vpc"), Outcome::Complete, 1_000, vec![shared.clone()]);
    store.commit_slice(listed).unwrap();
    put(&store, Outcome::Complete, 2_000, vec![]);
    let (from, to) = (store.in_force(time(1_000)).unwrap(), store.newest().unwrap().unwrap());
    let mut changes = Vec::new();
    store.changes(from, to, None, &mut |change| changes.push(change)).unwrap();
    assert_eq!(changes, [Change::Vanished(shared)]);
}

#[test]
fn changes_keep_to_one_type_where_one_is_asked_for() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![]);
    put(&store, Outcome::Complete, 2_000, vec![vpc("a", "10.0.0.0/16")]);
    let subnet = Asset::new("Subnet", "s").with("accountId", OWNER);
    let key = SliceKey::new(OWNER, REGION, "Subnet");
    store.commit_slice(commit_of(key, Outcome::Complete, 3_000, vec![subnet.clone()])).unwrap();
    let (from, to) = (store.in_force(time(1_000)).unwrap(), store.newest().unwrap().unwrap());
    let changes = |typename| {
        let mut changes = Vec::new();
        store.changes(from, to, typename, &mut |change| changes.push(change)).unwrap();
        changes
    };
    assert_eq!(changes(Some("Subnet")), [Change::Appeared(subnet)]);
    assert_eq!(changes(Some("Sub")), []);
    assert_eq!(changes(None).len(), 2);
}

/// An inventory that deltas are applied to.
#[derive(Clone, Debug, Default, PartialEq)]
struct Inventory {
    assets: BTreeMap<(String, String), Asset>,
    slices: BTreeMap<SliceKey, SliceState>,
}

impl Inventory {
    fn newest(store: &Store) -> (u64, Self) {
        let newest = store.newest().unwrap().unwrap();
        let mut inventory = Self::default();
        let past = store.read_past(newest, &mut |asset| inventory.put(asset)).unwrap();
        inventory.slices = past.slices.into_iter().map(|state| (state.key.clone(), state)).collect();
        (newest.sequence, inventory)
    }

    fn put(&mut self, asset: Asset) {
        self.assets.insert((asset.typename.clone(), asset.id.clone()), asset);
    }

    fn delta(&self, store: &Store, from: u64, to: Option<u64>, most: usize) -> Option<Self> {
        let owned = |slice: &SliceKey| {
            let is_owned = |asset: &&Asset| {
                asset.typename == slice.asset_type
                    && asset.account_id() == Some(slice.account_id.as_str())
                    && (slice.region == "global"
                        || asset.region().is_none_or(|region| region == slice.region))
            };
            self.assets.values().filter(is_owned).map(|asset| asset.id.clone()).collect()
        };
        let delta = store.delta(from, to, most, &owned).unwrap()?;
        assert_eq!(delta.sequence, to.unwrap_or(store.sequence()));
        let mut then = self.clone();
        for asset in delta.put {
            then.put(asset);
        }
        for key in delta.removed {
            then.assets.remove(&key);
        }
        for (key, state) in delta.slices {
            match state {
                Some(state) => then.slices.insert(key, state),
                None => then.slices.remove(&key),
            };
        }
        Some(then)
    }
}

#[test]
fn a_delta_leads_from_any_commit_to_any_other() {
    for seed in 0..30 {
        let folder = tempdir().unwrap();
        let store = open_clean(folder.path());
        let (mut numbers, mut clock) = (Numbers(seed + 1), 1000);
        random_commit(&store, &mut numbers, &mut clock);
        // From here on it is known what is listed and not shown.
        assets(&store);
        let mut kept = vec![Inventory::newest(&store)];
        for _ in 0..25 {
            for _ in 0..=numbers.below(3) {
                random_commit(&store, &mut numbers, &mut clock);
            }
            let (sequence, now) = Inventory::newest(&store);
            let (from, before) = kept.last().unwrap().clone();
            assert_eq!(
                before.delta(&store, from, None, usize::MAX).unwrap(),
                now,
                "seed {seed}: {from}..{sequence}"
            );
            kept.push((sequence, now.clone()));
            let (to, then) = &kept[numbers.below(kept.len())];
            let (from, other) = &kept[numbers.below(kept.len())];
            let told = now.delta(&store, sequence, Some(*to), usize::MAX).unwrap();
            assert_eq!(told, *then, "seed {seed}: {sequence} back to {to}");
            let told = other.delta(&store, *from, Some(*to), usize::MAX).unwrap();
            assert_eq!(told, *then, "seed {seed}: from {from} to {to}");
        }
    }
}

#[test]
fn a_delta_is_refused_where_it_is_more_than_asked_for_or_could_leave_something_out() {
    let folder = tempdir().unwrap();
    let store = open_clean(folder.path());
    for (at, ids) in [(1, &["a", "b", "c"][..]), (2, &["a"]), (3, &["a", "b"])] {
        put(&store, Outcome::Complete, at, ids.iter().map(|id| vpc(id, "10.0.0.0/8")).collect());
    }
    let (_, now) = Inventory::newest(&store);
    assert!(now.delta(&store, 3, Some(4), 10).is_none(), "a commit that is not there");
    assert!(Inventory::default().delta(&store, 0, None, 2).is_none(), "three assets were touched");
    assert_eq!(Inventory::default().delta(&store, 0, None, 3), Some(now.clone()));
    assert!(
        now.delta(&store, 3, Some(2), 10).is_none(),
        "hidden assets are not known before everything was read"
    );
    assets(&store);
    assert!(now.delta(&store, 3, Some(2), 10).is_some());
}
