//! Records of programs that are wrong: does the law notice?
//!
//! Leaving a sync out of a record, or letting a step come too early, is what a program without that
//! sync or with these steps swapped would have done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::event::{Change, Deed, Event, File};
use super::recorder::Record;

/// Which call is not made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Omission {
    /// Whose it is.
    pub program: String,
    /// What it syncs, as part of the queue or of a home directory.
    pub what: String,
}

/// Everything that is synced in a record, each kind once.
#[must_use]
pub fn syncs(record: &Record) -> Vec<Omission> {
    let each = |event| synced(event).into_iter().map(move |file| (event, file));
    let all = record.events.iter().flat_map(each);
    let all: BTreeSet<_> = all.filter_map(|(event, file)| omission(record, event, file)).collect();
    all.into_iter().collect()
}

/// The record of a program that does not sync this.
#[must_use]
pub fn without(record: &Record, omitted: &Omission) -> Record {
    let mut mutant = record.clone();
    mutant.events.retain_mut(|event| {
        let by = event.clone();
        let is_it = |file: File| omission(record, &by, file).as_ref() == Some(omitted);
        match &mut event.deed {
            Deed::Disk(Change::Sync(file) | Change::WriteOut(file)) => !is_it(*file),
            // The others of its group are synced all the same.
            Deed::Disk(Change::SyncsEnded(tickets)) => {
                tickets.retain(|ticket| !is_it(ticket.file));
                true
            }
            _ => true,
        }
    });
    mutant
}

/// What is safe after this, or safe before any later name.
fn synced(event: &Event) -> Vec<File> {
    match &event.deed {
        Deed::Disk(Change::Sync(file) | Change::WriteOut(file)) => vec![*file],
        Deed::Disk(Change::SyncsEnded(tickets)) => {
            tickets.iter().map(|ticket| ticket.file).collect()
        }
        _ => Vec::new(),
    }
}

fn omission(record: &Record, event: &Event, file: File) -> Option<Omission> {
    let what = match record.watch.path(file) {
        Some(path) => format!("the directory {}", kind(path)),
        None => format!("a file in {}", kind(&record.directory_of(file)?)),
    };
    Some(Omission { program: event.process.name.to_string(), what })
}

/// `mess/7` is one of many.
fn kind(path: &Path) -> String {
    let words = path.components().map(|word| word.as_os_str().to_string_lossy().into_owned());
    let words: Vec<String> = words.filter(|word| word.parse::<u64>().is_err()).collect();
    words[words.len().saturating_sub(2)..].join("/")
}

impl Record {
    /// The directory in which a file got its first name.
    fn directory_of(&self, file: File) -> Option<PathBuf> {
        let made = self.events.iter().find_map(|event| match &event.deed {
            Deed::Disk(Change::Make(name, made)) if *made == file => Some(name.directory),
            _ => None,
        });
        self.watch.path(made?).map(Path::to_owned)
    }
}

/// A step of a program.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Whose.
    pub program: &'static str,
    /// What he does.
    pub does: Does,
    /// In which part of the queue, or directory of a home.
    pub place: &'static str,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// A further name appears in the directory.
    Link,
    /// A name goes from the directory.
    Remove,
    /// What is in a file that was made there is safe.
    SyncFile,
    /// The names in it are safe.
    SyncNames,
    /// A recipient is marked in a file that was made there.
    Mark,
}

/// The records of a program, or of two, where the second step comes before the first: one for each
/// time that the first is done, since only one of these may be about the same message.
#[must_use]
pub fn swapped(record: &Record, first: Step, second: Step) -> Vec<Record> {
    let mut mutants = Vec::new();
    for (early, event) in record.events.iter().enumerate() {
        let mut after = record.events[early..].iter();
        let late = after.position(|event| second.is(record, event));
        if let (true, Some(late)) = (first.is(record, event), late) {
            let mut mutant = record.clone();
            let step = mutant.events.remove(early + late);
            mutant.events.insert(early, step);
            mutants.push(mutant);
        }
    }
    mutants
}

impl Step {
    fn is(self, record: &Record, event: &Event) -> bool {
        let Deed::Disk(change) = &event.deed else { return false };
        let directory = |file: File| record.watch.path(file).map(Path::to_owned);
        let sync = |file: File| match directory(file) {
            Some(path) => (Does::SyncNames, Some(path)),
            None => (Does::SyncFile, record.directory_of(file)),
        };
        let all = match change {
            Change::Link(name, _) => vec![(Does::Link, directory(name.directory))],
            Change::Remove(name) => vec![(Does::Remove, directory(name.directory))],
            Change::Write(file, _, bytes) if bytes == b"D" => {
                vec![(Does::Mark, record.directory_of(*file))]
            }
            _ => synced(event).into_iter().map(sync).collect(),
        };
        let is_there = |place: &Option<PathBuf>| {
            place.as_ref().is_some_and(|path| kind(path).ends_with(self.place))
        };
        let is_it = all.iter().any(|(does, place)| *does == self.does && is_there(place));
        is_it && &*event.process.name == self.program
    }
}
