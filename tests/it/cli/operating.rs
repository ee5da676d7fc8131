//! `serve` as what keeps an eye on things: it judges by itself, does what mutations ask for, tells subscribers and
//! channels, and a restart forgets nothing.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use passmuster::{
    check::ledger::ChangeKind,
    query::FINDING_CHANGE_KINDS,
    store::{Store, StoreOptions},
};
use serde_json::{Value, json};

use super::{command, folder, inventory, run, serving::Server, slice};
use crate::support::socket::Client;

const CHECK: &str = "aws-vpc-flow-logs-enabled";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A folder with a store in which vpc-1 is logged and vpc-2 and vpc-3 are not.
fn stored() -> tempfile::TempDir {
    let folder = folder();
    import(folder.path(), &inventory(&slices()));
    folder
}

fn slices() -> Vec<Value> {
    ["Vpc", "FlowLog"].map(|of| slice(of, "COMPLETE")).to_vec()
}

fn import(folder: &Path, lines: &str) {
    fs::write(folder.join("import.ndjson"), lines).unwrap();
    let ended = run(folder, &["import", "import.ndjson"]);
    assert_eq!(ended.code, 0, "{ended:?}");
}

fn serve(folder: &Path, more: &[&str]) -> Server {
    let arguments: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"].iter().chain(more).copied().collect();
    let mut command = command(folder, &arguments);
    command.env("OPS_SECRET", SECRET);
    let server = Server::spawn(command, true);
    server.wait_until_ready();
    wait_for_the_store(&server);
    server
}

/// Waits until mutations are looked at: queries are answered while the store is still being opened.
pub(super) fn wait_for_the_store(server: &Server) {
    let probe = "mutation { revokeException(id: \"nothing\") { id } }";
    ask_until(server, probe, |answer| answer["errors"][0]["extensions"]["code"] != "not_ready");
}

