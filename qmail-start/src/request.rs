//! The command line.

use std::ffi::OsString;

/// What the daemons are to be started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The instructions for users who have none of their own: a whole `.qmail` file, maybe.
    pub default_delivery: OsString,
    /// Who takes the log; without a logger it goes to descriptor 1.
    pub logger: Option<Logger>,
}

/// A program that reads the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logger {
    /// Its name, looked for in `$PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Request {
    /// Reads the words after the program's name.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Self {
        let mut words = words.into_iter();
        let default_delivery = words.next().unwrap_or_else(|| "./Mailbox".into());
        let logger = words.next().map(|program| Logger { program, arguments: words.collect() });
        Self { default_delivery, logger }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Request {
        Request::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn mail_goes_to_mailbox_and_the_log_to_stdout_unless_told_otherwise() {
        let expected = Request { default_delivery: "./Mailbox".into(), logger: None };
        assert_eq!(parse(&[]), expected);
    }

    #[test]
    fn an_empty_delivery_instruction_is_one() {
        assert_eq!(parse(&[""]).default_delivery, "");
    }

    #[test]
    fn everything_after_the_delivery_is_the_logger() {
        let logger =
            Logger { program: "splogger".into(), arguments: vec!["qmail".into(), "-2".into()] };
        assert_eq!(parse(&["./Maildir/", "splogger", "qmail", "-2"]).logger, Some(logger));
    }
}
