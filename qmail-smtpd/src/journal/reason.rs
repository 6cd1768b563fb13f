//! Each refusal in the words of each journal.

use qmail_wire::smtp_server::Reply;

use crate::checks::in_one_form;
use crate::replies;

/// What a refusal is called.
pub(super) struct Reason {
    /// In Wheeler's lines.
    pub(super) wheeler: &'static str,
    /// In the lines of qlog.
    pub(super) qlog: &'static str,
    /// In spamcontrol's lines.
    pub(super) spamcontrol: &'static str,
}

const fn reason(wheeler: &'static str, qlog: &'static str, spamcontrol: &'static str) -> Reason {
    Reason { wheeler, qlog, spamcontrol }
}

#[rustfmt::skip]
static REASONS: [(&[&Reply], Reason); 10] = [
    (&[&replies::BAD_SENDER, &replies::DENIED_SENDER],
        reason("badmailfrom", "badmailfrom", "ORIG::Bad_Mailfrom")),
    (&[&replies::DENIED_HELO, &replies::INVALID_HELO],
        reason("reject (badhelo)", "badhelo", "SNDR::Bad_Helo")),
    (&[&replies::BAD_RECIPIENT, &replies::DENIED_RECIPIENT],
        reason("reject (badrcptto)", "badrcptto", "RCPT::Bad_Rcptto")),
    (&[&replies::NOT_OURS],
        reason("reject (rcpthosts)", "rcpthosts", "SNDR::Invalid_Relay")),
    (&[&replies::RELAY_PROBE],
        reason("reject (relay probe)", "relayprobe", "SNDR::Invalid_Relay")),
    (&[&replies::NO_SENDER_DOMAIN],
        reason("reject (mfcheck)", "mfcheck", "ORIG::DNS_MF")),
    (&[&replies::INVALID_SENDER],
        reason("reject (mailfrom)", "mailfrom", "ORIG::Invalid_Mailfrom")),
    (&[&replies::RECIPIENT_LIMIT, &replies::TOO_MANY_RECIPIENTS],
        reason("reject (maxrcpt)", "maxrcpt", "RCPT::Toomany_Rcptto")),
    (&[&replies::CHKUSER_MUST_AUTHENTICATE],
        reason("reject (auth required)", "mustauth", "ORIG::Require_Auth")),
    (&[&replies::NO_MAILBOX, &replies::NO_RECIPIENT, &replies::NO_MAILBOX_BY_NAME,
            &replies::CHKUSER_NO_MAILBOX],
        reason("reject (no mailbox)", "nomailbox", "RCPT::Failed_Rcptto")),
];

static OTHER: Reason = reason("reject (policy)", "policy", "RCPT::Failed_Rcptto");

/// What this reply is called.
pub(super) fn of(reply: &Reply) -> &'static Reason {
    let reply = in_one_form(reply);
    let row = REASONS.iter().find(|(known, _)| known.contains(&reply));
    row.map_or(&OTHER, |(_, reason)| reason)
}
