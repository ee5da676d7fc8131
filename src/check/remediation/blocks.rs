//! The text of a remediation, split into prose and the fenced blocks that scripts are made of.

use std::{fmt, ops::Range};

use super::super::{
    error::{CheckError, Problem},
    source::SourceFile,
};
use crate::model::nearest;

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Commands of the AWS CLI.
    Cli,
    /// Terraform.
    Terraform,
    /// Commands that take back what the others did.
    BackOut,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Cli, Self::Terraform, Self::BackOut];

    /// The word behind the language of a fence, e.g. `back-out`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Terraform => "terraform",
            Self::BackOut => "back-out",
        }
    }

    /// Whether it is a script of the shell.
    #[must_use]
    pub fn is_shell(self) -> bool {
        self != Self::Terraform
    }

    /// The language its fence names.
    fn language(self) -> &'static str {
        if self.is_shell() { "sh" } else { "hcl" }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A stretch of the text: one template.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// What it is for; nothing for prose.
    pub(super) part: Option<Part>,
    /// Where it stands in the file.
    pub(super) span: Range<usize>,
    pub(super) text: String,
    /// The variables it needs, filled in when it is found to be right.
    pub(super) names: Vec<String>,
}

impl Segment {
    /// Whether it is rendered for each asset; otherwise once for each account and region.
    pub(super) fn is_each(&self) -> bool {
        self.names.iter().any(|name| name == "asset")
    }
}

/// Splits a file at its fences. A fence is a line that begins with three backticks; only one with a part behind its
/// language makes a block.
pub(super) fn split(file: &SourceFile, errors: &mut Vec<CheckError>) -> Vec<Segment> {
    let text = &*file.text;
    let mut segments = Vec::new();
    let mut push = |part, span: Range<usize>| {
        if !span.is_empty() {
            let text = text.get(span.clone()).unwrap_or_default().to_owned();
            segments.push(Segment { part, span, text, names: Vec::new() });
        }
    };
    let (mut begun, mut offset) = (0, 0);
    let mut open: Option<(Option<Part>, Range<usize>)> = None;
    for line in text.split_inclusive('\n') {
        let place = offset..offset + line.trim_end().len();
        offset += line.len();
        let Some(info) = line.strip_prefix("```") else { continue };
        match &open {
            Some((part, _)) => {
                push(*part, begun..place.start);
                (begun, open) = (place.start, None);
            }
            None => {
                push(None, begun..offset);
                let part = part_of(info.trim(), file, &place, errors);
                (begun, open) = (offset, Some((part, place)));
            }
        }
    }
    if let Some((_, place)) = open {
        let reason = "the block has no end: close it with a line of three backticks".to_owned();
        errors.push(file.error(Some(place), Problem::Template { reason }));
    }
    push(None, begun..text.len());
    segments
}

/// The part that the words behind a fence name; nothing for other code.
fn part_of(
    info: &str,
    file: &SourceFile,
    place: &Range<usize>,
    errors: &mut Vec<CheckError>,
) -> Option<Part> {
    let (language, word) = info.split_once(char::is_whitespace)?;
    let word = word.trim();
    let part = Part::ALL.into_iter().find(|part| part.as_str() == word);
    let reason = match part {
        Some(part) if part.language() == language => return Some(part),
        Some(part) => format!("a block for `{word}` begins with ```{} {word}", part.language()),
        None => match nearest(word, Part::ALL.map(Part::as_str)) {
            Some(near) => format!("unknown part `{word}`: did you mean `{near}`?"),
            None => format!("unknown part `{word}`: write cli, terraform or back-out"),
        },
    };
    errors.push(file.error(Some(place.clone()), Problem::Template { reason }));
    None
}
