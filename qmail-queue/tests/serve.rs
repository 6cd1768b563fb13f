//! A qmail-queue that stays, with messages that say themselves what becomes of them.
#![expect(clippy::unwrap_used, reason = "a test, though without the usual harness")]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use qmail_core::program::own_greeting;
use qmail_queue::{Pipes, serve};
use qmail_sys::{Child, Exit, fork, message_sockets, pipe, receive_message, send_message};
use qmail_wire::queue_server::{MESSAGE, QUEUE_SERVER, STRIDE};

// Its processes are copies of this one, which must not have threads.
fn main() {
    each_message_has_its_code_and_its_number();
    messages_at_once_are_queued_by_several();
    a_crash_is_heard_by_its_own_client_only();
    a_message_that_was_begun_is_queued_after_the_end_of_the_server();
    what_is_no_message_is_not_taken_for_one();
}

/// A server, and a socket for its clients.
struct Scene {
    socket: OwnedFd,
    server: Child,
}

/// What a client has of his message.
struct Told {
    message: File,
    envelope: File,
    answers: OwnedFd,
}

impl Scene {
    fn new() -> Self {
        let (socket, theirs) = message_sockets().unwrap();
        let mut ends = Some((socket, theirs));
        let server = fork(|| {
            let Some((socket, theirs)) = ends.take() else { return 1 };
            drop(socket);
            serve(theirs, obey).map_or(1, |()| 0)
        });
        let (socket, _) = ends.unwrap();
        let mut greeting = [0; 200];
        let (length, _) = receive_message(&socket, &mut greeting).unwrap();
        assert_eq!(greeting[..length], own_greeting(&QUEUE_SERVER).unwrap());
        Self { socket, server: server.unwrap() }
    }

    fn tell(&self) -> Told {
        let (message, envelope) = (pipe().unwrap(), pipe().unwrap());
        let (answers, theirs) = message_sockets().unwrap();
        let descriptors = [message.read.as_fd(), envelope.read.as_fd(), theirs.as_fd()];
        send_message(&self.socket, MESSAGE, &descriptors).unwrap();
        Told { message: message.write.into(), envelope: envelope.write.into(), answers }
    }

    fn end(self) -> Exit {
        drop(self.socket);
        self.server.wait().unwrap()
    }
}

impl Told {
    fn number(&self) -> u32 {
        let mut number = [0; 4];
        assert_eq!(receive_message(&self.answers, &mut number).unwrap().0, 4);
        u32::from_be_bytes(number)
    }

    /// Sends the message; the code that it ended with, if there is one.
    fn end(mut self, message: &str) -> Option<u8> {
        self.message.write_all(message.as_bytes()).unwrap();
        drop((self.message, self.envelope));
        let mut code = [0; 1];
        let (length, _) = receive_message(&self.answers, &mut code).unwrap();
        (length == 1).then_some(code[0])
    }
}

/// Ends with the code that the message is.
fn obey(mut pipes: Pipes, _: u32) -> u8 {
    let mut message = String::new();
    pipes.message.read_to_string(&mut message).unwrap();
    pipes.envelope.read_to_string(&mut String::new()).unwrap();
    if message == "crash" {
        std::process::abort();
    }
    message.parse().unwrap()
}

fn process(number: u32) -> u32 {
    number % STRIDE
}

fn each_message_has_its_code_and_its_number() {
    let scene = Scene::new();
    let mut numbers = BTreeSet::new();
    for code in 0..=250 {
        let told = scene.tell();
        assert!(numbers.insert(told.number()));
        assert_eq!(told.end(&code.to_string()), Some(code));
    }
    // One client after the other, who may be faster than a process can say that it is done.
    let processes: BTreeSet<u32> = numbers.iter().copied().map(process).collect();
    assert!((3..100).contains(&processes.len()), "{processes:?}");
    assert_eq!(scene.end(), Exit::Code(0));
}

fn messages_at_once_are_queued_by_several() {
    let scene = Scene::new();
    let told: Vec<Told> = (0..10).map(|_| scene.tell()).collect();
    let processes: BTreeSet<u32> = told.iter().map(|told| process(told.number())).collect();
    assert_eq!(processes.len(), 10);
    // The last of them before the first.
    for (code, told) in told.into_iter().enumerate().rev() {
        let code = u8::try_from(code).unwrap();
        assert_eq!(told.end(&code.to_string()), Some(code));
    }
    assert_eq!(scene.end(), Exit::Code(0));
}

fn a_crash_is_heard_by_its_own_client_only() {
    let scene = Scene::new();
    for _ in 0..3 {
        let (crashing, other) = (scene.tell(), scene.tell());
        assert_ne!(crashing.number(), other.number());
        assert_eq!(crashing.end("crash"), None);
        assert_eq!(other.end("7"), Some(7));
    }
    assert_eq!(scene.end(), Exit::Code(0));
}

fn a_message_that_was_begun_is_queued_after_the_end_of_the_server() {
    let scene = Scene::new();
    let told = scene.tell();
    told.number();
    assert_eq!(scene.end(), Exit::Code(0));
    assert_eq!(told.end("9"), Some(9));
}

fn what_is_no_message_is_not_taken_for_one() {
    let scene = Scene::new();
    let (answers, theirs) = message_sockets().unwrap();
    send_message(&scene.socket, MESSAGE, &[theirs.as_fd()]).unwrap();
    drop(theirs);
    assert_eq!(receive_message(&answers, &mut [0; 4]).unwrap().0, 0);
    let told = scene.tell();
    told.number();
    assert_eq!(told.end("0"), Some(0));
    assert_eq!(scene.end(), Exit::Code(0));
}
