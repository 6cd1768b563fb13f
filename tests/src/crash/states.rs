//! In which states a disk can be when the power goes.
//!
//! What was synced is there. Of the rest anything may be, as far as the journal of the file system
//! lets it: see [`Journal`]. Where names keep their order, bytes that were written out and waited for
//! are there with each name that was made, or removed, later. Bytes of a file that were not synced may all be there, or none, or
//! some, or the file may have its new length and zeroes where the bytes should be.

use std::collections::{BTreeMap, BTreeSet};

use super::disk::Disk;
use super::event::{Change, File, Name, Ticket};
use super::random::Random;

/// What a file system promises about names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// They are on disk at once: FFS and ext2 with synchronous directories, for which qmail was
    /// written.
    Synchronous,
    /// They come to disk in the order in which they changed, and with whatever is synced after
    /// them: ext4, XFS.
    Ordered,
    /// Only those of a synced directory are safe, and all, when an inode number is given away again;
    /// of all others each may or may not have changed, and only the changes of one name keep their
    /// order. A renaming happens in both directories or in neither. This is all that POSIX promises,
    /// and what btrfs comes close to.
    Loose,
}

/// A disk, and the changes on their way to it.
#[derive(Clone, Debug)]
pub struct Pending {
    journal: Journal,
    durable: Disk,
    names: Vec<OnItsWay>,
    data: BTreeMap<File, Vec<OnItsWay>>,
    /// How many changes there have been.
    time: u64,
    /// When the syncs began that have not ended.
    begun: BTreeMap<Ticket, u64>,
}

/// A change that may not have come to disk.
#[derive(Clone, Debug)]
struct OnItsWay {
    change: Change,
    /// When it was made.
    time: u64,
    /// When it was written out: with any later name it comes to disk.
    written_out: Option<u64>,
    prospect: Prospect,
}

/// What a sync does for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prospect {
    /// It brings it to disk.
    Syncable,
    /// Nothing any more: one has failed.
    Doubtful,
    /// It is on disk, on top of doubtful ones.
    Safe,
}

/// What becomes of the unsynced bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    All,
    Lost,
    /// All but the last write.
    ButLast,
    /// Half of the last write is missing.
    Torn,
    /// The length is right, and the bytes are zero.
    Zeroes,
}

const FATES: [Fate; 5] = [Fate::All, Fate::Lost, Fate::ButLast, Fate::Torn, Fate::Zeroes];

/// With more changes on their way, pairs of them are not tried systematically.
const MOST_FOR_PAIRS: usize = 12;

/// So many sets of changes are drawn by lot.
const DRAWN: usize = 8;

impl Pending {
    /// Everything is on disk.
    #[must_use]
    pub fn nothing(journal: Journal, disk: Disk) -> Self {
        let (names, data, begun) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { journal, durable: disk, names, data, time: 0, begun }
    }

    /// One more change, or a sync.
    pub fn push(&mut self, change: &Change) {
        self.time += 1;
        match change {
            Change::Make(_, file) => {
                self.durable.add_file(*file, Vec::new());
                self.push_name(change);
            }
            Change::MakeDirectory(..) | Change::Link(..) | Change::Remove(_) | Change::Move(..) => {
                self.push_name(change);
            }
            Change::Write(file, ..) | Change::Resize(file, _) => {
                let change = self.on_its_way(change);
                self.data.entry(*file).or_default().push(change);
            }
            Change::Sync(file) => self.sync(*file, self.time),
            Change::WriteOut(file) => self.write_out(*file),
            Change::SyncsBegun(tickets) => {
                self.begun.extend(tickets.iter().map(|ticket| (*ticket, self.time)));
            }
            Change::SyncsEnded(tickets) => {
                for ticket in tickets {
                    if let Some(time) = self.begun.remove(ticket) {
                        self.sync(ticket.file, time);
                    }
                }
            }
            Change::SyncFailed(file) => self.doubt(*file),
            Change::NumberFree => {
                self.settle_names(|_| true);
                self.settle_bytes(self.time);
            }
            Change::SyncAll => {
                self.settle_names(|_| true);
                let files: Vec<File> = self.data.keys().copied().collect();
                files.into_iter().for_each(|file| self.sync_bytes(file, |_| true));
            }
        }
    }

    fn on_its_way(&self, change: &Change) -> OnItsWay {
        let (change, prospect) = (change.clone(), Prospect::Syncable);
        OnItsWay { change, time: self.time, written_out: None, prospect }
    }

    fn push_name(&mut self, change: &Change) {
        match self.journal {
            Journal::Synchronous => self.durable.apply(change),
            Journal::Ordered | Journal::Loose => {
                let change = self.on_its_way(change);
                self.names.push(change);
            }
        }
    }

