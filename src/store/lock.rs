//! One process at a time: a lock on a file that carries the pid of whoever holds it. The system drops the lock with
//! the process, however that ends; the file itself stays.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use super::error::StoreError;

/// The lock on a store; gone when dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing the file isn't enough: a process that another thread is just starting may still have a copy of it.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Takes the lock of the store in `dir`.
    ///
    /// # Errors
    /// [`StoreError::InUse`] with the pid of the holder; [`StoreError::NotWritable`] where the folder is read-only.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StoreError::not_writable(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The holder may be writing its pid just now: the error then goes without it.
                let _ = file.take(32).read_to_string(&mut text);
                return Err(StoreError::InUse { dir: dir.to_owned(), pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(source)) => return Err(StoreError::Io { action: "lock", path, source }),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(StoreError::not_writable(&path))?;
        Ok(Self(file))
    }
}
