//! The lines of a list, compiled once if they are few.

use std::io;

use qmail_core::long_list::{LongList, is_pattern};

use crate::pattern::{Expression, wildmat};
use crate::printable::text as printable;

/// So many compiled expressions are kept at most: each takes some kilobytes.
const MOST_COMPILED: usize = 64;

/// A list of rules.
#[derive(Debug)]
pub(super) struct Rules {
    list: LongList,
    compiled: Vec<Result<Expression, &'static str>>,
    is_compiled: bool,
    has_complained: bool,
}

impl Rules {
    pub(super) fn new(list: LongList) -> Self {
        Self { list, compiled: Vec::new(), is_compiled: false, has_complained: false }
    }

    /// The first of `names` that is a line.
    pub(super) fn exact(&self, names: &[Vec<u8>]) -> io::Result<Option<Vec<u8>>> {
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        Ok(self.list.first_of(&names)?.map(<[u8]>::to_vec))
    }

    /// The last wildmat pattern that is `text` decides, unless it is an exception: `!pattern`. Lines
    /// that do not count mean something else.
    pub(super) fn wildmat(
        &self,
        text: &[u8],
        counts: impl Fn(&[u8]) -> bool,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut last = None;
        self.list.find::<()>(|line| {
            let (is_exception, pattern) = negation(line);
            if is_pattern(line) && counts(line) && wildmat(pattern, text) {
                last = (!is_exception).then(|| line.to_vec());
            }
            None
        })?;
        Ok(last)
    }

    /// The first line whose expression is found in `text`, or with `!` is not. `complain` hears once
    /// about each line that is no expression: it never hits.
    pub(super) fn expression(
        &mut self,
        text: &[u8],
        mut complain: impl FnMut(Vec<u8>),
    ) -> io::Result<Option<Vec<u8>>> {
        if !self.is_compiled {
            self.compile()?;
        }
        let mut known = self.compiled.iter();
        let complains = !self.has_complained;
        let mut hits = |line: &[u8], expression: &Result<Expression, &'static str>| match expression
        {
            Ok(expression) => expression.is_in(text) != negation(line).0,
            Err(error) => {
                if complains {
                    complain(complaint(text, line, error));
                }
                false
            }
        };
        let found = self.list.find(|line| {
            let hit = match known.next() {
                Some(expression) => hits(line, expression),
                None => hits(line, &Expression::new(negation(line).1)),
            };
            hit.then(|| line.to_vec())
        })?;
        self.has_complained = true;
        Ok(found)
    }

    fn compile(&mut self) -> io::Result<()> {
        let compiled = &mut self.compiled;
        self.list.find(|line| {
            if compiled.len() >= MOST_COMPILED {
                return Some(());
            }
            compiled.push(Expression::new(negation(line).1));
            None
        })?;
        self.is_compiled = true;
        Ok(())
    }
}

fn negation(line: &[u8]) -> (bool, &[u8]) {
    match line.strip_prefix(b"!") {
        Some(rest) => (true, rest),
        None => (false, line),
    }
}

fn complaint(text: &[u8], line: &[u8], error: &str) -> Vec<u8> {
    let expression = negation(line).1;
    [
        &printable(text, 1000),
        b": ".as_slice(),
        &printable(expression, 1000),
        b": ",
        error.as_bytes(),
    ]
    .concat()
}
