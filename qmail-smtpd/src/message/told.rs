//! What a queue program, and whoever reads the message, is told of the session.

use qmail_core::variable::harmless;
use qmail_sys::Spawn;

use crate::printable::text;
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Linux takes variables of up to 128 KiB.
const MOST_TOLD: usize = 100_000;
/// As much as a DNS list may say.
const LONGEST_REMARK: usize = 200;

/// Tells the queue program what spamcontrol tells it. So many recipients that no environment can
/// hold them are not told.
pub(super) fn tell<'fd>(spawn: Spawn<'fd>, visit: &Visit, transaction: &Transaction) -> Spawn<'fd> {
    let client = &visit.client;
    let spawn = spawn
        .env("HELOHOST", &harmless(client.helo.as_deref().unwrap_or_default()))
        .env("MAILFROM", &harmless(&transaction.sender));
    let spawn = match &client.authentication {
        Some(user) => {
            spawn.env("AUTHUSER", &harmless(&user.user)).env("AUTHPROTOCOL", user.method.as_bytes())
        }
        None => spawn,
    };
    let further = visit.variables.value("DELIVERTO").filter(|further| !further.is_empty());
    let recipients: Vec<&[u8]> = further
        .iter()
        .map(Vec::as_slice)
        .chain(transaction.recipients.iter().map(Vec::as_slice))
        .collect();
    let recipients = recipients.join(&b' ');
    if recipients.len() > MOST_TOLD {
        spawn.env_remove("RCPTTO")
    } else {
        spawn.env("RCPTTO", &harmless(&recipients))
    }
}

/// The field for what `rblsmtpd -I` has found out: `[...] TEXT` in `$RBLSMTPD`.
pub(super) fn block_list_remark(visit: &Visit) -> Option<Vec<u8>> {
    let value = visit.variables.value("RBLSMTPD")?;
    let inside = value.strip_prefix(b"[")?;
    let end = inside.windows(2).position(|pair| pair == b"] ")?;
    let remark = inside.get(end + 2..).filter(|remark| !remark.is_empty())?;
    Some([b"X-RBL-Info: ", text(remark, LONGEST_REMARK).as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::visit_with;

    #[test]
    fn only_a_remark_is_a_field() {
        let field = |value: &str| {
            let field = block_list_remark(&visit_with(&[("RBLSMTPD", value)]));
            field.map(|field| String::from_utf8(field).unwrap())
        };
        assert_eq!(field("[RBL info] see\nhttp://x").unwrap(), "X-RBL-Info: see?http://x");
        for value in ["", "-go away", "wait", "[RBL info]", "[x] "] {
            assert_eq!(field(value), None, "{value}");
        }
        assert_eq!(block_list_remark(&visit_with(&[])), None);
    }
}
