//! The load: connections that send one request after the other and read each answer whole, on one thread.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::servers::Server;

/// Connections that are kept open.
const CONNECTIONS: usize = 8;

/// The requests to send, over and over.
pub struct Load {
    requests: Vec<Vec<u8>>,
}

/// What came of a load.
#[derive(Clone, Copy)]
pub struct Rate {
    /// Requests a second.
    pub a_second: f64,
    /// Processor time that a request took of the server, in microseconds.
    pub server_us: f64,
    /// And of this load.
    pub client_us: f64,
    /// Bytes of an answer, head and all.
    pub bytes: usize,
}

impl Load {
    /// A query with each of these sets of variables.
    pub fn query(query: &str, variables: &[Value]) -> Self {
        let request = |variables: &Value| {
            let body = json!({"query": query, "variables": variables}).to_string();
            let head = format!(
                "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 accept: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            (head + &body).into_bytes()
        };
        Self { requests: variables.iter().map(request).collect() }
    }

    /// Sends them for a while.
    pub fn run(&self, server: &Server, span: Duration) -> Rate {
        let address = server.address;
        let used = [processor_time(server.id()), processor_time(std::process::id())];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let begun = Instant::now();
        let until = begun + span;
        let counts = runtime.block_on(async {
            let connections = (0..CONNECTIONS).map(|place| self.connection(address, place, until));
            futures_util::future::join_all(connections).await
        });
        let took = begun.elapsed();
        let (requests, bytes) =
            counts.iter().fold((0, 0), |(requests, bytes), count| (requests + count.0, bytes + count.1));
        let of_each = |id: u32, before: Duration| {
            (processor_time(id) - before).as_secs_f64() * 1e6 / requests.max(1) as f64
        };
        Rate {
            a_second: requests as f64 / took.as_secs_f64(),
            server_us: of_each(server.id(), used[0]),
            client_us: of_each(std::process::id(), used[1]),
            bytes: bytes / requests.max(1),
        }
    }

    async fn connection(&self, address: SocketAddr, place: usize, until: Instant) -> (usize, usize) {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let requests = self.requests.iter().cycle().skip(place * self.requests.len() / CONNECTIONS);
        let (mut count, mut bytes, mut buffer) = (0, 0, Vec::with_capacity(64 * 1024));
        for request in requests {
            if Instant::now() >= until {
                break;
            }
            stream.write_all(request).await.expect("a request is taken");
            bytes += read_answer(&mut stream, &mut buffer).await;
            let is_first = count == 0;
            assert!(
                !is_first || memchr::memmem::find(&buffer, b"\"errors\"").is_none(),
                "{}",
                String::from_utf8_lossy(&buffer)
            );
            count += 1;
        }
        (count, bytes)
    }
}

/// What a process has used of the processors so far.
fn processor_time(id: u32) -> Duration {
    /// Of a second, on every Linux.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // Behind the name, which may hold anything, come the state and ten numbers, then user and system time.
    let numbers = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    numbers.skip(11).take(2).filter_map(|number| number.parse::<u32>().ok()).map(|ticks| TICK * ticks).sum()
}

/// Reads one answer with a `Content-Length`; gives its bytes.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> usize {
    buffer.clear();
    let mut whole = None;
    loop {
        let read = stream.read_buf(buffer).await.expect("an answer");
        assert!(read > 0, "the server went away: {}", String::from_utf8_lossy(buffer));
        if whole.is_none() {
            whole = length_of(buffer);
        }
        if let Some(whole) = whole.filter(|whole| buffer.len() >= *whole) {
            return whole;
        }
    }
}

/// The length of an answer, once its head is there. It must be a 200 without errors.
fn length_of(answer: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(answer, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).expect("a head is text").to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    Some(end + length.expect("an answer this small has a length").parse::<usize>().expect("a number"))
}

/// Asks for a path; whether the answer is a 200.
pub fn is_ok(address: SocketAddr, path: &str) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(address) else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    let asked = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    asked.is_ok() && answer.starts_with("HTTP/1.1 200")
}
