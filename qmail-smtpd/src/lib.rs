//! Takes mail from the network by SMTP.
//!
//! The session is a state machine that knows the verbs and the order in which they come. What else
//! there is are modules behind two narrow traits: [`checks::Check`] for policies, and
//! `extension::Extension` for further verbs.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod channel;
pub mod checks;
pub mod secure;
pub mod variables;

mod broken;
mod client;
mod dns;
mod elaborate;
mod extension;
mod greet_delay;
mod journal;
mod local_addresses;
mod message;
mod pattern;
mod printable;
mod program;
mod replies;
mod server;
mod session;
mod settings;
#[cfg(test)]
mod testing;
mod transaction;
mod visit;

pub use greet_delay::GreetDelay;
pub use server::{Ended, World, refuse};
pub use settings::{DEFAULT_PATIENCE, Settings, Unreadable};
