//! A WebSocket client of few words, for graphql-transport-ws: the tests' own, so that it can be as rude as it likes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
}

/// What comes from a server.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    Text(String),
    Close(u16, String),
    Ping,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Text(text) => serde_json::from_str(text).unwrap(),
            other => panic!("not a text: {other:?}"),
        }
    }
}

/// Sends the beginning of a WebSocket, and gives the head of the answer.
pub(crate) async fn begin(address: &str, headers: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /graphql HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap();
        head.push(byte);
    }
    (stream, String::from_utf8(head).unwrap())
}

impl Client {
    pub(crate) fn over(stream: TcpStream) -> Self {
        Self { stream }
    }

    pub(crate) async fn connect(address: &str) -> Self {
        let (stream, head) = begin(address, "Sec-WebSocket-Protocol: graphql-transport-ws\r\n").await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.to_lowercase().contains("sec-websocket-protocol: graphql-transport-ws"), "{head}");
        Self { stream }
    }

    pub(crate) async fn acknowledged(address: &str) -> Self {
        let mut client = Self::connect(address).await;
        client.send(&json!({"type": "connection_init"})).await;
        assert_eq!(client.receive().await.json(), json!({"type": "connection_ack"}));
        client
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.frame(1, message.to_string().as_bytes()).await;
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(&json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    pub(crate) async fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut bytes = vec![0x80 | opcode];
        match payload.len() {
            short @ ..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(payload);
        self.stream.write_all(&bytes).await.unwrap();
    }

    pub(crate) async fn receive(&mut self) -> Frame {
        timeout(PATIENCE, self.read()).await.expect("an answer")
    }

    async fn read(&mut self) -> Frame {
        let head = self.stream.read_u8().await.unwrap();
        let length = match self.stream.read_u8().await.unwrap() {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            127 => usize::try_from(self.stream.read_u64().await.unwrap()).unwrap(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.unwrap();
        match head & 0x0f {
            1 => Frame::Text(String::from_utf8(payload).unwrap()),
            8 => {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                Frame::Close(code, String::from_utf8(payload[2..].to_vec()).unwrap())
            }
            9 => Frame::Ping,
            other => panic!("opcode {other}"),
        }
    }

    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.receive().await {
                Frame::Close(code, reason) => return (code, reason),
                Frame::Text(_) | Frame::Ping => {}
            }
        }
    }
}
