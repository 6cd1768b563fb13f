//! The addresses of a message as SMTP shows them.

use crate::report::Failure;

/// Sender and recipients, quoted where they have to be.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) sender: Vec<u8>,
    pub(crate) recipients: Vec<Vec<u8>>,
}

impl Envelope {
    /// # Errors
    /// If an address would break its line: what follows would be taken for a command.
    pub(crate) fn new(sender: &[u8], recipients: &[Vec<u8>]) -> Result<Self, Failure> {
        let recipients = recipients.iter().map(|recipient| on_the_wire(recipient));
        Ok(Self {
            sender: on_the_wire(sender).ok_or(Failure::BrokenSender)?,
            recipients: recipients.collect::<Option<_>>().ok_or(Failure::BrokenRecipient)?,
        })
    }
}

/// An address without a host stays as it is: the empty sender above all.
fn on_the_wire(address: &[u8]) -> Option<Vec<u8>> {
    if qmail_address::breaks_lines(address) {
        return None;
    }
    Some(match address.contains(&b'@') {
        true => qmail_address::quote(address),
        false => address.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_parts_are_quoted_and_addresses_without_a_host_are_not() {
        assert_eq!(on_the_wire(b"a b@c d").unwrap(), b"\"a b\"@c d");
        assert_eq!(on_the_wire(b"a@b@c").unwrap(), b"\"a@b\"@c");
        assert_eq!(on_the_wire(b"a b").unwrap(), b"a b");
        assert_eq!(on_the_wire(b"").unwrap(), b"");
    }

    #[test]
    fn an_address_cannot_smuggle_a_command() {
        for address in ["a@b\r\nDATA", "a\n@b", "a\r@b", "a\0@b", "\n"] {
            assert_eq!(on_the_wire(address.as_bytes()), None, "{address:?}");
        }
        assert!(matches!(Envelope::new(b"\n", &[]), Err(Failure::BrokenSender)));
        assert!(matches!(Envelope::new(b"", &[b"\r".to_vec()]), Err(Failure::BrokenRecipient)));
    }
}
