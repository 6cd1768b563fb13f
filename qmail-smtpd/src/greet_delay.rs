//! The greeting that comes late: machines that send spam do not wait for it.

use std::time::Duration;

use qmail_core::conversation::Lost;

use crate::broken::Broken;
use crate::channel::Connection;
use crate::printable::word;
use crate::replies;
use crate::visit::Visit;

/// A client that waits longer than this for a greeting gives up: RFC 5321 §4.5.3.2.1.
const LONGEST: u64 = 240;

/// How long the greeting waits, and what becomes of those who do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GreetDelay {
    seconds: u64,
    ends_early_talk: bool,
}

impl GreetDelay {
    /// `None` for no time at all.
    pub fn new(seconds: u64, ends_early_talk: bool) -> Option<Self> {
        let seconds = seconds.min(LONGEST);
        (seconds > 0).then_some(Self { seconds, ends_early_talk })
    }

    /// Lets the client wait.
    pub(crate) fn keep(self, connection: &mut Connection, visit: &mut Visit) -> Result<(), Broken> {
        visit.note(format!("GREETDELAY: {}s", self.seconds));
        let note = |what: &str| {
            [b"GREETDELAY from ", &*word(&visit.client.peer.remote_ip), b": ", what.as_bytes()]
                .concat()
        };
        let (early, gone) = (note("client sent data before greeting"), note("client disconnected"));
        let ignored = note("client sent data before greeting. ignoring");
        let time = Duration::from_secs(self.seconds);
        let waited = if self.ends_early_talk {
            connection.speaks_within(time)
        } else {
            connection.pause(time).and_then(|()| connection.speaks_within(Duration::ZERO))
        };
        match waited {
            Ok(false) => Ok(()),
            Ok(true) if self.ends_early_talk => {
                visit.note(early);
                Err(Broken::Disconnected(replies::EARLY_TALKER))
            }
            Ok(true) => {
                visit.note(ignored);
                Ok(connection.ignore_waiting()?)
            }
            Err(lost) => {
                if lost == Lost::Gone {
                    visit.note(gone);
                }
                Err(lost.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::variables::Variables;
    use qmail_core::conversation::Line;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn greet(ends: bool, client: impl FnOnce(UnixStream)) -> (Result<(), Broken>, Vec<String>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        client(theirs);
        let output = ours.try_clone().unwrap();
        let mut connection = Connection::over(ours.into(), output.into(), Duration::from_secs(60));
        let mut visit = Visit::new(Client::from_environment(&|_| None), Variables::none());
        let result = GreetDelay::new(1, ends).unwrap().keep(&mut connection, &mut visit);
        let notes = visit.take_notes().into_iter().map(|note| String::from_utf8(note).unwrap());
        (result, notes.collect())
    }

    #[test]
    fn early_talk_is_the_end_if_so_asked() {
        let (result, notes) = greet(true, |mut client| {
            client.write_all(b"EHLO x\r\n").unwrap();
            std::mem::forget(client);
        });
        assert_eq!(result, Err(Broken::Disconnected(replies::EARLY_TALKER)));
        assert_eq!(notes[1], "GREETDELAY from unknown: client sent data before greeting");
    }

    #[test]
    fn otherwise_it_is_not_heard() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let output = theirs.try_clone().unwrap();
        let mut connection =
            Connection::over(theirs.into(), output.into(), Duration::from_secs(60));
        ours.write_all(b"EHLO early\r\n").unwrap();
        let mut visit = Visit::new(Client::from_environment(&|_| None), Variables::none());
        let delay = GreetDelay::new(1, false).unwrap();
        assert_eq!(delay.keep(&mut connection, &mut visit), Ok(()));
        ours.write_all(b"late\n").unwrap();
        assert_eq!(connection.conversation().line(99), Ok(Line::Complete(b"late".to_vec())));
    }

    #[test]
    fn who_goes_is_noted() {
        let (result, notes) = greet(true, drop);
        assert_eq!(result, Err(Broken::Lost(Lost::Gone)));
        assert_eq!(notes, ["GREETDELAY: 1s", "GREETDELAY from unknown: client disconnected"]);
    }
}
