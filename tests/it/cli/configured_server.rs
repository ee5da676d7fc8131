//! `[schedule]`, `[server]` and `[[notifications]]` of `passmuster.toml`: what is refused, and where.

use std::fs;

use super::{folder, run};

/// What is told of a mistake, all of it on one line.
fn complaint(text: &str) -> String {
    let folder = folder();
    fs::write(folder.path().join("passmuster.toml"), text).unwrap();
    let ended = run(folder.path(), &["checks", "list"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{text}: {ended:?}");
    ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_refused(text: &str, place: &str, parts: &[&str]) {
    let told = complaint(text);
    assert!(told.contains(&format!("passmuster.toml:{place}")), "{place}: {told}");
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn what_can_not_recur_is_refused_at_its_place() {
    assert_refused("[schedule]\nchecks = \"daily\"\n", "2:10", &["`daily` is not a cron expression"]);
    assert_refused("[schedule]\nchecks = \"0 0 31 2 *\"\n", "2:10", &["never comes"]);
    assert_refused("[schedule]\ntime_zone = \"Europe/Belrin\"\n", "2:13", &["did you mean `Europe/Berlin`?"]);
    assert_refused("[schedule]\njitter = \"0s\"\n", "2:10", &["out of bounds"]);
    let collection = |rest: &str| format!("[[schedule.collections]]\nname = \"a\"\n{rest}\n");
    assert_refused(&collection(""), "1:1", &["`cron`"]);
    assert_refused(&collection("cron = \"0 2 * * *\"\nevery = \"1h\""), "4:9", &["leave one of the two out"]);
    assert_refused(&collection("every = \"1s\""), "3:9", &["out of bounds"]);
    assert_refused(&collection("cron = \"61 * * * *\""), "3:8", &["out of bounds"]);
    assert_refused(&collection("cron = \"0 2 * * *\"\nonly = [\"Vcp\"]"), "4:9", &["did you mean `Vpc`?"]);
    assert_refused(&collection("crn = \"0 2 * * *\""), "3:1", &["did you mean `cron`?"]);
    let two = collection("every = \"1h\"").repeat(2);
    assert_refused(&two, "5:8", &["there are two collections `a`"]);
    assert_refused("[[schedule.collections]]\nname = \"a/b\"\nevery = \"1h\"\n", "2:8", &["is no name"]);
    assert_refused(
        "[[schedule.collections]]\nname = \"requested\"\nevery = \"1h\"\n",
        "2:8",
        &["is no name"],
    );
}

#[test]
fn where_nobody_can_listen_and_whom_nobody_can_be_is_refused() {
    assert_refused("[server]\nlisten = \"localhost\"\n", "2:10", &["is no address and port"]);
    assert_refused("[server]\nallow_remote = \"yes\"\n", "2:16", &["must be true or false"]);
    for origin in ["dashboard.example.com", "https://a.example/path", "*", "https://*.example.com", "null"] {
        assert_refused(&format!("[server]\nallowed_origins = [\"{origin}\"]\n"), "2:20", &["is no origin"]);
    }
}

/// A3, A4
#[test]
fn channels_that_lead_nowhere_good_or_tell_secrets_are_refused() {
    let channel = |rest: &str| format!("[[notifications]]\nname = \"ops\"\n{rest}\n");
    let webhook = |rest: &str| channel(&format!("kind = \"webhook\"\n{rest}"));
    assert_refused(
        "[[notifications]]\nkind = \"webhook\"\nurl = \"https://example.com\"\n",
        "1:1",
        &["`name`"],
    );
    assert_refused(&channel("kind = \"webook\""), "3:8", &["did you mean `webhook`?"]);
    assert_refused(&webhook(""), "1:1", &["`url`"]);
    assert_refused(&webhook("url = \"http://example.com/\""), "4:7", &["plain http", "allow_http = true"]);
    assert_refused(
        &webhook("url = \"https://10.0.0.1/\""),
        "4:7",
        &["a private network", "allow_private = true"],
    );
    assert_refused(
        &webhook("url = \"https://169.254.169.254/\"\nallow_private = true"),
        "4:7",
        &["credentials"],
    );
    assert_refused(&webhook("url = \"https://me:secret@example.com/\""), "4:7", &["user name or password"]);
    assert_refused(
        &webhook("url = \"https://example.com/\"\nurl_env = \"U\""),
        "5:11",
        &["`url` says it already", "leave one of the two out"],
    );
    assert_refused(
        &webhook("url = \"https://example.com/\"\non = [\"open\"]"),
        "5:7",
        &["did you mean `opened`?"],
    );
    assert_refused(
        &webhook("url = \"https://example.com/\"\nseverity = \"hgih\""),
        "5:12",
        &["did you mean `high`?"],
    );
    assert_refused(
        &webhook("url = \"https://example.com/\"\nsecret = \"s\""),
        "5:1",
        &["unknown key `secret`"],
    );
    assert_refused(
        &channel("kind = \"slack\"\nurl = \"https://hooks.example.com/T0/B0/x\""),
        "4:7",
        &["the address of a Slack hook is a secret", "url_env"],
    );
    assert_refused(
        &channel("kind = \"slack\"\nurl_env = \"U\"\nsecret_env = \"S\""),
        "5:14",
        &["a Slack message is not signed"],
    );
    let two = webhook("url = \"https://example.com/\"").repeat(2);
    assert_refused(&two, "6:8", &["there are two channels `ops`"]);
}

/// A4: a secret that is not there stops the start, and none is said.
#[test]
fn a_server_does_not_begin_without_the_secrets_of_its_channels() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    fs::write(
        folder.path().join("passmuster.toml"),
        "[[notifications]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"https://example.com/secret-part\"\n\
         secret_file = \"nowhere\"\n",
    )
    .unwrap();
    let ended = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("channel `ops`: cannot read `nowhere`"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("secret-part"), "{}", ended.stderr);
}
