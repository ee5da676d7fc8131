//! The blocks of an image: arrays as they stand in memory. Reading one fills the array itself and sums it while it is
//! in the cache; nothing is copied twice.

use std::{iter::repeat_n, sync::Arc};

use zerocopy::{FromBytes, IntoBytes};

use super::{ImageError, ImageSource};

/// How much is read and summed at a time: small enough for the cache, large enough for the checksum's wide steps.
const STEP: usize = 256 << 10;

/// Tells whether two blocks are the same.
pub(super) type Digest = [u8; 16];

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Text,
    U32,
    U64,
    I64,
    SharedU32,
    SharedI64,
    SharedF64,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Text, Self::U32, Self::U64, Self::I64, Self::SharedU32, Self::SharedI64, Self::SharedF64];

    pub(super) fn code(self) -> u8 {
        self as u8
    }

    pub(super) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Where a block is, and what it must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) offset: u64,
    pub(super) bytes: usize,
    pub(super) digest: Digest,
}

/// A block that was read.
#[derive(Debug)]
pub(super) enum Block {
    Text(String),
    U32(Vec<u32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    SharedU32(Arc<[u32]>),
    SharedI64(Arc<[i64]>),
    SharedF64(Arc<[f64]>),
}

impl Block {
    /// Reads a block and checks it.
    pub(super) fn read(place: &Place, source: &(impl ImageSource + ?Sized)) -> Result<Self, ImageError> {
        Ok(match place.kind {
            Kind::Text => {
                let text = String::from_utf8(place.read::<u8>(source)?);
                Self::Text(text.map_err(|_| ImageError::damaged("a text is none"))?)
            }
            Kind::U32 => Self::U32(place.read(source)?),
            Kind::U64 => Self::U64(place.read(source)?),
            Kind::I64 => Self::I64(place.read(source)?),
            Kind::SharedU32 => Self::SharedU32(place.read_shared(source)?),
            Kind::SharedI64 => Self::SharedI64(place.read_shared(source)?),
            Kind::SharedF64 => Self::SharedF64(place.read_shared(source)?),
        })
    }
}

impl Place {
    fn count<T>(&self) -> Result<usize, ImageError> {
        match self.bytes % size_of::<T>() {
            0 => Ok(self.bytes / size_of::<T>()),
            _ => Err(ImageError::damaged("an array ends within an element")),
        }
    }

    fn read<T>(&self, source: &(impl ImageSource + ?Sized)) -> Result<Vec<T>, ImageError>
    where
        T: Copy + Default + FromBytes + IntoBytes,
    {
        let mut values = vec![T::default(); self.count::<T>()?];
        fill(values.as_mut_bytes(), self, source)?;
        Ok(values)
    }

    /// The same into memory that graphs share: copying a vector there would cost as much again.
    fn read_shared<T>(&self, source: &(impl ImageSource + ?Sized)) -> Result<Arc<[T]>, ImageError>
    where
        T: Copy + Default + FromBytes + IntoBytes,
    {
        let mut values: Arc<[T]> = repeat_n(T::default(), self.count::<T>()?).collect();
        match Arc::get_mut(&mut values) {
            Some(alone) => fill(alone.as_mut_bytes(), self, source)?,
            None => return Err(ImageError::damaged("an array is in use before it is read")),
        }
        Ok(values)
    }
}

fn fill(buffer: &mut [u8], place: &Place, source: &(impl ImageSource + ?Sized)) -> Result<(), ImageError> {
    let mut hasher = blake3::Hasher::new();
    let mut offset = place.offset;
    for piece in buffer.chunks_mut(STEP) {
        source.read_at(offset, piece)?;
        hasher.update(piece);
        offset += piece.len() as u64;
    }
    if shorten(&hasher) == place.digest { Ok(()) } else { Err(ImageError::damaged("a checksum is wrong")) }
}

/// The digest of a block.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes);
    shorten(&hasher)
}

fn shorten(hasher: &blake3::Hasher) -> Digest {
    let mut digest = Digest::default();
    hasher.finalize_xof().fill(&mut digest);
    digest
}
