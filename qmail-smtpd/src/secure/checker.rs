//! The program that checks passwords.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use qmail_sys::{Child, Exit, FailureCodes, Interest, Spawn, pipe, poll};
use qmail_wire::smtp_server::Reply;

use super::arguments::Checker;
use super::replies;
use crate::variables::Variables;

/// Where it reads who wants to log in.
const CREDENTIALS: u8 = 3;
/// It tries again later.
const TEMPORARY: u8 = 111;
/// How long it may think.
const PATIENCE: Duration = Duration::from_secs(120);

impl Checker {
    /// Whether `request`, three strings with their NULs, is right.
    ///
    /// # Errors
    /// If that cannot be found out: what to say.
    pub(super) fn accepts(&self, request: &[u8], variables: &Variables) -> Result<bool, Reply> {
        self.accepts_within(PATIENCE, request, variables)
    }

    fn accepts_within(
        &self,
        patience: Duration,
        request: &[u8],
        variables: &Variables,
    ) -> Result<bool, Reply> {
        let pipe = pipe().map_err(|_| replies::NO_PIPE)?;
        let child = self.start(&pipe.read, variables).map_err(|_| replies::NO_CHILD)?;
        drop(pipe.read);
        let written = File::from(pipe.write).write_all(request);
        let exit = wait(child, patience).map_err(|_| replies::CHECKER_FAILED)?;
        match exit {
            // What has not read the password cannot have judged it.
            Exit::Code(0) if written.is_err() => Err(replies::NOT_WRITTEN),
            Exit::Code(0) => Ok(true),
            Exit::Code(TEMPORARY) | Exit::Signal(_) => Err(replies::CHECKER_FAILED),
            Exit::Code(_) => Ok(false),
        }
    }

    /// The client is none of its business: it may say what it likes, and nobody hears it.
    fn start(&self, credentials: &impl AsFd, variables: &Variables) -> io::Result<Child> {
        let nothing = File::options().read(true).write(true).open("/dev/null")?;
        let spawn = Spawn::search(&self.program)
            .args(&self.arguments)
            .connect(0, nothing.as_fd())
            .connect(1, nothing.as_fd())
            .connect(CREDENTIALS, credentials.as_fd())
            .failing_with(FailureCodes::all(TEMPORARY));
        variables.prepare(spawn).start()
    }
}

/// How it ended. One that does not end is left alone: it may be root's.
fn wait(child: Child, patience: Duration) -> io::Result<Exit> {
    // An old kernel cannot say.
    if let Ok(ended) = child.ended()
        && !poll(&mut [Interest::reading(ended.as_fd())], Some(patience))?
    {
        child.kill()?;
    }
    child.wait()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(script: &str, request: &[u8]) -> Result<bool, Reply> {
        verdict_within(PATIENCE, script, request)
    }

    fn verdict_within(patience: Duration, script: &str, request: &[u8]) -> Result<bool, Reply> {
        let checker =
            Checker { program: "sh".into(), arguments: ["-c", script].map(Into::into).to_vec() };
        checker.accepts_within(patience, request, &Variables::none())
    }

    #[test]
    fn the_exit_code_is_the_verdict() {
        let failed = || Err(replies::CHECKER_FAILED);
        let table = [
            ("test \"$(tr '\\0' '|' <&3)\" = 'joe|secret||'", Ok(true)),
            ("cat <&3 >/dev/null; exit 1", Ok(false)),
            ("cat <&3 >/dev/null; exit 2", Ok(false)),
            ("cat <&3 >/dev/null; exit 111", failed()),
            ("cat <&3 >/dev/null; kill -9 $$", failed()),
        ];
        for (script, expected) in table {
            assert_eq!(verdict(script, b"joe\0secret\0\0"), expected, "{script}");
        }
    }

    #[test]
    fn one_that_does_not_end_is_not_waited_for() {
        let verdict = verdict_within(
            Duration::ZERO,
            "cat <&3 >/dev/null; exec sleep 600",
            b"joe\0secret\0\0",
        );
        assert_eq!(verdict, Err(replies::CHECKER_FAILED));
    }

    #[test]
    fn a_checker_that_is_not_there_is_no_wrong_password() {
        let checker = Checker { program: "/nonexistent/check".into(), arguments: Vec::new() };
        let verdict = checker.accepts(b"joe\0secret\0\0", &Variables::none());
        assert_eq!(verdict, Err(replies::CHECKER_FAILED));
    }

    #[test]
    fn one_that_does_not_read_has_judged_nothing() {
        assert_eq!(verdict("exit 0", &vec![b'x'; 1 << 20]), Err(replies::NOT_WRITTEN));
    }
}
