//! Processes killed at any moment: what was acknowledged is there, whole, and nothing else is torn.
//!
//! The process that is killed is this test binary itself, run again with [`ROLE`] set.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use passmuster::{
    model::{Asset, Outcome, SliceKey},
    store::{FaultPoint, Faults, LedgerCommit, SliceCommit, Store, StoreError, StoreOptions},
};
use tempfile::tempdir;

use super::{Numbers, OWNER, assets, open, open_clean, refusal, time};

const ROLE: &str = "PASSMUSTER_TEST_STORE_ROLE";
const DIR: &str = "PASSMUSTER_TEST_STORE_DIR";
const TYPES: [&str; 4] = ["FlowLog", "Subnet", "Vpc", "Finding"];

/// The commit with this number: the slice, and what it lists, follow from the number.
fn numbered(number: u64) -> SliceCommit {
    let typename = type_of(number);
    let list = (0..=number % 5).map(|item| Asset::new(typename, format!("{item}")).with("number", number));
    SliceCommit {
        key: SliceKey::new(OWNER, "eu-west-1", typename),
        api: String::new(),
        outcome: Outcome::Complete,
        reason: None,
        at: time(i64::try_from(number).unwrap()),
        assets: list.collect(),
    }
}

fn type_of(number: u64) -> &'static str {
    TYPES[usize::try_from(number % 4).unwrap()]
}

/// Commits it: every fourth one to the ledger, where it takes away what the one before it left.
fn commit(store: &Store, number: u64) -> Result<(), StoreError> {
    let SliceCommit { at, assets, .. } = numbered(number);
    if type_of(number) == "Finding" {
        let removes = (0..5).map(|item| ("Finding".to_owned(), format!("{item}"))).collect();
        return store.begin_ledger().commit(&LedgerCommit { at, puts: assets, removes }).map(drop);
    }
    store.commit_slice(numbered(number)).map(drop)
}

/// Checks that the store holds what the commits up to its sequence left, and nothing more.
fn check_numbered(store: &Store) {
    let last = store.sequence();
    let mut expected: Vec<(String, String, u64)> = (last.saturating_sub(3).max(1)..=last)
        .flat_map(|number| {
            numbered(number).assets.into_iter().map(move |asset| (asset.typename, asset.id, number))
        })
        .collect();
    expected.sort();
    let found: Vec<(String, String, u64)> = assets(store)
        .into_iter()
        .map(|asset| {
            let number = asset.fields.get("number").and_then(serde_json::Value::as_u64).unwrap();
            (asset.typename, asset.id, number)
        })
        .collect();
    assert_eq!(found, expected, "after commit {last}");
}

/// The part of the child processes; does nothing in a test run.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let dir = std::env::var(DIR).unwrap();
    let end_at = |point| {
        Faults::new(move |reached| {
            if reached == point {
                std::process::abort();
            }
            Ok(())
        })
    };
    let faults = match role.as_str() {
        "die-before-index" => end_at(FaultPoint::IndexWrite),
        "die-before-acknowledgement" => end_at(FaultPoint::Acknowledge),
        "die-before-sync" => end_at(FaultPoint::RecordSync),
        "die-in-replay" => end_at_third_replay(),
        _ => Faults::default(),
    };
    let store = match Store::open(
        Path::new(&dir),
        &StoreOptions { faults, segment_bytes: 20_000, ..StoreOptions::default() },
    ) {
        Ok(opened) => opened.store,
        Err(error) => {
            println!("\nrefused {error}");
            return;
        }
    };
    println!("\nopen {}", store.sequence());
    if role == "hold" {
        thread::sleep(Duration::from_secs(600));
    }
    loop {
        let number = store.sequence() + 1;
        commit(&store, number).unwrap();
        println!("ack {number}");
    }
}

fn end_at_third_replay() -> Faults {
    let replayed = AtomicU64::new(0);
    Faults::new(move |reached| {
        if reached == FaultPoint::Replay && replayed.fetch_add(1, Ordering::SeqCst) == 2 {
            std::process::abort();
        }
        Ok(())
    })
}

