//! What a commit of a slice changes, and what readers see of it.

use passmuster::{
    model::{Asset, Outcome, SliceKey},
    store::{CommitReport, StoreError},
};
use tempfile::tempdir;

use super::{
    OTHER, OWNER, REGION, assets, commit, commit_of, contents, ids, open_clean, put, refusal, time, vpc,
};

#[test]
fn a_complete_slice_adds_changes_and_removes() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let first = put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16"), vpc("b", "10.1.0.0/16")]);
    assert_eq!(first, CommitReport { sequence: 1, added: 2, changed: 0, unchanged: 0, removed: 0 });
    let second =
        put(&store, Outcome::Complete, 2_000, vec![vpc("b", "10.9.0.0/16"), vpc("c", "10.2.0.0/16")]);
    assert_eq!(second, CommitReport { sequence: 2, added: 1, changed: 1, unchanged: 0, removed: 1 });
    assert_eq!(ids(&store), ["b", "c"]);
    assert_eq!(store.slices().unwrap()[0].assets, 2);
}

#[test]
fn a_slice_that_is_not_complete_removes_nothing_and_keeps_when_it_was_complete() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16"), vpc("b", "10.1.0.0/16")]);
    for (at, outcome) in [
        (2_000, Outcome::Denied),
        (3_000, Outcome::Disabled),
        (4_000, Outcome::Throttled),
        (5_000, Outcome::Failed),
    ] {
        let report = put(&store, outcome, at, vec![]);
        assert_eq!((report.added, report.changed, report.removed), (0, 0, 0));
        let state = &store.slices().unwrap()[0];
        assert_eq!((state.outcome, state.assets), (outcome, 2));
        assert_eq!((state.attempted_at, state.completed_at), (Some(time(at)), Some(time(1_000))));
        assert_eq!(state.reason.as_deref(), Some("UnauthorizedOperation"));
    }
    let report = put(&store, Outcome::Failed, 6_000, vec![vpc("c", "10.2.0.0/16")]);
    assert_eq!((report.added, report.removed), (1, 0));
    assert_eq!(ids(&store), ["a", "b", "c"]);
    put(&store, Outcome::Complete, 7_000, vec![vpc("c", "10.2.0.0/16")]);
    assert_eq!(ids(&store), ["c"]);
    assert_eq!(store.slices().unwrap()[0].reason, None);
}

#[test]
fn unchanged_assets_write_nothing_and_the_slice_still_has_its_time() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    let report = put(&store, Outcome::Complete, 2_000, vec![vpc("a", "10.0.0.0/16")]);
    assert_eq!(report, CommitReport { sequence: 2, added: 0, changed: 0, unchanged: 1, removed: 0 });
    assert_eq!(store.versions("Vpc", "a").unwrap().len(), 1);
    assert_eq!(store.slices().unwrap()[0].completed_at, Some(time(2_000)));
    let seen = &assets(&store)[0];
    assert_eq!(seen.text("firstSeenAt"), Some("1970-01-01T00:00:01.000Z"));
    assert_eq!(seen.text("lastSeenAt"), Some("1970-01-01T00:00:02.000Z"));
}

#[test]
fn the_order_of_fields_makes_no_version() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let one: serde_json::Value = serde_json::from_str(
        r#"{"__typename": "Vpc", "id": "a", "tags": [{"key": "k", "value": "v"}], "cidrBlock": "10.0.0.0/16"}"#,
    )
    .unwrap();
    let other: serde_json::Value = serde_json::from_str(
        r#"{"cidrBlock": "10.0.0.0/16", "tags": [{"value": "v", "key": "k"}], "id": "a", "__typename": "Vpc"}"#,
    )
    .unwrap();
    put(&store, Outcome::Complete, 1_000, vec![Asset::from_json(one).unwrap()]);
    let report = put(&store, Outcome::Complete, 2_000, vec![Asset::from_json(other).unwrap()]);
    assert_eq!(report.unchanged, 1);
}

#[test]
fn an_asset_that_comes_back_keeps_when_it_was_first_seen() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    put(&store, Outcome::Complete, 2_000, vec![]);
    assert_eq!(ids(&store), Vec::<String>::new());
    put(&store, Outcome::Complete, 3_000, vec![vpc("a", "10.0.0.0/16")]);
    assert_eq!(assets(&store)[0].text("firstSeenAt"), Some("1970-01-01T00:00:01.000Z"));
    assert_eq!(assets(&store)[0].text("lastSeenAt"), Some("1970-01-01T00:00:03.000Z"));
}

