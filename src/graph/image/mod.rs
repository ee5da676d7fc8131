//! A graph as one file, which is read back at the speed of the disk: every array of every column as it stands in
//! memory, each with a checksum. An image says of what it is (a stamp, which only the caller understands) and is used
//! whole or not at all: where anything differs from what was written, reading it is an error and never a graph.

mod block;
mod reader;
mod writer;

use std::{io, sync::Arc};

pub(crate) use reader::ImageReader;
pub(crate) use writer::ImageWriter;

use super::{Graph, Table, TableId};
use crate::{catalog::Catalog, model::Time};

/// Raised whenever any structure is laid out differently; written in the byte order of the machine, so that one of
/// another order is another format.
const FORMAT: u32 = 5;

const MAGIC: [u8; 8] = *b"PMGRAPH\x01";

/// Magic, format, length of the contents and their checksum.
const HEADER_BYTES: usize = 8 + 4 + 8 + 32;

/// Where the bytes of an image are.
pub trait ImageSource: Sync {
    /// How many there are.
    ///
    /// # Errors
    /// Where the system says so.
    fn len(&self) -> io::Result<u64>;

    /// Whether there are none.
    ///
    /// # Errors
    /// Where the system says so.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills the buffer with those from a place on.
    ///
    /// # Errors
    /// Where there are too few, or the system says so.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl ImageSource for [u8] {
    fn len(&self) -> io::Result<u64> {
        Ok(<[u8]>::len(self) as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        match rest.and_then(|rest| rest.get(..buffer.len())) {
            Some(bytes) => {
                buffer.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Why an image is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It can't be read.
    #[error("it can't be read")]
    Io(#[from] io::Error),
    /// It is not an image, or another version or kind of machine wrote it.
    #[error("it was written by another version")]
    OtherFormat,
    /// It isn't as it was written.
    #[error("it is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
}

impl ImageError {
    fn damaged(what: &'static str) -> Self {
        Self::Damaged { what }
    }
}

/// Something that an image holds: what it puts in, it takes out again in the same order.
pub(crate) trait Imaged: Sized {
    /// Appends it.
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>);

    /// Takes it out.
    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError>;
}

impl<T: Imaged> Imaged for Vec<T> {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        image.count(self.len());
        for item in self {
            item.put(image);
        }
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        let count = image.count()?;
        let mut items = Self::new();
        for _ in 0..count {
            items.push(T::take_from(image)?);
        }
        Ok(items)
    }
}

/// What is shared in memory is written once, and shared again when it is read.
impl<T: Imaged + Send + Sync + 'static> Imaged for Arc<T> {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        image.structure(self.as_ref());
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        image.structure()
    }
}

impl<T: Imaged> Imaged for Option<T> {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        image.flag(self.is_some());
        if let Some(value) = self {
            value.put(image);
        }
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        if image.flag()? { T::take_from(image).map(Some) } else { Ok(None) }
    }
}

/// An image whose beginning has been read and is right; what it holds has not.
#[derive(Debug)]
pub struct Image<'s, S: ?Sized> {
    source: &'s S,
    contents: reader::Contents,
}

impl<'s, S: ImageSource + ?Sized> Image<'s, S> {
    /// Reads the beginning of an image.
    ///
    /// # Errors
    /// [`ImageError`].
    pub fn open(source: &'s S) -> Result<Self, ImageError> {
        Ok(Self { source, contents: reader::Contents::read(source)? })
    }

    /// What it was written with.
    #[must_use]
    pub fn stamp(&self) -> &[u8] {
        &self.contents.stamp
    }

    /// The graph, of the very catalog that it was written with (which is the caller's to know, from the stamp).
    ///
    /// # Errors
    /// [`ImageError`]: the graph is whole or there is none.
    pub fn into_graph(self, catalog: Arc<Catalog>) -> Result<Graph, ImageError> {
        let mut reader = self.contents.load(self.source)?;
        let graph = Graph::take_from(catalog, &mut reader)?;
        reader.finish()?;
        Ok(graph)
    }
}

impl Graph {
    /// The graph as an image, ready to be written; `stamp` is whatever tells its reader of what it is.
    #[must_use]
    pub fn image(&self, stamp: &[u8]) -> GraphImage<'_> {
        let mut writer = ImageWriter::default();
        self.put(&mut writer);
        GraphImage { head: writer.head(stamp), writer }
    }
}

/// An image that is about to be written.
#[derive(Debug)]
pub struct GraphImage<'g> {
    head: Vec<u8>,
    writer: ImageWriter<'g>,
}

impl GraphImage<'_> {
    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.head.len() as u64 + self.writer.bytes()
    }

    /// Writes it.
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(&self.head)?;
        self.writer.write(out)
    }
}

impl Graph {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        // The catalog is the reader's to bring.
        let Self { catalog: _, tables, by_type, slices, built_at } = self;
        image.count(tables.len());
        tables.iter().for_each(|table| Table::put(table, image));
        image.count(by_type.len());
        for table in by_type {
            image.count(table.map_or(tables.len(), |table| table.0));
        }
        slices.put(image);
        image.made_i64s(&[built_at.millis()]);
    }

    fn take_from(catalog: Arc<Catalog>, image: &mut ImageReader) -> Result<Self, ImageError> {
        let tables: Vec<Table> = Vec::take_from(image)?;
        let by_type = (0..image.count()?)
            .map(|_| image.count().map(|place| (place < tables.len()).then_some(TableId(place))))
            .collect::<Result<Vec<_>, _>>()?;
        let slices = Option::take_from(image)?;
        let built_at = image.i64s()?.first().copied().and_then(Time::from_millis);
        let built_at = built_at.ok_or(ImageError::OtherFormat)?;
        // What the rest of the room takes for granted.
        let fits = |table: &Table| {
            let fields = catalog.types().get(table.of.0 as usize).map(|definition| definition.fields.len());
            let mut links = table.columns.iter().flat_map(|column| column.links());
            fields == Some(table.columns.len()) && links.all(|link| link.table.0 < tables.len())
        };
        if by_type.len() != catalog.types().len() || !tables.iter().all(fits) {
            return Err(ImageError::OtherFormat);
        }
        let tables = tables.into_iter().map(Arc::new).collect();
        Ok(Self { catalog, tables, by_type, slices, built_at })
    }
}
