//! `cases/*.yaml`: a small inventory and the verdict it must give, run through the same code as a real check.

use std::{collections::BTreeSet, fmt, ops::Range, sync::Arc};

use serde_json::Map;

use crate::{
    graph::GraphBuilder,
    model::{Asset, Outcome, SliceKey, SliceState, Time, nearest},
    query::Engine,
};

use super::definition::Check;
use super::error::{CheckError, Problem};
use super::evaluate::evaluate;
use super::raw::{Fields, Reader};
use super::result::{AssetName, CheckResult, Verdict};
use super::source::SourceFile;
use super::yaml::{self, Node, Value};

const KEYS: &[&str] = &["description", "now", "defaults", "assets", "slices", "expect"];
const SLICE_KEYS: &[&str] =
    &["assetType", "accountId", "region", "outcome", "reason", "api", "attemptedAt", "completedAt"];
const EXPECT_KEYS: &[&str] = &["verdict", "fail", "unknown", "pass"];

/// One case of a check.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's name without its ending, e.g. `denied-region`.
    pub name: String,
    /// What the case shows, in one sentence.
    pub description: String,
    /// The file, as the user would name it.
    pub file: String,
    /// The inventory.
    pub assets: Vec<Asset>,
    /// How well it was collected; nothing where it counts as complete, as it stands.
    pub slices: Option<Vec<SliceState>>,
    /// The moment of the verdict.
    pub now: Time,
    /// What the check must say.
    pub expect: Expected,
}

/// What a check must say of a case. Assets are named by `id` or `nativeId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The verdict.
    pub verdict: Verdict,
    /// The failing assets; none where the file doesn't say.
    pub fail: BTreeSet<String>,
    /// The unknown assets; none where the file doesn't say.
    pub unknown: BTreeSet<String>,
    /// The passing assets; not compared where the file doesn't say.
    pub pass: Option<BTreeSet<String>>,
}

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOutcome {
    /// The check's id.
    pub check: String,
    /// The case's name.
    pub case: String,
    /// The case's file.
    pub file: String,
    /// What it shows.
    pub description: String,
    /// What differs from what is expected; empty where nothing does.
    pub differences: Vec<Difference>,
}

/// One thing that is not as a case expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The case's inventory does not fit the schema.
    Inventory {
        /// What is wrong with it.
        reason: String,
    },
    /// Another verdict.
    Verdict {
        /// The case's.
        expected: Verdict,
        /// The check's.
        found: Verdict,
        /// Why, where the check could not be run.
        error: Option<String>,
    },
    /// An asset that should be in a list and isn't.
    Missing {
        /// `fail`, `unknown` or `pass`.
        list: &'static str,
        /// The asset, as the case names it.
        asset: String,
    },
    /// An asset that is in a list and shouldn't be.
    Unexpected {
        /// `fail`, `unknown` or `pass`.
        list: &'static str,
        /// The asset.
        asset: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inventory { reason } => write!(formatter, "the inventory is not valid: {reason}"),
            Self::Verdict { expected, found, error } => {
                write!(formatter, "expected {expected}, found {found}")?;
                error.as_ref().map_or(Ok(()), |error| write!(formatter, ": {error}"))
            }
            Self::Missing { list, asset } => write!(formatter, "expected `{asset}` among `{list}`"),
            Self::Unexpected { list, asset } => write!(formatter, "did not expect `{asset}` among `{list}`"),
        }
    }
}

/// Runs every case of every check.
#[must_use]
pub fn run_cases(checks: &[Check], engine: &Engine) -> Vec<CaseOutcome> {
    checks.iter().flat_map(|check| check.cases.iter().map(|case| run_case(check, case, engine))).collect()
}

/// Runs one case.
#[must_use]
pub fn run_case(check: &Check, case: &Case, engine: &Engine) -> CaseOutcome {
    let differences = match judge_case(check, case, engine) {
        Ok(result) => compare(check, case, &result),
        Err(reason) => vec![Difference::Inventory { reason }],
    };
    CaseOutcome {
        check: check.id.clone(),
        case: case.name.clone(),
        file: case.file.clone(),
        description: case.description.clone(),
        differences,
    }
}

