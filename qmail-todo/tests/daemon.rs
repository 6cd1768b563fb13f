//! The program itself, between a qmail-send and a qmail-clean that the test plays.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qmail_core::queue::{Queue, TodoLock};
use qmail_sys::{Child, Exit, Interest, OPEN_NONBLOCKING, Spawn, pipe, poll};

/// Long enough for any machine; a test that passes never waits for it.
const LIMIT: Duration = Duration::from_secs(60);

struct Daemon {
    queue: PathBuf,
    child: Child,
    orders: Option<File>,
    news: File,
    requests: File,
    replies: File,
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for directory in [
        "control",
        "queue/mess/0",
        "queue/info/0",
        "queue/local/0",
        "queue/remote/0",
        "queue/intd",
        "queue/todo",
        "queue/lock",
    ] {
        fs::create_dir_all(home.path().join(directory)).unwrap();
    }
    write(&home.path().join("control/me"), b"here\n");
    qmail_sys::make_fifo(&home.path().join("queue/lock/trigger"), 0o622).unwrap();
    home
}

fn write(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

fn queue(home: &tempfile::TempDir) -> PathBuf {
    home.path().join("queue")
}

/// Puts a message into the queue, as qmail-queue does: a scan sees a whole envelope or none.
fn put(home: &tempfile::TempDir, id: u32) {
    let (intd, todo) = (format!("intd/{id}"), format!("todo/{id}"));
    write(&queue(home).join(format!("mess/0/{id}")), b"");
    write(&queue(home).join(&intd), b"u0\0p1\0Fme@here\0Tjoe@here\0");
    fs::rename(queue(home).join(intd), queue(home).join(todo)).unwrap();
}

/// Pulls the trigger, as qmail-queue does: without a reader it is in vain, and nothing is lost by
/// that, since the reader looks into `todo/` after it opens the trigger.
fn pull(home: &tempfile::TempDir) {
    let mut options = File::options();
    options.write(true).custom_flags(OPEN_NONBLOCKING);
    if let Ok(mut trigger) = options.open(queue(home).join("lock/trigger")) {
        let _ = trigger.write(&[0]);
    }
}

impl Daemon {
    fn start(home: &Path) -> Self {
        let (orders, news) = (pipe().unwrap(), pipe().unwrap());
        let (requests, replies) = (pipe().unwrap(), pipe().unwrap());
        let child = Spawn::new(env!("CARGO_BIN_EXE_qmail-todo"))
            .env("QMAILHOME", home.as_os_str().as_encoded_bytes())
            .connect(0, orders.read.as_fd())
            .connect(1, news.write.as_fd())
            .connect(2, requests.write.as_fd())
            .connect(3, replies.read.as_fd())
            .start()
            .unwrap();
        Self {
            queue: home.join("queue"),
            child,
            orders: Some(File::from(orders.write)),
            news: File::from(news.read),
            requests: File::from(requests.read),
            replies: File::from(replies.write),
        }
    }

    fn order(&mut self, bytes: &[u8]) {
        self.orders.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// The next message, without its NUL; empty at the end.
    fn news(&mut self) -> String {
        record(&mut self.news)
    }

    /// Does what qmail-clean does. A message that stayed in `todo/` would be found again by the next
    /// scan, and its request would never be answered.
    fn clean(&mut self, request: &str) {
        assert_eq!(record(&mut self.requests), request);
        fs::remove_file(self.queue.join(request)).unwrap();
        self.replies.write_all(b"+").unwrap();
    }

    fn expect_message(&mut self, id: u32) {
        self.clean(&format!("todo/{id}"));
        assert_eq!(self.news(), format!("Lnew msg {id}\n"));
        let info = format!("Linfo msg {id}: bytes 0 from <me@here> qp 1 uid 0\n");
        assert_eq!(self.news(), info);
        assert_eq!(self.news(), format!("DL{id}"));
    }

    /// How it ends, and what it says until then.
    fn end(mut self) -> (Exit, String) {
        let mut rest = Vec::new();
        let mut block = [0; 4096];
        loop {
            wait(&self.news);
            match self.news.read(&mut block).unwrap() {
                0 => return (self.child.wait().unwrap(), String::from_utf8(rest).unwrap()),
                length => rest.extend(&block[..length]),
            }
        }
    }
}

fn wait(pipe: &File) {
    assert!(poll(&mut [Interest::reading(pipe.as_fd())], Some(LIMIT)).unwrap(), "too long");
}

fn record(pipe: &mut File) -> String {
    let mut bytes = Vec::new();
    loop {
        wait(pipe);
        let mut byte = [0];
        if pipe.read(&mut byte).unwrap() == 0 || byte == [0] {
            return String::from_utf8(bytes).unwrap();
        }
        bytes.extend(byte);
    }
}

#[test]
fn messages_are_found_at_the_start_and_when_the_trigger_is_pulled() {
    let home = home();
    put(&home, 7);
    let mut daemon = Daemon::start(home.path());
    daemon.order(b"S");
    daemon.expect_message(7);
    put(&home, 8);
    pull(&home);
    daemon.expect_message(8);
    daemon.order(b"?X");
    let (exit, rest) = daemon.end();
    let expected = "Lwarning: qmail-todo: qmail-send speaks an obscure dialect\n\0\
                    Lstatus: qmail-todo stop processing asap\n\0X\0";
    assert_eq!((exit, rest.as_str()), (Exit::Code(0), expected));
}

#[test]
fn without_an_order_to_start_nothing_is_touched_and_the_end_of_orders_is_ours() {
    let home = home();
    put(&home, 7);
    let mut daemon = Daemon::start(home.path());
    daemon.orders = None;
    assert_eq!(daemon.end(), (Exit::Code(0), String::new()));
    assert!(!queue(&home).join("info/0/7").exists());
}

#[test]
fn only_one_works_in_a_queue() {
    let home = home();
    put(&home, 7);
    let lock = TodoLock::try_take(&Queue::open(&queue(&home)).unwrap()).unwrap().unwrap();
    let mut daemon = Daemon::start(home.path());
    daemon.order(b"S");
    let silent = Some(Duration::from_millis(500));
    assert!(!poll(&mut [Interest::reading(daemon.requests.as_fd())], silent).unwrap());
    drop(lock);
    daemon.expect_message(7);
}

#[test]
fn a_lost_qmail_clean_is_told_and_ends_us() {
    let home = home();
    put(&home, 7);
    let mut daemon = Daemon::start(home.path());
    (daemon.requests, daemon.replies) = {
        let null = || File::open("/dev/null").unwrap();
        (null(), null())
    };
    daemon.order(b"S");
    let (exit, rest) = daemon.end();
    let alert = "Lalert: qmail-todo: oh no! lost qmail-clean connection! dying...\n\0";
    assert!(rest.ends_with(alert), "{rest:?}");
    assert_eq!(exit, Exit::Code(0));
}

#[test]
fn a_lost_qmail_clean_is_noticed_while_there_is_nothing_to_do() {
    let home = home();
    put(&home, 7);
    let mut daemon = Daemon::start(home.path());
    daemon.order(b"S");
    daemon.expect_message(7);
    daemon.replies = File::open("/dev/null").unwrap();
    let (exit, rest) = daemon.end();
    let alert = "Lalert: qmail-todo: oh no! lost qmail-clean connection! dying...\n\0";
    assert_eq!((exit, rest.as_str()), (Exit::Code(0), alert));
}

#[test]
fn controls_are_read_again_when_told() {
    let home = home();
    put(&home, 6);
    let mut daemon = Daemon::start(home.path());
    daemon.order(b"S");
    daemon.expect_message(6);
    write(&home.path().join("control/locals"), b"there\n");
    fs::create_dir(home.path().join("control/virtualdomains")).unwrap();
    daemon.order(b"H");
    assert_eq!(daemon.news(), "Lalert: qmail-todo: unable to reread control/virtualdomains\n");
    fs::remove_dir(home.path().join("control/virtualdomains")).unwrap();
    daemon.order(b"H");
    put(&home, 7);
    pull(&home);
    daemon.clean("todo/7");
    daemon.news();
    daemon.news();
    assert_eq!(daemon.news(), "DR7");
}

#[test]
fn whoever_cannot_start_says_why() {
    let home = home();
    fs::remove_file(home.path().join("control/me")).unwrap();
    let (exit, rest) = Daemon::start(home.path()).end();
    assert_eq!(rest, "Lalert: qmail-todo: cannot start: unable to read controls\n\0");
    assert_eq!(exit, Exit::Code(111));
    write(&home.path().join("control/me"), b"here\n");
    fs::remove_dir_all(queue(&home)).unwrap();
    let (_, rest) = Daemon::start(home.path()).end();
    assert_eq!(rest, "Lalert: qmail-todo: cannot start: unable to switch to queue directory\n\0");
    let (_, rest) = Daemon::start(Path::new("/nonexistent/home")).end();
    assert_eq!(rest, "Lalert: qmail-todo: cannot start: unable to switch to home directory\n\0");
}
