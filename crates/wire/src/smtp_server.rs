//! SMTP as a server sees it: addresses in commands, replies, and the message after DATA.

mod data;
mod hops;
mod path;
mod reply;

pub use data::{BareLineEnd, DataDecoder};
pub use hops::HopCounter;
pub use path::{address_literal, path};
pub use reply::Reply;
