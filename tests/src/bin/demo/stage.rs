//! The tree, and qmail running in it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::sink::Sink;

use crate::failure::{Failure, Outcome, wait_until};
use crate::log::Log;
use crate::say::{say, step};

/// The domain whose mail we take.
pub(crate) const HERE: &str = "demo.test";
/// A domain that takes mail at our sink.
pub(crate) const ELSEWHERE: &str = "elsewhere.test";

/// A tree of our own, and a host elsewhere that takes mail.
pub(crate) struct Stage {
    home: PathBuf,
    programs: PathBuf,
    pub(crate) sink: Sink,
}

/// qmail-send and its helpers.
pub(crate) struct Running {
    send: Child,
    pub(crate) log: Log,
}

impl Stage {
    /// Makes a tree below `work` and sets it up.
    pub(crate) fn install(programs: &Path, work: &Path) -> Outcome<Self> {
        step("Install: a tree that is all yours");
        let home = work.join("qmail");
        let programs = fs::canonicalize(programs).map_err(Failure::because("no such programs"))?;
        say(format!("  $    QMAILHOME={} install", home.display()));
        let install = Command::new(programs.join("install")).env("QMAILHOME", &home).status();
        match install {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(Failure::new(format!("install: {status}"))),
            Err(error) => return Err(Failure::new(format!("cannot run install: {error}"))),
        }
        let socket = TcpListener::bind("127.0.0.1:0").map_err(Failure::because("cannot listen"))?;
        let sink = Sink::start(socket).map_err(Failure::because("cannot take mail"))?;
        let stage = Self { home, programs, sink };
        stage.set_up()?;
        Ok(stage)
    }

    fn set_up(&self) -> Outcome<()> {
        let route = format!("{ELSEWHERE}:127.0.0.1:{}", self.sink.address().port());
        self.write("control/me", HERE)?;
        self.write("control/rcpthosts", HERE)?;
        self.write("control/smtproutes", &route)?;
        self.write("alias/.qmail-alice", "./alice/")?;
        self.write("alias/.qmail-bob", "./bob/")?;
        ["alice", "bob"].iter().try_for_each(|user| self.make_maildir(user))
    }

    fn write(&self, name: &str, line: &str) -> Outcome<()> {
        say(format!("  {name:<20} {line}"));
        File::create(self.home.join(name))
            .and_then(|mut file| writeln!(file, "{line}"))
            .map_err(Failure::because(format!("cannot write {name}")))
    }

    fn make_maildir(&self, user: &str) -> Outcome<()> {
        let path = self.maildir(user).path().to_owned();
        let parts = [path.clone(), path.join("tmp"), path.join("new"), path.join("cur")];
        let mut make = DirBuilder::new();
        make.mode(0o700);
        let made = parts.iter().try_for_each(|part| make.create(part));
        made.map_err(Failure::because(format!("cannot make {}", path.display())))
    }

    /// Where a user's mail goes.
    pub(crate) fn maildir(&self, user: &str) -> Maildir {
        Maildir::at(self.home.join("alias").join(user))
    }

    /// A program of the tree.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.home.join("bin").join(name)
    }

    /// A program that was built, and is not part of a tree.
    pub(crate) fn stand_in(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// What programs of the tree need to know.
    pub(crate) fn environment(&self) -> [(&'static str, OsString); 2] {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let mut search = self.home.join("bin").into_os_string();
        search.push(":");
        search.push(path);
        [("QMAILHOME", self.home.clone().into()), ("PATH", search)]
    }

    /// A program of the tree that is not yet started.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        command.env_clear().envs(self.environment());
        command
    }

    /// Starts qmail.
    pub(crate) fn start(&self) -> Outcome<Running> {
        step("Start");
        say("  $    qmail-start ./Maildir/");
        let mut send = self
            .command("qmail-start")
            .arg("./Maildir/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::because("cannot run qmail-start"))?;
        let output = send.stdout.take().ok_or_else(|| Failure::new("qmail-start has no output"))?;
        let mut running = Running { send, log: Log::follow(output)? };
        running.wait_until_it_runs()?;
        Ok(running)
    }

    /// Whether no message was forgotten.
    pub(crate) fn queue_is_empty(&self) -> Outcome<()> {
        let parts = fs::read_dir(self.home.join("queue/mess")).into_iter().flatten().flatten();
        let files = parts.flat_map(|part| fs::read_dir(part.path()).into_iter().flatten());
        match files.count() {
            0 => Ok(()),
            count => Err(Failure::new(format!("{count} messages are left in the queue"))),
        }
    }
}

impl Running {
    fn wait_until_it_runs(&mut self) -> Outcome<()> {
        wait_until("a first line in the log", || {
            let has_ended = self.send.try_wait().is_ok_and(|status| status.is_some());
            (has_ended || self.log.len() > 0).then_some(())
        })?;
        if let Ok(Some(status)) = self.send.try_wait() {
            return Err(Failure::new(format!("qmail did not start: {status}")));
        }
        self.log.since(0).iter().for_each(|line| say(format!("  log  {line}")));
        for (pid, name) in self.processes() {
            say(format!("  ps   {pid:>7} {name}"));
        }
        Ok(())
    }

    /// qmail-send and its children, where the kernel lists them.
    fn processes(&self) -> Vec<(String, String)> {
        let own = self.send.id().to_string();
        let listed = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
        let children = listed.unwrap_or_default();
        let name = |pid: &str| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            Some((pid.to_owned(), name.trim_end().to_owned()))
        };
        std::iter::once(own.as_str()).chain(children.split_whitespace()).filter_map(name).collect()
    }

    /// Has qmail stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> Outcome<()> {
        step("Stop");
        let start = self.log.len();
        say(format!("  $    kill -TERM {}", self.send.id()));
        self.signal(Signal::SIGTERM);
        let end = wait_until("the end of qmail-send", || self.send.try_wait().ok().flatten())?;
        if !end.success() {
            return Err(Failure::new(format!("qmail-send: {end}")));
        }
        self.log.wait_for(start, "status: exiting", 1)?;
        self.log.since(start).iter().for_each(|line| say(format!("  log  {line}")));
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.send.id()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Running {
    /// Nothing is left running, whatever went wrong: the others end when qmail-send is gone.
    fn drop(&mut self) {
        if self.send.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.send.kill();
            let _ = self.send.wait();
        }
    }
}
