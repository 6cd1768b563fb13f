//! A queue program that is started for one message.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::{env, io};

use qmail_sys::{Child, Exit, FailureCodes, Interest, Spawn, pipe, poll};

use crate::own_words::VARIABLE;

/// Most of what a queue program may say about its refusal, in bytes.
const CUSTOM_LIMIT: usize = 255;

/// A queue program that reads a message.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
    custom: File,
}

impl Started {
    pub(super) fn start(
        spawn: Spawn<'static>,
        home: &Path,
        message: &OwnedFd,
        envelope: &OwnedFd,
    ) -> io::Result<Self> {
        let custom = pipe()?;
        let codes = FailureCodes { directory: 61, ..FailureCodes::all(120) };
        let mut spawn = spawn
            .directory(home)
            .connect(0, message.as_fd())
            .connect(1, envelope.as_fd())
            .failing_with(codes);
        for descriptor in custom_descriptors() {
            spawn = spawn.connect(descriptor, custom.write.as_fd());
        }
        if env::var_os(VARIABLE).is_none() {
            spawn = spawn.env(VARIABLE, b"6");
        }
        Ok(Self { child: spawn.start()?, custom: File::from(custom.read) })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ends, and what it says in its own words.
    pub(super) fn end(self) -> (io::Result<Exit>, Vec<u8>) {
        let words = read_custom(&self.custom, &self.child);
        (self.child.wait(), words)
    }
}

/// Where queue programs write what they have to say: 6, for older ones 4, and the one that is
/// named. All are the same pipe.
fn custom_descriptors() -> Vec<u8> {
    let named = env::var(VARIABLE).ok().and_then(|number| number.parse().ok());
    let named = named.filter(|number| ![0, 1, 2, 4, 6].contains(number));
    [6, 4].into_iter().chain(named).collect()
}

/// What the queue program says in its own words, until it closes the descriptor or ends: a process
/// that it left behind may keep the descriptor open for ever.
fn read_custom(mut custom: &File, child: &Child) -> Vec<u8> {
    let ended = child.ended().ok();
    let mut words = Vec::new();
    loop {
        let mut interests = vec![Interest::reading(custom.as_fd())];
        interests.extend(ended.iter().map(|ended| Interest::reading(ended.as_fd())));
        if poll(&mut interests, None).is_err() {
            return words;
        }
        match interests.first() {
            Some(words_waiting) if words_waiting.is_ready() => {}
            _ if interests.get(1).is_some_and(Interest::is_ready) => return words,
            _ => continue,
        }
        let mut block = [0; 512];
        match custom.read(&mut block) {
            Ok(0) | Err(_) => return words,
            Ok(length) => words.extend_from_slice(block.get(..length).unwrap_or_default()),
        }
        words.truncate(CUSTOM_LIMIT);
    }
}
