//! A running qmail and its log.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Mutex};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{self, Program, background};
use crate::{Tree, wait};

/// qmail-send and its helpers, running.
pub struct Running {
    child: Child,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    lines: Vec<String>,
    ended: bool,
}

impl Tree {
    /// Starts qmail, with `./Maildir/` as default delivery and its log as ours.
    #[must_use]
    pub fn start(&self) -> Running {
        self.start_with("./Maildir/")
    }

    /// Starts qmail with another default delivery.
    #[must_use]
    pub fn start_with(&self, default_delivery: &str) -> Running {
        Running::of(self.program("qmail-start").arg(default_delivery))
    }
}

impl Running {
    /// Starts a program that logs lines, and reads them.
    #[must_use]
    pub fn of(program: Program<'_>) -> Self {
        let (child, output) = program.start();
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        background(move || follow(output, &shared));
        Self { child, log }
    }

    /// All lines up to now.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.log.lock().expect("nobody panics with it").lines.clone()
    }

    /// Waits until `count` lines contain `text`; these lines.
    ///
    /// # Panics
    ///
    /// When there are fewer and qmail has ended.
    #[must_use]
    pub fn wait_for_several(&self, text: &str, count: usize) -> Vec<String> {
        wait::until(&format!("{count} times {text:?} in the log"), || {
            let ended = self.log.lock().expect("nobody panics with it").ended;
            let found: Vec<_> =
                self.lines().into_iter().filter(|line| line.contains(text)).collect();
            if found.len() >= count {
                return Some(found);
            }
            assert!(!ended, "not {count} times {text:?} in the log: {:#?}", self.lines());
            None
        })
    }

    /// Waits for a line that contains `text`; the first such line.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_for_several(text, 1).remove(0)
    }

    /// Sends a signal to qmail-send.
    ///
    /// # Panics
    ///
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("qmail-send is there");
    }

    /// Has qmail stop, and returns all of its log.
    ///
    /// # Panics
    ///
    /// When it does not exit 0.
    pub fn stop(mut self) -> Vec<String> {
        let _ = kill(self.pid(), Signal::SIGTERM);
        let status = process::wait_for(&mut self.child);
        assert_eq!(status.code(), Some(0), "{:#?}", self.lines());
        self.wait_for("status: exiting");
        self.lines()
    }

    /// Waits for its own end; the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        process::wait_for(&mut self.child).code()
    }

    /// The process number of qmail-send.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process number is small"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = kill(self.pid(), Signal::SIGTERM);
            let gone = wait::LIMIT;
            let start = std::time::Instant::now();
            while start.elapsed() < gone && self.child.try_wait().is_ok_and(|s| s.is_none()) {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            println!("the log was: {:#?}", self.lines());
        }
    }
}

fn follow(output: impl Read, log: &Mutex<Log>) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = reader.read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
        log.lock().expect("nobody panics with it").lines.push(text);
        line.clear();
    }
    log.lock().expect("nobody panics with it").ended = true;
}
