//! Results as text: tables for people, JSON, CSV and NDJSON for machines. Pure functions; printing is the command's.

mod answer;
mod checks;
mod comparison;
mod frameworks;
mod listing;
mod machine;
mod ordered;
mod sheet;
mod text;

pub use answer::{Answer, NoAnswer, column_heading};
pub use checks::{Detail, checks_sheet, checks_text, rests_on};
pub use comparison::{Comparison, Unseen};
pub use frameworks::{compliance_json, compliance_ndjson, compliance_sheet, compliance_text, framework_list};
pub use listing::{
    Changes, case_list, cases_text, check_json, check_list, check_page, collection_text, slice_list,
};
pub use machine::{checks_csv, checks_json, checks_ndjson};
pub use sheet::{Cell, Column, Sheet, Style, Tone};
pub use text::{age, counted, noun, printable, thousands};
