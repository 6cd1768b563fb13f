//! `RCPTCHECK`: a program of the administrator's judges each recipient.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use qmail_core::variable::harmless;
use qmail_sys::{Exit, FailureCodes, Spawn};
use qmail_wire::smtp_server::Reply;

use super::{Check, Verdict};
use crate::printable::word;
use crate::program::{Allowance, Ended, run};
use crate::replies;
use crate::transaction::Recipient;
use crate::visit::Visit;

/// More than the longest reply: RFC 5321 §4.5.3.1.5.
const LONGEST_TEXT: usize = 510;

/// Asks the program.
pub(super) struct RecipientProgram {
    pub(super) program: Vec<u8>,
    pub(super) home: PathBuf,
    pub(super) time: Duration,
    /// Asks about recipients of relay clients, too.
    pub(super) judges_relay_clients: bool,
}

impl RecipientProgram {
    fn ask(&self, visit: &Visit, recipient: &Recipient) -> io::Result<(Vec<u8>, Ended)> {
        let nothing = File::open("/dev/null")?;
        let errors = io::stderr();
        let flag = |is_set: bool| if is_set { Some(b"1".as_slice()) } else { None };
        let optional = [
            ("RCPTFOUND", flag(recipient.is_known)),
            ("RCPTHOSTS", flag(recipient.is_ours)),
            ("HELO", visit.client.helo.as_deref()),
        ];
        let program: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&self.program);
        let mut spawn = visit
            .variables
            .prepare(Spawn::new(program))
            .env("SENDER", &harmless(visit.sender()))
            .env("RECIPIENT", &harmless(&recipient.address))
            .env("USE_FD4", b"1")
            .directory(&self.home)
            .connect(0, nothing.as_fd())
            .connect(1, errors.as_fd())
            .failing_with(FailureCodes::all(120));
        for (name, value) in optional {
            spawn = match value {
                Some(value) => spawn.env(name, &harmless(value)),
                None => spawn.env_remove(name),
            };
        }
        run(spawn, &[4], Allowance { time: self.time, bytes: LONGEST_TEXT + 1 })
    }
}

impl Check for RecipientProgram {
    fn recipient(&mut self, visit: &mut Visit, recipient: &mut Recipient) -> Verdict {
        if visit.may_relay() && !self.judges_relay_clients {
            return Verdict::Pass;
        }
        let (words, ended) = match self.ask(visit, recipient) {
            Ok(answer) => answer,
            Err(_) => return Verdict::Disconnect(replies::NO_FORK),
        };
        match ended {
            Ended::TimedOut => {
                visit.note([b"qmail-smtpd: rcptcheck: time out: ", &*word(&self.program)].concat());
                Verdict::Disconnect(replies::UNVERIFIED)
            }
            Ended::With(Exit::Code(100)) => custom(&words, Verdict::Refuse(replies::NO_RECIPIENT)),
            Ended::With(Exit::Code(111)) => Verdict::Disconnect(replies::UNVERIFIED),
            Ended::With(Exit::Code(112)) => Verdict::Pass,
            Ended::With(Exit::Code(113)) => {
                custom(&words, Verdict::Disconnect(replies::OVER_LIMIT))
            }
            Ended::With(Exit::Code(120) | Exit::Signal(_)) => {
                Verdict::Disconnect(replies::NO_RECIPIENT_CHECK)
            }
            Ended::With(Exit::Code(_)) => {
                recipient.is_known = true;
                Verdict::Pass
            }
        }
    }
}

/// What the program wants us to say, if it wants that.
fn custom(words: &[u8], otherwise: Verdict) -> Verdict {
    let text = words.trim_ascii_end();
    if text.is_empty() {
        return otherwise;
    }
    let is_fit = text.len() <= LONGEST_TEXT
        && text.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && matches!(text, [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', b' ', ..]);
    if !is_fit {
        return Verdict::Refuse(replies::TEMPORARY_PROBLEM);
    }
    let reply = Reply::verbatim(text);
    if reply.code() == 421 { Verdict::Disconnect(reply) } else { Verdict::Refuse(reply) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::visit_with;
    use crate::transaction::Transaction;

    fn judge(script: &str, variables: &[(&str, &str)]) -> Verdict {
        let home = tempfile::tempdir().unwrap();
        let program = home.path().join("check");
        crate::testing::write_script(&program, script);
        let mut check = RecipientProgram {
            program: b"check".to_vec(),
            home: home.path().to_owned(),
            time: Duration::from_secs(60),
            judges_relay_clients: false,
        };
        check.program = b"./check".to_vec();
        let mut visit = visit_with(variables);
        visit.transaction = Some(Transaction::from("from@here"));
        check.recipient(&mut visit, &mut Recipient::new("to@there"))
    }

    #[test]
    fn the_exit_code_decides() {
        assert_eq!(judge("exit 0", &[]), Verdict::Pass);
        assert_eq!(judge("exit 1", &[]), Verdict::Pass);
        assert_eq!(judge("exit 112", &[]), Verdict::Pass);
        assert_eq!(judge("exit 100", &[]), Verdict::Refuse(replies::NO_RECIPIENT));
        assert_eq!(judge("exit 111", &[]), Verdict::Disconnect(replies::UNVERIFIED));
        assert_eq!(judge("exit 113", &[]), Verdict::Disconnect(replies::OVER_LIMIT));
        assert_eq!(judge("kill -9 $$", &[]), Verdict::Disconnect(replies::NO_RECIPIENT_CHECK));
        assert_eq!(judge("exit 100", &[("RELAYCLIENT", "")]), Verdict::Pass);
    }

    #[test]
    fn the_program_sees_the_envelope() {
        let script =
            "[ $SENDER,$RECIPIENT,$USE_FD4,$RCPTHOSTS = from@here,to@there,1, ] || exit 111";
        assert_eq!(judge(script, &[]), Verdict::Pass);
    }

    #[test]
    fn its_own_words_count_if_they_are_a_reply() {
        let said = |words: &str| judge(&format!("printf '{words}' >&4; exit 100"), &[]);
        assert_eq!(
            said("450 later (#4.0.0)\\n"),
            Verdict::Refuse(Reply::verbatim("450 later (#4.0.0)"))
        );
        assert_eq!(said("421 bye"), Verdict::Disconnect(Reply::verbatim("421 bye")));
        for words in ["250 ok", "550 a\\n250 b", "550", "55x no"] {
            assert_eq!(said(words), Verdict::Refuse(replies::TEMPORARY_PROBLEM), "{words}");
        }
    }
}
