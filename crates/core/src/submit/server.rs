//! A qmail-queue that stays, and queues message after message.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use qmail_sys::signal::Signal;
use qmail_sys::{Exit, message_sockets, receive_message, send_message};
use qmail_wire::queue_server::{MESSAGE, NUMBER, QUEUE_SERVER};

use super::QUEUE;
use crate::home::home;
use crate::keeper::Keeper;

/// A qmail-queue that stays. A program that stays, too, has it, and its copies, which serve one client
/// each, tell it their messages. It runs as qmail-queue does, and has a process for each message that
/// comes at the same time.
#[derive(Debug)]
pub struct QueueServer {
    keeper: Keeper,
}

impl Default for QueueServer {
    fn default() -> Self {
        Self::new()
    }
}

impl QueueServer {
    /// One that nobody has looked after yet: it is told nothing.
    pub fn new() -> Self {
        Self { keeper: Keeper::new(QUEUE_SERVER) }
    }

    /// Sees to it that it is there, if the qmail-queue that there is can stay.
    pub fn look_after(&mut self) {
        self.keeper.look_at([home().join(QUEUE)]);
        self.keeper.forget_gone();
        self.keeper.socket(|| Some(QUEUE.into()));
    }

    /// Has it queue what comes by these pipes; `None` if it has to be done by another program. If
    /// there is a new qmail-queue, that is to do it at once.
    pub(super) fn tell(&self, home: &Path, message: &OwnedFd, envelope: &OwnedFd) -> Option<Told> {
        let socket = self.keeper.socket_of(&home.join(QUEUE))?;
        let (answers, theirs) = message_sockets().ok()?;
        let descriptors = [message.as_fd(), envelope.as_fd(), theirs.as_fd()];
        send_message(socket, MESSAGE, &descriptors).ok()?;
        Some(Told { answers, number: None })
    }
}

/// A message that it has been told.
#[derive(Debug)]
pub(super) struct Told {
    answers: OwnedFd,
    number: Option<u32>,
}

impl Told {
    /// The number of the message; 0 if nobody has taken it.
    pub(super) fn number(&mut self) -> u32 {
        let answers = &self.answers;
        *self.number.get_or_insert_with(|| {
            let mut bytes = [0; NUMBER];
            match receive_message(answers, &mut bytes) {
                Ok((NUMBER, _)) => u32::from_be_bytes(bytes),
                Ok(_) | Err(_) => 0,
            }
        })
    }

    /// How the process would have ended that queues this message only.
    pub(super) fn end(mut self) -> Exit {
        self.number();
        let mut code = [0; 1];
        match receive_message(&self.answers, &mut code) {
            Ok((1, _)) => Exit::Code(code[0]),
            // It has gone without a word.
            Ok(_) | Err(_) => Exit::Signal(Signal::SIGKILL as i32),
        }
    }
}
