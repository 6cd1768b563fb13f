//! Programs that stay, and have a copy of themselves ready for each job: fork servers.
//!
//! More than half of what a short program costs is its start. A program whose `main` is [`main`] can
//! be started once, without a job, and makes a copy of itself for each: that is what a [`Starter`]
//! asks for. For whoever waits for the child there is no difference: the copy is his child. To
//! [`Workers`] a copy that is done is lent again, for the next job of the same user.
//!
//! A copy begins with what the program is before its first step: of the jobs of others it has
//! nothing, and they can have no effect on it. Its user and descriptors are set up by the copy itself,
//! with the same calls as before an exec. Other programs in the same place, wrappers and originals,
//! are started for each job, as ever: that a program can stay is written in its file, and its greeting
//! says which file it is.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod question;
mod starter;
mod stay;
mod work;
mod workers;

pub use starter::Starter;
pub use stay::{main, main_beside};
pub use workers::{Started, Worker, Workers};
