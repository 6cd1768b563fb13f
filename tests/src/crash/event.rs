//! What processes did, as a recorder saw it.

use std::ffi::OsString;
use std::sync::Arc;

/// A file or directory, as long as it exists: unlike an inode number never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct File(pub u32);

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The directory.
    pub directory: File,
    /// The last part of the path.
    pub name: OsString,
}

/// A sync that somebody does not wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// Different from all others.
    pub number: u64,
    /// What is synced.
    pub file: File,
}

/// One change of the disk, or one call that brings changes to it for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new, empty file.
    Make(Name, File),
    /// A new directory.
    MakeDirectory(Name, File),
    /// One more name for a file.
    Link(Name, File),
    /// One name less.
    Remove(Name),
    /// A file changes its name, and whatever had the new one loses it.
    Move(Name, Name),
    /// Bytes at an offset.
    Write(File, u64, Vec<u8>),
    /// Another length.
    Resize(File, u64),
    /// What is in a file, or which names are in a directory, is safe.
    Sync(File),
    /// What is in a file is on its way to disk ahead of names that are made later: wherever these keep
    /// their order, they are not there without it.
    WriteOut(File),
    /// Somebody has asked for syncs, and goes on meanwhile. Of what comes later they know nothing.
    SyncsBegun(Vec<Ticket>),
    /// He has been told that these are done: from now on it is as if each was a [`Change::Sync`] at
    /// the time when it began.
    SyncsEnded(Vec<Ticket>),
    /// He has been told that it could not be synced. The bytes count as clean from now on, and no
    /// later sync looks at them again: they may be on disk or not.
    SyncFailed(File),
    /// Everything is safe.
    SyncAll,
    /// Nothing that a program does: a new file is about to get the inode number of one that was
    /// removed. A file system does that only when the removal is safe.
    NumberFree,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// What it is called, at most 15 bytes of it.
    pub name: Arc<str>,
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Something with the disk.
    Disk(Change),
    /// He wrote to a pipe or connection. Not yet done: it is recorded before anybody can read it.
    Said(i32, Vec<u8>),
    /// He ended by himself, with this code. Not yet done, likewise.
    Exits(i32),
    /// We ended him.
    Killed,
    /// We let a call fail.
    Failed(i32),
    /// A signal that was not ours ended him.
    Crashed(i32),
}

/// Who did what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who.
    pub process: Process,
    /// What.
    pub deed: Deed,
}
