//! Questions to the servers in turn, until one of them settles the matter.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_proto::rr::RecordType;

use crate::question::{Extension, Question};
use crate::random::{random, random_below};
use crate::reading::{Data, Reading};
use crate::{Cause, Config, Failure, Name, transport};

/// A resolver. Between two questions it keeps nothing but which servers want plain ones.
#[derive(Clone, Debug)]
pub struct Resolver {
    config: Config,
    /// A bit for each server that has answered a plain question, and not the same with an
    /// extension: it would be waited for in vain before each answer.
    plain: Cell<u32>,
}

/// A host that takes mail for a domain: the contents of an MX record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanger {
    /// The lowest is tried first.
    pub preference: u16,
    /// Its name; the root if the domain takes no mail.
    pub name: Name,
}

impl Resolver {
    /// A resolver that asks as `config` says.
    pub fn new(config: Config) -> Self {
        Self { config, plain: Cell::new(0) }
    }

    /// A resolver that asks as this system is set up: see [`Config::from_system`].
    pub fn from_system() -> Self {
        Self::new(Config::from_system())
    }

    /// The mail exchangers of a domain, in the order of the answer.
    ///
    /// # Errors
    /// See [`Failure`]; this holds for all questions. An answer that is `Ok` is never empty.
    pub fn exchangers(&self, name: &Name) -> Result<Vec<Exchanger>, Failure> {
        self.ask(name, RecordType::MX, |data| match data {
            Data::Exchanger(preference, name) => Some(Exchanger { preference, name: Name(name) }),
            _ => None,
        })
    }

    /// The IPv4 addresses of a host.
    pub fn ipv4(&self, name: &Name) -> Result<Vec<Ipv4Addr>, Failure> {
        self.ask(name, RecordType::A, |data| match data {
            Data::Ipv4(address) => Some(address),
            _ => None,
        })
    }

    /// The IPv6 addresses of a host.
    pub fn ipv6(&self, name: &Name) -> Result<Vec<Ipv6Addr>, Failure> {
        self.ask(name, RecordType::AAAA, |data| match data {
            Data::Ipv6(address) => Some(address),
            _ => None,
        })
    }

    /// The names of an address, as its owner states them.
    pub fn names(&self, address: IpAddr) -> Result<Vec<Name>, Failure> {
        self.ask(&Name::reverse(address), RecordType::PTR, |data| match data {
            Data::Name(name) => Some(Name(name)),
            _ => None,
        })
    }

    /// The texts of a name; each record is one, however it is cut into strings.
    pub fn texts(&self, name: &Name) -> Result<Vec<Vec<u8>>, Failure> {
        self.ask(name, RecordType::TXT, |data| match data {
            Data::Text(text) => Some(text),
            _ => None,
        })
    }

    fn ask<T>(
        &self,
        name: &Name,
        kind: RecordType,
        value: impl Fn(Data) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let found = self.settle(name, kind)?;
        Ok(found.into_iter().filter_map(value).collect())
    }

    /// Asks all servers in each round, until one settles the matter.
    fn settle(&self, name: &Name, kind: RecordType) -> Result<Vec<Data>, Failure> {
        let mut last = Cause::Unreachable;
        // Some servers leave questions with an extension unanswered. So there is always a second
        // round, and it goes without.
        for round in 0..self.config.attempts.max(2) {
            let timeout = self.timeout(round);
            for number in self.servers() {
                let extension = self.extension(round, number);
                match self.ask_server(number, name, kind, extension, timeout) {
                    Reading::Settled(result) => {
                        if extension == Extension::Omitted {
                            self.plain.set(self.plain.get() | bit(number));
                        }
                        return result;
                    }
                    Reading::Useless(cause) => last = cause,
                    Reading::NotOurs | Reading::Truncated | Reading::Unextended => {
                        last = Cause::Malformed;
                    }
                }
            }
        }
        Err(Failure::Temporary(last))
    }

    fn timeout(&self, round: u32) -> Duration {
        self.config.timeout.saturating_mul(1_u32.checked_shl(round).unwrap_or(u32::MAX))
    }

    /// The numbers of the servers, in the order in which they are asked.
    fn servers(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.config.servers.len();
        let first = if self.config.rotate { random_below(count) } else { 0 };
        (0..count).cycle().skip(first).take(count)
    }

    fn extension(&self, round: u32, server: usize) -> Extension {
        match round == 0 && self.plain.get() & bit(server) == 0 {
            true => Extension::Announced,
            false => Extension::Omitted,
        }
    }

    /// Asks one server; again and plainly, if it stumbles over the extension.
    fn ask_server(
        &self,
        number: usize,
        name: &Name,
        kind: RecordType,
        extension: Extension,
        timeout: Duration,
    ) -> Reading {
        let Some(server) = self.config.servers.get(number) else {
            return Reading::Useless(Cause::Unreachable);
        };
        let ask = |extension| {
            let [high, low, ..] = random().to_be_bytes();
            let id = u16::from_be_bytes([high, low]);
            let question = Question { id, name: name.0.clone(), kind, extension };
            transport::ask(*server, &question, timeout)
        };
        match ask(extension) {
            Reading::Unextended => ask(Extension::Omitted),
            reading => reading,
        }
    }
}

/// The bit of a server; beyond the last bit, none.
fn bit(server: usize) -> u32 {
    u32::try_from(server).ok().and_then(|server| 1_u32.checked_shl(server)).unwrap_or(0)
}

#[cfg(test)]
#[path = "resolver_tests.rs"]
mod tests;
