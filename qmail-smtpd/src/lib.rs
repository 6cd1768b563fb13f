//! Takes mail from the network by SMTP.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod checks;
pub mod client;
pub mod replies;
pub mod session;

mod broken;
mod local_addresses;
mod message;
mod server;
mod settings;

pub use server::{Ended, refuse, serve};
pub use settings::{DEFAULT_PATIENCE, Settings, Unreadable};
