//! A delivery that is running.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use qmail_sys::Exit;
use qmail_wire::spawn::Verdict;

use crate::Output;

/// Bytes that are taken in one turn: more than any pipe holds. Others want their turn.
const TURN: usize = 1 << 20;
/// Most deliveries say a few words and end at once: it takes one look to hear of both. What it says
/// in this time waits until its end, as far as there is room in the pipe.
const UNHEARD: Duration = Duration::from_secs(1);

pub(crate) struct Delivery<O> {
    /// `None` once nobody can write to it any more.
    report: Option<File>,
    output: O,
    exit: Option<Exit>,
    /// When it is listened to even if it has not ended.
    heard: Instant,
}

impl<O> Delivery<O> {
    pub(crate) fn ended(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    /// Whether there is nothing more to come.
    ///
    /// Quirk: what it has left in the background belongs to it until it has closed the report, as
    /// with netqmail: it may still have something to say, and would be killed by saying it to
    /// nobody. Pinned by `what_runs_in_the_background_belongs_to_the_delivery`.
    pub(crate) fn is_over(&self) -> bool {
        self.exit.is_some() && self.report.is_none()
    }

    /// What to wait for at this time.
    pub(crate) fn report(&self, now: Instant) -> Option<BorrowedFd<'_>> {
        let is_heard = self.exit.is_some() || self.heard <= now;
        self.report.as_ref().filter(|_| is_heard).map(AsFd::as_fd)
    }

    /// How long there is nothing to wait for.
    pub(crate) fn unheard(&self, now: Instant) -> Option<Duration> {
        self.heard.checked_duration_since(now).filter(|left| self.exit.is_none() && !left.is_zero())
    }
}

impl<O: Output> Delivery<O> {
    /// `report` does not block.
    pub(crate) fn new(report: OwnedFd) -> Self {
        let heard = Instant::now() + UNHEARD;
        Self { report: Some(File::from(report)), output: O::default(), exit: None, heard }
    }

    /// Takes what it has said until now.
    pub(crate) fn read(&mut self) {
        let Some(report) = &mut self.report else { return };
        let mut block = [0; 4096];
        let mut taken = 0;
        while taken < TURN {
            match report.read(&mut block) {
                Ok(length) if length > 0 => {
                    taken += length;
                    self.output.push(block.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => {
                    self.report = None;
                    return;
                }
            }
        }
    }

    /// What became of it; `None` before it has ended.
    pub(crate) fn finish(self) -> Option<(Verdict, Vec<u8>)> {
        self.exit.map(|exit| self.output.judge(exit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps everything.
    #[derive(Default)]
    struct All(Vec<u8>);

    impl Output for All {
        fn push(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }

        fn judge(self, _: Exit) -> (Verdict, Vec<u8>) {
            (Verdict::Success, self.0)
        }
    }

    #[test]
    fn a_delivery_is_listened_to_after_its_end_or_after_a_while() {
        let pipe = qmail_sys::pipe().unwrap();
        qmail_sys::set_nonblocking(&pipe.read).unwrap();
        let begin = Instant::now();
        let mut delivery = Delivery::<All>::new(pipe.read);
        let left = delivery.unheard(begin).unwrap();
        assert!(left >= UNHEARD && delivery.report(begin).is_none());
        let later = begin + left;
        assert!(delivery.report(later).is_some() && delivery.unheard(later).is_none());
        std::io::Write::write_all(&mut File::from(pipe.write), b"did it\n").unwrap();
        delivery.ended(Exit::Code(0));
        assert!(delivery.report(begin).is_some() && delivery.unheard(begin).is_none());
        assert!(!delivery.is_over());
        delivery.read();
        assert!(delivery.is_over());
        assert_eq!(delivery.finish(), Some((Verdict::Success, b"did it\n".to_vec())));
    }
}
