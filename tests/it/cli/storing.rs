//! `import` and `store`, and stores that are not there.

use std::fs;

use serde_json::json;

use super::{QUERY, folder, inventory, run, run_with_stdin, slice};

#[test]
fn a_bad_file_of_assets_is_named_by_line() {
    let folder = folder();
    let text = inventory(&[]) + "{\"__typename\": \"Vpc\"\n";
    fs::write(folder.path().join("bad.ndjson"), text).unwrap();
    for arguments in
        [["query", "--data", "bad.ndjson", "{ vpcs { id } }"].as_slice(), &["import", "bad.ndjson"]]
    {
        let ended = run(folder.path(), arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{arguments:?}");
        assert!(ended.stderr.starts_with("error: bad.ndjson:6:"), "{ended:?}");
    }
    assert!(!folder.path().join(".passmuster").exists(), "nothing of a bad file is kept");
}

#[test]
fn an_imported_file_is_queried_checked_and_verified_in_the_store() {
    let folder = folder();
    let first = run(folder.path(), &["import", "vpcs.ndjson", "-o", "json"]);
    assert_eq!((first.code, &first.json()["added"]), (0, &json!(5)), "{first:?}");
    let again = run(folder.path(), &["import", "vpcs.ndjson", "-o", "json"]);
    assert_eq!((&again.json()["added"], &again.json()["changed"]), (&json!(0), &json!(0)), "{again:?}");
    let rows = run(folder.path(), &["query", QUERY]).json();
    assert_eq!(rows["data"]["vpcs"].as_array().unwrap().len(), 2);
    assert_eq!(run(folder.path(), &["check", "aws-vpc-flow-logs-enabled"]).code, 2);
    let verified = run(folder.path(), &["store", "verify"]);
    assert!(verified.code == 0 && verified.stdout.contains("the store is sound"), "{verified:?}");
}

/// A slice that is denied deletes nothing and resolves nothing.
#[test]
fn an_import_of_a_denied_slice_keeps_what_was_known() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    let denied = slice("Vpc", "DENIED").to_string();
    assert_eq!(run_with_stdin(folder.path(), &["import", "-"], &denied).code, 0);
    let rows = run(folder.path(), &["query", "{ vpcs { id } }"]).json();
    assert_eq!(rows["data"]["vpcs"].as_array().unwrap().len(), 3);
    let complete = slice("Vpc", "COMPLETE").to_string();
    assert_eq!(run_with_stdin(folder.path(), &["import", "-"], &complete).code, 0);
    let rows = run(folder.path(), &["query", "{ vpcs { id } }"]).json();
    assert_eq!(rows["data"]["vpcs"], json!([]), "a complete slice does remove");
}

#[test]
fn reading_a_store_that_is_not_there_makes_none() {
    let folder = folder();
    for arguments in [
        ["query", "{ vpcs { id } }"].as_slice(),
        &["check"],
        &["serve", "--listen", "127.0.0.1:0"],
        &["store", "verify"],
    ] {
        let ended = run(folder.path(), arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains("there is no store in"), "{ended:?}");
    }
    assert!(!folder.path().join(".passmuster").exists());
}
