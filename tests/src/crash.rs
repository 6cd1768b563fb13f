//! What a crash leaves, and what qmail makes of it.
//!
//! A [`recorder::Recorder`] watches every system call of the programs of a tree, from outside, so
//! that it works on any tree: it writes down what they do to the disk, and can end a process at any
//! call or let the call fail. [`disk`] replays such a record, and tells in which states the disk can
//! be after a power failure; [`law`] says which of them are right. docs/durability.md has the model
//! in words.
//!
//! Only for x86-64: other machines have other registers.

pub mod accident;
pub mod call;
pub mod disk;
pub mod event;
pub mod faults;
mod flight;
mod intention;
pub mod kills;
pub mod laid;
pub mod law;
pub mod mailboxes;
pub mod misfortune;
pub mod mutants;
pub mod plan;
pub mod power;
pub mod queue_view;
pub mod random;
pub mod recorder;
pub mod recovery;
pub mod report;
pub mod states;
pub mod stopped;
mod tracee;
mod tracer;
pub mod watch;

/// Who is killed, and whose calls fail.
const PROGRAMS: [&str; 10] = [
    "qmail-queue",
    "qmail-todo",
    "qmail-send",
    "qmail-clean",
    "qmail-local",
    "qmail-lspawn",
    "qmail-getpw",
    "qmail-rspawn",
    "qmail-remote",
    "qmail-pop3d",
];
