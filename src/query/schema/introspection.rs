//! What of a request is introspection: the response keys the schema answers itself, and the guard against queries that
//! walk the schema in circles (Q8).

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// How often a query may step from a type to a list of others: introspection of a whole schema does so once or twice,
/// and every further step multiplies the answer by the size of the schema.
const MAX_CIRCLES: usize = 3;
/// Fragments inside fragments that are followed; the guard refuses deeper ones and cycles.
const MAX_FRAGMENTS: usize = 64;

/// The fields of the introspection types that lead from one type to many.
const CIRCLING: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// The response keys of `__schema` and `__type` in an operation, sorted; an error where they circle.
pub(super) fn introspection_keys(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
) -> Result<Vec<String>, String> {
    let mut keys = Vec::new();
    for (name, operation) in document.operations.iter() {
        if operation_name.is_none() || name.map(|name| name.as_str()) == operation_name {
            collect_keys(document, &operation.node.selection_set.node, MAX_FRAGMENTS, &mut keys)?;
        }
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

fn collect_keys(
    document: &ExecutableDocument,
    selections: &SelectionSet,
    fragments_left: usize,
    keys: &mut Vec<String>,
) -> Result<(), String> {
    for selection in &selections.items {
        match &selection.node {
            Selection::Field(field) => {
                if matches!(field.node.name.node.as_str(), "__schema" | "__type") {
                    keys.push(field.node.response_key().node.to_string());
                    let circles = count_circles(document, &field.node.selection_set.node, 0, MAX_FRAGMENTS);
                    if circles > MAX_CIRCLES {
                        return Err(format!(
                            "introspection may step from types to lists of others {MAX_CIRCLES} times, and this query \
                             does so {circles} times or more; ask for fewer levels"
                        ));
                    }
                }
            }
            other => {
                if let (Some(inner), Some(left)) = (inner(document, other), fragments_left.checked_sub(1)) {
                    collect_keys(document, inner, left, keys)?;
                }
            }
        }
    }
    Ok(())
}

/// The greatest number of circling fields on one way down, counted up to one more than is allowed.
fn count_circles(
    document: &ExecutableDocument,
    selections: &SelectionSet,
    so_far: usize,
    fragments_left: usize,
) -> usize {
    let mut most = so_far;
    for selection in &selections.items {
        if most > MAX_CIRCLES {
            return most;
        }
        let found = match &selection.node {
            Selection::Field(field) => {
                let step = usize::from(CIRCLING.contains(&field.node.name.node.as_str()));
                count_circles(document, &field.node.selection_set.node, so_far + step, fragments_left)
            }
            other => match (inner(document, other), fragments_left.checked_sub(1)) {
                (Some(inner), Some(left)) => count_circles(document, inner, so_far, left),
                _ => so_far,
            },
        };
        most = most.max(found);
    }
    most
}

/// The selections of a fragment.
fn inner<'d>(document: &'d ExecutableDocument, selection: &'d Selection) -> Option<&'d SelectionSet> {
    match selection {
        Selection::Field(_) => None,
        Selection::InlineFragment(fragment) => Some(&fragment.node.selection_set.node),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
            Some(&fragment.node.selection_set.node)
        }
    }
}
