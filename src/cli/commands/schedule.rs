//! `passmuster schedule`: what ran, what is due, when it runs next, and why something didn't.

use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use super::super::{
    Exit,
    arguments::{Format, FormatArguments},
    context::Context,
    failure::Failure,
    late_store::LateStore,
    server::planned,
};
use crate::{
    model::Time,
    report::{Cell, Sheet, Tone, span, thousands},
    schedule::{Job, JobName, JobOutcome, JobState, Known, Standing, read_held_jobs, read_jobs, standing},
    store::StoreError,
};

/// Show what `passmuster serve` ran, what is due, when it runs next, and why something didn't
#[derive(Debug, Args)]
#[command(
    after_help = "Jobs are collections (`[[schedule.collections]]` in passmuster.toml) and checks (`schedule` in check.yaml). They run as
long as `passmuster serve` does; what was missed meanwhile is made up for once. Where a server runs, this shows what it has
put on record; the query `scheduledJobs { id startedAt outcome note nextAt }` asks the server itself.

Examples:
  passmuster schedule
  passmuster schedule -o json"
)]
pub(crate) struct ScheduleArguments {
    #[command(flatten)]
    format: FormatArguments,
}

pub(crate) fn run(arguments: &ScheduleArguments, context: &Context) -> Result<Exit, Failure> {
    let tools = context.tools()?;
    let checks = tools.checks()?;
    let (jobs, _) = planned(&context.config, &checks, None);
    let folder = context.existing_folder()?;
    let failed = |error: StoreError| Failure::program(&error);
    // What a server holds can be read all the same: the journal is only ever appended to.
    let (known, is_held) = match LateStore::try_begin(folder, Arc::clone(&context.output)) {
        Ok(store) => (read_jobs(&*store.get()?).map_err(failed)?, false),
        Err(StoreError::InUse { .. }) => (read_held_jobs(folder).map_err(failed)?, true),
        Err(error) => return Err(failed(error)),
    };
    let sheet = sheet(&jobs, &known, is_held, context.now());
    let text = match arguments.format.format {
        Format::Json => sheet.json(),
        Format::Ndjson => sheet.ndjson(),
        Format::Csv => sheet.csv(),
        Format::Table if sheet.rows.is_empty() => {
            "nothing recurs: write [[schedule.collections]] in passmuster.toml, or `schedule` in a check\n"
                .to_owned()
        }
        Format::Table => sheet.table(context.style()),
    };
    context.output.write(text.as_bytes())?;
    Ok(Exit::Pass)
}

/// One row a job: those that recur, then those that did once or were asked for. Where another process holds the store,
/// what is said to run does run; else that process ended within it.
fn sheet(jobs: &[Job], known: &Known, is_held: bool, now: Time) -> Sheet {
    let keys = ["job", "~schedule", "state", "lastStartedAt", "outcome", "nextAt", "#missed", "~note"];
    let mut sheet = Sheet::new(&keys);
    for job in jobs {
        let fresh = JobState::known(now, &job.when);
        let state = match known.get(&job.name) {
            None => fresh,
            Some(state) if is_held && state.schedule == job.when.to_string() => state.clone(),
            Some(state) => state.taken_over(now, &job.when),
        };
        sheet.rows.push(row(
            &job.name,
            &job.when.to_string(),
            &state,
            Some(&standing(now, job, &state)),
            now,
        ));
    }
    for (name, state) in known.iter().filter(|(name, _)| jobs.iter().all(|job| job.name != **name)) {
        let state = if state.is_running() && !is_held {
            state.ended(now, JobOutcome::Interrupted, "the process ended within it")
        } else {
            state.clone()
        };
        sheet.rows.push(row(name, &state.schedule, &state, None, now));
    }
    sheet
}

fn row(
    name: &JobName,
    schedule: &str,
    state: &JobState,
    standing: Option<&Standing>,
    now: Time,
) -> Vec<Cell> {
    let (word, tone, next, waiting_for) = match standing {
        Some(Standing::Due { planned, missed, is_again }) => {
            let why = match (is_again, missed) {
                (true, _) => "its run was cut short: it is made up for once".to_owned(),
                (false, 0) => format!("due since {planned}: it runs when `passmuster serve` does"),
                (false, missed) => format!(
                    "due since {planned}, and missed {} more: it runs once when `passmuster serve` does",
                    thousands(*missed)
                ),
            };
            ("due", Tone::Unsure, Some(*planned), Some(why))
        }
        Some(Standing::Waits { until }) => ("waits", Tone::Plain, Some(*until), None),
        Some(Standing::Runs { .. }) => ("runs", Tone::Good, None, None),
        Some(Standing::Never) => ("over", Tone::Faint, None, Some("it never comes again".to_owned())),
        None if state.is_running() => ("runs", Tone::Good, None, None),
        None => ("not planned", Tone::Faint, None, None),
    };
    let moment = |time: Option<Time>| {
        let shown = time.map_or_else(
            || "–".to_owned(),
            |time| {
                if time > now {
                    format!("in {}", span(time.since(now)))
                } else {
                    format!("{} ago", span(now.since(time)))
                }
            },
        );
        Cell::new(time.map_or(Value::Null, |time| time.to_string().into())).shown_as(shown)
    };
    let outcome = match state.outcome {
        None => Cell::new(Value::Null),
        Some(outcome) => {
            let tone = if outcome == JobOutcome::Done { Tone::Good } else { Tone::Bad };
            Cell::new(outcome.as_str()).toned(tone)
        }
    };
    let notes: Vec<String> = state.note.iter().cloned().chain(waiting_for).collect();
    let note = if notes.is_empty() { Value::Null } else { notes.join("; ").into() };
    vec![
        Cell::new(name.to_string()),
        Cell::new(schedule),
        Cell::new(word).toned(tone),
        moment(state.started),
        outcome,
        moment(next),
        Cell::new(state.missed),
        Cell::new(note),
    ]
}
