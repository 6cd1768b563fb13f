//! Relay probes: recipients such as `user%elsewhere@here`, with which testers call a host open.

use super::{Check, Verdict};
use crate::replies::RELAY_PROBE;
use crate::transaction::Recipient;
use crate::visit::Visit;

/// Refuses recipients with `@`, `%` or `!` in front of their host.
#[derive(Clone, Copy, Debug)]
pub(super) struct RelayProbes;

impl Check for RelayProbes {
    fn recipient(&mut self, _visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        let is_probe = is_probe(&recipient.address);
        if is_probe { Verdict::Refuse(RELAY_PROBE) } else { Verdict::Pass }
    }
}

fn is_probe(address: &[u8]) -> bool {
    let end = address.iter().rposition(|byte| *byte == b'@').unwrap_or(address.len());
    address.iter().take(end).any(|byte| b"@%!".contains(byte))
}

#[cfg(test)]
mod tests {
    #[test]
    fn routes_are_found_in_front_of_the_host_only() {
        for probe in ["a%b@here", "a@b@here", "b!a@here", "b!a", "a%b"] {
            assert!(super::is_probe(probe.as_bytes()), "{probe}");
        }
        for address in ["a@here", "a@he%re!", "a", "", "@here"] {
            assert!(!super::is_probe(address.as_bytes()), "{address}");
        }
    }
}
