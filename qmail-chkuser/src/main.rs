//! qmail-chkuser: tells whether recipients exist.
//!
//! Runs as:     qmaild, or whoever may look into users' homes, behind a local socket
//! Descriptors: 0 questions, each ended by a NUL; 1 a letter for each
//! Exit codes:  0 at the end of the addresses; 100 one is too long; 111 the system failed
#![forbid(unsafe_code)]

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use qmail_chkuser::{Directory, Found, Question};
use qmail_core::home::home;

/// No address is longer, with what may come before it.
const LONGEST_QUESTION: u64 = 1003 + 40;

fn main() -> ExitCode {
    let home = home();
    let Ok(directory) = Directory::open(&home) else { return ExitCode::from(111) };
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut question = Vec::new();
    loop {
        question.clear();
        match (&mut input).take(LONGEST_QUESTION).read_until(0, &mut question) {
            Ok(0) => return ExitCode::SUCCESS,
            Ok(_) if question.pop() == Some(0) => {}
            Ok(_) => return ExitCode::from(100),
            Err(_) => return ExitCode::from(111),
        }
        let found = Question::parse(&question).map(|question| directory.find(question));
        let found = found.and_then(Result::ok).unwrap_or(Found::Unclear);
        if output.write_all(&[found.letter()]).and_then(|()| output.flush()).is_err() {
            return ExitCode::from(111);
        }
    }
}
