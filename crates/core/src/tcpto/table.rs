//! A table as bytes: what it says of a host, and how it changes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Records of a table.
const RECORDS: usize = 64;
/// Time-outs are not counted beyond this.
const MOST_TIMEOUTS: u8 = 10;
/// Time-outs after which a host is skipped for a while.
const ENOUGH_TIMEOUTS: u8 = 2;
/// Further time-outs within so many seconds count as the same one.
const SAME_TIMEOUT: u64 = 120;

/// Which hosts a table is about, and so how it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// netqmail's table: address, a byte with the count, time in the bytes 8 to 11 of 16.
    Ipv4,
    /// Ours, since that has no room: address, a byte with the count, time in the last 8 of 32.
    Ipv6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }

    /// Bytes of one record.
    pub(super) const fn record(self) -> usize {
        match self {
            Self::Ipv4 => 16,
            Self::Ipv6 => 32,
        }
    }

    /// Bytes of a table.
    pub(super) const fn table(self) -> usize {
        self.record() * RECORDS
    }

    /// Where the count and the time stand.
    const fn places(self) -> (usize, usize) {
        match self {
            Self::Ipv4 => (4, 8),
            Self::Ipv6 => (16, 24),
        }
    }
}

/// The contents of the file. A short file has fewer records, and none can be added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    family: Family,
    bytes: Vec<u8>,
}

/// One record of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The host.
    pub address: IpAddr,
    /// How often it timed out in a row; 0 if the record is free.
    pub timeouts: u8,
    /// When it last did, in seconds since 1970.
    pub when: u64,
}

impl Table {
    /// The table in these bytes; what is no whole record, or beyond the last one, does not count.
    pub fn new(family: Family, mut bytes: Vec<u8>) -> Self {
        bytes.truncate(family.table());
        bytes.truncate(bytes.len() / family.record() * family.record());
        Self { family, bytes }
    }

    /// All records, free ones included, in the order of the file.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.bytes
            .chunks_exact(self.family.record())
            .filter_map(|bytes| Record::read(self.family, bytes))
    }

    /// The record of a host.
    pub fn find(&self, address: IpAddr) -> Option<Record> {
        self.position(address).map(|(_, record)| record)
    }

    /// Counts a time-out of `address`. Returns the number of the record that changed.
    pub(super) fn time_out(&mut self, address: IpAddr, now: u64) -> Option<usize> {
        let (number, timeouts) = match self.position(address) {
            Some((_, record)) if record.timeouts > 0 && now < record.age_end(SAME_TIMEOUT) => {
                return None;
            }
            Some((number, record)) => (number, record.timeouts.saturating_add(1)),
            None => (self.victim()?, 1),
        };
        let timeouts = timeouts.min(MOST_TIMEOUTS);
        self.write(number, Record { address, timeouts, when: now });
        Some(number)
    }

    /// Forgets the time-outs of `address`. Returns the number of the record that changed.
    pub(super) fn clear(&mut self, address: IpAddr) -> Option<usize> {
        let (number, record) = self.position(address)?;
        self.write(number, Record { timeouts: 0, ..record });
        Some(number)
    }

    /// The bytes of a record.
    pub(super) fn bytes_of(&self, number: usize) -> &[u8] {
        self.bytes.chunks_exact(self.family.record()).nth(number).unwrap_or_default()
    }

    fn position(&self, address: IpAddr) -> Option<(usize, Record)> {
        self.records().enumerate().find(|(_, record)| record.address == address)
    }

    /// The record that a new host takes: a free one, or the one that says least, be it because it
    /// is old or because it counts few.
    fn victim(&self) -> Option<usize> {
        let records = || self.records().enumerate();
        let free = records().find(|(_, record)| record.timeouts == 0);
        let worth = |record: &Record| record.when.saturating_add(u64::from(record.timeouts) * 1024);
        let least = || records().min_by_key(|(_, record)| worth(record));
        free.or_else(least).map(|(number, _)| number)
    }

    /// Changes a record; bytes without a meaning stay as they are.
    fn write(&mut self, number: usize, record: Record) {
        let (count, time) = self.family.places();
        let Some(bytes) = self.bytes.chunks_exact_mut(self.family.record()).nth(number) else {
            return;
        };
        let mut put = |at: usize, field: &[u8]| {
            if let Some(place) = bytes.get_mut(at..at + field.len()) {
                place.copy_from_slice(field);
            }
        };
        match record.address {
            IpAddr::V4(address) => put(0, &address.octets()),
            IpAddr::V6(address) => put(0, &address.octets()),
        }
        put(count, &[record.timeouts]);
        match self.family {
            Family::Ipv4 => {
                put(time, &u32::try_from(record.when).unwrap_or(u32::MAX).to_le_bytes())
            }
            Family::Ipv6 => put(time, &record.when.to_le_bytes()),
        }
    }
}

