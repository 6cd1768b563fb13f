//! The envelope: from its client's form to that of `todo/`.

use std::io::{BufRead, BufWriter, Read, Write};

use qmail_address::MAXIMUM_LENGTH;

use crate::Failure;

/// Who gave us the message, which begins its envelope.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// His user id.
    pub user: u32,
    /// His process.
    pub process: u32,
}

/// Copies `F` sender, `T` recipient …, up to the lone NUL, which is not part of the file.
///
/// # Errors
/// See [`Failure`]. What was written by then is of no use.
pub fn copy(
    mut client: impl BufRead,
    source: &Source,
    file: &mut impl Write,
) -> Result<(), Failure> {
    let mut file = BufWriter::new(file);
    write!(file, "u{}\0p{}\0", source.user, source.process).map_err(|_| Failure::Write)?;
    let sender = read_record(&mut client)?;
    if !sender.starts_with(b"F") {
        return Err(Failure::EnvelopeFormat);
    }
    file.write_all(&sender).map_err(|_| Failure::Write)?;
    loop {
        let record = read_record(&mut client)?;
        match record.first() {
            Some(0) => break,
            Some(b'T') => file.write_all(&record).map_err(|_| Failure::Write)?,
            _ => return Err(Failure::EnvelopeFormat),
        }
    }
    file.flush().map_err(|_| Failure::Write)
}

/// A letter, an address and a NUL; or a lone NUL.
fn read_record(client: &mut impl BufRead) -> Result<Vec<u8>, Failure> {
    let mut record = Vec::new();
    // Letter, address, NUL.
    let limit = MAXIMUM_LENGTH + 2;
    let bytes = u64::try_from(limit).map_err(|_| Failure::Bug)?;
    client.take(bytes).read_until(0, &mut record).map_err(|_| Failure::Read)?;
    match record.last() {
        Some(0) => Ok(record),
        _ if !matches!(record.first(), None | Some(b'F' | b'T')) => Err(Failure::EnvelopeFormat),
        _ if record.len() == limit => Err(Failure::AddressTooLong),
        _ => Err(Failure::Read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(envelope: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut file = Vec::new();
        copy(envelope, &Source { user: 1, process: 2 }, &mut file).map(|()| file)
    }

    #[test]
    fn an_address_of_1002_bytes_is_the_longest() {
        let envelope = |length| [b"F".as_slice(), &vec![b'x'; length], b"\0\0"].concat();
        assert!(copied(&envelope(1002)).is_ok());
        assert_eq!(copied(&envelope(1003)), Err(Failure::AddressTooLong));
    }

    #[test]
    fn every_byte_but_nul_may_stand_in_an_address() {
        let all: Vec<u8> = (1..=255).collect();
        let envelope = [b"F\0T".as_slice(), &all, b"\0\0"].concat();
        assert_eq!(copied(&envelope).unwrap(), [b"u1\0p2\0F\0T".as_slice(), &all, b"\0"].concat());
    }
}
