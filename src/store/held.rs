//! Reading what another process keeps: the ledger of a store that it holds, from the journal alone. Nothing is locked and
//! nothing is written; what is being written just now is read or isn't.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
};

use super::{
    codec::{self, Entry},
    error::StoreError,
    folder::Folder,
    journal::{self, Depth, Record},
};
use crate::model::Asset;

/// How the JSON of a record of the ledger begins.
const LEDGER_BEGIN: &[u8] = b"{\"ledger\"";

/// The assets of one type of the ledger, sorted by id, of a store that may be held by another process. Reads the whole
/// journal.
///
/// # Errors
/// Where there is no store, or its journal can't be read or is damaged.
pub fn read_held_ledger(dir: &Path, typename: &str) -> Result<Vec<Asset>, StoreError> {
    let folder = Folder::new(dir);
    if !dir.is_dir() || !folder.has_store()? {
        return Err(StoreError::Absent { dir: dir.to_owned() });
    }
    let mut kept: BTreeMap<String, Asset> = BTreeMap::new();
    journal::scan(&folder.journal, Depth::Whole, &mut Err, &mut |record| {
        if !is_of_ledger(record) {
            return Ok(());
        }
        let Entry::Ledger(entry) = codec::decode(record)? else { return Ok(()) };
        let names = entry.removes.iter().filter(|name| name.typename == typename);
        let gone: BTreeSet<&String> = names.map(|name| &name.id).collect();
        kept.retain(|id, _| !gone.contains(id));
        for put in entry.puts.iter().filter(|put| put.typename == typename) {
            let json = serde_json::from_str(put.asset.get()).ok();
            if let Some(asset) = json.and_then(|json| Asset::from_json(json).ok()) {
                kept.insert(put.id.clone(), asset);
            }
        }
        Ok(())
    })?;
    Ok(kept.into_values().collect())
}

/// Whether a record is one of the ledger, by its first bytes: slices are long, and nothing of them is needed.
fn is_of_ledger(record: &Record) -> bool {
    let mut begin = [0; LEDGER_BEGIN.len()];
    let read = zstd::Decoder::new(record.payload.as_slice()).and_then(|mut json| json.read_exact(&mut begin));
    read.is_ok() && begin == LEDGER_BEGIN
}
