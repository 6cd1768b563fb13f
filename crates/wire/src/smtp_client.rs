//! The client's half of SMTP: reading replies, and writing a message after DATA.

mod body;
mod offer;
mod reply;

pub use body::{BodyEncoder, PartialLastLine};
pub use offer::{Offer, SizeLimit};
pub use reply::{Class, Reply, ReplyParser, TooLong};
