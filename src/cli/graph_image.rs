//! The image of a store's newest graph: whether one may be answered from, and when one is written. It is of one
//! revision of the store, one catalog and one version of the program; anything else is as good as none.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{failure::chain, graph_holder::Present, late_store::LateStore};
use crate::{
    catalog::Catalog,
    graph::{Graph, Image, ImageError, ImageSource},
    store::Revision,
};

/// How many commits a server takes before it writes its graph again: those that a start after a kill has to read.
const COMMITS_PER_IMAGE: u64 = 256;

/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// An image in a file.
struct InFile(File);

impl ImageSource for InFile {
    fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|file| file.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

/// What an image is of, beside the graph: the program and the catalog first, then the revision.
fn stamp(catalog: &Catalog, revision: Revision) -> Vec<u8> {
    let mut stamp = maker(catalog).to_vec();
    stamp.extend_from_slice(&revision.sequence.to_le_bytes());
    stamp.extend_from_slice(&revision.hash);
    stamp
}

fn maker(catalog: &Catalog) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes()).update(&[0]).update(&catalog.fingerprint());
    *hasher.finalize().as_bytes()
}

/// The graph of a store from its image, and what of the store it shows: its state when it was taken, or an earlier one
/// of this store or another. Nothing where there is none that could be of use; a note says so where there is one that is
/// damaged.
pub(crate) fn load(catalog: &Arc<Catalog>, store: &LateStore) -> Option<Present> {
    let file = match store.image().open() {
        Ok(file) => InFile(file?),
        Err(error) => {
            store.note(&chain(&error));
            return None;
        }
    };
    match read(catalog, store.revision(), &file) {
        Ok(read) => read.map(|(graph, revision)| Present {
            graph: Arc::new(graph),
            revision: Some(revision),
            is_from_image: true,
        }),
        Err(error) => {
            store.note(&format!(
                "the image of its graph is not used, the graph is built from the store: {}",
                chain(&error)
            ));
            None
        }
    }
}

fn read(
    catalog: &Arc<Catalog>,
    wanted: Revision,
    file: &InFile,
) -> Result<Option<(Graph, Revision)>, ImageError> {
    let image = Image::open(file)?;
    let Some(revision) = image.stamp().strip_prefix(&maker(catalog)).and_then(read_revision) else {
        // Another schema is nothing to be told about: whoever gives one knows.
        tracing::info!("the image of the graph is of another schema or version");
        return Ok(None);
    };
    if revision.sequence > wanted.sequence || (revision.sequence == wanted.sequence && revision != wanted) {
        tracing::info!(sequence = revision.sequence, "the image of the graph is of another store");
        return Ok(None);
    }
    Ok(Some((image.into_graph(Arc::clone(catalog))?, revision)))
}

fn read_revision(stamp: &[u8]) -> Option<Revision> {
    let (sequence, hash) = stamp.split_first_chunk::<8>()?;
    Some(Revision { sequence: u64::from_le_bytes(*sequence), hash: hash.try_into().ok()? })
}

/// Writes the image of a store's graph, now and then.
#[derive(Debug)]
pub(crate) struct ImageKeeper {
    store: Arc<LateStore>,
    /// The commit that the image shows.
    written: AtomicU64,
    /// One at a time.
    writing: Mutex<()>,
}

impl ImageKeeper {
    /// `first` is the graph that the process begins with.
    pub(crate) fn new(store: Arc<LateStore>, first: &Present) -> Self {
        let written =
            first.revision.filter(|_| first.is_from_image).map_or(u64::MAX, |revision| revision.sequence);
        Self { store, written: AtomicU64::new(written), writing: Mutex::default() }
    }

    /// Writes the image of a graph that is far enough ahead of the one in the file.
    pub(crate) fn follow(&self, present: &Present) {
        self.write_if(present, |written, sequence| {
            written == u64::MAX || sequence.saturating_sub(written) >= COMMITS_PER_IMAGE
        });
    }

    /// Writes the image of a graph unless it is the one in the file.
    pub(crate) fn finish(&self, present: &Present) {
        self.write_if(present, |written, sequence| written != sequence);
    }

    fn write_if(&self, present: &Present, is_due: impl Fn(u64, u64) -> bool) {
        let Some(revision) = present.revision else { return };
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_due(self.written.load(Ordering::Acquire), revision.sequence) {
            return;
        }
        // Whether it succeeds or not, it isn't tried again at once.
        self.written.store(revision.sequence, Ordering::Release);
        let image = present.graph.image(&stamp(present.graph.catalog(), revision));
        let written = self.store.image().replace(image.bytes(), |file| {
            let mut out = BufWriter::with_capacity(BUFFER, file);
            image.write(&mut out)?;
            out.flush()
        });
        match written {
            Ok(()) => {
                tracing::info!(bytes = image.bytes(), sequence = revision.sequence, "wrote the graph's image")
            }
            Err(error) => self.store.note(&format!(
                "the image of its graph was not written, the next start takes longer: {}",
                chain(&error)
            )),
        }
    }
}
