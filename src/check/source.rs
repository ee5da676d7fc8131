//! The files that checks are made of: the shipped ones (embedded), or a folder of the user's (`--queries DIR`).
//! Reading only; what they mean is for `load`.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use super::error::{CheckError, CheckErrors, Place, Problem};
use super::shipped::FILES;
use crate::model::nearest;

/// One file below a folder of checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path below the folder, with `/`, e.g. `aws/vpc-flow-logs-enabled/check.yaml`.
    pub path: String,
    /// Its path as the user would name it, for messages.
    pub shown: String,
    /// What it holds.
    pub text: Arc<str>,
}

impl SourceFile {
    /// A mistake in this file; `span` counts bytes.
    pub(super) fn error(&self, span: Option<std::ops::Range<usize>>, problem: Problem) -> CheckError {
        CheckError {
            file: self.shown.clone(),
            text: self.text.clone(),
            place: span.map(|span| Place::of(&self.text, span)),
            problem,
        }
    }
}

/// The files of one check: a folder with a `check.yaml`.
#[derive(Clone, Debug)]
pub(super) struct CheckFolder {
    /// Its path below the folder of checks, e.g. `aws/vpc-flow-logs-enabled`.
    pub(super) path: String,
    pub(super) check: SourceFile,
    pub(super) query: SourceFile,
    /// `*.rego`, sorted by path.
    pub(super) policies: Vec<SourceFile>,
    pub(super) remediation: Option<SourceFile>,
    /// What the remediation needs beside the asset's own fields.
    pub(super) related: Option<SourceFile>,
    /// Sorted by path.
    pub(super) cases: Vec<SourceFile>,
}

/// A file of `frameworks/`.
#[derive(Clone, Debug)]
pub(super) struct FrameworkFile {
    /// Without its ending.
    pub(super) name: String,
    pub(super) file: SourceFile,
    /// Whether it comes with these checks: only then must it name no others.
    pub(super) is_own: bool,
}

/// A folder of checks and fragments, read but not understood yet.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What the user would call the folder.
    pub(super) shown: String,
    pub(super) folders: Vec<CheckFolder>,
    pub(super) fragments: BTreeMap<String, String>,
    /// Queries by name: `saved/NAME.graphql`.
    pub(super) saved: BTreeMap<String, SourceFile>,
    /// Frameworks by name: `frameworks/NAME.yaml`.
    pub(super) frameworks: BTreeMap<String, FrameworkFile>,
    pub(super) errors: Vec<CheckError>,
}

/// The checks and fragments that come with the product, embedded in the binary.
#[must_use]
pub fn shipped() -> Sources {
    let files = FILES.iter().map(|(path, text)| SourceFile {
        path: (*path).to_owned(),
        shown: format!("queries/{path}"),
        text: Arc::from(*text),
    });
    Sources::empty("queries").with(files.collect())
}

impl Sources {
    /// Reads a folder of checks: every folder below it with a `check.yaml` is one, and `fragments/*.graphql` are its
    /// fragments, `saved/*.graphql` its saved queries and `frameworks/*.yaml` its frameworks, beside the shipped ones and
    /// in their place where the names are equal.
    ///
    /// # Errors
    /// The folder, or a file in it, can't be read.
    pub fn read(folder: &Path) -> Result<Self, CheckErrors> {
        let mut files = Vec::new();
        read_below(folder, "", &mut files).map_err(|error| CheckErrors(vec![*error]))?;
        files.sort_by(|left: &SourceFile, right| left.path.cmp(&right.path));
        let shown = folder.display().to_string();
        Ok(Self::beside_shipped(&shown).with(files))
    }

    /// From files in memory. `shown` is what the user calls the folder.
    #[must_use]
    pub fn from_files(shown: &str, files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: Vec<SourceFile> = files
            .into_iter()
            .map(|(path, text)| SourceFile { shown: format!("{shown}/{path}"), path, text: Arc::from(text) })
            .collect();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Self::beside_shipped(shown).with(files)
    }

    /// From files in memory and nothing else: not even the shipped fragments.
    #[must_use]
    pub(super) fn sealed(shown: &str, files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter().map(|(path, text)| SourceFile {
            shown: format!("{shown}/{path}"),
            path,
            text: Arc::from(text),
        });
        Self::empty(shown).with(files.collect())
    }

    /// The files that a check is judged by, by their paths: its own, and all fragments.
    pub(super) fn judging_files(&self, id: &str) -> BTreeMap<String, String> {
        let of_check = |folder: &&CheckFolder| folder.path.replace('/', "-") == id;
        let folder = self.folders.iter().find(of_check);
        let own = folder
            .into_iter()
            .flat_map(|folder| [&folder.check, &folder.query].into_iter().chain(&folder.policies));
        let own = own.map(|file| (file.path.clone(), file.text.to_string()));
        let fragments = self.fragments.iter();
        let fragments = fragments.map(|(name, text)| (format!("fragments/{name}.graphql"), text.clone()));
        own.chain(fragments).collect()
    }

    /// Every fragment by name, for the engine: `...AssetFragment` works in any query.
    #[must_use]
    pub fn fragments(&self) -> &BTreeMap<String, String> {
        &self.fragments
    }

