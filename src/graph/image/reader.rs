//! Reading an image: the contents first, then all blocks on several threads, then the graph out of them.

use std::{
    any::Any,
    cmp::Reverse,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread, vec,
};

use super::{
    FORMAT, HEADER_BYTES, ImageError, ImageSource, Imaged, MAGIC,
    block::{Block, Digest, Kind, Place},
};
use crate::catalog::TypeId;

/// More threads than this don't read any faster.
const MOST_THREADS: usize = 8;

/// How many threads read or sum.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(2, |count| count.get().min(MOST_THREADS))
}

/// What stands before the blocks.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) stamp: Vec<u8>,
    numbers: Vec<u64>,
    places: Vec<Place>,
}

impl Contents {
    /// Reads and checks them; every block lies within the image, and nothing else does.
    pub(super) fn read(source: &(impl ImageSource + ?Sized)) -> Result<Self, ImageError> {
        let length = source.len()?;
        if length < HEADER_BYTES as u64 {
            return Err(ImageError::damaged("it is cut short"));
        }
        let mut header = [0; HEADER_BYTES];
        source.read_at(0, &mut header)?;
        let rest = header.strip_prefix(&MAGIC).ok_or(ImageError::OtherFormat)?;
        let rest = rest.strip_prefix(&FORMAT.to_ne_bytes()).ok_or(ImageError::OtherFormat)?;
        let cut_short = || ImageError::damaged("it is cut short");
        let (bytes, checksum) = rest.split_first_chunk::<8>().ok_or_else(cut_short)?;
        let bytes = u64::from_le_bytes(*bytes);
        if bytes > length - HEADER_BYTES as u64 {
            return Err(cut_short());
        }
        let mut contents = vec![0; usize::try_from(bytes).map_err(|_| cut_short())?];
        source.read_at(HEADER_BYTES as u64, &mut contents)?;
        if blake3::hash(&contents).as_bytes() != checksum {
            return Err(ImageError::damaged("the checksum of its contents is wrong"));
        }
        Self::parse(&contents, length).ok_or_else(|| ImageError::damaged("its length is wrong"))
    }

    fn parse(contents: &[u8], length: u64) -> Option<Self> {
        let (bytes, rest) = take_count(contents)?;
        let (stamp, rest) = rest.split_at_checked(bytes)?;
        let (count, rest) = take_count(rest)?;
        let (bytes, rest) = rest.split_at_checked(count.checked_mul(8)?)?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let numbers = numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
        let (count, mut rest) = take_count(rest)?;
        let mut places = Vec::new();
        let mut offset = (HEADER_BYTES + contents.len()) as u64;
        for _ in 0..count {
            let (code, after) = rest.split_first()?;
            let (bytes, after) = take_count(after)?;
            let (digest, after) = after.split_first_chunk::<{ size_of::<Digest>() }>()?;
            places.push(Place { kind: Kind::of_code(*code)?, offset, bytes, digest: *digest });
            offset = offset.checked_add(bytes as u64)?;
            rest = after;
        }
        (rest.is_empty() && offset == length).then(|| Self { stamp: stamp.to_vec(), numbers, places })
    }

    /// Reads all blocks, the largest first.
    pub(super) fn load(self, source: &(impl ImageSource + ?Sized)) -> Result<ImageReader, ImageError> {
        let Self { numbers, places, .. } = self;
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|place| Reverse(places.get(*place).map(|place| place.bytes)));
        let next = AtomicUsize::new(0);
        let blocks: Mutex<Vec<Option<Block>>> = Mutex::new(places.iter().map(|_| None).collect());
        let read = || -> Result<(), ImageError> {
            while let Some(&number) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(place) = places.get(number) else { continue };
                let block = Block::read(place, source).inspect_err(|_| {
                    // The others need not go on.
                    next.store(order.len(), Ordering::Relaxed);
                })?;
                let mut blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(slot) = blocks.get_mut(number) {
                    *slot = Some(block);
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let readers: Vec<_> = (0..threads()).map(|_| scope.spawn(read)).collect();
            readers.into_iter().try_for_each(|reader| {
                reader.join().unwrap_or_else(|_| Err(ImageError::damaged("reading it failed")))
            })
        })?;
        let blocks = blocks.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(ImageReader {
            numbers: numbers.into_iter(),
            blocks: blocks.into_iter(),
            arrays: Vec::new(),
            structures: Vec::new(),
        })
    }
}

