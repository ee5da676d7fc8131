//! The folder of a store: what is where in it, its format, and how much room its disk has.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{error::StoreError, journal};

/// What the format file of a store of this version says.
pub(super) const FORMAT: &str = "passmuster store 1";

/// The paths within a store.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// The folder itself.
    pub(super) dir: PathBuf,
    /// The segments of the journal.
    pub(super) journal: PathBuf,
    /// sled's files.
    pub(super) index: PathBuf,
}

impl Folder {
    /// The paths within `dir`.
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), journal: dir.join("journal"), index: dir.join("index") }
    }

    /// Creates the folder where there is none.
    ///
    /// # Errors
    /// [`StoreError::NotWritable`].
    pub(super) fn create(&self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.dir).map_err(StoreError::not_writable(&self.dir))
    }

    /// Whether a store of this version is there; not where there is none at all.
    ///
    /// # Errors
    /// [`StoreError::OtherFormat`].
    pub(super) fn has_store(&self) -> Result<bool, StoreError> {
        let path = self.dir.join("format");
        let found = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).trim().chars().take(80).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.journal.exists() => {
                return Ok(false);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => "none".to_owned(),
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        if found == FORMAT {
            return Ok(true);
        }
        Err(StoreError::OtherFormat { dir: self.dir.clone(), found, expected: FORMAT })
    }

    /// Writes the format file and creates the folder of the journal, durably; the format comes first, so that a
    /// journal without one was never written by a crash.
    ///
    /// # Errors
    /// [`StoreError::NotWritable`].
    pub(super) fn begin_store(&self) -> Result<(), StoreError> {
        let fresh = self.dir.join("format.new");
        File::create(&fresh)
            .and_then(|mut file| writeln!(file, "{FORMAT}").and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&fresh, self.dir.join("format")))
            .map_err(StoreError::not_writable(&fresh))?;
        journal::sync_dir(&self.dir)
    }

    /// Creates the folder of the journal where it is missing, durably.
    ///
    /// # Errors
    /// [`StoreError::NotWritable`].
    pub(super) fn begin_journal(&self) -> Result<(), StoreError> {
        if self.journal.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.journal).map_err(StoreError::not_writable(&self.journal))?;
        journal::sync_dir(&self.dir)
    }

    /// Makes sure that `needed` bytes are free.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`].
    pub(super) fn check_room(&self, needed: u64) -> Result<(), StoreError> {
        let disk = rustix::fs::statvfs(&self.dir)
            .map_err(|error| StoreError::io("ask for the free space of", &self.dir)(error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < needed {
            return Err(StoreError::DiskFull { dir: self.dir.clone(), free, needed });
        }
        Ok(())
    }
}
