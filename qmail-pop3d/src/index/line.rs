//! The lines of the index: what they say, as text.

use std::num::NonZeroU64;

use crate::mailbox::Message;

/// What `new` and `cur` were when they were listed: as long as they are the same, so is the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Of `new`, and then of `cur`: the inode, and when it was changed last, in nanoseconds.
    pub(crate) directories: [(u64, i64); 2],
}

/// The first line: of which state the list is, if of any.
pub(super) fn first(state: Option<State>) -> String {
    let State { directories: [(new, new_changed), (cur, cur_changed)] } = state.unwrap_or_default();
    format!("qmail-pop3d 1 {new} {new_changed} {cur} {cur_changed}\n")
}

/// Reads the first line. None if this is no index; else the state, which may be that of no list.
pub(super) fn read_first(line: &[u8]) -> Option<State> {
    let rest = line.strip_prefix(b"qmail-pop3d 1 ")?.strip_suffix(b"\n")?;
    let mut words = rest.split(|byte| *byte == b' ');
    let directories = [
        (number(words.next()?)?, number(words.next()?)?),
        (number(words.next()?)?, number(words.next()?)?),
    ];
    words.next().is_none().then_some(State { directories })
}

/// The line of a message. A name with a line end in it has none.
pub(super) fn entry(message: &Message, line: &mut Vec<u8>) -> Option<()> {
    let path = message.path().as_os_str().as_encoded_bytes();
    let sent = message.sent().map_or(0, NonZeroU64::get);
    let numbers = format!("{} {} {sent} ", message.modified(), message.size_on_disk());
    line.extend_from_slice(numbers.as_bytes());
    line.extend_from_slice(path);
    line.push(b'\n');
    (!path.contains(&b'\n')).then_some(())
}

/// Reads the line of a message.
pub(super) fn read_entry(line: &[u8]) -> Option<Message> {
    let mut words = line.strip_suffix(b"\n")?.splitn(4, |byte| *byte == b' ');
    let modified = number(words.next()?)?;
    let size = number(words.next()?)?;
    let sent = number(words.next()?)?;
    let path = words.next().filter(|path| is_path(path))?;
    Some(Message::new(path.into(), size, modified).with_sent(NonZeroU64::new(sent)))
}

/// The last line: an index without it is not whole.
pub(super) const LAST: &[u8] = b"end\n";

/// Of a message in this maildir, and of nothing else.
fn is_path(path: &[u8]) -> bool {
    let name = path.strip_prefix(b"new/").or_else(|| path.strip_prefix(b"cur/"));
    name.is_some_and(|name| {
        !name.is_empty() && !name.starts_with(b".") && !name.contains(&b'/') && !name.contains(&0)
    })
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let state = State { directories: [(5, 17), (6, -18)] };
        assert_eq!(read_first(first(Some(state)).as_bytes()), Some(state));
        assert_eq!(read_first(first(None).as_bytes()), Some(State::default()));
        for (path, sent) in [("new/1.x", 0), ("cur/a b,\u{e9}:2,S", 77)] {
            let message = Message::new(path.as_bytes().into(), 70, -3);
            let message = message.with_sent(NonZeroU64::new(sent));
            let mut line = Vec::new();
            entry(&message, &mut line).unwrap();
            let read = read_entry(&line).unwrap();
            assert_eq!((read.path(), read.sent()), (message.path(), message.sent()));
            assert_eq!((read.size_on_disk(), read.modified()), (70, -3));
        }
    }

    #[test]
    fn a_name_with_a_line_end_has_no_line() {
        let message = Message::new(b"new/a\n1 2 3 new/b"[..].into(), 1, 1);
        assert!(entry(&message, &mut Vec::new()).is_none());
    }

    #[test]
    fn nothing_else_is_read() {
        for line in ["", "\n", "qmail-pop3d 2 1 2 3 4\n", "qmail-pop3d 1 1 2 3\n"] {
            assert_eq!(read_first(line.as_bytes()), None, "{line:?}");
        }
        for line in [
            "1 2 3 new/a",
            "1 2 3\n",
            "1 -2 3 new/a\n",
            "1 2 x new/a\n",
            "1 2 3 tmp/a\n",
            "1 2 3 new/\n",
            "1 2 3 new/.a\n",
            "1 2 3 new/../cur/a\n",
            "1 2 3 /etc/passwd\n",
            "1 2 3 new/a\0b\n",
            "99999999999999999999 2 3 new/a\n",
        ] {
            assert!(read_entry(line.as_bytes()).is_none(), "{line:?}");
        }
    }
}
