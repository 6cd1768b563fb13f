//! Finding the account that a local address belongs to.
//!
//! What decides is [`owner`]; what asks the system is [`host`]. Asked by qmail-lspawn, it answers one
//! question after the other ([`stay`]).
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod failure;
pub mod host;
pub mod owner;
pub mod stay;
