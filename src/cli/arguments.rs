//! What the command line may say. Each command's own arguments stand in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{Exit, commands, context::Context, failure::Failure, output::Color};

/// Keep an inventory of cloud assets, ask it questions in GraphQL, see whether it passes muster
#[derive(Debug, Parser)]
#[command(
    name = "passmuster",
    version,
    max_term_width = 100,
    after_help = "Examples:
  passmuster demo
  passmuster collect && passmuster check
  passmuster query 'vpcs(where: {hasFlowLog: null}) { vpcId region }'

Exit codes: 0 pass, 1 the program failed, 2 assets fail a check, 3 bad input, 4 nothing fails but not all is known"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: CommonArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the help lists what holds for every command.
const EVERYWHERE: &str = "Everywhere";

/// Hold for every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct CommonArguments {
    /// Configuration, instead of ./passmuster.toml where there is one, e.g. /etc/passmuster.toml
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "PASSMUSTER_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the store, .passmuster/store unless the configuration says otherwise, e.g. /var/lib/passmuster
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR", env = "PASSMUSTER_STORE", hide_env_values = true)]
    pub(crate) store: Option<PathBuf>,
    /// Folder of *.graphql files that define the types, instead of the embedded ones, e.g. ./schema
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR", env = "PASSMUSTER_SCHEMA", hide_env_values = true)]
    pub(crate) schema: Option<PathBuf>,
    /// Folder of checks and fragments, instead of the embedded ones, e.g. ./queries
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR", env = "PASSMUSTER_QUERIES", hide_env_values = true)]
    pub(crate) queries: Option<PathBuf>,
    /// When to use colours, e.g. never
    #[arg(
        long,
        global = true, help_heading = EVERYWHERE,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub(crate) color: Color,
    /// Log more to stderr; -vv and -vvv even more
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// One form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For machines
    Json,
    /// For spreadsheets
    Csv,
    /// One JSON object a line
    Ndjson,
}

/// How a command writes its answer.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FormatArguments {
    /// Form of the answer: table, json, csv or ndjson
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        value_name = "FORM",
        default_value = "table",
        hide_possible_values = true
    )]
    pub(crate) format: Format,
}

/// One form of a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryForm {
    /// For people
    #[default]
    Table,
    /// For machines
    Json,
}

/// How a command that does something says what came of it.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct SummaryArguments {
    /// Form of the summary: table or json, e.g. json
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        value_name = "FORM",
        default_value = "table",
        hide_possible_values = true
    )]
    pub(crate) form: SummaryForm,
}

/// The commands, in the order a newcomer meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(commands::demo::DemoArguments),
    Collect(commands::collect::CollectArguments),
    Import(commands::import::ImportArguments),
    Query(commands::query::QueryArguments),
    Check(commands::check::CheckArguments),
    Checks(commands::checks::ChecksArguments),
    Findings(commands::findings::FindingsArguments),
    Except(commands::except::ExceptArguments),
    Audit(commands::audit::AuditArguments),
    Remediate(commands::remediate::RemediateArguments),
    Evidence(commands::evidence::EvidenceArguments),
    Diff(commands::diff::DiffArguments),
    Serve(commands::serve::ServeArguments),
    Schedule(commands::schedule::ScheduleArguments),
    Notify(commands::notify::NotifyArguments),
    Schema(commands::schema::SchemaArguments),
    Store(commands::store::StoreArguments),
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Demo(arguments) => commands::demo::run(&arguments, context),
            Self::Collect(arguments) => commands::collect::run(&arguments, context),
            Self::Import(arguments) => commands::import::run(&arguments, context),
            Self::Query(arguments) => commands::query::run(&arguments, context),
            Self::Check(arguments) => commands::check::run(&arguments, context),
            Self::Checks(arguments) => commands::checks::run(&arguments, context),
            Self::Findings(arguments) => commands::findings::run(&arguments, context),
            Self::Except(arguments) => commands::except::run(&arguments, context),
            Self::Audit(arguments) => commands::audit::run(&arguments, context),
            Self::Remediate(arguments) => commands::remediate::run(&arguments, context),
            Self::Evidence(arguments) => commands::evidence::run(&arguments, context),
            Self::Diff(arguments) => commands::diff::run(&arguments, context),
            Self::Serve(arguments) => commands::serve::run(arguments, context),
            Self::Schedule(arguments) => commands::schedule::run(&arguments, context),
            Self::Notify(arguments) => commands::notify::run(&arguments, context),
            Self::Schema(arguments) => commands::schema::run(&arguments, context),
            Self::Store(arguments) => commands::store::run(&arguments, context),
        }
    }
}
