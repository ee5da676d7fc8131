//! The HTTP rules, most of them in process; what only a socket can show is shown on one.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt;
use hyper::service::Service;
use passmuster::api::{
    Answer, Answered, App, HostRule, HttpLimits, Operation, Outlet, Status, Stop, Surface, refuse_remote,
    serve,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

type AnswerWith = dyn Fn(&Operation, &Stop, &mut Outlet) -> Answered + Send + Sync;

/// Answers as a test says.
struct Scripted {
    ready: AtomicBool,
    answer: Box<AnswerWith>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scripted")
    }
}

impl Answer for Scripted {
    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }

    fn answer_at_once(&self, operation: Operation) -> Result<Answered, Operation> {
        match operation.query.as_str() {
            "{short}" => Ok(ran(&echoed(&operation))),
            "{thread}" => Ok(ran(&json!(std::thread::current().name()))),
            "{short boom}" => panic!("secret detail"),
            _ => Err(operation),
        }
    }

    fn answer(&self, operation: &Operation, stop: &Stop, outlet: &mut Outlet) -> Answered {
        (self.answer)(operation, stop, outlet)
    }
}

fn app_with(
    limits: HttpLimits,
    answer: impl Fn(&Operation, &Stop) -> Answered + Send + Sync + 'static,
) -> App {
    streaming_app(limits, move |operation, stop, _| answer(operation, stop))
}

fn streaming_app(
    limits: HttpLimits,
    answer: impl Fn(&Operation, &Stop, &mut Outlet) -> Answered + Send + Sync + 'static,
) -> App {
    let answer = Scripted { ready: AtomicBool::new(true), answer: Box::new(answer) };
    App::new(Arc::new(answer), limits, HostRule::OwnMachine)
}

/// Gives the operation back as the data.
fn echo() -> App {
    app_with(HttpLimits::default(), |operation, _| ran(&echoed(operation)))
}

fn echoed(operation: &Operation) -> Value {
    json!({
        "query": operation.query,
        "operationName": operation.operation_name,
        "variables": operation.variables,
    })
}

fn ran(data: &Value) -> Answered {
    Answered { body: json!({ "data": data }).to_string().into_bytes(), status: Status::Ran }
}

fn refused() -> Answered {
    let body = json!({ "errors": [{ "message": "no such field" }] }).to_string().into_bytes();
    Answered { body, status: Status::Refused }
}

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

