//! What a system call is going to do, found out before it does, and what it did.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use super::call::{Concern, Flags, Form, PathAt, form};
use super::event::{Change, Deed, File, Name};
use super::flight::{self, Request};
use super::recorder::Inner;
use super::tracee::Entry;

/// Output of processes is recorded so far only.
const LONGEST_WORDS: u64 = 4096;

/// What a call is going to do.
pub(crate) enum Intention {
    /// Nothing that is written down.
    Nothing,
    /// This, if it succeeds.
    Change(Change),
    /// To make a file, or empty it.
    Open { path: PathBuf, name: Name, make: bool },
    /// To make a directory.
    MakeDirectory { path: PathBuf, name: Name },
    /// To write; how much of it, its result tells.
    Write(File, u64, Vec<u8>),
    /// To ask for these; how many of them the kernel takes, its result tells.
    Submit(Vec<Request>),
    /// To hear what became of them.
    Outcomes,
    /// Something else than the disk.
    Deed(Deed),
    /// What we do not understand.
    Surprise,
}

impl Intention {
    /// Of a process that is about to do it.
    pub(crate) fn of(inner: &Inner, entry: &Entry) -> Self {
        intend(inner, entry)
    }

    /// What it is, for who decides about it.
    pub(crate) fn deed(&self, inner: &Inner, pid: Pid) -> Option<Deed> {
        const NONE_YET: File = File(u32::MAX);
        let change = match self {
            Self::Nothing | Self::Surprise => return None,
            Self::Deed(deed) => return Some(deed.clone()),
            Self::Change(change) => change.clone(),
            Self::Open { name, .. } => Change::Make(name.clone(), NONE_YET),
            Self::MakeDirectory { name, .. } => Change::MakeDirectory(name.clone(), NONE_YET),
            Self::Write(file, offset, bytes) => Change::Write(*file, *offset, bytes.clone()),
            Self::Submit(_) => Change::SyncsBegun(Vec::new()),
            Self::Outcomes => inner.flights.awaited(pid),
        };
        Some(Deed::Disk(change))
    }

    /// How many syncs it asks for, without waiting for them.
    pub(crate) fn syncs(&self) -> usize {
        if let Self::Submit(requests) = self { flight::syncs(requests) } else { 0 }
    }

    /// What it means that the call is not made, and returns this error.
    pub(crate) fn failed(&self, inner: &mut Inner, pid: Pid, errno: i32) -> Vec<Change> {
        match self {
            // A kernel that does not know it has not tried.
            Self::Change(Change::WriteOut(_)) if errno == libc::ENOSYS => Vec::new(),
            Self::Change(Change::Sync(file) | Change::WriteOut(file)) => {
                vec![Change::SyncFailed(*file)]
            }
            Self::Outcomes if errno != libc::EINTR => inner.flights.lose(pid),
            _ => Vec::new(),
        }
    }

    /// What has become of it, now that the call returns this.
    pub(crate) fn happened(
        self,
        inner: &mut Inner,
        entry: &Entry,
        result: i64,
        failing: Option<(usize, i32)>,
    ) -> Vec<Change> {
        let Ok(count) = u64::try_from(result) else { return Vec::new() };
        match self {
            Self::Change(change) => vec![change],
            Self::Open { path, name, make } => opened(inner, &path, name, make),
            Self::MakeDirectory { path, name } => {
                let metadata = fs::symlink_metadata(path).ok();
                let made = metadata.map(|metadata| inner.watch.add_directory(&metadata, &name));
                made.into_iter().map(|file| Change::MakeDirectory(name.clone(), file)).collect()
            }
            Self::Write(file, offset, mut bytes) => {
                bytes.truncate(usize::try_from(count).unwrap_or(usize::MAX));
                vec![Change::Write(file, offset, bytes)]
            }
            Self::Submit(mut requests) => {
                requests.truncate(usize::try_from(count).unwrap_or(usize::MAX));
                vec![inner.flights.begin(entry.pid, &requests, failing)]
            }
            Self::Outcomes => inner.flights.end(entry, count),
            Self::Nothing | Self::Deed(_) | Self::Surprise => Vec::new(),
        }
    }
}

fn opened(inner: &mut Inner, path: &Path, name: Name, make: bool) -> Vec<Change> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Vec::new() };
    let known = inner.watch.identify(&metadata);
    if !make {
        return known.into_iter().map(|file| Change::Resize(file, 0)).collect();
    }
    // It may have the number of one that was removed.
    let freed = known.map(|_| Change::NumberFree);
    let made = Change::Make(name, inner.watch.add(&metadata));
    freed.into_iter().chain([made]).collect()
}

