//! Which addresses to try, in which order: RFC 5321 §5.1 as qmail has it.

use std::net::IpAddr;

use qmail_dns::{Exchanger, Name};

use crate::literal;
use crate::report::Failure;
use crate::surroundings::Surroundings;

/// Exchangers, and addresses, that are looked at. Whoever lists more wants to keep us busy.
const MOST: usize = 100;

/// An address to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: IpAddr,
    /// The lowest comes first.
    pub(crate) preference: u16,
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTarget {
    /// Nobody could tell.
    Later,
    /// The host does not exist, or has no address.
    NoSuchHost,
    /// It has exchangers, but none with an address.
    NoExchanger,
}

impl NoTarget {
    /// What is reported; `host` is the name that was looked for.
    pub(crate) fn failure(self, host: &[u8]) -> Failure {
        match self {
            Self::Later => Failure::NameLater,
            Self::NoSuchHost => Failure::NoSuchHost(host.to_vec()),
            Self::NoExchanger => Failure::NoExchanger,
        }
    }
}

/// The addresses of the mail exchangers of a domain, or its own if it has no exchangers.
pub(crate) fn of_domain(host: &[u8], world: &impl Surroundings) -> Result<Vec<Target>, NoTarget> {
    if literal::parse(host).is_some() {
        return of_host(host, 0, world);
    }
    let name = Name::parse(host).ok_or(NoTarget::NoSuchHost)?;
    match world.exchangers(&name) {
        Ok(exchangers) if exchangers.is_empty() => of_host(host, 0, world),
        Ok(exchangers) => of_exchangers(in_order(exchangers, world), world),
        Err(failure) if failure.is_hard() => of_host(host, 0, world),
        Err(_) => Err(NoTarget::Later),
    }
}

/// The addresses of one host, given by its name or as an address.
pub(crate) fn of_host(
    host: &[u8],
    preference: u16,
    world: &impl Surroundings,
) -> Result<Vec<Target>, NoTarget> {
    if let Some(address) = literal::parse(host) {
        return Ok(vec![Target { address: address.into(), preference }]);
    }
    of_name(&Name::parse(host).ok_or(NoTarget::NoSuchHost)?, preference, world)
}

fn of_name(
    name: &Name,
    preference: u16,
    world: &impl Surroundings,
) -> Result<Vec<Target>, NoTarget> {
    // Against the rules, but seen: an exchanger that is an address.
    if let Some(address) = literal::parse(&name.to_bytes()) {
        return Ok(vec![Target { address: address.into(), preference }]);
    }
    let addresses = world.addresses(name).map_err(|failure| match failure.is_hard() {
        true => NoTarget::NoSuchHost,
        false => NoTarget::Later,
    })?;
    Ok(addresses.into_iter().take(MOST).map(|address| Target { address, preference }).collect())
}

/// By preference; equals in an order that differs from time to time, so that they share the load.
fn in_order(mut exchangers: Vec<Exchanger>, world: &impl Surroundings) -> Vec<Exchanger> {
    for last in (1..exchangers.len()).rev() {
        exchangers.swap(last, world.random_below(last + 1));
    }
    exchangers.sort_by_key(|exchanger| exchanger.preference);
    exchangers.truncate(MOST);
    exchangers
}

/// An exchanger without an address is passed over.
fn of_exchangers(
    exchangers: Vec<Exchanger>,
    world: &impl Surroundings,
) -> Result<Vec<Target>, NoTarget> {
    let mut targets = Vec::new();
    let mut doubtful = false;
    // RFC 7505: the root as exchanger says that the domain takes no mail.
    for exchanger in exchangers.iter().filter(|exchanger| !exchanger.name.is_root()) {
        match of_name(&exchanger.name, exchanger.preference, world) {
            Ok(found) => targets.extend(found),
            Err(NoTarget::Later) => doubtful = true,
            Err(NoTarget::NoSuchHost | NoTarget::NoExchanger) => {}
        }
        if targets.len() >= MOST {
            break;
        }
    }
    match (targets.is_empty(), doubtful) {
        (false, _) => Ok(targets),
        (true, true) => Err(NoTarget::Later),
        (true, false) => Err(NoTarget::NoExchanger),
    }
}

/// The targets that are preferred to every one that is ourselves: mail never moves away from its
/// destination, so it cannot go in circles.
pub(crate) fn closer_than_us(mut targets: Vec<Target>, own: &[IpAddr]) -> Vec<Target> {
    let ours = targets.iter().filter(|target| own.contains(&target.address));
    if let Some(limit) = ours.map(|target| target.preference).min() {
        targets.retain(|target| target.preference < limit);
    }
    targets
}

#[cfg(test)]
#[path = "targets_tests.rs"]
mod tests;
