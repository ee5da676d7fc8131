//! `[organization]`: which accounts of the caller's organisation are collected.

use std::collections::BTreeSet;

use super::{
    accounts::{is_account_id, is_role},
    reader::{Reader, Table},
};
use crate::{
    collect::{AccountFilter, OrganizationOptions},
    model::nearest,
};

const KEYS: &[&str] = &["exclude", "external_id", "include", "read_tags", "role"];
const FILTER_KEYS: &[&str] = &["accounts", "states", "tags", "units"];

/// The states of an account, as AWS calls them.
const STATES: &[&str] = &["ACTIVE", "CLOSED", "PENDING_ACTIVATION", "PENDING_CLOSURE", "SUSPENDED"];

/// Reads the section; without it the organisation is not asked.
pub(super) fn read(reader: &mut Reader<'_>, root: &Table<'_>) -> Option<OrganizationOptions> {
    root.get("organization")?;
    let section = reader.table(root, "organization", "[organization]", KEYS);
    let include = reader.table(&section, "include", "[organization.include]", FILTER_KEYS);
    let exclude = reader.table(&section, "exclude", "[organization.exclude]", FILTER_KEYS);
    let role = reader.text(&section, "role").filter(|role| is_role(reader, role));
    Some(OrganizationOptions {
        include: read_filter(reader, &include),
        exclude: read_filter(reader, &exclude),
        read_tags: reader.flag(&section, "read_tags").unwrap_or(false),
        role: role.map(|text| text.value),
        external_id: reader.text(&section, "external_id").map(|text| text.value),
    })
}

fn read_filter(reader: &mut Reader<'_>, table: &Table<'_>) -> AccountFilter {
    let ids = reader.texts(table, "accounts");
    let accounts = ids.into_iter().filter(|id| is_account_id(reader, "accounts", id));
    AccountFilter {
        accounts: accounts.map(|id| id.value).collect(),
        units: reader
            .words(table, "units")
            .into_iter()
            .map(|unit| unit.trim_matches('/').to_owned())
            .collect(),
        states: read_states(reader, table),
        tags: read_tags(reader, table),
    }
}

fn read_states(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeSet<String> {
    let mut states = BTreeSet::new();
    for text in reader.texts(table, "states") {
        let state = text.value.to_ascii_uppercase();
        if STATES.contains(&state.as_str()) {
            states.insert(state);
            continue;
        }
        let remedy = match nearest(&state, STATES.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("write one of {}", STATES.join(", ")),
        };
        reader.bad("states", text.span, format!("`{}` is no state of an account", text.value), remedy);
    }
    states
}

fn read_tags(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeSet<(String, String)> {
    let mut tags = BTreeSet::new();
    for text in reader.texts(table, "tags") {
        match text.value.split_once('=').filter(|(key, _)| !key.is_empty()) {
            Some((key, value)) => drop(tags.insert((key.to_owned(), value.to_owned()))),
            None => {
                let reason = format!("`{}` is no tag", text.value);
                reader.bad("tags", text.span, reason, "write a key and a value, as in \"env=prod\"");
            }
        }
    }
    tags
}