pub(super) fn ask(server: &Server, query: &str) -> Value {
    let answer = server.post(&json!({ "query": query }).to_string());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Asks until the answer is as it should be.
pub(super) fn ask_until(server: &Server, query: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..2400 {
        last = ask(server, query);
        if is_so(&last) {
            return last;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("never: {last}");
}

const OPEN: &str = "{ findings(where: {checkId: \"aws-vpc-flow-logs-enabled\", status: OPEN}, sort: {id: ASC}) { id nativeId } }";

fn open(server: &Server) -> Vec<String> {
    let answer = ask(server, OPEN);
    let findings = answer["data"]["findings"].as_array().unwrap_or_else(|| panic!("{answer}"));
    findings.iter().map(|finding| finding["nativeId"].as_str().unwrap().to_owned()).collect()
}

fn has_judged(server: &Server) {
    ask_until(server, OPEN, |answer| answer["data"]["findings"].as_array().is_some_and(|all| all.len() == 2));
}

#[test]
fn the_kinds_of_changes_in_the_schema_are_those_of_the_ledger() {
    assert_eq!(FINDING_CHANGE_KINDS.map(|(name, _)| name), ChangeKind::ALL.map(ChangeKind::as_str));
}

#[test]
fn a_server_judges_what_it_holds_and_a_restart_forgets_nothing() {
    let folder = stored();
    let runs =
        "{ checkRuns(where: {checkId: \"aws-vpc-flow-logs-enabled\"}) { id trigger verdict openedCount } }";
    let server = serve(folder.path(), &[]);
    has_judged(&server);
    assert_eq!(open(&server), ["vpc-2", "vpc-3"]);
    let first = ask(&server, runs);
    assert_eq!(first["data"]["checkRuns"].as_array().unwrap().len(), 1, "{first}");
    assert_eq!(first["data"]["checkRuns"][0]["openedCount"], "2", "{first}");
    assert_eq!(server.terminate(), Some(0));

    let server = serve(folder.path(), &[]);
    // Its first look is over once a run that is asked for is: they take turns.
    let asked = ask(&server, &format!("mutation {{ runCheck(id: \"{CHECK}\") {{ trigger openedCount }} }}"));
    assert_eq!(asked["data"]["runCheck"], json!({"trigger": "REQUEST", "openedCount": "0"}), "{asked}");
    let again = ask(&server, runs);
    assert_eq!(
        again["data"]["checkRuns"].as_array().unwrap().len(),
        2,
        "what is as it was is not run again: {again}"
    );
    assert_eq!(server.terminate(), Some(0));

    // What changed meanwhile is judged at the next start.
    let logged = inventory(&slices()).replace("INACTIVE", "ACTIVE");
    import(folder.path(), &logged);
    let server = serve(folder.path(), &[]);
    ask_until(&server, OPEN, |answer| {
        answer["data"]["findings"].as_array().is_some_and(|all| all.len() == 1)
    });
    assert_eq!(open(&server), ["vpc-3"]);
}

#[test]
fn a_server_that_is_told_to_judges_nothing() {
    let folder = stored();
    let server = serve(folder.path(), &["--no-checks"]);
    let answer = ask(&server, "mutation { runCheck(id: \"aws-vpc-flow-logs-enabled\") { id } }");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "unknown_check", "{answer}");
    assert_eq!(ask(&server, "{ checkRuns { id } }")["data"]["checkRuns"], json!([]));
}

#[test]
fn exceptions_are_made_and_taken_back_and_answered_as_the_graph_has_them() {
    let folder = stored();
    let server = serve(folder.path(), &[]);
    has_judged(&server);
    let made = ask(
        &server,
        "mutation { addException(check: \"aws-vpc-flow-logs-enabled\", asset: \"vpc-2\", owner: \"net\", reason: \"old\",
                                 expiresAt: \"2999-01-01\") { id status owner findings { nativeId status } } }",
    );
    let exception = &made["data"]["addException"];
    assert_eq!(exception["findings"], json!([{"nativeId": "vpc-2", "status": "EXCEPTED"}]), "{made}");
    assert_eq!((&exception["status"], &exception["owner"]), (&json!("ACTIVE"), &json!("net")));
    assert_eq!(open(&server), ["vpc-3"]);
    let id = exception["id"].as_str().unwrap();
    let revoke =
        format!("mutation {{ revokeException(id: \"{id}\") {{ status revokedAt findings {{ id }} }} }}");
    let revoked = ask(&server, &revoke);
    assert_eq!(revoked["data"]["revokeException"]["status"], "REVOKED", "{revoked}");
    assert!(revoked["data"]["revokeException"]["revokedAt"].is_string(), "{revoked}");
    assert_eq!(open(&server), ["vpc-2", "vpc-3"]);
    assert_eq!(ask(&server, &revoke)["errors"][0]["extensions"]["code"], "exception_is_over");

    // By filter and by account, and both in one request, one after the other.
    let both = ask(
        &server,
        "mutation {
            a: addException(filter: \"{name: \\\"inactive\\\"}\", assetType: \"Vpc\", owner: \"o\", reason: \"r\", expiresAt: \"2999-01-01\") { filter }
            b: addException(account: \"111122223333\", owner: \"o\", reason: \"r\", expiresAt: \"2999-01-01\") { accountId findings { nativeId } }
            c: revokeException(id: \"exc-nothing\") { id }
        }",
    );
    assert_eq!(both["data"]["a"]["filter"], "{name: \"inactive\"}", "{both}");
    assert_eq!(both["data"]["c"], Value::Null);
    assert_eq!(both["errors"][0]["path"], json!(["c"]));
    assert_eq!(open(&server), Vec::<String>::new());
}

#[test]
fn what_makes_no_exception_and_no_run_is_refused() {
    let folder = stored();
    let server = serve(folder.path(), &[]);
    has_judged(&server);
    let rest = "owner: \"o\", reason: \"r\", expiresAt: \"2999-01-01\"";
    let cases = [
        (
            "runCheck(id: \"aws-vpc-flow-logs-enabld\")".to_owned(),
            "unknown_check",
            "did you mean `aws-vpc-flow-logs-enabled`?",
        ),
        (format!("addException({rest})"), "bad_exception", "one of `asset`, `account` and `filter`"),
        (format!("addException(asset: \"vpc-2\", account: \"1\", {rest})"), "bad_exception", "one of"),
        (format!("addException(asset: \"vpc-9\", {rest})"), "unknown_asset", "`vpc-9`"),
        (format!("addException(check: \"nothing\", asset: \"vpc-2\", {rest})"), "unknown_check", "`nothing`"),
        (format!("addException(filter: \"{{}}\", {rest})"), "bad_exception", "assetType"),
        (
            format!("addException(filter: \"{{nmae: null}}\", assetType: \"Vpc\", {rest})"),
            "bad_filter",
            "nmae",
        ),
        (
            format!("addException(filter: \"{{}}\", assetType: \"Vcp\", {rest})"),
            "unknown_type",
            "did you mean `Vpc`?",
        ),
        (
            format!("addException(filter: \"{{}}\", assetType: \"Subnet\", check: \"{CHECK}\", {rest})"),
            "bad_exception",
            "judges `Vpc`",
        ),
        (
            "addException(asset: \"vpc-2\", owner: \" \", reason: \"r\", expiresAt: \"2999-01-01\")"
                .to_owned(),
            "bad_exception",
            "owner",
        ),
        (
            "addException(asset: \"vpc-2\", owner: \"o\", reason: \"r\", expiresAt: \"2001-01-01\")"
                .to_owned(),
            "bad_exception",
            "future",
        ),
        ("revokeException(id: \"exc-1\")".to_owned(), "unknown_exception", "exc-1"),
    ];
    for (field, code, told) in cases {
        let answer = ask(&server, &format!("mutation {{ {field} {{ id }} }}"));
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{field}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(told), "{field}: {answer}");
    }
    assert_eq!(ask(&server, "{ exceptions { id } }")["data"]["exceptions"], json!([]), "nothing was made");
}

#[test]
fn a_server_accepts_counts_and_closes_what_checks_found_that_are_gone() {
    let folder = stored();
    let write = |name: &str, title: &str| {
        let path = folder.path().join("q/own").join(name);
        fs::create_dir_all(&path).unwrap();
        let check =
            format!("id: own-{name}\ntitle: {title}\nseverity: high\ncovers: Vpc\nexpect: count lt 2\n");
        fs::write(path.join("check.yaml"), check).unwrap();
        fs::write(path.join("query.graphql"), "vpcs { id }\n").unwrap();
    };
    write("one", "There are few");
    write("two", "There are few, said twice");
    let of = |id: &str| {
        format!(
            "{{ findings(where: {{checkId: \"{id}\"}}) {{ status verdict check {{ verdict error goneAt }} }} }}"
        )
    };
    let server = serve(folder.path(), &["--queries", "q"]);
    ask_until(&server, &of("own-two"), |answer| answer["data"]["findings"][0]["status"] == "OPEN");
    let accepted = ask(
        &server,
        "mutation { addException(check: \"own-one\", owner: \"o\", reason: \"r\", expiresAt: \"2999-01-01\") { assetId findings { id status } } }",
    );
    assert_eq!(
        accepted["data"]["addException"],
        json!({"assetId": null, "findings": [{"id": "own-one", "status": "EXCEPTED"}]}),
        "{accepted}"
    );
    assert_eq!(server.terminate(), Some(0));
    fs::remove_dir_all(folder.path().join("q/own/two")).unwrap();
    let server = serve(folder.path(), &["--queries", "q"]);
    let closed =
        ask_until(&server, &of("own-two"), |answer| answer["data"]["findings"][0]["status"] == "RESOLVED");
    let finding = &closed["data"]["findings"][0];
    assert_eq!(
        (&finding["verdict"], &finding["check"]["verdict"]),
        (&json!("CHECK_GONE"), &json!("UNKNOWN"))
    );
    assert!(finding["check"]["error"].as_str().unwrap().contains("the check is gone"), "{closed}");
    assert!(finding["check"]["goneAt"].is_string(), "{closed}");
    assert_eq!(server.terminate(), Some(0));
    // One that judges nothing takes none for gone.
    let server = serve(folder.path(), &["--queries", "q", "--no-checks"]);
    let kept = ask(&server, &of("own-one"));
    assert_eq!(kept["data"]["findings"][0]["status"], "EXCEPTED", "{kept}");
}

#[test]
fn mutations_are_done_only_where_nobody_else_can_ask_for_them() {
    let folder = stored();
    let run_it = format!("mutation {{ runCheck(id: \"{CHECK}\") {{ id }} }}");
    let code = |more: &[&str]| {
        let server = serve(folder.path(), more);
        let answer = ask(&server, &run_it);
        answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
    };
    assert_eq!(code(&["--allow-remote"]).as_deref(), Some("mutations_not_allowed"));
    assert_eq!(code(&["--allow-remote", "--allow-mutations"]), None);
    fs::write(folder.path().join("passmuster.toml"), "[server]\nallow_mutations = false\n").unwrap();
    assert_eq!(code(&[]).as_deref(), Some("mutations_not_allowed"));
    fs::write(
        folder.path().join("passmuster.toml"),
        "[server]\nallow_remote = true\nallow_mutations = true\n",
    )
    .unwrap();
    assert_eq!(code(&[]), None);
    fs::remove_file(folder.path().join("passmuster.toml")).unwrap();
    let file =
        Server::start(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--data", "vpcs.ndjson"], true);
    file.wait_until_ready();
    assert_eq!(ask(&file, &run_it)["errors"][0]["extensions"]["code"], "read_only");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_are_told_once_the_graph_shows_it() {
    let folder = stored();
    let server = serve(folder.path(), &[]);
    has_judged(&server);
    let mut client = Client::acknowledged(&server.address()).await;
    client
        .subscribe("runs", "subscription { checkRunFinished(check: \"aws-vpc-flow-logs-enabled\") { trigger check { id verdict } } }")
        .await;
    client
        .subscribe("changes", "subscription { findingChanged(where: {nativeId: \"vpc-2\"}) { kind finding { status exception { owner } } } }")
        .await;
    client.subscribe("wrong", "subscription { findingChanged { kinds } }").await;
    client.subscribe("query", "{ vpcs { id } }").await;
    let mut refused = [client.receive().await.json(), client.receive().await.json()];
    refused.sort_by_key(|told| told["id"].to_string());
    assert_eq!((&refused[0]["id"], &refused[0]["type"]), (&json!("query"), &json!("error")));
    assert_eq!(refused[1]["payload"][0]["extensions"]["code"], "unknown_field", "{refused:?}");

    let run_it = format!("mutation {{ runCheck(id: \"{CHECK}\") {{ id }} }}");
    ask(&server, &run_it);
    let told = client.receive().await.json();
    assert_eq!(
        told,
        json!({"type": "next", "id": "runs", "payload": {"data": {"checkRunFinished":
            {"trigger": "REQUEST", "check": {"id": CHECK, "verdict": "FAIL"}}}}})
    );
    let add = |asset: &str| {
        format!(
            "mutation {{ addException(asset: \"{asset}\", owner: \"me\", reason: \"r\", expiresAt: \"2999-01-01\") {{ id }} }}"
        )
    };
    ask(&server, &add("vpc-3"));
    ask(&server, &add("vpc-2"));
    let told = client.receive().await.json();
    assert_eq!(told["payload"]["data"]["findingChanged"]["kind"], "EXCEPTED", "vpc-3 is another's: {told}");
    assert_eq!(
        told["payload"]["data"]["findingChanged"]["finding"],
        json!({"status": "EXCEPTED", "exception": {"owner": "me"}})
    );
    // A stop says so.
    let closing = tokio::task::spawn_blocking(move || server.terminate());
    let (code, _) = client.closed().await;
    assert_eq!(code, 1001);
    drop(client);
    assert_eq!(closing.await.unwrap(), Some(0));
}

/// Takes messages, and says what it got.
fn receiver(status: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook/secret-part", listener.local_addr().unwrap());
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&got);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            loop {
                let read = stream.read(&mut piece).unwrap_or(0);
                request.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let length = text
                    .to_lowercase()
                    .split_once("content-length: ")
                    .and_then(|(_, rest)| rest.lines().next()?.trim().parse::<usize>().ok());
                let whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| Some(body.len()) == length);
                if read == 0 || whole {
                    kept.lock().unwrap().push(text);
                    break;
                }
            }
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok();
        }
    });
    (url, got)
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn channels_are_told_of_a_run_once_whatever_restarts() {
    let folder = stored();
    let (url, got) = receiver("204 No Content");
    let (down, tried) = receiver("503 Service Unavailable");
    let configuration = format!(
        "[[notifications]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"{url}\"\nsecret_env = \"OPS_SECRET\"\n\
         checks = [\"{CHECK}\"]\nallow_private = true\nallow_http = true\n\
         [[notifications]]\nname = \"down\"\nkind = \"webhook\"\nurl = \"{down}\"\nchecks = [\"{CHECK}\"]\n\
         on = [\"opened\"]\nallow_private = true\nallow_http = true\n"
    );
    fs::write(folder.path().join("passmuster.toml"), configuration).unwrap();
    let server = serve(folder.path(), &[]);
    let query = "{ notifications(sort: {channel: ASC}) { id channel status attempts note message } }";
    let is_told = |answer: &Value| {
        let all = answer["data"]["notifications"].as_array().cloned().unwrap_or_default();
        all.len() == 2 && all[0]["note"].is_string() && all[1]["status"] == "DELIVERED"
    };
    let kept = ask_until(&server, query, is_told);
    let [waiting, delivered] = [&kept["data"]["notifications"][0], &kept["data"]["notifications"][1]];
    assert_eq!((&waiting["status"], &delivered["message"]), (&json!("PENDING"), &Value::Null), "{kept}");
    assert!(waiting["note"].as_str().unwrap().contains("answered 503"), "{kept}");
    assert!(!kept.to_string().contains("secret-part") && !kept.to_string().contains("MfKQ"), "{kept}");
    {
        let got = got.lock().unwrap();
        assert_eq!(got.len(), 1, "one message for the run");
        assert_eq!(body(&got[0])["data"]["counts"]["opened"], 2, "{}", got[0]);
        assert!(got[0].contains("webhook-signature: v1,"), "{}", got[0]);
        assert!(got[0].contains(delivered["id"].as_str().unwrap()), "{}", got[0]);
    }
    let id = delivered["id"].as_str().unwrap().to_owned();
    assert_eq!(server.terminate(), Some(0));
    {
        // Between a verdict and its messages there is no moment at which a crash could lose them.
        let store =
            Store::open(&folder.path().join(".passmuster/store"), &StoreOptions::default()).unwrap().store;
        let record_of = |typename: &str, id: &str| store.versions(typename, id).unwrap()[0].sequence;
        let finding = format!("{CHECK}/arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-2");
        assert_eq!(record_of("Finding", &finding), record_of("Notification", &id));
    }
    let attempts = tried.lock().unwrap().len();
    assert!(attempts >= 1);

    let server = serve(folder.path(), &[]);
    // What waits is tried again by the same id; what was delivered is not.
    ask_until(&server, query, |_| tried.lock().unwrap().len() > attempts);
    assert_eq!(got.lock().unwrap().len(), 1, "never twice");
    let ids: std::collections::BTreeSet<String> = tried
        .lock()
        .unwrap()
        .iter()
        .map(|request| request.lines().find(|line| line.starts_with("webhook-id")).unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 1);
    // The next change is a message of its own.
    ask(
        &server,
        "mutation { addException(asset: \"vpc-2\", owner: \"o\", reason: \"r\", expiresAt: \"2999-01-01\") { id } }",
    );
    let revoke =
        ask(&server, "{ exceptions { id } }")["data"]["exceptions"][0]["id"].as_str().unwrap().to_owned();
    ask(&server, &format!("mutation {{ revokeException(id: \"{revoke}\") {{ id }} }}"));
    ask_until(&server, query, |_| got.lock().unwrap().len() == 2);
    let got = got.lock().unwrap();
    assert_eq!(body(&got[1])["data"]["changes"][0]["kind"], "reopened", "{}", got[1]);
}

#[test]
fn notify_test_says_what_came_of_it() {
    let folder = folder();
    let (url, got) = receiver("200 OK");
    let (gone, _) = receiver("410 Gone");
    let configuration = format!(
        "[[notifications]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"{url}\"\nsecret_env = \"OPS_SECRET\"\n\
         allow_private = true\nallow_http = true\n\
         [[notifications]]\nname = \"chat\"\nkind = \"slack\"\nurl_file = \"chat.url\"\nallow_private = true\nallow_http = true\n\
         [[notifications]]\nname = \"closed\"\nkind = \"webhook\"\nurl_env = \"CLOSED_URL\"\n"
    );
    fs::write(folder.path().join("passmuster.toml"), configuration).unwrap();
    fs::write(folder.path().join("chat.url"), format!("{gone}\n")).unwrap();
    let test = |name: &str, variables: &[(&str, &str)]| {
        let mut command = command(folder.path(), &["notify", "test", name]);
        command.env_remove("OPS_SECRET").envs(variables.iter().copied());
        let output = command.output().unwrap();
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!told.contains("secret-part") && !told.contains("MfKQ"), "{told}");
        (output.status.code(), told)
    };
    let (code, told) = test("ops", &[("OPS_SECRET", SECRET)]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("ops: `127.0.0.1` took the test message"), "{told}");
    assert_eq!(body(&got.lock().unwrap()[0])["type"], "test");
    let (code, told) = test("ops", &[]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("the environment has no variable `OPS_SECRET`"), "{told}");
    let (code, told) = test("ops", &[("OPS_SECRET", "short")]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("24 at least"), "{told}");
    let (code, told) = test("chat", &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("answered 410 Gone"), "{told}");
    // A3
    let (code, told) = test("closed", &[("CLOSED_URL", "https://169.254.169.254/latest/secret-part")]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("where a cloud keeps the credentials"), "{told}");
    let (code, told) = test("obs", &[]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("did you mean `ops`?"), "{told}");
}

