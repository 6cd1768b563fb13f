//! Checks a password and runs a program as its owner.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod account;
mod command;
mod failure;
mod identity;
mod request;
mod source;

pub use account::account;
pub use command::{Command, unit};
pub use failure::Failure;
pub use identity::become_user;
pub use request::{Request, read_request};
pub use source::Source;
