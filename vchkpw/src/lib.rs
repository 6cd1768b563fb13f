//! Checks passwords of users of vpopmail's domains.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod account;
mod login;
mod service;

pub use account::{Account, account};
pub use login::Login;
pub use service::Service;
