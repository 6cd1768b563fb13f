//! The queue: what is in it, and qmail-queue.

use std::fs;
use std::io::{Write, pipe};
use std::path::PathBuf;

use crate::Tree;
use crate::accounts::Identity;
use crate::process::{Finished, background};

/// A message that waits to be preprocessed.
#[derive(Clone, Debug)]
pub struct Queued {
    /// Its number.
    pub number: u64,
    /// The `Received` line and what was put in.
    pub message: Vec<u8>,
    /// The envelope file, all of it.
    pub envelope: Vec<u8>,
}

impl Queued {
    /// The message as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }

    /// The message without the line that qmail-queue put in front.
    #[must_use]
    pub fn without_received(&self) -> String {
        let text = self.text();
        text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }

    /// The records of the envelope that begin with this letter, without it.
    #[must_use]
    pub fn records(&self, letter: u8) -> Vec<String> {
        self.envelope
            .split(|byte| *byte == 0)
            .filter(|record| record.first() == Some(&letter))
            .map(|record| String::from_utf8_lossy(&record[1..]).into_owned())
            .collect()
    }

    /// The envelope sender.
    #[must_use]
    pub fn sender(&self) -> String {
        self.records(b'F').concat()
    }

    /// The envelope recipients.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        self.records(b'T')
    }
}

impl Tree {
    /// Every file below a directory of the queue, relative to it, sorted.
    #[must_use]
    pub fn queue_files(&self, part: &str) -> Vec<PathBuf> {
        let root = self.path("queue").join(part);
        let mut files = Vec::new();
        let mut directories = vec![root.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    directories.push(entry.path());
                } else if let Ok(relative) = entry.path().strip_prefix(&root) {
                    files.push(relative.to_path_buf());
                }
            }
        }
        files.sort();
        files
    }

    /// How many messages the queue holds.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue_files("mess").len()
    }

    /// Whether nothing is left in the queue but its lock files.
    #[must_use]
    pub fn queue_is_empty(&self) -> bool {
        let parts = ["mess", "intd", "todo", "info", "local", "remote", "bounce", "pid"];
        parts.iter().all(|part| self.queue_files(part).is_empty())
    }

    /// The messages that wait to be preprocessed, oldest number first.
    #[must_use]
    pub fn todo(&self) -> Vec<Queued> {
        let mut all: Vec<Queued> = Vec::new();
        for file in self.queue_files("todo") {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let number = name.parse().expect("todo holds numbers");
            // It may be preprocessed while we look.
            let envelope = fs::read(self.path("queue/todo").join(&file));
            let message = fs::read(self.message_file("mess", number));
            if let (Ok(envelope), Ok(message)) = (envelope, message) {
                all.push(Queued { number, message, envelope });
            }
        }
        all.sort_by_key(|queued| queued.number);
        all
    }

    /// The only message that waits to be preprocessed.
    ///
    /// # Panics
    ///
    /// When there is another number of messages than one.
    #[must_use]
    pub fn only_todo(&self) -> Queued {
        let mut todo = self.todo();
        assert_eq!(todo.len(), 1, "messages to be preprocessed");
        todo.remove(0)
    }

    /// The file of a message in a directory of the queue, hashed as the queue is.
    #[must_use]
    pub fn message_file(&self, part: &str, number: u64) -> PathBuf {
        let root = self.path("queue").join(part);
        let split = fs::read_dir(&root)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .count() as u64;
        match number.checked_rem(split) {
            Some(bucket) => root.join(bucket.to_string()).join(number.to_string()),
            None => root.join(number.to_string()),
        }
    }

    /// Runs qmail-queue as `identity` on a message and an envelope file.
    #[must_use]
    pub fn queue_as(&self, identity: Identity, message: &[u8], envelope: &[u8]) -> Finished {
        let (reader, mut writer) = pipe().expect("a pipe");
        let envelope = envelope.to_vec();
        // It may end without reading everything.
        background(move || drop(writer.write_all(&envelope)));
        self.program("qmail-queue").run_as(identity).stdin(message).stdout_to(reader).run()
    }

    /// Puts a message into the queue, as an ordinary user.
    ///
    /// # Panics
    ///
    /// When qmail-queue refuses it.
    pub fn queue(&self, sender: &str, recipients: &[&str], message: &str) {
        let envelope = envelope(sender, recipients);
        let identity = self.user("jane").identity();
        let finished = self.queue_as(identity, message.as_bytes(), &envelope);
        assert_eq!(finished.code, Some(0), "qmail-queue: {}", finished.errors());
    }
}

/// What qmail-queue reads from descriptor 1.
#[must_use]
pub fn envelope(sender: &str, recipients: &[&str]) -> Vec<u8> {
    let mut envelope = format!("F{sender}\0");
    for recipient in recipients {
        envelope += &format!("T{recipient}\0");
    }
    envelope.push('\0');
    envelope.into_bytes()
}
