//! `demo` and `serve`: processes that listen, and end when they are told to.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{QUERY, command, folder, names_in, run};

#[test]
fn the_demo_reports_without_a_network_and_leaves_nothing_behind() {
    let folder = folder();
    for _ in 0..2 {
        let ended = run(folder.path(), &["demo", "--no-serve"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        for expected in ["aws-vpc-flow-logs-enabled", "FAIL", "Unknown", "denied", "payments"] {
            assert!(ended.stdout.contains(expected), "{expected}: {}", ended.stdout);
        }
    }
    assert_eq!(names_in(folder.path()), ["vpcs.ndjson"]);
}

/// A server of the binary's, stopped when it is dropped.
pub(super) struct Server {
    child: Child,
    address: String,
    printed: String,
}

impl Server {
    /// Starts it and reads the stream until it names its address.
    pub(super) fn start(folder: &Path, arguments: &[&str], address_on_stderr: bool) -> Self {
        Self::spawn(command(folder, arguments), address_on_stderr)
    }

    /// The same, with all that is printed kept in a file.
    pub(super) fn spawn_into(mut command: Command, file: &Path) -> Self {
        let kept = fs::File::create(file).unwrap();
        let child = command.stdout(kept.try_clone().unwrap()).stderr(kept).spawn().unwrap();
        let mut server = Self { child, address: String::new(), printed: String::new() };
        for _ in 0..2400 {
            server.printed = fs::read_to_string(file).unwrap();
            let rest = server.printed.split_once("serving http://").map(|(_, rest)| rest);
            if let Some((address, _)) = rest.and_then(|rest| rest.split_once('/')) {
                server.address = address.to_owned();
                return server;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("no address: {}", server.printed);
    }

    pub(super) fn spawn(mut command: Command, address_on_stderr: bool) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stream: Box<dyn Read> = if address_on_stderr {
            Box::new(child.stderr.take().unwrap())
        } else {
            Box::new(child.stdout.take().unwrap())
        };
        let mut lines = BufReader::new(stream).lines();
        let mut printed = String::new();
        let mut address = None;
        for line in lines.by_ref().map(Result::unwrap) {
            printed = printed + &line + "\n";
            if let Some((_, rest)) = line.split_once("http://").filter(|_| address.is_none()) {
                address = rest.split_once('/').map(|(address, _)| address.to_owned());
            }
            // The demo's last line is empty, after the one with `curl`.
            if address.is_some() && (address_on_stderr || (line.is_empty() && printed.contains("curl "))) {
                break;
            }
        }
        let address = address.unwrap_or_else(|| panic!("no address: {printed}"));
        Self { child, address, printed }
    }

    pub(super) fn post(&self, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(
            stream,
            "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Where it listens.
    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    fn get_status(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    /// Waits until it can answer.
    pub(super) fn wait_until_ready(&self) {
        for _ in 0..400 {
            if self.get_status("/readyz") == "200" {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("not ready after 10 s");
    }

    /// Sends SIGTERM and gives the exit code.
    pub(super) fn terminate(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn the_demo_serves_and_its_curl_line_works_and_sigterm_ends_it_cleanly() {
    let folder = folder();
    let server = Server::start(folder.path(), &["demo", "--port", "0"], false);
    let line = server.printed.lines().find(|line| line.contains("curl ")).unwrap();
    assert!(line.contains(&format!("curl -s http://{}/graphql", server.address)), "{line}");
    let body = line.rsplit_once("-d '").unwrap().1.trim_end_matches('\'');
    let answer = server.post(body);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"vpcId\":\"vpc-"), "{answer}");
    assert!(!answer.contains("\"errors\""), "{answer}");
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(names_in(folder.path()), ["vpcs.ndjson"], "the demo's store is removed");
}

#[test]
fn serve_answers_from_a_store_and_from_a_file_and_stops_on_sigterm() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["import", "vpcs.ndjson"]).code, 0);
    for data in [[].as_slice(), &["--data", "vpcs.ndjson"]] {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(data);
        let server = Server::start(folder.path(), &arguments, true);
        server.wait_until_ready();
        let answer = server.post(&json!({ "query": QUERY }).to_string());
        assert!(answer.contains(r#"{"data":{"vpcs":[{"vpcId":"vpc-2""#), "{answer}");
        assert_eq!(server.get_status("/healthz"), "200");
        if data.is_empty() {
            let other = run(folder.path(), &["query", "{ vpcs { id } }"]);
            assert_eq!(other.code, 1, "one process at a time");
            assert!(other.stderr.contains("is in use by process"), "{other:?}");
        }
        assert_eq!(server.terminate(), Some(0));
    }
}

#[test]
fn a_limit_of_the_server_is_an_error_with_the_limit_and_the_actual_value() {
    let folder = folder();
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--data", "vpcs.ndjson", "--max-rows", "2", "--max-body", "1"];
    let server = Server::start(folder.path(), &arguments, true);
    server.wait_until_ready();
    let rows = server.post(&json!({ "query": "{ vpcs { id } }" }).to_string());
    assert!(rows.contains("3") && rows.contains("the limit of 2"), "{rows}");
    let body = server.post(&json!({ "query": "{ vpcs { id } }", "padding": "x".repeat(2000) }).to_string());
    assert!(body.contains("the limit is 1024"), "{body}");
    let deep = format!("{}vpcs{}", "{a".repeat(100), "}".repeat(100));
    let nesting = server.post(&json!({ "query": deep }).to_string());
    assert!(nesting.contains("65 levels") && nesting.contains("64"), "{nesting}");
}

#[test]
fn serve_refuses_other_machines_and_a_missing_file() {
    let folder = folder();
    let remote = run(folder.path(), &["serve", "--data", "vpcs.ndjson", "--listen", "0.0.0.0:0"]);
    assert_eq!(remote.code, 3);
    assert!(remote.stderr.contains("--allow-remote"), "{remote:?}");
    let missing = run(folder.path(), &["serve", "--data", "missing.ndjson", "--listen", "127.0.0.1:0"]);
    assert_eq!(missing.code, 3);
    assert!(missing.stderr.contains("`missing.ndjson`"), "{missing:?}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(folder.path(), &["serve", "--data", "vpcs.ndjson", "--listen", &address]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains(&address), "{ended:?}");
}

#[test]
fn explanations_and_warnings_come_over_http_only_where_they_are_asked_for_or_due() {
    let folder = folder();
    let server =
        Server::start(folder.path(), &["serve", "--data", "vpcs.ndjson", "--listen", "127.0.0.1:0"], true);
    server.wait_until_ready();
    let ask = |request: Value| -> Value {
        let answer = server.post(&request.to_string());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    };
    let query = r#"{ vpcs(where: {hasFlowLog_NONE: {flowLogStatus: "ACTIVE"}}) { id vpcId } }"#;
    let plain = ask(json!({ "query": query }));
    assert_eq!(plain.get("extensions"), None, "{plain}");
    let vpc = plain["data"]["vpcs"][0]["vpcId"].as_str().unwrap();
    let explained = ask(json!({ "query": query, "extensions": { "explain": { "asset": vpc } } }));
    assert_eq!(explained["data"], plain["data"]);
    let explain = &explained["extensions"]["explain"];
    assert_eq!(explain["plan"][0], "vpcs: list of Vpc");
    assert_eq!(explain["steps"][0]["step"], "vpcs");
    assert_eq!(explain["why"][0]["matches"], "TRUE");
    let refused =
        server.post(&json!({ "query": query, "extensions": { "explain": { "asset": "none" } } }).to_string());
    assert!(refused.contains("unknown_asset"), "{refused}");
    let odd = r#"{ vpcs(where: {hasFlowLog_SOME: {flowLogStatus: "Active"}}) { id } }"#;
    let warned = ask(json!({ "query": odd }));
    assert_eq!(warned["data"]["vpcs"], json!([]));
    let warning = &warned["extensions"]["warnings"][0];
    assert_eq!(warning["extensions"]["code"], "unknown_value");
    assert_eq!(warning["locations"], json!([{ "line": 1, "column": 34 }]));
    assert_eq!(warned["extensions"].get("explain"), None, "{warned}");
    assert_eq!(server.terminate(), Some(0));
}
