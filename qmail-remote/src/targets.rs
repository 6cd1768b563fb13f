//! Which addresses to try, in which order: RFC 5321 §5.1 as qmail has it.

use std::net::IpAddr;
use std::rc::Rc;

use qmail_core::own_addresses::OwnAddresses;
use qmail_dns::{Exchanger, Failure, Name};

use crate::literal;
use crate::report;
use crate::surroundings::Surroundings;

/// Exchangers, and addresses, that are looked at. Whoever lists more wants to keep us busy.
const MOST: usize = 100;
/// Seconds after which no further exchanger is looked up.
const LONGEST_SEARCH: u64 = 600;

/// An address to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: IpAddr,
    /// The lowest comes first.
    pub(crate) preference: u16,
    /// The name that led to it, by which the server may be known.
    pub(crate) host: Option<Rc<[u8]>>,
}

/// Where mail for a domain goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// In their order; at least one.
    pub(crate) targets: Vec<Target>,
    /// The lowest preference of an exchanger that may have an address, though nobody could tell.
    pub(crate) doubt: Option<u16>,
}

/// Which of a host's addresses are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    Only4,
    Only6,
    Prefer4,
    Prefer6,
    /// IPv6 for those who have nothing else: what netqmail reaches is reached as it did, with the
    /// address that others know this host by.
    Spare6,
}

impl Families {
    /// What to do on a host with these addresses, where no control file says it. Without a way
    /// out by IPv6 all is as it was.
    pub(crate) fn on_host_with(own: &[IpAddr]) -> Self {
        let leads_out = |address: &IpAddr| match address {
            IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
            IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
        };
        let has = |is: fn(&IpAddr) -> bool| own.iter().any(|one| leads_out(one) && is(one));
        match (has(IpAddr::is_ipv4), has(IpAddr::is_ipv6)) {
            (_, false) => Self::Only4,
            (true, true) => Self::Spare6,
            (false, true) => Self::Prefer6,
        }
    }
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
    pub(crate) fn failure(self, host: &[u8]) -> report::Failure {
        match self {
            Self::Later => report::Failure::NameLater,
            Self::NoSuchHost => report::Failure::NoSuchHost(host.to_vec()),
            Self::NoExchanger => report::Failure::NoExchanger,
        }
    }
}

/// The addresses of the mail exchangers of a domain, or its own if it has no exchangers.
pub(crate) fn of_domain(
    host: &[u8],
    families: Families,
    world: &impl Surroundings,
) -> Result<Found, NoTarget> {
    let itself = || of_host(host, families, world).map(|targets| Found { targets, doubt: None });
    if literal::parse(host).is_some() {
        return itself();
    }
    let name = Name::parse(host).ok_or(NoTarget::NoSuchHost)?;
    match world.exchangers(&name) {
        Ok(exchangers) if exchangers.is_empty() => itself(),
        Ok(exchangers) => {
            let exchangers = in_order(exchangers, world);
            sparing(families, |families| of_exchangers(&exchangers, families, world))
        }
        Err(failure) if failure.is_hard() => itself(),
        Err(_) => Err(NoTarget::Later),
    }
}

/// The addresses of one host, given by its name or as an address.
pub(crate) fn of_host(
    host: &[u8],
    families: Families,
    world: &impl Surroundings,
) -> Result<Vec<Target>, NoTarget> {
    if let Some(address) = literal::parse(host) {
        return Ok(vec![Target { address, preference: 0, host: None }]);
    }
    let name = Name::parse(host).ok_or(NoTarget::NoSuchHost)?;
    sparing(families, |families| of_name(&name, 0, families, world))
}

/// Looks for IPv6 only where there is certainly nothing else.
fn sparing<T>(
    families: Families,
    find: impl Fn(Families) -> Result<T, NoTarget>,
) -> Result<T, NoTarget> {
    match families {
        Families::Spare6 => find(Families::Only4).or_else(|why| match why {
            NoTarget::Later => Err(why),
            NoTarget::NoSuchHost | NoTarget::NoExchanger => find(Families::Only6),
        }),
        families => find(families),
    }
}

