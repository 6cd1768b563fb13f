//! POP3 as a server sees it: numbers in commands, and messages on the wire.

mod arguments;
mod message;
mod size;

pub use arguments::{NumberError, message_number, number_and_count};
pub use message::MessageEncoder;
pub use size::SizeCounter;
