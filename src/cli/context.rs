//! What commands share: the global arguments, the streams, the clock, and how schema, checks, store and graph are
//! opened.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Exit,
    arguments::CommonArguments,
    config::{Config, ConfigError},
    failure::Failure,
    graph_holder::Present,
    graph_image::{self, ImageKeeper},
    late_store::LateStore,
    output::Output,
    past_graphs::PastGraphs,
    place,
    refresh::refreshed,
};
use crate::{
    catalog::{Catalog, RulesRefused, Source, shipped, with_rules},
    check::{self, Check, Framework, Sources},
    graph::{Graph, GraphBuilder, GraphError},
    import::{ImportLimits, read_file_rows},
    model::{Asset, Clock, SystemClock, Time, is_ledger_type},
    query::{Engine, GuardLimits, Request},
    report::Style,
    store::{Revision, SEEN_FIELDS, Store, StoreError},
};

/// What a command is run with.
#[derive(Debug)]
pub(crate) struct Context {
    /// What holds for every command.
    pub(crate) common: Common,
    /// The configuration file.
    pub(crate) config: Config,
    /// The streams.
    pub(crate) output: Arc<Output>,
    /// The clock of the process.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the command line and the environment say for every command, else the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// The folder of the store.
    pub(crate) store: PathBuf,
    /// The folder of the schema, unless it is the embedded one.
    pub(crate) schema: Option<PathBuf>,
    /// The folder of checks, unless they are the embedded ones.
    pub(crate) queries: Option<PathBuf>,
}

