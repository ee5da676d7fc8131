//! What only a socket can show: who may connect, how a connection ends, and that nobody waits for a slow client (W1, W3 to
//! W5). The client is the tests' own, so that it can be as rude as it likes.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use passmuster::api::{
    Answer, Answered, App, Delivery, HostRule, HttpLimits, Operation, Outlet, SocketLimits, Sockets, Status,
    Stop, serve,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

use crate::support::socket::{self, Client, Frame, PATIENCE};

/// Keeps who listens, for the test to tell them something.
#[derive(Default)]
struct Listeners(Mutex<Vec<Delivery>>);

impl fmt::Debug for Listeners {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Listeners")
    }
}

impl Answer for Listeners {
    fn is_ready(&self) -> bool {
        true
    }

    fn answer(&self, _: &Operation, _: &Stop, _: &mut Outlet) -> Answered {
        Answered { body: b"{\"data\":{}}".to_vec(), status: Status::Ran }
    }

    fn subscribe(&self, operation: &Operation, delivery: Delivery) -> Result<(), String> {
        match operation.query.as_str() {
            "bad" => Err(json!([{"message": "no such field"}]).to_string()),
            "boom" => panic!("secret detail"),
            _ => {
                self.0.lock().unwrap().push(delivery);
                Ok(())
            }
        }
    }
}

struct Server {
    address: std::net::SocketAddr,
    listeners: Arc<Listeners>,
    sockets: Sockets,
    _stop: oneshot::Sender<()>,
}

async fn server(limits: SocketLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listeners = Arc::new(Listeners::default());
    let sockets = Sockets::new(limits, vec!["https://dashboard.example".to_owned()]);
    let answer = Arc::clone(&listeners) as Arc<dyn Answer>;
    let app = App::new(answer, HttpLimits::default(), HostRule::OwnMachine).with_sockets(sockets.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve(listener, app, async move {
        stopped.await.ok();
    }));
    Server { address, listeners, sockets, _stop: stop }
}

/// Sends the beginning of a WebSocket, and gives the head of the answer.
async fn begin(server: &Server, headers: &str) -> (TcpStream, String) {
    socket::begin(&server.address.to_string(), headers).await
}

async fn connect(server: &Server) -> Client {
    Client::connect(&server.address.to_string()).await
}

async fn acknowledged(server: &Server) -> Client {
    Client::acknowledged(&server.address.to_string()).await
}

