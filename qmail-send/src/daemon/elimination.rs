//! Finished messages: the sender hears of failures, then every trace is removed.

use qmail_core::queue::QueueId;

use super::Daemon;
use crate::cleaner::Cleaner;
use crate::files::{Standing, look, standing};
use crate::lines::{self, Trouble};
use crate::schedule::{AFTER_TROUBLE, Time};

/// Messages that are removed in a row; then the others have their turn.
const AT_ONCE: usize = 16;

/// What came of an attempt to remove a message.
enum Elimination {
    /// It is gone, or was not finished at all.
    Done,
    /// It is gone, and telling its sender took some time.
    Bounced,
    /// It has to be tried again; the log says why.
    Trouble,
}

impl Daemon {
    /// Removes finished messages, as long as qmail-clean can follow.
    pub(super) fn eliminate(&mut self, now: Time) {
        for _ in 0..AT_ONCE {
            if !self.cleaner.as_ref().is_some_and(Cleaner::is_ready) {
                return;
            }
            let Some(id) = self.scheduler.take_finished(now) else { return };
            match self.eliminate_one(id, now) {
                Elimination::Done => {}
                Elimination::Bounced => return,
                Elimination::Trouble => {
                    self.scheduler.add_finished(id, now.saturating_add(AFTER_TROUBLE));
                }
            }
        }
    }

    fn eliminate_one(&mut self, id: QueueId, now: Time) -> Elimination {
        let info = self.queue.info(id);
        let found = standing(&self.queue, id);
        let found = found.and_then(|standing| match look(&info) {
            Ok(file) => Ok(standing == Standing::Finished && file.is_some()),
            Err(_) => Err(info.clone()),
        });
        match found {
            Ok(true) => {}
            Ok(false) => return Elimination::Done,
            Err(path) => {
                self.warn(Trouble::StatRetry, &path);
                return Elimination::Trouble;
            }
        }
        let Ok(told) = self.tell_sender(id, now) else { return Elimination::Trouble };
        self.log.write(&lines::ended(id));
        match std::fs::remove_file(&info) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                self.warn(Trouble::UnlinkRetry, &info);
                return Elimination::Trouble;
            }
            _ => {}
        }
        if self.cleaner.as_mut().is_some_and(|cleaner| cleaner.remove(id, now).is_err()) {
            self.lose_cleaner();
        }
        if told { Elimination::Bounced } else { Elimination::Done }
    }
}
