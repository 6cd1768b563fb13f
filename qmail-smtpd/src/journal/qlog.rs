//! The lines of qlog: `qlogenvelope:` for each recipient and `qlogreceived:` for each message, with
//! a value, which may be empty, for each of many keys.

use qmail_wire::smtp_server::Reply;

use super::{About, Conclusion, Fate, Journal, reason};
use crate::transaction::Transaction;
use crate::visit::Visit;

/// Writes such lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Qlog;

/// What differs from line to line.
struct Entry<'a> {
    kind: &'a str,
    reply: &'a Reply,
    reason: &'a str,
    sender: &'a [u8],
    recipients: &'a [u8],
    size: String,
    queue_id: String,
}

fn value(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'_' }).collect()
}

fn note(visit: &mut Visit, entry: &Entry<'_>) {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let client = &visit.client;
    let variable = |name: &str| visit.variables.value(name).unwrap_or_default();
    let user = client.authentication.as_ref();
    let encrypted = match (&client.protection, visit.variables.has("SMTPS")) {
        (None, _) => "",
        (Some(_), true) => "ssl",
        (Some(_), false) => "tls",
    };
    let verified = client.protection.as_ref().is_some_and(|known| known.client_name.is_some());
    let result = if entry.reply.code() < 400 { "accepted" } else { "rejected" };
    let code = entry.reply.code().to_string();
    let is_ours = result == "accepted" || entry.reason != "rcpthosts";
    let pid = std::process::id().to_string();
    let pairs: [(&str, &[u8]); 21] = [
        ("result", result.as_bytes()),
        ("code", code.as_bytes()),
        ("reason", entry.reason.as_bytes()),
        ("detail", b""),
        ("helo", client.helo.as_deref().unwrap_or_default()),
        ("mailfrom", entry.sender),
        ("rcptto", entry.recipients),
        ("relay", yes(visit.may_relay()).as_bytes()),
        ("rcpthosts", yes(is_ours).as_bytes()),
        ("size", entry.size.as_bytes()),
        ("authuser", user.map_or(&[], |user| &user.user)),
        ("authtype", user.map_or(&[], |user| user.method.as_bytes())),
        ("encrypted", encrypted.as_bytes()),
        ("sslverified", yes(verified).as_bytes()),
        ("localip", &variable("TCPLOCALIP")),
        ("localport", &variable("TCPLOCALPORT")),
        ("remoteip", &client.peer.remote_ip),
        ("remoteport", &variable("TCPREMOTEPORT")),
        ("remotehost", &client.peer.remote_host),
        ("qp", entry.queue_id.as_bytes()),
        ("pid", pid.as_bytes()),
    ];
    let words = pairs.map(|(key, bytes)| [key.as_bytes(), b"=", &value(bytes)].concat());
    let line = [entry.kind.as_bytes(), b": ", &words.join(&b' ')].concat();
    visit.note(line);
}

impl Journal for Qlog {
    fn answered(&mut self, visit: &mut Visit, about: About<'_>, reply: &Reply) {
        let recipient = about.recipient();
        if recipient.is_none() && reply.code() < 400 {
            return;
        }
        let size = visit.transaction.as_ref().and_then(|known| known.declared_size);
        let sender = about.sender(visit).unwrap_or_default();
        let entry = Entry {
            kind: "qlogenvelope",
            reply,
            reason: if reply.code() < 400 { "" } else { reason::of(reply).qlog },
            sender: &sender,
            recipients: recipient.unwrap_or_default(),
            size: size.map(|size| size.to_string()).unwrap_or_default(),
            queue_id: String::new(),
        };
        note(visit, &entry);
    }

    fn concluded(&mut self, visit: &mut Visit, transaction: &Transaction, end: &Conclusion) {
        let reason = match end.fate {
            Fate::Accepted => "queueaccept",
            Fate::Looping => "looping",
            Fate::TooBig => "msgsize",
            Fate::Unwanted => "content",
            Fate::Rejected => "queuereject",
            Fate::Delayed => "queuedelay",
        };
        let entry = Entry {
            kind: "qlogreceived",
            reply: &end.reply,
            reason,
            sender: &transaction.sender,
            recipients: &transaction.recipients.join(&b','),
            size: end.size.to_string(),
            queue_id: end.queue_id.to_string(),
        };
        note(visit, &entry);
    }
}
