//! What the commands of users share: how they fail, run other programs, and read messages.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod bell;
pub mod collect;
pub mod date_line;
pub mod failure;
pub mod feed;
pub mod fields;
pub mod handover;
pub mod hook;
pub mod judge;
pub mod maildir;
pub mod quota;
pub mod receipt;
pub mod redirect;
pub mod subject;
pub mod surroundings;
pub mod watch;

mod from_line;
mod summary;
