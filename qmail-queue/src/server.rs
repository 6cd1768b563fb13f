//! qmail-queue as a program that stays: it gives each message that it is told to a process that has
//! nothing to do, or to a new one.
//!
//! All of them are copies of a process that has never seen a message, and work for the same user.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use qmail_core::heap::keep_pages;
use qmail_core::program::own_greeting;
use qmail_sys::signal::{self, Signal};
use qmail_sys::{
    Interest, allow_open_files, fork, message_sockets, pipe, poll, receive_message, send_message,
    set_nonblocking,
};
use qmail_wire::queue_server::{MESSAGE, QUEUE_SERVER};

use crate::Failure;
use crate::worker::{Pipes, Task, Worker};

/// Has messages queued, until nobody is there any more who could tell one. `queue` queues what comes
/// by these pipes, with this number, and returns the exit code.
///
/// # Errors
/// If nobody can be spoken to. What was told before is queued all the same.
pub fn serve(clients: OwnedFd, queue: impl Fn(Pipes, u32) -> u8) -> io::Result<()> {
    // Nobody has to be waited for.
    signal::ignore(&[Signal::SIGCHLD])?;
    send_message(&clients, &own_greeting(&QUEUE_SERVER)?, &[])?;
    // A socket for each process, as many as there may be.
    allow_open_files(u64::MAX);
    // Every process that is made has them, too.
    keep_pages();
    let mut server = Server::new(clients, queue)?;
    let mut buffer = [0; MESSAGE.len()];
    while let Some(clients) = &server.clients {
        let (length, descriptors) = receive_message(clients, &mut buffer)?;
        if length == 0 {
            break;
        }
        if let Some(task) = Task::of(descriptors) {
            server.give(task);
        }
    }
    Ok(())
}

struct Server<Q> {
    clients: Option<OwnedFd>,
    queue: Q,
    /// By which workers say that they are done; they have the other end, and so have we.
    done: (File, OwnedFd),
    /// Those that have something to do, by their numbers.
    busy: BTreeMap<u32, OwnedFd>,
    /// The others. Who worked last is last: his caches are warm.
    idle: Vec<(u32, OwnedFd)>,
    next: u32,
}

impl<Q: Fn(Pipes, u32) -> u8> Server<Q> {
    fn new(clients: OwnedFd, queue: Q) -> io::Result<Self> {
        let done = pipe()?;
        set_nonblocking(&done.read)?;
        let (done, clients) = ((File::from(done.read), done.write), Some(clients));
        let (busy, idle) = (BTreeMap::new(), Vec::new());
        Ok(Self { clients, queue, done, busy, idle, next: 0 })
    }

    /// Whoever gets no worker is told nothing, and takes it that his has been killed.
    fn give(&mut self, task: Task) {
        if self.idle.is_empty() {
            self.hear_who_is_done();
        }
        while let Some((number, worker)) = self.idle.pop() {
            // He may have gone since.
            let Task { pipes: Pipes { message, envelope }, client } = &task;
            let descriptors = [message.as_fd(), envelope.as_fd(), client.as_fd()];
            if send_message(&worker, MESSAGE, &descriptors).is_ok() {
                self.busy.insert(number, worker);
                return;
            }
        }
        self.forget_gone();
        // He tells the client nothing either, if that fails.
        let _ = self.start(task);
    }

    fn hear_who_is_done(&mut self) {
        let mut numbers = Vec::new();
        // It is more than all that can have been said since, and ends with what there is.
        let _ = (&self.done.0).take(1 << 16).read_to_end(&mut numbers);
        for number in numbers.chunks_exact(4).filter_map(|bytes| bytes.try_into().ok()) {
            let number = u32::from_ne_bytes(number);
            let worker = self.busy.remove(&number);
            self.idle.extend(worker.map(|worker| (number, worker)));
        }
    }

    /// Whoever was killed with something to do has never said that he is done.
    fn forget_gone(&mut self) {
        self.busy.retain(|_, worker| !is_gone(worker.as_fd()));
    }

    fn start(&mut self, task: Task) -> io::Result<()> {
        let (ours, tasks) = message_sockets()?;
        let (number, done) = (self.next, self.done.1.try_clone()?);
        self.next = number.wrapping_add(1);
        self.busy.insert(number, ours);
        let mut given = Some((task, tasks, done));
        let begun = fork(|| {
            // What is told us is nothing to it, nor what others have to do.
            self.clients = None;
            self.busy.clear();
            let Some((task, tasks, done)) = given.take() else { return Failure::Bug.code() };
            let worker = Worker { tasks, done, number, queue: &self.queue };
            worker.work(task).map_or(Failure::Bug.code(), |()| 0)
        });
        if begun.is_err() {
            self.busy.remove(&number);
        }
        begun.map(drop)
    }
}

fn is_gone(worker: BorrowedFd<'_>) -> bool {
    poll(&mut [Interest::hanging_up(worker)], Some(Duration::ZERO)).unwrap_or(false)
}
