//! One mail system at work, in a world of its own.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use qmail_conformance::maildir::Maildir;
use qmail_conformance::process::wait_for;
use qmail_conformance::{Tree, files};

use crate::meter::{Costs, Group, Window};
use crate::tracer::Tracer;

/// Where every system takes mail.
pub(crate) const SERVER: &str = "127.0.0.1:2525";

/// Where every system sends mail for others.
pub(crate) const SINK: &str = "127.0.0.20:2526";

/// Who has a Maildir.
pub(crate) const LOCAL: &str = "joe@test.example";

/// Who is at the sink.
pub(crate) const REMOTE: &str = "them@remote.example";

/// Longer than any system needs for anything: then it is lost.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);

/// Runs a program as one of those that are counted.
const ENTER: &str = "echo $$ > \"$1\"; shift; exec \"$@\"";

/// A tree's world: a network, accounts, and a user with a Maildir.
pub(crate) struct Site {
    daemons: RefCell<Vec<Child>>,
    // Before the group, which has to be empty to go.
    tree: Tree,
    group: Group,
    maildir: Maildir,
    counts: bool,
}

impl Site {
    /// A world around a tree. With `counts`, system calls are counted, and everything is slow.
    pub(crate) fn new(tree: Tree, counts: bool) -> Self {
        let maildir = tree.user("joe").make_maildir("Maildir");
        Self { daemons: RefCell::default(), group: Group::new(), maildir, tree, counts }
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(crate) fn maildir(&self) -> &Path {
        self.maildir.path()
    }

    /// Starts a daemon, whose output is logged.
    pub(crate) fn start(&self, words: &[OsString], variables: &[(&str, OsString)]) {
        let child = self.logged(words, variables);
        self.daemons.borrow_mut().push(child);
    }

    /// Starts a daemon, and waits until it takes mail.
    pub(crate) fn serve(
        &self,
        words: &[OsString],
        variables: &[(&str, OsString)],
    ) -> io::Result<()> {
        self.start(words, variables);
        let begin = Instant::now();
        loop {
            let try_it = || TcpStream::connect(SERVER).and_then(|stream| greeted(&stream));
            match self.tree.within_network(try_it) {
                Ok(()) => return Ok(()),
                Err(_) if begin.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => {
                    return Err(io::Error::other(format!("{SERVER}: {error}\n{}", self.said())));
                }
            }
        }
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, words: &[OsString], variables: &[(&str, OsString)]) -> io::Result<()> {
        let mut all: Vec<OsString> = Vec::new();
        if self.counts {
            all.extend(Tracer::words(&self.traces()).into_iter().map(OsString::from));
        }
        all.extend_from_slice(words);
        // However long it takes, and whatever it leaves running.
        let status = self.logged(&all, variables).wait()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("{words:?}: {status}\n{}", self.said())))
    }

    /// Ends all daemons, at once.
    pub(crate) fn stop(&self) {
        self.tree.end_processes();
        for mut child in self.daemons.borrow_mut().drain(..) {
            let _ = wait_for(&mut child);
        }
    }

    /// Begins to measure.
    pub(crate) fn open(&self) -> io::Result<Window> {
        let tracer = || Tracer::attach(&self.traces(), &self.tree.processes());
        Ok(self.group.open(self.counts.then(tracer).transpose()?))
    }

    /// Ends it.
    pub(crate) fn close(&self, window: Window) -> io::Result<Costs> {
        self.group.close(window)
    }

    fn traces(&self) -> PathBuf {
        let directory = self.tree.scratch().join("traces");
        let _ = fs::create_dir(&directory);
        directory
    }

    /// Starts a program as one of those that are counted.
    fn logged(&self, words: &[OsString], variables: &[(&str, OsString)]) -> Child {
        let program = self.tree.command("/bin/sh").args(["-c", ENTER, "sh"]);
        let program = program.arg(self.group.entrance()).args(words.iter().cloned());
        let program =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        let log = self.log();
        program.redirected(&format!(">> '{}' 2>&1", log.display())).start().0
    }

    /// Where everything that a program says goes.
    fn log(&self) -> PathBuf {
        self.tree.scratch().join("log-of-all")
    }

    fn said(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        let end = log.get(log.len().saturating_sub(2000)..).unwrap_or_default();
        String::from_utf8_lossy(end).into_owned()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits for the first byte of a greeting, and says good-bye.
fn greeted(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    if stream.peek(&mut [0])? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    io::Write::write_all(&mut { stream }, b"QUIT\r\n")?;
    io::copy(&mut { stream }, &mut io::sink())?;
    stream.shutdown(Shutdown::Both).or(Ok(()))
}

/// The words of a command.
pub(crate) fn words<W: Into<OsString>>(words: impl IntoIterator<Item = W>) -> Vec<OsString> {
    words.into_iter().map(Into::into).collect()
}

/// A directory of this owner below another.
pub(crate) fn directory(
    parent: &Path,
    name: &str,
    owner: (u32, u32),
    mode: u32,
) -> io::Result<PathBuf> {
    let path = parent.join(name);
    fs::create_dir(&path)?;
    files::set_mode(&path, mode);
    std::os::unix::fs::chown(&path, Some(owner.0), Some(owner.1))?;
    Ok(path)
}
