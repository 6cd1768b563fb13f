//! Who wants to log in, and whether he knows a password: what the programs share that speak the
//! interface of checkpassword and understand digests.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod failure;
mod proof;
mod request;

pub use failure::Failure;
pub use proof::{Method, proves};
pub use request::{Request, read_request};
