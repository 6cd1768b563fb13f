//! The control files.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use qmail_core::control::{
    AUTHSENDERS, AUTHWITHOUTTLS, Control, ControlError, Controls, HELOHOST, HELOHOSTS, IPVERSION,
    Map, NOTLSHOSTS_AUTO, OUTGOINGIP, REMOTELOG, SMTPROUTES, Set, TIMEOUTCONNECT, TIMEOUTHOST,
    TIMEOUTREMOTE, TIMEOUTRUN, TLSCLIENTCIPHERS, leading_number,
};

use crate::report::{Failure, Style};
use crate::source::{self, Sources};
use crate::targets::Families;

/// What the control files say.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) greeting_name: Vec<u8>,
    /// By the address that the connection comes from.
    pub(crate) greeting_names: Vec<(IpAddr, Vec<u8>)>,
    pub(crate) connect_timeout: Duration,
    /// For each reply and each block of the message.
    pub(crate) transfer_timeout: Duration,
    /// For one host, before what a long message adds.
    pub(crate) host_timeout: Duration,
    /// After which no further host is tried.
    pub(crate) run_timeout: Duration,
    pub(crate) routes: Map,
    pub(crate) senders: Map,
    pub(crate) sources: Sources,
    /// `None` depends on what addresses this host has.
    pub(crate) families: Option<Families>,
    pub(crate) style: Style,
    pub(crate) fallback: Fallback,
    pub(crate) ciphers: Option<String>,
    /// Relays that get passwords outside TLS.
    pub(crate) trusted_relays: Set,
}

/// What becomes of a host whose TLS fails, and which need not have any: `notlshosts_auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// It gets the message in plain text, as it always did.
    Plain,
    /// And every other one after that.
    PlainAndRemember,
    /// It gets nothing.
    Forbidden,
}

impl From<ControlError> for Failure {
    fn from(_: ControlError) -> Self {
        Self::Controls
    }
}

impl Settings {
    pub(crate) fn read(home: &Path) -> Result<Self, Failure> {
        let controls = Controls::open(home)?;
        let seconds = |control: &Control| controls.number(control).map(timeout);
        let list = |control: &Control| controls.list(control).map(Option::unwrap_or_default);
        Ok(Self {
            connect_timeout: seconds(&TIMEOUTCONNECT)?,
            transfer_timeout: seconds(&TIMEOUTREMOTE)?,
            host_timeout: seconds(&TIMEOUTHOST)?,
            run_timeout: seconds(&TIMEOUTRUN)?,
            greeting_name: controls.line(&HELOHOST)?.ok_or(Failure::Controls)?,
            greeting_names: source::parse_names(&list(&HELOHOSTS)?).ok_or(Failure::Controls)?,
            routes: controls.map(&SMTPROUTES)?,
            senders: controls.map(&AUTHSENDERS)?,
            sources: Sources::parse(&list(&OUTGOINGIP)?).map_err(|_| Failure::OutgoingAddress)?,
            families: families(controls.line(&IPVERSION)?.as_deref())?,
            style: style(controls.line(&REMOTELOG)?.as_deref())?,
            fallback: fallback(controls.line(&NOTLSHOSTS_AUTO)?.as_deref()),
            ciphers: controls.list(&TLSCLIENTCIPHERS)?.map(|lines| join(&lines)),
            trusted_relays: list(&AUTHWITHOUTTLS)?.into_iter().collect(),
        })
    }

    /// What we call ourselves on a connection from `source`.
    pub(crate) fn greeting_name(&self, source: Option<IpAddr>) -> &[u8] {
        let mut names = self.greeting_names.iter();
        let found = names.find(|(address, _)| Some(address.to_canonical()) == source);
        found.map_or(&self.greeting_name, |(_, name)| name)
    }
}

/// Never 0, which for a socket means for ever, and no more than the system can count.
fn timeout(seconds: u64) -> Duration {
    Duration::from_secs(seconds.clamp(1, u64::from(u32::MAX) / 2))
}

fn families(word: Option<&[u8]>) -> Result<Option<Families>, Failure> {
    match word {
        None | Some(b"") => Ok(None),
        Some(b"prefer6") => Ok(Some(Families::Prefer6)),
        Some(b"prefer4") => Ok(Some(Families::Prefer4)),
        Some(b"only6") => Ok(Some(Families::Only6)),
        Some(b"only4") => Ok(Some(Families::Only4)),
        Some(_) => Err(Failure::Controls),
    }
}

fn style(word: Option<&[u8]>) -> Result<Style, Failure> {
    match word {
        None | Some(b"") => Ok(Style::Classic),
        Some(b"addresses") => Ok(Style::Addresses),
        Some(b"full") => Ok(Style::Full),
        Some(_) => Err(Failure::Controls),
    }
}

fn fallback(number: Option<&[u8]>) -> Fallback {
    match number.map(|text| leading_number(text).unwrap_or(0)) {
        None => Fallback::Plain,
        Some(0) => Fallback::Forbidden,
        Some(_) => Fallback::PlainAndRemember,
    }
}

fn join(lines: &[Vec<u8>]) -> String {
    String::from_utf8_lossy(&lines.join(&b':')).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_is_at_least_a_second() {
        assert_eq!(timeout(0), Duration::from_secs(1));
        assert_eq!(timeout(60), Duration::from_secs(60));
        assert_eq!(timeout(u64::MAX), Duration::from_secs(2_147_483_647));
    }

    #[test]
    fn words_that_nobody_knows_are_errors() {
        assert_eq!(families(Some(b"prefer6")), Ok(Some(Families::Prefer6)));
        assert_eq!(families(Some(b"6")), Err(Failure::Controls));
        assert_eq!(style(None), Ok(Style::Classic));
        assert_eq!(style(Some(b"fully")), Err(Failure::Controls));
    }

    #[test]
    fn a_number_for_failed_tls_has_three_meanings() {
        assert_eq!(fallback(None), Fallback::Plain);
        assert_eq!(fallback(Some(b"0")), Fallback::Forbidden);
        assert_eq!(fallback(Some(b"1")), Fallback::PlainAndRemember);
    }
}
