//! Remediation: a check's `remediation.md` is prose with marked blocks, each a template. Read and tried when the check is
//! loaded, filled with the failing assets' own fields when a script is asked for. Nothing here runs anything.
//!
//! **Invariant**: nothing is printed into a block but through the filter that quotes for its language, so no value of an
//! asset can become a command. (`docs/decisions/025-remediation-templates.md`)

mod blocks;
mod destination;
mod lint;
mod placeholder;
mod quoting;
mod script;
mod template;

use std::sync::Arc;

use serde_json::Value;

use super::{error::CheckError, source::SourceFile};
use crate::{catalog::TypeId, query::Engine};

pub use blocks::Part;
pub use destination::{Destination, DestinationError, Need};
pub use script::{Batch, LeftOut, RemediationError, Script};

use blocks::Segment;

/// The fragment that a `remediation.graphql` defines: what a template needs beside the asset's own fields.
const FRAGMENT: &str = "Remediation";

/// How to mend what fails a check.
#[derive(Debug)]
pub struct Remediation {
    /// The text in order: prose and blocks.
    segments: Vec<Segment>,
    /// With placeholders in place of values.
    guide: String,
    /// What is asked of the failing assets beside their own fields: a query with the variable `ids`.
    query: Option<String>,
}

impl Remediation {
    /// Reads a check's remediation; every mistake is reported, and nothing is returned if there is one.
    pub(super) fn read(
        file: &SourceFile,
        related: Option<&SourceFile>,
        (id, title): (&str, &str),
        covers: TypeId,
        engine: &Engine,
        errors: &mut Vec<CheckError>,
    ) -> Option<Arc<Self>> {
        let before = errors.len();
        let (query, selected) = match related {
            Some(related) => lint::read_related(related, covers, engine, errors)?,
            None => (None, None),
        };
        let mut segments = blocks::split(file, errors);
        let asset = placeholder::of_type(engine.catalog(), covers, selected.as_ref());
        lint::names(file, &segments, &asset, errors);
        if errors.len() > before {
            return None;
        }
        let guide = lint::trial(file, &mut segments, (id, title), &asset, errors)?;
        Some(Arc::new(Self { segments, guide, query }))
    }

    /// The whole text with placeholders in place of values, as Markdown.
    #[must_use]
    pub fn guide(&self) -> &str {
        &self.guide
    }

    /// The forms a script can have.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        Part::ALL.into_iter().filter(|part| self.blocks(*part).next().is_some()).collect()
    }

    /// What a form has to be told; nothing where the assets' own fields are enough.
    #[must_use]
    pub fn needs(&self, part: Part) -> Option<Need> {
        let names = |need: &Need| {
            self.blocks(part).any(|block| block.names.iter().any(|name| name == need.variable()))
        };
        Need::ALL.into_iter().find(names)
    }

    fn blocks(&self, part: Part) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(move |segment| segment.part == Some(part))
    }
}

/// The fields of an asset by name, as a template sees them.
type Fields = serde_json::Map<String, Value>;
