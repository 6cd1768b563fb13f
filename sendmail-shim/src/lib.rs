//! The sendmail command line, turned into that of qmail's own programs.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod environment;
mod failure;
mod options;

use std::ffi::OsString;
use std::path::Path;

use qmail_core::options::Options;
use qmail_sys::Spawn;

pub use failure::Failure;

use environment::Change;
use options::{LETTERS, Request};

/// The program that does what was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    program: &'static str,
    arguments: Vec<Vec<u8>>,
    changes: Vec<Change>,
}

/// Becomes the program that does what the command line asks for; comes back only if that fails.
/// `has_variable` tells which environment variables are set.
pub fn run(words: Vec<OsString>, has_variable: impl Fn(&str) -> bool, home: &Path) -> Failure {
    if std::env::set_current_dir(home).is_err() {
        return Failure::Home;
    }
    match Request::parse(Options::new(LETTERS, words)).map(|request| plan(request, has_variable)) {
        Ok(plan) => become_program(plan),
        Err(failure) => failure,
    }
}

fn plan(request: Request, has_variable: impl Fn(&str) -> bool) -> Plan {
    match request {
        Request::ListQueue => {
            Plan { program: "qmail-qread", arguments: Vec::new(), changes: Vec::new() }
        }
        Request::Serve => {
            let is_set_up = has_variable("PROTO");
            let changes = if is_set_up { Vec::new() } else { environment::local_client() };
            Plan { program: "qmail-smtpd", arguments: Vec::new(), changes }
        }
        Request::Send { sender, name, header_recipients, recipients } => {
            let changes = environment::author(sender.as_deref(), name);
            let mut arguments =
                vec![if header_recipients { b"-H".to_vec() } else { b"-a".to_vec() }];
            arguments.extend(sender.map(|sender| [b"-f".to_vec(), sender]).into_iter().flatten());
            arguments.push(b"--".to_vec());
            arguments.extend(recipients);
            Plan { program: "qmail-inject", arguments, changes }
        }
    }
}

fn become_program(plan: Plan) -> Failure {
    let mut spawn = Spawn::new(Path::new("bin").join(plan.program));
    for argument in &plan.arguments {
        spawn = spawn.arg_bytes(argument);
    }
    for (name, value) in &plan.changes {
        spawn = match value {
            Some(value) => spawn.env(name, value),
            None => spawn.env_remove(name),
        };
    }
    match spawn.replace() {
        Ok(never) => match never {},
        Err(_) => Failure::Program(plan.program),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(words: &[&str], has_variable: bool) -> Plan {
        let options = Options::new(LETTERS, words.iter().copied().map(Into::into));
        plan(Request::parse(options).unwrap(), |_| has_variable)
    }

    fn arguments(words: &[&str]) -> Vec<String> {
        let plan = planned(words, false);
        assert_eq!(plan.program, "qmail-inject");
        plan.arguments.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }

    #[test]
    fn recipients_stand_behind_all_options() {
        assert_eq!(arguments(&["sendmail", "-i", "joe", "-x"]), ["-a", "--", "joe", "-x"]);
        assert_eq!(arguments(&["sendmail", "-t"]), ["-H", "--"]);
        let expected = ["-H", "-f", "-x@y", "--", "joe"];
        assert_eq!(arguments(&["sendmail", "-oi", "-tf", "-x@y", "joe"]), expected);
        assert_eq!(arguments(&["sendmail", "-f", "<>", "joe"]), ["-a", "-f", "", "--", "joe"]);
    }

    #[test]
    fn a_server_that_knows_its_client_is_told_nothing() {
        let plan = planned(&["sendmail", "-bs"], true);
        assert_eq!((plan.program, plan.changes.len()), ("qmail-smtpd", 0));
        assert_eq!(planned(&["sendmail", "-bs"], false).changes, environment::local_client());
    }

    #[test]
    fn the_queue_is_listed_for_the_option_and_for_the_name() {
        assert_eq!(planned(&["sendmail", "-bp"], false).program, "qmail-qread");
        assert_eq!(planned(&["/usr/bin/mailq", "-v"], false).program, "qmail-qread");
    }
}
