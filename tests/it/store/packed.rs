//! Assets that wait for their commit packed: committed, they are what they would have been as they came.

use passmuster::{
    model::{Asset, Outcome, SliceKey},
    store::{Packed, SliceCommit, StoreError},
};

use super::{OWNER, REGION, commit, contents, open_clean, vpc};

fn pack(assets: &[Asset]) -> Packed {
    let mut packed = Packed::default();
    packed.extend(assets).expect("memory");
    packed
}

fn packed(at: i64, assets: &[Asset]) -> SliceCommit<Packed> {
    let SliceCommit { key, api, outcome, reason, at, .. } = commit(Outcome::Complete, at, Vec::new());
    SliceCommit { key, api, outcome, reason, at, assets: pack(assets) }
}

/// Enough for several blocks, with names that are hard to keep apart, ids that come twice, and an unknown field.
fn many(round: usize) -> Vec<Asset> {
    let odd = ["vpc \"quoted\"", "vpc\nof two lines", "vpc\\", "vpc é \u{1f30d}"];
    let mut assets: Vec<Asset> = odd.iter().map(|id| vpc(id, "10.0.0.0/8")).collect();
    for number in 0..4_000 {
        let cidr = format!("10.{}.{}.0/24", round * usize::from(number % 7 == 0), number % 256);
        assets.push(
            vpc(&format!("vpc-{:05}", number * 7919 % 4_001), &cidr).with("description", "x".repeat(200)),
        );
    }
    let mut last = vpc("vpc-00000", "172.16.0.0/12");
    last.unknown.insert("tags".to_owned());
    assets.push(last);
    assets
}

#[test]
fn packed_assets_are_committed_as_the_same_assets_unpacked() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = folders.each_ref().map(|folder| open_clean(folder.path()));
    for (at, assets) in [(1, many(0)), (2, many(1)), (3, many(1)[2_000..].to_vec())] {
        let report = one.commit_slice(packed(at, &assets)).expect("a commit");
        assert_eq!(report, other.commit_slice(commit(Outcome::Complete, at, assets)).expect("a commit"));
    }
    assert_eq!(contents(&one), contents(&other));
    assert_eq!(one.journal_hash(), other.journal_hash());
}

#[test]
fn what_waits_takes_a_small_part_of_what_it_is() {
    let assets = many(1);
    let plain: usize = assets.iter().map(|asset| format!("{asset:?}").len()).sum();
    let bytes = pack(&assets).bytes();
    assert!(bytes * 4 < plain, "{bytes} of {plain}");
}

#[test]
fn what_a_packed_list_no_longer_names_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_clean(folder.path());
    let assets = many(0);
    store.commit_slice(packed(1, &assets)).expect("a commit");
    let slice = SliceKey::new(OWNER, REGION, "Vpc");
    assert!(store.listed_besides(&slice, &pack(&assets)).expect("a comparison").is_empty());
    let besides = store.listed_besides(&slice, &pack(&assets[4..])).expect("a comparison");
    let mut odd: Vec<&str> = assets[..4].iter().map(|asset| asset.id.as_str()).collect();
    odd.sort_unstable();
    assert_eq!(besides.iter().map(|asset| asset.id.as_str()).collect::<Vec<_>>(), odd);
    assert!(store.listed_besides(&SliceKey::new("2", REGION, "Vpc"), &pack(&assets)).unwrap().is_empty());
}

#[test]
fn packed_assets_of_another_type_or_without_an_id_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_clean(folder.path());
    let wrong = [vpc("vpc-1", "10.0.0.0/8"), Asset::new("Subnet", "s-1")];
    let refused = store.commit_slice(packed(1, &wrong)).expect_err("another type");
    assert!(matches!(refused, StoreError::WrongType { .. }), "{refused:?}");
    let refused = store.commit_slice(packed(1, &[Asset::new("Vpc", "")])).expect_err("no id");
    assert!(matches!(refused, StoreError::BadName { .. }), "{refused:?}");
    assert!(store.slices().unwrap().is_empty());
}
