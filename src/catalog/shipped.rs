//! The schema that is embedded in the binary.

use super::source::Source;

/// Every file of the folder `schema`, one line each; a tidy test holds that none is forgotten.
const FILES: &[(&str, &str)] = &[
    ("schema/aws.graphql", include_str!("../../schema/aws.graphql")),
    ("schema/passmuster.graphql", include_str!("../../schema/passmuster.graphql")),
];

/// The types that Passmuster ships: what AWS has.
#[must_use]
pub fn shipped() -> Vec<Source> {
    FILES.iter().map(|(name, text)| Source::new(*name, *text)).collect()
}
