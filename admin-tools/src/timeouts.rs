//! What qmail-tcpto says of the hosts that did not answer.

use qmail_core::tcpto::Table;

/// A line for each host that the table has something against.
pub fn report(table: &Table, now: u64) -> String {
    let hosts = table.records().filter(|record| record.timeouts > 0);
    hosts
        .map(|record| {
            let (address, timeouts) = (record.address, record.timeouts);
            let ago = now.saturating_sub(record.when);
            format!("{address} timed out {ago} seconds ago; # recent timeouts: {timeouts}\n")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::tcpto::Family;

    #[test]
    fn free_records_are_not_shown() {
        let mut bytes = [0; 48];
        bytes[..12].copy_from_slice(b"\xc0\0\x02\x01\x02\0\0\0\x64\0\0\0");
        bytes[32..44].copy_from_slice(b"\xc0\0\x02\x02\x01\0\0\0\xff\xff\xff\xff");
        let table = Table::new(Family::Ipv4, bytes.to_vec());
        let expected = "192.0.2.1 timed out 5 seconds ago; # recent timeouts: 2\n\
                        192.0.2.2 timed out 0 seconds ago; # recent timeouts: 1\n";
        assert_eq!(report(&table, 105), expected);
    }
}
