//! `passmuster.toml`: where it is looked for, and its sections, one file each. What stands on the command line or in a
//! `PASSMUSTER_*` variable goes before it.
//!
//! To add a section: a file with its keys and a `read`, its name in [`SECTIONS`], a field of [`Config`]; and the keys
//! in `docs/configuration.md`, which a test holds against them.

mod collect;
mod error;
mod notifications;
mod reader;
mod schedule;
mod server;
mod store;

use std::path::{Path, PathBuf};

pub(crate) use collect::CollectSection;
pub(crate) use store::StoreSection;

use super::{failure::Failure, place};
pub(crate) use error::ConfigError;
use reader::{Reader, parse};

/// The file that is read where none is named.
const FILE: &str = "passmuster.toml";

/// The names of all sections.
const SECTIONS: &[&str] = &["collect", "store"];

/// What the file says, understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// Where things are kept.
    pub(crate) store: StoreSection,
    /// What is collected, and how patiently.
    pub(crate) collect: CollectSection,
}

impl Config {
    /// Reads the file that was named, or the one of the working folder where there is one.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let file = named.map_or_else(|| PathBuf::from(FILE), Path::to_owned);
        #[expect(clippy::disallowed_methods, reason = "the file is an argument of the command line")]
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                let message = format!("cannot read the configuration `{}`: {error}", file.display());
                return Err(Failure::bad_input(message));
            }
        };
        Self::read(&file, &text).map_err(|errors| Failure::snippets(place::of_config(&file, &text, &errors)))
    }

    /// Understands a text; every mistake in it is told, in its order.
    fn read(file: &Path, text: &str) -> Result<Self, Vec<ConfigError>> {
        let document = parse(text).map_err(|error| vec![error])?;
        // Paths in the file are meant from where it stands.
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut reader = Reader::new(folder);
        let root = reader.open("", document.get_ref(), SECTIONS);
        let config =
            Self { store: store::read(&mut reader, &root), collect: collect::read(&mut reader, &root) };
        reader.finish(config)
    }
}
