//! What plug-ins and filters say.

use qmail_core::submit::Refusal;
use qmail_smtpd::checks::plugins::commands::{Command, commands};

/// Nothing that a plug-in says ends a line of ours early, or a header.
pub(crate) fn output(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(commands(bytes).count() <= lines);
    for command in commands(bytes) {
        match command {
            Command::Error(words) | Command::Reject(words) | Command::Print(words) => {
                speaks(&words)
            }
            Command::Later(queue, words) => {
                assert!(queue < 3);
                speaks(&words);
            }
            Command::Header(field) => {
                assert!(!field.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
                assert!(!field.trim_ascii().is_empty());
            }
            Command::Change(text) | Command::Set(_, text) => assert!(!text.contains(&b'\n')),
            Command::Unset(_) | Command::Accept | Command::Next | Command::Ok | Command::Drop => {}
        }
    }
    let _ = Refusal::from_words(bytes);
}

fn speaks(words: &[u8]) {
    assert!(words.iter().all(|byte| *byte >= b' ' || *byte == b'\t'));
}
