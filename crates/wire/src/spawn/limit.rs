//! The first thing that a spawner says.

use super::{DeliveryNumber, Width};

/// How many deliveries a spawner runs at once, and how they are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub deliveries: DeliveryNumber,
    /// How their numbers are sent.
    pub width: Width,
}

impl Limit {
    /// So many, numbered with as few bytes as possible: a qmail-send that knows only numbers of one
    /// byte understands all limits below 256.
    pub fn new(deliveries: DeliveryNumber) -> Self {
        let width =
            if deliveries > DeliveryNumber::from(u8::MAX) { Width::Two } else { Width::One };
        Self { deliveries, width }
    }

    /// What a spawner that said so can do; `None` if that is neither one byte nor two.
    pub fn parse(said: &[u8]) -> Option<Self> {
        match said {
            [low] => Some(Self { deliveries: DeliveryNumber::from(*low), width: Width::One }),
            [low, high] => {
                let deliveries = DeliveryNumber::from_le_bytes([*low, *high]);
                Some(Self { deliveries, width: Width::Two })
            }
            _ => None,
        }
    }

    /// The bytes that say so, to be written at once.
    pub fn encode(self) -> Vec<u8> {
        self.width.encode(self.deliveries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_how_numbers_are_sent() {
        for (deliveries, said, width) in [
            (0, &[0][..], Width::One),
            (255, &[255], Width::One),
            (256, &[0, 1], Width::Two),
            (65_535, &[255, 255], Width::Two),
        ] {
            let limit = Limit { deliveries, width };
            assert_eq!((Limit::new(deliveries), Limit::parse(said)), (limit, Some(limit)));
            assert_eq!(limit.encode(), said);
        }
        // The patch says small limits with two bytes, too.
        let patched = Limit { deliveries: 120, width: Width::Two };
        assert_eq!(Limit::parse(&[120, 0]), Some(patched));
        assert_eq!((Limit::parse(b""), Limit::parse(b"123")), (None, None));
    }
}
