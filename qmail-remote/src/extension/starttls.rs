//! RFC 3207: the rest of the dialogue goes on inside TLS.

use qmail_wire::smtp_client::Reply;

/// How much TLS there must be with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// None, even if it is offered.
    Never,
    /// If it is offered. Where it fails, plain text will do.
    IfItWorks,
    /// If it is offered, but then it has to work.
    IfOffered,
    /// With this host and no other, or nothing is sent: there is a file for it in
    /// `control/tlshosts`.
    Required,
    /// From the first byte on.
    Implicit,
}

/// What follows from an offer, or the lack of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask for TLS.
    Ask,
    /// Go on as we are.
    GoOn,
    /// Leave.
    Leave,
}

impl Security {
    /// What to do about a server that does or does not offer TLS, outside TLS.
    pub(crate) const fn after_offer(self, offered: bool) -> Next {
        match (self, offered) {
            (Self::Never | Self::Implicit, _) => Next::GoOn,
            (Self::IfItWorks | Self::IfOffered | Self::Required, true) => Next::Ask,
            (Self::IfItWorks | Self::IfOffered, false) => Next::GoOn,
            (Self::Required, false) => Next::Leave,
        }
    }

    /// Whether mail may go to a server in plain text once TLS with it has failed.
    pub(crate) const fn allows_plain_after_failure(self) -> bool {
        matches!(self, Self::Never | Self::IfItWorks)
    }

    /// Whether mail may go to a server in plain text that refused to begin TLS.
    pub(crate) const fn allows_plain_after_refusal(self) -> bool {
        matches!(self, Self::Never | Self::IfItWorks | Self::IfOffered)
    }

    /// Whether TLS comes before the first reply.
    pub(crate) const fn is_implicit(self) -> bool {
        matches!(self, Self::Implicit)
    }
}

/// Whether a refusal outside TLS is one for want of TLS: §4 has 530 for that, and local policies
/// have words.
pub(crate) fn is_wanted(refusal: &Reply) -> bool {
    let mut words = refusal.text().windows(3);
    refusal.code() == Some(530) || words.any(|word| word.eq_ignore_ascii_case(b"TLS"))
}
