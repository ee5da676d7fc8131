//! What commands share: the global arguments, the streams, the clock, and how schema, checks, store and graph are
//! opened.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Exit, arguments::Common, failure::Failure, output::Output, place};
use crate::{
    catalog::{Catalog, Source, shipped},
    check::{self, Check, Sources},
    graph::{Graph, GraphBuilder},
    import::{ImportLimits, read_file},
    model::{Clock, SystemClock, Time},
    query::{Engine, GuardLimits},
    report::Style,
    store::{Store, StoreError, StoreOptions},
};

/// What a command is run with.
#[derive(Debug)]
pub(crate) struct Context {
    /// The global arguments.
    pub(crate) common: Common,
    /// The streams.
    pub(crate) output: Output,
    /// The clock of the process.
    pub(crate) clock: Arc<dyn Clock>,
}

/// The schema, the checks and the engine over them.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    /// The types.
    pub(crate) catalog: Arc<Catalog>,
    /// The checks and fragments, not understood yet.
    pub(crate) sources: Arc<Sources>,
    /// What answers queries.
    pub(crate) engine: Arc<Engine>,
}

impl Context {
    pub(crate) fn new(common: Common, output: Output) -> Self {
        Self { common, output, clock: Arc::new(SystemClock) }
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// How tables are drawn.
    pub(crate) fn style(&self) -> Style {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        let width = size.map(|(width, _)| width.0);
        Style { width, colour: self.output.stdout_color }
    }

    /// Reads the schema: `--schema`, or the embedded one.
    pub(crate) fn catalog(&self) -> Result<Arc<Catalog>, Failure> {
        let sources = match &self.common.schema {
            Some(folder) => read_schema(folder)?,
            None => shipped(),
        };
        let catalog =
            Catalog::read(&sources).map_err(|errors| Failure::snippets(place::of_schema(&errors)))?;
        Ok(Arc::new(catalog))
    }

    /// Reads the schema and the checks.
    pub(crate) fn tools(&self) -> Result<Tools, Failure> {
        self.tools_of(self.common.queries.as_deref())
    }

    /// The same with another folder of checks.
    pub(crate) fn tools_of(&self, queries: Option<&Path>) -> Result<Tools, Failure> {
        let catalog = self.catalog()?;
        let sources = match queries {
            Some(folder) => {
                Sources::read(folder).map_err(|errors| Failure::snippets(place::of_checks(&errors)))?
            }
            None => check::shipped(),
        };
        let engine = Engine::new(Arc::clone(&catalog), sources.fragments().clone(), GuardLimits::default())
            .map_err(|error| Failure::input(&error))?;
        Ok(Tools { catalog, sources: Arc::new(sources), engine: Arc::new(engine) })
    }

    /// Opens the store, or makes one. What had to be repaired is said on stderr.
    pub(crate) fn open_store(&self, folder: &Path) -> Result<Arc<Store>, Failure> {
        let opened =
            Store::open(folder, &StoreOptions::default()).map_err(|error| Failure::program(&error))?;
        for note in opened.notes {
            self.output.note(&format!("store: {note}"));
        }
        Ok(Arc::new(opened.store))
    }

    /// Opens a store that must be there already: reading must not leave an empty one behind.
    pub(crate) fn open_existing_store(&self) -> Result<Arc<Store>, Failure> {
        let folder = &self.common.store;
        if !folder.is_dir() {
            let message = format!(
                "there is no store in `{}`: run `passmuster collect` or `passmuster import FILE` first, say where \
                 it is with --store, or read a file with --data",
                folder.display()
            );
            return Err(Failure::bad_input(message));
        }
        self.open_store(folder)
    }

    /// The graph of a file, or of the store.
    pub(crate) fn graph(&self, catalog: &Arc<Catalog>, data: Option<&Path>) -> Result<Graph, Failure> {
        match data {
            Some(file) => graph_of_file(catalog, file, self.now()),
            None => {
                let store = self.open_existing_store()?;
                graph_of_store(catalog, &store, self.now())
            }
        }
    }
}

impl Tools {
    /// The checks, understood.
    pub(crate) fn checks(&self) -> Result<Vec<Check>, Failure> {
        check::load(&self.sources, &self.engine)
            .map_err(|errors| Failure::snippets(place::of_checks(&errors)))
    }
}

/// Builds the graph of a file of assets.
pub(crate) fn graph_of_file(catalog: &Arc<Catalog>, file: &Path, now: Time) -> Result<Graph, Failure> {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let mut push = |asset| builder.push(&asset).map_err(Into::into);
    let summary = read_file(file, catalog, ImportLimits::default(), &mut push)
        .map_err(|error| Failure::input(&error))?;
    builder.finish(summary.slices, now).map_err(|error| Failure::input(&error))
}

/// Builds the graph of everything in a store, as of one commit.
pub(crate) fn graph_of_store(catalog: &Arc<Catalog>, store: &Store, now: Time) -> Result<Graph, Failure> {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let mut refused = None;
    let snapshot = store
        .read_snapshot(&mut |asset| {
            if refused.is_none() {
                refused = builder.push(&asset).err();
            }
        })
        .map_err(|error| Failure::program(&error))?;
    if let Some(error) = refused {
        let message = format!(
            "the store holds an asset that the schema does not allow ({}): use the schema it was collected with, or \
             collect again into another store",
            super::failure::chain(&error)
        );
        return Err(Failure::bad_input(message));
    }
    builder.finish(Some(snapshot.slices), now).map_err(|error| Failure::program(&error))
}

/// Every `*.graphql` of a folder, by name.
fn read_schema(folder: &Path) -> Result<Vec<Source>, Failure> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Failure::bad_input(format!("cannot read `{}`: {error}", path.display()))
    };
    #[expect(clippy::disallowed_methods, reason = "the folder is an argument of the command line")]
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "graphql") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::bad_input(format!("`{}` holds no *.graphql file", folder.display())));
    }
    files
        .into_iter()
        .map(|path| {
            #[expect(clippy::disallowed_methods, reason = "the folder is an argument of the command line")]
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            Ok(Source::new(path.display().to_string(), text))
        })
        .collect()
}

/// What the shell sees where a store fails: absence is the caller's mistake.
pub(crate) fn exit_of(error: &StoreError) -> Exit {
    if matches!(error, StoreError::Absent { .. }) { Exit::BadInput } else { Exit::Failed }
}
