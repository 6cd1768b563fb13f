//! Lets a user read a maildir by POP3.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod index;
mod mailbox;
mod maildir;
mod opening;
mod replies;
mod server;
mod session;
mod unique_id;

pub use server::{Ended, serve};
