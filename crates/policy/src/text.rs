//! A message as text: its line ends, its header, its fields.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read};

use qmail_message::field;
use qmail_message::token::{Token, scan};

use crate::Domain;

/// How much is read at a time.
const BLOCK: usize = 1 << 16;

/// Turns CR LF and a lone CR into LF, block by block, for that is how a message goes out: whatever
/// qmail-remote is run, there is one form only of what was signed.
#[derive(Debug, Default)]
pub struct LineEnds {
    after_cr: bool,
}

impl LineEnds {
    /// The next block, with LF at the end of each line.
    pub fn convert<'b>(&mut self, block: &'b [u8]) -> Cow<'b, [u8]> {
        if !self.after_cr && !block.contains(&b'\r') {
            return Cow::Borrowed(block);
        }
        let mut converted = Vec::with_capacity(block.len());
        for byte in block {
            match byte {
                b'\r' => converted.push(b'\n'),
                b'\n' if self.after_cr => {}
                byte => converted.push(*byte),
            }
            self.after_cr = *byte == b'\r';
        }
        Cow::Owned(converted)
    }
}

/// A message that is read block by block, with LF at the end of each line.
#[derive(Debug)]
pub struct Blocks<R> {
    input: R,
    line_ends: LineEnds,
    block: Vec<u8>,
}

impl<R: Read> Blocks<R> {
    /// A message from `input`.
    pub fn new(input: R) -> Self {
        Self { input, line_ends: LineEnds::default(), block: vec![0; BLOCK] }
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// Those of reading.
    pub fn next_block(&mut self) -> io::Result<Option<Cow<'_, [u8]>>> {
        let length = loop {
            match self.input.read(&mut self.block) {
                Ok(0) => return Ok(None),
                Ok(length) => break length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        Ok(Some(self.line_ends.convert(self.block.get(..length).unwrap_or_default())))
    }

    /// Reads the header, and as much of the body as happens to come with it. Together they are all
    /// that was read.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read_header(&mut self, limit: usize) -> io::Result<(HeaderReader, Vec<u8>)> {
        let mut header = HeaderReader::new(limit);
        while let Some(block) = self.next_block()? {
            let body = header.push(&block).to_vec();
            if header.state != State::Reading {
                return Ok((header, body));
            }
        }
        Ok((header, Vec::new()))
    }
}

/// Collects the header from blocks with LF at the end of each line, and finds where it ends.
#[derive(Debug)]
pub struct HeaderReader {
    text: Vec<u8>,
    limit: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    Complete,
    TooLong,
}

impl HeaderReader {
    /// For a header of at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self { text: Vec::new(), limit, state: State::Reading }
    }

    /// Takes a block, and returns what of it belongs to the body.
    pub fn push<'b>(&mut self, block: &'b [u8]) -> &'b [u8] {
        if self.state != State::Reading {
            return block;
        }
        // The empty line may have begun in the block before.
        let seen = self.text.len().saturating_sub(1);
        self.text.extend_from_slice(block);
        let Some(end) = self.end(seen) else {
            if self.text.len() > self.limit {
                self.state = State::TooLong;
            }
            return &[];
        };
        let body = self.text.len().saturating_sub(end);
        self.text.truncate(end);
        self.state = if end > self.limit { State::TooLong } else { State::Complete };
        block.get(block.len().saturating_sub(body)..).unwrap_or_default()
    }

    /// Where the body begins, behind the empty line.
    fn end(&self, seen: usize) -> Option<usize> {
        if self.text.first() == Some(&b'\n') {
            return Some(1);
        }
        let unseen = self.text.get(seen..).unwrap_or_default();
        unseen.windows(2).position(|pair| pair == b"\n\n").map(|at| seen + at + 2)
    }

    /// Whether it is longer than it may be. What was collected of it is then of no use.
    pub fn is_too_long(&self) -> bool {
        self.state == State::TooLong
    }

    /// The header, with its empty line if it has ended.
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// A header as it goes over the wire, with CR LF where it has LF.
pub fn wire(header: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(header.len() + header.len() / 32);
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                wire.extend_from_slice(line);
                wire.extend_from_slice(b"\r\n");
            }
            None => wire.extend_from_slice(line),
        }
    }
    wire
}

/// The fields of a header with LF at the end of each line, each with its LFs. Lines that are no
/// fields are given, too.
pub fn fields(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        if rest.is_empty() || rest.first() == Some(&b'\n') {
            return None;
        }
        let mut end = 0;
        while let Some(length) = rest.get(end..)?.iter().position(|byte| *byte == b'\n') {
            end += length + 1;
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                let (field, after) = rest.split_at_checked(end)?;
                rest = after;
                return Some(field);
            }
        }
        Some(std::mem::take(&mut rest))
    })
}

/// Whether a field has this name. Case does not count.
pub fn is_named(field: &[u8], name: &str) -> bool {
    field::name(field).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}

/// The domain of the first address in the first `From` field.
pub fn author(header: &[u8]) -> Option<Domain> {
    let from = fields(header).find(|field| is_named(field, "From"))?;
    let tokens = scan(&field::unfold(field::contents(from))).ok()?;
    let mut behind = tokens.iter().skip_while(|token| **token != Token::At).skip(1).peekable();
    let mut name = Vec::new();
    let is_end = |token: &Token| matches!(token, Token::Right | Token::Comma | Token::Semicolon);
    while let Some(token) = behind.next_if(|token| !is_end(token)) {
        match token {
            Token::Atom(text) => name.extend_from_slice(text),
            Token::Dot => name.push(b'.'),
            Token::Comment(_) => {}
            // A route, a literal, or nonsense: no domain to sign for.
            _ => return None,
        }
    }
    Domain::parse(&name)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
