//! A graph that patches have worn, built whole again out of its own assets: nobody else is asked, so that whoever
//! commits or reads the store does not wait for it.

use std::sync::Arc;

use super::{Graph, GraphBuilder, GraphError, slices::SLICE_TYPE};
use crate::{
    catalog::{RowBuffer, RowShard, RowTarget, TypeId},
    model::{
        Asset, Time,
        parallel::{WORTH_A_THREAD, in_parallel},
    },
};

/// So many rows are taken apart at a time.
const ROWS_AT_ONCE: usize = 16 * 1024;

impl Graph {
    /// The same assets and slices in a graph without wear, equal in every answer.
    ///
    /// # Errors
    /// As [`GraphBuilder::finish`]; an asset that does not fit its type any more.
    pub fn renewed(&self, built_at: Time) -> Result<Self, GraphError> {
        let mut builder = GraphBuilder::new(Arc::clone(&self.catalog));
        let mut tasks: Vec<(TypeId, Vec<u32>)> = Vec::new();
        for (of, definition) in self.catalog.iter() {
            // Slices are made of their states.
            let is_made = self.slices.is_some() && definition.name == SLICE_TYPE;
            let Some((_, table)) = self.table_of(of).filter(|_| !is_made) else { continue };
            let rows: Vec<u32> = table.all_in_id_order().collect();
            tasks.extend(rows.chunks(ROWS_AT_ONCE).map(|rows| (of, rows.to_vec())));
        }
        let is_large = tasks.len() > 1 || self.assets() > WORTH_A_THREAD;
        let shards = in_parallel(tasks, is_large, |(of, rows)| {
            let mut shard = builder.shard();
            let mut json = Vec::new();
            for row in rows {
                json.clear();
                self.write_asset(of, row, &mut json);
                let unreadable = || GraphError::Unreadable {
                    typename: self.catalog.get(of).name.clone(),
                    id: self.id(of, row).into_owned(),
                };
                let asset = read(&json).ok_or_else(unreadable)?;
                shard.push(&self.catalog.row_of(&asset, 0, &mut RowBuffer::default())?);
            }
            Ok(shard)
        });
        let shards = shards.into_iter().collect::<Result<Vec<_>, GraphError>>()?;
        if let Some(repeated) = builder.join(shards) {
            return Err(GraphError::Duplicate { typename: repeated.typename, id: repeated.id });
        }
        let slices = self.slices.as_ref().map(|slices| slices.all().into_iter().cloned().collect());
        builder.finish(slices, built_at)
    }
}

/// The asset of a row as it was written; nothing where it can't be read, which nothing that was built is.
fn read(json: &[u8]) -> Option<Asset> {
    Asset::from_json(serde_json::from_slice(json).ok()?).ok()
}
