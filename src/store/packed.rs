//! What a slice lists, on its way into the store: assets as they are, or packed while more of them is being read, so that
//! what waits takes a small part of what it will be.

use std::io;

use super::{
    codec,
    commit::{check_asset, too_large},
    error::StoreError,
};
use crate::model::{Asset, SliceKey};

/// Bytes that are compressed at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// The level of zstd: what is packed is soon unpacked again.
const LEVEL: i32 = 1;

/// What can be committed as the assets of a slice.
pub trait AssetList {
    /// Hands out each asset's id and the form in which it is stored, in the order in which they were listed.
    ///
    /// # Errors
    /// Where an asset is none of the slice's, its id makes no sense, or `visit` fails.
    fn visit(
        &self,
        slice: &SliceKey,
        visit: &mut dyn FnMut(&str, String) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

impl AssetList for Vec<Asset> {
    fn visit(
        &self,
        slice: &SliceKey,
        visit: &mut dyn FnMut(&str, String) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for asset in self {
            check_asset(slice, &asset.typename, &asset.id)?;
            visit(&asset.id, codec::canonical(asset).map_err(|_| too_large(usize::MAX))?)?;
        }
        Ok(())
    }
}

/// Assets in the form in which they are stored, compressed.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// Compressed: of each asset its type, its id and its stored form, each as a line.
    blocks: Vec<Vec<u8>>,
    /// The lines of the next block.
    open: Vec<u8>,
}

impl Packed {
    /// Adds an asset; of two with the same id the later one counts.
    ///
    /// # Errors
    /// [`StoreError::NotPacked`], which memory that holds does not bring about.
    pub fn push(&mut self, asset: &Asset) -> Result<(), StoreError> {
        let body = codec::canonical(asset).map_err(|_| too_large(usize::MAX))?;
        for line in [&asset.typename, &asset.id, &body] {
            // Names may hold anything, JSON in one line holds no line feed.
            let line = serde_json::to_vec(line).map_err(|_| too_large(usize::MAX))?;
            self.open.extend_from_slice(&line);
            self.open.push(b'\n');
        }
        if self.open.len() >= BLOCK_BYTES {
            let mut block = zstd::bulk::compress(&self.open, LEVEL).map_err(not_packed)?;
            // It comes in room for what can't be compressed.
            block.shrink_to_fit();
            self.blocks.push(block);
            self.open.clear();
        }
        Ok(())
    }

    /// Adds assets.
    ///
    /// # Errors
    /// As [`Packed::push`].
    pub fn extend<'a>(&mut self, assets: impl IntoIterator<Item = &'a Asset>) -> Result<(), StoreError> {
        assets.into_iter().try_for_each(|asset| self.push(asset))
    }

    /// The bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.open.capacity() + self.blocks.iter().map(Vec::capacity).sum::<usize>()
    }

    fn each(
        &self,
        visit: &mut dyn FnMut(String, String, String) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for block in &self.blocks {
            each_of(&zstd::decode_all(block.as_slice()).map_err(not_packed)?, visit)?;
        }
        each_of(&self.open, visit)
    }
}

impl AssetList for Packed {
    fn visit(
        &self,
        slice: &SliceKey,
        visit: &mut dyn FnMut(&str, String) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.each(&mut |typename, id, body| {
            check_asset(slice, &typename, &id)?;
            visit(&id, body)
        })
    }
}

/// Reads the lines of a block.
fn each_of(
    block: &[u8],
    visit: &mut dyn FnMut(String, String, String) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut lines = serde_json::Deserializer::from_slice(block).into_iter::<String>();
    let mut line = || lines.next().transpose().map_err(|error| not_packed(io::Error::other(error)));
    while let Some(typename) = line()? {
        let (Some(id), Some(body)) = (line()?, line()?) else {
            return Err(not_packed(io::ErrorKind::UnexpectedEof.into()));
        };
        visit(typename, id, body)?;
    }
    Ok(())
}

fn not_packed(source: io::Error) -> StoreError {
    StoreError::NotPacked { source }
}
