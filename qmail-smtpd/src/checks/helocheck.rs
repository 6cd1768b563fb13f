//! `HELOCHECK`: what spamcontrol asks of the name that a client gives for itself.

use super::{Check, Verdict};
use crate::dns::{Answer, Dns};
use crate::printable::word;
use crate::replies::{DNS_FAILURE, INVALID_HELO};
use crate::transaction::Recipient;
use crate::visit::Visit;

/// What the name must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    /// There at all, and not empty.
    Given,
    /// The name that the DNS has for the client.
    Own,
    /// The name of a host with an address.
    Host,
    /// A domain that takes mail.
    Domain,
}

/// Refuses recipients if the name is not what was asked for, unless the client may relay.
pub(super) struct HeloCheck {
    demand: Demand,
    dns: Box<dyn Dns>,
    /// Lines `name!` of `badhelo`: names that need not be in the DNS.
    exempt: Vec<Vec<u8>>,
    decided: Option<(Vec<u8>, Verdict)>,
}

impl HeloCheck {
    /// From the value of `$HELOCHECK`, and the lines of `badhelo`; `None` if it asks for nothing
    /// but that list.
    pub(super) fn new(value: &[u8], badhelo: &[Vec<u8>], dns: Box<dyn Dns>) -> Option<Self> {
        let demand = match value.first()? {
            b'!' | b'.' => Demand::Given,
            b'=' => Demand::Own,
            b'A' | b'a' => Demand::Host,
            b'M' | b'm' => Demand::Domain,
            _ => return None,
        };
        let exempt = badhelo.iter().filter_map(|line| line.strip_suffix(b"!"));
        Some(Self { demand, dns, exempt: exempt.map(<[u8]>::to_vec).collect(), decided: None })
    }

    fn verdict(&self, visit: &Visit, name: &[u8]) -> Verdict {
        let is_exempt = self.exempt.iter().any(|exempt| exempt.eq_ignore_ascii_case(name));
        let answer = match self.demand {
            _ if name.is_empty() => Answer::No,
            Demand::Given => Answer::Yes(()),
            Demand::Own if name.eq_ignore_ascii_case(&visit.client.peer.remote_host) => {
                Answer::Yes(())
            }
            Demand::Own => Answer::No,
            Demand::Host | Demand::Domain if is_exempt => Answer::Yes(()),
            Demand::Host => self.dns.has_address(name),
            Demand::Domain => self.dns.takes_mail(name),
        };
        match answer {
            Answer::Yes(()) => Verdict::Pass,
            Answer::No => Verdict::Refuse(INVALID_HELO),
            Answer::Unknown => Verdict::Refuse(DNS_FAILURE),
        }
    }
}

impl Check for HeloCheck {
    fn recipient(&mut self, visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        if visit.may_relay() {
            return Verdict::Pass;
        }
        let name = visit.client.helo.clone().unwrap_or_default();
        if let Some((decided, verdict)) = &self.decided
            && *decided == name
        {
            return verdict.clone();
        }
        let verdict = self.verdict(visit, &name);
        if verdict != Verdict::Pass {
            let mut note = b"qmail-smtpd: badhelo: <".to_vec();
            note.extend(word(&name));
            note.extend_from_slice(b"> at ");
            note.extend(word(&visit.client.peer.remote_ip));
            visit.note(note);
        }
        self.decided = Some((name, verdict.clone()));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{FixedDns, visit_with};

    fn verdict(value: &str, name: Option<&str>) -> Verdict {
        let dns = FixedDns::new().a("host.example", [192, 0, 2, 1]).takes_mail("mail.example");
        let dns = dns.unknown("broken.example");
        let mut visit = visit_with(&[("TCPREMOTEHOST", "client.example")]);
        visit.client.helo = name.map(|name| name.as_bytes().to_vec());
        let badhelo = [b"exempt!".to_vec()];
        let mut check = HeloCheck::new(value.as_bytes(), &badhelo, Box::new(dns)).unwrap();
        check.recipient(&mut visit, &mut Recipient::new("a@b"))
    }

    #[test]
    fn each_demand_has_its_names() {
        let bad = Verdict::Refuse(INVALID_HELO);
        for value in ["!", ".", "=", "A", "M"] {
            assert_eq!(verdict(value, None), bad, "{value}");
            assert_eq!(verdict(value, Some("")), bad, "{value}");
        }
        assert_eq!(verdict("!", Some("x")), Verdict::Pass);
        assert_eq!(verdict("=", Some("Client.example")), Verdict::Pass);
        assert_eq!(verdict("=", Some("other.example")), bad);
        assert_eq!(verdict("A", Some("host.example")), Verdict::Pass);
        assert_eq!(verdict("A", Some("mail.example")), bad);
        assert_eq!(verdict("A", Some("Exempt")), Verdict::Pass);
        assert_eq!(verdict("M", Some("mail.example")), Verdict::Pass);
        assert_eq!(verdict("M", Some("broken.example")), Verdict::Refuse(DNS_FAILURE));
    }

    #[test]
    fn an_empty_value_asks_for_the_list_only() {
        assert!(HeloCheck::new(b"", &[], Box::new(FixedDns::new())).is_none());
    }
}
