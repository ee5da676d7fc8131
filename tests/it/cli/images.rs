//! The image of a store's graph: a start from it answers as one from the store does, and nothing that is wrong with it
//! is ever answered from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use tempfile::TempDir;

use super::{QUERY, folder, inventory, run, serving::Server};

const EVERYTHING: &str =
    "{ vpcs { id name firstSeenAt lastSeenAt hasFlowLog { id flowLogStatus lastSeenAt } } }";

fn image(folder: &Path) -> PathBuf {
    folder.join(".passmuster/store/graph.image")
}

/// A store with an image of its graph, and what a query answers.
fn imaged() -> (TempDir, String) {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let answer = ask(folder.path(), "");
    assert!(image(folder.path()).is_file(), "the first query leaves an image");
    (folder, answer)
}

/// Answers the query, with this on stderr.
fn ask(folder: &Path, note: &str) -> String {
    let ended = run(folder, &["query", QUERY]);
    assert_eq!(ended.code, 0, "{ended:?}");
    match note {
        "" => assert_eq!(ended.stderr, ""),
        note => {
            assert_eq!(ended.stderr.lines().count(), 1, "one line: {}", ended.stderr);
            assert!(ended.stderr.contains(note), "{}", ended.stderr);
        }
    }
    ended.stdout
}

/// The index can't even be opened: whoever answers hasn't tried.
fn break_index(folder: &Path) {
    let index = folder.join(".passmuster/store/index");
    fs::remove_dir_all(&index).unwrap();
    fs::write(&index, "no folder").unwrap();
}

#[test]
fn a_query_and_a_check_answer_from_the_image_without_the_index() {
    let (folder, answer) = imaged();
    // What is to be written down needs the index.
    let check = ["check", "aws-vpc-flow-logs-enabled", "-o", "csv", "--no-record"];
    let verdict = run(folder.path(), &check);
    break_index(folder.path());
    assert_eq!(ask(folder.path(), ""), answer);
    let again = run(folder.path(), &check);
    assert_eq!((again.code, &again.stdout), (verdict.code, &verdict.stdout), "{again:?}");
    let past = run(folder.path(), &["query", "--as-of", "2001-01-01", "{ vpcs { id } }"]);
    assert_ne!(past.code, 0, "the past needs the index");
}

#[test]
fn a_damaged_image_is_never_answered_from_and_written_again() {
    let (folder, answer) = imaged();
    let path = image(folder.path());
    let whole = fs::read(&path).unwrap();
    let note = "the image of its graph is not used, the graph is built from the store: it is damaged";
    for place in (60..whole.len()).step_by(whole.len() / 7) {
        let mut damaged = whole.clone();
        damaged[place] ^= 4;
        fs::write(&path, damaged).unwrap();
        assert_eq!(ask(folder.path(), note), answer, "byte {place}");
        assert_eq!(ask(folder.path(), ""), answer);
    }
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(ask(folder.path(), note), answer);
    fs::write(&path, "").unwrap();
    assert_eq!(ask(folder.path(), note), answer);
    fs::write(&path, [b"PMGRAPH\x02".as_slice(), &whole[8..]].concat()).unwrap();
    assert_eq!(ask(folder.path(), "it was written by another version"), answer);
    assert_eq!(fs::read(&path).unwrap().len(), whole.len());
}

