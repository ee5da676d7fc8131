//! A script that mends what fails a check: commands by account and region, and in comments what it is for, what it leaves
//! out and what is not known.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    check::{AssetName, Batch, Check, CheckResult, LeftOut, Part, Reason, Script},
    model::Time,
};

use super::machine::{AssetView, UnknownView};
use super::run::{VERSION, called};
use super::sheet::pretty;
use super::text::{counted, printable};

/// The most assets named in comments.
const MOST_NAMED: usize = 100;

/// What the commands of a shell script call: it stops at credentials of another account, and tells what was refused.
const FRAME: &str = r#"
# The commands of an account run with its credentials: those of the profile named in AWS_PROFILE_<account>, else those at hand.
account() {
  local profile="AWS_PROFILE_$1" found
  if [ -n "${!profile:-}" ]; then export AWS_PROFILE="${!profile}"; fi
  found="$(aws sts get-caller-identity --region="$2" --query Account --output text)"
  if [ "$found" != "$1" ]; then
    printf 'these credentials are of account %s, not %s: name a profile in %s\n' "$found" "$1" "$profile" >&2
    exit 1
  fi
}

refused=0
not_done() {
  if [ -n "$1" ] && [ "$1" != None ]; then
    printf 'not done: %s\n' "$1" >&2
    refused=1
  fi
}

# Whether AWS refused nothing; what it did is told.
all_done() { not_done "$1"; [ -z "$1" ] || [ "$1" = None ]; }

# Whether one of several words is another.
has_word() {
  local word
  for word in $1; do if [ "$word" = "$2" ]; then return 0; fi; done
  return 1
}

by_hand() { printf 'by hand: %s\n' "$*" >&2; }
"#;

/// A script for one check, and what it was made from.
#[derive(Clone, Copy, Debug)]
pub struct Remedy<'a> {
    /// The check.
    pub check: &'a Check,
    /// What it says.
    pub result: &'a CheckResult,
    /// What was asked for.
    pub part: Part,
    /// The commands.
    pub script: &'a Script,
    /// Assets that fail and are excepted.
    pub excepted: &'a [AssetName],
    /// When the verdict was made.
    pub now: Time,
}

/// The script as a file; empty where nothing is to be done.
#[must_use]
pub fn remedy_script(remedy: &Remedy<'_>) -> String {
    let Remedy { check, result, part, script, excepted, now } = *remedy;
    if script.batches.is_empty() {
        return String::new();
    }
    let covers = &check.covers_name;
    let mut text = String::new();
    let mut line = |comment: &str| {
        let _ = writeln!(text, "{}", format!("# {}", printable(comment)).trim_end());
    };
    let accounts: std::collections::BTreeSet<&str> =
        script.batches.iter().map(|batch| batch.account_id.as_str()).collect();
    let mended: usize = script.batches.iter().map(|batch| batch.assets.len()).sum();
    line(&format!("{}: {}", check.id, check.title));
    line(&format!(
        "{} of {}, as of {now}; written by passmuster {VERSION}. Read it before you run it.",
        counted(mended as u64, covers),
        counted(accounts.len() as u64, "Account"),
    ));
    if script.is_incomplete {
        line(
            "Not all of what relates to them was collected: there may be more to mend than is written here.",
        );
    }
    let left_out = script.left_out.iter().map(|LeftOut { asset, reason }| (asset, reason.clone()));
    named("Left out", covers, left_out, &mut line);
    named("Excepted, so not touched", covers, excepted.iter().map(|asset| (asset, String::new())), &mut line);
    let unknown = result.unknown.iter().map(|unknown| {
        let why: Vec<String> = unknown.reasons.iter().map(Reason::to_string).collect();
        (&*unknown.asset, why.join("; "))
    });
    named("Not known, so not touched", covers, unknown, &mut line);
    for reason in &result.unknown_coverage {
        line(&format!("There may be more than were seen: {reason}"));
    }
    if part.is_shell() {
        text = format!("#!/usr/bin/env bash\n{text}set -euo pipefail\n{FRAME}");
    }
    let mut last = None;
    for Batch { account_id, region, assets, text: commands } in &script.batches {
        let heading =
            format!("account {account_id}, region {region}: {}", counted(assets.len() as u64, covers));
        let _ = writeln!(text, "\n# {}", printable(&heading));
        if part.is_shell() && last != Some(account_id) {
            let region = if region == "global" { "us-east-1" } else { region };
            let _ = writeln!(text, "account {} {}", quoted(account_id), quoted(region));
        }
        text.push_str(commands);
        last = Some(account_id);
    }
    if part.is_shell() {
        text.push_str("\nexit \"$refused\"\n");
    }
    text
}

/// A word of the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Assets in comments, with what is to be said of each.
fn named<'a>(
    what: &str,
    covers: &str,
    assets: impl ExactSizeIterator<Item = (&'a AssetName, String)>,
    line: &mut dyn FnMut(&str),
) {
    let total = assets.len();
    if total == 0 {
        return;
    }
    line(&format!("{what}: {}", counted(total as u64, covers)));
    for (asset, why) in assets.take(MOST_NAMED) {
        let place = [&asset.account_id, &asset.region].map(|part| part.as_deref().unwrap_or("–")).join(" ");
        let why = if why.is_empty() { why } else { format!(": {why}") };
        line(&format!("  {place} {}{why}", called(asset)));
    }
    if total > MOST_NAMED {
        line(&format!("  and {} more: -o json names all", total - MOST_NAMED));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemedyView<'a> {
    check: &'a str,
    at: String,
    format: &'a str,
    batches: Vec<BatchView<'a>>,
    left_out: Vec<LeftOutView<'a>>,
    excepted: Vec<AssetView<'a>>,
    unknown: Vec<UnknownView<'a>>,
    is_incomplete: bool,
    script: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchView<'a> {
    account_id: &'a str,
    region: &'a str,
    assets: Vec<AssetView<'a>>,
    commands: &'a str,
}

#[derive(Serialize)]
struct LeftOutView<'a> {
    #[serde(flatten)]
    asset: AssetView<'a>,
    reason: &'a str,
}

/// The same for machines, ending with a newline.
#[must_use]
pub fn remedy_json(remedy: &Remedy<'_>) -> String {
    let batches = remedy.script.batches.iter().map(|batch| BatchView {
        account_id: &batch.account_id,
        region: &batch.region,
        assets: batch.assets.iter().map(AssetView::of).collect(),
        commands: &batch.text,
    });
    let left_out = remedy.script.left_out.iter();
    pretty(&RemedyView {
        check: &remedy.check.id,
        at: remedy.now.to_string(),
        format: remedy.part.as_str(),
        batches: batches.collect(),
        left_out: left_out
            .map(|left| LeftOutView { asset: AssetView::of(&left.asset), reason: &left.reason })
            .collect(),
        excepted: remedy.excepted.iter().map(AssetView::of).collect(),
        unknown: remedy.result.unknown.iter().map(UnknownView::of).collect(),
        is_incomplete: remedy.script.is_incomplete,
        script: remedy_script(remedy),
    })
}
