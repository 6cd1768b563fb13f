//! `badmailfrom`: senders whose mail is not wanted.

use qmail_address::host;
use qmail_core::control::Set;

use super::{Check, Verdict};
use crate::replies::BAD_SENDER;
use crate::transaction::{Recipient, Transaction};
use crate::visit::Visit;

/// Refuses every recipient of a listed sender.
///
/// Not the sender himself: clients make too much of a refused MAIL.
#[derive(Debug)]
pub struct BadMailFrom {
    listed: Set,
    present_is_listed: bool,
}

impl BadMailFrom {
    /// Of addresses, and of hosts as `@host`.
    pub fn new(listed: Set) -> Self {
        Self { listed, present_is_listed: false }
    }

    fn lists(&self, sender: &[u8]) -> bool {
        let lists_host = |host: &[u8]| self.listed.contains(&[b"@", host].concat());
        self.listed.contains(sender) || host(sender).is_some_and(lists_host)
    }
}

impl Check for BadMailFrom {
    fn sender(&mut self, _visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        self.present_is_listed = self.lists(&beginning.sender);
        Verdict::Pass
    }

    fn recipient(&mut self, _visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        if self.present_is_listed { Verdict::Refuse(BAD_SENDER) } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_hosts_are_found_in_any_case() {
        let lines = ["Bad@one.example", "@bad.example"].map(|line| line.as_bytes().to_vec());
        let list = BadMailFrom::new(lines.into_iter().collect());
        for sender in ["bad@ONE.example", "anybody@Bad.example", "x@y@bad.example"] {
            assert!(list.lists(sender.as_bytes()), "{sender}");
        }
        for sender in ["good@one.example", "x@sub.bad.example", "bad.example", ""] {
            assert!(!list.lists(sender.as_bytes()), "{sender}");
        }
    }
}
