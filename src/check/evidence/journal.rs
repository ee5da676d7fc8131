//! The records of a journal as a bundle writes them: payloads in Base64, hashes in hexadecimal.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Chain, ChainRecord};
use crate::store::{Proof, ProofRecord, RecordBody};

impl Chain {
    pub(super) fn of(proof: &Proof, in_force: u64) -> Self {
        let records = proof.records.iter().map(|record| {
            let (payload, head, siblings) = match &record.body {
                RecordBody::Whole(payload) => (Some(STANDARD.encode(payload)), None, Vec::new()),
                RecordBody::Spine { head, siblings } => {
                    (None, Some(STANDARD.encode(head)), siblings.iter().map(hex).collect())
                }
            };
            ChainRecord { sequence: record.sequence, hash: hex(&record.hash), payload, head, siblings }
        });
        Self { in_force, previous: hex(&proof.previous), records: records.collect() }
    }

    /// The records as they were; or what of them is neither Base64 nor hexadecimal.
    pub(super) fn proof(&self) -> Result<Proof, String> {
        let records = self.records.iter().map(|record| {
            let bad = |what: &str| format!("record {}: {what}", record.sequence);
            let bytes = |text: &str| STANDARD.decode(text).map_err(|_| bad("the content is no Base64"));
            let body = match (&record.payload, &record.head) {
                (Some(payload), None) => RecordBody::Whole(bytes(payload)?),
                (None, Some(head)) => RecordBody::Spine {
                    head: bytes(head)?,
                    siblings: record
                        .siblings
                        .iter()
                        .map(|sibling| unhex(sibling).ok_or_else(|| bad("an inner hash is none")))
                        .collect::<Result<_, _>>()?,
                },
                _ => return Err(bad("it has neither a payload nor the head of one")),
            };
            let hash = unhex(&record.hash).ok_or_else(|| bad("the hash is none"))?;
            Ok(ProofRecord { sequence: record.sequence, hash, body })
        });
        let previous = unhex(&self.previous).ok_or("the hash before the first record is none")?;
        Ok(Proof { previous, records: records.collect::<Result<_, _>>()? })
    }
}

pub(super) fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text).ok().map(|hash| *hash.as_bytes())
}
