//! Texts that came to a column after its dictionary was made, in the order of their arrival, so that no code that is in
//! use ever changes. Beside them stands their order, for ranges, prefixes and lookups.

use std::borrow::Cow;

use super::{
    dictionary::{Form, escape_into, partition},
    image::{ImageError, ImageReader, ImageWriter, Imaged},
};

/// Added texts, by their places.
#[derive(Clone, Debug)]
pub(super) struct AddedTexts {
    /// `"first"second"`: as in a dictionary.
    arena: String,
    /// Where the opening quote of each text stands, and at the end the last quote.
    starts: Vec<u32>,
    /// The places in the order of their texts.
    sorted: Vec<u32>,
    form: Form,
}

impl AddedTexts {
    pub(super) fn new(form: Form) -> Self {
        Self { arena: String::from("\""), starts: vec![0], sorted: Vec::new(), form }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Adds texts that are not there, in the order of their places; nothing where the arena would outgrow its offsets.
    pub(super) fn push_all<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Option<()> {
        let mut fresh: Vec<u32> = Vec::new();
        for text in texts {
            fresh.push(u32::try_from(self.starts.len() - 1).ok()?);
            match self.form {
                Form::Escaped => escape_into(&mut self.arena, text),
                Form::Verbatim => self.arena.push_str(text),
            }
            self.starts.push(u32::try_from(self.arena.len()).ok()?);
            self.arena.push('"');
        }
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.append(&mut fresh);
        // Two sorted runs, nearly: the stable sort merges them.
        sorted.sort_by(|one, other| self.text(*one).cmp(&self.text(*other)));
        self.sorted = sorted;
        Some(())
    }

    fn bounds(&self, place: u32) -> Option<(usize, usize)> {
        let place = place as usize;
        Some((*self.starts.get(place)? as usize, *self.starts.get(place + 1)? as usize))
    }

    /// The text as stored, without quotes.
    pub(super) fn stored(&self, place: u32) -> &str {
        self.bounds(place).and_then(|(start, end)| self.arena.get(start + 1..end)).unwrap_or_default()
    }

    /// The JSON of a text.
    pub(super) fn json(&self, place: u32) -> &[u8] {
        match self.form {
            Form::Escaped => {
                self.bounds(place).and_then(|(start, end)| self.arena.as_bytes().get(start..=end))
            }
            Form::Verbatim => Some(self.stored(place).as_bytes()),
        }
        .unwrap_or(b"null")
    }

    /// The raw text.
    pub(super) fn text(&self, place: u32) -> Cow<'_, str> {
        let stored = self.stored(place);
        if self.form == Form::Verbatim || memchr::memchr(b'\\', stored.as_bytes()).is_none() {
            return Cow::Borrowed(stored);
        }
        Cow::Owned(serde_json::from_slice(self.json(place)).unwrap_or_default())
    }

    /// How many texts are `before`, which must hold for a beginning of their order.
    pub(super) fn count_before(&self, before: impl Fn(&str) -> bool) -> usize {
        let count = u32::try_from(self.sorted.len()).unwrap_or(u32::MAX);
        let is_before =
            |rank: u32| self.sorted.get(rank as usize).is_some_and(|&place| before(&self.text(place)));
        partition(0, count, is_before) as usize
    }

    /// Places in the order of their texts.
    pub(super) fn sorted(&self) -> &[u32] {
        &self.sorted
    }

    /// The place of a raw text.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let place = *self.sorted.get(self.count_before(|other| other < text))?;
        (self.text(place) == text).then_some(place)
    }
}

impl Imaged for AddedTexts {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { arena, starts, sorted, form } = self;
        image.text(arena);
        image.u32s(starts);
        image.u32s(sorted);
        image.flag(*form == Form::Verbatim);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self {
            arena: image.text()?,
            starts: image.u32s()?,
            sorted: image.u32s()?,
            form: if image.flag()? { Form::Verbatim } else { Form::Escaped },
        })
    }
}
