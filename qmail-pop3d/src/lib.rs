//! Lets a user read a maildir by POP3.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod mailbox;
pub mod replies;
pub mod session;

mod index;
mod maildir;
mod opening;
mod server;
mod unique_id;

pub use server::{Ended, serve};
