//! Telling the sender of a finished message of its failures.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use qmail_core::queue::QueueId;
use qmail_core::submit::Submission;

use super::Daemon;
use crate::bounce::{Notice, Plan, plan};
use crate::files::{look, read_info};
use crate::lines::{self, Trouble};
use crate::schedule::Time;

/// Said where the copy of a message was cut off.
const CUT: &str = "\n\n--- End of message stripped.\n";

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
            Plan::DiscardTriple => {
                self.log.write(&lines::discarded("triple", &self.queue.name_of(&path)))
            }
            Plan::DiscardDouble => {
                self.log.write(&lines::discarded("double", &self.queue.name_of(&path)))
            }
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
        // It may take its time.
        self.log.flush();
        let Ok(mut submission) = Submission::start(&self.home) else {
            self.say(lines::NO_QUEUE_PROGRAM);
            return Err(NotTold);
        };
        let process = submission.id();
        submission.write(&notice.head);
        let failures = copy(&self.queue.bounce(id), None, &mut submission);
        submission.write(&notice.tail);
        let message = copy(&self.queue.mess(id), self.settings.bounces.most, &mut submission);
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
        self.warn(trouble, path);
        NotTold
    }
}

/// Copies a file, or what it begins with, and says so then: unless nothing was to be copied at all.
fn copy(path: &Path, most: Option<u64>, submission: &mut Submission) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut left = most.unwrap_or(u64::MAX);
    let mut block = vec![0; 65_536];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                let bytes = block.get(..length).unwrap_or_default();
                let fits = usize::try_from(left).unwrap_or(usize::MAX).min(length);
                submission.write(bytes.get(..fits).unwrap_or_default());
                if fits < length {
                    let cut = if most == Some(0) { "" } else { CUT };
                    submission.write(cut.as_bytes());
                    return Ok(());
                }
                left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
