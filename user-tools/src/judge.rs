//! Programs whose exit code answers a question: for except, bouncesaying and condredirect.

use std::ffi::OsString;

use qmail_sys::{Exit, FailureCodes, Spawn};

use crate::failure::Failure;

/// What a program answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Exit code 0.
    Yes,
    /// Every other one but 111.
    No,
}

/// Runs `program`, which reads our standard input, with `arguments`.
///
/// A program that is not there answers no, one that cannot be run at the moment does not answer.
///
/// # Errors
/// If there is no answer: the system failed, the program crashed, or it said 111.
pub fn ask(program: &OsString, arguments: &[OsString]) -> Result<Answer, Failure> {
    let child = Spawn::search(program)
        .args(arguments)
        .failing_with(FailureCodes { permanent: 100, ..FailureCodes::all(111) })
        .start()
        .map_err(|error| Failure::system("unable to fork", &error))?;
    answer(child.wait().map_err(|_| Failure::Temporary(b"wait failed".to_vec()))?)
}

fn answer(exit: Exit) -> Result<Answer, Failure> {
    match exit {
        Exit::Code(0) => Ok(Answer::Yes),
        Exit::Code(111) => Err(Failure::Temporary(b"temporary child error".to_vec())),
        Exit::Code(_) => Ok(Answer::No),
        Exit::Signal(_) => Err(Failure::Temporary(b"child crashed".to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask_sh(script: &str) -> Result<Answer, Failure> {
        ask(&"sh".into(), &["-c".into(), script.into()])
    }

    #[test]
    fn zero_is_yes_and_all_others_but_111_are_no() {
        assert_eq!(ask_sh("exit 0"), Ok(Answer::Yes));
        assert_eq!(ask_sh("exit 1"), Ok(Answer::No));
        assert_eq!(ask_sh("exit 100"), Ok(Answer::No));
        let temporary = Err(Failure::Temporary(b"temporary child error".to_vec()));
        assert_eq!(ask_sh("exit 111"), temporary);
    }

    #[test]
    fn a_crash_is_no_answer_and_a_missing_program_is_no() {
        assert_eq!(ask_sh("kill -9 $$"), Err(Failure::Temporary(b"child crashed".to_vec())));
        assert_eq!(ask(&"/nonexistent/program".into(), &[]), Ok(Answer::No));
    }
}
