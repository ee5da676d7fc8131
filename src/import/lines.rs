//! Lines of bounded length: what is too long is refused as soon as the bound is passed, not when memory is.

use std::io::{self, BufRead};

/// Reads lines without their line feed, reusing one buffer.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    limit_bytes: usize,
    line: u64,
}

/// What came next.
pub(super) enum Next<'a> {
    /// A line, numbered from 1.
    Line(u64, &'a [u8]),
    /// The line with this number is longer than the limit.
    TooLong(u64),
    /// The end.
    End,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, limit_bytes: usize) -> Self {
        Self { reader, buffer: Vec::new(), limit_bytes, line: 0 }
    }

    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        self.buffer.clear();
        self.line += 1;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                let is_end = self.buffer.is_empty();
                return Ok(if is_end { Next::End } else { Next::Line(self.line, &self.buffer) });
            }
            let end = memchr::memchr(b'\n', available);
            let taken = end.unwrap_or(available.len());
            if self.buffer.len() + taken > self.limit_bytes {
                return Ok(Next::TooLong(self.line));
            }
            self.buffer.extend_from_slice(available.get(..taken).unwrap_or_default());
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Ok(Next::Line(self.line, &self.buffer));
            }
        }
    }
}
