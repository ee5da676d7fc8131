//! Results as text: tables and pages for people; JSON, CSV, NDJSON, JUnit, SARIF, OCSF and ASFF for machines. Pure functions; printing is the command's.

mod answer;
mod asff;
mod audit;
mod checks;
mod comparison;
mod findings;
mod frameworks;
mod html;
mod junit;
mod listing;
mod machine;
mod markdown;
mod ocsf;
mod ordered;
mod remediation;
mod run;
mod sarif;
mod sheet;
mod text;

pub use answer::{Answer, NoAnswer, column_heading};
pub use asff::asff;
pub use audit::{AUDIT_QUERY, audit_sheet};
pub use checks::{Detail, checks_sheet, checks_text, rests_on};
pub use comparison::{Comparison, Unseen};
pub use findings::{CountedException, Findings, exceptions_json, exceptions_ndjson, exceptions_sheet};
pub use frameworks::{compliance_json, compliance_ndjson, compliance_sheet, compliance_text, framework_list};
pub use html::html;
pub use junit::junit;
pub use listing::{
    Changes, case_list, cases_text, check_json, check_list, check_page, collection_text, slice_list,
};
pub use machine::{checks_csv, checks_json, checks_ndjson};
pub use markdown::markdown;
pub use ocsf::ocsf;
pub use remediation::{Remedy, remedy_json, remedy_script};
pub use run::Run;
pub use sarif::sarif;
pub use sheet::{Cell, Column, Sheet, Style, Tone};
pub use text::{age, counted, day, noun, printable, span, thousands};
