//! How a query was answered, and why an asset matches, as a command prints them.

use serde_json::Value;

use super::{arguments::Format, context::Context, failure::Failure};
use crate::{
    query::{
        Explanation,
        run::{Step, Why},
    },
    report::{Cell, Sheet, printable},
};

/// Prints how a query was answered; with an asset asked about, only why it matches.
pub(crate) fn print(explanation: &Explanation, format: Format, context: &Context) -> Result<(), Failure> {
    let text = match format {
        Format::Json => format!("{}\n", explanation.to_json()),
        Format::Csv => steps_of(explanation).csv(),
        Format::Ndjson => steps_of(explanation).ndjson(),
        Format::Table if explanation.whys.is_empty() => plans_and_steps(explanation, context),
        Format::Table => {
            let several = explanation.whys.len() > 1;
            let whys = explanation.whys.iter().map(|(root, why)| {
                if several { format!("{root}:\n{}", why_text(why)) } else { why_text(why) }
            });
            whys.collect::<Vec<_>>().join("\n")
        }
    };
    Ok(context.output.write(text.as_bytes())?)
}

/// Why an asset matches, line by line, safe for a terminal.
pub(crate) fn why_text(why: &Why) -> String {
    why.to_string().lines().map(|line| format!("{}\n", printable(line))).collect()
}

fn plans_and_steps(explanation: &Explanation, context: &Context) -> String {
    let mut text = String::from("Plan\n");
    push_indented(&mut text, &explanation.written);
    if explanation.written == explanation.simplified {
        text.push_str("  (nothing to simplify)\n");
    } else {
        text.push_str("\nSimplified\n");
        push_indented(&mut text, &explanation.simplified);
    }
    text.push('\n');
    text.push_str(&steps_of(explanation).table(context.style()));
    text
}

fn push_indented(text: &mut String, block: &str) {
    for line in block.lines() {
        text.push_str("  ");
        text.push_str(&printable(line));
        text.push('\n');
    }
}

/// One row a step.
fn steps_of(explanation: &Explanation) -> Sheet {
    let columns =
        ["~step", "#in", "#out", "#rowsVisited", "#edges", "#values", "#sorted", "#bytes", "#microseconds"];
    let mut sheet = Sheet::new(&columns);
    for Step { depth, what, rows_in, rows_out, visited, bytes, took } in &explanation.steps {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let numbers = [
            *rows_in,
            *rows_out,
            visited.rows,
            visited.edges,
            visited.distinct,
            visited.sorted,
            *bytes,
            micros,
        ];
        let step = Cell::new(format!("{}{what}", "· ".repeat(*depth)));
        sheet.rows.push(
            std::iter::once(step).chain(numbers.map(|number| Cell::new(Value::from(number)))).collect(),
        );
    }
    sheet
}
