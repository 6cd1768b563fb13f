//! The messages of a session: a list that does not change, and which of them are to be deleted.

use std::ffi::OsStr;
use std::num::NonZeroU64;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::unique_id::unique_id;

/// The messages, oldest first.
#[derive(Debug)]
pub(crate) struct Mailbox {
    messages: Vec<Message>,
}

/// A message.
#[derive(Debug)]
pub(crate) struct Message {
    path: Box<[u8]>,
    size: u64,
    /// Nanoseconds since 1970.
    modified: i64,
    /// Octets when it is sent, if they have been counted.
    sent: Option<NonZeroU64>,
    /// Only if the name of the file does not serve as one: few have it, so it takes little room.
    #[expect(clippy::box_collection, reason = "there are many messages, and few that have it")]
    id: Option<Box<String>>,
    /// Whether all was done to find out what is sent.
    measured: bool,
    shares_stem: bool,
    deleted: bool,
}

impl Mailbox {
    /// Puts messages in order: by time, and then by name, so that it is the same in each session.
    pub(crate) fn new(mut messages: Vec<Message>) -> Self {
        messages.sort_unstable_by(|a, b| {
            a.age().cmp(&b.age()).then_with(|| name(&a.path).cmp(name(&b.path)))
        });
        tell_copies_apart(&mut messages);
        Self { messages }
    }

    /// Notes what is sent of the messages that a session before has counted: entries come in the
    /// order of messages here. Those that are none any more are passed over.
    pub(crate) fn recall(&mut self, entries: impl Iterator<Item = Message>) {
        let mut start = 0;
        for entry in entries {
            let rest = self.messages.get_mut(start..).unwrap_or_default();
            start += rest.partition_point(|message| message.age() < entry.age());
            let rest = self.messages.get_mut(start..).unwrap_or_default();
            let same = rest.iter_mut().take_while(|message| message.age() == entry.age());
            for message in same.filter(|message| message.size == entry.size) {
                message.sent = entry.sent;
                message.measured = entry.sent.is_some();
            }
        }
    }

    /// Notes where messages are now: others who use the maildir change flags, and move messages from
    /// `new` to `cur`. Paths of files that are no messages here are passed over. Returns whether
    /// there was anything to note.
    pub(crate) fn relocate(&mut self, paths: impl Iterator<Item = Vec<u8>>) -> bool {
        let mut order: Vec<usize> = (0..self.messages.len()).collect();
        let stem_of = |index: &usize| self.messages.get(*index).map(|it| stem(&it.path));
        order.sort_unstable_by(|a, b| stem_of(a).cmp(&stem_of(b)));
        let mut moved = false;
        for path in paths {
            let place = order.partition_point(|index| {
                self.messages.get(*index).is_some_and(|it| stem(&it.path) < stem(&path))
            });
            let Some(message) = order.get(place).and_then(|index| self.messages.get_mut(*index))
            else {
                continue;
            };
            // Of several that share a stem nobody knows which is which.
            let is_it = stem(&message.path) == stem(&path) && !message.shares_stem;
            if is_it && *message.path != *path {
                message.path = path.into();
                moved = true;
            }
        }
        moved
    }

    /// The message of this index, deleted or not.
    pub(crate) fn get(&self, index: usize) -> Option<&Message> {
        self.messages.get(index)
    }

    /// The messages that are not deleted and of which only the size on the disk is known.
    pub(crate) fn unmeasured(&self) -> Vec<usize> {
        let unmeasured = self.present().filter(|(_, message)| !message.measured);
        unmeasured.map(|(index, _)| index).collect()
    }

    /// Notes how large a message is when it is sent; `None` if that cannot be found out.
    pub(crate) fn measure(&mut self, index: usize, size: Option<u64>) {
        if let Some(message) = self.messages.get_mut(index) {
            message.sent = size.and_then(NonZeroU64::new);
            message.measured = true;
        }
    }

    /// How many messages there are of which it is known what is sent.
    pub(crate) fn counted(&self) -> usize {
        self.messages.iter().filter(|message| message.sent.is_some()).count()
    }

    /// Marks a message.
    pub(crate) fn delete(&mut self, index: usize) {
        if let Some(message) = self.messages.get_mut(index) {
            message.deleted = true;
        }
    }

    /// Takes all marks back.
    pub(crate) fn undelete(&mut self) {
        for message in &mut self.messages {
            message.deleted = false;
        }
    }

    /// All messages, deleted or not.
    pub(crate) fn all(&self) -> &[Message] {
        &self.messages
    }

