//! A3: an address in a configuration leads to public machines over TLS, in whatever form it is written.

use passmuster::notify::{AddressRule, Target, TargetError};

const PUBLIC: AddressRule = AddressRule { allow_private: false, allow_http: false };
const ALLOWED: AddressRule = AddressRule { allow_private: true, allow_http: true };

fn refused(url: &str, rule: AddressRule) -> TargetError {
    match Target::read(url, rule) {
        Ok(target) => panic!("{url} is spoken to: {target:?}"),
        Err(error) => error,
    }
}

/// Addresses that are no public machine's, whatever a configuration says of private ones.
const NEVER: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.0.8",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "4000::1",
    "fec0::1",
    "64:ff9b:1::1",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::ffff:0:169.254.169.254",
];
/// Addresses that a configuration may allow.
const PRIVATE: &[&str] = &[
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "::1",
    "fc00::1",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:c0a8:1::",
];
const SPOKEN_TO: &[&str] = &[
    "1.1.1.1",
    "9.9.9.9",
    "172.15.255.255",
    "172.32.0.1",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "169.253.1.1",
    "198.17.0.1",
    "198.20.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "64:ff9b::101:101",
    "2002:101:101::1",
    "::ffff:1.1.1.1",
];

fn url(address: &str) -> String {
    if address.contains(':') {
        format!("https://[{address}]/hook")
    } else {
        format!("https://{address}/hook")
    }
}

#[test]
fn addresses_of_machines_nobody_outside_may_reach_are_refused() {
    for address in NEVER {
        for rule in [PUBLIC, ALLOWED] {
            let error = refused(&url(address), rule);
            assert!(matches!(error, TargetError::Refused(_)), "{address}: {error}");
            assert!(!error.to_string().contains("allow_private"), "{address}: {error}");
        }
    }
    for address in PRIVATE {
        let error = refused(&url(address), PUBLIC);
        assert!(error.to_string().contains("say `allow_private = true`"), "{address}: {error}");
        Target::read(&url(address), ALLOWED).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
    for address in SPOKEN_TO {
        Target::read(&url(address), PUBLIC).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
}

#[test]
fn an_address_in_disguise_is_the_same_address() {
    for disguised in [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://１２７.0.0.1/",
        "https://127.0.0.1./",
        "https://[::ffff:7f00:1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https:127.0.0.1",
        "https:\\\\127.0.0.1\\",
        " https://127.0.0.1/ ",
        "https://127。0。0。1/",
    ] {
        let error = refused(disguised, PUBLIC);
        assert!(matches!(error, TargetError::Refused(_)), "{disguised}: {error}");
    }
}

#[test]
fn an_address_goes_over_tls_and_holds_no_password() {
    assert_eq!(refused("http://example.com/", PUBLIC), TargetError::PlainHttp);
    Target::read("http://example.com/", ALLOWED).unwrap();
    for url in ["https://user@example.com/", "https://user:pass@example.com/", "https://:pass@example.com/"] {
        assert_eq!(refused(url, PUBLIC), TargetError::Credentials);
    }
    for url in ["file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "javascript:alert(1)"] {
        assert!(matches!(refused(url, ALLOWED), TargetError::Scheme { .. }), "{url}");
    }
    for url in
        ["", "example.com/hook", "/hook", "https://", "https://exa mple.com/", "https://example.com:99999/"]
    {
        assert_eq!(refused(url, PUBLIC), TargetError::NotAUrl, "{url}");
    }
}

/// A4: the path of a hook is often all that keeps others from using it.
#[test]
fn no_error_and_no_debug_text_shows_more_than_the_host() {
    let told = [
        format!(
            "{:?}",
            Target::read("https://hooks.example.com/T0/secret-part?key=secret-part", PUBLIC).unwrap()
        ),
        refused("http://hooks.example.com/secret-part", PUBLIC).to_string(),
        refused("https://127.0.0.1/secret-part", PUBLIC).to_string(),
        refused("https://user:secret-part@example.com/", PUBLIC).to_string(),
        refused("hooks.example.com/secret-part", PUBLIC).to_string(),
    ];
    for text in told {
        assert!(!text.contains("secret-part"), "{text}");
    }
}