fn take_count(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<8>()?;
    Some((usize::try_from(u64::from_le_bytes(*count)).ok()?, rest))
}

/// An image that was read, being taken apart.
#[derive(Debug)]
pub(crate) struct ImageReader {
    numbers: vec::IntoIter<u64>,
    blocks: vec::IntoIter<Option<Block>>,
    /// What several columns may share, in the order of its coming.
    arrays: Vec<Block>,
    structures: Vec<Arc<dyn Any + Send + Sync>>,
}

/// What every checksum was right for, and still makes no graph: the program that wrote it was another.
fn misplaced() -> ImageError {
    ImageError::OtherFormat
}

impl ImageReader {
    pub(crate) fn number(&mut self) -> Result<u64, ImageError> {
        self.numbers.next().ok_or_else(misplaced)
    }

    pub(crate) fn count(&mut self) -> Result<usize, ImageError> {
        usize::try_from(self.number()?).map_err(|_| misplaced())
    }

    pub(crate) fn flag(&mut self) -> Result<bool, ImageError> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(misplaced()),
        }
    }

    pub(crate) fn type_id(&mut self) -> Result<TypeId, ImageError> {
        self.number()?.try_into().map(TypeId).map_err(|_| misplaced())
    }

    /// One of some kinds, by its number.
    pub(crate) fn one_of<T: Copy>(&mut self, kinds: &[T]) -> Result<T, ImageError> {
        let number = self.count()?;
        kinds.get(number).copied().ok_or_else(misplaced)
    }

    pub(crate) fn text(&mut self) -> Result<String, ImageError> {
        match self.blocks.next().flatten() {
            Some(Block::Text(values)) => Ok(values),
            _ => Err(misplaced()),
        }
    }

    pub(crate) fn u32s(&mut self) -> Result<Vec<u32>, ImageError> {
        match self.blocks.next().flatten() {
            Some(Block::U32(values)) => Ok(values),
            _ => Err(misplaced()),
        }
    }

    pub(crate) fn u64s(&mut self) -> Result<Vec<u64>, ImageError> {
        match self.blocks.next().flatten() {
            Some(Block::U64(values)) => Ok(values),
            _ => Err(misplaced()),
        }
    }

    pub(crate) fn i64s(&mut self) -> Result<Vec<i64>, ImageError> {
        match self.blocks.next().flatten() {
            Some(Block::I64(values)) => Ok(values),
            _ => Err(misplaced()),
        }
    }

    pub(crate) fn shared_u32s(&mut self) -> Result<Arc<[u32]>, ImageError> {
        match self.shared()? {
            Block::SharedU32(values) => Ok(Arc::clone(values)),
            _ => Err(misplaced()),
        }
    }

    pub(crate) fn shared_i64s(&mut self) -> Result<Arc<[i64]>, ImageError> {
        match self.shared()? {
            Block::SharedI64(values) => Ok(Arc::clone(values)),
            _ => Err(misplaced()),
        }
    }

    pub(crate) fn shared_f64s(&mut self) -> Result<Arc<[f64]>, ImageError> {
        match self.shared()? {
            Block::SharedF64(values) => Ok(Arc::clone(values)),
            _ => Err(misplaced()),
        }
    }

    /// An array that may have been taken before.
    fn shared(&mut self) -> Result<&Block, ImageError> {
        let number = self.count()?;
        if number == self.arrays.len() {
            self.arrays.push(self.blocks.next().flatten().ok_or_else(misplaced)?);
        }
        self.arrays.get(number).ok_or_else(misplaced)
    }

    /// A structure that may have been taken before.
    pub(super) fn structure<T: Imaged + Send + Sync + 'static>(&mut self) -> Result<Arc<T>, ImageError> {
        if let Some(place) = self.count()?.checked_sub(1) {
            let known = self.structures.get(place).map(Arc::clone).ok_or_else(misplaced)?;
            return known.downcast().map_err(|_| misplaced());
        }
        let value = Arc::new(T::take_from(self)?);
        self.structures.push(Arc::clone(&value) as Arc<dyn Any + Send + Sync>);
        Ok(value)
    }

    /// Whether everything was taken.
    pub(super) fn finish(mut self) -> Result<(), ImageError> {
        if self.numbers.next().is_none() && self.blocks.next().is_none() { Ok(()) } else { Err(misplaced()) }
    }
}
