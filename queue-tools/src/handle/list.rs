//! What a message looks like in a list.

use qmail_core::queue::{Channel, Queue, QueueId};

use super::held::{Facts, Stage};
use super::parts::Parts;
use crate::say::printable;

const BOLD: &str = "\x1b[1m";
const BLUE: &str = "\x1b[34m";
const PLAIN: &str = "\x1b[0m";

/// Whether words are told apart by colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Colours,
    None,
}

/// `17 (4, LR)` and what is known of the message.
pub(super) fn message(
    queue: &Queue,
    id: QueueId,
    size: u64,
    facts: &Facts,
    parts: &Parts,
    paint: Paint,
) -> Vec<u8> {
    let mut text = heading(queue, id, facts, paint);
    text.extend(line("Return-path", &facts.sender, paint));
    for name in ["From", "To", "Subject", "Date"] {
        if let Some(contents) = parts.field(name.as_bytes()) {
            text.extend(line(name, contents, paint));
        }
    }
    text.extend(line("Size", format!("{size} bytes").as_bytes(), paint));
    text.push(b'\n');
    text
}

fn heading(queue: &Queue, id: QueueId, facts: &Facts, paint: Paint) -> Vec<u8> {
    let part = id.as_u64().checked_rem(queue.split()).unwrap_or(0);
    let kinds = [
        (facts.has(Channel::Local), 'L'),
        (facts.has(Channel::Remote), 'R'),
        (facts.stage == Stage::Waiting, 'T'),
        (facts.is_bouncing, 'B'),
    ];
    let letters: String = kinds.iter().filter(|(is_so, _)| *is_so).map(|(_, l)| *l).collect();
    let (bold, plain) = paint.around(BOLD);
    format!("{bold}{id}{plain} ({part}, {letters})\n").into_bytes()
}

fn line(name: &str, contents: &[u8], paint: Paint) -> Vec<u8> {
    let (blue, plain) = paint.around(BLUE);
    let start = format!("  {blue}{name}{plain}: ");
    [start.as_bytes(), &printable(contents), b"\n"].concat()
}

impl Paint {
    fn around(self, colour: &'static str) -> (&'static str, &'static str) {
        match self {
            Self::Colours => (colour, PLAIN),
            Self::None => ("", ""),
        }
    }
}

/// Counts of what is in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    total: u64,
    local: u64,
    remote: u64,
    bounces: u64,
    waiting: u64,
}

impl Statistics {
    pub(super) fn count(&mut self, facts: &Facts) {
        self.total += 1;
        self.local += u64::from(facts.has(Channel::Local));
        self.remote += u64::from(facts.has(Channel::Remote));
        self.bounces += u64::from(facts.is_bouncing);
        self.waiting += u64::from(facts.stage == Stage::Waiting);
    }

    pub(super) fn text(&self) -> String {
        let Self { total, local, remote, bounces, waiting } = self;
        format!(
            "Total messages: {total}\n\
             Messages with local recipients: {local}\n\
             Messages with remote recipients: {remote}\n\
             Messages with bounces: {bounces}\n\
             Messages in preprocess: {waiting}\n"
        )
    }
}
