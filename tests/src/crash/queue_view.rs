//! A queue, as its files tell it.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::disk::Disk;
use super::event::File;
use super::watch::Watch;

/// The files of one message, as far as they are there.
#[derive(Clone, Debug, Default)]
pub struct Files<'d> {
    /// The message.
    pub mess: Option<&'d [u8]>,
    /// Its envelope as it is written.
    pub intd: Option<&'d [u8]>,
    /// Its envelope.
    pub todo: Option<&'d [u8]>,
    /// Its sender.
    pub info: Option<&'d [u8]>,
    /// Recipients here.
    pub local: Option<&'d [u8]>,
    /// Recipients elsewhere.
    pub remote: Option<&'d [u8]>,
    /// What is to be said about failures.
    pub bounce: Option<&'d [u8]>,
}

/// All messages of a queue.
#[derive(Clone, Debug, Default)]
pub struct QueueView<'d> {
    /// By their numbers.
    pub messages: BTreeMap<u64, Files<'d>>,
    /// Files in `pid/`.
    pub unnumbered: usize,
}

/// In which state a message is: docs/ARCHITECTURE.md, The queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being written, or litter.
    Litter,
    /// Queued.
    Queued,
    /// Sorted.
    Sorted,
    /// Files of a message that are of no use alone.
    Orphans,
}

impl Files<'_> {
    /// In which state the message is.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.mess, self.todo, self.info) {
            (_, Some(_), _) => State::Queued,
            (_, None, Some(_)) => State::Sorted,
            (Some(_), None, None) if self.others() == 0 => State::Litter,
            (_, None, None) => State::Orphans,
        }
    }

    fn others(&self) -> usize {
        [self.local, self.remote, self.bounce].iter().flatten().count()
    }
}

/// Where the parts of a queue are.
#[derive(Clone, Debug)]
pub struct Layout {
    parts: Vec<(File, String)>,
}

impl Layout {
    /// Of the queue at this path, which is watched.
    #[must_use]
    pub fn of(queue: &Path, watch: &Watch, disk: &Disk) -> Self {
        let part = |directory: File| {
            let path = watch.path(directory)?.strip_prefix(queue).ok()?;
            let Some(Component::Normal(part)) = path.components().next() else { return None };
            Some((directory, part.to_string_lossy().into_owned()))
        };
        Self { parts: disk.directories().filter_map(part).collect() }
    }

    /// What is in the queue.
    #[must_use]
    pub fn view<'d>(&self, disk: &'d Disk) -> QueueView<'d> {
        let mut view = QueueView::default();
        for (directory, part) in &self.parts {
            for (name, file) in disk.names(*directory) {
                if disk.is_directory(file) {
                    continue;
                }
                if part == "pid" {
                    view.unnumbered += 1;
                }
                let number = name.to_str().and_then(|name| name.parse().ok());
                let Some(number) = number.filter(|_| part != "pid" && part != "lock") else {
                    continue;
                };
                let content = Some(disk.content(file));
                let files = view.messages.entry(number).or_default();
                match part.as_str() {
                    "mess" => files.mess = content,
                    "intd" => files.intd = content,
                    "todo" => files.todo = content,
                    "info" => files.info = content,
                    "local" => files.local = content,
                    "remote" => files.remote = content,
                    "bounce" => files.bounce = content,
                    other => panic!("the queue has a part {other}"),
                }
            }
        }
        view
    }
}

/// The records of a file: a letter and a value each. None if it is torn.
#[must_use]
pub fn records(content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let content = match content {
        [] => return Some(Vec::new()),
        [records @ .., 0] => records,
        _ => return None,
    };
    content.split(|byte| *byte == 0).map(|record| Some((*record.first()?, &record[1..]))).collect()
}

/// Whether this is an envelope that can be read.
#[must_use]
pub fn is_envelope(content: &[u8]) -> bool {
    let Some(records) = records(content) else { return false };
    let letters: Vec<u8> = records.iter().map(|(letter, _)| *letter).collect();
    letters.starts_with(b"upF") && letters[3..].iter().all(|letter| *letter == b'T')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_envelopes_are_none() {
        assert!(is_envelope(b"u1\0p2\0F\0Ta@b\0"));
        for torn in
            [&b""[..], b"u1\0p2\0", b"u1\0p2\0F\0Ta@", b"\0\0\0\0", b"u1\0p2\0F\0Ta@b\0\0\0"]
        {
            assert!(!is_envelope(torn), "{torn:?}");
        }
    }

    #[test]
    fn files_tell_the_state() {
        let there = Some(&b""[..]);
        let files = Files { mess: there, ..Files::default() };
        assert_eq!(files.state(), State::Litter);
        assert_eq!(Files { todo: there, ..files.clone() }.state(), State::Queued);
        assert_eq!(Files { info: there, ..files.clone() }.state(), State::Sorted);
        assert_eq!(Files { bounce: there, ..files }.state(), State::Orphans);
    }
}
