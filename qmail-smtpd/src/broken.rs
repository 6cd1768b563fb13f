//! Why a session ends that the client did not end.

use qmail_core::conversation::Lost;
use qmail_wire::smtp_server::{BareLineEnd, Reply};

/// Whatever it is, nothing that comes after it may be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// There is no client any more.
    Lost(Lost),
    /// He sent a line end that is none inside a message.
    BareLineEnd,
    /// We do not want to go on, and say so.
    Disconnected(Reply),
}

impl From<Lost> for Broken {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl From<BareLineEnd> for Broken {
    fn from(_: BareLineEnd) -> Self {
        Self::BareLineEnd
    }
}
