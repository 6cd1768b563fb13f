//! Who wants to log in, and whether he knows a password: what all programs share that speak the
//! interface of checkpassword.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod equal;
mod failure;
pub mod password;
mod request;

pub use equal::equal;
pub use failure::Failure;
pub use request::{DESCRIPTOR, Request, read_request};
