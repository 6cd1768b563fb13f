//! Black-box tests of a qmail tree.
//!
//! The tests know a tree, not our code: see README.md for how to point them at one. This library
//! is what they share: a private copy of the tree, ways to run its programs, and the other side of
//! every conversation that mail has.
#![forbid(unsafe_code)]

mod accounts;
mod copy;
mod dovecot;
mod memory;
mod ours;
mod sandbox;
mod strays;
mod tree;

pub mod cdb;
pub mod clone;
pub mod conversation;
#[cfg(target_arch = "x86_64")]
pub mod crash;
pub mod dns;
pub mod document;
pub mod exchanger;
pub mod files;
pub mod host;
pub mod listener;
pub mod local;
pub mod log;
pub mod maildir;
pub mod mutations;
pub mod need;
pub mod old_tree;
pub mod package;
pub mod peer;
pub mod pop3;
pub mod process;
pub mod queue;
pub mod readme;
pub mod remote;
pub mod secure;
pub mod sink;
pub mod smtp;
pub mod snapshot;
pub mod sources;
pub mod spawner;
pub mod third_party;
pub mod user;
pub mod wait;

pub use accounts::{Accounts, Identity};
pub use need::Need;
pub use tree::Tree;
