//! A test user and his mail.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use crate::accounts::Identity;
use crate::files;
use crate::maildir::Maildir;

/// Somebody who gets mail.
#[derive(Clone, Debug)]
pub struct User {
    name: &'static str,
    home: PathBuf,
    stem: String,
    identity: Identity,
}

impl User {
    pub(crate) fn with_home(name: &'static str, home: PathBuf, identity: Identity) -> Self {
        Self { name, home, stem: ".qmail".to_owned(), identity }
    }

    pub(crate) fn of_alias(name: &'static str, home: PathBuf, identity: Identity) -> Self {
        Self { name, home, stem: format!(".qmail-{name}"), identity }
    }

    /// The local part of his address.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// His address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}@test.example", self.name)
    }

    /// Where his mail is, as the test and as programs see it.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Who he is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The file with the instructions for `name` itself (`""`) or an extension (`"-ext"`).
    #[must_use]
    pub fn dot_qmail(&self, extension: &str) -> PathBuf {
        self.home.join(format!("{}{extension}", self.stem))
    }

    /// Writes instructions; see [`Self::dot_qmail`].
    pub fn instruct(&self, extension: &str, instructions: impl AsRef<[u8]>) {
        let file = self.dot_qmail(extension);
        files::write(&file, instructions);
        self.own(&file);
    }

    /// Writes a file of his.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let file = self.home.join(name);
        files::write(&file, content);
        self.own(&file);
    }

    /// Reads a file of his.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&files::read(&self.home.join(name))).into_owned()
    }

    /// Makes a directory of his.
    pub fn make_directory(&self, name: &str) {
        let directory = self.home.join(name);
        fs::create_dir(&directory).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.own(&directory);
    }

    /// Makes a Maildir of his.
    #[must_use]
    pub fn make_maildir(&self, name: &str) -> Maildir {
        self.make_directory(name);
        for part in ["tmp", "new", "cur"] {
            self.make_directory(&format!("{name}/{part}"));
        }
        Maildir::at(self.home.join(name))
    }

    /// Has his mail delivered to a Maildir, by his instructions.
    #[must_use]
    pub fn uses_maildir(&self) -> Maildir {
        let name = format!("{}-maildir", self.name);
        self.instruct("", format!("./{name}/\n"));
        self.make_maildir(&name)
    }

    fn own(&self, path: &Path) {
        let Identity { uid, gid } = self.identity;
        chown(path, Some(uid), Some(gid)).unwrap_or_else(|error| panic!("{error}"));
    }
}
