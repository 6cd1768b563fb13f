//! Takes mail from the network by SMTP.
//!
//! The session is a state machine that knows the verbs and the order in which they come. What else
//! there is are modules behind two narrow traits: [`checks::Check`] for policies, and
//! [`extension::Extension`] for further verbs.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod channel;
pub mod checks;
pub mod client;
pub mod dns;
pub mod extension;
pub mod journal;
pub mod pattern;
pub mod printable;
pub mod replies;
pub mod secure;
pub mod session;
pub mod transaction;
pub mod variables;
pub mod visit;

mod broken;
mod elaborate;
mod greet_delay;
mod local_addresses;
mod message;
mod program;
mod server;
mod settings;
#[cfg(test)]
mod testing;

pub use greet_delay::GreetDelay;
pub use server::{Ended, World, refuse};
pub use settings::{DEFAULT_PATIENCE, Settings, Unreadable};
