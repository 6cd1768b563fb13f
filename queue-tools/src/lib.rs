//! Work on the queue that is not the daemons': what `src/bin` shares with its tests.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod handle;
pub mod repair;
pub mod say;

mod alone;