fn intend(inner: &Inner, entry: &Entry) -> Intention {
    let change = match form(entry.number) {
        Form::Open(at, flags) => return open(inner, entry, at, flags),
        Form::MakeDirectory(at) => {
            return match named(inner, entry, at) {
                Some((path, name)) => Intention::MakeDirectory { path, name },
                None => Intention::Nothing,
            };
        }
        Form::Link(from, to) => entry
            .path(from)
            .and_then(|path| fs::symlink_metadata(path).ok())
            .and_then(|metadata| inner.watch.identify(&metadata))
            .and_then(|file| Some(Change::Link(named(inner, entry, to)?.1, file))),
        Form::Unlink(at) => named(inner, entry, at).map(|(_, name)| Change::Remove(name)),
        Form::Rename(from, to) => named(inner, entry, from)
            .and_then(|(_, from)| Some(Change::Move(from, named(inner, entry, to)?.1))),
        Form::Write { positioned } => {
            return write(inner, entry, positioned, |limit| {
                entry.bytes(entry.argument(1), entry.argument(2).min(limit))
            });
        }
        Form::WriteVector { positioned } => {
            return write(inner, entry, positioned, |_| {
                entry.vector(entry.argument(1), entry.argument(2))
            });
        }
        Form::Resize => {
            watched(inner, entry, 0).map(|file| Change::Resize(file, entry.argument(1)))
        }
        Form::Sync => watched(inner, entry, 0).map(Change::Sync),
        Form::WriteOut => written_out(inner, entry).map(Change::WriteOut),
        Form::SyncAll => Some(Change::SyncAll),
        Form::Submit => {
            let requests = flight::requests(entry, &inner.watch);
            let is_surprise = flight::has_writes(&requests);
            return if is_surprise { Intention::Surprise } else { Intention::Submit(requests) };
        }
        Form::Outcomes => return Intention::Outcomes,
        Form::Exit => return Intention::Deed(Deed::Exits(entry.descriptor(0))),
        Form::Unknown(concern) => return unknown(inner, entry, concern),
        Form::Attributes | Form::Other => None,
    };
    change.map_or(Intention::Nothing, Intention::Change)
}

fn open(inner: &Inner, entry: &Entry, at: PathAt, flags: Flags) -> Intention {
    let flags = match flags {
        Flags::Argument(number) => entry.descriptor(number),
        Flags::Create => libc::O_CREAT | libc::O_TRUNC,
    };
    if flags & (libc::O_CREAT | libc::O_TRUNC) == 0 {
        return Intention::Nothing;
    }
    let Some((path, name)) = named(inner, entry, at) else { return Intention::Nothing };
    if flags & libc::O_TMPFILE == libc::O_TMPFILE {
        return Intention::Surprise;
    }
    match fs::metadata(&path) {
        Err(_) => Intention::Open { path, name, make: true },
        Ok(metadata) if metadata.is_file() && flags & libc::O_TRUNC != 0 => {
            Intention::Open { path, name, make: false }
        }
        Ok(_) => Intention::Nothing,
    }
}

fn write(
    inner: &Inner,
    entry: &Entry,
    positioned: bool,
    bytes: impl FnOnce(u64) -> Vec<u8>,
) -> Intention {
    let descriptor = entry.descriptor(0);
    let Some(metadata) = entry.file(descriptor) else { return Intention::Nothing };
    if !metadata.is_file() {
        return Intention::Deed(Deed::Said(descriptor, bytes(LONGEST_WORDS)));
    }
    let Some(file) = inner.watch.identify(&metadata) else { return Intention::Nothing };
    let offset = if positioned { entry.argument(3) } else { entry.position(descriptor) };
    Intention::Write(file, offset, bytes(u64::MAX))
}

fn unknown(inner: &Inner, entry: &Entry, concern: Concern) -> Intention {
    let is_watched = match concern {
        Concern::Descriptor(number) => watched(inner, entry, number).is_some(),
        Concern::Path(at) => named(inner, entry, at).is_some(),
        Concern::Mapping => {
            let writes = entry.descriptor(2) & libc::PROT_WRITE != 0;
            let shares = entry.descriptor(3) & libc::MAP_SHARED != 0;
            writes && shares && watched(inner, entry, 4).is_some()
        }
        Concern::Everything => true,
    };
    if is_watched { Intention::Surprise } else { Intention::Nothing }
}

/// The watched file or directory behind a descriptor.
fn watched(inner: &Inner, entry: &Entry, argument: usize) -> Option<File> {
    inner.watch.identify(&entry.file(entry.descriptor(argument))?)
}

/// What is written out as a whole, and waited for. Anything less is a hint, and guarantees nothing.
fn written_out(inner: &Inner, entry: &Entry) -> Option<File> {
    const ALL: libc::c_uint = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let is_whole = entry.argument(1) == 0 && entry.argument(2) == 0;
    let is_waited_for = entry.argument(3) == u64::from(ALL);
    if is_whole && is_waited_for { watched(inner, entry, 0) } else { None }
}

/// A name in a watched directory.
fn named(inner: &Inner, entry: &Entry, at: PathAt) -> Option<(PathBuf, Name)> {
    let path = entry.path(at)?;
    let name = path.file_name()?.to_owned();
    let parent = fs::metadata(path.parent().unwrap_or(Path::new("/"))).ok()?;
    let directory = inner.watch.identify(&parent).filter(|file| inner.watch.is_directory(*file))?;
    Some((path, Name { directory, name }))
}
