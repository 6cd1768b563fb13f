//! What has arrived where.

use std::path::Path;

use super::disk::Disk;
use super::event::File;
use super::watch::Watch;

/// A place where mail arrives.
#[derive(Clone, Debug)]
pub enum Mailbox {
    /// The directory `new` of a Maildir, and `cur`.
    Maildir([File; 2]),
    /// A file of this name.
    Mbox(File, String),
}

impl Mailbox {
    /// The Maildir at this path, which is watched.
    #[must_use]
    pub fn maildir(path: &Path, watch: &Watch, disk: &Disk) -> Self {
        Self::Maildir(["new", "cur"].map(|part| find(&path.join(part), watch, disk)))
    }

    /// The mbox of this name in a watched directory; it need not be there.
    #[must_use]
    pub fn mbox(directory: &Path, name: &str, watch: &Watch, disk: &Disk) -> Self {
        Self::Mbox(find(directory, watch, disk), name.to_owned())
    }

    /// The texts in it: each message of a Maildir, or all of an mbox.
    #[must_use]
    pub fn texts<'d>(&self, disk: &'d Disk) -> Vec<&'d [u8]> {
        match self {
            Self::Maildir(parts) => {
                let files = parts.iter().flat_map(|part| disk.names(*part));
                files.map(|(_, file)| disk.content(file)).collect()
            }
            Self::Mbox(directory, name) => {
                let found = disk.names(*directory).find(|(known, _)| *known == name.as_str());
                found.map(|(_, file)| disk.content(file)).into_iter().collect()
            }
        }
    }

    /// Whether every text in it is one message, complete: of an mbox nobody can promise that.
    #[must_use]
    pub fn keeps_messages_apart(&self) -> bool {
        matches!(self, Self::Maildir(_))
    }
}

fn find(path: &Path, watch: &Watch, disk: &Disk) -> File {
    let mut directories = disk.directories();
    let found = directories.find(|directory| watch.path(*directory) == Some(path));
    found.unwrap_or_else(|| panic!("{} is not watched", path.display()))
}
