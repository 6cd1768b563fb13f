//! Who may send what to whom: each policy is a module, and the session knows none of them.

mod blackholed;
mod chkuser;
mod dnsbl;
mod helocheck;
mod limits;
mod lists;
mod localmfcheck;
mod mfcheck;
mod null_sender;
mod order;
pub mod plugins;
mod rcptcheck;
mod rcpthosts;
mod recipients;
mod relay_probe;
mod relaymailfrom;
mod source;
mod tarpit;
#[cfg(test)]
pub(crate) mod testing;
mod validrcptto;

use qmail_wire::smtp_server::Reply;

pub use lists::Language;
pub use order::in_order;
pub(crate) use rcpthosts::{in_one_form, is_not_ours};
pub use source::Source;

use crate::client::Authentication;
use crate::transaction::{Recipient, Transaction};
use crate::visit::Visit;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it: the next check is asked.
    Pass,
    /// As [`Self::Pass`], and checks that [yield](Check::yields) are not asked any more.
    Vouch,
    /// The command is refused with this reply, and the session goes on.
    Refuse(Reply),
    /// The connection ends with this reply.
    Disconnect(Reply),
    /// The connection ends without a word.
    HangUp,
}

/// A policy. It is asked at the stages that it has something to say about, and may remember what
/// it saw at an earlier one.
pub trait Check {
    /// Whether it has nothing to say once an earlier check has [vouched](Verdict::Vouch).
    fn yields(&self) -> bool {
        false
    }

    /// A client has come; nothing has been said yet.
    fn connected(&mut self, _visit: &mut Visit) -> Verdict {
        Verdict::Pass
    }

    /// He says what he is called, by HELO or EHLO. If all goes well, that is what the visit will
    /// know him as.
    fn hello(&mut self, _visit: &mut Visit, _name: &[u8]) -> Verdict {
        Verdict::Pass
    }

    /// He has shown who the user is, and we are about to believe it.
    fn authenticated(&mut self, _visit: &mut Visit, _user: &Authentication) -> Verdict {
        Verdict::Pass
    }

    /// A transaction is about to begin. It takes the place of the one in the visit, if any.
    fn sender(&mut self, _visit: &mut Visit, _beginning: &mut Transaction) -> Verdict {
        Verdict::Pass
    }

    /// Another recipient for it.
    fn recipient(&mut self, _visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        Verdict::Pass
    }

    /// No check has anything against this recipient.
    fn accepted(&mut self, _visit: &mut Visit, _recipient: &mut Recipient) -> Verdict {
        Verdict::Pass
    }

    /// A check had something against this recipient, for good or for now.
    fn refused(&mut self, _visit: &mut Visit, _recipient: &Recipient, _reply: &Reply) -> Verdict {
        Verdict::Pass
    }

    /// The message is about to come.
    fn data(&mut self, _visit: &mut Visit) -> Verdict {
        Verdict::Pass
    }

    /// There is no transaction any more.
    fn reset(&mut self, _visit: &mut Visit) {}
}

/// Asks one check after the other until one of them objects. [`Verdict::Vouch`] if all pass and one
/// has vouched.
pub(crate) fn ask(
    checks: &mut [Box<dyn Check>],
    mut question: impl FnMut(&mut dyn Check) -> Verdict,
) -> Verdict {
    let mut result = Verdict::Pass;
    for check in checks {
        if result == Verdict::Vouch && check.yields() {
            continue;
        }
        match question(check.as_mut()) {
            Verdict::Pass => {}
            Verdict::Vouch => result = Verdict::Vouch,
            objection => return objection,
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(Verdict, bool);

    impl Check for Says {
        fn yields(&self) -> bool {
            self.1
        }
    }

    fn verdict(checks: Vec<Says>) -> Verdict {
        let verdicts: Vec<Verdict> = checks.iter().map(|check| check.0.clone()).collect();
        let mut verdicts = verdicts.into_iter();
        let mut boxed: Vec<Box<dyn Check>> = Vec::new();
        for check in checks {
            boxed.push(Box::new(check));
        }
        ask(&mut boxed, |_| verdicts.next().unwrap())
    }

    #[test]
    fn the_first_objection_counts() {
        let refuse = || Verdict::Refuse(crate::replies::NOT_OURS);
        let checks = vec![Says(Verdict::Pass, false), Says(refuse(), false)];
        assert_eq!(verdict(checks), refuse());
        assert_eq!(
            verdict(vec![Says(Verdict::HangUp, false), Says(refuse(), false)]),
            Verdict::HangUp
        );
    }

    #[test]
    fn who_yields_is_not_asked_after_a_vouch() {
        let objection = Verdict::Refuse(crate::replies::NOT_OURS);
        let checks = vec![Says(Verdict::Vouch, false), Says(objection.clone(), true)];
        assert_eq!(verdict(checks), Verdict::Vouch);
        let checks = vec![Says(Verdict::Vouch, false), Says(objection.clone(), false)];
        assert_eq!(verdict(checks), objection);
    }
}