#[test]
fn schedule_says_what_ran_what_is_due_and_why_not() {
    let folder = stored();
    fs::write(
        folder.path().join("passmuster.toml"),
        "[schedule]\ntime_zone = \"Europe/Berlin\"\n\
         [[schedule.collections]]\nname = \"nightly\"\ncron = \"0 2 * * *\"\n",
    )
    .unwrap();
    let jobs = |folder: &Path| {
        let ended = run(folder, &["schedule", "-o", "json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    };
    let table = run(folder.path(), &["schedule"]).stdout;
    assert!(table.contains("  in ") && !table.contains(" old"), "{table}");
    let rows = jobs(folder.path());
    let rows = rows.as_array().unwrap();
    assert_eq!(rows[0]["job"], "collection/nightly");
    assert_eq!(rows[0]["schedule"], "0 2 * * * Europe/Berlin");
    let of_check = |rows: &Value| {
        let found =
            rows.as_array().unwrap().iter().find(|row| row["job"] == format!("check/{CHECK}")).cloned();
        found.unwrap_or_else(|| panic!("{rows}"))
    };
    assert_eq!(rows[0]["state"], "waits");
    let server = serve(folder.path(), &[]);
    has_judged(&server);
    ask(&server, &format!("mutation {{ runCheck(id: \"{CHECK}\") {{ id }} }}"));
    let kept = ask_until(
        &server,
        &format!("{{ scheduledJob(id: \"check/{CHECK}\") {{ kind outcome note nextAt check {{ id }} }} }}"),
        |answer| answer["data"]["scheduledJob"]["outcome"] == "DONE",
    );
    let job = &kept["data"]["scheduledJob"];
    assert_eq!(
        (&job["kind"], &job["outcome"], &job["note"]),
        (&json!("CHECK"), &json!("DONE"), &json!("FAIL")),
        "{kept}"
    );
    assert_eq!(job["check"]["id"], CHECK, "{kept}");
    // The store is the server's as long as it runs, and what is on record can be read all the same.
    assert_eq!(run(folder.path(), &["findings"]).code, 1);
    let beside = of_check(&jobs(folder.path()));
    assert_eq!(server.terminate(), Some(0));
    let row = of_check(&jobs(folder.path()));
    assert_eq!(beside, row);
    assert_eq!(
        (&row["outcome"], &row["note"], &row["state"]),
        (&json!("DONE"), &json!("FAIL"), &json!("waits")),
        "{row}"
    );
    assert!(row["lastStartedAt"].is_string() && row["nextAt"].is_string(), "{row}");
    let table = run(folder.path(), &["schedule"]);
    assert!(table.stdout.contains("collection/nightly") && table.stdout.contains("NEXT"), "{}", table.stdout);
}
