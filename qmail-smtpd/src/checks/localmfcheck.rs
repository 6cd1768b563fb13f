//! `LOCALMFCHECK`: which senders clients that may relay may name (spamcontrol's MAV).

use std::io;

use qmail_address::host;
use qmail_core::cdb::Cdb;
use qmail_core::control::{ControlError, MAILFROMRULES_CDB};
use qmail_core::rcpthosts::Rcpthosts;
use qmail_core::sender_rules::{keys_for, permits};

use super::{Check, Source, Verdict};
use crate::replies::{INVALID_SENDER, UNREADABLE_CONTROLS};
use crate::transaction::Recipient;
use crate::visit::Visit;

/// Who may be named.
#[derive(Debug)]
enum Demand {
    /// Anybody at this domain, if one is given, or in `rcpthosts`.
    OwnDomain(Vec<u8>, Rcpthosts),
    /// Whom `mailfromrules` lets this client name.
    Rules(Cdb),
    /// The user.
    User,
    /// The address in the client's certificate.
    Certificate,
}

/// Refuses other senders.
#[derive(Debug)]
pub(super) struct SendersOfRelayClients(Demand);

impl SendersOfRelayClients {
    /// `None` unless `$LOCALMFCHECK` is set.
    ///
    /// # Errors
    /// If a file that it needs cannot be read.
    pub(super) fn load(source: &Source<'_>) -> Result<Option<Self>, ControlError> {
        let Some(value) = source.variables.value("LOCALMFCHECK") else { return Ok(None) };
        let demand = match value.as_slice() {
            b"!" => {
                let path = source.controls.path(&MAILFROMRULES_CDB);
                let rules = Cdb::open(&path).map_err(|error| ControlError { path, error })?;
                Demand::Rules(rules)
            }
            b"=" => Demand::User,
            b"?" => Demand::Certificate,
            domain => {
                let domain = domain.strip_prefix(b"@").unwrap_or(domain).to_vec();
                Demand::OwnDomain(domain, Rcpthosts::load(source.controls)?)
            }
        };
        Ok(Some(Self(demand)))
    }

    fn permits(&self, visit: &Visit, sender: &[u8]) -> io::Result<bool> {
        let client = &visit.client;
        let is_sender = |name: Option<&Vec<u8>>| {
            name.is_some_and(|name| !name.is_empty() && name.eq_ignore_ascii_case(sender))
        };
        Ok(match &self.0 {
            Demand::OwnDomain(own, rcpthosts) => {
                host(sender).is_some_and(|host| host.eq_ignore_ascii_case(own))
                    || rcpthosts.allow(sender)?
            }
            Demand::Rules(rules) => {
                let host = Some(client.peer.remote_host.as_slice());
                let host = host.filter(|host| !host.is_empty() && *host != b"unknown");
                let user = client.peer.remote_info.as_deref();
                // Without a rule for him, a client names nobody: he is in nobody's list.
                first(rules, &keys_for(user, &client.peer.remote_ip, host))?
                    .is_some_and(|data| permits(&data, sender))
            }
            Demand::User => is_sender(client.peer.remote_info.as_ref()),
            Demand::Certificate => {
                let protection = client.protection.as_ref();
                is_sender(protection.and_then(|known| known.client_name.as_ref()))
            }
        })
    }
}