    /// Syncs what was there at this time.
    fn sync(&mut self, file: File, time: u64) {
        self.sync_bytes(file, |one| one.time < time);
        let is_older = |one: &OnItsWay| one.time < time;
        match self.journal {
            Journal::Synchronous => self.settle_names(is_older),
            Journal::Ordered => {
                self.settle_names(is_older);
                self.settle_bytes(time);
            }
            Journal::Loose => self.settle_names(|one| {
                is_older(one) && names(&one.change).iter().any(|name| name.directory == file)
            }),
        }
    }

    /// Brings the first bytes of a file, those that are of this kind, to disk.
    fn sync_bytes(&mut self, file: File, is_it: impl Fn(&OnItsWay) -> bool) {
        let mut rest = self.data.remove(&file).unwrap_or_default();
        let is_doubtful = rest.iter().any(|one| one.prospect == Prospect::Doubtful);
        let older = rest.iter().take_while(|one| is_it(one)).count();
        if is_doubtful {
            let older = rest.iter_mut().take(older);
            let syncable = older.filter(|one| one.prospect == Prospect::Syncable);
            syncable.for_each(|one| one.prospect = Prospect::Safe);
        } else {
            rest.drain(..older).for_each(|one| self.durable.apply(&one.change));
        }
        if !rest.is_empty() {
            self.data.insert(file, rest);
        }
    }

    /// POSIX promises nothing for that: elsewhere it does nothing.
    fn write_out(&mut self, file: File) {
        if self.journal != Journal::Ordered {
            return;
        }
        let all = self.data.get_mut(&file).into_iter().flatten();
        let clean = all.filter(|one| one.prospect == Prospect::Syncable);
        for one in clean.filter(|one| one.written_out.is_none()) {
            one.written_out = Some(self.time);
        }
    }

    /// Of all files, what was written out before this time.
    fn settle_bytes(&mut self, time: u64) {
        let files: Vec<File> = self.data.keys().copied().collect();
        for file in files {
            self.sync_bytes(file, |one| one.written_out.is_some_and(|written| written < time));
        }
    }

    /// A journal that cannot be written takes no more: names are synced another time, or never.
    fn doubt(&mut self, file: File) {
        for one in self.data.get_mut(&file).into_iter().flatten() {
            if one.prospect == Prospect::Syncable {
                one.prospect = Prospect::Doubtful;
            }
        }
    }

    fn settle_names(&mut self, is_safe: impl Fn(&OnItsWay) -> bool) {
        for one in std::mem::take(&mut self.names) {
            if is_safe(&one) {
                self.durable.apply(&one.change);
            } else {
                self.names.push(one);
            }
        }
    }

    /// How many changes of names are on their way.
    #[must_use]
    pub fn names_on_their_way(&self) -> usize {
        self.names.len()
    }

    /// The disk as it may be now: in all the ways that are most likely to be wrong, and in at most
    /// so many others. Some may look the same.
    pub fn disks(&self, most: usize, random: &mut Random) -> Vec<Disk> {
        let (mut sets, others) = self.sets(random);
        let fates = self.fates();
        let first = sets.len();
        sets.extend(others);
        let is_chosen = |set: usize, fate: usize| set < first && is_uniform(&fates[fate]);
        let all = (0..sets.len()).flat_map(|set| (0..fates.len()).map(move |fate| (set, fate)));
        let mut choices: Vec<_> =
            all.clone().filter(|(set, fate)| is_chosen(*set, *fate)).collect();
        let others = sets.len() * fates.len() - choices.len();
        if others <= most {
            choices = all.collect();
        } else {
            let draw = |_| (random.below(sets.len()), random.below(fates.len()));
            choices.extend((0..most).map(draw));
        }
        choices.into_iter().map(|(set, fate)| self.disk(&sets[set], &fates[fate])).collect()
    }

    /// Which changes of names have come to disk: first the sets that come first to mind.
    fn sets(&self, random: &mut Random) -> (Vec<BTreeSet<usize>>, Vec<BTreeSet<usize>>) {
        let count = self.names.len();
        match self.journal {
            Journal::Synchronous | Journal::Ordered => {
                ((0..=count).map(|length| (0..length).collect()).collect(), Vec::new())
            }
            Journal::Loose => {
                let is_first = |set: &BTreeSet<usize>| set.len() <= 1 || set.len() + 1 >= count;
                self.subsets(random).into_iter().partition(is_first)
            }
        }
    }

