//! What may be wrong with the contents of a message, as it comes by.

use std::io;
use std::path::Path;

use qmail_core::long_list::{Index, LongList};
use qmail_message::parts::{Line, Parts};
use qmail_wire::smtp_server::Reply;

use super::bad_types::BadTypes;
use super::signatures;
use crate::replies;
use crate::variables::Variables;

/// Looks for what is not wanted.
#[derive(Debug)]
pub(super) struct Contents {
    parts: Parts,
    signatures: Option<LongList>,
    types: BadTypes,
    /// What is said about the message; `Err` if a list could not be read.
    found: Result<Option<Reply>, Unreadable>,
}

/// A list could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Contents {
    /// The list in the file `signatures`, if there is one, and what the variables ask for.
    ///
    /// # Errors
    /// If a list is there but cannot be opened.
    pub(super) fn load(
        signatures: Option<&Path>,
        home: &Path,
        variables: &Variables,
        may_relay: bool,
    ) -> io::Result<Self> {
        let signatures = match signatures {
            Some(path) => LongList::open(path, Index::Ignored)?,
            None => None,
        };
        let types = BadTypes::load(home, variables, may_relay)?;
        Ok(Self { signatures, types, ..Self::none() })
    }

    /// Looks for nothing.
    pub(super) fn none() -> Self {
        Self {
            parts: Parts::default(),
            signatures: None,
            types: BadTypes::default(),
            found: Ok(None),
        }
    }

    /// Looks at the next block of the message, which has LF line ends.
    pub(super) fn look(&mut self, block: &[u8]) {
        let Self { parts, signatures, types, found } = self;
        if (signatures.is_none() && types.is_idle()) || *found != Ok(None) {
            return;
        }
        parts.look(block, |line| {
            if *found == Ok(None) {
                *found = objection(signatures.as_ref(), types, line).map_err(|_| Unreadable);
            }
        });
    }

    /// What is said about the message, if anything.
    pub(super) fn found(&self) -> Result<Option<&Reply>, Unreadable> {
        self.found.as_ref().map(Option::as_ref).map_err(|unreadable| *unreadable)
    }
}

fn objection(
    signatures: Option<&LongList>,
    types: &BadTypes,
    line: Line<'_>,
) -> io::Result<Option<Reply>> {
    if let Some(list) = signatures
        && signatures::hits(list, line)?
    {
        return Ok(Some(replies::EXECUTABLE));
    }
    Ok(types.hits(line)?.then_some(replies::INVALID_CONTENT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    const LIST: &str = "TVqQAAMAA\nTVpQAAIAA\n# zip\n#UEsDBBQAA\nTV**AkkA\n";

    fn found(message: &str) -> bool {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("signatures");
        File::create(&path).unwrap().write_all(LIST.as_bytes()).unwrap();
        let variables = Variables::none();
        let mut contents = Contents::load(Some(&path), home.path(), &variables, false).unwrap();
        message.as_bytes().chunks(7).for_each(|block| contents.look(block));
        match contents.found().unwrap() {
            None => false,
            Some(reply) => *reply == replies::EXECUTABLE,
        }
    }

    #[test]
    fn a_part_that_begins_with_a_signature_is_found() {
        let part = "Subject: x\n\ntext\n--b\nContent-Type: a/b\n\nTVqQAAMAAAAEAAAA\n--b--\n";
        assert!(found(part));
        assert!(found("Subject: x\n\nTVqQAAMAAx\n"));
        assert!(found("Subject: x\n\n\nTVxyAkkAzz\n"));
        assert!(found("A: x\n\n--b\nContent-Type: message/rfc822\n\nFrom: y\n\nTVpQAAIAA\n"));
    }

    #[test]
    fn elsewhere_and_otherwise_it_is_text() {
        assert!(!found("Subject: TVqQAAMAA\nTVqQAAMAA\n\ntext\nTVqQAAMAA\n\nTVqQAAMAA\n"));
        assert!(!found("Subject: x\n\ntvqqaamaa\n"));
        assert!(!found("Subject: x\n\nUEsDBBQAA\n"));
        assert!(!found("Subject: x\n\n TVqQAAMAA\n"));
        assert!(!found("Subject: x\n\nTVqQAA\n"));
    }
}
