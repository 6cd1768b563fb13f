//! Deliveries that are under way on one channel.

use qmail_wire::spawn::DeliveryNumber;

use super::jobs::JobNumber;

/// A delivery that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub job: JobNumber,
    /// Its number in the log.
    pub number: u64,
    /// Where the recipient's record is in the recipient file.
    pub offset: u64,
    pub recipient: Vec<u8>,
}

/// As many places as deliveries may be under way at once.
#[derive(Debug)]
pub(crate) struct Slots {
    places: Vec<Option<Running>>,
    used: usize,
}

impl Slots {
    pub(crate) fn new(count: DeliveryNumber) -> Self {
        Self { places: (0..count).map(|_| None).collect(), used: 0 }
    }

    pub(crate) fn count(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    pub(crate) fn has_free(&self) -> bool {
        self.used < self.places.len()
    }

    /// Puts a delivery into the lowest free place, and gives its number.
    pub(crate) fn fill(&mut self, running: Running) -> Option<DeliveryNumber> {
        let free = self.places.iter().position(Option::is_none)?;
        let number = DeliveryNumber::try_from(free).ok()?;
        *self.places.get_mut(free)? = Some(running);
        self.used += 1;
        Some(number)
    }

    pub(crate) fn get(&self, number: DeliveryNumber) -> Option<&Running> {
        self.places.get(usize::from(number))?.as_ref()
    }

    /// Takes a delivery that has ended out of its place.
    pub(crate) fn clear(&mut self, number: DeliveryNumber) -> Option<Running> {
        let running = self.places.get_mut(usize::from(number))?.take()?;
        self.used -= 1;
        Some(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(number: u64) -> Running {
        Running { job: JobNumber::default(), number, offset: 0, recipient: Vec::new() }
    }

    #[test]
    fn the_lowest_free_place_is_filled() {
        let mut slots = Slots::new(3);
        for number in 0..3 {
            assert_eq!(slots.fill(running(number)), Some(u8::try_from(number).unwrap()));
        }
        assert!(!slots.has_free());
        assert_eq!(slots.fill(running(9)), None);
        assert_eq!(slots.clear(1), Some(running(1)));
        assert_eq!((slots.clear(1), slots.used()), (None, 2));
        assert_eq!(slots.fill(running(4)), Some(1));
        assert_eq!(slots.get(7), None);
    }

    #[test]
    fn a_channel_on_hold_has_no_place() {
        let mut slots = Slots::new(0);
        assert!(!slots.has_free());
        assert_eq!(slots.fill(running(1)), None);
    }
}