#[test]
fn an_image_of_an_earlier_commit_is_brought_up_to_date_and_one_of_another_store_is_not_used() {
    let (folder, before) = imaged();
    let earlier = fs::read(image(folder.path())).unwrap();
    fs::write(folder.path().join("later.ndjson"), inventory(&[]).replace("INACTIVE", "ACTIVE")).unwrap();
    assert_eq!(run(folder.path(), &["import", "later.ndjson"]).code, 0);
    let after = ask(folder.path(), "");
    assert_ne!(after, before);
    let newer = fs::read(image(folder.path())).unwrap();
    assert_ne!(newer, earlier, "the image follows");
    fs::write(image(folder.path()), &earlier).unwrap();
    assert_eq!(ask(folder.path(), ""), after, "the earlier one is brought up to date");
    let whole = {
        fs::remove_file(image(folder.path())).unwrap();
        run(folder.path(), &["query", EVERYTHING]).stdout
    };
    fs::write(image(folder.path()), &earlier).unwrap();
    assert_eq!(run(folder.path(), &["query", EVERYTHING]).stdout, whole);
    // And from the image of what was patched.
    assert_eq!(run(folder.path(), &["query", EVERYTHING]).stdout, whole);

    // The same number of commits, another history.
    let (other, _) = imaged();
    fs::copy(other.path().join("vpcs.ndjson"), other.path().join("later.ndjson")).unwrap();
    assert_eq!(run(other.path(), &["import", "later.ndjson"]).code, 0);
    let of_other = ask(other.path(), "");
    fs::write(image(other.path()), &newer).unwrap();
    assert_eq!(ask(other.path(), ""), of_other);
    assert_ne!(of_other, after);
    fs::write(image(other.path()), &earlier).unwrap();
    assert_eq!(ask(other.path(), ""), of_other, "nor is one of an earlier commit of another store");
}

#[test]
fn an_image_of_another_schema_is_not_answered_from() {
    let (folder, answer) = imaged();
    let schema = folder.path().join("schema");
    fs::create_dir(&schema).unwrap();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/schema")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "graphql") {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(schema.join(path.file_name().unwrap()), format!("# another\n{text}")).unwrap();
        }
    }
    let written = fs::read(image(folder.path())).unwrap();
    let ended = run(folder.path(), &["query", "--schema", "schema", QUERY]);
    assert_eq!((ended.code, &ended.stdout), (0, &answer), "{ended:?}");
    let replaced = fs::read(image(folder.path())).unwrap();
    assert_ne!(replaced, written, "one image is kept, of what was asked last");
    assert_eq!(ask(folder.path(), ""), answer);
}

/// A kill between writing and renaming.
#[test]
fn an_unfinished_image_is_ignored_and_replaced() {
    let (folder, answer) = imaged();
    let unfinished = folder.path().join(".passmuster/store/graph.image.new");
    fs::rename(image(folder.path()), &unfinished).unwrap();
    assert_eq!(ask(folder.path(), ""), answer);
    assert!(image(folder.path()).is_file() && !unfinished.exists());
}

#[test]
fn a_store_whose_image_cannot_be_written_works_without_and_says_so() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let blocked = folder.path().join(".passmuster/store/graph.image.new/folder");
    fs::create_dir_all(&blocked).unwrap();
    let note = "the image of its graph was not written, the next start takes longer";
    let answer = ask(folder.path(), note);
    assert_eq!(ask(folder.path(), note), answer);
    assert!(!image(folder.path()).exists());
}

#[test]
fn verifying_names_the_image() {
    let (folder, _) = imaged();
    let bytes = fs::metadata(image(folder.path())).unwrap().len();
    let verified = run(folder.path(), &["store", "verify", "-o", "json"]).json();
    assert_eq!(verified["imageBytes"], json!(bytes));
    assert!(run(folder.path(), &["store", "verify"]).stdout.contains("image    "));
}

#[test]
fn serve_answers_from_the_image_and_leaves_one_behind() {
    let (folder, answer) = imaged();
    let expected = answer.trim().to_owned();
    let start = || {
        let server = Server::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"], true);
        server.wait_until_ready();
        assert!(server.post(&json!({ "query": QUERY }).to_string()).contains(&expected));
        server
    };
    assert_eq!(start().terminate(), Some(0));
    fs::remove_file(image(folder.path())).unwrap();
    assert_eq!(start().terminate(), Some(0));
    assert!(image(folder.path()).is_file());
    assert_eq!(ask(folder.path(), ""), answer);
}
