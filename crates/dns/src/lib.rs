//! A blocking stub resolver: asks the servers of `/etc/resolv.conf`, or the one in `$DNSCACHEIP`.
//!
//! The sockets, the retries and the judgement are ours; names and numbers on the wire are coded by
//! hickory-proto. What counts is the difference between *there is none* ([`Failure::NoSuchName`],
//! [`Failure::NoSuchRecord`]), over which mail may bounce, and *nobody could tell*
//! ([`Failure::Temporary`]), over which it may not.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod config;
mod failure;
pub mod listing;
mod name;
pub mod question;
mod random;
pub mod reading;
mod resolver;
mod transport;

pub use config::Config;
pub use failure::{Cause, Failure};
pub use name::Name;
pub use random::random_below;
pub use resolver::{Exchanger, Resolver};
