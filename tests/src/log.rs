//! A running qmail and its log.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{self, Program, background};
use crate::{Tree, wait};

/// How long a qmail that is no longer wanted may take to finish what it does.
const PATIENCE: Duration = Duration::from_secs(10);

/// qmail-send and its helpers, running.
pub struct Running {
    child: Child,
    pid: Pid,
    log: Arc<Log>,
}

/// A log that grows, and who waits for it to grow.
#[derive(Default)]
struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
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
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process number is small"));
        Self::with(child, pid, output)
    }

    /// With a log that comes from here, of a process that is `pid` and whose end is `child`'s.
    pub(crate) fn with(child: Child, pid: Pid, output: impl Read + Send + 'static) -> Self {
        let log = Arc::new(Log::default());
        let shared = Arc::clone(&log);
        background(move || follow(output, &shared));
        Self { child, pid, log }
    }

    /// All lines up to now.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.log.state().lines.clone()
    }

    /// Waits until `count` lines contain `text`; these lines.
    ///
    /// # Panics
    ///
    /// When there are fewer and qmail has ended, or says nothing more for [`wait::LIMIT`].
    #[must_use]
    pub fn wait_for_several(&self, text: &str, count: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut read = 0;
        let mut state = self.log.state();
        let mut last = Instant::now();
        loop {
            if state.lines.len() > read {
                let new = &state.lines[read..];
                found.extend(new.iter().filter(|line| line.contains(text)).cloned());
                read = state.lines.len();
                last = Instant::now();
            }
            if found.len() >= count {
                return found;
            }
            let waited = last.elapsed();
            if state.ended || waited >= wait::LIMIT {
                let (found, log) = (found.len(), state.lines.clone());
                drop(state);
                panic!("{found} and not {count} times {text:?} in the log: {log:#?}");
            }
            let rest = wait::LIMIT.saturating_sub(waited);
            let woken = self.log.changed.wait_timeout(state, rest);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many lines up to now contain `text`.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.log.state().lines.iter().filter(|line| line.contains(text)).count()
    }

    /// Waits until nobody can write to the log any more; all of it.
    #[must_use]
    pub fn whole_log(&self) -> Vec<String> {
        let is_over = || self.log.state().ended;
        wait::until("the end of the log", || is_over().then(|| self.lines()))
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

    /// Has qmail stop, if it has not ended yet, whatever it makes of that.
    pub fn end(&mut self) {
        // Before it is up, the signal would meet qmail-start, and end it.
        wait::until("the start of qmail-send", || {
            (self.count("status: ") > 0 || self.has_ended()).then_some(())
        });
        let _ = kill(self.pid(), Signal::SIGTERM);
        let _ = self.wait();
    }

    /// Waits for its own end; the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        process::wait_for(&mut self.child).code()
    }

    /// The process number of qmail-send.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Log {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: String) {
        self.state().lines.push(line);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = kill(self.pid(), Signal::SIGTERM);
            let start = Instant::now();
            while start.elapsed() < PATIENCE && self.child.try_wait().is_ok_and(|s| s.is_none()) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            println!("the log was: {:#?}", self.lines());
        }
    }
}

fn follow(output: impl Read, log: &Log) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = reader.read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        log.add(text.strip_suffix('\n').unwrap_or(&text).to_owned());
        line.clear();
    }
    log.end();
}
