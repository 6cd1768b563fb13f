//! Answering one question after the other.

use std::io::{self, BufRead, BufReader, Read, Write};

use qmail_core::built_in;
use qmail_wire::lookup::{Answer, greeting};

use crate::owner::{Accounts, owner};

/// Answers until there are no more questions. Each is asked of the system anew: accounts come and
/// go.
///
/// # Errors
/// If nobody reads the answers.
pub fn stay(
    questions: impl Read,
    mut answers: impl Write,
    accounts: &impl Accounts,
) -> io::Result<()> {
    let mut questions = BufReader::new(questions);
    answers.write_all(greeting())?;
    answers.flush()?;
    loop {
        let mut local = Vec::new();
        questions.read_until(0, &mut local)?;
        // What is cut off is no question: whoever asked is gone.
        if local.pop() != Some(0) {
            return Ok(());
        }
        let answer = match owner(&local, built_in::break_character(), accounts) {
            Ok(assignment) => Answer::Found(assignment.to_bytes()),
            Err(failure) => Answer::Failed(failure.code()),
        };
        answers.write_all(&answer.encode())?;
        answers.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::owner::Account;

    /// `joe` is there, `far` cannot be told.
    struct Known;

    impl Accounts for Known {
        fn find(&self, name: &[u8]) -> Result<Option<Account>, Failure> {
            match name {
                b"far" => Err(Failure::HomeServer),
                b"joe" => Ok(Some(account("joe"))),
                _ => Ok(None),
            }
        }

        fn may_have_mail(&self, _: &Account) -> Result<bool, Failure> {
            Ok(true)
        }

        fn alias(&self) -> Result<Account, Failure> {
            Ok(account("alias"))
        }
    }

    fn account(name: &str) -> Account {
        Account { name: name.into(), uid: 1, gid: 2, home: "/h".into() }
    }

    #[test]
    fn every_question_has_an_answer_until_they_end() {
        let mut answers = Vec::new();
        let questions = b"Joe-List\0far\0nobody\0\0cut off";
        stay(questions.as_slice(), &mut answers, &Known).unwrap();
        let expected = [
            greeting(),
            b"\0joe\x001\x002\0/h\0-\0List\0",
            &[115],
            b"\0alias\x001\x002\0/h\0-\0nobody\0",
            b"\0alias\x001\x002\0/h\0-\0\0",
        ];
        assert_eq!(answers, expected.concat());
    }
}
