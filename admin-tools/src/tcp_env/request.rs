//! The command line of tcp-env.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use qmail_core::control::leading_number;
use qmail_core::options::{Given, Options};
use qmail_core::tcp_rules::WithoutRules;

const USUAL_TIMEOUT: Duration = Duration::from_secs(30);

/// What to run, and what to find out before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The program, looked for in `$PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Whether to ask the other host about its user, and how long each step may take.
    pub ident: Option<Duration>,
    /// Rules by the address of the client, and what becomes of it if there are none.
    pub rules: Option<(PathBuf, WithoutRules)>,
}

impl Request {
    /// Reads a whole command line; `None` if it names no program.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut options = Options::new(b"rRt:x:X", words);
        let (mut asks, mut timeout) = (true, USUAL_TIMEOUT);
        let (mut rules, mut without) = (None, WithoutRules::Refuse);
        loop {
            match options.next_option() {
                Ok(Some(Given::Letter(b'X'))) => without = WithoutRules::Serve,
                Ok(Some(Given::Letter(letter))) => asks = letter == b'r',
                Ok(Some(Given::Argument(b'x', file))) => {
                    rules = Some(OsString::from_vec(file).into());
                }
                Ok(Some(Given::Argument(_, seconds))) => {
                    timeout = Duration::from_secs(leading_number(&seconds).unwrap_or(0));
                }
                Ok(None) => break,
                // Quirk: options that do not exist are passed over, as they always were.
                Err(_) => {}
            }
        }
        let mut operands = options.operands().into_iter().map(OsString::from_vec);
        let program = operands.next()?;
        Some(Self {
            program,
            arguments: operands.collect(),
            ident: asks.then_some(timeout),
            rules: rules.map(|rules| (rules, without)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<Request> {
        Request::parse(["tcp-env"].iter().chain(words).map(OsString::from))
    }

    #[test]
    fn the_other_host_is_asked_unless_told_otherwise() {
        assert_eq!(parse(&["x"]).unwrap().ident, Some(Duration::from_secs(30)));
        assert_eq!(parse(&["-R", "x"]).unwrap().ident, None);
        assert_eq!(parse(&["-Rr", "-t5", "x"]).unwrap().ident, Some(Duration::from_secs(5)));
    }

    #[test]
    fn without_its_file_of_rules_nobody_is_served_unless_told_otherwise() {
        let rules = |words: &[&str]| parse(words).unwrap().rules;
        assert_eq!(rules(&["-R", "x"]), None);
        assert_eq!(rules(&["-xa.cdb", "x"]), Some(("a.cdb".into(), WithoutRules::Refuse)));
        assert_eq!(rules(&["-X", "-x", "b", "x"]), Some(("b".into(), WithoutRules::Serve)));
    }

    #[test]
    fn options_of_the_program_are_its_own() {
        let request = parse(&["-t", "7", "qmail-smtpd", "-R"]).unwrap();
        assert_eq!((request.program, request.arguments), ("qmail-smtpd".into(), vec!["-R".into()]));
    }

    #[test]
    fn unknown_options_are_passed_over_and_a_program_is_needed() {
        assert!(parse(&["-pyzR", "x"]).unwrap().ident.is_none());
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&["-t"]), None);
    }
}