fn start(role: &str, dir: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = command(role, dir).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

fn command(role: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["store::crash::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(DIR, dir)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Reads up to the first line that begins so and returns the number in it.
fn read_until(output: &mut BufReader<ChildStdout>, start: &str) -> u64 {
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 && !line.starts_with(start) {
        line.clear();
    }
    let number = line.trim().strip_prefix(start).and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("the child ended without `{start}`"))
}

/// The last commit the child was told of, once it has ended; a line cut short doesn't count.
fn last_acknowledged(mut output: BufReader<ChildStdout>) -> Option<u64> {
    let (mut last, mut line) = (None, String::new());
    while output.read_line(&mut line).unwrap() > 0 {
        if let Some(number) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("ack ")) {
            last = Some(number.parse().unwrap());
        }
        line.clear();
    }
    last
}

#[test]
fn s1_two_hundred_kills_lose_no_acknowledged_commit_and_tear_none() {
    let dir = tempdir().unwrap();
    let mut numbers = Numbers(1);
    let (mut acknowledged, mut kills_after_acknowledgements) = (0, 0);
    for round in 0..200 {
        let (mut child, mut output) = start("commit", dir.path());
        let reached = read_until(&mut output, if round % 4 == 0 { "open " } else { "ack " });
        assert!(reached >= acknowledged, "round {round}: commits went back");
        acknowledged = reached;
        thread::sleep(Duration::from_micros(numbers.below(20_000) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        if let Some(last) = last_acknowledged(output) {
            assert!(last > acknowledged, "round {round}: commits went back");
            acknowledged = last;
            kills_after_acknowledgements += 1;
        }
        let store = open(dir.path()).store;
        assert!(store.sequence() >= acknowledged, "round {round}: lost {acknowledged}");
        assert!(store.sequence() <= acknowledged + 1, "round {round}: commits from nowhere");
        acknowledged = store.sequence();
        check_numbered(&store);
    }
    assert!(
        kills_after_acknowledgements > 100,
        "only {kills_after_acknowledgements} of 200 kills came in time"
    );
    let report = passmuster::store::verify(dir.path()).unwrap();
    assert!(report.is_sound() && report.records == acknowledged, "{report:?}");
}

#[test]
fn s2_kills_while_opening_and_rebuilding_change_nothing() {
    let dir = tempdir().unwrap();
    let (mut child, mut output) = start("commit", dir.path());
    read_until(&mut output, "open ");
    thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut acknowledged = last_acknowledged(output).unwrap();
    let mut numbers = Numbers(2);
    for round in 0..60 {
        if round % 2 == 0 {
            let _ = fs::remove_dir_all(dir.path().join("index"));
        }
        let (mut child, output) = start("commit", dir.path());
        thread::sleep(Duration::from_micros(numbers.below(40_000) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = last_acknowledged(output).unwrap_or(acknowledged);
    }
    let store = open(dir.path()).store;
    assert!(store.sequence() >= acknowledged);
    check_numbered(&store);
}

#[test]
fn s2_a_kill_in_the_middle_of_a_rebuild_is_made_up_for_by_the_next_open() {
    let dir = tempdir().unwrap();
    let store = open_clean(dir.path());
    for number in 1..=5 {
        commit(&store, number).unwrap();
    }
    drop(store);
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let (mut child, output) = start("die-in-replay", dir.path());
    assert!(!child.wait().unwrap().success());
    assert_eq!(last_acknowledged(output), None);
    let opened = open(dir.path());
    assert_eq!((opened.store.sequence(), opened.notes.len()), (5, 1), "{:?}", opened.notes);
    check_numbered(&opened.store);
}

/// Runs a child that ends itself at its first commit and returns what the store says afterwards.
fn die(role: &str, dir: &Path, before: u64) -> (u64, Vec<String>) {
    let before = {
        let store = open(dir).store;
        for number in 1..=before {
            commit(&store, number).unwrap();
        }
        store.sequence()
    };
    let (mut child, output) = start(role, dir);
    assert!(!child.wait().unwrap().success());
    assert_eq!(last_acknowledged(output), None);
    let opened = open(dir);
    check_numbered(&opened.store);
    drop(opened.store);
    let notes = opened.notes;
    check_numbered(&open_clean(dir));
    (open_clean(dir).sequence() - before, notes)
}

#[test]
fn s4_a_kill_between_journal_and_index_leaves_a_commit_that_the_next_open_takes_in() {
    // The next one is of a slice, and of the ledger.
    for before in [4, 2] {
        let dir = tempdir().unwrap();
        let (more, notes) = die("die-before-index", dir.path(), before);
        assert_eq!(more, 1);
        assert_eq!(notes, ["the index was behind: took in 1 commit from the journal"]);
    }
}

#[test]
fn s5_a_kill_between_commit_and_acknowledgement_leaves_the_commit_whole() {
    for before in [4, 2] {
        let dir = tempdir().unwrap();
        let (more, notes) = die("die-before-acknowledgement", dir.path(), before);
        assert_eq!(more, 1);
        assert!(notes.len() <= 1, "the index may have been flushed or not: {notes:?}");
    }
}

#[test]
fn a_kill_before_the_disk_confirms_leaves_the_commit_whole_or_not_at_all() {
    for before in [4, 2] {
        let dir = tempdir().unwrap();
        let (more, _) = die("die-before-sync", dir.path(), before);
        assert!(more <= 1);
    }
}

#[test]
fn s13_a_second_process_is_told_the_pid_of_the_first() {
    let dir = tempdir().unwrap();
    let (mut child, mut output) = start("hold", dir.path());
    read_until(&mut output, "open ");
    let refused = refusal(Store::open(dir.path(), &StoreOptions::default()));
    let verified = passmuster::store::verify(dir.path()).unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(refused, StoreError::InUse { pid: Some(pid), .. } if pid == child.id()), "{refused}");
    assert!(matches!(verified, StoreError::InUse { .. }));
    assert_eq!(
        refused.to_string(),
        format!(
            "the store `{}` is in use by process {}: stop it, or give this one another folder",
            dir.path().display(),
            child.id()
        )
    );
    open_clean(dir.path());
}

/// Root may write anywhere, so that the child then runs as nobody.
#[test]
fn s20_a_read_only_folder_is_refused_with_its_name() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    };

    let outer = tempdir().unwrap();
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let dir = outer.path().join("store");
    fs::create_dir(&dir).unwrap();
    let is_root = fs::metadata(&dir).unwrap().uid() == 0;
    drop(open_clean(&dir));
    for folder in [dir.clone(), outer.path().join("none")] {
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o555)).unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o555)).unwrap();
        let mut command = command("commit", &folder);
        if is_root {
            command.uid(65_534).gid(65_534);
        }
        let output = command.output().unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let refused = format!("refused can't write `{}", folder.display());
        assert!(said.contains(&refused), "{said}");
        assert!(said.contains("make it a folder that this user may write, or give another one"), "{said}");
    }
}
