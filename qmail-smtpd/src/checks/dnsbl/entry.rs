//! A line of `dnsbllist`.

use super::Outcome;

/// A list to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::checks) struct Entry {
    pub(super) kind: Kind,
    /// The domain below which the clients are.
    pub(super) zone: Vec<u8>,
    /// What is said in place of the list's own text.
    pub(super) message: Option<Vec<u8>>,
}

/// What it means to be on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Refused for now.
    Delay,
    /// Refused for good.
    Reject,
    /// Welcome, whatever the lists behind this one say.
    Allow,
    /// Nothing, but it is logged.
    Log,
}

impl Entry {
    /// `[-+=]zone[:[-]message]`, with a comment behind `#`. `None` without a zone.
    pub(in crate::checks) fn parse(line: &[u8]) -> Option<Self> {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
        let (kind, rest) = match line.split_first()? {
            (b'-', rest) => (Kind::Reject, rest),
            (b'+', rest) => (Kind::Allow, rest),
            (b'=', rest) => (Kind::Log, rest),
            _ => (Kind::Delay, line),
        };
        let mut parts = rest.splitn(2, |byte| *byte == b':');
        let zone = parts.next().unwrap_or_default().trim_ascii().to_vec();
        let message = parts.next().map(<[u8]>::trim_ascii);
        let (kind, message) = match message {
            Some([b'-', message @ ..]) if kind == Kind::Delay => (Kind::Reject, Some(message)),
            message => (kind, message),
        };
        (!zone.is_empty()).then_some(Self { kind, zone, message: message.map(<[u8]>::to_vec) })
    }

    /// What becomes of a client on the list; `None` if that is only logged. After a failure,
    /// nothing is for good: another list might have said that he is welcome.
    pub(super) fn outcome(&self, said: &[u8], is_doubtful: bool) -> Option<Outcome> {
        match self.kind {
            Kind::Log => None,
            Kind::Allow => Some(Outcome::Accept),
            Kind::Reject if !is_doubtful => Some(Outcome::Reject(said.to_vec())),
            Kind::Reject | Kind::Delay => Some(Outcome::Delay(said.to_vec())),
        }
    }

    /// The message, with the client's address in place of `%IP%`.
    pub(super) fn said_about(&self, address: &str) -> Vec<u8> {
        let message = String::from_utf8_lossy(self.message.as_deref().unwrap_or_default());
        message.replace("%IP%", address).into_bytes()
    }
}