impl Record {
    fn read(family: Family, bytes: &[u8]) -> Option<Self> {
        let (count, time) = family.places();
        let timeouts = *bytes.get(count)?;
        let time = bytes.get(time..)?;
        Some(match family {
            Family::Ipv4 => Self {
                address: Ipv4Addr::from(*bytes.first_chunk::<4>()?).into(),
                timeouts,
                when: u32::from_le_bytes(*time.first_chunk()?).into(),
            },
            Family::Ipv6 => Self {
                address: Ipv6Addr::from(*bytes.first_chunk::<16>()?).into(),
                timeouts,
                when: u64::from_le_bytes(*time.first_chunk()?),
            },
        })
    }

    /// Whether the host has timed out so often, and so recently, that the process with this id
    /// should not try it. Processes differ, so that not all of them try at once.
    pub(crate) fn advises_against(&self, now: u64, process: u32) -> bool {
        let patience = (60 + u64::from(process % 32)) * 64;
        self.timeouts >= ENOUGH_TIMEOUTS && now < self.age_end(patience)
    }

    /// When so many seconds will have passed since the last time-out.
    fn age_end(&self, seconds: u64) -> u64 {
        self.when.saturating_add(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const TABLE: usize = Family::Ipv4.table();
    const NOW: u64 = 1_700_000_000;

    fn empty() -> Table {
        Table::new(Family::Ipv4, vec![0; TABLE])
    }

    fn host(number: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + number).into()
    }

    #[test]
    fn the_bytes_are_those_of_netqmail() {
        let mut table = Table::new(Family::Ipv4, vec![0xee; TABLE]);
        assert_eq!(table.time_out(HOST, 0x6553_f100), Some(0));
        let bytes = b"\xc0\0\x02\x01\x01\xee\xee\xee\0\xf1\x53\x65\xee\xee\xee\xee";
        assert_eq!(table.bytes_of(0), bytes);
        assert_eq!(table.find(HOST).unwrap().when, 0x6553_f100);
    }

    #[test]
    fn two_time_outs_keep_a_host_away_for_an_hour_or_more() {
        let mut table = empty();
        table.time_out(HOST, NOW);
        assert!(!table.find(HOST).unwrap().advises_against(NOW, 0));
        table.time_out(HOST, NOW + 120);
        let record = table.find(HOST).unwrap();
        assert!(record.advises_against(NOW + 120 + 3839, 0));
        assert!(!record.advises_against(NOW + 120 + 3840, 64));
        assert!(record.advises_against(NOW + 120 + 5823, 31));
        assert!(!record.advises_against(NOW + 120 + 5824, 31));
    }

    #[test]
    fn time_outs_at_once_are_one_and_ten_are_the_most() {
        let mut table = empty();
        table.time_out(HOST, NOW);
        assert_eq!(table.time_out(HOST, NOW + 119), None);
        for round in 1..20 {
            assert_eq!(table.time_out(HOST, NOW + 120 * round), Some(0));
        }
        assert_eq!(table.find(HOST).unwrap().timeouts, 10);
    }

    #[test]
    fn a_cleared_record_is_free_and_found_again() {
        let mut table = empty();
        assert_eq!(table.clear(HOST), None);
        table.time_out(HOST, NOW);
        assert_eq!(table.clear(HOST), Some(0));
        assert_eq!(table.find(HOST).unwrap().timeouts, 0);
        assert_eq!(table.time_out(HOST, NOW), Some(0));
        assert_eq!(table.find(HOST).unwrap().timeouts, 1);
    }

    #[test]
    fn a_full_table_forgets_what_says_least() {
        let mut table = empty();
        for number in 0..64 {
            assert!(table.time_out(host(number), NOW + u64::from(number)).is_some());
        }
        // The oldest now counts two, which is worth 1024 seconds; the next oldest goes.
        table.time_out(host(0), NOW + 200);
        assert_eq!(table.time_out(HOST, NOW + 300), Some(1));
        assert_eq!(table.find(host(1)), None);
        table.clear(host(40));
        assert_eq!(table.time_out(host(99), NOW + 400), Some(40));
    }

    #[test]
    fn a_short_file_has_fewer_records_and_an_empty_one_none() {
        let mut table = Table::new(Family::Ipv4, vec![0; 16 * 2 + 15]);
        assert_eq!(table.records().count(), 2);
        assert!(table.time_out(HOST, NOW).is_some());
        let mut table = Table::new(Family::Ipv4, Vec::new());
        assert_eq!((table.time_out(HOST, NOW), table.clear(HOST)), (None, None));
        assert_eq!(Table::new(Family::Ipv4, vec![0; 5000]).records().count(), 64);
    }

    #[test]
    fn the_table_for_ipv6_has_longer_records() {
        let mut table = Table::new(Family::Ipv6, vec![0; Family::Ipv6.table()]);
        let host: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(table.time_out(host, NOW), Some(0));
        assert_eq!(table.time_out("2001:db8::2".parse().unwrap(), NOW), Some(1));
        let record = table.find(host).unwrap();
        assert_eq!((record.timeouts, record.when, table.records().count()), (1, NOW, 64));
        let bytes = table.bytes_of(0);
        assert_eq!((bytes[0], bytes[15], bytes[16]), (0x20, 1, 1));
        assert_eq!(bytes[24..], NOW.to_le_bytes());
    }
}
