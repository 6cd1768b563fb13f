//! Copies of a program that are given several jobs, one after the other.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use qmail_sys::signal::Signal;
use qmail_sys::{
    Child, Exit, Interest, Spawn, message_sockets, poll, receive_message, send_message,
};
use qmail_wire::fork_server::Job;

use crate::starter::{Starter, job};

/// Those that wait for the next job, at most.
const IDLE: usize = 64;

/// Starts one program again and again, as a [`Starter`] does; a copy of it that is done is given the
/// next job for the same user. Whose job it is never changes, so that nobody finds in his process
/// what is another's.
#[derive(Debug, Default)]
pub struct Workers {
    starter: Starter,
    /// Who worked last is last.
    idle: Vec<Worker>,
}

/// Who does a job that was started.
#[derive(Debug)]
pub enum Started {
    /// A process of its own: how the job ended, its end says.
    Process(Child),
    /// A process that does others, too: [`Workers::result`] says how the job ended.
    Worker(Worker),
}

/// A copy that has been given a job.
#[derive(Debug)]
pub struct Worker {
    socket: OwnedFd,
    user: Option<(u32, u32)>,
}

impl AsFd for Worker {
    /// Ready for reading when the job is over.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Workers {
    /// Nobody works yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts the program, or has it started by those who can stay.
    ///
    /// # Errors
    /// Those of [`Starter::copy`] and of [`Spawn::start`].
    pub fn start(&mut self, spawn: Spawn<'_>) -> io::Result<Started> {
        if self.starter.look_at(&spawn) {
            self.idle.clear();
        }
        let asked = job(&spawn).filter(|(job, _)| {
            // A change of the environment would be found by the next job.
            self.starter.can_stay() && job.environment.is_empty()
        });
        let asked = match asked {
            Some((job, descriptors)) => self.give(&spawn, job, descriptors)?,
            None => None,
        };
        match asked {
            Some(worker) => Ok(Started::Worker(worker)),
            None => spawn.start().map(Started::Process),
        }
    }

    /// How the job of this worker has ended; waits for that, if it has not. It may get another one.
    pub fn result(&mut self, worker: Worker) -> Exit {
        let mut code = [0; 1];
        match receive_message(&worker, &mut code) {
            Ok((1, _)) => {
                if self.idle.len() < IDLE {
                    self.idle.push(worker);
                }
                Exit::Code(code[0])
            }
            Ok(_) | Err(_) => {
                // It has gone without a word. Those who have its addresses go, too.
                self.idle.clear();
                self.starter.ended(true);
                Exit::Signal(Signal::SIGKILL as i32)
            }
        }
    }

    /// Forgets those who have gone: to be asked when children have ended.
    pub fn forget_gone(&mut self) {
        let mut interests: Vec<_> =
            self.idle.iter().map(|worker| Interest::reading(worker.as_fd())).collect();
        if poll(&mut interests, Some(Duration::ZERO)).unwrap_or(false) {
            // Nobody who waits has anything to say.
            let mut is_gone =
                interests.iter().map(Interest::is_ready).collect::<Vec<_>>().into_iter();
            self.idle.retain(|_| is_gone.next() == Some(false));
        }
    }

    /// A process of one job has ended.
    pub fn ended(&mut self, exit: Exit) {
        self.starter.ended(matches!(exit, Exit::Signal(_)));
    }

    /// Gives the job to one who waits, or to a new one; `None` if there can be none.
    fn give(
        &mut self,
        spawn: &Spawn<'_>,
        job: Job,
        descriptors: Vec<BorrowedFd<'_>>,
    ) -> io::Result<Option<Worker>> {
        let user = job.identity;
        let Some(message) = job.encode() else { return Ok(None) };
        while let Some(at) = self.idle.iter().rposition(|worker| worker.user == user) {
            let worker = self.idle.remove(at);
            // It may have gone since.
            if send_message(&worker, &message, &descriptors).is_ok() {
                return Ok(Some(worker));
            }
        }
        let (socket, theirs) = message_sockets()?;
        let descriptors: Vec<_> = descriptors.into_iter().chain([theirs.as_fd()]).collect();
        let Some(message) = (Job { stays: true, ..job }).encode() else { return Ok(None) };
        match self.starter.ask(spawn, &message, &descriptors) {
            Some(Ok(_)) => Ok(Some(Worker { socket, user })),
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }
}
