//! Where a message may go. An address in a configuration can be anybody's: what resolves to this machine, its network or
//! the metadata of its cloud is refused (A3), in every form that such an address can be written.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::Url;

/// What a channel may speak to beyond public addresses over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressRule {
    /// Whether addresses of this machine and of private networks are allowed.
    pub allow_private: bool,
    /// Whether plain HTTP is.
    pub allow_http: bool,
}

/// An address that is not spoken to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{host}` is at {address}, {what}{}", if *.may_be_allowed { ": say `allow_private = true` if that is meant" } else { "" })]
pub struct RefusedAddress {
    /// The host of the channel.
    pub host: String,
    /// What it resolves to.
    pub address: IpAddr,
    /// What is wrong with it.
    pub what: &'static str,
    /// Whether `allow_private` would allow it.
    pub may_be_allowed: bool,
}

/// Where a channel's messages go: a URL that is fit for it. Its path may be a secret, and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: String,
    port: u16,
}

/// A URL that is not fit for a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No URL at all. The text is not shown: it may be a secret.
    #[error("the address is no URL: write it as in https://example.com/hook")]
    NotAUrl,
    /// Something other than HTTP.
    #[error("the address begins with `{scheme}:`: write https")]
    Scheme {
        /// As written.
        scheme: String,
    },
    /// HTTP without TLS.
    #[error(
        "the address is plain http, which anybody on the way can read: write https, or say `allow_http = true`"
    )]
    PlainHttp,
    /// A user name or password in it.
    #[error("the address holds a user name or password: a signature says who sends (`secret_env`)")]
    Credentials,
    /// An address of a host that is refused whatever it resolves to.
    #[error(transparent)]
    Refused(#[from] RefusedAddress),
}

impl Target {
    /// Reads a URL. A host that is an address in itself, in whatever form, is judged at once.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str, rule: AddressRule) -> Result<Self, TargetError> {
        let url = Url::parse(text.trim()).map_err(|_| TargetError::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if rule.allow_http => {}
            "http" => return Err(TargetError::PlainHttp),
            scheme => return Err(TargetError::Scheme { scheme: scheme.to_owned() }),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        let host = url.host_str().ok_or(TargetError::NotAUrl)?.to_owned();
        let port = url.port_or_known_default().ok_or(TargetError::NotAUrl)?;
        let target = Self { url, host, port };
        if let Some(address) = target.literal() {
            target.allow(address, rule)?;
        }
        Ok(target)
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host, which may be shown.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host, if it is an address in itself.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Judges an address that the host resolves to.
    ///
    /// # Errors
    /// Where it is not to be spoken to.
    pub fn allow(&self, address: IpAddr, rule: AddressRule) -> Result<(), RefusedAddress> {
        let Some((what, may_be_allowed)) = refusal(address) else { return Ok(()) };
        if may_be_allowed && rule.allow_private {
            return Ok(());
        }
        Err(RefusedAddress { host: self.host.clone(), address, what, may_be_allowed })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}:{}/..", self.url.scheme(), self.host, self.port)
    }
}

/// Why an address is not a public one, and whether a configuration may allow it nevertheless.
fn refusal(address: IpAddr) -> Option<(&'static str, bool)> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => refusal_v4(inner),
            None => refusal_v6(address),
        },
    }
}

const METADATA: &str = "where a cloud keeps the credentials of a machine";

fn refusal_v4(address: Ipv4Addr) -> Option<(&'static str, bool)> {
    let within = |octets: [u8; 4], length: u8| {
        Ipv4Net::new(Ipv4Addr::from(octets), length).is_ok_and(|net| net.contains(&address))
    };
    Some(match address {
        Ipv4Addr::UNSPECIFIED => ("which is no address", false),
        // AWS, GCP and Azure; ECS tasks; Alibaba; Oracle.
        _ if within([169, 254, 169, 254], 32) || within([169, 254, 170, 2], 32) => (METADATA, false),
        _ if within([100, 100, 100, 200], 32) || within([192, 0, 0, 192], 32) => (METADATA, false),
        _ if within([0, 0, 0, 0], 8) => ("which is no address", false),
        _ if within([127, 0, 0, 0], 8) => ("this machine", true),
        _ if within([10, 0, 0, 0], 8) || within([172, 16, 0, 0], 12) || within([192, 168, 0, 0], 16) => {
            ("a private network", true)
        }
        _ if within([169, 254, 0, 0], 16) => ("a link of this machine", true),
        _ if within([100, 64, 0, 0], 10) => ("a provider's own network", true),
        _ if within([224, 0, 0, 0], 4) => ("a group of machines", false),
        _ if within([192, 0, 0, 0], 24)
            || within([192, 0, 2, 0], 24)
            || within([198, 51, 100, 0], 24)
            || within([203, 0, 113, 0], 24)
            || within([192, 88, 99, 0], 24)
            || within([198, 18, 0, 0], 15)
            || within([240, 0, 0, 0], 4) =>
        {
            ("a reserved address", false)
        }
        _ => return None,
    })
}

fn refusal_v6(address: Ipv6Addr) -> Option<(&'static str, bool)> {
    let within = |segments: [u16; 8], length: u8| {
        Ipv6Net::new(Ipv6Addr::from(segments), length).is_ok_and(|net| net.contains(&address))
    };
    Some(match address {
        Ipv6Addr::UNSPECIFIED => ("which is no address", false),
        Ipv6Addr::LOCALHOST => ("this machine", true),
        _ if within([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32) => (METADATA, false),
        _ if within([0xfd20, 0xce, 0, 0, 0, 0, 0, 0], 32) => (METADATA, false),
        _ if within([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7) => ("a private network", true),
        _ if within([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10) => ("a link of this machine", true),
        _ if within([0xff00, 0, 0, 0, 0, 0, 0, 0], 8) => ("a group of machines", false),
        // Tunnels end anywhere; documentation and identifiers are nowhere; all else is not handed out yet.
        _ if within([0x2001, 0, 0, 0, 0, 0, 0, 0], 23)
            || within([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32)
            || within([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20)
            || !within([0x2000, 0, 0, 0, 0, 0, 0, 0], 3) =>
        {
            ("a reserved address", false)
        }
        _ => return None,
    })
}

/// The address of the older kind that stands within one of the newer: mapped, compatible, translated (NAT64), 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [first, second, third, fourth, fifth, sixth, high, low] = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (first, second, third, fourth, fifth, sixth) {
        (0, 0, 0, 0, 0, 0xffff) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(of(high, low)),
        // `::` and `::1` are of the newer kind.
        (0, 0, 0, 0, 0, 0) if high != 0 => Some(of(high, low)),
        (0x2002, ..) => Some(of(second, third)),
        _ => None,
    }
}
