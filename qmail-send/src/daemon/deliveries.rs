//! Starting deliveries: recipient files are read, and commands go to the spawners, together.

use qmail_core::queue::{Channel, Record};
use qmail_wire::spawn::Command;

use super::Daemon;
use crate::files::open_message;
use crate::lines::{Trouble, starting};
use crate::schedule::{PassEnd, Time};

/// Records that are read in a row, most of which may be of recipients who need nothing: then the
/// others have their turn.
const AT_ONCE: usize = 64;

impl Daemon {
    /// Starts deliveries on a channel while there is room for them.
    pub(super) fn deliver(&mut self, channel: Channel, now: Time) {
        for _ in 0..AT_ONCE {
            if self.scheduler.pass(channel).is_none() && !self.begin_pass(channel, now) {
                return;
            }
            if !self.has_delivery(channel) {
                return;
            }
            self.next_recipient(channel, now);
        }
    }

    /// Opens the next message that is due; whether there is one.
    fn begin_pass(&mut self, channel: Channel, now: Time) -> bool {
        let Some(id) = self.scheduler.take_message(channel, now) else { return false };
        match open_message(&self.queue, channel, id) {
            Ok(opened) => {
                let (birth, message) = (opened.birth, opened.message);
                match self.settings.lifetime_of(&message.sender) {
                    None => self.scheduler.open(channel, id, birth, now, message),
                    Some(lifetime) => {
                        self.scheduler.open_for(channel, id, (birth, now), lifetime, message);
                    }
                }
                *self.passes.of_mut(channel) = Some(opened.recipients);
            }
            Err(path) => {
                self.warn(Trouble::Open, &path);
                self.scheduler.postpone(channel, id, now);
            }
        }
        true
    }

    fn next_recipient(&mut self, channel: Channel, now: Time) {
        match self.passes.of_mut(channel).as_mut().and_then(Iterator::next) {
            None => self.end_pass(channel, PassEnd::Complete, now),
            Some(Ok(record)) if record.letter == b'T' => {
                if !self.scheduler.crowds_out(channel, &record.value) {
                    self.start_delivery(channel, record);
                }
            }
            Some(Ok(record)) if record.letter == b'D' => {}
            Some(Ok(_)) => self.break_pass(channel, Trouble::UnknownRecord, now),
            Some(Err(_)) => self.break_pass(channel, Trouble::Read, now),
        }
    }

    fn break_pass(&mut self, channel: Channel, trouble: Trouble, now: Time) {
        if let Some((id, _)) = self.scheduler.pass(channel) {
            let path = self.queue.recipients(channel, id);
            self.warn(trouble, &path);
        }
        self.end_pass(channel, PassEnd::Broken, now);
    }

    fn end_pass(&mut self, channel: Channel, end: PassEnd, now: Time) {
        *self.passes.of_mut(channel) = None;
        if let Some(exhausted) = self.scheduler.end_pass(channel, end) {
            self.remove_recipients(exhausted, now);
        }
    }

    fn start_delivery(&mut self, channel: Channel, record: Record) {
        let Record { offset, value: recipient, .. } = record;
        let started = self.scheduler.start(channel, offset, recipient.clone());
        let (Some(started), Some((id, message))) = (started, self.scheduler.pass(channel)) else {
            return;
        };
        let command = Command {
            delivery: started.slot,
            message: self.queue.part_name(id).into_bytes(),
            sender: message.sender.towards(&recipient),
            recipient,
        };
        self.log.write(&starting(started.number, id, channel, &command.recipient));
        self.log_status();
        if let Some(spawner) = self.spawners.of_mut(channel) {
            spawner.give(&command);
        }
    }

    /// Sends the commands. The log has heard of a delivery before anybody works on it, so that it
    /// tells, whatever happens to us, what may have been delivered.
    pub(super) fn dispatch(&mut self) {
        for channel in Channel::ALL {
            let spawner = self.spawners.of_mut(channel).as_mut();
            let Some(spawner) = spawner.filter(|spawner| spawner.is_waiting()) else { continue };
            self.log.flush();
            if spawner.flush().is_err() {
                self.lose_spawner(channel);
            }
        }
    }
}
