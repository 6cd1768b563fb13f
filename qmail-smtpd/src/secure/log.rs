//! Lines for the log.

use qmail_core::log::Line;
use qmail_wire::sasl::Claim;

use super::auth::method;
use crate::visit::Visit;

/// Says something about this session.
pub(super) fn note(visit: &mut Visit, text: &str) {
    let line = own().text(text).text(" ip=").safe(&visit.client.peer.remote_ip);
    visit.note(without_end(line));
}

/// Says who wanted to log in. Programs that lock out whoever guesses read these lines.
pub(super) fn note_attempt(visit: &mut Visit, claim: &Claim, success: bool) {
    let word = if success { "auth: auth-success type=" } else { "auth: auth-failed type=" };
    let line = own().text(word).text(method(claim.mechanism)).text(" user=<").safe(&claim.user);
    let line = line.text("> ip=").safe(&visit.client.peer.remote_ip);
    visit.note(without_end(line));
}

fn own() -> Line {
    Line::new("qmail-smtpd[").number(std::process::id().into()).text("]: ")
}

fn without_end(line: Line) -> Vec<u8> {
    let mut line = line.end();
    line.pop();
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::variables::Variables;
    use qmail_wire::sasl::Mechanism;

    #[test]
    fn what_a_client_says_cannot_break_a_line() {
        let mut visit = Visit::new(Client::from_environment(&|_| None), Variables::none());
        let claim = Claim {
            mechanism: Mechanism::CramMd5,
            user: b"jo e>\nx".to_vec(),
            secret: b"secret".to_vec(),
            challenge: Vec::new(),
        };
        note_attempt(&mut visit, &claim, false);
        note(&mut visit, "TLS is not ready");
        let id = std::process::id();
        let expected = [
            format!("qmail-smtpd[{id}]: auth: auth-failed type=cram-md5 user=<jo_e>/x> ip=unknown"),
            format!("qmail-smtpd[{id}]: TLS is not ready ip=unknown"),
        ];
        assert_eq!(visit.take_notes(), expected.map(String::into_bytes));
    }
}
