//! The reasons of a match as lines: the truth of each part, the part, and on the right or below what decided it.

use std::fmt;

use crate::query::run::{Why, WhyNode};

/// Where the reason of a part begins, if the part is not longer.
const REASONS_AT: usize = 46;

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.asset.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        writeln!(formatter, "{} {}{name}", self.asset.typename, self.asset.shown)?;
        write_node(formatter, &self.node, 0)?;
        if self.is_undecided {
            for reason in &self.reasons {
                writeln!(formatter, "? {reason}")?;
            }
        }
        if let Some(note) = &self.note {
            writeln!(formatter, "! {note}")?;
        }
        Ok(())
    }
}

fn write_node(formatter: &mut fmt::Formatter<'_>, node: &WhyNode, depth: usize) -> fmt::Result {
    let indent = depth * 2;
    let asset = node.asset.as_ref().map(|asset| asset.shown.as_str());
    if node.parts.is_empty() {
        let because = match (asset, &node.because) {
            (Some(asset), Some(because)) => format!("{asset}: {because}"),
            (Some(asset), None) => asset.to_owned(),
            (None, Some(because)) => because.clone(),
            (None, None) => String::new(),
        };
        let width = REASONS_AT.saturating_sub(indent);
        let line = format!("{:<8}{:indent$}{:<width$}  {because}", node.truth, "", node.filter);
        return writeln!(formatter, "{}", line.trim_end());
    }
    let of_asset = asset.map(|asset| format!("{asset}: ")).unwrap_or_default();
    writeln!(formatter, "{:<8}{:indent$}{of_asset}{}", node.truth, "", node.filter)?;
    if let Some(because) = &node.because {
        writeln!(formatter, "{:8}{:indent$}  {because}", "", "")?;
    }
    for part in &node.parts {
        write_node(formatter, part, depth + 1)?;
    }
    if node.more > 0 {
        writeln!(formatter, "{:8}{:indent$}  .. {} more", "", "", node.more)?;
    }
    Ok(())
}
