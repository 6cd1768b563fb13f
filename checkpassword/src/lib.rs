//! Checks a password and runs a program as its owner.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod account;
mod command;
mod identity;
mod source;

pub use account::account;
pub use command::{Command, unit};
pub use identity::become_user;
pub use source::Source;
