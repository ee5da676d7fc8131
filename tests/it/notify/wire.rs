//! What goes over the wire, to receivers of the tests' own on loopback.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use passmuster::{
    model::Time,
    notify::{AddressRule, Attempt, ChannelKind, Client, Resolve, Resolved, Secret, SystemResolver, sign},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use super::{PRIVATE, SECRET, channel, signed};

const PATIENCE: Duration = Duration::from_secs(20);
const BODY: &str = r#"{"type":"findings.changed"}"#;

/// A receiver that answers as it is told and keeps what it got.
struct Receiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<String>>>,
}

async fn receiver(answer: &'static str) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !String::from_utf8_lossy(&request).ends_with(BODY) {
                let read = stream.read(&mut piece).await.unwrap_or(0);
                if read == 0 {
                    break;
                }
                request.extend_from_slice(&piece[..read]);
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
            let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.ok();
        }
    });
    Receiver { address, got }
}

impl Receiver {
    fn url(&self) -> String {
        format!("http://{}/hook/secret-part", self.address)
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

/// Gives the addresses a test says, a different list each time it is asked.
#[derive(Debug)]
struct Scripted(Mutex<Vec<Vec<&'static str>>>);

impl Scripted {
    fn new(lists: &[&[&'static str]]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(lists.iter().rev().map(|list| list.to_vec()).collect())))
    }
}

impl Resolve for Scripted {
    fn resolve(&self, _: &str) -> Resolved {
        let next = self.0.lock().unwrap().pop().expect("asked more often than the test expects");
        Box::pin(async move { Ok(next.iter().map(|address| address.parse().unwrap()).collect()) })
    }
}

fn system() -> Client {
    Client::new(Arc::new(SystemResolver))
}

fn now() -> Time {
    "2026-11-20T12:04:11Z".parse().unwrap()
}

fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    request.lines().find_map(|line| {
        let (known, value) = line.split_once(": ")?;
        known.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_posted_signed_with_an_id_that_a_retry_has_too() {
    let receiver = receiver("204 No Content").await;
    let channel = channel(signed(), &receiver.url(), PRIVATE);
    for _ in 0..2 {
        let attempt = timeout(PATIENCE, system().attempt(&channel, "msg_1", BODY, now())).await.unwrap();
        assert_eq!(attempt, Attempt::Taken);
    }
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert!(got[0].starts_with("POST /hook/secret-part HTTP/1.1\r\n"), "{}", got[0]);
    assert!(got[0].ends_with(BODY), "{}", got[0]);
    assert_eq!(header(&got[0], "content-type"), Some("application/json"));
    for request in &got {
        assert_eq!(header(request, "webhook-id"), Some("msg_1"));
        assert_eq!(header(request, "idempotency-key"), Some("msg_1"));
        let seconds: i64 = header(request, "webhook-timestamp").unwrap().parse().unwrap();
        assert_eq!(seconds, now().millis() / 1000);
        let expected = sign(&Secret::read(SECRET).unwrap(), "msg_1", seconds, BODY);
        assert_eq!(header(request, "webhook-signature"), expected.as_deref());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_decide_whether_it_is_tried_again() {
    for (answer, again) in [
        ("500 Internal Server Error", true),
        ("503 Service Unavailable", true),
        ("429 Too Many Requests\r\nRetry-After: 17", true),
        ("400 Bad Request", false),
        ("404 Not Found", false),
        ("410 Gone", false),
    ] {
        let receiver = receiver(answer).await;
        let channel = channel(ChannelKind::Slack, &receiver.url(), PRIVATE);
        match timeout(PATIENCE, system().attempt(&channel, "m", BODY, now())).await.unwrap() {
            Attempt::Failed { why, retry_after } => {
                assert!(again, "{answer}: {why}");
                let asked = answer.contains("Retry-After").then_some(Duration::from_secs(17));
                assert_eq!(retry_after, asked);
            }
            Attempt::Refused { why } => assert!(!again, "{answer}: {why}"),
            other => panic!("{answer}: {other:?}"),
        }
        assert_eq!(
            header(&receiver.got()[0], "webhook-signature"),
            None,
            "without a secret nothing is signed"
        );
    }
}

/// A3: a redirect is an address that nobody judged.
#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let inner = receiver("200 OK").await;
    let answer: &'static str =
        Box::leak(format!("307 Temporary Redirect\r\nLocation: {}", inner.url()).into_boxed_str());
    let outer = receiver(answer).await;
    let channel = channel(signed(), &outer.url(), PRIVATE);
    let attempt = timeout(PATIENCE, system().attempt(&channel, "m", BODY, now())).await.unwrap();
    let Attempt::Refused { why } = attempt else { panic!("{attempt:?}") };
    assert!(why.contains("redirects are not followed"), "{why}");
    assert!(inner.got().is_empty());
}

/// A3: a name that resolves to a private address is that address, and one of several is enough.
#[tokio::test]
async fn a_name_is_judged_by_every_address_it_resolves_to() {
    let rule = AddressRule { allow_private: false, allow_http: true };
    let channel = channel(signed(), "http://hooks.example.com/secret-part", rule);
    for addresses in
        [&["127.0.0.1"][..], &["1.1.1.1", "10.0.0.7"], &["2606:4700::1", "::ffff:169.254.169.254"]]
    {
        let client = Client::new(Scripted::new(&[addresses]));
        let attempt = timeout(PATIENCE, client.attempt(&channel, "m", BODY, now())).await.unwrap();
        let Attempt::Refused { why } = attempt else { panic!("{addresses:?}: {attempt:?}") };
        assert!(why.starts_with("`hooks.example.com` is at "), "{why}");
    }
    let client = Client::new(Scripted::new(&[&[]]));
    let attempt = client.attempt(&channel, "m", BODY, now()).await;
    assert_eq!(
        attempt,
        Attempt::Failed { why: "`hooks.example.com` has no address".to_owned(), retry_after: None }
    );
}

/// A3: the address that was judged is the one spoken to. The script has one answer: asking again would panic.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_resolved_once() {
    let receiver = receiver("200 OK").await;
    let url = format!("http://hooks.example.com:{}/", receiver.address.port());
    let client = Client::new(Scripted::new(&[&["127.0.0.1"]]));
    let attempt =
        timeout(PATIENCE, client.attempt(&channel(signed(), &url, PRIVATE), "m", BODY, now())).await.unwrap();
    assert_eq!(attempt, Attempt::Taken);
    let got = receiver.got();
    assert_eq!(
        header(&got[0], "host"),
        Some(format!("hooks.example.com:{}", receiver.address.port()).as_str())
    );
}

/// A4
#[tokio::test(flavor = "multi_thread")]
async fn no_failure_tells_more_than_the_host() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let broken = receiver("not http").await;
    for url in [format!("http://{free}/secret-part"), broken.url()] {
        let channel = channel(signed(), &url, PRIVATE);
        let attempt = timeout(PATIENCE, system().attempt(&channel, "m", BODY, now())).await.unwrap();
        let told = format!("{attempt:?}");
        assert!(matches!(attempt, Attempt::Failed { .. }), "{told}");
        assert!(told.contains("127.0.0.1") && !told.contains("secret-part"), "{told}");
        assert!(!told.contains("MfKQ"), "{told}");
    }
}