#[test]
fn an_asset_that_brings_its_own_times_keeps_them() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let mut imported = vpc("a", "10.0.0.0/16").with("firstSeenAt", "2020-01-01T00:00:00.000Z");
    imported.unknown.insert("lastSeenAt".to_owned());
    put(&store, Outcome::Complete, 1_000, vec![imported.clone()]);
    assert_eq!(assets(&store), [imported]);
}

#[test]
fn every_version_and_every_removal_stays_readable() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let (old, new) = (vpc("a", "10.0.0.0/16"), vpc("a", "10.9.0.0/16"));
    put(&store, Outcome::Complete, 1_000, vec![old.clone()]);
    put(&store, Outcome::Complete, 2_000, vec![new.clone()]);
    put(&store, Outcome::Complete, 3_000, vec![]);
    let versions = store.versions("Vpc", "a").unwrap();
    let seen: Vec<_> =
        versions.iter().map(|version| (version.sequence, version.at, version.removed)).collect();
    assert_eq!(seen, [(1, time(1_000), false), (2, time(2_000), false), (3, time(3_000), true)]);
    let read: Vec<_> = versions.iter().map(|version| store.read_version("a", version).unwrap()).collect();
    assert_eq!(read, [Some(old), Some(new), None]);
    assert_eq!(store.versions("Vpc", "b").unwrap(), []);
}

/// C9: the owner and a participant both list a shared VPC.
#[test]
fn a_shared_asset_comes_once_as_its_owner_lists_it() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let participant = SliceKey::new(OTHER, REGION, "Vpc");
    let partly = vpc("shared", "10.0.0.0/16").with("tags", serde_json::json!([]));
    let wholly = vpc("shared", "10.0.0.0/16").with("tags", serde_json::json!([{"key": "k", "value": "v"}]));
    let listed = commit_of(participant.clone(), Outcome::Complete, 1_000, vec![partly.clone()]);
    store.commit_slice(listed.clone()).unwrap();
    assert_eq!(assets(&store)[0].fields.get("tags"), partly.fields.get("tags"), "nobody else lists it yet");
    put(&store, Outcome::Complete, 1_000, vec![wholly.clone()]);
    store.commit_slice(commit_of(participant, Outcome::Complete, 9_000, vec![partly])).unwrap();
    assert_eq!(ids(&store), ["shared"]);
    assert_eq!(assets(&store)[0].fields.get("tags"), wholly.fields.get("tags"), "the owner's counts");
}

#[test]
fn a_shared_asset_is_gone_once_its_owner_no_longer_lists_it() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let shared = vpc("shared", "10.0.0.0/16");
    let list =
        |at| commit_of(SliceKey::new(OTHER, REGION, "Vpc"), Outcome::Complete, at, vec![shared.clone()]);
    put(&store, Outcome::Complete, 1_000, vec![shared.clone()]);
    store.commit_slice(list(2_000)).unwrap();
    put(&store, Outcome::Denied, 3_000, vec![]);
    assert_eq!(ids(&store), ["shared"], "a denied owner says nothing");
    put(&store, Outcome::Complete, 4_000, vec![]);
    assert_eq!(ids(&store), Vec::<String>::new(), "the owner was complete later and doesn't list it");
    store.commit_slice(list(5_000)).unwrap();
    assert_eq!(ids(&store), ["shared"], "the participant has seen it since");
}

#[test]
fn of_two_foreign_listings_the_later_counts() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    for (account, at, cidr) in [(OTHER, 2_000, "10.2.0.0/16"), ("333333333333", 1_000, "10.1.0.0/16")] {
        let key = SliceKey::new(account, REGION, "Vpc");
        store.commit_slice(commit_of(key, Outcome::Complete, at, vec![vpc("shared", cidr)])).unwrap();
    }
    assert_eq!(assets(&store)[0].text("cidrBlock"), Some("10.2.0.0/16"));
    assert_eq!(assets(&store).len(), 1);
}

