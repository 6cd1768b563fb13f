//! chkuser: whether the recipient exists here, as qmail-chkuser finds out: a process of its own,
//! or one behind a local socket that may look where we may not.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use qmail_core::timed::Timed;
use qmail_sys::{Child, Spawn, pipe};

use super::{Check, Source, Verdict};
use crate::printable::word;
use crate::replies;
use crate::transaction::Recipient;
use crate::visit::Visit;

/// The first wrong recipient waits for so long, and each further one for so much longer.
const FIRST_DELAY: Duration = Duration::from_millis(1000);
const FURTHER_DELAY: Duration = Duration::from_millis(300);
/// No reply waits longer.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Asks about recipients.
pub(super) struct ChkUser {
    home: PathBuf,
    socket: Option<PathBuf>,
    time: Duration,
    /// After so many recipients of the session, and so many wrong ones, all are refused.
    limit: Option<u64>,
    wrong_limit: Option<u64>,
    /// The variable whose value stands for the client in the log.
    identity: Vec<u8>,
    tried: u64,
    wrong: u64,
    service: Option<Service>,
}

/// Somebody who answers.
struct Service {
    questions: Timed,
    answers: Timed,
    /// It ends when we close its pipes.
    _child: Option<Child>,
}

impl Service {
    fn start(home: &std::path::Path, time: Duration) -> io::Result<Self> {
        let (questions, answers) = (pipe()?, pipe()?);
        let child = Spawn::new("bin/qmail-chkuser")
            .directory(home)
            .connect(0, questions.read.as_fd())
            .connect(1, answers.write.as_fd())
            .start()?;
        Ok(Self::over(questions.write, answers.read, time, Some(child)))
    }

    fn connect(socket: &std::path::Path, time: Duration) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        Ok(Self::over(stream.try_clone()?.into(), stream.into(), time, None))
    }

    fn over(to: OwnedFd, from: OwnedFd, time: Duration, child: Option<Child>) -> Self {
        Self { questions: Timed::new(to, time), answers: Timed::new(from, time), _child: child }
    }

    fn ask(&mut self, address: &[u8]) -> io::Result<u8> {
        self.questions.write_all(&[address, b"\0"].concat())?;
        let mut letter = [0];
        self.answers.read_exact(&mut letter)?;
        Ok(u8::from_be_bytes(letter))
    }
}

impl ChkUser {
    /// `None` unless `$CHKUSER_START` asks for it.
    pub(super) fn load(source: &Source<'_>, time: Duration) -> Option<Self> {
        let start = source.variables.value("CHKUSER_START")?.to_ascii_uppercase();
        if !matches!(start.as_slice(), b"ALWAYS" | b"DOMAIN") {
            return None;
        }
        let socket = source.variables.value("CHKUSER_SOCKET").filter(|path| !path.is_empty());
        let identity = source.variables.value("CHKUSER_IDENTIFY").unwrap_or_default();
        Some(Self {
            home: source.home.to_owned(),
            socket: socket.map(|path| source.path(&path)),
            time,
            limit: source.variable_number(&["CHKUSER_RCPTLIMIT"]).filter(|limit| *limit > 0),
            wrong_limit: source.variable_number(&["CHKUSER_WRONGRCPTLIMIT"]).filter(|n| *n > 0),
            identity,
            tried: 0,
            wrong: 0,
            service: None,
        })
    }

    fn ask(&mut self, address: &[u8]) -> io::Result<u8> {
        let mut service = match self.service.take() {
            Some(service) => service,
            None => match &self.socket {
                Some(socket) => Service::connect(socket, self.time)?,
                None => Service::start(&self.home, self.time)?,
            },
        };
        let letter = service.ask(address)?;
        // Not kept after a failure: its answers might be to earlier questions.
        self.service = Some(service);
        Ok(letter)
    }

    fn is_past(&self) -> bool {
        self.limit.is_some_and(|limit| self.tried > limit)
            || self.wrong_limit.is_some_and(|limit| self.wrong >= limit)
    }

    fn refuse_unknown(&mut self, visit: &mut Visit) -> Verdict {
        let further = u32::try_from(self.wrong).unwrap_or(u32::MAX);
        let delay = FIRST_DELAY.saturating_add(FURTHER_DELAY.saturating_mul(further));
        visit.pause(delay.min(LONGEST_DELAY));
        self.wrong = self.wrong.saturating_add(1);
        Verdict::Refuse(replies::CHKUSER_NO_MAILBOX)
    }

