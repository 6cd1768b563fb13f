//! What the tests of several checks need.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::client::Client;
use crate::dns::{Answer, Dns};
use crate::variables::Variables;
use crate::visit::Visit;

/// A visit of a stranger at 192.0.2.1.
pub(crate) fn visit() -> Visit {
    visit_with(&[])
}

/// The same, with variables.
pub(crate) fn visit_with(variables: &[(&str, &str)]) -> Visit {
    let mut known: BTreeMap<String, Vec<u8>> =
        BTreeMap::from([("TCPREMOTEIP".to_owned(), b"192.0.2.1".to_vec())]);
    known.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    let variables = Variables::new(Box::new(move |name| known.get(name).cloned()));
    Visit::new(Client::from_environment(&|name| variables.value(name)), variables)
}

/// A DNS that knows a few names.
#[derive(Default)]
pub(crate) struct FixedDns {
    domains: Vec<Vec<u8>>,
    unknown: Vec<Vec<u8>>,
    addresses: BTreeMap<Vec<u8>, Vec<Ipv4Addr>>,
    texts: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl FixedDns {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn takes_mail(mut self, domain: &str) -> Self {
        self.domains.push(domain.into());
        self
    }

    pub(crate) fn unknown(mut self, name: &str) -> Self {
        self.unknown.push(name.into());
        self
    }

    pub(crate) fn a(mut self, name: &str, address: [u8; 4]) -> Self {
        self.addresses.entry(name.into()).or_default().push(address.into());
        self
    }

    pub(crate) fn txt(mut self, name: &str, text: &str) -> Self {
        self.texts.entry(name.into()).or_default().push(text.into());
        self
    }

    fn answer<T: Clone>(&self, name: &[u8], known: Option<&T>) -> Answer<T> {
        if self.unknown.iter().any(|unknown| unknown == name) {
            return Answer::Unknown;
        }
        known.cloned().map_or(Answer::No, Answer::Yes)
    }
}

impl Dns for FixedDns {
    fn takes_mail(&self, domain: &[u8]) -> Answer<()> {
        self.answer(domain, self.domains.iter().any(|known| known == domain).then_some(&()))
    }

    fn has_address(&self, host: &[u8]) -> Answer<()> {
        self.answer(host, self.addresses.contains_key(host).then_some(&()))
    }

    fn ipv4(&self, name: &[u8]) -> Answer<Vec<Ipv4Addr>> {
        self.answer(name, self.addresses.get(name))
    }

    fn texts(&self, name: &[u8]) -> Answer<Vec<Vec<u8>>> {
        self.answer(name, self.texts.get(name))
    }
}
