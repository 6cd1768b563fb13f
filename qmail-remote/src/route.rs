//! Where mail for a host goes, by `control/smtproutes`.

use qmail_core::control::{Map, leading_number};

const SMTP: u16 = 25;

/// Where mail for a host goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To its mail exchangers.
    Exchangers,
    /// To this host or address.
    Relay { host: Vec<u8>, port: u16 },
}

/// An entry that names a port and has no number, too large a one, or no host for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadEntry;

impl Route {
    /// Looks for the host itself, then for its suffixes that begin with a dot, then for the entry
    /// for everybody else.
    pub(crate) fn find(routes: &Map, host: &[u8]) -> Result<Self, BadEntry> {
        let keys = qmail_address::host_and_suffixes(host).chain([b"".as_slice()]);
        match routes.first(keys) {
            None | Some(b"") => Ok(Self::Exchangers),
            Some(entry) => Self::parse(entry),
        }
    }

    fn parse(entry: &[u8]) -> Result<Self, BadEntry> {
        let mut parts = entry.splitn(2, |byte| *byte == b':');
        let host = parts.next().unwrap_or_default().to_vec();
        let port = match parts.next() {
            None => SMTP,
            Some(digits) => leading_number(digits)
                .and_then(|port| u16::try_from(port).ok())
                .filter(|port| *port != 0)
                .ok_or(BadEntry)?,
        };
        if host.is_empty() { Err(BadEntry) } else { Ok(Self::Relay { host, port }) }
    }

    /// The port to connect to.
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Exchangers => SMTP,
            Self::Relay { port, .. } => *port,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(lines: &[&str], host: &str) -> Result<Route, BadEntry> {
        let routes: Map = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        Route::find(&routes, host.as_bytes())
    }

    fn relay(host: &str, port: u16) -> Result<Route, BadEntry> {
        Ok(Route::Relay { host: host.into(), port })
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
    }

    #[test]
    fn a_port_that_is_none_is_no_route() {
        for entry in [":relay:", ":relay:smtp", ":relay:0", ":relay:65536", "::25", "::"] {
            assert_eq!(route(&[entry], "x"), Err(BadEntry), "{entry}");
        }
    }
}
