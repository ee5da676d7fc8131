//! Catches answers that were cut short. The SDK's XML reader takes a document that ends too early for one with fewer
//! items and no token, which would make a slice complete that isn't; so every successful answer in XML must end
//! with the tag that closes it. A cut answer is tried again like a dropped connection.

use aws_sdk_ec2::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{AfterDeserializationInterceptorContextRef, InterceptorContext},
        retry::{ClassifyRetry, RetryAction},
    },
    error::BoxError,
};

/// The answer ended before its closing tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer was cut short")]
pub(crate) struct CutShort;

/// Looks at every answer, and has the cut ones tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeAnswers;

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if !response.status().is_success() {
            return Ok(());
        }
        match response.body().bytes() {
            Some(body) if !ends_whole(body) => Err(Box::new(CutShort)),
            _ => Ok(()),
        }
    }
}

/// Whether an XML document ends with the tag that closes its first element. What is no XML has a reader that sees for
/// itself where it ends.
fn ends_whole(body: &[u8]) -> bool {
    let text = body.trim_ascii();
    if !text.starts_with(b"<") {
        return true;
    }
    let Some(root) = root_of(text) else { return false };
    let name = root.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')).next();
    let closing = [b"</", name.unwrap_or_default(), b">"].concat();
    text.ends_with(&closing) || (root.ends_with(b"/>") && !root.contains(&b'<'))
}

/// The document from the name of its first element on.
fn root_of(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start().strip_prefix(b"<")?;
        if !matches!(rest.first(), Some(b'?' | b'!')) {
            return Some(rest);
        }
        rest = rest.get(memchr::memchr(b'>', rest)? + 1..)?;
    }
}

impl ClassifyRetry for WholeAnswers {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if is_cut_short(error) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "WholeAnswers"
    }
}

/// Whether an error comes, at the bottom, from an answer that was cut short.
pub(crate) fn is_cut_short(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CutShort>() {
            return true;
        }
        next = error.source();
    }
    false
}
