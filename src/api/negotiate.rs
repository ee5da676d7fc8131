//! Which media type a response gets, and which a request may come in. Pure functions over header texts.

use super::HttpError;

/// The two media types a response can be written in. They differ in the status codes they allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: the status says how the operation went.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request, so that old clients read the errors.
    Json,
}

impl MediaType {
    /// The value of the `Content-Type` header.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// Chooses the media type of the response: the one with the higher quality, the new one where they are equal and
/// named, plain JSON where the client names neither (`*/*`, or no header at all).
pub(super) fn choose(accept: &str) -> Result<MediaType, HttpError> {
    // What most clients send.
    match accept.trim() {
        "" | "*/*" | "application/json" => return Ok(MediaType::Json),
        "application/graphql-response+json" => return Ok(MediaType::GraphqlResponse),
        _ => {}
    }
    let mut graphql_response = Preference::default();
    let mut json = Preference::default();
    for range in accept.split(',') {
        let Some(range) = MediaRange::read(range) else { continue };
        match range.media_type.as_str() {
            "application/graphql-response+json" => graphql_response.offer(range.quality, 2),
            "application/json" => json.offer(range.quality, 2),
            "application/*" => {
                json.offer(range.quality, 1);
                graphql_response.offer(range.quality, 1);
            }
            "*/*" => {
                json.offer(range.quality, 0);
                graphql_response.offer(range.quality, 0);
            }
            _ => {}
        }
    }
    let is_named = graphql_response.specificity == Some(2);
    match (graphql_response.quality, json.quality) {
        (0, 0) => Err(HttpError::NotAcceptable { accept: accept.to_owned() }),
        (ours, theirs) if ours > theirs || (ours == theirs && is_named) => Ok(MediaType::GraphqlResponse),
        _ => Ok(MediaType::Json),
    }
}

/// The best that `Accept` says of one media type: the most specific range decides, as RFC 9110 has it.
#[derive(Default)]
struct Preference {
    quality: u16,
    specificity: Option<u8>,
}

impl Preference {
    fn offer(&mut self, quality: u16, specificity: u8) {
        if self.specificity.is_none_or(|known| specificity > known) {
            *self = Self { quality, specificity: Some(specificity) };
        } else if self.specificity == Some(specificity) {
            self.quality = self.quality.max(quality);
        }
    }
}

/// One element of an `Accept` header; nothing for one in a charset that is never written.
struct MediaRange {
    media_type: String,
    /// In thousandths.
    quality: u16,
}

impl MediaRange {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let media_type = parts.next()?.trim().to_ascii_lowercase();
        let mut quality = 1000;
        for parameter in parts {
            let (name, value) = split_parameter(parameter)?;
            match name.as_str() {
                "q" => quality = read_quality(&value)?,
                "charset" if !is_utf8(&value) => return None,
                _ => {}
            }
        }
        Some(Self { media_type, quality })
    }
}

/// Refuses every `Content-Type` but JSON in UTF-8: form and text types are what a foreign web page can send without
/// asking first.
pub(super) fn check_content_type(content_type: Option<&str>) -> Result<(), HttpError> {
    let content_type = content_type.ok_or(HttpError::MissingContentType)?;
    let refuse = || HttpError::UnsupportedContentType { content_type: content_type.to_owned() };
    let mut parts = content_type.split(';');
    let media_type = parts.next().unwrap_or_default().trim();
    if media_type.is_empty() {
        return Err(HttpError::MissingContentType);
    }
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(refuse());
    }
    for parameter in parts.filter(|text| !text.trim().is_empty()) {
        let (name, value) = split_parameter(parameter).ok_or_else(refuse)?;
        if name == "charset" && !is_utf8(&value) {
            return Err(refuse());
        }
    }
    Ok(())
}

/// Refuses a compressed body: a small one could unpack to anything.
pub(super) fn check_encoding(encoding: Option<&str>) -> Result<(), HttpError> {
    match encoding {
        Some(encoding) if !encoding.trim().eq_ignore_ascii_case("identity") => {
            Err(HttpError::UnsupportedEncoding { encoding: encoding.to_owned() })
        }
        _ => Ok(()),
    }
}

fn split_parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_ascii_lowercase()))
}

fn is_utf8(charset: &str) -> bool {
    matches!(charset, "utf-8" | "utf8")
}

/// Reads `0`, `0.8`, `1.000` as thousandths; nothing for anything else.
fn read_quality(text: &str) -> Option<u16> {
    let value: f32 = text.parse().ok()?;
    (0.0..=1.0).contains(&value).then(|| thousandths(value))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 1000 by the caller"
)]
fn thousandths(value: f32) -> u16 {
    (value * 1000.0).round() as u16
}