    /// A saved query by its name, or the query of a check by the check's id.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&SourceFile> {
        let of_check = || self.folders.iter().find(|folder| folder.path.replace('/', "-") == name);
        self.saved.get(name).or_else(|| of_check().map(|folder| &folder.query))
    }

    /// The saved queries by name, sorted; not those of checks.
    pub fn saved_queries(&self) -> impl Iterator<Item = (&str, &SourceFile)> {
        self.saved.iter().map(|(name, file)| (name.as_str(), file))
    }

    fn empty(shown: &str) -> Self {
        Self {
            shown: shown.to_owned(),
            folders: Vec::new(),
            fragments: BTreeMap::new(),
            saved: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            errors: Vec::new(),
        }
    }

    /// What of the shipped files stays usable beside a folder of the user's.
    fn beside_shipped(shown: &str) -> Self {
        let Self { fragments, saved, mut frameworks, .. } = shipped();
        frameworks.values_mut().for_each(|framework| framework.is_own = false);
        Self { fragments, saved, frameworks, ..Self::empty(shown) }
    }

    /// Sorts files into their roles, on top of what is there already.
    fn with(mut self, files: Vec<SourceFile>) -> Self {
        let mut by_folder: BTreeMap<String, Vec<SourceFile>> = BTreeMap::new();
        for file in files {
            let Some((folder, name)) = file.path.rsplit_once('/') else { continue };
            if folder == "fragments" {
                let fragment = name.strip_suffix(".graphql").map(str::to_owned);
                self.take_fragment(fragment.as_deref(), &file);
                continue;
            }
            if let ("saved", Some(query)) = (folder, name.strip_suffix(".graphql")) {
                self.saved.insert(query.to_owned(), file);
                continue;
            }
            if let ("frameworks", Some(name)) = (folder, name.strip_suffix(".yaml")) {
                let name = name.to_owned();
                self.frameworks.insert(name.clone(), FrameworkFile { name, file, is_own: true });
                continue;
            }
            let folder = folder.strip_suffix("/cases").unwrap_or(folder).to_owned();
            by_folder.entry(folder).or_default().push(file);
        }
        for (folder, files) in by_folder {
            self.take_folder(folder, files);
        }
        self
    }

    fn take_fragment(&mut self, name: Option<&str>, file: &SourceFile) {
        let Some(name) = name else { return };
        if defined_fragments(&file.text) == [name] {
            self.fragments.insert(name.to_owned(), file.text.to_string());
        } else {
            let problem = Problem::NotTheFragment { name: name.to_owned() };
            self.errors.push(file.error(Some(0..0), problem));
        }
    }

    /// Sorts a folder's files into their roles; a folder without any of a check's files is none.
    fn take_folder(&mut self, path: String, files: Vec<SourceFile>) {
        let (mut check, mut query, mut remediation, mut related) = (None, None, None, None);
        let (mut cases, mut policies, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for file in files {
            let below = file.path.get(path.len() + 1..).unwrap_or_default().to_owned();
            match below.as_str() {
                "check.yaml" => check = Some(file),
                "query.graphql" => query = Some(file),
                _ if below.ends_with(".rego") && !below.contains('/') => policies.push(file),
                "remediation.md" => remediation = Some(file),
                "remediation.graphql" => related = Some(file),
                _ if below.starts_with("cases/") && !below.ends_with(".md") => cases.push(file),
                _ => others.push(below),
            }
        }
        let mut missing = |beside: &SourceFile, name: &'static str| {
            let nearest = nearest(name, others.iter().map(String::as_str)).map(str::to_owned);
            self.errors.push(beside.error(None, Problem::MissingFile { name, nearest }));
        };
        match (check, query) {
            (Some(check), Some(query)) => {
                self.folders.push(CheckFolder { path, check, query, policies, remediation, related, cases });
            }
            (Some(check), None) => missing(&check, "query.graphql"),
            (None, Some(query)) => missing(&query, "check.yaml"),
            (None, None) => {}
        }
    }
}

/// The names of the fragments that a text defines, or `?` for any other definition, found without a parser: the
/// engine reads the text in full when a query uses it.
fn defined_fragments(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut words = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(|line| line.split_inclusive(['{', '}']))
        .flat_map(str::split_whitespace);
    while let Some(word) = words.next() {
        if depth == 0 && word == "fragment" {
            names.push(words.next().unwrap_or("?"));
        } else if depth == 0
            && matches!(word, "query" | "mutation" | "subscription" | "{")
            && !word.is_empty()
        {
            // An opening brace follows `on Type` for a fragment; anywhere else it begins a query.
            if word != "{" || names.is_empty() {
                names.push("?");
            }
        }
        depth = (depth + word.matches('{').count()).saturating_sub(word.matches('}').count());
    }
    names
}

/// How deep folders may be nested: a link that leads back to where it came from ends here.
const DEEPEST: usize = 16;

fn read_below(folder: &Path, below: &str, files: &mut Vec<SourceFile>) -> Result<(), Box<CheckError>> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Box::new(CheckError {
            file: path.display().to_string(),
            text: Arc::from(""),
            place: None,
            problem: Problem::Unreadable { reason: error.to_string() },
        })
    };
    if below.matches('/').count() > DEEPEST {
        let reason =
            format!("folders are nested more than {DEEPEST} deep: does a link lead back to its own folder?");
        return Err(unreadable(folder, &std::io::Error::other(reason)));
    }
    #[expect(clippy::disallowed_methods, reason = "the folder of checks is read here and nowhere else")]
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, relative) = (entry.path(), join(below, &name));
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            read_below(&path, &relative, files)?;
        } else if [".yaml", ".graphql", ".md", ".yml", ".rego"].iter().any(|ending| name.ends_with(ending)) {
            #[expect(
                clippy::disallowed_methods,
                reason = "the folder of checks is read here and nowhere else"
            )]
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            let text = text.strip_prefix('\u{feff}').map_or_else(|| Arc::from(text.as_str()), Arc::from);
            files.push(SourceFile { path: relative, shown: path.display().to_string(), text });
        }
    }
    Ok(())
}

fn join(below: &str, name: &str) -> String {
    if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") }
}
