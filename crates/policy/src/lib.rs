//! Who vouches for a message.
//!
//! [`dkim`] signs and verifies (RFC 6376, 8301, 8463); [`results`] writes down what was found
//! (RFC 8601). SPF, DMARC and ARC become neighbours of `dkim`: each turns a message and what DNS
//! says into [`results::Method`]s, and knows nothing of the others.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod dkim;
pub mod domain;
pub mod draft;
pub mod results;
pub mod text;

pub use domain::Domain;