async fn listening(server: &Server, count: usize) -> Vec<Delivery> {
    for _ in 0..2000 {
        let listeners = server.listeners.0.lock().unwrap().clone();
        if listeners.len() == count {
            return listeners;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody listens");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_is_told_until_it_completes() {
    let server = server(SocketLimits::default()).await;
    let mut client = acknowledged(&server).await;
    client.subscribe("one", "good").await;
    client.subscribe("two", "bad").await;
    assert_eq!(
        client.receive().await.json(),
        json!({"type": "error", "id": "two", "payload": [{"message": "no such field"}]})
    );
    let listener = listening(&server, 1).await.remove(0);
    assert!(listener.send(json!({"data": {"n": 1}}).to_string()));
    assert_eq!(
        client.receive().await.json(),
        json!({"type": "next", "id": "one", "payload": {"data": {"n": 1}}})
    );
    client.send(&json!({"type": "complete", "id": "one"})).await;
    client.send(&json!({"type": "ping"})).await;
    assert_eq!(client.receive().await.json(), json!({"type": "pong"}));
    assert!(!listener.send("{}".to_owned()), "nobody listens any more");
    client.subscribe("three", "boom").await;
    let told = client.receive().await.json();
    assert_eq!(told["payload"][0]["extensions"]["code"], "internal_error");
    assert!(!told.to_string().contains("secret detail"), "{told}");
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_is_let_go_with_the_connection() {
    let server = server(SocketLimits::default()).await;
    let mut client = acknowledged(&server).await;
    client.subscribe("one", "good").await;
    let listener = listening(&server, 1).await.remove(0);
    drop(client);
    for _ in 0..2000 {
        if listener.is_over() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is still told");
}

/// W4
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_may_not_connect() {
    let server = server(SocketLimits::default()).await;
    let protocol = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
    let own = format!("http://{}", server.address);
    for origin in [own.as_str(), "https://dashboard.example"] {
        let (_, head) = begin(&server, &format!("Origin: {origin}\r\n{protocol}")).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{origin}: {head}");
    }
    let near = format!("http://{}.evil.example", server.address);
    for origin in ["https://evil.example", "null", "file://", "http://localhost", "", near.as_str()] {
        let (mut stream, head) = begin(&server, &format!("Origin: {origin}\r\n{protocol}")).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{origin}: {head}");
        let mut body = vec![0; 40];
        stream.read_exact(&mut body).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("errors"), "{body:?}");
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = "GET /graphql HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, b"HTTP/1.1 421", "DNS rebinding");
}

/// W1
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_or_speaks_otherwise_is_sent_away() {
    let server =
        server(SocketLimits { init_time: Duration::from_millis(50), ..SocketLimits::default() }).await;
    assert_eq!(connect(&server).await.closed().await.0, 4408);
    let (stream, head) = begin(&server, "Sec-WebSocket-Protocol: graphql-ws\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let (code, reason) = Client::over(stream).closed().await;
    assert_eq!(code, 4406);
    assert!(reason.contains("graphql-transport-ws"), "{reason}");
}

/// W3
#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_end_the_connection_with_the_code_that_says_so() {
    let server = server(SocketLimits::default()).await;
    let mut binary = acknowledged(&server).await;
    binary.frame(2, b"{}").await;
    assert_eq!(binary.closed().await.0, 4400);
    let mut early = connect(&server).await;
    early.subscribe("a", "good").await;
    assert_eq!(early.closed().await.0, 4401);
    let mut twice = acknowledged(&server).await;
    twice.send(&json!({"type": "connection_init"})).await;
    assert_eq!(twice.closed().await.0, 4429);
}

/// W5: the queue is bounded, and whoever tells does not wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_let_go() {
    let limits = SocketLimits { messages_ahead: 4, ..SocketLimits::default() };
    let server = server(limits).await;
    let mut client = acknowledged(&server).await;
    client.subscribe("one", "good").await;
    let listener = listening(&server, 1).await.remove(0);
    let large = json!({"data": "x".repeat(1 << 20)}).to_string();
    let mut told = 0;
    while listener.send(large.clone()) {
        told += 1;
        assert!(told < 10_000, "no end of what is kept for a client that takes nothing");
        tokio::task::yield_now().await;
    }
    assert!(listener.is_over());
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1013);
    assert!(reason.contains("too slow"), "{reason}");
}

/// W5
#[tokio::test(flavor = "multi_thread")]
async fn so_many_connections_are_open_and_no_more() {
    let server = server(SocketLimits { connections: 2, ..SocketLimits::default() }).await;
    let first = acknowledged(&server).await;
    let _second = acknowledged(&server).await;
    let (_, head) = begin(&server, "Sec-WebSocket-Protocol: graphql-transport-ws\r\n").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    drop(first);
    for _ in 0..2000 {
        let (_, head) = begin(&server, "Sec-WebSocket-Protocol: graphql-transport-ws\r\n").await;
        if head.starts_with("HTTP/1.1 101") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a place that is free is not given");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_says_goodbye() {
    let server = server(SocketLimits::default()).await;
    let mut client = acknowledged(&server).await;
    let sockets = server.sockets.clone();
    let closing = tokio::spawn(async move { sockets.close_all().await });
    assert_eq!(client.closed().await.0, 1001);
    drop(client);
    timeout(PATIENCE, closing).await.unwrap().unwrap();
}

/// A client that is gone without a word is found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_no_ping_is_gone() {
    let server =
        server(SocketLimits { ping_time: Duration::from_millis(30), ..SocketLimits::default() }).await;
    let mut client = acknowledged(&server).await;
    client.subscribe("one", "good").await;
    let listener = listening(&server, 1).await.remove(0);
    assert_eq!(client.receive().await, Frame::Ping);
    for _ in 0..2000 {
        if listener.is_over() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is still told");
}
