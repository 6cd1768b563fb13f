//! Which recipients of a message are taken.

use std::io;

use qmail_address::breaks_lines;
use qmail_core::rcpthosts::Rcpthosts;

/// An address in an envelope, with what we append to it, is shorter than this.
pub(crate) const ADDRESS_LIMIT: usize = 1000;

/// What becomes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// He gets the message, if anybody does.
    Accepted,
    /// No address is like that.
    Unfit,
    /// The client may not send to his domain.
    NotListed,
}

/// Who may be sent to.
#[derive(Debug)]
pub enum Permission {
    /// Anybody: the client is one of us. This is appended to each address.
    Relay(Vec<u8>),
    /// Those in our domains.
    Listed(Rcpthosts),
}

impl Permission {
    /// How long an address may not be.
    pub fn limit(&self) -> usize {
        match self {
            Self::Relay(suffix) => ADDRESS_LIMIT.saturating_sub(suffix.len()),
            Self::Listed(_) => ADDRESS_LIMIT,
        }
    }

    fn allows(&self, recipient: &[u8]) -> io::Result<bool> {
        match self {
            Self::Relay(_) => Ok(true),
            Self::Listed(rcpthosts) => rcpthosts.allow(recipient),
        }
    }

    fn suffix(&self) -> &[u8] {
        match self {
            Self::Relay(suffix) => suffix,
            Self::Listed(_) => b"",
        }
    }
}

/// The recipients of one message: what becomes of each, and those who are accepted, one behind the
/// other, so that there is no more of them than the client has sent.
#[derive(Debug, Default)]
pub(crate) struct Recipients {
    verdicts: Vec<Verdict>,
    accepted: Vec<u8>,
}

impl Recipients {
    /// Adds one; `None` for an address that was too long to be kept.
    ///
    /// # Errors
    /// If the list of our domains cannot be read.
    pub(crate) fn add(
        &mut self,
        recipient: Option<&[u8]>,
        permission: &Permission,
    ) -> io::Result<()> {
        let verdict = match recipient {
            Some(address) if breaks_lines(address) => Verdict::Unfit,
            Some(address) if permission.allows(address)? => {
                self.accepted.extend_from_slice(address);
                self.accepted.extend_from_slice(permission.suffix());
                self.accepted.push(0);
                Verdict::Accepted
            }
            Some(_) => Verdict::NotListed,
            None => Verdict::Unfit,
        };
        self.verdicts.push(verdict);
        Ok(())
    }

    /// What becomes of each, in order.
    pub(crate) fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    /// Those who are accepted.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &[u8]> {
        self.accepted.split_inclusive(|byte| *byte == 0).filter_map(|one| one.strip_suffix(b"\0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::control::Controls;
    use std::fs::{File, create_dir};
    use std::io::Write;

    fn listed(hosts: &[u8]) -> Permission {
        let home = tempfile::tempdir().unwrap();
        create_dir(home.path().join("control")).unwrap();
        let mut file = File::create(home.path().join("control/rcpthosts")).unwrap();
        file.write_all(hosts).unwrap();
        Permission::Listed(Rcpthosts::load(&Controls::open(home.path()).unwrap()).unwrap())
    }

    fn recipients(permission: &Permission, addresses: &[Option<&[u8]>]) -> Recipients {
        let mut recipients = Recipients::default();
        for address in addresses {
            recipients.add(*address, permission).unwrap();
        }
        recipients
    }

    #[test]
    fn only_fit_addresses_in_our_domains_are_taken() {
        let addresses =
            [Some(b"a@here".as_slice()), Some(b"a@there"), Some(b"a\0@here"), None, Some(b"")];
        let recipients = recipients(&listed(b"here\n"), &addresses);
        let expected = [
            Verdict::Accepted,
            Verdict::NotListed,
            Verdict::Unfit,
            Verdict::Unfit,
            Verdict::Accepted,
        ];
        assert_eq!(recipients.verdicts(), expected);
        assert_eq!(recipients.accepted().collect::<Vec<_>>(), [b"a@here".as_slice(), b""]);
    }

    #[test]
    fn a_relay_client_may_send_to_anybody_fit() {
        let permission = Permission::Relay(b"@fix".to_vec());
        assert_eq!(permission.limit(), 996);
        let recipients = recipients(&permission, &[Some(b"a@there"), Some(b"a\nb")]);
        assert_eq!(recipients.verdicts(), [Verdict::Accepted, Verdict::Unfit]);
        assert_eq!(recipients.accepted().collect::<Vec<_>>(), [b"a@there@fix"]);
    }
}
