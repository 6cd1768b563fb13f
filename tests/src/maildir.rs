//! Reading a Maildir.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{files, wait};

/// A Maildir.
#[derive(Clone, Debug)]
pub struct Maildir(PathBuf);

impl Maildir {
    /// One that is there, or will be.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The new messages, in the order of their names.
    #[must_use]
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let new = self.0.join("new");
        // Somebody may be reading his mail.
        files::names(&new).iter().filter_map(|name| fs::read(new.join(name)).ok()).collect()
    }

    /// Waits until there are this many new messages.
    #[must_use]
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        wait::until(&format!("{count} messages in {}", self.0.display()), || {
            Some(self.messages()).filter(|messages| messages.len() >= count)
        })
    }

    /// The only message, as text.
    ///
    /// # Panics
    ///
    /// When there is another number of messages than one.
    #[must_use]
    pub fn only(&self) -> String {
        let messages = self.messages();
        assert_eq!(messages.len(), 1, "messages in {}", self.0.display());
        String::from_utf8_lossy(&messages[0]).into_owned()
    }

    /// The names in `new`, `cur` or `tmp`.
    #[must_use]
    pub fn names(&self, part: &str) -> Vec<String> {
        files::names(&self.0.join(part))
    }
}
