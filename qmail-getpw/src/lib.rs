//! Finding the account that a local address belongs to.
//!
//! What decides is [`owner`]; what asks the system is [`host`].
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod failure;
pub mod host;
pub mod owner;
