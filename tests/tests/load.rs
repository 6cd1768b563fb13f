//! Many messages at once, from a client and to a server that we did not write; and daemons that die
//! in the middle of them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use qmail_conformance::log::Running;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::{Need, Tree, files};

/// For some thousand messages on a slow machine; the tests wait for events, not for this.
const LIMIT: Duration = Duration::from_secs(600);

/// A tree that takes mail for `box@mix.example` to a Maildir and relays all other mail of that
/// domain to a sink, with a client for both.
struct Site {
    tree: Tree,
    local: Maildir,
    sink: std::path::PathBuf,
    servers: Vec<Child>,
}

impl Site {
    fn new() -> Option<Self> {
        let tree = Tree::under_test();
        for tool in ["tcpserver", "smtp-source", "smtp-sink"] {
            if tree.lacks(Need::Tool(tool)) {
                return None;
            }
        }
        if tree.lacks(Need::Root) {
            return None;
        }
        tree.control("rcpthosts", "mix.example\n");
        tree.control("virtualdomains", "box@mix.example:joe\n");
        tree.control("smtproutes", ":127.0.0.1:2526\n");
        let joe = tree.user("joe");
        let local = joe.make_maildir("box");
        joe.instruct("-box", "./box/\n");
        let sink = tree.scratch().join("sink");
        fs::create_dir(&sink).expect("the scratch directory has room");
        files::set_mode(&sink, 0o777);
        let mut site = Self { tree, local, sink, servers: Vec::new() };
        site.serve();
        Some(site)
    }

    /// Starts tcpserver before qmail-smtpd, and the sink behind qmail-remote.
    fn serve(&mut self) {
        let daemon = self.tree.accounts().qmaild;
        let smtpd = self.tree.home().join("bin/qmail-smtpd");
        let server = self
            .tree
            .command("tcpserver")
            .args(["-H", "-R", "-l", "test.example", "-c", "40"])
            .args(["-u", &daemon.uid.to_string(), "-g", &daemon.gid.to_string()])
            .args(["127.0.0.1", "2525"])
            .arg(smtpd);
        let sink = self
            .tree
            .command("smtp-sink")
            .args(["-u", "nobody", "-d", "%M.", "127.0.0.1:2526", "100"])
            .in_directory(&self.sink);
        for program in [server, sink] {
            self.servers.push(program.start().0);
        }
        for address in ["127.0.0.1:2525", "127.0.0.1:2526"] {
            wait("a server", || self.tree.within_network(|| is_open(address)));
        }
    }

    /// Starts a client that sends so many messages, ten at a time, to one local and one remote
    /// recipient each.
    fn send(&self, messages: usize) -> Child {
        self.tree
            .command("smtp-source")
            .args(["-s", "10", "-m", &messages.to_string(), "-r", "2"])
            .args(["-f", "sender@elsewhere.example", "-t", "box@mix.example"])
            .arg("127.0.0.1:2525")
            .start()
            .0
    }

    /// Waits until the client has handed over everything and the queue has let go of it.
    fn drain(&self, mut client: Child) {
        let mut status = None;
        wait("the client's end", || {
            status = client.try_wait().expect("the client is ours");
            status.is_some()
        });
        assert!(status.is_some_and(|status| status.success()), "the client failed: {status:?}");
        wait("an empty queue", || self.tree.queue_is_empty());
    }

    /// How often each message arrived: in the Maildir, and in the sink.
    fn arrived(&self) -> [HashMap<String, usize>; 2] {
        [self.local.path().join("new"), self.sink.clone()].map(|place| {
            let mut seen = HashMap::new();
            for name in files::names(&place) {
                *seen.entry(message_id(&place.join(name))).or_default() += 1;
            }
            seen
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

#[test]
fn two_thousand_messages_arrive_exactly_once() {
    let Some(site) = Site::new() else { return };
    let running = site.tree.start();
    let client = site.send(2000);
    site.drain(client);
    for arrived in site.arrived() {
        assert_eq!(arrived.len(), 2000);
        assert!(arrived.values().all(|count| *count == 1));
    }
    let log = running.stop();
    let successes = log.iter().filter(|line| line.contains(": success: ")).count();
    let ended = log.iter().filter(|line| line.starts_with("end msg ")).count();
    assert_eq!((successes, ended), (4000, 2000));
}

#[test]
fn nothing_is_lost_when_qmail_send_is_killed() {
    nothing_is_lost_when("qmail-send");
}

#[test]
fn nothing_is_lost_when_qmail_todo_is_killed() {
    nothing_is_lost_when("qmail-todo");
}

#[test]
fn nothing_is_lost_when_qmail_clean_is_killed() {
    nothing_is_lost_when("qmail-clean");
}

#[test]
fn nothing_is_lost_when_qmail_lspawn_is_killed() {
    nothing_is_lost_when("qmail-lspawn");
}

#[test]
fn nothing_is_lost_when_qmail_rspawn_is_killed() {
    nothing_is_lost_when("qmail-rspawn");
}

/// Kills a daemon while mail flows, starts qmail again, and looks for every message: queue.md says
/// that deliveries which had not been recorded may be repeated, and nothing else may happen.
fn nothing_is_lost_when(victim: &'static str) {
    const MESSAGES: usize = 300;
    let Some(site) = Site::new() else { return };
    if site.tree.lacks(Need::Program(victim)) {
        return;
    }
    let mut running = site.tree.start();
    let client = site.send(MESSAGES);
    let _ = running.wait_for_several(": success: ", MESSAGES / 4);
    for process in processes_of(&running, victim) {
        kill(process, Signal::SIGKILL).expect("the daemon is there");
    }
    // Whichever daemon dies, qmail-send ends too, so that a supervisor starts all of them anew.
    let _ = running.wait();
    let log = running.lines();
    // One more may have been logged, and not yet recorded.
    let repeated = started(&log) - finished(&log);
    let running = site.tree.start();
    site.drain(client);
    for arrived in site.arrived() {
        assert_eq!(arrived.len(), MESSAGES, "{victim}");
        let copies: usize = arrived.values().sum();
        assert!(
            copies <= MESSAGES + repeated + 1,
            "{victim}: {copies} copies, {repeated} unfinished"
        );
    }
    drop(running);
}

fn started(log: &[String]) -> usize {
    log.iter().filter(|line| line.starts_with("starting delivery ")).count()
}

fn finished(log: &[String]) -> usize {
    log.iter().filter(|line| line.starts_with("delivery ")).count()
}

/// qmail-send itself, or its children of this name.
fn processes_of(running: &Running, name: &str) -> Vec<Pid> {
    if name == "qmail-send" {
        return vec![running.pid()];
    }
    let children = fs::read_dir("/proc").expect("/proc is there").flatten().filter_map(|entry| {
        let process: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (before, after) = stat.rsplit_once(')')?;
        let (_, command) = before.split_once('(')?;
        let parent: i32 = after.split_whitespace().nth(1)?.parse().ok()?;
        (command == name && parent == running.pid().as_raw()).then(|| Pid::from_raw(process))
    });
    let children: Vec<Pid> = children.collect();
    assert!(!children.is_empty(), "no {name} is running");
    children
}

fn message_id(file: &Path) -> String {
    let text = String::from_utf8_lossy(&files::read(file)).into_owned();
    let line = text.lines().find(|line| line.starts_with("Message-Id: "));
    line.unwrap_or_else(|| panic!("{} has no Message-Id", file.display())).to_owned()
}

fn is_open(address: &str) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}

fn wait(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < LIMIT, "waited {LIMIT:?} in vain for {what}");
        sleep(Duration::from_millis(20));
    }
}
