//! A mistake shown at its place in the text it stands in.

use std::{fmt, ops::Range};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
    SourceSpan,
};

use crate::catalog::line_and_column;

/// One mistake in one text.
#[derive(Debug)]
pub(crate) struct Snippet {
    /// Whether nothing is wrong, only odd.
    pub(crate) is_warning: bool,
    /// The stable code.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write instead, shown at the place where there is one.
    pub(crate) remedy: Option<String>,
    /// Where to read on.
    pub(crate) help: Option<String>,
    /// What the text is called: `query`, or a file.
    pub(crate) file: String,
    /// The text.
    pub(crate) text: String,
    /// Where in it, in bytes; nothing where the whole text is meant.
    pub(crate) span: Option<Range<usize>>,
}

impl Snippet {
    /// `error[unknown_key]`
    fn label(&self) -> String {
        let severity = if self.is_warning { "warning" } else { "error" };
        format!("{severity}[{}]", self.code)
    }

    /// Where it begins, both from 1; nothing where the whole text is meant.
    pub(crate) fn line_and_column(&self) -> Option<(usize, usize)> {
        self.span.as_ref().map(|span| line_and_column(&self.text, span.start))
    }

    /// The text a person reads, with a newline at the end.
    pub(crate) fn render(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(120).with_context_lines(1);
        let shown = Shown {
            snippet: self,
            source: NamedSource::new(&self.file, self.text.clone()),
            span: self.span.as_ref().map(|span| {
                let start = span.start.min(self.text.len());
                SourceSpan::from((start, span.end.min(self.text.len()).saturating_sub(start)))
            }),
        };
        let mut text = String::new();
        match handler.render_report(&mut text, &shown) {
            Ok(()) => text,
            Err(_) => format!("{}: {}\n", self.label(), self.message),
        }
    }
}

/// What miette is shown.
#[derive(Debug)]
struct Shown<'a> {
    snippet: &'a Snippet,
    source: NamedSource<String>,
    span: Option<SourceSpan>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            Some(_) => formatter.write_str(&self.snippet.message),
            None => write!(formatter, "{}: {}", self.snippet.file, self.snippet.message),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.snippet.label()))
    }

    fn severity(&self) -> Option<Severity> {
        Some(if self.snippet.is_warning { Severity::Warning } else { Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let remedy = self.snippet.remedy.as_ref().filter(|_| self.span.is_none());
        let texts: Vec<&str> = remedy.into_iter().chain(&self.snippet.help).map(String::as_str).collect();
        (!texts.is_empty()).then(|| Box::new(texts.join("\n")) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.is_some().then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span?;
        let label = self.snippet.remedy.clone().unwrap_or_else(|| "here".to_owned());
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(Some(label), span))))
    }
}