fn post_with(headers: &[(header::HeaderName, &str)]) -> Request<Body> {
    let mut request = Request::post("/graphql").body(Body::from(r#"{"query":"{a}"}"#)).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(name, value.parse().unwrap());
    }
    request
}

fn get(parameters: &[(&str, &str)]) -> Request<Body> {
    let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    Request::get(format!("/graphql?{query}")).body(Body::empty()).unwrap()
}

async fn send(app: App, request: Request<Body>) -> Response {
    Surface::new(app).call(request).await.unwrap()
}

async fn body_of(response: Response) -> Value {
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

/// Sends and gives the status, the code of the first error and its message.
async fn refusal(app: App, request: Request<Body>) -> (StatusCode, String, String) {
    let response = send(app, request).await;
    let status = response.status();
    let body = body_of(response).await;
    assert!(body.get("data").is_none(), "a refused request has no data: {body}");
    let error = &body["errors"][0];
    (
        status,
        error["extensions"]["code"].as_str().unwrap().to_owned(),
        error["message"].as_str().unwrap().to_owned(),
    )
}

fn content_type(response: &Response) -> &str {
    response.headers()[header::CONTENT_TYPE].to_str().unwrap()
}

#[tokio::test]
async fn a_post_hands_on_every_parameter() {
    let body = json!({
        "query": "query A($x: Int) { a }", "operationName": "A", "variables": { "x": 1 }, "extensions": { "k": 1 },
    });
    let response = send(echo(), post(body.to_string())).await;
    assert_eq!(response.status(), StatusCode::OK);
    let expected =
        json!({ "query": "query A($x: Int) { a }", "operationName": "A", "variables": { "x": 1 } });
    assert_eq!(body_of(response).await, json!({ "data": expected }));
}

#[tokio::test]
async fn a_post_takes_null_for_every_optional_parameter() {
    let body = r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#;
    let response = send(echo(), post(body)).await;
    assert_eq!(
        body_of(response).await["data"],
        json!({ "query": "{a}", "operationName": null, "variables": {} })
    );
}

/// H6
#[tokio::test]
async fn a_get_hands_on_every_parameter() {
    let parameters =
        [("query", "query A { a } query B { b }"), ("operationName", "B"), ("variables", r#"{"x": "ü&="}"#)];
    let response = send(echo(), get(&parameters)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        body_of(response).await["data"],
        json!({ "query": "query A { a } query B { b }", "operationName": "B", "variables": { "x": "ü&=" } })
    );
}

/// H8
#[tokio::test]
async fn the_response_type_is_what_the_client_prefers() {
    let new = "application/graphql-response+json; charset=utf-8";
    let old = "application/json; charset=utf-8";
    for (accept, expected) in [
        ("application/graphql-response+json", new),
        ("application/graphql-response+json, application/json;q=0.9", new),
        ("application/graphql-response+json, application/json", new),
        ("application/json, application/graphql-response+json;q=0.5", old),
        ("application/json", old),
        ("APPLICATION/JSON; charset=UTF-8", old),
        ("*/*", old),
        ("application/*", old),
        ("text/html, application/graphql-response+json;q=0.1", new),
        ("application/graphql-response+json;q=0, */*", old),
        ("application/json;q=0, */*;q=0.1", new),
    ] {
        let json = (header::CONTENT_TYPE, "application/json");
        let response = send(echo(), post_with(&[json, (header::ACCEPT, accept)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{accept}");
        assert_eq!(content_type(&response), expected, "{accept}");
    }
    let response = send(echo(), post(r#"{"query":"{a}"}"#)).await;
    assert_eq!(content_type(&response), old, "without an Accept header");
}

/// H8
#[tokio::test]
async fn a_client_that_accepts_nothing_we_write_gets_406() {
    for accept in [
        "text/html",
        "application/graphql-response+json; charset=utf-16",
        "application/json;q=0",
        "application/xml, image/png",
    ] {
        let json = (header::CONTENT_TYPE, "application/json");
        let request = post_with(&[json, (header::ACCEPT, accept)]);
        let (status, code, message) = refusal(echo(), request).await;
        assert_eq!((status, code.as_str()), (StatusCode::NOT_ACCEPTABLE, "not_acceptable"), "{accept}");
        assert!(message.contains(accept), "{message}");
    }
}

/// H2, H8
#[tokio::test]
async fn a_body_that_is_not_json_in_utf_8_gets_415() {
    for content_type in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/jsonp",
        "application/json; charset=latin1",
        "application/json; charset=utf-16",
    ] {
        let request = post_with(&[(header::CONTENT_TYPE, content_type)]);
        let (status, code, message) = refusal(echo(), request).await;
        assert_eq!(
            (status, code.as_str()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_type"),
            "{content_type}"
        );
        assert!(message.contains(content_type), "{message}");
    }
    let (status, code, _) = refusal(echo(), post_with(&[])).await;
    assert_eq!((status, code.as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "missing_content_type"));
    for content_type in
        ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"", "application/json;"]
    {
        let response = send(echo(), post_with(&[(header::CONTENT_TYPE, content_type)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{content_type}");
    }
}

/// H1
#[tokio::test]
async fn only_get_and_post_are_answered() {
    for method in [Method::DELETE, Method::PUT, Method::PATCH, Method::OPTIONS] {
        let request = Request::builder()
            .method(&method)
            .uri("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(r#"{"query":"mutation { a }"}"#))
            .unwrap();
        let response = send(echo(), request).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(response.headers()[header::ALLOW], "GET, POST", "{method}");
    }
}

/// H1
#[tokio::test]
async fn a_get_never_runs_a_mutation() {
    for (document, name) in [
        ("mutation { a }", ""),
        ("mutation A { a }", ""),
        ("mutation A($x: In = {b: [1]}) { a }", "A"),
        ("mutation @d { a }", ""),
        ("# a comment\n,,mutation{a}", ""),
        ("query A { a } mutation B { b }", "B"),
        ("fragment F on Vpc { id } mutation { a }", ""),
        ("query A { a(b: \"}\") } mutation B { b }", "B"),
        ("query A { a(b: \"\"\"{ \\\"\"\" {\"\"\") } mutation B { b }", "B"),
        ("\u{feff}mutation { a }", ""),
    ] {
        let (status, code, _) = refusal(echo(), get(&[("query", document), ("operationName", name)])).await;
        assert_eq!(
            (status, code.as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "mutation_over_get"),
            "{document}"
        );
    }
    for (document, name) in [
        ("query mutation { a }", ""),
        ("{ mutation { a } }", ""),
        ("# mutation { a }\n{ a }", ""),
        ("{ a(b: \"mutation { a }\") }", ""),
        ("query A { a } mutation B { b }", "A"),
        ("fragment mutation on Vpc { id } { a }", ""),
    ] {
        let response = send(echo(), get(&[("query", document), ("operationName", name)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{document}");
    }
    let deep = "{a".repeat(10_000);
    let response = send(echo(), get(&[("query", &deep)])).await;
    assert_eq!(response.status(), StatusCode::OK, "nesting is the engine's to refuse");
}

/// H3
#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_the_limit_and_its_size() {
    let limits = HttpLimits { body_bytes: 1000, ..HttpLimits::default() };
    let large = format!(r#"{{"query":"{}"}}"#, "a".repeat(2000));
    let mut declared = post(large.clone());
    declared.headers_mut().insert(header::CONTENT_LENGTH, large.len().to_string().parse().unwrap());
    let (status, code, message) = refusal(app_with(limits, |_, _| refused()), declared).await;
    assert_eq!((status, code.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
    assert_eq!(message, format!("the body has {} bytes, the limit is 1000", large.len()));

    let chunks = (0..24).map(|_| Ok::<_, std::io::Error>("a".repeat(1024 * 1024)));
    let undeclared = post(Body::from_stream(futures_util::stream::iter(chunks)));
    let (status, _, message) = refusal(app_with(limits, |_, _| refused()), undeclared).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(message, "the body has 1048576 bytes and more, the limit is 1000", "it is given up at once");
}

/// H3: a gzip bomb never gets unpacked.
#[tokio::test]
async fn a_compressed_body_gets_415() {
    for encoding in ["gzip", "deflate", "br", "gzip, gzip"] {
        let json = (header::CONTENT_TYPE, "application/json");
        let request = post_with(&[json, (header::CONTENT_ENCODING, encoding)]);
        let (status, code, _) = refusal(echo(), request).await;
        assert_eq!((status, code.as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"));
    }
}

/// H5
#[tokio::test]
async fn a_batch_is_refused_and_none_of_it_runs() {
    let app = app_with(HttpLimits::default(), |_, _| panic!("nothing of a batch may run"));
    let batch = vec![json!({ "query": "{a}" }); 5000];
    let (status, code, message) = refusal(app, post(Value::from(batch).to_string())).await;
    assert_eq!((status, code.as_str()), (StatusCode::BAD_REQUEST, "batch_not_supported"));
    assert!(message.contains("5000 operations"), "{message}");
}

#[tokio::test]
async fn a_malformed_request_says_what_is_wrong_with_it() {
    for (body, expected) in [
        ("", "empty_body"),
        (" \n", "empty_body"),
        ("{\"query\"", "bad_json"),
        ("{\"query\":\"\\ud800\"}", "bad_json"),
        ("\"{a}\"", "body_not_an_object"),
        ("null", "body_not_an_object"),
        // Not the parameters in their order.
        (r#"["{a}"]"#, "batch_not_supported"),
        (r#" ["{a}", null, {}, {}]"#, "batch_not_supported"),
        ("{}", "missing_query"),
        (r#"{"query":null}"#, "missing_query"),
        (r#"{"query":{"a":1}}"#, "bad_parameter"),
        (r#"{"query":["{a}"]}"#, "bad_parameter"),
        (r#"{"query":"{a}","operationName":7}"#, "bad_parameter"),
        (r#"{"query":"{a}","variables":"{}"}"#, "bad_parameter"),
        (r#"{"query":"{a}","variables":[1]}"#, "bad_parameter"),
        (r#"{"query":"{a}","extensions":true}"#, "bad_parameter"),
    ] {
        let (status, code, _) = refusal(echo(), post(body)).await;
        assert_eq!((status, code.as_str()), (StatusCode::BAD_REQUEST, expected), "{body}");
    }
    let not_utf8 = b"{\"query\":\"\xff\"}".to_vec();
    assert_eq!(refusal(echo(), post(not_utf8)).await.1, "bad_json");
    let deep = "[".repeat(100_000);
    assert_eq!(refusal(echo(), post(deep)).await.1, "bad_json");
    for (parameters, expected) in [
        (vec![("operationName", "A")], "missing_query"),
        (vec![("query", "{a}"), ("variables", "{")], "bad_json"),
        (vec![("query", "{a}"), ("variables", "[1]")], "bad_parameter"),
    ] {
        let (status, code, _) = refusal(echo(), get(&parameters)).await;
        assert_eq!((status, code.as_str()), (StatusCode::BAD_REQUEST, expected));
    }
}

#[tokio::test]
async fn a_refused_query_is_200_for_old_clients_and_400_for_new_ones() {
    let json = (header::CONTENT_TYPE, "application/json");
    for (accept, expected) in
        [("application/json", StatusCode::OK), ("application/graphql-response+json", StatusCode::BAD_REQUEST)]
    {
        let app = app_with(HttpLimits::default(), |_, _| refused());
        let response = send(app, post_with(&[json.clone(), (header::ACCEPT, accept)])).await;
        assert_eq!(response.status(), expected, "{accept}");
        assert_eq!(body_of(response).await["errors"][0]["message"], "no such field");
    }
}

/// Q21
#[tokio::test]
async fn a_panic_is_one_clients_error_and_the_next_request_is_answered() {
    let app = app_with(HttpLimits::default(), |operation, _| {
        assert!(operation.query != "{boom}", "secret detail");
        ran(&Value::Null)
    });
    let (status, code, message) = refusal(app.clone(), post(r#"{"query":"{boom}"}"#)).await;
    assert_eq!((status, code.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"));
    assert!(!message.contains("secret"), "the detail goes to the log: {message}");
    assert_eq!(send(app, post(r#"{"query":"{a}"}"#)).await.status(), StatusCode::OK);
}

/// Runs until it is told to stop, and says so.
fn endless(limits: HttpLimits) -> (App, mpsc::Receiver<&'static str>) {
    let (told, events) = mpsc::channel();
    let app = app_with(limits, move |_, stop| {
        told.send("started").ok();
        let begun = Instant::now();
        while !stop.is_requested() && begun.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        told.send(if stop.is_requested() { "stopped" } else { "never told" }).ok();
        Answered { body: b"{}".to_vec(), status: Status::Stopped }
    });
    (app, events)
}

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_query_over_the_time_limit_is_told_to_stop() {
    let limits = HttpLimits { query_time: Duration::from_millis(30), ..HttpLimits::default() };
    let (app, events) = endless(limits);
    let (status, code, message) = refusal(app, post(r#"{"query":"{a}"}"#)).await;
    assert_eq!((status, code.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "time_limit"));
    assert!(message.contains("0.03 s"), "{message}");
    assert_eq!(events.recv_timeout(PATIENCE), Ok("started"));
    assert_eq!(events.recv_timeout(PATIENCE), Ok("stopped"));
}

#[tokio::test]
async fn a_query_that_finds_no_free_thread_says_so() {
    let limits =
        HttpLimits { concurrent_queries: 1, queue_time: Duration::from_millis(30), ..HttpLimits::default() };
    let (app, events) = endless(limits);
    let first = tokio::spawn(send(app.clone(), post(r#"{"query":"{a}"}"#)));
    let started = tokio::task::spawn_blocking(move || (events.recv_timeout(PATIENCE), events)).await.unwrap();
    assert_eq!(started.0, Ok("started"));
    let (status, code, message) = refusal(app, post(r#"{"query":"{a}"}"#)).await;
    assert_eq!((status, code.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "too_busy"));
    assert!(message.contains("the limit is 1"), "{message}");
    first.abort();
}

#[tokio::test]
async fn readiness_waits_for_the_graph_and_health_does_not() {
    let answer = Arc::new(Scripted { ready: AtomicBool::new(false), answer: Box::new(|_, _, _| refused()) });
    let app = App::new(answer.clone(), HttpLimits::default(), HostRule::OwnMachine);
    let at = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(send(app.clone(), at("/healthz")).await.status(), StatusCode::OK);
    assert_eq!(send(app.clone(), at("/readyz")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    answer.ready.store(true, Ordering::SeqCst);
    assert_eq!(send(app.clone(), at("/readyz")).await.status(), StatusCode::OK);
    let (status, code, _) = refusal(app, at("/graphiql")).await;
    assert_eq!((status, code.as_str()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test]
async fn a_foreign_name_for_this_machine_is_refused() {
    let json = (header::CONTENT_TYPE, "application/json");
    for host in
        ["evil.example", "evil.example:8080", "10.0.0.1", "localhost.evil.example:80", "[2001:db8::1]:80"]
    {
        let request = post_with(&[json.clone(), (header::HOST, host)]);
        let (status, code, _) = refusal(echo(), request).await;
        assert_eq!((status, code.as_str()), (StatusCode::MISDIRECTED_REQUEST, "foreign_host"), "{host}");
    }
    for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.0.0.2", "[::1]:8080", "[::1]"] {
        let response = send(echo(), post_with(&[json.clone(), (header::HOST, host)])).await;
        assert_eq!(response.status(), StatusCode::OK, "{host}");
    }
}

#[test]
fn an_address_that_others_can_reach_must_be_asked_for() {
    for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
        assert!(refuse_remote(address.parse().unwrap(), false).is_ok(), "{address}");
    }
    for address in ["0.0.0.0:1", "[::]:1", "192.168.1.2:1"] {
        let error = refuse_remote(address.parse().unwrap(), false).unwrap_err();
        assert!(error.to_string().contains("--allow-remote"), "{error}");
        assert!(refuse_remote(address.parse().unwrap(), true).is_ok(), "{address}");
    }
}

/// Serves on a port of its own until the sender is dropped or used.
async fn on_socket(
    app: App,
) -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let server = tokio::spawn(async move {
        serve(listener, app, async {
            stopped.await.ok();
        })
        .await;
    });
    (address, stop, server)
}

const REQUEST: &str = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
    content-length: 15\r\n\r\n{\"query\":\"{a}\"}";

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await.unwrap().ok();
    String::from_utf8(text).unwrap()
}

const WHICH_THREAD: &str = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
    content-length: 20\r\n\r\n{\"query\":\"{thread}\"}";

/// The name of the thread that serves a connection.
async fn thread_of(stream: &mut TcpStream) -> String {
    stream.write_all(WHICH_THREAD.as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !answer.contains("\r\n\r\n{\"data\"") {
        let mut some = [0; 1024];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut some)).await.unwrap().unwrap();
        assert!(read > 0, "the server went away: {answer}");
        answer.push_str(std::str::from_utf8(&some[..read]).unwrap());
    }
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str::<Value>(body).unwrap()["data"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_shared_out_among_threads_and_stay_where_they_are() {
    let (address, _stop, _server) = on_socket(echo()).await;
    let threads = std::thread::available_parallelism().unwrap().get();
    let mut connections = Vec::new();
    let mut names = Vec::new();
    for _ in 0..2 * threads {
        let mut connection = TcpStream::connect(address).await.unwrap();
        names.push(thread_of(&mut connection).await);
        connections.push(connection);
    }
    let mut distinct = names.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), threads, "{names:?}");
    for name in &distinct {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 2, "{names:?}");
    }
    for (connection, name) in connections.iter_mut().zip(&names) {
        assert_eq!(thread_of(connection).await, *name, "a connection stays where it began");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_go_where_others_have_ended() {
    let (address, _stop, _server) = on_socket(echo()).await;
    let each = 6;
    let mut connections = Vec::new();
    for _ in 0..each * std::thread::available_parallelism().unwrap().get() {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connections.push((thread_of(&mut connection).await, connection));
    }
    let left = connections[0].0.clone();
    let (ended, _others): (Vec<_>, Vec<_>) = connections.into_iter().partition(|(name, _)| *name == left);
    for (_, mut connection) in ended {
        connection.shutdown().await.unwrap();
        assert_eq!(read_all(&mut connection).await, "");
    }
    let mut back = Vec::new();
    for _ in 0..each {
        let mut connection = TcpStream::connect(address).await.unwrap();
        back.push((thread_of(&mut connection).await, connection));
    }
    let names: Vec<&str> = back.iter().map(|(name, _)| name.as_str()).collect();
    // The last end may be told to its client a moment before it is counted.
    assert!(names.iter().filter(|name| **name == left).count() >= each - 1, "{names:?}");
}

/// H7
#[tokio::test(flavor = "multi_thread")]
async fn a_query_stops_when_its_client_disconnects() {
    let (app, events) = endless(HttpLimits::default());
    let (address, _stop, _server) = on_socket(app).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    let events = tokio::task::spawn_blocking(move || {
        assert_eq!(events.recv_timeout(PATIENCE), Ok("started"));
        events
    })
    .await
    .unwrap();
    drop(stream);
    let stopped = tokio::task::spawn_blocking(move || events.recv_timeout(PATIENCE)).await.unwrap();
    assert_eq!(stopped, Ok("stopped"));
}

/// H4
#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_and_slow_bodies_are_cut_off() {
    let short = Duration::from_millis(100);
    let limits = HttpLimits { header_time: short, body_time: short, ..HttpLimits::default() };
    let app = app_with(limits, |operation, _| ran(&echoed(operation)));
    let (address, _stop, _server) = on_socket(app).await;

    let mut slow_headers = TcpStream::connect(address).await.unwrap();
    slow_headers.write_all(b"POST /graphql HTTP/1.1\r\nhost: loc").await.unwrap();
    let answer = read_all(&mut slow_headers).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "closed: {answer}");

    let mut slow_body = TcpStream::connect(address).await.unwrap();
    slow_body.write_all(REQUEST.split_at(REQUEST.len() - 5).0.as_bytes()).await.unwrap();
    let answer = read_all(&mut slow_body).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_too_slow") && answer.contains("0.1 s"), "{answer}");

    let mut prompt = TcpStream::connect(address).await.unwrap();
    prompt.write_all(REQUEST.as_bytes()).await.unwrap();
    assert!(read_all(&mut prompt).await.starts_with("HTTP/1.1 200"), "others are served all the while");

    // A head that comes too slowly behind others is cut off as the first would be.
    let mut kept_open = TcpStream::connect(address).await.unwrap();
    kept_open.write_all(REQUEST.repeat(3).as_bytes()).await.unwrap();
    kept_open.write_all(b"POST /graphql HTTP/1.1\r\n").await.unwrap();
    let answers = read_all(&mut kept_open).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_a_running_query_finish_and_takes_no_new_connection() {
    let (started, has_started) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let may_finish = std::sync::Mutex::new(may_finish);
    let app = app_with(HttpLimits::default(), move |operation, _| {
        started.send(()).unwrap();
        may_finish.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        ran(&echoed(operation))
    });
    let (address, stop, server) = on_socket(app).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    tokio::task::spawn_blocking(move || has_started.recv_timeout(PATIENCE).unwrap()).await.unwrap();
    stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    finish.send(()).unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"{a}\""), "{answer}");
    tokio::time::timeout(PATIENCE, server).await.unwrap().unwrap();
}

/// H7, Q21
#[tokio::test]
async fn short_queries_are_answered_while_long_ones_have_every_thread() {
    let limits = HttpLimits { concurrent_queries: 1, ..HttpLimits::default() };
    let (app, events) = endless(limits);
    let long = tokio::spawn(send(app.clone(), post(r#"{"query":"{a}"}"#)));
    let events = tokio::task::spawn_blocking(move || {
        assert_eq!(events.recv_timeout(PATIENCE), Ok("started"));
        events
    })
    .await
    .unwrap();
    for _ in 0..100 {
        let response = send(app.clone(), post(r#"{"query":"{short}"}"#)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(body_of(response).await["data"]["query"], "{short}");
    }
    let (status, code, message) = refusal(app, post(r#"{"query":"{short boom}"}"#)).await;
    assert_eq!((status, code.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"));
    assert!(!message.contains("secret"), "{message}");
    assert!(events.try_recv().is_err(), "the long one runs all the while");
    long.abort();
    let stopped = tokio::task::spawn_blocking(move || events.recv_timeout(PATIENCE)).await.unwrap();
    assert_eq!(stopped, Ok("stopped"));
}

fn piece() -> Vec<u8> {
    vec![b'x'; 1024 * 1024]
}

#[tokio::test]
async fn the_first_piece_of_an_answer_leaves_before_the_last_is_written() {
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = std::sync::Mutex::new(may_go_on);
    let app = streaming_app(HttpLimits::default(), move |_, _, outlet| {
        assert!(outlet.send(b"[1,".to_vec()));
        may_go_on.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        assert!(outlet.send(b"2,".to_vec()));
        Answered { body: b"3]".to_vec(), status: Status::Ran }
    });
    let response = send(app, post(r#"{"query":"{a}"}"#)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get(header::CONTENT_LENGTH), None);
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(&first[..], b"[1,");
    go_on.send(()).unwrap();
    assert_eq!(&body.collect().await.unwrap().to_bytes()[..], b"2,3]");
}

/// How an answer in pieces ends on the wire.
async fn tail_of(answer: impl Fn(&mut Outlet) -> Answered + Send + Sync + 'static) -> String {
    let app = streaming_app(HttpLimits::default(), move |_, _, outlet| answer(outlet));
    let (address, _stop, _server) = on_socket(app).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = REQUEST.replace("host:", "connection: close\r\nhost:");
    stream.write_all(request.as_bytes()).await.unwrap();
    let text = read_all(&mut stream).await;
    // One that breaks off at once may not even begin.
    let is_chunked = text.starts_with("HTTP/1.1 200") && text.contains("transfer-encoding: chunked");
    assert!(text.is_empty() || is_chunked, "{text}");
    text.split("\r\n\r\n").skip(1).collect::<Vec<_>>().join("\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_never_looks_whole() {
    const END: &str = "0\r\n\r\n";
    let whole = tail_of(|outlet| {
        outlet.send(b"{\"data\":[1,".to_vec());
        Answered { body: b"2]}".to_vec(), status: Status::Ran }
    });
    let whole = whole.await;
    assert!(whole.ends_with(END) && whole.contains("2]}"), "{whole}");
    let stopped = tail_of(|outlet| {
        outlet.send(b"{\"data\":[1,".to_vec());
        Answered { body: Vec::new(), status: Status::Stopped }
    });
    let panicked = tail_of(|outlet| {
        outlet.send(b"{\"data\":[1,".to_vec());
        panic!("in the middle")
    });
    for broken in [stopped.await, panicked.await] {
        assert!(!broken.contains(END), "{broken}");
    }
}

/// H4, H7: a client that reads slowly holds neither the work nor the place of another query, and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_stops_its_query_and_no_other() {
    let (told, events) = mpsc::channel();
    let limits = HttpLimits {
        concurrent_queries: 1,
        client_time: Duration::from_millis(500),
        ..HttpLimits::default()
    };
    let app = streaming_app(limits, move |operation, _, outlet| {
        if operation.query == "{b}" {
            return ran(&echoed(operation));
        }
        let mut sent = 0;
        while sent < 10_000 && outlet.send(piece()) {
            sent += 1;
        }
        told.send((sent, outlet.waited().so_far())).unwrap();
        Answered { body: Vec::new(), status: Status::Stopped }
    });
    let (address, _stop, _server) = on_socket(app).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(REQUEST.as_bytes()).await.unwrap();
    let mut beginning = [0; 12];
    idle.read_exact(&mut beginning).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200");
    let mut other = TcpStream::connect(address).await.unwrap();
    let request = REQUEST.replace("{a}", "{b}").replace("host:", "connection: close\r\nhost:");
    other.write_all(request.as_bytes()).await.unwrap();
    assert!(read_all(&mut other).await.contains("{b}"), "answered beside it");
    let event = tokio::task::spawn_blocking(move || events.recv_timeout(PATIENCE)).await.unwrap();
    let (sent, waited) = event.unwrap();
    assert!(sent < 100, "written no further than the client reads: {sent} MB");
    assert!(waited >= limits.client_time, "what it waited is not the query's own time");
}

/// H7
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_pieces_stops_when_its_client_disconnects() {
    let (told, events) = mpsc::channel();
    let app = streaming_app(HttpLimits::default(), move |_, stop, outlet| {
        let mut sent = 0;
        while sent < 100_000 && !stop.is_requested() && outlet.send(piece()) {
            sent += 1;
        }
        told.send(sent).unwrap();
        Answered { body: Vec::new(), status: Status::Stopped }
    });
    let (address, _stop, _server) = on_socket(app).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    let mut some = vec![0; 3 * 1024 * 1024];
    stream.read_exact(&mut some).await.unwrap();
    drop(stream);
    let sent = tokio::task::spawn_blocking(move || events.recv_timeout(PATIENCE)).await.unwrap().unwrap();
    assert!((3..100).contains(&sent), "{sent} MB of 100,000 were written");
}
