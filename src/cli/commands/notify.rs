//! `passmuster notify`: whether a channel works, before anything depends on it.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    super::{
        Exit,
        arguments::{SummaryArguments, SummaryForm},
        context::Context,
        failure::Failure,
    },
    serve::run_async,
};
use crate::{
    model::nearest,
    notify::{Attempt, ChannelKind, Client, SystemResolver},
};

/// Try out whom findings are told to
#[derive(Debug, Args)]
#[command(
    after_help = "Channels are `[[notifications]]` in passmuster.toml. `passmuster serve` tells them of findings that opened, opened again or
were resolved, and of what is no longer known.

Examples:
  passmuster notify test ops
  passmuster notify test ops -o json"
)]
pub(crate) struct NotifyArguments {
    #[command(subcommand)]
    command: NotifyCommand,
}

#[derive(Debug, Subcommand)]
enum NotifyCommand {
    /// Send a test message to a channel, once
    #[command(
        after_help = "Exit codes: 0 the channel took it, 1 it did not arrive, 3 there is no such channel, or its address or secret makes no sense.

Examples:
  passmuster notify test ops
  PASSMUSTER_OPS_SECRET=.. passmuster notify test ops"
    )]
    Test {
        /// The channel, by its name in the configuration, e.g. ops
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        summary: SummaryArguments,
    },
}

pub(crate) fn run(arguments: &NotifyArguments, context: &Context) -> Result<Exit, Failure> {
    let NotifyCommand::Test { name, summary } = &arguments.command;
    let sections = &context.config.notifications;
    let Some(section) = sections.iter().find(|section| section.name == *name) else {
        let known = sections.iter().map(|section| section.name.as_str());
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if sections.is_empty() => "write [[notifications]] in passmuster.toml".to_owned(),
            None => {
                let names: Vec<&str> = sections.iter().map(|section| section.name.as_str()).collect();
                format!("there are {}", names.join(", "))
            }
        };
        return Err(Failure::bad_input(format!("there is no channel `{name}`: {help}")));
    };
    let channel = section.channel().map_err(Failure::bad_input)?;
    let now = context.now();
    let text = "passmuster: this is a test, nothing has happened";
    let body = match channel.kind {
        ChannelKind::Slack => json!({ "text": text }),
        ChannelKind::Webhook { .. } => {
            json!({ "type": "test", "timestamp": now.to_string(), "data": { "message": text } })
        }
    };
    let id = format!("msg_test_{}", now.millis());
    let body = body.to_string();
    run_async(async {
        let client = Client::new(Arc::new(SystemResolver));
        let attempt = client.attempt(&channel, &id, &body, now).await;
        let why = match attempt {
            Attempt::Taken => None,
            Attempt::Failed { why, .. } | Attempt::Refused { why } => Some(why),
            Attempt::Lost { .. } => Some("it was lost".to_owned()),
        };
        let host = channel.target.host();
        match (summary.form, &why) {
            (SummaryForm::Json, why) => {
                let told =
                    json!({ "channel": name, "host": host, "delivered": why.is_none(), "reason": why });
                context.output.line(&told.to_string())?;
            }
            (SummaryForm::Table, None) => {
                context.output.line(&format!("{name}: `{host}` took the test message"))?
            }
            (SummaryForm::Table, Some(why)) => {
                return Err(Failure::failed(format!("{name}: the test message did not arrive: {why}")));
            }
        }
        Ok(if why.is_none() { Exit::Pass } else { Exit::Failed })
    })
}