/// Where the store is unless somebody says otherwise.
const STORE: &str = ".passmuster/store";

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
    pub(crate) fn new(arguments: CommonArguments, config: Config, output: Arc<Output>) -> Self {
        let store = arguments.store.or_else(|| config.store.path.clone());
        let common = Common {
            store: store.unwrap_or_else(|| PathBuf::from(STORE)),
            schema: arguments.schema,
            queries: arguments.queries,
        };
        Self { common, config, output, clock: Arc::new(SystemClock) }
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

    /// The files of the schema: `--schema`, or the embedded ones; with the filters that the configuration has for
    /// computed fields in the place of theirs.
    pub(crate) fn schema_sources(&self) -> Result<Vec<Source>, Failure> {
        let sources = match &self.common.schema {
            Some(folder) => read_schema(folder)?,
            None => shipped(),
        };
        with_rules(&sources, self.config.computed.rules()).map_err(|refused| match refused {
            RulesRefused::Schema(errors) => Failure::snippets(place::of_schema(&errors)),
            RulesRefused::Rules(errors) => self.refuse_rules(&self.config.computed.misfits(&errors)),
        })
    }

    /// Notes values that the keys of a rule's filter don't take, which nobody knows before it is planned.
    fn check_rules(&self, engine: &Engine) -> Result<(), Failure> {
        let mut errors = Vec::new();
        for (index, rule) in self.config.computed.rules().iter().enumerate() {
            let Some((_, definition)) = engine.catalog().find(&rule.type_name) else { continue };
            let query = format!("{{{}(where: {{{}: true}}) {{id}}}}", definition.plural, rule.field);
            for error in engine.plan(&Request::new(query)).err().into_iter().flatten() {
                errors.push(self.config.computed.refuse_filter(index, &error));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(self.refuse_rules(&errors)) }
    }

    fn refuse_rules(&self, errors: &[ConfigError]) -> Failure {
        let (file, text) = self.config.computed.file();
        Failure::snippets(place::of_config(file, text, errors))
    }

    /// Reads the schema: `--schema`, or the embedded one.
    pub(crate) fn catalog(&self) -> Result<Arc<Catalog>, Failure> {
        let sources = self.schema_sources()?;
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
        self.check_rules(&engine)?;
        Ok(Tools { catalog, sources: Arc::new(sources), engine: Arc::new(engine) })
    }

    /// Opens the store, or makes one. What had to be repaired is said on stderr.
    pub(crate) fn open_store(&self, folder: &Path) -> Result<Arc<Store>, Failure> {
        self.take_store(folder)?.get()
    }

    /// The same, but its index is opened when it is asked for.
    pub(crate) fn take_store(&self, folder: &Path) -> Result<Arc<LateStore>, Failure> {
        LateStore::begin(folder, Arc::clone(&self.output)).map(Arc::new)
    }

    /// Opens a store that must be there already: reading must not leave an empty one behind.
    pub(crate) fn open_existing_store(&self) -> Result<Arc<Store>, Failure> {
        self.take_existing_store()?.get()
    }

    /// The same, but its index is opened when it is asked for.
    pub(crate) fn take_existing_store(&self) -> Result<Arc<LateStore>, Failure> {
        self.take_store(self.existing_folder()?)
    }

    /// The folder of a store that must be there already.
    pub(crate) fn existing_folder(&self) -> Result<&Path, Failure> {
        let folder = &self.common.store;
        if !folder.is_dir() {
            let message = format!(
                "there is no store in `{}`: run `passmuster collect` or `passmuster import FILE` first, say where \
                 it is with --store, or read a file with --data",
                folder.display()
            );
            return Err(Failure::bad_input(message));
        }
        Ok(folder)
    }

    /// The graph of a file, or of the store.
    pub(crate) fn graph(&self, catalog: &Arc<Catalog>, data: Option<&Path>) -> Result<Arc<Graph>, Failure> {
        let inventory = self.inventory(data)?;
        let present = inventory.present(catalog, self.now())?;
        inventory.keep(&present);
        Ok(present.graph)
    }

    /// A file, or the store.
    pub(crate) fn inventory(&self, data: Option<&Path>) -> Result<Inventory, Failure> {
        match data {
            Some(file) => Ok(Inventory::File(file.to_owned())),
            None => self.take_existing_store().map(Inventory::Store),
        }
    }
}

/// Where an inventory is read from.
#[derive(Clone, Debug)]
pub(crate) enum Inventory {
    /// A file, read once.
    File(PathBuf),
    /// A store, read again after each commit.
    Store(Arc<LateStore>),
}

impl Inventory {
    /// The graph of the present, to begin with: from the image that was kept of it where there is one.
    pub(crate) fn present(&self, catalog: &Arc<Catalog>, now: Time) -> Result<Present, Failure> {
        match self {
            Self::File(file) => graph_of_file(catalog, file, now).map(Present::of_file),
            Self::Store(late) => {
                let image = graph_image::load(catalog, late);
                if let Some(present) = &image
                    && present.revision == Some(late.revision())
                {
                    return Ok(present.clone());
                }
                let store = late.get()?;
                // One of an earlier commit is brought up to date, unless it is of another store.
                let known = |revision: Revision| {
                    store.revision_at(revision.sequence).ok().flatten() == Some(revision)
                };
                let earlier = image.filter(|present| present.revision.is_some_and(known));
                match earlier {
                    Some(earlier) => Ok(refreshed(catalog, &store, now, Some(&earlier))?.present),
                    None => graph_of_store(catalog, &store, now),
                }
            }
        }
    }

    /// Keeps an image of a graph that had to be built, for the next process.
    pub(crate) fn keep(&self, present: &Present) {
        if let Self::Store(store) = self {
            ImageKeeper::new(Arc::clone(store), present).finish(present);
        }
    }

    /// The same after something was written down: else the next process would have to open the index to take it in.
    pub(crate) fn keep_newest(
        &self,
        catalog: &Arc<Catalog>,
        before: &Present,
        now: Time,
    ) -> Result<(), Failure> {
        if let Self::Store(store) = self {
            self.keep(&refreshed(catalog, &*store.get()?, now, Some(before))?.present);
        }
        Ok(())
    }

    /// The graphs of the past, where there is one.
    pub(crate) fn past(&self, catalog: &Arc<Catalog>) -> Option<PastGraphs> {
        match self {
            Self::File(_) => None,
            Self::Store(store) => Some(PastGraphs::new(Arc::clone(catalog), Arc::clone(store))),
        }
    }
}

impl Tools {
    /// The frameworks, understood.
    pub(crate) fn frameworks(&self, checks: &[Check]) -> Result<Vec<Framework>, Failure> {
        let known = checks.iter().map(|check| check.id.clone()).collect();
        check::load_frameworks(&self.sources, &known)
            .map_err(|errors| Failure::snippets(place::of_checks(&errors)))
    }

    /// The checks, understood.
    pub(crate) fn checks(&self) -> Result<Vec<Check>, Failure> {
        check::load(&self.sources, &self.engine)
            .map_err(|errors| Failure::snippets(place::of_checks(&errors)))
    }
}

/// Builds the graph of a file of assets.
pub(crate) fn graph_of_file(catalog: &Arc<Catalog>, file: &Path, now: Time) -> Result<Graph, Failure> {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let summary = read_file_rows(file, catalog, ImportLimits::default(), &mut builder)
        .map_err(|error| Failure::input(&error))?;
    builder.finish(summary.slices, now).map_err(|error| Failure::input(&error))
}

/// Builds the graph of everything in a store, as of one commit.
pub(crate) fn graph_of_store(catalog: &Arc<Catalog>, store: &Store, now: Time) -> Result<Present, Failure> {
    let (builder, snapshot) =
        fill(catalog, |visit| store.read_snapshot(visit)).map_err(|misfit| match misfit {
            Misfit::Store(error) => Failure::program(&error),
            Misfit::Asset(error) => Failure::bad_input(format!(
                "the store holds an asset that the schema does not allow ({}): use the schema it was collected \
                 with, or collect again into another store",
                super::failure::chain(&error)
            )),
        })?;
    let graph = builder.finish(Some(snapshot.slices), now).map_err(|error| Failure::program(&error))?;
    Ok(Present { graph: Arc::new(graph), revision: Some(snapshot.revision), is_from_image: false })
}

/// Why a graph can't be filled from a store.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// The store can't be read.
    Store(StoreError),
    /// An asset does not fit the schema.
    Asset(GraphError),
}

