//! A site under load: mail comes in through tcpserver and goes to a Maildir and to smtp-sink.

use std::collections::HashMap;
use std::fs;
use std::io::{PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use qmail_conformance::log::Running;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::process::Program;
use qmail_conformance::{Need, Tree, files};

/// For some thousand messages on a slow machine; the tests wait for events, not for this.
const LIMIT: Duration = Duration::from_secs(400);

/// How often to look at the queue.
const GLANCE: Duration = Duration::from_millis(100);

/// Where the site takes mail.
pub(crate) const SERVER: &str = "127.0.0.1:2525";

/// Where it relays to.
const RELAY: &str = "127.0.0.1:2526";

/// How often each message is in one place, by its Message-Id.
pub(crate) type Copies = HashMap<String, usize>;

/// A tree that takes mail for `box@mix.example` to a Maildir and relays all other mail of that
/// domain to a sink, with a server for both.
pub(crate) struct Site {
    pub(crate) tree: Tree,
    local: Maildir,
    sink: PathBuf,
    servers: Vec<(Child, PipeReader)>,
}

/// A client that sends mail, and what it says.
pub(crate) struct Source(Child, PipeReader);

impl Site {
    /// None where something that it needs is missing.
    pub(crate) fn new() -> Option<Self> {
        let tree = Tree::under_test();
        let needs = ["tcpserver", "smtp-source", "smtp-sink"].map(Need::Tool);
        if tree.lacks(Need::Root) || needs.into_iter().any(|need| tree.lacks(need)) {
            return None;
        }
        tree.control("rcpthosts", "mix.example\n");
        tree.control("virtualdomains", "box@mix.example:joe\n");
        tree.control("smtproutes", format!(":{RELAY}\n"));
        let joe = tree.user("joe");
        let local = joe.make_maildir("box");
        joe.instruct("-box", "./box/\n");
        let sink = tree.scratch().join("sink");
        fs::create_dir(&sink).expect("the scratch directory has room");
        files::set_mode(&sink, 0o777);
        let mut site = Self { tree, local, sink, servers: Vec::new() };
        let servers = [site.server(), site.relay()].map(Program::start);
        site.servers.extend(servers);
        for address in [SERVER, RELAY] {
            let is_open = || std::net::TcpStream::connect(address).is_ok();
            until(address, || site.tree.within_network(is_open));
        }
        Some(site)
    }

    fn server(&self) -> Program<'_> {
        let daemon = self.tree.accounts().qmaild;
        self.tree
            .command("tcpserver")
            .args(["-H", "-R", "-l", "test.example", "-c", "40"])
            .args(["-u", &daemon.uid.to_string(), "-g", &daemon.gid.to_string()])
            .args(["127.0.0.1", "2525"])
            .arg(self.tree.home().join("bin/qmail-smtpd"))
    }

    fn relay(&self) -> Program<'_> {
        let program = self.tree.command("smtp-sink").in_directory(&self.sink);
        program.args(["-u", "nobody", "-d", "%M.", RELAY, "100"])
    }

    /// Starts a client that sends so many messages, ten at a time, to one local and one remote
    /// recipient each.
    pub(crate) fn send(&self, messages: usize) -> Source {
        let program = self.tree.command("smtp-source").args(["-s", "10", "-r", "2"]);
        let program = program.args(["-m", &messages.to_string(), "-f", "sender@elsewhere.example"]);
        let (child, output) = program.args(["-t", "box@mix.example", SERVER]).start();
        Source(child, output)
    }

    /// Waits until every message is delivered, however often that must be tried; what a crash may
    /// leave behind in the queue is left there (queue.md, states S2 and S3).
    pub(crate) fn settle(&self, running: &Running) {
        let parts = ["todo", "info", "local", "remote", "bounce"];
        let mut nudge = Nudge::of(running);
        until("the last delivery", || {
            nudge.now_and_then();
            parts.iter().all(|part| self.tree.queue_files(part).is_empty())
        });
    }

    /// Waits until nothing at all is in the queue.
    pub(crate) fn drain(&self) {
        until("an empty queue", || self.tree.queue_is_empty());
    }

    /// Ends every process of this name that runs now; how many there were.
    pub(crate) fn kill(&self, name: &str) -> usize {
        let found = self.tree.processes_named(name);
        found.into_iter().filter(|process| kill(*process, Signal::SIGKILL).is_ok()).count()
    }

    /// What arrived in the Maildir, and what at the relay.
    pub(crate) fn arrived(&self) -> [Copies; 2] {
        [self.local.path().join("new"), self.sink.clone()].map(|place| {
            let mut seen = Copies::new();
            for name in files::names(&place) {
                if let Some(id) = message_id(&place.join(name)) {
                    *seen.entry(id).or_default() += 1;
                }
            }
            seen
        })
    }
}

/// Has everything tried again each second, which would have to wait otherwise.
pub(crate) struct Nudge<'r> {
    running: &'r Running,
    last: Instant,
}

impl<'r> Nudge<'r> {
    /// To a running tree.
    pub(crate) fn of(running: &'r Running) -> Self {
        // Before that, the signal would meet qmail-start, and end it.
        running.wait_for("status: ");
        Self { running, last: Instant::now() }
    }

    pub(crate) fn now_and_then(&mut self) {
        if self.last.elapsed() > Duration::from_secs(1) {
            self.last = Instant::now();
            self.running.signal(Signal::SIGALRM);
        }
    }
}

impl Source {
    /// Waits until everything was taken.
    pub(crate) fn finish(mut self) {
        let mut status = None;
        until("the client's end", || {
            status = self.0.try_wait().expect("the client is ours");
            status.is_some()
        });
        let mut said = String::new();
        let _ = self.1.read_to_string(&mut said);
        assert!(status.is_some_and(|status| status.success()), "the client failed: {said}");
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for (server, _) in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Waits, up to [`LIMIT`].
pub(crate) fn until(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < LIMIT, "waited {LIMIT:?} in vain for {what}");
        sleep(GLANCE);
    }
}

/// The name of a message; none of one that ends before its body, because its sender did.
fn message_id(file: &Path) -> Option<String> {
    let text = String::from_utf8_lossy(&files::read(file)).into_owned();
    let (header, body) = text.split_once("\n\n")?;
    let line = header.lines().find(|line| line.starts_with("Message-Id: "))?;
    (!body.is_empty()).then(|| line.to_owned())
}
