//! What lies between two moments, for people and for machines: what appeared, changed and vanished, and where that
//! can't be told because something was not collected.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;
use serde_json::Value;

use super::{
    sheet::pretty,
    text::{counted, noun, printable, shortened, thousands},
};
use crate::model::{Asset, Change, FieldChange, FieldValue, SliceKey, SliceState, Time, field_changes};

/// The longest value that people are shown, in characters.
const LONGEST_VALUE: usize = 80;

/// Two moments, and what lies between them.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The earlier moment.
    pub from: Time,
    /// The later one.
    pub to: Time,
    /// Sorted by type and id.
    pub changes: Vec<Change>,
    /// Where it can't be told.
    pub unseen: Unseen,
}

/// Slices that keep a comparison from telling everything; each list sorted.
#[derive(Clone, Debug, Default)]
pub struct Unseen {
    /// Not complete at the earlier moment.
    pub before: Vec<SliceState>,
    /// Not complete at the later moment.
    pub after: Vec<SliceState>,
    /// Complete for the first time between the two, and not empty: what is listed there appeared, however old it is.
    pub first_complete: Vec<SliceState>,
}

impl Unseen {
    /// What the slices of two moments hide, of those that `matters`.
    #[must_use]
    pub fn between(before: &[SliceState], after: &[SliceState], matters: impl Fn(&SliceKey) -> bool) -> Self {
        let incomplete = |slices: &[SliceState]| -> Vec<SliceState> {
            let missing = slices.iter().filter(|slice| matters(&slice.key) && !slice.is_complete_since(None));
            missing.cloned().collect()
        };
        let was_complete: BTreeMap<&SliceKey, bool> =
            before.iter().map(|slice| (&slice.key, slice.completed_at.is_some())).collect();
        let is_first = |slice: &&SliceState| {
            let is_new = slice.completed_at.is_some() && was_complete.get(&slice.key) != Some(&true);
            is_new && slice.assets > 0 && matters(&slice.key)
        };
        Self {
            before: incomplete(before),
            after: incomplete(after),
            first_complete: after.iter().filter(is_first).cloned().collect(),
        }
    }
}

/// How many assets appeared, changed and vanished.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    appeared: u64,
    changed: u64,
    vanished: u64,
}

impl Comparison {
    fn counts(&self) -> Counts {
        self.changes.iter().fold(Counts::default(), |mut counts, change| {
            match change {
                Change::Appeared(_) => counts.appeared += 1,
                Change::Changed { .. } => counts.changed += 1,
                Change::Vanished(_) => counts.vanished += 1,
            }
            counts
        })
    }

    /// For people: a line an asset, below it a line for each field that changed; ends with a newline.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            match change {
                Change::Appeared(asset) => push_asset(&mut text, "appeared", asset),
                Change::Vanished(asset) => push_asset(&mut text, "vanished", asset),
                Change::Changed { before, after } => {
                    push_asset(&mut text, "changed", after);
                    for field in field_changes(before, after) {
                        let (before, after) = (shown(&field.before), shown(&field.after));
                        let _ = writeln!(text, "            {}: {before} → {after}", printable(&field.field));
                    }
                }
            }
        }
        let Counts { appeared, changed, vanished } = self.counts();
        if !self.changes.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "{} appeared, {} changed, {} vanished from {} to {}",
            thousands(appeared),
            thousands(changed),
            thousands(vanished),
            self.from,
            self.to
        );
        text
    }

    /// For people: where it can't be told, one line each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let place = |slice: &SliceState| {
            let SliceKey { account_id, region, asset_type } = &slice.key;
            format!("{} of {} in {}", noun(asset_type, 2), printable(account_id), printable(region))
        };
        let reason = |slice: &SliceState| match &slice.reason {
            Some(reason) => format!("{} ({})", slice.outcome.word(), printable(reason)),
            None => slice.outcome.word().to_owned(),
        };
        let first = self.unseen.first_complete.iter().map(|slice| {
            let held = counted(slice.assets, &slice.key.asset_type);
            format!(
                "! {} were first seen whole after {} ({held}): what appeared there may be older",
                place(slice),
                self.from
            )
        });
        let at = |slice: &SliceState, moment: Time| {
            format!("! {} were not fully known at {moment}: {}", place(slice), reason(slice))
        };
        let before = self.unseen.before.iter().map(|slice| at(slice, self.from));
        let after = self.unseen.after.iter().map(|slice| at(slice, self.to));
        before.chain(after).chain(first).collect()
    }

    /// For machines; ends with a newline. Assets in their NDJSON form, slices as an answer's `extensions.incomplete`
    /// shows them.
    #[must_use]
    pub fn json(&self, slice_to_json: impl Fn(&SliceState) -> Value) -> String {
        let mut view = ComparisonView {
            from: self.from.to_string(),
            to: self.to.to_string(),
            appeared: Vec::new(),
            changed: Vec::new(),
            vanished: Vec::new(),
            incomplete_before: self.unseen.before.iter().map(&slice_to_json).collect(),
            incomplete_after: self.unseen.after.iter().map(&slice_to_json).collect(),
            first_complete: self.unseen.first_complete.iter().map(&slice_to_json).collect(),
        };
        for change in &self.changes {
            match change {
                Change::Appeared(asset) => view.appeared.push(asset.to_json()),
                Change::Vanished(asset) => view.vanished.push(asset.to_json()),
                Change::Changed { before, after } => view.changed.push(ChangedView {
                    typename: after.typename.clone(),
                    id: after.id.clone(),
                    fields: field_changes(before, after).into_iter().map(FieldView::from).collect(),
                }),
            }
        }
        pretty(&view)
    }
}

fn push_asset(text: &mut String, what: &str, asset: &Asset) {
    let id = asset.text("nativeId").unwrap_or(&asset.id);
    let mut parts = vec![noun(&asset.typename, 1), printable(id)];
    parts.extend(asset.text("name").filter(|name| *name != id).map(|name| format!("({})", printable(name))));
    parts.extend([asset.account_id(), asset.region()].into_iter().flatten().map(printable));
    let _ = writeln!(text, "{what:<10}{}", parts.join(" "));
}

fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::Unknown => "unknown".to_owned(),
        FieldValue::Known(Value::Null) => "–".to_owned(),
        FieldValue::Known(value) => shortened(&printable(&value.to_string()), LONGEST_VALUE),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ComparisonView {
    from: String,
    to: String,
    appeared: Vec<Value>,
    changed: Vec<ChangedView>,
    vanished: Vec<Value>,
    incomplete_before: Vec<Value>,
    incomplete_after: Vec<Value>,
    first_complete: Vec<Value>,
}

#[derive(Serialize)]
struct ChangedView {
    #[serde(rename = "__typename")]
    typename: String,
    id: String,
    fields: Vec<FieldView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldView {
    field: String,
    before: Value,
    after: Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    before_unknown: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    after_unknown: bool,
}

impl From<FieldChange> for FieldView {
    fn from(FieldChange { field, before, after }: FieldChange) -> Self {
        let known = |value: FieldValue| match value {
            FieldValue::Known(value) => (value, false),
            FieldValue::Unknown => (Value::Null, true),
        };
        let ((before, before_unknown), (after, after_unknown)) = (known(before), known(after));
        Self { field, before, after, before_unknown, after_unknown }
    }
}
