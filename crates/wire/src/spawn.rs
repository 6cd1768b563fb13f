//! Between qmail-send and a spawner: delivery commands one way, reports the other.
//!
//! A spawner first says how many deliveries it can run at once. One byte says so as netqmail does,
//! and deliveries are numbered by one byte, too. Two bytes say so as the patch for more than 255
//! deliveries does, and so do the numbers have two.

mod command;
mod limit;
mod report;

pub use command::{Command, CommandOverflow, CommandParser, MessageFault};
pub use limit::Limit;
pub use report::{Mangled, Report, ReportParser, Verdict};

/// The number of a delivery on both pipes.
pub type DeliveryNumber = u16;

/// Bytes of a [`DeliveryNumber`] on the pipes, low byte first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// Numbers to 255.
    #[default]
    One,
    /// All numbers.
    Two,
}

/// Most bytes of a report that are kept, its number included; what exceeds them is dropped.
const REPORT_LIMIT: usize = 10_000;

impl Width {
    /// How many bytes that is.
    const fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// A number as it is sent.
    fn encode(self, number: DeliveryNumber) -> Vec<u8> {
        number.to_le_bytes().into_iter().take(self.bytes()).collect()
    }
}

/// Collects the bytes of a delivery number.
#[derive(Debug, Default)]
struct NumberParser {
    width: Width,
    bytes: [u8; 2],
    length: usize,
}

impl NumberParser {
    fn new(width: Width) -> Self {
        Self { width, ..Self::default() }
    }

    /// Takes a byte unless the number is complete; whether it was taken.
    fn take(&mut self, byte: u8) -> bool {
        match self.bytes.get_mut(self.length) {
            Some(place) if self.length < self.width.bytes() => {
                *place = byte;
                self.length += 1;
                true
            }
            _ => false,
        }
    }

    fn number(&self) -> DeliveryNumber {
        DeliveryNumber::from_le_bytes(self.bytes)
    }
}
