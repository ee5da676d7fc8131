//! Running plans: what filters keep, what verdicts say, what is written, where it stops.

mod agreement;
mod elsewhere;
mod hidden;
mod limits;
mod long;
mod lookups;
mod output;
mod quantifiers;
mod scalars;
mod stubs;
mod support;
mod verdicts;
