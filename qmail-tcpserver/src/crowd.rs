//! Who is being served, and whether somebody else may be.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// The processes that serve connections, by number, each with the address that it serves.
#[derive(Debug)]
pub(crate) struct Crowd {
    limit: usize,
    for_each: Option<usize>,
    served: BTreeMap<u32, IpAddr>,
}

impl Crowd {
    /// Nobody yet; at most `limit`, and of one address at most `for_each`.
    pub(crate) fn new(limit: usize, for_each: Option<usize>) -> Self {
        Self { limit, for_each, served: BTreeMap::new() }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.served.len()
    }

    /// How many there may be.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether nobody else may come in.
    pub(crate) fn is_full(&self) -> bool {
        self.served.len() >= self.limit
    }

    /// How many are served of an address that may have no more.
    pub(crate) fn crowded(&self, address: IpAddr) -> Option<usize> {
        let limit = self.for_each?;
        let count = self.served.values().filter(|served| **served == address).count();
        (count >= limit).then_some(count)
    }

    /// Somebody begins to be served.
    pub(crate) fn enter(&mut self, process: u32, address: IpAddr) {
        self.served.insert(process, address);
    }

    /// A process has ended. Whether it was one of ours: a process may also get children by exec.
    pub(crate) fn leave(&mut self, process: u32) -> bool {
        self.served.remove(&process).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_limit_to_all_and_one_to_each() {
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut crowd = Crowd::new(3, Some(2));
        crowd.enter(7, one);
        assert_eq!(crowd.crowded(one), None);
        crowd.enter(8, one);
        assert_eq!((crowd.crowded(one), crowd.crowded(other)), (Some(2), None));
        assert!(!crowd.is_full());
        crowd.enter(9, other);
        assert!(crowd.is_full());
        assert!(!crowd.leave(10) && crowd.leave(7) && !crowd.leave(7));
        assert_eq!((crowd.crowded(one), crowd.count(), crowd.is_full()), (None, 2, false));
        assert_eq!(Crowd::new(1, None).crowded(one), None);
    }
}
