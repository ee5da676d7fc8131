//! The store: what a commit means, and what it survives.

mod crash;
mod damage;
mod group;
mod ledger;
mod limits;
mod packed;
mod past;
mod slices;
mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
};

use passmuster::{
    model::{Asset, Outcome, SliceKey, Time},
    store::{CommitReport, LedgerCommit, LedgerReport, Opened, SliceCommit, Store, StoreError, StoreOptions},
};

const OWNER: &str = "111111111111";
const OTHER: &str = "222222222222";
const REGION: &str = "eu-west-1";

fn time(millis: i64) -> Time {
    Time::from_millis(millis).expect("a time within range")
}

fn vpc(id: &str, cidr: &str) -> Asset {
    Asset::new("Vpc", id).with("accountId", OWNER).with("region", REGION).with("cidrBlock", cidr)
}

fn commit(outcome: Outcome, at: i64, assets: Vec<Asset>) -> SliceCommit {
    commit_of(SliceKey::new(OWNER, REGION, "Vpc"), outcome, at, assets)
}

fn commit_of(key: SliceKey, outcome: Outcome, at: i64, assets: Vec<Asset>) -> SliceCommit {
    let reason = (outcome != Outcome::Complete).then(|| "UnauthorizedOperation".to_owned());
    SliceCommit { key, api: "ec2:DescribeVpcs".to_owned(), outcome, reason, at: time(at), assets }
}

fn open(dir: &Path) -> Opened {
    Store::open(dir, &StoreOptions::default()).expect("the store opens")
}

/// Opens a store that must need no repair.
fn open_clean(dir: &Path) -> Store {
    let Opened { store, notes } = open(dir);
    assert_eq!(notes, Vec::<String>::new());
    store
}

fn put(store: &Store, outcome: Outcome, at: i64, assets: Vec<Asset>) -> CommitReport {
    store.commit_slice(commit(outcome, at, assets)).expect("the commit is taken")
}

/// Writes to the ledger.
fn write_down(store: &Store, at: i64, puts: Vec<Asset>, removes: &[(&str, &str)]) -> LedgerReport {
    let removes = removes.iter().map(|(typename, id)| ((*typename).to_owned(), (*id).to_owned())).collect();
    store.begin_ledger().commit(&LedgerCommit { at: time(at), puts, removes }).expect("the commit is taken")
}

fn assets(store: &Store) -> Vec<Asset> {
    let mut assets = Vec::new();
    store.read_assets(&mut |asset| assets.push(asset)).expect("the assets can be read");
    assets
}

fn ids(store: &Store) -> Vec<String> {
    assets(store).into_iter().map(|asset| asset.id).collect()
}

/// Everything a reader can see.
fn contents(store: &Store) -> String {
    format!("{} {:?} {:?}", store.sequence(), store.slices().expect("the slices can be read"), assets(store))
}

/// The rows of the index of a store that is closed. A process that another test is just starting may still hold a
/// copy of its locked file for a moment.
fn index_rows(dir: &Path) -> sled::Db {
    (0..500)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(2));
            sled::open(dir.join("index")).ok()
        })
        .expect("the index opens")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir.join("journal"))
        .expect("a journal")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "journal"))
        .collect();
    paths.sort();
    paths
}

fn flip(path: &Path, at: usize, bit: u8) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[at] ^= 1 << (bit % 8);
    fs::write(path, bytes).expect("the file is written");
}

fn refusal(result: Result<Opened, StoreError>) -> StoreError {
    result.map(|opened| opened.notes).expect_err("the store doesn't open")
}

/// A small reproducible generator; the first number is printed where a test fails, because it is in the test.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}