fn first(rules: &Cdb, keys: &[Vec<u8>]) -> io::Result<Option<Vec<u8>>> {
    for key in keys {
        if let Some(data) = rules.get(key)? {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

impl Check for SendersOfRelayClients {
    fn recipient(&mut self, visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        let is_settled = visit.transaction.as_ref().is_none_or(|known| known.is_own_sender);
        if is_settled || !visit.may_relay() || visit.sender().is_empty() {
            return Verdict::Pass;
        }
        match self.permits(visit, visit.sender()) {
            Ok(true) => {
                if let Some(transaction) = &mut visit.transaction {
                    transaction.is_own_sender = true;
                }
                Verdict::Pass
            }
            Ok(false) => Verdict::Refuse(INVALID_SENDER),
            Err(_) => Verdict::Disconnect(UNREADABLE_CONTROLS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::visit_with;
    use crate::client::Protection;
    use crate::transaction::Transaction;
    use qmail_core::cdb::CdbWriter;
    use qmail_core::control::Controls;
    use qmail_core::sender_rules::Rule;
    use std::fs::{File, create_dir};
    use std::io::Write;

    const RULES: [&str; 3] = ["joe:@joe.example", "192.0.2.:@office.example", "=:@any.example"];

    /// Whether a client with these variables may name this sender.
    fn passes(variables: &[(&str, &str)], sender: &str) -> bool {
        let home = tempfile::tempdir().unwrap();
        create_dir(home.path().join("control")).unwrap();
        let mut rcpthosts = File::create(home.path().join("control/rcpthosts")).unwrap();
        rcpthosts.write_all(b"here.example\n").unwrap();
        let rules = File::create(home.path().join("control/mailfromrules.cdb")).unwrap();
        let mut writer = CdbWriter::new(rules).unwrap();
        for rule in RULES.iter().filter_map(|line| Rule::parse(line.as_bytes())) {
            rule.keys.iter().for_each(|key| writer.add(key, &rule.data).unwrap());
        }
        writer.finish().unwrap();
        let mut visit = visit_with(variables);
        let controls = Controls::open(home.path()).unwrap();
        let (variables, client) = (&visit.variables, &visit.client);
        let source = Source { home: home.path(), controls: &controls, variables, client };
        let mut check = SendersOfRelayClients::load(&source).unwrap().unwrap();
        visit.transaction = Some(Transaction::from(sender));
        if visit.variables.has("CERTIFICATE") {
            let client_name = visit.variables.value("CERTIFICATE");
            visit.client.protection = Some(Protection {
                version: Vec::new(),
                cipher: Vec::new(),
                server_name: None,
                client_name,
                client_problem: None,
            });
        }
        match check.recipient(&mut visit, &mut Recipient::new("x@y")) {
            Verdict::Pass => true,
            Verdict::Refuse(reply) if reply == INVALID_SENDER => false,
            other => panic!("{other:?}"),
        }
    }

    const RELAY: (&str, &str) = ("RELAYCLIENT", "");

    #[test]
    fn a_domain_of_ours_or_the_one_that_is_named() {
        let own = ("LOCALMFCHECK", "");
        assert!(passes(&[own, RELAY], "a@Here.example") && !passes(&[own, RELAY], "a@far.example"));
        let named = ("LOCALMFCHECK", "far.example");
        assert!(passes(&[named, RELAY], "a@Far.example"));
        assert!(passes(&[named, RELAY], "a@here.example"));
        assert!(!passes(&[named, RELAY], "a@sub.far.example"));
    }

    #[test]
    fn strangers_and_bounces_are_not_asked() {
        assert!(passes(&[("LOCALMFCHECK", "")], "a@far.example"));
        assert!(passes(&[("LOCALMFCHECK", "="), RELAY], ""));
    }

    #[test]
    fn the_first_rule_that_is_there_decides() {
        let rules = ("LOCALMFCHECK", "!");
        let (joe, host) = (("TCPREMOTEINFO", "joe"), ("TCPREMOTEHOST", "c.example"));
        assert!(passes(&[rules, RELAY, joe], "x@joe.example"));
        assert!(!passes(&[rules, RELAY, joe], "x@office.example"));
        assert!(passes(&[rules, RELAY], "x@office.example"));
        let elsewhere = ("TCPREMOTEIP", "198.51.100.1");
        assert!(passes(&[rules, RELAY, elsewhere, host], "x@any.example"));
        assert!(!passes(&[rules, RELAY, elsewhere], "x@any.example"));
    }

    #[test]
    fn the_user_or_the_certificate_is_the_sender() {
        let user = ("LOCALMFCHECK", "=");
        assert!(passes(&[user, RELAY, ("TCPREMOTEINFO", "joe@x")], "Joe@x"));
        assert!(!passes(&[user, RELAY, ("TCPREMOTEINFO", "joe@x")], "ann@x"));
        assert!(!passes(&[user, RELAY], "ann@x"));
        let certificate = ("LOCALMFCHECK", "?");
        assert!(passes(&[certificate, RELAY, ("CERTIFICATE", "joe@x")], "joe@x"));
        assert!(!passes(&[certificate, RELAY], "joe@x"));
    }
}
