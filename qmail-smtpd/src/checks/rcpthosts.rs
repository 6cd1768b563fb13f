//! `rcpthosts`: strangers may send only to domains that are ours.

use qmail_core::rcpthosts::Rcpthosts;
use qmail_wire::smtp_server::Reply;

use super::{Check, Verdict};
use crate::replies::{NOT_OURS, UNREADABLE_CONTROLS};
use crate::transaction::Recipient;
use crate::visit::Visit;

const NOT_OURS_TEXT: &str = "sorry, that domain isn't in my list of allowed rcpthosts";

/// Finds out whose recipients are ours, and refuses none: other checks want to know.
#[derive(Debug)]
pub(super) struct KnownDomains(pub(super) Rcpthosts);

/// Refuses recipients elsewhere, unless the client may relay.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnDomainsOnly;

impl Check for KnownDomains {
    fn recipient(&mut self, _visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        match self.0.allow(&recipient.named) {
            Ok(is_ours) => recipient.is_ours = is_ours,
            Err(_) => return Verdict::Disconnect(UNREADABLE_CONTROLS),
        }
        Verdict::Pass
    }
}

impl Check for OwnDomainsOnly {
    fn yields(&self) -> bool {
        true
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        let is_taken = recipient.is_ours || visit.may_relay();
        if is_taken { Verdict::Pass } else { Verdict::Refuse(not_ours(visit)) }
    }
}

/// Whether this is the refusal of a recipient elsewhere, in one of its forms.
pub(crate) fn is_not_ours(reply: &Reply) -> bool {
    reply.code() == NOT_OURS.code() && reply.text().starts_with(NOT_OURS_TEXT.as_bytes())
}

/// The same in its one form, if it is that refusal: others look for it in tables.
pub(crate) fn in_one_form(reply: &Reply) -> &Reply {
    static PLAIN: Reply = NOT_OURS;
    if is_not_ours(reply) { &PLAIN } else { reply }
}

/// In TLS, a client could have shown a certificate.
fn not_ours(visit: &Visit) -> Reply {
    let Some(protection) = &visit.client.protection else { return NOT_OURS };
    let problem = protection.client_problem.as_ref().map(|problem| format!(": {problem}"));
    let problem = problem.unwrap_or_default();
    let text = format!("{NOT_OURS_TEXT}; no valid cert for gatewaying{problem} (#5.7.1)");
    Reply::with_text(553, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Protection};
    use crate::variables::Variables;

    #[test]
    fn in_tls_a_stranger_is_told_what_is_wrong_with_his_certificate() {
        let mut visit = Visit::new(Client::from_environment(&|_| None), Variables::none());
        assert_eq!(not_ours(&visit), NOT_OURS);
        let mut protection = Protection {
            version: Vec::new(),
            cipher: Vec::new(),
            server_name: None,
            client_name: None,
            client_problem: None,
        };
        visit.protect(protection.clone());
        let text = "553 sorry, that domain isn't in my list of allowed rcpthosts; \
                    no valid cert for gatewaying";
        assert_eq!(not_ours(&visit).to_wire(), format!("{text} (#5.7.1)\r\n").as_bytes());
        protection.client_problem = Some("expired".into());
        visit.protect(protection);
        assert_eq!(not_ours(&visit).to_wire(), format!("{text}: expired (#5.7.1)\r\n").as_bytes());
        assert!(is_not_ours(&not_ours(&visit)) && is_not_ours(&NOT_OURS));
        assert!(!is_not_ours(&crate::replies::BAD_SENDER));
    }
}
