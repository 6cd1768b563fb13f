//! Who may send what to whom: each policy is a module, and the session knows none of them.

mod badmailfrom;
mod rcpthosts;

use qmail_wire::smtp_server::Reply;

pub use badmailfrom::BadMailFrom;
pub use rcpthosts::ListedRecipients;

use crate::client::Client;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it: the next check is asked.
    Pass,
    /// The command is refused with this reply, and the session goes on.
    Refuse(Reply),
    /// The connection ends with this reply.
    Disconnect(Reply),
}

/// A policy. It is asked at the stages that it has something to say about, and may remember what
/// it saw at an earlier one.
pub trait Check {
    /// A transaction begins, with this sender.
    fn sender(&mut self, _client: &Client, _sender: &[u8]) -> Verdict {
        Verdict::Pass
    }

    /// Another recipient for it.
    fn recipient(&mut self, _client: &Client, _recipient: &[u8]) -> Verdict {
        Verdict::Pass
    }
}

/// Asks one check after the other until one of them objects.
pub(crate) fn ask(
    checks: &mut [Box<dyn Check>],
    mut question: impl FnMut(&mut dyn Check) -> Verdict,
) -> Verdict {
    let verdicts = checks.iter_mut().map(|check| question(check.as_mut()));
    verdicts.into_iter().find(|verdict| *verdict != Verdict::Pass).unwrap_or(Verdict::Pass)
}