/// The verdict of a check over a case's inventory, or what is wrong with the inventory.
fn judge_case(check: &Check, case: &Case, engine: &Engine) -> Result<CheckResult, String> {
    let catalog = Arc::clone(engine.catalog());
    let mut builder = GraphBuilder::new(Arc::clone(&catalog));
    for asset in &case.assets {
        catalog
            .check_asset(asset)
            .map_err(|misfit| format!("{} `{}`: {misfit}", asset.typename, asset.id))?;
        builder.push(asset).map_err(|error| error.to_string())?;
    }
    let graph = builder.finish(case.slices.clone(), case.now).map_err(|error| error.to_string())?;
    Ok(evaluate(check, engine, &graph, case.now))
}

fn compare(check: &Check, case: &Case, result: &CheckResult) -> Vec<Difference> {
    let expected = &case.expect;
    let mut differences = Vec::new();
    if result.verdict != expected.verdict {
        differences.push(Difference::Verdict {
            expected: expected.verdict,
            found: result.verdict,
            error: result.error.clone(),
        });
    }
    let fail: Vec<&AssetName> = result.findings.iter().map(|finding| &*finding.asset).collect();
    let unknown: Vec<&AssetName> = result.unknown.iter().map(|unknown| &*unknown.asset).collect();
    compare_list("fail", &expected.fail, &fail, &mut differences);
    compare_list("unknown", &expected.unknown, &unknown, &mut differences);
    if let Some(pass) = &expected.pass {
        let judged: Vec<AssetName> = case
            .assets
            .iter()
            .filter(|asset| check.judged.contains(&asset.typename))
            .map(AssetName::of)
            .collect();
        let is_other = |name: &AssetName| fail.iter().chain(&unknown).any(|other| other.id == name.id);
        let passing: Vec<&AssetName> = judged.iter().filter(|name| !is_other(name)).collect();
        compare_list("pass", pass, &passing, &mut differences);
    }
    differences
}

fn compare_list(
    list: &'static str,
    expected: &BTreeSet<String>,
    found: &[&AssetName],
    differences: &mut Vec<Difference>,
) {
    let is_named =
        |name: &AssetName, given: &str| name.id == given || name.native_id.as_deref() == Some(given);
    for asset in expected {
        if !found.iter().any(|name| is_named(name, asset)) {
            differences.push(Difference::Missing { list, asset: asset.clone() });
        }
    }
    for name in found {
        if !expected.iter().any(|asset| is_named(name, asset)) {
            differences.push(Difference::Unexpected { list, asset: name.short_id().to_owned() });
        }
    }
}

impl Case {
    /// Reads a case; every mistake is reported.
    pub(super) fn read(file: &SourceFile, errors: &mut Vec<CheckError>) -> Option<Self> {
        let root = yaml::read(file, errors)?;
        let before = errors.len();
        let mut reader = Reader { file, errors };
        let fields = reader.map("the case", &root, KEYS)?;
        let description = reader.required(&fields, "description");
        let now = reader.time(&fields, "now");
        let assets = reader.assets(&fields);
        let slices = reader.slices(&fields);
        let expect = reader.expected(&fields);
        let has_times =
            slices.iter().flatten().any(|slice| slice.completed_at.or(slice.attempted_at).is_some());
        if has_times && now.is_none() {
            reader
                .bad(0..0, "the slices say when they were collected: add `now:`, the moment of the verdict");
        }
        if errors.len() > before {
            return None;
        }
        let name = file.path.rsplit('/').next().unwrap_or_default();
        Some(Self {
            name: name.split('.').next().unwrap_or_default().to_owned(),
            description: description?.value,
            file: file.shown.clone(),
            assets,
            slices,
            now: now.or(Time::from_millis(0))?,
            expect: expect?,
        })
    }
}

impl AssetName {
    /// The name of an asset that stands in no graph.
    pub(super) fn of(asset: &Asset) -> Self {
        Self {
            account_id: asset.account_id().map(str::to_owned),
            region: asset.region().map(str::to_owned),
            typename: asset.typename.clone(),
            native_id: asset.text("nativeId").map(str::to_owned),
            id: asset.id.clone(),
            name: asset.text("name").map(str::to_owned),
        }
    }
}