    /// The messages that are not deleted, and their indices.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, &Message)> {
        self.messages.iter().enumerate().filter(|(_, message)| !message.deleted)
    }
}

impl Message {
    /// One that was found at `new/NAME` or `cur/NAME`, with so many bytes, and changed last at this
    /// time, in nanoseconds since 1970.
    pub(crate) fn new(path: Box<[u8]>, size: u64, modified: i64) -> Self {
        let id = unique_id(stem(&path), 0).map(Box::new);
        let [measured, shares_stem, deleted] = [false; 3];
        Self { path, size, modified, sent: None, id, measured, shares_stem, deleted }
    }

    /// The same, of which it is known what is sent.
    pub(crate) fn with_sent(self, sent: Option<NonZeroU64>) -> Self {
        Self { sent, measured: sent.is_some(), ..self }
    }

    /// Its file, below the maildir.
    pub(crate) fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// Its octets when it is sent, once they have been counted; until then, those on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.sent.map_or(self.size, NonZeroU64::get)
    }

    /// Its octets when it is sent, if they have been counted.
    pub(crate) fn sent(&self) -> Option<NonZeroU64> {
        self.sent
    }

    /// The bytes of its file.
    pub(crate) fn size_on_disk(&self) -> u64 {
        self.size
    }

    /// When its file was changed last, in nanoseconds since 1970.
    pub(crate) fn modified(&self) -> i64 {
        self.modified
    }

    /// Whether its octets have been counted.
    pub(crate) fn is_measured(&self) -> bool {
        self.measured
    }

    /// What its name says of its octets with CR LF, as some that deliver to maildirs write it.
    pub(crate) fn size_in_name(&self) -> Option<u64> {
        let fields = stem(&self.path).split(|byte| *byte == b',').skip(1);
        let digits = fields.filter_map(|field| field.strip_prefix(b"W=")).next()?;
        let size = std::str::from_utf8(digits).ok()?.parse().ok()?;
        // It cannot be smaller than the file.
        (size >= self.size && !self.measured).then_some(size)
    }

    /// Its unique id.
    pub(crate) fn id(&self) -> &[u8] {
        self.id.as_deref().map_or_else(|| stem(&self.path), |id| id.as_bytes())
    }

    /// What puts it in order. Neither flags nor the directory count, for they may change.
    fn age(&self) -> (i64, &[u8]) {
        (self.modified, stem(&self.path))
    }

    /// Whether it is to be deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// Where a message goes that has been seen in `new`; `None` if it stays where it is, for
    /// instance because it might replace another.
    pub(crate) fn seen_path(&self) -> Option<Vec<u8>> {
        let name = self.path.strip_prefix(b"new/").filter(|_| !self.shares_stem)?;
        Some([b"cur/", name, b":2,"].concat())
    }
}

fn name(path: &[u8]) -> &[u8] {
    path.get(4..).unwrap_or_default()
}

/// The name without flags: it stays the same when the message moves from `new` to `cur`.
fn stem(path: &[u8]) -> &[u8] {
    name(path).split(|byte| *byte == b':').next().unwrap_or_default()
}

