//! `[server]`: where `passmuster serve` listens, and whom it hears.

use std::net::SocketAddr;

use super::reader::{Reader, Table};

const KEYS: &[&str] = &["allow_mutations", "allow_remote", "allowed_origins", "listen"];

/// What the section says.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerSection {
    /// Address and port.
    pub(crate) listen: Option<SocketAddr>,
    /// Whether other machines may connect.
    pub(crate) allow_remote: bool,
    /// Whether what it holds may be changed over HTTP, where other machines may connect.
    pub(crate) allow_mutations: Option<bool>,
    /// Origins of pages that may subscribe, beside the server's own.
    pub(crate) allowed_origins: Vec<String>,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader<'_>, root: &Table<'_>) -> ServerSection {
    let section = reader.table(root, "server", "[server]", KEYS);
    let listen = reader.text(&section, "listen").and_then(|text| {
        let address = text.value.parse().ok();
        if address.is_none() {
            let reason = format!("`{}` is no address and port", text.value);
            reader.bad("listen", text.span, reason, "as in \"127.0.0.1:8080\"");
        }
        address
    });
    let mut allowed_origins = Vec::new();
    for text in reader.texts(&section, "allowed_origins") {
        let rest = text.value.strip_prefix("https://").or_else(|| text.value.strip_prefix("http://"));
        if rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' '])) {
            allowed_origins.push(text.value);
        } else {
            let reason = format!("`{}` is no origin", text.value);
            reader.bad(
                "allowed_origins",
                text.span,
                reason,
                "as in \"https://dashboard.example.com\", without a path",
            );
        }
    }
    ServerSection {
        listen,
        allow_remote: reader.flag(&section, "allow_remote").unwrap_or_default(),
        allow_mutations: reader.flag(&section, "allow_mutations"),
        allowed_origins,
    }
}
