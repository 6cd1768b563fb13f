//! The envelope as queue programs read it: `F` sender, `T` recipient, each ended by a NUL, and
//! another NUL at the end.

/// Sender and recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go.
    pub sender: Vec<u8>,
    /// Who gets the message.
    pub recipients: Vec<Vec<u8>>,
}

impl Envelope {
    /// `None` if it is cut off, or none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let records = bytes.strip_suffix(b"\0\0")?;
        let mut records = records.split(|byte| *byte == 0);
        let sender = records.next()?.strip_prefix(b"F")?.to_vec();
        let recipients = records.map(|record| record.strip_prefix(b"T").map(<[u8]>::to_vec));
        Some(Self { sender, recipients: recipients.collect::<Option<_>>()? })
    }

    /// The part of the sender before the last `@`, and the part behind it.
    pub fn user_and_host(&self) -> (&[u8], &[u8]) {
        match self.sender.iter().rposition(|byte| *byte == b'@') {
            Some(at) => {
                let (user, host) = self.sender.split_at(at);
                (user, host.get(1..).unwrap_or_default())
            }
            None => (&self.sender, &[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_whole_or_none() {
        let envelope = Envelope::parse(b"Fa@b@c\0Td@e\0Tf\0\0").unwrap();
        assert_eq!(envelope.user_and_host(), (&b"a@b"[..], &b"c"[..]));
        assert_eq!(envelope.recipients, [b"d@e".to_vec(), b"f".to_vec()]);
        assert!(Envelope::parse(b"F\0\0").unwrap().recipients.is_empty());
        for bytes in [&b""[..], b"Fa\0", b"Ta\0\0", b"Fa\0Fb\0\0", b"Fa\0Tb\0", b"\0\0"] {
            assert_eq!(Envelope::parse(bytes), None, "{bytes:?}");
        }
    }
}
