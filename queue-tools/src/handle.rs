//! Listing, deleting and bouncing what is in the queue, whether qmail-send runs or not:
//! qmail-qhandle.
//!
//! What qmail-send knows of a message it has in memory, and reads its files again at each attempt.
//! So nothing is taken away from it while it runs: a recipient is marked as done, as it does itself,
//! and it removes the message when it finds that nobody is left; or the message is made as old as
//! can be, and it gives up after the next attempt.

mod act;
mod held;
mod list;
mod parts;
mod request;
mod run;
mod select;

#[cfg(test)]
mod tests;

pub use request::{BadRequest, HELP, Request};
pub use run::{Failure, Outcome, Reader, run};
