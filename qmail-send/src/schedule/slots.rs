//! Deliveries that are under way on one channel.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

/// As many places as deliveries may be under way at once. None is searched for, however many there
/// are.
#[derive(Debug)]
pub(crate) struct Slots {
    limit: DeliveryNumber,
    places: Vec<Option<Running>>,
    /// Those of `places` that are empty.
    free: BinaryHeap<Reverse<DeliveryNumber>>,
    used: usize,
}

impl Slots {
    pub(crate) fn new(limit: DeliveryNumber) -> Self {
        Self { limit, places: Vec::new(), free: BinaryHeap::new(), used: 0 }
    }

    /// From now on, so many deliveries may be under way. Those that are go on.
    pub(crate) fn set_limit(&mut self, limit: DeliveryNumber) {
        self.limit = limit;
    }

    pub(crate) fn count(&self) -> usize {
        self.limit.into()
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    pub(crate) fn has_free(&self) -> bool {
        self.used < self.count()
    }

    /// Puts a delivery into the lowest free place, and gives its number. That is always below the
    /// limit, also where the limit was higher before.
    pub(crate) fn fill(&mut self, running: Running) -> Option<DeliveryNumber> {
        if !self.has_free() {
            return None;
        }
        let number = match self.free.pop() {
            Some(Reverse(number)) => number,
            None => {
                let next = DeliveryNumber::try_from(self.places.len()).ok()?;
                self.places.push(None);
                next
            }
        };
        *self.places.get_mut(usize::from(number))? = Some(running);
        self.used += 1;
        Some(number)
    }

    pub(crate) fn get(&self, number: DeliveryNumber) -> Option<&Running> {
        self.places.get(usize::from(number))?.as_ref()
    }

    /// Takes a delivery that has ended out of its place.
    pub(crate) fn clear(&mut self, number: DeliveryNumber) -> Option<Running> {
        let running = self.places.get_mut(usize::from(number))?.take()?;
        self.free.push(Reverse(number));
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
            assert_eq!(
                slots.fill(running(number)),
                Some(DeliveryNumber::try_from(number).unwrap())
            );
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

    #[test]
    fn a_lower_limit_holds_as_soon_as_deliveries_have_ended() {
        let mut slots = Slots::new(4);
        for number in 0..4 {
            slots.fill(running(number));
        }
        slots.set_limit(2);
        assert_eq!((slots.count(), slots.used(), slots.fill(running(9))), (2, 4, None));
        for number in [0, 1, 2] {
            slots.clear(number);
        }
        assert_eq!(slots.fill(running(5)), Some(0));
        assert_eq!(slots.fill(running(6)), None);
        assert_eq!(slots.get(3), Some(&running(3)));
        slots.set_limit(5);
        assert_eq!(
            [6, 7, 8].map(|number| slots.fill(running(number))),
            [Some(1), Some(2), Some(4)]
        );
        assert!(!slots.has_free());
    }
}
