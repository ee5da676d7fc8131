//! `[[accounts]]`: accounts that are collected beside those of the organisation, or instead.

use std::collections::BTreeMap;

use super::reader::{Reader, Table, Text};
use crate::collect::AccountOptions;

const KEYS: &[&str] = &["external_id", "id", "name", "profile", "regions", "role"];

/// Reads all entries, in the order of the file.
pub(super) fn read(reader: &mut Reader<'_>, root: &Table<'_>) -> Vec<AccountOptions> {
    let mut seen = BTreeMap::new();
    let mut accounts = Vec::new();
    for entry in reader.tables(root, "accounts", "[[accounts]]", KEYS) {
        let id = reader.required(&entry, "id").filter(|id| is_account_id(reader, "id", id));
        let role = reader.text(&entry, "role").filter(|role| is_role(reader, role));
        let account = AccountOptions {
            account_id: id.as_ref().map(|id| id.value.clone()).unwrap_or_default(),
            name: reader.text(&entry, "name").map(|text| text.value),
            role: role.map(|text| text.value),
            external_id: reader.text(&entry, "external_id").map(|text| text.value),
            profile: reader.text(&entry, "profile").map(|text| text.value),
            regions: reader.words(&entry, "regions"),
        };
        let Some(id) = id else { continue };
        if seen.insert(id.value.clone(), ()).is_some() {
            reader.bad("id", id.span, format!("account {} stands twice", id.value), "take one of them out");
        }
        accounts.push(account);
    }
    accounts
}

/// Notes an id that is no id of an account.
pub(super) fn is_account_id(reader: &mut Reader<'_>, key: &'static str, id: &Text) -> bool {
    let is_one = id.value.len() == 12 && id.value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_one {
        let reason = format!("`{}` is no account id", id.value);
        reader.bad(key, id.span.clone(), reason, "write twelve digits in quotes, as in \"111122223333\"");
    }
    is_one
}

/// Notes what is neither the name of a role nor an ARN of one.
pub(super) fn is_role(reader: &mut Reader<'_>, role: &Text) -> bool {
    let text = role.value.as_str();
    let is_word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@-_/".contains(&byte))
    };
    let is_one = match text.strip_prefix("arn:") {
        None => is_word(text),
        Some(rest) => {
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            matches!(parts.as_slice(), [partition, "iam", "", account, resource]
                if !partition.is_empty()
                    && (*account == "{account}" || account.len() == 12)
                    && resource.strip_prefix("role/").is_some_and(is_word))
        }
    };
    if !is_one {
        let remedy = "write a name, or \"arn:{partition}:iam::{account}:role/NAME\"";
        reader.bad("role", role.span.clone(), format!("`{text}` is no role"), remedy);
    }
    is_one
}
