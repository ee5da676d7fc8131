//! Catches answers that were cut short. The SDK's XML reader takes a document that ends too early for one with fewer
//! items and no token, which would make a slice complete that isn't; so every successful answer must end with the tag
//! that closes it. A cut answer is tried again like a dropped connection.

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

/// Whether an XML document ends with the closing tag of an answer, e.g. `</DescribeVpcsResponse>`.
fn ends_whole(body: &[u8]) -> bool {
    let text = body.trim_ascii_end();
    memchr::memmem::rfind(text, b"</")
        .and_then(|start| text.get(start..))
        .is_some_and(|tail| tail.ends_with(b"Response>"))
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
