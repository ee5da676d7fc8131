//! One file beside the journal for what was derived from the store at great cost and can be read back at little: it is
//! replaced whole, and may be deleted at any time. What it holds, and whether it is right, is for its reader to say.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{error::StoreError, folder::Folder, journal, options::StoreOptions};

const NAME: &str = "graph.image";
const UNFINISHED: &str = "graph.image.new";

/// The place of that file; it may not be there.
#[derive(Clone, Debug)]
pub struct ImageFile {
    folder: Folder,
    min_free_bytes: u64,
}

impl ImageFile {
    pub(super) fn of(folder: &Folder, options: &StoreOptions) -> Self {
        Self { folder: folder.clone(), min_free_bytes: options.min_free_bytes }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.dir.join(NAME)
    }

    /// The file, open for reading; nothing where there is none.
    ///
    /// # Errors
    /// Where there is one that can't be opened.
    pub fn open(&self) -> Result<Option<File>, StoreError> {
        open(&self.path())
    }

    /// Puts a file of `bytes` bytes, which `write` fills, in the place of the one before; what was there before stays
    /// until the disk has confirmed the new one.
    ///
    /// # Errors
    /// Where there is too little room for both at once, or a file can't be written; the file before is still there.
    pub fn replace(
        &self,
        bytes: u64,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let unfinished = self.folder.dir.join(UNFINISHED);
        // What a kill left here is space, too.
        remove(&unfinished)?;
        self.folder.check_room(self.min_free_bytes.saturating_add(bytes))?;
        let written = File::create(&unfinished)
            .and_then(|mut file| write(&mut file).and_then(|()| file.sync_data()))
            .and_then(|()| fs::rename(&unfinished, self.path()));
        if let Err(source) = written {
            // The next one to be written removes it otherwise.
            let _ = fs::remove_file(&unfinished);
            return Err(StoreError::NotWritable { path: unfinished, source });
        }
        journal::sync_dir(&self.folder.dir)
    }

    /// Removes the file, and what was left of an unfinished one.
    ///
    /// # Errors
    /// Where one is there and can't be removed.
    pub fn discard(&self) -> Result<(), StoreError> {
        remove(&self.folder.dir.join(UNFINISHED))?;
        remove(&self.path())
    }
}

/// How many bytes the file of a store has; nothing where there is none.
pub(super) fn bytes(folder: &Folder) -> Option<u64> {
    fs::metadata(folder.dir.join(NAME)).ok().map(|file| file.len())
}

fn open(path: &Path) -> Result<Option<File>, StoreError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("open", path)(error)),
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
