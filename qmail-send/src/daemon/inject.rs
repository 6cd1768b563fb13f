//! Telling the sender of a finished message of its failures.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use qmail_core::queue::QueueId;
use qmail_core::submit::Submission;

use super::Daemon;
use crate::bounce::{Notice, Plan, plan};
use crate::files::{look, read_info};
use crate::lines::{self, Trouble, name, warning};
use crate::schedule::Time;

/// The sender could not be told yet; the log says why.
pub(super) struct NotTold;

impl Daemon {
    /// Sends a bounce if there are failures; whether there were any.
    pub(super) fn tell_sender(&self, id: QueueId, now: Time) -> Result<bool, NotTold> {
        let path = self.queue.bounce(id);
        match look(&path) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(false),
            Err(_) => return Err(self.trouble(Trouble::Stat, &path)),
        }
        let Ok((sender, _)) = read_info(&self.queue, id) else {
            return Err(self.trouble(Trouble::Open, &self.queue.info(id)));
        };
        match plan(&sender, &self.settings.bounces, now) {
            Plan::Discard => self.log.write(&lines::discarded(&name(&self.queue, &path))),
            Plan::Send(notice) => self.send_notice(id, &notice)?,
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.trouble(Trouble::Unlink, &path))
            }
            _ => Ok(true),
        }
    }

    fn send_notice(&self, id: QueueId, notice: &Notice) -> Result<(), NotTold> {
        let Ok(mut submission) = Submission::start(&self.home) else {
            self.say(lines::NO_QUEUE_PROGRAM);
            return Err(NotTold);
        };
        let process = submission.id();
        submission.write(&notice.head);
        let failures = copy(&self.queue.bounce(id), &mut submission);
        submission.write(&notice.tail);
        let message = copy(&self.queue.mess(id), &mut submission);
        if failures.and(message).is_err() {
            submission.fail();
        }
        if submission.finish(notice.sender, [&notice.recipient]).is_err() {
            self.say(lines::BOUNCE_REFUSED);
            return Err(NotTold);
        }
        self.log.write(&lines::bounced(id, process));
        Ok(())
    }

    fn trouble(&self, trouble: Trouble, path: &Path) -> NotTold {
        self.log.write(&warning(trouble, &name(&self.queue, path)));
        NotTold
    }
}

fn copy(path: &Path, submission: &mut Submission) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut block = vec![0; 65_536];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) => submission.write(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
