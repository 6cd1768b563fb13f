//! What has to be moved: decisions only.
//!
//! A message's number is the inode of its file in `mess`. In a queue that was copied the names are
//! still the old ones, and an old number may well be the new one of another message. So all files of
//! a message first get a name that says both, which nobody else can have (`aside`), and only when
//! that is done for every message, their new one (`home`). A message's file in `mess` is the last
//! that steps aside and the first that comes home: whoever finds the work half done sees to whom
//! every other file belongs.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use qmail_core::queue::QueueId;

use super::Shape;
use super::areas::{Area, Kind};
use super::inventory::{Entry, Inventory, Name};

/// Where files go that belong to no message, or to one that cannot be delivered.
pub(super) const ORPHANS: &str = "orphans";

/// Why a file moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Its inode is this one.
    Inode(u64),
    /// It is in the wrong directory.
    Misplaced,
    /// No message has its number.
    NoMessage,
    /// It tells of failed recipients of a message that has not been tried.
    EarlyBounce,
    /// It has recipients, but nobody knows who sent it.
    NoSender,
    /// Another file of the same message is in its place.
    Twice,
}

/// A file that moves; both paths are below the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
    pub(super) why: Why,
}

/// Everything that has to be moved, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Out of the way.
    pub(super) orphans: Vec<Move>,
    /// Files of messages that get another number.
    pub(super) aside: Vec<Move>,
    /// The same, the message's own file.
    pub(super) aside_last: Vec<Move>,
    /// To the right place, the message's own file.
    pub(super) home_first: Vec<Move>,
    /// To the right place.
    pub(super) home: Vec<Move>,
}

impl Plan {
    pub(super) fn of(inventory: &Inventory, areas: &[Area], shape: Shape) -> Self {
        Planner { areas, shape, messages: Messages::of(inventory, areas, shape) }
            .plan(&inventory.entries)
    }

    /// The moves, in groups: one is on disk before the next begins.
    pub(super) fn groups(&self) -> [&[Move]; 5] {
        [&self.orphans, &self.aside, &self.aside_last, &self.home_first, &self.home]
    }

    pub(super) fn len(&self) -> usize {
        self.groups().iter().map(|group| group.len()).sum()
    }
}

/// Which message a name stands for.
#[derive(Default)]
struct Messages {
    /// Plain names, by the number that they should be.
    plain: HashMap<QueueId, QueueId>,
    /// Messages that are on their way, by the number that their name says.
    moving: HashMap<QueueId, QueueId>,
    /// Inodes of the files that are messages; others in `mess` are second ones of a name.
    inodes: HashSet<u64>,
    /// What there is of each, by the number that it should have.
    present: HashMap<QueueId, Present>,
}

/// What there is of a message beside itself.
#[derive(Clone, Copy, Default)]
struct Present {
    envelope: bool,
    info: bool,
    recipients: bool,
}

impl Messages {
    fn of(inventory: &Inventory, areas: &[Area], shape: Shape) -> Self {
        let mut messages = Self::default();
        let kind = |entry: &Entry| areas.get(entry.area).map(|area| area.kind);
        let mut own: Vec<&Entry> =
            inventory.entries.iter().filter(|e| kind(e) == Some(Kind::Message)).collect();
        // Of several with one name, the one that is what it says, then the one in its place.
        own.sort_by_key(|entry| entry_rank(entry, shape));
        for entry in own {
            messages.add(entry);
        }
        for entry in &inventory.entries {
            let Some(id) = messages.number(entry.name) else { continue };
            let present = messages.present.entry(id).or_default();
            match kind(entry) {
                Some(Kind::Envelope) => present.envelope = true,
                Some(Kind::Info) => present.info = true,
                Some(Kind::Recipients) => present.recipients = true,
                _ => {}
            }
        }
        messages
    }

    fn add(&mut self, entry: &Entry) {
        let id = QueueId::new(entry.inode);
        match entry.name {
            Name::Message(old) => {
                if self.plain.contains_key(&old) {
                    return;
                }
                self.plain.insert(old, id);
            }
            Name::Moving { to, .. } => {
                self.moving.insert(to, id);
            }
        }
        self.inodes.insert(entry.inode);
    }

    /// The number that the message with a file of this name should have.
    fn number(&self, name: Name) -> Option<QueueId> {
        match name {
            Name::Message(old) => self.plain.get(&old).copied(),
            Name::Moving { to, from } => self.number_on_the_way(to, from),
        }
    }
}