fn of_name(
    name: &Name,
    preference: u16,
    families: Families,
    world: &impl Surroundings,
) -> Result<Vec<Target>, NoTarget> {
    let text = name.to_bytes();
    // Against the rules, but seen: an exchanger that is an address.
    if let Some(address) = literal::parse(&text) {
        return Ok(vec![Target { address, preference, host: None }]);
    }
    let addresses =
        addresses(name, families, world).map_err(|failure| match failure.is_hard() {
            true => NoTarget::NoSuchHost,
            false => NoTarget::Later,
        })?;
    let host: Rc<[u8]> = text.into();
    let target = |address| Target { address, preference, host: Some(Rc::clone(&host)) };
    Ok(addresses.into_iter().take(MOST).map(target).collect())
}

/// The addresses of a host, those of the preferred kind alternating with the others: a network
/// that leads nowhere costs one wait and not several.
fn addresses(
    name: &Name,
    families: Families,
    world: &impl Surroundings,
) -> Result<Vec<IpAddr>, Failure> {
    let v4 = || world.ipv4(name).map(|list| list.into_iter().map(IpAddr::from).collect());
    let v6 = || world.ipv6(name).map(|list| list.into_iter().map(IpAddr::from).collect());
    match families {
        Families::Only4 | Families::Spare6 => v4(),
        Families::Only6 => v6(),
        Families::Prefer4 => both(v4(), v6),
        Families::Prefer6 => both(v6(), v4),
    }
}

type Addresses = Result<Vec<IpAddr>, Failure>;

fn both(first: Addresses, second: impl FnOnce() -> Addresses) -> Addresses {
    match first {
        // A name that does not exist has no other addresses either.
        Err(Failure::NoSuchName) => Err(Failure::NoSuchName),
        Ok(first) => Ok(match second() {
            Ok(second) => alternating(first, second),
            Err(_) => first,
        }),
        Err(why) => second().map_err(|other| if other.is_hard() { why } else { other }),
    }
}

fn alternating(first: Vec<IpAddr>, second: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = (first.next(), second.next());
        if pair == (None, None) {
            return all;
        }
        all.extend([pair.0, pair.1].into_iter().flatten());
    }
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
    exchangers: &[Exchanger],
    families: Families,
    world: &impl Surroundings,
) -> Result<Found, NoTarget> {
    let mut targets = Vec::new();
    let mut doubt = None;
    let started = world.now();
    // RFC 7505: the root as exchanger says that the domain takes no mail.
    for exchanger in exchangers.iter().filter(|exchanger| !exchanger.name.is_root()) {
        if world.now().saturating_sub(started) > LONGEST_SEARCH {
            doubt.get_or_insert(exchanger.preference);
            break;
        }
        match of_name(&exchanger.name, exchanger.preference, families, world) {
            Ok(found) => targets.extend(found),
            Err(NoTarget::Later) => {
                doubt.get_or_insert(exchanger.preference);
            }
            Err(NoTarget::NoSuchHost | NoTarget::NoExchanger) => {}
        }
        if targets.len() >= MOST {
            break;
        }
    }
    match (targets.is_empty(), doubt) {
        (false, doubt) => Ok(Found { targets, doubt }),
        (true, Some(_)) => Err(NoTarget::Later),
        (true, None) => Err(NoTarget::NoExchanger),
    }
}

/// The targets that are preferred to every one that is ourselves: mail never moves away from its
/// destination, so it cannot go in circles.
///
/// # Errors
/// If there are none. One that nobody could tell the address of may still be there later.
pub(crate) fn closer_than_us(
    found: Found,
    own: &OwnAddresses,
) -> Result<Vec<Target>, report::Failure> {
    let Found { mut targets, doubt } = found;
    let ours = targets.iter().filter(|target| own.contains(target.address));
    let Some(limit) = ours.map(|target| target.preference).min() else { return Ok(targets) };
    targets.retain(|target| target.preference < limit);
    if !targets.is_empty() {
        return Ok(targets);
    }
    Err(match doubt {
        Some(preference) if preference < limit => report::Failure::NameLater,
        _ => report::Failure::BestPreference,
    })
}

#[cfg(test)]
#[path = "targets_tests.rs"]
mod tests;
