//! Evidence: a verdict with everything it rests on, in one file that proves it without the store. Made by `Evidence::gather`,
//! written and read here, held against itself by `verify`.
//!
//! **Invariant**: what a bundle says is computed from what is in the bundle, by the code that judges inventories, so that
//! whoever computes it again gets the same or has found a difference. (`docs/decisions/026-evidence.md`)

mod gather;
mod journal;
mod result;
mod verify;

use std::{collections::BTreeMap, io::Read};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use gather::{EvidenceError, Moment};
pub use verify::Disagreement;

/// What the first line of a bundle says of its format.
const FORMAT: &str = "passmuster evidence 1";

/// The most bytes a bundle may have when it is unpacked.
const MOST_BYTES: u64 = 1 << 30;

/// How a file in zstd begins.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A bundle of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Evidence {
    /// Which format it is.
    format: String,
    /// The version of the program that wrote it.
    program: String,
    /// The moment of the verdict.
    at: String,
    /// The check's id.
    check: String,
    /// The files that the check is judged by: its own and the fragments, by path.
    files: BTreeMap<String, String>,
    /// The files of the schema, in their order.
    schema: Vec<SchemaFile>,
    /// The types that the verdict rests on, sorted.
    types: Vec<String>,
    /// What the check says.
    result: Value,
    /// How those types were collected.
    slices: Vec<Value>,
    /// Every asset of those types, with what could not be seen of it, by type and id.
    assets: Vec<Value>,
    /// The records of the journal.
    journal: Chain,
    /// A digest of each part, so that a difference can be named.
    digests: BTreeMap<String, String>,
}

/// One file of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    name: String,
    text: String,
}

/// The journal's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Chain {
    /// The last record that the verdict takes in.
    in_force: u64,
    /// The hash of the record before the first, in hexadecimal.
    previous: String,
    /// One after the other, up to the end of the journal.
    records: Vec<ChainRecord>,
}

/// One record. Payloads are in Base64, hashes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChainRecord {
    sequence: u64,
    hash: String,
    /// The payload of a record that says something of the types.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    payload: Option<String>,
    /// The beginning of any other payload.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    head: Option<String>,
    /// The inner hashes that stand for the rest of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    siblings: Vec<String>,
}

/// A file that is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum NoEvidence {
    /// Neither JSON nor JSON in zstd, or cut short.
    #[error("it is no bundle of evidence, or not all of one: {reason}")]
    Unreadable {
        /// What the reader says.
        reason: String,
    },
    /// Another format.
    #[error("it is `{found}`, and this program reads `{}`", FORMAT)]
    OtherFormat {
        /// What it says it is.
        found: String,
    },
    /// Too large to be one.
    #[error("it is larger than {} bytes when unpacked", MOST_BYTES)]
    TooLarge,
}

impl Evidence {
    /// The file's bytes: JSON, or that in zstd. The same bundle is always the same bytes.
    ///
    /// # Errors
    /// What the compressor says.
    pub fn write(&self, is_packed: bool) -> std::io::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        if is_packed { zstd::encode_all(json.as_slice(), 9) } else { Ok(json) }
    }

    /// Reads a file, packed or not.
    ///
    /// # Errors
    /// That it is no bundle.
    pub fn read(bytes: &[u8]) -> Result<Self, NoEvidence> {
        let unreadable = |reason: String| NoEvidence::Unreadable { reason };
        let unpacked;
        let json = if bytes.starts_with(&ZSTD_MAGIC) {
            let mut out = Vec::new();
            let decoder = zstd::Decoder::new(bytes).map_err(|error| unreadable(error.to_string()))?;
            let read = decoder.take(MOST_BYTES + 1).read_to_end(&mut out);
            read.map_err(|error| unreadable(error.to_string()))?;
            unpacked = out;
            unpacked.as_slice()
        } else {
            bytes
        };
        if json.len() as u64 > MOST_BYTES {
            return Err(NoEvidence::TooLarge);
        }
        let value: Value = serde_json::from_slice(json).map_err(|error| unreadable(error.to_string()))?;
        let found = value.get("format").and_then(Value::as_str).unwrap_or("JSON without a format");
        if found != FORMAT {
            return Err(NoEvidence::OtherFormat { found: found.to_owned() });
        }
        serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))
    }

    /// The check it is about.
    #[must_use]
    pub fn check_id(&self) -> &str {
        &self.check
    }

    /// The moment of the verdict.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// What it says, e.g. `FAIL`.
    #[must_use]
    pub fn verdict(&self) -> &str {
        self.result.get("verdict").and_then(Value::as_str).unwrap_or("none")
    }

    /// How many assets it holds.
    #[must_use]
    pub fn assets(&self) -> usize {
        self.assets.len()
    }

    /// How many records of the journal it holds.
    #[must_use]
    pub fn records(&self) -> usize {
        self.journal.records.len()
    }

    /// The hash that the journal ended with when the bundle was made.
    #[must_use]
    pub fn journal_hash(&self) -> &str {
        self.journal.records.last().map_or(&self.journal.previous, |record| &record.hash)
    }

    /// A digest of the whole: whoever noted it knows the bundle again.
    #[must_use]
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&json).to_hex().to_string()
    }

    /// The digest of each part, as it is.
    fn digests(&self) -> BTreeMap<String, String> {
        fn of(part: &impl Serialize) -> String {
            blake3::hash(&serde_json::to_vec(part).unwrap_or_default()).to_hex().to_string()
        }
        let verdict = (&self.program, &self.at, &self.check, &self.result);
        [
            ("verdict", of(&verdict)),
            ("files", of(&self.files)),
            ("schema", of(&(&self.schema, &self.types))),
            ("slices", of(&self.slices)),
            ("assets", of(&self.assets)),
            ("journal", of(&self.journal)),
        ]
        .into_iter()
        .map(|(part, digest)| (part.to_owned(), digest))
        .collect()
    }
}