impl Messages {
    /// The same for a file that was on its way when the work ended early. The message itself may be
    /// ahead of it or behind it; and if the queue was copied since, is neither of the two numbers.
    fn number_on_the_way(&self, to: QueueId, from: QueueId) -> Option<QueueId> {
        let (arrived, waits) = (self.plain.get(&to).copied(), self.plain.get(&from).copied());
        let same_way = self.moving.get(&to).copied();
        same_way.or_else(|| [arrived, waits].into_iter().flatten().find(|id| *id == to)).or(match (
            arrived, waits,
        ) {
            (Some(_), Some(_)) => None,
            (one, other) => one.or(other),
        })
    }
}

fn entry_rank(entry: &Entry, shape: Shape) -> (bool, bool) {
    let Name::Message(id) = entry.name else { return (false, false) };
    let in_place = entry.part == id.as_u64().checked_rem(shape.split);
    (id.as_u64() != entry.inode, !in_place)
}

struct Planner<'a> {
    areas: &'a [Area],
    shape: Shape,
    messages: Messages,
}

impl Planner<'_> {
    fn plan(&self, entries: &[Entry]) -> Plan {
        let mut plan = Plan::default();
        let mut taken = HashSet::new();
        let mut entries: Vec<&Entry> = entries.iter().collect();
        // Of two files for one place, the one that is there already stays.
        entries.sort_by_key(|entry| !self.is_in_place(entry));
        for entry in entries {
            let Some(area) = self.areas.get(entry.area) else { continue };
            let id = match self.judge(entry, area) {
                Ok(id) if taken.insert((entry.area, id)) => id,
                Ok(_) => {
                    plan.orphans.push(self.orphan(entry, area, Why::Twice));
                    continue;
                }
                Err(why) => {
                    plan.orphans.push(self.orphan(entry, area, why));
                    continue;
                }
            };
            self.bring(entry, area, id, &mut plan);
        }
        plan
    }

    fn is_in_place(&self, entry: &Entry) -> bool {
        let Some(area) = self.areas.get(entry.area) else { return false };
        let home = self.messages.number(entry.name).map(|id| area.directory(self.shape, id));
        home == Some(area.part(entry.part))
    }

    /// The number that a file should have, or why it cannot stay.
    fn judge(&self, entry: &Entry, area: &Area) -> Result<QueueId, Why> {
        if area.kind == Kind::Message {
            if !self.messages.inodes.contains(&entry.inode) {
                return Err(Why::Twice);
            }
            let id = QueueId::new(entry.inode);
            return self.deliverable(id).map(|()| id);
        }
        let id = self.messages.number(entry.name).ok_or(Why::NoMessage)?;
        self.deliverable(id)?;
        let present = self.present(id);
        // Deliveries begin when the envelope is gone.
        if area.kind == Kind::Bounce && (present.envelope || !present.info) {
            return Err(Why::EarlyBounce);
        }
        Ok(id)
    }

    fn deliverable(&self, id: QueueId) -> Result<(), Why> {
        let present = self.present(id);
        let lost = present.recipients && !present.info && !present.envelope;
        if lost { Err(Why::NoSender) } else { Ok(()) }
    }

    fn present(&self, id: QueueId) -> Present {
        self.messages.present.get(&id).copied().unwrap_or_default()
    }

    /// Out of the way, under a name that says where it was.
    fn orphan(&self, entry: &Entry, area: &Area, why: Why) -> Move {
        let from = area.part(entry.part).join(entry.name.text());
        let inode = entry.inode;
        let to = format!("{ORPHANS}/{}.{}.{inode}", area.name, entry.name.text());
        Move { from, to: to.into(), why }
    }

    fn bring(&self, entry: &Entry, area: &Area, id: QueueId, plan: &mut Plan) {
        let directory = area.part(entry.part);
        let mut from = directory.join(entry.name.text());
        let home = area.directory(self.shape, id).join(id.to_string());
        if from == home {
            return;
        }
        let own = area.kind == Kind::Message;
        let mut why = Why::Misplaced;
        if entry.name != Name::Message(id) {
            why = Why::Inode(id.as_u64());
        }
        if let Name::Message(old) = entry.name
            && old != id
        {
            let to = directory.join(Name::Moving { to: id, from: old }.text());
            let group = if own { &mut plan.aside_last } else { &mut plan.aside };
            group.push(Move { from, to: to.clone(), why });
            from = to;
        }
        let group = if own { &mut plan.home_first } else { &mut plan.home };
        group.push(Move { from, to: home, why });
    }
}