/// Files in `new` and `cur`, or with other flags, may share a stem: all but the first get an id of
/// their own.
fn tell_copies_apart(messages: &mut [Message]) {
    let mut order: Vec<usize> = (0..messages.len()).collect();
    let key =
        |index: &usize| messages.get(*index).map(|message| (stem(&message.path), &message.path));
    order.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    let stem_of = |index: &usize| messages.get(*index).map(|message| stem(&message.path));
    let groups: Vec<Vec<usize>> = order
        .chunk_by(|a, b| stem_of(a) == stem_of(b))
        .filter(|group| group.len() > 1)
        .map(<[usize]>::to_vec)
        .collect();
    for (copy, index) in groups.iter().flat_map(|group| group.iter().enumerate()) {
        if let Some(message) = messages.get_mut(*index) {
            message.shares_stem = true;
            message.id = unique_id(stem(&message.path), copy).map(Box::new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, modified: i64) -> Message {
        Message::new(path.as_bytes().into(), 1, modified)
    }

    fn paths(mailbox: &Mailbox) -> Vec<&str> {
        mailbox.all().iter().map(|message| message.path().to_str().unwrap()).collect()
    }

    #[test]
    fn messages_are_in_order_of_time_and_then_of_name() {
        let mailbox = Mailbox::new(vec![
            found("new/b", 20),
            found("new/c", 15),
            found("cur/a:2,S", 20),
            found("cur/d:2,", 14),
        ]);
        assert_eq!(paths(&mailbox), ["cur/d:2,", "new/c", "cur/a:2,S", "new/b"]);
    }

    #[test]
    fn ids_survive_the_move_from_new_to_cur() {
        let mailbox = Mailbox::new(vec![found("new/1.x", 10), found("cur/2.x:2,RS", 20)]);
        let ids: Vec<&[u8]> = mailbox.all().iter().map(Message::id).collect();
        assert_eq!(ids, [b"1.x", b"2.x"]);
    }

    #[test]
    fn files_with_one_stem_have_two_ids_and_do_not_replace_each_other() {
        let mailbox =
            Mailbox::new(vec![found("new/a", 10), found("cur/a:2,", 10), found("new/b", 10)]);
        let ids: Vec<&[u8]> = mailbox.all().iter().map(Message::id).collect();
        assert_eq!(paths(&mailbox), ["new/a", "cur/a:2,", "new/b"]);
        assert_eq!((ids[0].len(), ids[1], ids[2]), (32, &b"a"[..], &b"b"[..]));
        let seen: Vec<_> = mailbox.all().iter().map(Message::seen_path).collect();
        assert_eq!(seen, [None, None, Some(b"cur/b:2,".to_vec())]);
    }

    #[test]
    fn a_size_in_the_name_is_believed_if_it_can_be() {
        let size = |path: &str| Mailbox::new(vec![found(path, 10)]).all()[0].size_in_name();
        assert_eq!(size("cur/1.x,S=5,W=77:2,S"), Some(77));
        for path in
            ["new/1.x", "new/1.x,W=0", "new/1.x,W=", "new/1.x,W=7x", "new/W=7", "cur/1:2,W=7"]
        {
            assert_eq!(size(path), None, "{path}");
        }
    }

    #[test]
    fn a_message_is_measured_once() {
        let mut mailbox = Mailbox::new(vec![found("new/a", 10), found("new/b", 20)]);
        assert_eq!(mailbox.unmeasured(), [0, 1]);
        mailbox.measure(0, Some(9));
        mailbox.measure(1, None);
        assert_eq!(mailbox.unmeasured(), [0; 0]);
        assert_eq!((mailbox.all()[0].size(), mailbox.all()[1].size()), (9, 1));
    }

    #[test]
    fn deleted_messages_come_back() {
        let mut mailbox = Mailbox::new(vec![found("new/a", 10), found("new/b", 20)]);
        mailbox.delete(0);
        assert_eq!(mailbox.present().map(|(index, _)| index).collect::<Vec<_>>(), [1]);
        mailbox.undelete();
        assert_eq!(mailbox.present().count(), 2);
    }

    #[test]
    fn what_was_counted_before_is_known_of_the_same_messages() {
        let mut mailbox = Mailbox::new(vec![
            found("cur/a:2,S", 10),
            found("new/b", 20),
            found("new/c", 20),
            found("new/d", 30),
            found("new/e", 40),
        ]);
        let sent =
            |path: &str, modified, sent| found(path, modified).with_sent(NonZeroU64::new(sent));
        let larger = Message::new(b"new/e"[..].into(), 2, 40).with_sent(NonZeroU64::new(9));
        let entries = [
            sent("new/gone", 5, 9),
            sent("new/a", 10, 11),
            sent("new/c", 20, 13),
            sent("new/x", 20, 9),
            sent("new/d", 31, 9),
            larger,
        ];
        mailbox.recall(entries.into_iter());
        let sizes: Vec<u64> = mailbox.all().iter().map(Message::size).collect();
        assert_eq!(sizes, [11, 1, 13, 1, 1]);
        assert_eq!(mailbox.unmeasured(), [1, 3, 4]);
    }

    #[test]
    fn messages_are_found_where_others_have_moved_them() {
        let mut mailbox = Mailbox::new(vec![
            found("new/a", 10),
            found("cur/b:2,", 20),
            found("cur/c:2,S", 30),
            found("new/twin", 40),
            found("cur/twin:2,", 50),
        ]);
        let now = ["cur/twin:2,S", "cur/b:2,FS", "cur/c:2,S", "new/other", "cur/a:2,"];
        let now = || now.iter().map(|path| path.as_bytes().to_vec());
        assert!(mailbox.relocate(now()));
        let expected = ["cur/a:2,", "cur/b:2,FS", "cur/c:2,S", "new/twin", "cur/twin:2,"];
        assert_eq!(paths(&mailbox), expected);
        assert!(!mailbox.relocate(now()));
    }
}
