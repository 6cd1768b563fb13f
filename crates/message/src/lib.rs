//! Internet messages: header fields, tokens, addresses, dates.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod complete;
pub mod date;
pub mod field;
pub mod header;
pub mod list;
pub mod parts;
pub mod received;
pub mod rewrite;
pub mod token;

pub use received::{Peer, safe};
