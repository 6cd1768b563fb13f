//! Talking with a program, or over a connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::process::{self, background};
use crate::wait;

/// Both directions of a conversation.
pub struct Conversation {
    child: Option<Child>,
    to: Option<Box<dyn Write + Send>>,
    from: Receiver<Vec<u8>>,
    errors: Receiver<Vec<u8>>,
    pending: Vec<u8>,
}

impl Conversation {
    /// With a process whose descriptors 0 to 2 are pipes.
    ///
    /// # Panics
    ///
    /// When 0 or 1 is not a pipe.
    #[must_use]
    pub fn with(mut child: Child) -> Self {
        let to = child.stdin.take().map(|stdin| Box::new(stdin) as Box<dyn Write + Send>);
        let from = pump(child.stdout.take().expect("standard output is a pipe"));
        let errors = match child.stderr.take() {
            Some(pipe) => pump(pipe),
            None => channel().1,
        };
        Self { child: Some(child), to, from, errors, pending: Vec::new() }
    }

    /// Over a connection.
    ///
    /// # Panics
    ///
    /// When the descriptor cannot be duplicated.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        let from = pump(stream.try_clone().expect("a descriptor"));
        let to: Box<dyn Write + Send> = Box::new(stream);
        Self { child: None, to: Some(to), from, errors: channel().1, pending: Vec::new() }
    }

    /// Sends bytes; that nobody reads them any more shows later.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Some(to) = &mut self.to {
            let _ = to.write_all(bytes.as_ref()).and_then(|()| to.flush());
        }
    }

    /// Ends our direction.
    pub fn close(&mut self) {
        self.to = None;
    }

    /// Everything up to and including the next `delimiter`; less only at the end.
    pub fn until(&mut self, delimiter: u8) -> Vec<u8> {
        loop {
            if let Some(found) = self.pending.iter().position(|byte| *byte == delimiter) {
                return self.pending.drain(..=found).collect();
            }
            if !self.more() {
                return std::mem::take(&mut self.pending);
            }
        }
    }

    /// The next line, as text, with its end.
    pub fn line(&mut self) -> String {
        String::from_utf8_lossy(&self.until(b'\n')).into_owned()
    }

    /// The next `count` bytes; fewer only at the end.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.pending.len() < count && self.more() {}
        let count = count.min(self.pending.len());
        self.pending.drain(..count).collect()
    }

    /// Everything up to the end.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.pending)
    }

    /// Whether nothing comes for this long.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        if !self.pending.is_empty() {
            return false;
        }
        match self.from.recv_timeout(time) {
            Ok(bytes) => {
                self.pending.extend(bytes);
                false
            }
            Err(_) => true,
        }
    }

    /// Waits for more, ten times as long as for anything else: for work that is much.
    pub fn wait_patiently(&mut self) {
        let _ = (0..10).find(|_| !self.is_silent_for(wait::LIMIT));
    }

    /// Ends our direction and waits for the program; its exit code, or none after a signal.
    ///
    /// # Panics
    ///
    /// When the conversation is not with a process of ours.
    pub fn end(&mut self) -> Option<i32> {
        self.close();
        process::wait_for(self.child.as_mut().expect("a process")).code()
    }

    /// What the program wrote to descriptor 2, until it closed it.
    pub fn errors(&mut self) -> String {
        let mut all = Vec::new();
        while let Ok(bytes) = self.errors.recv_timeout(wait::LIMIT) {
            all.extend(bytes);
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn more(&mut self) -> bool {
        match self.from.recv_timeout(wait::LIMIT) {
            Ok(bytes) => {
                self.pending.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => {
                let pending = String::from_utf8_lossy(&self.pending);
                panic!("waited {:?} in vain; so far: {pending:?}", wait::LIMIT)
            }
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.to = None;
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Ends our direction of a connection only.
pub fn shut_down_writing(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
}

fn pump(mut source: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    background(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = source.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}
