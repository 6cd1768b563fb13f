//! A tree without programs, and a qmail-send in it whose other processes the test plays.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use qmail_sys::{Child, Exit, Interest, Spawn, pipe, poll};
use qmail_wire::spawn::{Command, CommandParser, DeliveryNumber, Limit, Report, Verdict, Width};

const PROGRAM: &str = env!("CARGO_BIN_EXE_qmail-send");

/// Long enough for any machine; a test that passes never waits for it.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Tree {
    pub(crate) home: tempfile::TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for directory in ["control", "queue/todo", "queue/bounce", "queue/lock", "queued"] {
            fs::create_dir_all(home.path().join(directory)).unwrap();
        }
        for part in ["mess", "info", "local", "remote"] {
            for number in 0..2 {
                fs::create_dir_all(home.path().join(format!("queue/{part}/{number}"))).unwrap();
            }
        }
        let tree = Self { home };
        tree.write("queue/lock/sendmutex", b"");
        tree.write("control/me", b"here.example\n");
        let script = b"#!/bin/sh\n\
            cat > queued/message.$$\n\
            exec 3<&1\n\
            cat <&3 | tr '\\000' '\\n' > queued/envelope.$$\n";
        tree.write("queue-program", script);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(tree.path("queue-program"), mode).unwrap();
        tree
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        File::create(self.path(name)).unwrap().write_all(content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Puts a preprocessed message into the queue.
    pub(crate) fn put(&self, id: u64, sender: &str, local: &[&str], remote: &[&str]) {
        let part = id % 2;
        self.write(&format!("queue/mess/{part}/{id}"), b"Received: x\nSubject: y\n\nbody\n");
        self.write(&format!("queue/info/{part}/{id}"), format!("F{sender}\0").as_bytes());
        for (channel, recipients) in [("local", local), ("remote", remote)] {
            let records: String = recipients.iter().map(|one| format!("T{one}\0")).collect();
            if !records.is_empty() {
                self.write(&format!("queue/{channel}/{part}/{id}"), records.as_bytes());
            }
        }
    }

    /// What was given to the queue program by the process of this number.
    pub(crate) fn queued(&self, process: &str) -> (String, String) {
        let envelope = self.read(&format!("queued/envelope.{process}"));
        (self.read(&format!("queued/message.{process}")), envelope)
    }

    pub(crate) fn modified(&self, name: &str) -> u64 {
        let time = fs::metadata(self.path(name)).unwrap().modified().unwrap();
        time.duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    /// Makes a file older or younger.
    pub(crate) fn set_modified(&self, name: &str, seconds: u64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().write(true).open(self.path(name)).unwrap().set_modified(time).unwrap();
    }
}

pub(crate) struct Spawner {
    commands: File,
    width: Width,
    parser: CommandParser,
    waiting: Vec<Command>,
    reports: Option<File>,
}

impl Spawner {
    pub(crate) fn next(&mut self) -> Command {
        while self.waiting.is_empty() {
            let mut block = [0; 4096];
            wait(&self.commands);
            let length = self.commands.read(&mut block).unwrap();
            assert_ne!(length, 0, "qmail-send is gone");
            let commands = self.parser.push(&block[..length]);
            self.waiting.extend(commands.into_iter().map(Result::unwrap));
        }
        self.waiting.remove(0)
    }

    pub(crate) fn report(&mut self, delivery: DeliveryNumber, verdict: Verdict, text: &str) {
        let report = Report { delivery, verdict, text: text.as_bytes().to_vec() };
        self.say(&report.encode(self.width));
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.reports.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn die(&mut self) {
        self.reports = None;
    }
}

pub(crate) struct Running {
    child: Child,
    pub(crate) log: Log,
    pub(crate) local: Spawner,
    pub(crate) remote: Spawner,
    pub(crate) requests: File,
    pub(crate) replies: Option<File>,
    pub(crate) orders: File,
    pub(crate) news: Option<File>,
}

pub(crate) struct Log {
    pipe: File,
    seen: String,
    pub(crate) lines: Vec<String>,
}

impl Log {
    /// Reads on until a line is this one.
    pub(crate) fn wait_for(&mut self, line: &str) {
        while self.next() != line {}
    }

    /// The next line; panics at the end of the log.
    pub(crate) fn next(&mut self) -> String {
        loop {
            if let Some((line, rest)) = self.seen.split_once('\n') {
                let line = line.to_owned();
                self.seen = rest.to_owned();
                self.lines.push(line.clone());
                return line;
            }
            assert!(self.read(), "the log ended: {:#?}", self.lines);
        }
    }

    /// Reads once; whether that was not the end.
    fn read(&mut self) -> bool {
        let mut block = [0; 4096];
        wait(&self.pipe);
        let length = self.pipe.read(&mut block).unwrap();
        self.seen.push_str(std::str::from_utf8(&block[..length]).unwrap());
        length > 0
    }
}

impl Running {
    /// Starts qmail-send between spawners that can do ten deliveries each, up to its first status.
    pub(crate) fn start(tree: &Tree) -> Self {
        let mut running = Self::start_with(tree, &[10], &[10]);
        running.log.wait_for("status: local 0/10 remote 0/10");
        running
    }

    pub(crate) fn start_with(tree: &Tree, local: &[u8], remote: &[u8]) -> Self {
        Self::start_program(Spawn::new(PROGRAM), tree, local, remote)
    }

    /// As [`Self::start_with`], after a command of the shell, which may take something from it.
    pub(crate) fn start_after(command: &str, tree: &Tree, local: &[u8], remote: &[u8]) -> Self {
        let script = format!("{command}; exec \"$0\"");
        let shell = Spawn::new("/bin/sh").args(["-c", &script, PROGRAM]);
        Self::start_program(shell, tree, local, remote)
    }

    fn start_program(program: Spawn<'_>, tree: &Tree, local: &[u8], remote: &[u8]) -> Self {
        let (log, lspawn, rspawn) = (pipe().unwrap(), Two::new(), Two::new());
        let (clean, todo) = (Two::new(), Two::new());
        // Before it starts: one that refuses to is gone before it hears them.
        for (spawner, limit) in [(&lspawn, local), (&rspawn, remote)] {
            spawner.say(limit);
        }
        let pipes = [&lspawn, &rspawn, &clean, &todo];
        let mut spawn = program
            .env("QMAILHOME", tree.home.path().as_os_str().as_encoded_bytes())
            .env("QMAILQUEUE", b"./queue-program")
            .connect(0, log.write.as_fd());
        for (number, two) in (0_u8..).zip(pipes) {
            spawn = spawn
                .connect(1 + 2 * number, two.to.1.as_fd())
                .connect(2 + 2 * number, two.from.0.as_fd());
        }
        let child = spawn.start().unwrap();
        let log = Log { pipe: File::from(log.read), seen: String::new(), lines: Vec::new() };
        let (requests, replies) = clean.ours();
        let (orders, news) = todo.ours();
        let mut spawners = (lspawn.spawner(local), rspawn.spawner(remote));
        // One that cannot say what it can do is dead.
        if local.is_empty() {
            spawners.0.die();
        }
        let (local, remote) = spawners;
        let (replies, news) = (Some(replies), Some(news));
        Self { child, log, local, remote, requests, replies, orders, news }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let kill = std::process::Command::new("kill").args([signal, &pid]).status();
        assert!(kill.unwrap().success());
    }

    /// Answers the next request to qmail-clean.
    pub(crate) fn clean(&mut self, request: &str) {
        self.reply(request, b"+");
    }

    /// Answers the next request to qmail-clean in another way.
    pub(crate) fn reply(&mut self, request: &str, reply: &[u8]) {
        assert_eq!(self.request(), request);
        self.replies.as_mut().unwrap().write_all(reply).unwrap();
    }

    /// The next request to qmail-clean.
    pub(crate) fn request(&mut self) -> String {
        record(&mut self.requests)
    }

    /// The next order to qmail-todo.
    pub(crate) fn order(&mut self) -> u8 {
        let mut byte = [0];
        wait(&self.orders);
        self.orders.read_exact(&mut byte).unwrap();
        byte[0]
    }

    pub(crate) fn news(&mut self, bytes: &[u8]) {
        self.news.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Has it stop; the rest of the log.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal("-TERM");
        self.news(b"X\0");
        self.end().1
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> (Exit, Vec<String>) {
        let Self { child, mut log, .. } = self;
        while log.read() {}
        (child.wait().unwrap(), log.seen.lines().map(str::to_owned).collect())
    }
}

/// Two pipes: what qmail-send writes, and what it reads.
struct Two {
    to: (OwnedFd, OwnedFd),
    from: (OwnedFd, OwnedFd),
}

impl Two {
    fn new() -> Self {
        let (to, from) = (pipe().unwrap(), pipe().unwrap());
        Self { to: (to.read, to.write), from: (from.read, from.write) }
    }

    fn ours(self) -> (File, File) {
        (File::from(self.to.0), File::from(self.from.1))
    }

    fn say(&self, bytes: &[u8]) {
        let pipe = self.from.1.try_clone().unwrap();
        File::from(pipe).write_all(bytes).unwrap();
    }

    fn spawner(self, limit: &[u8]) -> Spawner {
        let (commands, reports) = self.ours();
        let (width, reports) = (Limit::parse(limit).unwrap_or(Limit::new(0)).width, Some(reports));
        let parser = CommandParser::new(width);
        Spawner { commands, width, parser, waiting: Vec::new(), reports }
    }
}

fn wait(pipe: &File) {
    assert!(poll(&mut [Interest::reading(pipe.as_fd())], Some(LIMIT)).unwrap(), "too long");
}

fn record(pipe: &mut File) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut byte = [0];
        wait(pipe);
        pipe.read_exact(&mut byte).unwrap();
        if byte == [0] {
            return String::from_utf8(bytes).unwrap();
        }
        bytes.extend(byte);
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Whether there is nothing in a directory.
pub(crate) fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().next().is_none()
}
