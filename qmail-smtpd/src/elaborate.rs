//! spamcontrol's `REPLY_…` variables: words of the administrator's in replies that refuse.

use qmail_wire::smtp_server::Reply;

use crate::checks::in_one_form;
use crate::replies;
use crate::variables::Variables;

const VARIABLES: [(&Reply, &str); 15] = [
    (&replies::INVALID_HELO, "REPLY_HELO"),
    (&replies::DENIED_HELO, "REPLY_HELO"),
    (&replies::BAD_RECIPIENT, "REPLY_BADRCPTTO"),
    (&replies::DENIED_RECIPIENT, "REPLY_BADRCPTTO"),
    (&replies::NO_MAILBOX_BY_NAME, "REPLY_MAILBOX"),
    (&replies::NO_MAILBOX, "REPLY_MAILBOX"),
    (&replies::BAD_SENDER, "REPLY_BADMAILFROM"),
    (&replies::DENIED_SENDER, "REPLY_BADMAILFROM"),
    (&replies::INVALID_SENDER, "REPLY_SENDERINVALID"),
    (&replies::NOT_OURS, "REPLY_NOGATEWAY"),
    (&replies::NO_SENDER_DOMAIN, "REPLY_SENDEREXIST"),
    (&replies::TOO_LARGE, "REPLY_MAXSIZE"),
    (&replies::INVALID_CONTENT, "REPLY_CONTENT"),
    (&replies::EXECUTABLE, "REPLY_CONTENT"),
    (&replies::REJECTED, "REPLY_CONTENT"),
];

/// The reply with the words that a variable has for it, before its status in parentheses.
pub(crate) fn elaborate(reply: Reply, variables: &Variables) -> Reply {
    let row = VARIABLES.iter().find(|(known, _)| *known == in_one_form(&reply));
    let words = row.and_then(|(_, name)| variables.value(name)).filter(|words| !words.is_empty());
    let Some(words) = words else { return reply };
    let text = reply.text();
    let status = text.windows(3).rposition(|window| window == b" (#").unwrap_or(text.len());
    let (text, status) = text.split_at(status);
    let words = crate::printable::text(&words, 300);
    Reply::with_text(reply.code(), [text, b" ", &words, status].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_before_the_status() {
        let mut variables = Variables::none();
        assert_eq!(elaborate(replies::NOT_OURS, &variables), replies::NOT_OURS);
        variables.set("REPLY_NOGATEWAY", b"see\nhttp://x");
        let expected =
            "sorry, that domain isn't in my list of allowed rcpthosts see?http://x (#5.7.1)";
        assert_eq!(elaborate(replies::NOT_OURS, &variables), Reply::with_text(553, expected));
        let inside = "sorry, that domain isn't in my list of allowed rcpthosts; no valid cert";
        let said = elaborate(Reply::with_text(553, format!("{inside} (#5.7.1)")), &variables);
        assert_eq!(said.text(), format!("{inside} see?http://x (#5.7.1)").as_bytes());
    }
}
