//! The subprogram, which judges and, if it says yes, becomes the rest of the session.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use qmail_sys::{Exit, FailureCodes, Spawn, pipe};

use crate::connection::Connection;
use crate::credentials::Credentials;
use crate::replies;

/// Where the subprogram reads who wants to log in.
const CREDENTIALS: u8 = 3;
/// What qmail-pop3d exits with when a message broke off: the client waits for the rest of it, and
/// must not take a line of ours for that.
const BROKE_OFF: u8 = 74;

/// What the subprogram is given.
#[derive(Debug)]
pub struct Login {
    /// Looked for in `$PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What an APOP digest is made with.
    pub challenge: Vec<u8>,
}

/// A challenge that no other session has: our process, the time, and the host.
pub fn challenge(process: u32, seconds: u64, host: &OsStr) -> Vec<u8> {
    [format!("<{process}.{seconds}@").as_bytes(), host.as_bytes(), b">"].concat()
}

impl Login {
    /// Runs the subprogram to its end. Returns what is left to be said.
    pub fn attempt(&self, client: &Connection, credentials: &Credentials) -> Option<&'static str> {
        let Ok(pipe) = pipe() else { return Some(replies::NO_PIPE) };
        let started = Spawn::search(&self.program)
            .args(&self.arguments)
            .connect(0, client.input.as_fd())
            .connect(1, client.output.as_fd())
            .connect(CREDENTIALS, pipe.read.as_fd())
            .failing_with(FailureCodes::all(1))
            .start();
        let Ok(child) = started else { return Some(replies::NO_FORK) };
        drop(pipe.read);
        let mut writer = File::from(pipe.write);
        let written = writer.write_all(credentials.with_challenge(&self.challenge).as_ref());
        drop(writer);
        match child.wait() {
            // What has not read the password cannot have judged it.
            Ok(Exit::Code(0)) if written.is_err() => Some(replies::NOT_WRITTEN),
            Ok(Exit::Code(0 | BROKE_OFF)) => None,
            Ok(Exit::Code(_)) => Some(replies::FAILED),
            Ok(Exit::Signal(_)) | Err(_) => Some(replies::CRASHED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::pipes;
    use std::io::Read;

    /// What `script` prints as a subprogram, and what is left to be said.
    fn attempt(script: &str, name: &[u8]) -> (String, Option<&'static str>) {
        let (client, to, mut from) = pipes();
        drop(to);
        let login = Login {
            program: "sh".into(),
            arguments: ["-c", script].map(OsString::from).to_vec(),
            challenge: challenge(7, 8, OsStr::new("here.example")),
        };
        let left = login.attempt(&client, &Credentials::new(name, b"pass word"));
        drop(client);
        let mut printed = String::new();
        from.read_to_string(&mut printed).unwrap();
        (printed, left)
    }

    #[test]
    fn the_subprogram_reads_who_wants_to_log_in() {
        let (printed, left) = attempt("cat <&3 | tr '\\0' '|'", b"joe");
        assert_eq!((printed.as_str(), left), ("joe|pass word|<7.8@here.example>|", None));
    }

    #[test]
    fn its_verdict_is_told() {
        for (script, reply) in [
            ("cat <&3; exit 0", None),
            ("cat <&3; exit 1", Some(replies::FAILED)),
            ("cat <&3; exit 2", Some(replies::FAILED)),
            ("cat <&3; exit 111", Some(replies::FAILED)),
            ("cat <&3; exit 74", None),
            ("cat <&3; kill -9 $$", Some(replies::CRASHED)),
        ] {
            assert_eq!(attempt(script, b"joe").1, reply, "{script}");
        }
    }

    #[test]
    fn a_name_that_no_pipe_holds_does_not_hang() {
        // It is gone before it has read everything.
        let left = attempt("exit 0", &vec![b'x'; 1 << 20]).1;
        assert_eq!(left, Some(replies::NOT_WRITTEN));
    }

    #[test]
    fn a_missing_subprogram_is_a_failure() {
        let login = Login {
            program: "/nonexistent/checkpassword".into(),
            arguments: Vec::new(),
            challenge: Vec::new(),
        };
        let left = login.attempt(&pipes().0, &Credentials::new(b"joe", b"x"));
        assert_eq!(left, Some(replies::FAILED));
    }
}
