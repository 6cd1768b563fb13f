//! What a thing in a tree is, and with that how it comes about.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// What a row of the table, and what an item of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Made when missing.
    Directory,
    /// A program of this release: copied from where it was built.
    Program,
    /// Written: a script that starts qmail with this default delivery.
    Boot(&'static str),
    /// Written: the same, where what a user's `.forward` says comes first.
    ForwardingBoot(&'static str),
    /// Written: the numbers of the accounts.
    Ids,
    /// Written: a file of this release that only people read.
    Text(&'static str),
    /// Made when missing, and kept once it is there: so many zero bytes.
    Zeros(u64),
    /// Made when missing.
    Fifo,
    /// Written: a script, a unit or an example, with what depends on the tree filled in.
    Sample(&'static str),
}

impl What {
    /// Whether this is a file that each installation replaces.
    pub(crate) const fn is_replaced(self) -> bool {
        match self {
            Self::Program
            | Self::Boot(_)
            | Self::ForwardingBoot(_)
            | Self::Ids
            | Self::Text(_)
            | Self::Sample(_) => true,
            Self::Directory | Self::Zeros(_) | Self::Fifo => false,
        }
    }

    /// Whether this could be what is there.
    pub(crate) fn is_type_of(self, metadata: &Metadata) -> bool {
        match self {
            Self::Directory => metadata.is_dir(),
            Self::Fifo => metadata.file_type().is_fifo(),
            _ => metadata.is_file(),
        }
    }

    /// What keeps us from taking what is there for this.
    pub(crate) fn obstacle(self, metadata: &Metadata) -> Option<&'static str> {
        if !self.is_type_of(metadata) {
            return Some(match self {
                Self::Directory => "is not a directory",
                Self::Fifo => "is not a FIFO",
                _ => "is not a file",
            });
        }
        let has_others = !metadata.is_dir() && metadata.nlink() != 1;
        has_others.then_some("has other names, too")
    }
}
