//! Running programs.

use std::ffi::OsString;
use std::io::{PipeReader, Read, Write, pipe};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, JoinHandle};

use crate::accounts::Identity;
use crate::conversation::Conversation;
use crate::sandbox::Sandbox;
use crate::wait;

/// A program and everything it is to be given.
pub struct Program<'tree> {
    sandbox: Option<&'tree Sandbox>,
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    identity: Option<Identity>,
    directory: Option<PathBuf>,
    redirections: String,
    input: Vec<u8>,
    output: Option<Stdio>,
    stdin: Option<Stdio>,
}

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to descriptor 1.
    pub output: Vec<u8>,
    /// What it wrote to descriptor 2.
    pub error_output: Vec<u8>,
    /// Its process number.
    pub pid: u32,
}

impl Finished {
    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    /// Standard output, then standard error, as text.
    #[must_use]
    pub fn said(&self) -> String {
        self.text() + &self.errors()
    }

    /// Standard error as text.
    #[must_use]
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.error_output).into_owned()
    }
}

impl<'tree> Program<'tree> {
    pub(crate) fn new(sandbox: Option<&'tree Sandbox>, home: &Path, path: PathBuf) -> Self {
        let search = format!("{}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", home.display());
        let mut environment = vec![("PATH".into(), search.into())];
        if sandbox.is_none() {
            environment.push(("QMAILHOME".into(), home.into()));
        }
        Self {
            sandbox,
            words: vec![path.into()],
            environment,
            identity: None,
            directory: None,
            redirections: String::new(),
            input: Vec::new(),
            output: None,
            stdin: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, word: impl Into<OsString>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<W: Into<OsString>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Sets a variable. Nothing but `PATH` is in the environment otherwise.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets variables.
    #[must_use]
    pub fn envs(self, variables: &[(&str, &str)]) -> Self {
        variables.iter().fold(self, |program, (name, value)| program.env(name, value))
    }

    /// The words of its command line, itself first.
    #[must_use]
    pub fn words(&self) -> &[OsString] {
        &self.words
    }

    /// Runs it as this user; in a single-user tree, as the caller all the same.
    #[must_use]
    pub fn run_as(mut self, identity: Identity) -> Self {
        self.identity = self.sandbox.is_some().then_some(identity);
        self
    }

    /// Runs it in this directory.
    #[must_use]
    pub fn in_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs it as the last argument of another program.
    pub(crate) fn behind<W: Into<OsString>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.splice(0..0, words.into_iter().map(Into::into));
        self
    }

    /// Runs it with so many kilobytes of memory.
    #[must_use]
    pub fn with_memory(self, kilobytes: u32) -> Self {
        let limit = format!("ulimit -v {kilobytes}; exec \"$@\"");
        self.behind(["/bin/sh", "-c", &limit, "sh"].map(OsString::from))
    }

    /// Opens and closes further descriptors, in the language of the shell: `3<file 0<&-`.
    #[must_use]
    pub fn redirected(mut self, redirections: &str) -> Self {
        self.redirections = redirections.to_owned();
        self
    }

    /// What it reads from descriptor 0.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Something else as descriptor 0.
    #[must_use]
    pub fn stdin_from(mut self, descriptor: impl Into<Stdio>) -> Self {
        self.stdin = Some(descriptor.into());
        self
    }

    /// Something else as descriptor 1; nothing of it is collected.
    #[must_use]
    pub fn stdout_to(mut self, descriptor: impl Into<Stdio>) -> Self {
        self.output = Some(descriptor.into());
        self
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(mut self) -> Finished {
        let input = std::mem::take(&mut self.input);
        let child = self.start_child();
        finish(child, input)
    }

    /// Starts it, to talk with over its descriptors 0 and 1.
    #[must_use]
    pub fn converse(self) -> Conversation {
        Conversation::with(self.start_child())
    }

    /// Starts it with nothing to read, and does not wait.
    ///
    /// Its standard error and what it writes to descriptor 1 come through one pipe.
    #[must_use]
    pub fn start(mut self) -> (Child, PipeReader) {
        let (reader, writer) = pipe().expect("a pipe");
        let errors = writer.try_clone().expect("a pipe");
        let child = self
            .command()
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .spawn()
            .expect("the program starts");
        (child, reader)
    }

    fn start_child(mut self) -> Child {
        let stdin = self.stdin.take().unwrap_or_else(Stdio::piped);
        let stdout = self.output.take().unwrap_or_else(Stdio::piped);
        self.command()
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    /// All words of the command line, and the environment.
    pub(crate) fn into_words(mut self) -> (Vec<OsString>, Vec<(OsString, OsString)>) {
        (self.command_line(), self.environment)
    }

    fn command(&mut self) -> Command {
        let words = self.command_line();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().envs(self.environment.iter().cloned());
        if let (None, Some(directory)) = (self.sandbox, &self.directory) {
            command.current_dir(directory);
        }
        command
    }

    fn command_line(&mut self) -> Vec<OsString> {
        let mut words = match self.sandbox {
            Some(sandbox) => sandbox.enter(self.identity, self.directory.as_deref()),
            None => Vec::new(),
        };
        if !self.redirections.is_empty() {
            let script = format!("exec \"$@\" {}", self.redirections);
            words.extend(["sh", "-c", &script, "sh"].map(Into::into));
        }
        words.append(&mut self.words);
        words
    }
}

fn finish(child: Child, input: Vec<u8>) -> Finished {
    let mut child = Guard(child);
    let output = collect(child.0.stdout.take());
    let errors = collect(child.0.stderr.take());
    if let Some(mut stdin) = child.0.stdin.take() {
        // A program may end without reading everything.
        background(move || drop(stdin.write_all(&input)));
    }
    let status = wait_for(&mut child.0);
    Finished {
        code: status.code(),
        signal: status.signal(),
        output: collected(&output, "standard output"),
        error_output: collected(&errors, "standard error"),
        pid: child.0.id(),
    }
}

/// A process that ends with the test, should the test fail.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Waits for the end of a process.
pub fn wait_for(child: &mut Child) -> ExitStatus {
    let pid = child.id();
    wait::until(&format!("the end of process {pid}"), || {
        child.try_wait().expect("the child is ours")
    })
}

pub(crate) fn background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    Builder::new().spawn(work).expect("a thread starts")
}

fn collect(source: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    background(move || {
        let mut all = Vec::new();
        let _ = source.map(|mut source| source.read_to_end(&mut all));
        let _ = sender.send(all);
    });
    receiver
}

/// All that came; whoever was started by the program may keep the pipe open, but not for ever.
fn collected(receiver: &Receiver<Vec<u8>>, what: &str) -> Vec<u8> {
    receiver
        .recv_timeout(wait::LIMIT)
        .unwrap_or_else(|_| panic!("{what} is still open after {:?}", wait::LIMIT))
}
