//! `passmuster.toml`: where it is looked for, and its sections, one file each. What stands on the command line or in a
//! `PASSMUSTER_*` variable goes before it.
//!
//! To add a section: a file with its keys and a `read`, its name in [`SECTIONS`], a field of [`Config`]; and the keys
//! in `docs/configuration.md`, which a test holds against them.

mod accounts;
mod collect;
mod computed;
mod error;
mod notifications;
mod organization;
mod reader;
mod schedule;
mod server;
mod store;

use std::path::{Path, PathBuf};

use super::{failure::Failure, place};
use crate::collect::{AccountOptions, CollectOptions, OrganizationOptions};
use collect::CollectSection;
use computed::ComputedSection;
pub(crate) use error::ConfigError;
use notifications::ChannelSection;
use reader::{Reader, parse};
pub(crate) use schedule::REQUESTED;
use schedule::ScheduleSection;
use server::ServerSection;
use store::StoreSection;

/// The file that is read where none is named.
const FILE: &str = "passmuster.toml";

/// The names of all sections.
const SECTIONS: &[&str] =
    &["accounts", "collect", "computed", "notifications", "organization", "schedule", "server", "store"];

/// What the file says, understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// Where things are kept.
    pub(crate) store: StoreSection,
    /// What is collected, and how patiently.
    collect: CollectSection,
    /// The accounts that are named.
    accounts: Vec<AccountOptions>,
    /// Which accounts of the organisation, if it is to be asked.
    organization: Option<OrganizationOptions>,
    /// Other filters for computed fields of the schema.
    pub(crate) computed: ComputedSection,
    /// What a server does by itself.
    pub(crate) schedule: ScheduleSection,
    /// Where a server listens, and whom it hears.
    pub(crate) server: ServerSection,
    /// Whom it tells.
    pub(crate) notifications: Vec<ChannelSection>,
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

    /// The options of a collection for which nothing else is said.
    pub(crate) fn collect_options(&self) -> CollectOptions {
        CollectOptions {
            accounts: self.accounts.clone(),
            organization: self.organization.clone(),
            ..self.collect.options()
        }
    }

    /// Understands a text; every mistake in it is told, in its order.
    fn read(file: &Path, text: &str) -> Result<Self, Vec<ConfigError>> {
        let document = parse(text).map_err(|error| vec![error])?;
        // Paths in the file are meant from where it stands.
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut reader = Reader::new(folder);
        let root = reader.open("", document.get_ref(), SECTIONS);
        let config = Self {
            store: store::read(&mut reader, &root),
            collect: collect::read(&mut reader, &root),
            accounts: accounts::read(&mut reader, &root),
            computed: computed::read(&mut reader, &root, (file, text)),
            organization: organization::read(&mut reader, &root),
            schedule: schedule::read(&mut reader, &root),
            server: server::read(&mut reader, &root),
            notifications: notifications::read(&mut reader, &root),
        };
        reader.finish(config)
    }
}