/// What the store fills in and a type doesn't declare, by the names of types.
fn undeclared_seen_fields(catalog: &Catalog) -> BTreeMap<&str, Vec<&'static str>> {
    let types = catalog.types().iter().map(|definition| {
        let undeclared = SEEN_FIELDS.into_iter().filter(|field| definition.find(field).is_none());
        (definition.name.as_str(), undeclared.collect())
    });
    types.filter(|(_, undeclared): &(_, Vec<_>)| !undeclared.is_empty()).collect()
}

/// Takes from assets what their types don't declare of that which Passmuster itself writes: the times at which the
/// store has seen them; of what is kept and not collected, every such field, and what has no type at all.
struct Fitting<'c> {
    catalog: &'c Catalog,
    undeclared: BTreeMap<&'c str, Vec<&'static str>>,
}

impl<'c> Fitting<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, undeclared: undeclared_seen_fields(catalog) }
    }

    /// Whether the schema has the asset's type, if the asset is what Passmuster itself writes.
    fn fit(&self, asset: &mut Asset) -> bool {
        for field in self.undeclared.get(asset.typename.as_str()).into_iter().flatten() {
            asset.fields.remove(*field);
        }
        if !is_ledger_type(&asset.typename) {
            return true;
        }
        let Some((_, definition)) = self.catalog.find(&asset.typename) else { return false };
        asset.fields.retain(|name, _| definition.find(name).is_some());
        true
    }
}

/// Takes from assets what their types don't declare of that which Passmuster itself writes.
pub(crate) fn fit_to_catalog(catalog: &Catalog, assets: &mut Vec<Asset>) {
    let fitting = Fitting::new(catalog);
    assets.retain_mut(|asset| fitting.fit(asset));
}

/// Reads assets into a graph; returns what reading them returns.
pub(crate) fn fill<R>(
    catalog: &Arc<Catalog>,
    read: impl FnOnce(&mut dyn FnMut(Asset)) -> Result<R, StoreError>,
) -> Result<(GraphBuilder, R), Misfit> {
    let mut builder = GraphBuilder::new(Arc::clone(catalog));
    let mut refused = None;
    let fitting = Fitting::new(catalog);
    let beside = read(&mut |mut asset| {
        if fitting.fit(&mut asset) && refused.is_none() {
            refused = builder.push(&asset).err();
        }
    })
    .map_err(Misfit::Store)?;
    match refused {
        None => Ok((builder, beside)),
        Some(error) => Err(Misfit::Asset(error)),
    }
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
