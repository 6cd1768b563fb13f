//! Where mail goes, by `control/authsenders` and `control/smtproutes`.

use qmail_core::control::{Map, leading_number};

use crate::extension::auth::Credentials;

const SMTP: u16 = 25;

/// Where mail goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To the mail exchangers of its host.
    Exchangers,
    /// To this host or address.
    Relay(Relay),
}

/// A host that takes mail for others.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Relay {
    pub(crate) host: Vec<u8>,
    pub(crate) port: u16,
    /// Without them it takes nothing.
    pub(crate) credentials: Option<Credentials>,
}

/// An entry that names a port and has no number, too large a one, or no host for it; or a user
/// and no password; or both and nobody to tell them to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadEntry;

impl Route {
    /// The entry for the sender, and else the one for the host.
    pub(crate) fn find(
        senders: &Map,
        sender: &[u8],
        hosts: &Map,
        host: &[u8],
    ) -> Result<Self, BadEntry> {
        match Self::of(senders.first(sender_keys(sender)))? {
            Self::Exchangers => {}
            relay => return Ok(relay),
        }
        // The host itself, then its suffixes that begin with a dot, then everybody.
        let keys = qmail_address::host_and_suffixes(host).chain([b"".as_slice()]);
        Self::of(hosts.first(keys))
    }

    fn of(entry: Option<&[u8]>) -> Result<Self, BadEntry> {
        match entry {
            None | Some(b"") => Ok(Self::Exchangers),
            Some(entry) => Relay::parse(entry).map(Self::Relay),
        }
    }

    /// The port to connect to.
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Exchangers => SMTP,
            Self::Relay(relay) => relay.port,
        }
    }

    /// What to say there before anything is taken.
    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        match self {
            Self::Exchangers => None,
            Self::Relay(relay) => relay.credentials.as_ref(),
        }
    }
}

/// The whole address, its suffixes that begin with `@` or a dot, and the key of everybody else.
fn sender_keys(sender: &[u8]) -> impl Iterator<Item = &[u8]> {
    let marks = sender.iter().enumerate().skip(1).filter(|(_, byte)| matches!(byte, b'@' | b'.'));
    let suffixes = marks.filter_map(|(at, _)| sender.get(at..));
    std::iter::once(sender).chain(suffixes).chain([b"".as_slice()])
}

impl Relay {
    /// `host`, `host:port`, `[address]` or `[address]:port`, and perhaps `|user|password`.
    fn parse(entry: &[u8]) -> Result<Self, BadEntry> {
        let mut parts = entry.splitn(3, |byte| *byte == b'|');
        let (host, port) = parse_place(parts.next().unwrap_or_default())?;
        let credentials = match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
        {
            (b"", b"") => None,
            (b"", _) | (_, b"") => return Err(BadEntry),
            (user, password) => Some(Credentials::new(user, password)),
        };
        // A password for the exchangers of whatever domain would be a password for everybody.
        if host.is_empty() { Err(BadEntry) } else { Ok(Self { host, port, credentials }) }
    }
}

/// The first colon ends the host, unless it is an address in brackets.
fn parse_place(place: &[u8]) -> Result<(Vec<u8>, u16), BadEntry> {
    let bracket = place.iter().position(|byte| *byte == b']').filter(|_| place.starts_with(b"["));
    let from = bracket.unwrap_or(0);
    let colon = place.iter().skip(from).position(|byte| *byte == b':').map(|at| from + at);
    let Some((host, digits)) = colon.and_then(|colon| place.split_at_checked(colon)) else {
        return Ok((place.to_vec(), SMTP));
    };
    let port = leading_number(digits.get(1..).unwrap_or_default())
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port != 0)
        .ok_or(BadEntry)?;
    Ok((host.to_vec(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[&str]) -> Map {
        lines.iter().map(|line| line.as_bytes().to_vec()).collect()
    }

    fn route(lines: &[&str], host: &str) -> Result<Route, BadEntry> {
        Route::find(&map(&[]), b"s@x", &map(lines), host.as_bytes())
    }

    fn relay(host: &str, port: u16) -> Result<Route, BadEntry> {
        Ok(Route::Relay(Relay { host: host.into(), port, credentials: None }))
    }

    #[test]
    fn the_longest_match_wins_and_the_empty_key_matches_everybody() {
        let lines = ["a.example:one", ".example:two:2525", ":three"];
        assert_eq!(route(&lines, "A.Example"), relay("one", 25));
        assert_eq!(route(&lines, "b.a.example"), relay("two", 2525));
        assert_eq!(route(&lines, "example"), relay("three", 25));
        assert_eq!(route(&lines[..2], "example"), Ok(Route::Exchangers));
    }

    #[test]
    fn an_empty_relay_is_an_exception() {
        assert_eq!(route(&["a.example:", ":relay"], "a.example"), Ok(Route::Exchangers));
    }

    #[test]
    fn relays_and_hosts_may_be_addresses() {
        assert_eq!(route(&[":[192.0.2.1]:26"], "x"), relay("[192.0.2.1]", 26));
        assert_eq!(route(&["[192.0.2.1]:relay"], "[192.0.2.1]"), relay("relay", 25));
        assert_eq!(route(&[".2.1]:relay"], "[192.0.2.1]"), relay("relay", 25));
        assert_eq!(route(&[":[2001:db8::1]"], "x"), relay("[2001:db8::1]", 25));
        assert_eq!(route(&[":[2001:db8::1]:26"], "x"), relay("[2001:db8::1]", 26));
    }

    #[test]
    fn a_port_that_is_none_is_no_route() {
        for entry in [":relay:", ":relay:smtp", ":relay:0", ":relay:65536", "::25", "::"] {
            assert_eq!(route(&[entry], "x"), Err(BadEntry), "{entry}");
        }
    }

    #[test]
    fn user_and_password_follow_the_relay() {
        let found = route(&[":relay:587|me|a:b|c"], "x").unwrap();
        assert_eq!(found.credentials(), Some(&Credentials::new(b"me", b"a:b|c")));
        assert_eq!(found.port(), 587);
        assert_eq!(route(&[":relay||"], "x"), relay("relay", 25));
        for entry in [":relay|me", ":relay|me|", ":relay||secret", ":|me|secret"] {
            assert_eq!(route(&[entry], "x"), Err(BadEntry), "{entry}");
        }
    }

    #[test]
    fn the_sender_comes_before_the_host() {
        let senders = map(&["a@b.example:one", "@b.example:two", ".example:three", "@c.test:"]);
        let hosts = map(&[":host"]);
        let find = |sender: &str| Route::find(&senders, sender.as_bytes(), &hosts, b"x");
        assert_eq!(find("A@b.example"), relay("one", 25));
        assert_eq!(find("x@b.example"), relay("two", 25));
        assert_eq!(find("x@c.example"), relay("three", 25));
        for sender in ["x@c.test", "", "x"] {
            assert_eq!(find(sender), relay("host", 25));
        }
    }
}
