//! What a client has to have done before MAIL.

use qmail_core::control::Set;

use super::policy::Policy;
use super::replies;
use crate::checks::{Check, Verdict};
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Refuses senders who have not shown who they are, or whom others may listen to.
#[derive(Debug)]
pub(super) struct Requirements {
    policy: Policy,
    locals: Set,
}

impl Requirements {
    /// `locals` are the hosts of users whose names have none.
    pub(super) fn new(policy: Policy, locals: Set) -> Self {
        Self { policy, locals }
    }

    /// Whether mail from this sender is the user's own. Bounces are anybody's.
    fn is_own(&self, user: &[u8], sender: &[u8]) -> bool {
        if sender.is_empty() || user.eq_ignore_ascii_case(sender) {
            return true;
        }
        let at = sender.iter().rposition(|byte| *byte == b'@');
        let parts = at.and_then(|at| Some((sender.get(..at)?, sender.get(at + 1..)?)));
        parts.is_some_and(|(name, host)| {
            user.eq_ignore_ascii_case(name) && self.locals.contains(host)
        })
    }
}

impl Check for Requirements {
    fn sender(&mut self, visit: &mut Visit, beginning: &mut Transaction) -> Verdict {
        let secure = visit.client.protection.is_some() || self.policy.tls_outside;
        if self.policy.demands_tls && !secure {
            return Verdict::Refuse(replies::WANT_TLS);
        }
        match &visit.client.authentication {
            None if self.policy.demands_auth => Verdict::Refuse(replies::WANT_AUTH),
            Some(known)
                if self.policy.own_sender_only && !self.is_own(&known.user, &beginning.sender) =>
            {
                Verdict::Refuse(replies::OTHER_SENDER)
            }
            _ => Verdict::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Authentication, Client};
    use crate::secure::arguments::Arguments;
    use crate::variables::Variables;

    fn check(variables: &[&str]) -> Requirements {
        let variable = |name: &str| variables.contains(&name).then(|| b"1".to_vec());
        let arguments = Arguments::parse(["check".into()], &|_| true);
        let policy = Policy::from_environment(&variable, &arguments).unwrap();
        Requirements::new(policy, [b"here.example".to_vec()].into_iter().collect())
    }

    fn verdict(variables: &[&str], user: Option<&str>, sender: &str) -> Verdict {
        let mut visit = Visit::new(Client::from_environment(&|_| None), Variables::none());
        visit.client.authentication =
            user.map(|user| Authentication { user: user.as_bytes().to_vec(), method: "plain" });
        check(variables).sender(&mut visit, &mut Transaction::from(sender))
    }

    #[test]
    fn what_is_demanded_comes_before_mail() {
        let refused = |reply| Verdict::Refuse(reply);
        assert_eq!(verdict(&["FORCE_TLS"], Some("joe"), "joe@x"), refused(replies::WANT_TLS));
        assert_eq!(verdict(&["REQUIRE_AUTH"], None, "joe@x"), refused(replies::WANT_AUTH));
        assert_eq!(verdict(&["REQUIRE_AUTH"], Some("joe"), "jane@x"), Verdict::Pass);
    }

    #[test]
    fn the_sender_is_the_user_or_nobody() {
        let own = |user, sender| verdict(&["FORCEAUTHMAILFROM"], Some(user), sender);
        for (user, sender) in [
            ("joe@x.example", "Joe@X.example"),
            ("joe", "joe@HERE.example"),
            ("joe", ""),
            ("joe", "joe"),
        ] {
            assert_eq!(own(user, sender), Verdict::Pass, "{user} {sender}");
        }
        for (user, sender) in
            [("joe@x.example", "jane@x.example"), ("joe", "joe@x.example"), ("joe", "jane")]
        {
            assert_eq!(
                own(user, sender),
                Verdict::Refuse(replies::OTHER_SENDER),
                "{user} {sender}"
            );
        }
        assert_eq!(verdict(&["FORCEAUTHMAILFROM"], None, "joe@x"), Verdict::Pass);
    }
}
