//! The directories of a queue that hold the files of messages.

use std::fs;
use std::path::{Path, PathBuf};

use qmail_core::accounts::Role;
use qmail_core::queue::{QueueId, Todo};

use super::Shape;

/// How the files of an area are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// In parts.
    Split,
    /// As `todo` is.
    Envelopes,
    /// All in one directory.
    Flat,
}

/// What an area holds, which decides what a message without such a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    EnvelopeInProgress,
    Envelope,
    Info,
    Recipients,
    Bounce,
}

/// One directory with the files of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) owner: Role,
    /// Mode of the directory and its parts.
    pub(super) mode: u32,
    /// Mode of the files.
    pub(super) file_mode: u32,
    pub(super) spread: Spread,
}

impl Area {
    fn new(name: &str, kind: Kind, owner: Role, modes: [u32; 2], spread: Spread) -> Self {
        let [mode, file_mode] = modes;
        Self { name: name.to_owned(), kind, owner, mode, file_mode, spread }
    }

    /// Whether it has parts in a queue of this shape.
    pub(super) fn is_split(&self, shape: Shape) -> bool {
        match self.spread {
            Spread::Split => true,
            Spread::Envelopes => shape.todo == Todo::Hashed,
            Spread::Flat => false,
        }
    }

    /// The directory in which a message's file belongs, below the queue.
    pub(super) fn directory(&self, shape: Shape, id: QueueId) -> PathBuf {
        let part = id.as_u64().checked_rem(shape.split).filter(|_| self.is_split(shape));
        self.part(part)
    }

    /// A part, or the area itself.
    pub(super) fn part(&self, part: Option<u64>) -> PathBuf {
        let directory = PathBuf::from(&self.name);
        match part {
            Some(part) => directory.join(part.to_string()),
            None => directory,
        }
    }
}

/// The areas of the queue at `root`, the messages themselves first. A patched qmail has further
/// channels, `suppl0` and so on.
pub(super) fn areas(root: &Path) -> Vec<Area> {
    use Role::{Queue, Send};
    let recipients = |name| Area::new(name, Kind::Recipients, Send, [0o700, 0o600], Spread::Split);
    let mut areas = vec![
        Area::new("mess", Kind::Message, Queue, [0o750, 0o644], Spread::Split),
        Area::new("intd", Kind::EnvelopeInProgress, Queue, [0o700, 0o644], Spread::Envelopes),
        Area::new("todo", Kind::Envelope, Queue, [0o750, 0o644], Spread::Envelopes),
        Area::new("info", Kind::Info, Send, [0o700, 0o600], Spread::Split),
        recipients("local"),
        recipients("remote"),
        Area::new("bounce", Kind::Bounce, Send, [0o700, 0o600], Spread::Flat),
    ];
    let mut further: Vec<String> = names(root).into_iter().filter(|n| is_channel(n)).collect();
    further.sort();
    areas.extend(further.iter().map(|name| recipients(name)));
    areas
}

fn is_channel(name: &str) -> bool {
    name.strip_prefix("suppl").is_some_and(|number| QueueId::parse(number.as_bytes()).is_some())
}

fn names(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_where_the_shape_wants_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("suppl0")).unwrap();
        let areas = areas(root.path());
        let place = |name: &str, todo| {
            let area = areas.iter().find(|area| area.name == name).unwrap();
            area.directory(Shape { split: 23, todo }, QueueId::new(30))
        };
        assert_eq!(place("mess", Todo::Flat), Path::new("mess/7"));
        assert_eq!(place("suppl0", Todo::Flat), Path::new("suppl0/7"));
        assert_eq!(place("bounce", Todo::Hashed), Path::new("bounce"));
        assert_eq!(place("todo", Todo::Flat), Path::new("todo"));
        assert_eq!(place("todo", Todo::Hashed), Path::new("todo/7"));
    }
}
