//! Between qmail-send and a spawner: delivery commands one way, reports the other.
//!
//! A spawner first writes one byte, the number of deliveries that it can run at once.

mod command;
mod report;

pub use command::{Command, CommandOverflow, CommandParser, MessageFault};
pub use report::{Mangled, Report, ReportParser, Verdict};

/// The number of a delivery on both pipes, low byte first. Its width is said here only.
pub type DeliveryNumber = u8;

/// Bytes of a [`DeliveryNumber`].
const WIDTH: usize = size_of::<DeliveryNumber>();

/// Most bytes of a report that are kept, its number included; what exceeds them is dropped.
pub const REPORT_LIMIT: usize = 10_000;

/// Collects the bytes of a delivery number.
#[derive(Debug, Default)]
struct NumberParser {
    bytes: [u8; WIDTH],
    length: usize,
}

impl NumberParser {
    /// Takes a byte unless the number is complete; whether it was taken.
    fn take(&mut self, byte: u8) -> bool {
        match self.bytes.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
                true
            }
            None => false,
        }
    }

    fn number(&self) -> DeliveryNumber {
        DeliveryNumber::from_le_bytes(self.bytes)
    }
}
