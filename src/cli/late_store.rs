//! A store whose index is opened when somebody asks for it: what the newest graph answers needs the journal's end alone,
//! which says what the store holds.

use std::{
    mem,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::{failure::Failure, output::Output};
use crate::store::{ImageFile, Opening, Revision, Store, StoreError, StoreOptions};

/// A store, open or about to be.
#[derive(Debug)]
pub(crate) struct LateStore {
    revision: Revision,
    image: ImageFile,
    output: Arc<Output>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Begun(Box<Opening>),
    Open(Arc<Store>),
    /// Why it can't be opened.
    Failed(String),
}

impl LateStore {
    /// Takes the store in a folder, or makes one there. What has to be repaired is said on stderr.
    pub(crate) fn begin(folder: &Path, output: Arc<Output>) -> Result<Self, Failure> {
        Self::try_begin(folder, output).map_err(|error| Failure::program(&error))
    }

    /// The same, for one who goes on where another process holds the store.
    pub(crate) fn try_begin(folder: &Path, output: Arc<Output>) -> Result<Self, StoreError> {
        let opening = Opening::begin(folder, &StoreOptions::default())?;
        Ok(Self {
            revision: opening.revision(),
            image: opening.image(),
            output,
            state: Mutex::new(State::Begun(Box::new(opening))),
        })
    }

    /// What the store held when it was taken.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Where the image of its graph is kept.
    pub(crate) fn image(&self) -> &ImageFile {
        &self.image
    }

    /// What concerns the store, on stderr.
    pub(crate) fn note(&self, note: &str) {
        self.output.note(&format!("store: {note}"));
    }

    /// The store; whoever asks first opens its index, which takes as long as reading all of it, and the others wait.
    pub(crate) fn get(&self) -> Result<Arc<Store>, Failure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What stands in between is seen by nobody, unless opening panics.
        let (next, outcome) =
            match mem::replace(&mut *state, State::Failed("it could not be opened".to_owned())) {
                State::Begun(opening) => match opening.finish() {
                    Ok(opened) => {
                        opened.notes.iter().for_each(|note| self.note(note));
                        let store = Arc::new(opened.store);
                        (State::Open(Arc::clone(&store)), Ok(store))
                    }
                    Err(error) => {
                        (State::Failed(super::failure::chain(&error)), Err(Failure::program(&error)))
                    }
                },
                State::Open(store) => (State::Open(Arc::clone(&store)), Ok(store)),
                State::Failed(reason) => (State::Failed(reason.clone()), Err(Failure::failed(reason))),
            };
        *state = next;
        outcome
    }
}
