//! From the envelope of qmail-queue to that of QMQP.

use std::io::{BufRead, Read};

use qmail_address::MAXIMUM_LENGTH;
use qmail_wire::netstring::encode;

use crate::failure::Failure;

/// The sender and each recipient as netstrings, one behind the other.
pub(crate) fn to_netstrings(input: &mut impl BufRead) -> Result<Vec<u8>, Failure> {
    let sender = record(input)?;
    let mut netstrings = encode(sender.strip_prefix(b"F").ok_or(Failure::Envelope)?);
    loop {
        let recipient = record(input)?;
        if recipient.is_empty() {
            return Ok(netstrings);
        }
        let recipient = encode(recipient.strip_prefix(b"T").ok_or(Failure::Envelope)?);
        netstrings.try_reserve(recipient.len()).map_err(|_| Failure::Memory)?;
        netstrings.extend_from_slice(&recipient);
    }
}

/// The next record, without the NUL at its end. The last one is empty.
fn record(input: &mut impl BufRead) -> Result<Vec<u8>, Failure> {
    let longest = MAXIMUM_LENGTH + 2;
    let mut record = Vec::new();
    let at_most = u64::try_from(longest).unwrap_or(u64::MAX);
    Read::take(input, at_most)
        .read_until(0, &mut record)
        .map_err(|error| Failure::reading(&error))?;
    match record.pop() {
        Some(0) => Ok(record),
        _ if record.len() + 1 == longest => Err(Failure::AddressTooLong),
        _ => Err(Failure::Envelope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn netstrings(envelope: &[u8]) -> Result<Vec<u8>, Failure> {
        to_netstrings(&mut &*envelope)
    }

    #[test]
    fn addresses_become_netstrings() {
        assert_eq!(netstrings(b"Fs@x\0Ta@b\0T\0\0more").unwrap(), b"3:s@x,3:a@b,0:,");
        assert_eq!(netstrings(b"F\0\0").unwrap(), b"0:,");
    }

    #[test]
    fn other_records_and_cut_envelopes_are_refused() {
        for bad in [b"".as_slice(), b"\0", b"Ta@b\0\0", b"Fs\0Fs\0\0", b"Fs\0Ta\0", b"Fs\0Ta"] {
            assert_eq!(netstrings(bad), Err(Failure::Envelope));
        }
    }

    #[test]
    fn an_address_may_have_1002_bytes() {
        let envelope = |length| [b"F", vec![b'x'; length].as_slice(), b"\0\0"].concat();
        assert!(netstrings(&envelope(1002)).is_ok());
        assert_eq!(netstrings(&envelope(1003)), Err(Failure::AddressTooLong));
        assert_eq!(netstrings(&envelope(1_000_000)), Err(Failure::AddressTooLong));
    }
}