    /// `CHKUSER TITLE: from <SENDER:USER:CLIENT> remote <HELO:HOST:IP> rcpt <RCPT> : DESCRIPTION`:
    /// the form of chkuser's manual, which logwatch knows.
    fn note(&self, visit: &mut Visit, title: &str, recipient: &[u8], description: &str) {
        let client = &visit.client;
        let user = client.authentication.as_ref().map(|user| user.user.clone());
        let user = user.or_else(|| client.remote_info.clone()).unwrap_or_default();
        let helo = client.helo.as_deref().unwrap_or_default();
        let line = [
            format!("CHKUSER {title}: from <").as_bytes(),
            &[word(visit.sender()), word(&user), word(&self.identity)].join(&b':'),
            b"> remote <",
            &[word(helo), word(&client.remote_host), word(&client.remote_ip)].join(&b':'),
            b"> rcpt <",
            &word(recipient),
            b"> : ",
            description.as_bytes(),
        ]
        .concat();
        visit.note(line);
    }
}

impl Check for ChkUser {
    fn yields(&self) -> bool {
        true
    }

    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        let address = recipient.address.clone();
        if visit.may_relay() && !recipient.is_ours {
            self.note(visit, "relaying rcpt", &address, "client allowed to relay");
            return Verdict::Pass;
        }
        if recipient.is_known {
            return Verdict::Pass;
        }
        self.tried = self.tried.saturating_add(1);
        if self.is_past() {
            self.note(visit, "intrusion threshold", &address, "max number of allowed rcpt");
            return Verdict::Refuse(replies::CHKUSER_THRESHOLD);
        }
        match self.ask(&address) {
            Ok(b'K') => {
                self.note(visit, "accepted rcpt", &address, "found existing recipient");
                recipient.is_known = true;
                Verdict::Pass
            }
            Ok(b'R') => Verdict::Pass,
            Ok(b'D') => {
                self.note(visit, "rejected rcpt", &address, "not existing recipient");
                self.refuse_unknown(visit)
            }
            Ok(_) | Err(_) => {
                self.note(visit, "no auth resource", &address, "look-up failed");
                Verdict::Refuse(replies::CHKUSER_LATER)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::visit_with;

    fn check(script: &str) -> (ChkUser, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("bin")).unwrap();
        crate::testing::write_script(&home.path().join("bin/qmail-chkuser"), script);
        let check = ChkUser {
            home: home.path().to_owned(),
            socket: None,
            time: Duration::from_secs(60),
            limit: None,
            wrong_limit: Some(2),
            identity: b"id".to_vec(),
            tried: 0,
            wrong: 0,
            service: None,
        };
        (check, home)
    }

    fn answering(letters: &str) -> (ChkUser, tempfile::TempDir) {
        check(&format!("printf {letters}; cat >/dev/null"))
    }

    fn ask(check: &mut ChkUser, visit: &mut Visit) -> Verdict {
        check.recipient(visit, &mut Recipient { is_ours: true, ..Recipient::new("joe@here") })
    }

    #[test]
    fn letters_are_verdicts() {
        let mut visit = visit_with(&[]);
        let (mut check, _home) = answering("KRDZ");
        let said: Vec<Verdict> = (0..4).map(|_| ask(&mut check, &mut visit)).collect();
        let expected = [
            Verdict::Pass,
            Verdict::Pass,
            Verdict::Refuse(replies::CHKUSER_NO_MAILBOX),
            Verdict::Refuse(replies::CHKUSER_LATER),
        ];
        assert_eq!(said, expected);
        assert_eq!(visit.take_pause(), FIRST_DELAY);
        let notes = visit.take_notes();
        let first = "CHKUSER accepted rcpt: from <::id> remote <:unknown:192.0.2.1> rcpt \
                     <joe@here> : found existing recipient";
        assert_eq!(String::from_utf8_lossy(&notes[0]), first);
    }

    #[test]
    fn who_guesses_is_not_answered_any_more() {
        let mut visit = visit_with(&[]);
        let (mut check, _home) = answering("DDK");
        let said: Vec<Verdict> = (0..3).map(|_| ask(&mut check, &mut visit)).collect();
        assert_eq!(said[2], Verdict::Refuse(replies::CHKUSER_THRESHOLD));
        assert_eq!(visit.take_pause(), FIRST_DELAY * 2 + FURTHER_DELAY);
    }

    #[test]
    fn a_service_that_dies_is_for_later() {
        let (mut check, _home) = check("exit 0");
        check.time = Duration::from_millis(100);
        let expected = Verdict::Refuse(replies::CHKUSER_LATER);
        assert_eq!(ask(&mut check, &mut visit_with(&[])), expected);
        check.socket = Some("/nonexistent".into());
        assert_eq!(ask(&mut check, &mut visit_with(&[])), expected);
    }
}
