//! The QMTP server: takes messages from the network, one after the other.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod session;
pub mod settings;

mod body;
mod recipients;
mod replies;