    fn disk(&self, set: &BTreeSet<usize>, fates: &[Fate]) -> Disk {
        let mut disk = self.durable.clone();
        let mut latest = 0;
        for (number, one) in self.names.iter().enumerate() {
            if set.contains(&number) {
                disk.apply(&one.change);
                latest = one.time;
            }
        }
        let is_safe = |one: &OnItsWay| {
            let is_ahead = one.written_out.is_some_and(|written| written < latest);
            is_ahead || one.prospect == Prospect::Safe
        };
        for (changes, fate) in self.data.values().zip(fates) {
            befall(&mut disk, changes, *fate, is_safe);
        }
        disk
    }

    /// For each file with unsynced bytes its fate: all the same, and each file alone another.
    fn fates(&self) -> Vec<Vec<Fate>> {
        let files = self.data.len();
        let mut all: Vec<Vec<Fate>> = FATES.iter().map(|fate| vec![*fate; files]).collect();
        if files == 0 {
            all.truncate(1);
        }
        for alone in 0..if files > 1 { files } else { 0 } {
            for fate in &FATES[1..] {
                let mut fates = vec![Fate::All; files];
                fates[alone] = *fate;
                all.push(fates);
            }
            let mut fates = vec![Fate::Lost; files];
            fates[alone] = Fate::All;
            all.push(fates);
        }
        all
    }

    /// Which changes of names have come to disk.
    fn subsets(&self, random: &mut Random) -> Vec<BTreeSet<usize>> {
        let count = self.names.len();
        let mut sets = BTreeSet::new();
        let mut add = |set: BTreeSet<usize>| {
            let _ = sets.insert(self.in_order(set));
        };
        for length in 0..=count {
            add((0..length).collect());
            add((length..count).collect());
        }
        for one in 0..count {
            add(BTreeSet::from([one]));
            add((0..count).filter(|number| *number != one).collect());
        }
        if count <= MOST_FOR_PAIRS {
            for (one, other) in (0..count).flat_map(|one| (0..one).map(move |other| (one, other))) {
                add((0..count).filter(|number| *number != one && *number != other).collect());
                add(BTreeSet::from([one, other]));
            }
        }
        for _ in 0..DRAWN {
            add((0..count).filter(|_| random.below(2) == 0).collect());
        }
        sets.into_iter().collect()
    }

    /// Without changes that must have come after one that has not happened.
    fn in_order(&self, set: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut missing: BTreeSet<&Name> = BTreeSet::new();
        let mut kept = BTreeSet::new();
        for (number, one) in self.names.iter().enumerate() {
            let names = names(&one.change);
            if set.contains(&number) && !names.iter().any(|name| missing.contains(name)) {
                kept.insert(number);
            } else {
                missing.extend(names);
            }
        }
        kept
    }
}

/// Whether all files share one of the two fates that are the most likely.
fn is_uniform(fates: &[Fate]) -> bool {
    let Some(first) = fates.first() else { return true };
    matches!(first, Fate::All | Fate::Lost) && fates.iter().all(|fate| fate == first)
}

fn befall(disk: &mut Disk, changes: &[OnItsWay], fate: Fate, is_safe: impl Fn(&OnItsWay) -> bool) {
    let last = changes.iter().rposition(|one| !is_safe(one));
    for (number, one) in changes.iter().enumerate() {
        let (change, is_last) = (&one.change, Some(number) == last);
        match fate {
            _ if is_safe(one) => disk.apply(change),
            Fate::All => disk.apply(change),
            Fate::ButLast | Fate::Torn if !is_last => disk.apply(change),
            Fate::Torn => tear(disk, change),
            Fate::Zeroes => zero(disk, change),
            Fate::Lost | Fate::ButLast => {}
        }
    }
}

/// Does half of a write.
fn tear(disk: &mut Disk, change: &Change) {
    if let Change::Write(file, offset, bytes) = change {
        disk.apply(&Change::Write(*file, *offset, bytes[..bytes.len() / 2].to_vec()));
    }
}

/// Does a change as far as lengths go. What was in the file before keeps its old bytes.
fn zero(disk: &mut Disk, change: &Change) {
    let Change::Write(file, offset, bytes) = change else { return disk.apply(change) };
    let old = disk.content(*file).len() as u64;
    let new = old.max(offset + bytes.len() as u64);
    disk.apply(&Change::Resize(*file, new));
}

/// The names that a change is about.
fn names(change: &Change) -> Vec<&Name> {
    match change {
        Change::Make(name, _)
        | Change::MakeDirectory(name, _)
        | Change::Link(name, _)
        | Change::Remove(name) => vec![name],
        Change::Move(from, to) => vec![from, to],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