impl Reader<'_> {
    fn bad(&mut self, span: Range<usize>, reason: impl Into<String>) {
        self.error(span, Problem::BadCase { reason: reason.into() });
    }

    /// The assets, each with the defaults of its type beneath.
    fn assets(&mut self, fields: &Fields<'_>) -> Vec<Asset> {
        let defaults = fields.get("defaults").map(Node::to_json);
        let nodes = self.list("assets", fields.get("assets"));
        self.demand(fields, "assets");
        let mut assets = Vec::new();
        for node in &nodes {
            let serde_json::Value::Object(given) = node.to_json() else {
                self.wrong_kind("assets", "a map of an asset's fields", node);
                continue;
            };
            let typename = given.get("__typename").and_then(serde_json::Value::as_str).unwrap_or_default();
            let beneath = defaults.as_ref().and_then(|defaults| defaults.get(typename)?.as_object());
            let mut merged: Map<_, _> = beneath.cloned().unwrap_or_default();
            if let Some(serde_json::Value::Array(unknown)) = given.get("__unknown") {
                merged.retain(|field, _| !unknown.iter().any(|name| name.as_str() == Some(field)));
            }
            merged.extend(given);
            match Asset::from_json(serde_json::Value::Object(merged)) {
                Ok(asset) => assets.push(asset),
                Err(error) => self.bad(node.span.clone(), error.to_string()),
            }
        }
        assets
    }

    fn slices(&mut self, fields: &Fields<'_>) -> Option<Vec<SliceState>> {
        let node = fields.get("slices")?;
        let nodes = self.list("slices", Some(node));
        Some(nodes.iter().filter_map(|node| self.slice(node)).collect())
    }

    fn slice(&mut self, node: &Node) -> Option<SliceState> {
        let fields = self.map("slices", node, SLICE_KEYS)?;
        let asset_type = self.required(&fields, "assetType");
        let account_id = self.required(&fields, "accountId");
        let region = self.required(&fields, "region");
        let outcome =
            self.required(&fields, "outcome").and_then(|text| match text.value.parse::<Outcome>() {
                Ok(outcome) => Some(outcome),
                Err(error) => {
                    self.bad(text.span, error.to_string());
                    None
                }
            });
        Some(SliceState {
            key: SliceKey::new(account_id?.value, region?.value, asset_type?.value),
            api: self.optional(&fields, "api").map(|text| text.value).unwrap_or_default(),
            outcome: outcome?,
            reason: self.optional(&fields, "reason").map(|text| text.value),
            attempted_at: self.time(&fields, "attemptedAt"),
            completed_at: self.time(&fields, "completedAt"),
            assets: 0,
        })
    }

    fn time(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<Time> {
        let text = self.optional(fields, key)?;
        match text.value.parse() {
            Ok(time) => Some(time),
            Err(error) => {
                self.bad(text.span, format!("{error}"));
                None
            }
        }
    }

    fn expected(&mut self, fields: &Fields<'_>) -> Option<Expected> {
        let Some(node) = fields.get("expect") else {
            self.demand(fields, "expect");
            return None;
        };
        let fields = self.map("expect", node, EXPECT_KEYS)?;
        let verdict = self.required(&fields, "verdict")?;
        let Some(found) = Verdict::ALL.into_iter().find(|known| known.as_str() == verdict.value) else {
            let nearest = nearest(&verdict.value, Verdict::ALL.map(Verdict::as_str)).map(str::to_owned);
            let meant = nearest.map_or_else(
                || "write PASS, FAIL, UNKNOWN, NOT_APPLICABLE or ERROR".to_owned(),
                |nearest| format!("did you mean `{nearest}`?"),
            );
            self.bad(verdict.span, format!("unknown verdict `{}`: {meant}", verdict.value));
            return None;
        };
        let fail = self.names("fail", fields.get("fail"));
        let unknown = self.names("unknown", fields.get("unknown"));
        let pass = fields.get("pass").map(|node| self.names("pass", Some(node)));
        Some(Expected { verdict: found, fail, unknown, pass })
    }

    fn names(&mut self, key: &'static str, node: Option<&Node>) -> BTreeSet<String> {
        if node.is_some_and(|node| matches!(node.value, Value::Null)) {
            return BTreeSet::new();
        }
        let nodes = self.list(key, node);
        nodes.iter().filter_map(|node| self.text(key, node)).map(|text| text.value).collect()
    }
}