#[test]
fn assets_come_sorted_by_type_and_id_and_slices_by_account_region_and_type() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    for (account, region, typename, id) in [
        (OWNER, "us-east-1", "Vpc", "vpc-2"),
        (OTHER, "eu-west-1", "Vpc", "vpc-10"),
        (OWNER, "eu-west-1", "Subnet", "subnet-1"),
        (OWNER, "eu-west-1", "Vpc", "vpc-1\u{0}x"),
    ] {
        let key = SliceKey::new(account, region, typename);
        let asset = Asset::new(typename, id).with("accountId", account);
        store.commit_slice(commit_of(key, Outcome::Complete, 1_000, vec![asset])).unwrap();
    }
    let order: Vec<_> =
        assets(&store).into_iter().map(|asset| format!("{} {}", asset.typename, asset.id)).collect();
    assert_eq!(order, ["Subnet subnet-1", "Vpc vpc-1\u{0}x", "Vpc vpc-10", "Vpc vpc-2"]);
    let slices: Vec<_> = store.slices().unwrap().iter().map(|state| state.key.to_string()).collect();
    assert_eq!(
        slices,
        [
            "111111111111 eu-west-1 Subnet",
            "111111111111 eu-west-1 Vpc",
            "111111111111 us-east-1 Vpc",
            "222222222222 eu-west-1 Vpc"
        ]
    );
}

#[test]
fn of_two_assets_with_one_id_in_a_commit_the_later_counts() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    let report =
        put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16"), vpc("a", "10.1.0.0/16")]);
    assert_eq!((report.added, report.changed), (1, 0));
    assert_eq!(assets(&store)[0].text("cidrBlock"), Some("10.1.0.0/16"));
}

#[test]
fn everything_is_there_after_opening_again() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16"), vpc("b", "10.1.0.0/16")]);
    put(&store, Outcome::Denied, 2_000, vec![]);
    let (before, hash) = (contents(&store), store.journal_hash());
    drop(store);
    let store = open_clean(dir.path());
    assert_eq!((contents(&store), store.journal_hash()), (before, hash));
}

#[test]
fn a_snapshot_holds_assets_and_slices_of_one_moment() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=60_i64 {
                let cidr = format!("10.{round}.0.0/16");
                let list = ["a", "b", "c"].into_iter().map(|id| vpc(id, &cidr)).collect();
                put(&store, Outcome::Complete, round, list);
            }
        });
        while store.sequence() < 60 {
            let mut seen = Vec::new();
            let snapshot = store.read_snapshot(&mut |asset| seen.push(asset)).unwrap();
            let expected: Vec<_> = if snapshot.revision.sequence == 0 { vec![] } else { vec!["a", "b", "c"] };
            assert_eq!(seen.iter().map(|asset| asset.id.as_str()).collect::<Vec<_>>(), expected);
            let cidr = format!("10.{}.0.0/16", snapshot.revision.sequence);
            assert!(
                seen.iter().all(|asset| asset.text("cidrBlock") == Some(&cidr)),
                "a torn commit was seen"
            );
            let completed = snapshot.slices.first().and_then(|state| state.completed_at);
            assert_eq!(completed.map_or(0, |at| at.millis().unsigned_abs()), snapshot.revision.sequence);
        }
    });
}

#[test]
fn a_commit_that_makes_no_sense_is_refused_whole() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    put(&store, Outcome::Complete, 1_000, vec![vpc("a", "10.0.0.0/16")]);
    let before = contents(&store);
    let stranger = Asset::new("Subnet", "s");
    let refused =
        store.commit_slice(commit(Outcome::Complete, 2_000, vec![vpc("b", "10.0.0.0/16"), stranger]));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the slice `111111111111 eu-west-1 Vpc` lists `Vpc`, so it can't take the `Subnet` `s`: commit it in a slice \
         of its own type"
    );
    for id in [String::new(), "x".repeat(8_193)] {
        let refused = store.commit_slice(commit(Outcome::Complete, 2_000, vec![vpc(&id, "10.0.0.0/16")]));
        assert!(matches!(refused, Err(StoreError::BadName { .. })));
    }
    let nowhere = commit_of(SliceKey::new(OWNER, "", "Vpc"), Outcome::Complete, 2_000, vec![]);
    assert!(matches!(store.commit_slice(nowhere), Err(StoreError::BadName { .. })));
    assert_eq!(contents(&store), before);
    let again =
        refusal(passmuster::store::Store::open(dir.path(), &passmuster::store::StoreOptions::default()));
    assert!(matches!(again, StoreError::InUse { .. }), "one at a time, within a process as well");
}
