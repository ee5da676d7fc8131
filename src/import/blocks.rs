//! A file in blocks of whole lines, for several threads to take one after the other.

use std::io::{self, Read};

/// Cuts what a reader gives into blocks that end with a line, each with the number of its first.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    reader: R,
    /// The beginning of the line that the block before was cut off at.
    rest: Vec<u8>,
    line: u64,
    block_bytes: usize,
    line_bytes: usize,
    is_at_end: bool,
}

impl<R: Read> Blocks<R> {
    /// Blocks of about `block_bytes`. A line of more than `line_bytes` ends its block, and what comes after it is lost.
    pub(super) fn new(reader: R, block_bytes: usize, line_bytes: usize) -> Self {
        let block_bytes = block_bytes.min(line_bytes.saturating_add(1)).max(1);
        Self { reader, rest: Vec::new(), line: 1, block_bytes, line_bytes, is_at_end: false }
    }

    /// Whether nothing comes any more.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end && self.rest.is_empty()
    }

    /// Puts the next block into `block`, and says the number of its first line; nothing at the end.
    pub(super) fn next(&mut self, block: &mut Vec<u8>) -> io::Result<Option<u64>> {
        block.clear();
        block.append(&mut self.rest);
        let mut searched = 0;
        loop {
            if self.is_at_end {
                break;
            }
            let wanted = self.block_bytes.saturating_sub(block.len()).max(self.block_bytes / 4 + 1);
            let taken = (&mut self.reader).take(wanted as u64).read_to_end(block)?;
            self.is_at_end = taken < wanted;
            let new = block.get(searched..).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', new) {
                self.rest.extend_from_slice(new.get(end + 1..).unwrap_or_default());
                block.truncate(searched + end + 1);
                break;
            }
            if block.len() > self.line_bytes {
                self.is_at_end = true;
                break;
            }
            searched = block.len();
        }
        if block.is_empty() {
            return Ok(None);
        }
        let first = self.line;
        self.line += memchr::memchr_iter(b'\n', block).count() as u64;
        Ok(Some(first))
    }
}
