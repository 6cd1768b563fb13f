//! Everything that can befall a mail system, except by its own fault.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, FileTimes};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use nix::sys::signal::{Signal, kill};

use qmail_conformance::crash::event::{Change, Deed};
use qmail_conformance::crash::plan::Site;
use qmail_conformance::crash::random::Random;
use qmail_conformance::crash::recorder::{Moment, Recorder, Verdict};
use qmail_conformance::files;
use qmail_conformance::log::Running;

use super::mail::text;

/// Who is killed.
const VICTIMS: [&str; 9] = [
    "qmail-send",
    "qmail-todo",
    "qmail-clean",
    "qmail-lspawn",
    "qmail-rspawn",
    "qmail-local",
    "qmail-remote",
    "qmail-getpw",
    "qmail-queue",
];

/// The number of this error.
const ENOSPC: i32 = 28;

const DAY: u64 = 86_400;

/// Troubles, and a supervisor who starts qmail again whenever it ends.
pub(crate) struct Troubles<'s> {
    site: &'s Site,
    /// Under whom everything runs.
    pub(crate) recorder: Recorder,
    is_full: Arc<AtomicBool>,
    discarded: Arc<Mutex<Vec<String>>>,
    running: Option<Running>,
    counts: BTreeMap<&'static str, usize>,
}

impl<'s> Troubles<'s> {
    /// Starts qmail.
    pub(crate) fn new(site: &'s Site) -> Self {
        site.wipe();
        let is_full = Arc::new(AtomicBool::new(false));
        let discarded = Arc::new(Mutex::new(Vec::new()));
        let (flag, discards) = (Arc::clone(&is_full), Arc::clone(&discarded));
        let queue = site.tree.path("queue");
        let policy = move |moment: &Moment<'_>| match moment.deed {
            Some(Deed::Disk(Change::Remove(name))) if *moment.process.name == *"qmail-send" => {
                let text = discarded_with(&queue, &name.name);
                discards.lock().unwrap_or_else(PoisonError::into_inner).extend(text);
                Verdict::Go
            }
            Some(Deed::Disk(Change::Make(..) | Change::Write(..) | Change::Link(..)))
                if flag.load(Ordering::Relaxed) =>
            {
                Verdict::Fail(ENOSPC)
            }
            _ => Verdict::Go,
        };
        let (recorder, _) = Recorder::watching(&site.roots(), Box::new(policy));
        let running = Some(site.tree.start_recorded(&recorder));
        Self { site, recorder, is_full, discarded, running, counts: BTreeMap::new() }
    }

    /// Makes one trouble, or none.
    pub(crate) fn make_one(&mut self, random: &mut Random) {
        self.recorder.forget();
        self.supervise();
        let name = match random.below(9) {
            0 | 1 => self.kill_somebody(random),
            2 => self.signal(Signal::SIGHUP, "HUP"),
            3 => self.signal(Signal::SIGALRM, "ALRM"),
            4 => self.signal(Signal::SIGTERM, "TERM"),
            5 => self.fill_disk(),
            6 => self.turn_clock(random),
            7 => self.talk_rubbish(random),
            _ => "quiet times",
        };
        *self.counts.entry(name).or_default() += 1;
        std::thread::sleep(Duration::from_millis(random.below(60) as u64));
    }

    fn supervise(&mut self) {
        if self.running.as_mut().is_none_or(Running::has_ended) {
            self.running = Some(self.site.tree.start_recorded(&self.recorder));
            *self.counts.entry("new start").or_default() += 1;
        }
    }

    fn kill_somebody(&self, random: &mut Random) -> &'static str {
        let victim = VICTIMS[random.below(VICTIMS.len())];
        let found = self.site.tree.processes_named(victim);
        match found.get(random.below(found.len())) {
            Some(process) if kill(*process, Signal::SIGKILL).is_ok() => victim,
            _ => "nobody to kill",
        }
    }

    fn signal(&mut self, signal: Signal, name: &'static str) -> &'static str {
        match &self.running {
            // Before that, the signal would meet qmail-start, and end it.
            Some(running) if running.count("status: ") > 0 => {
                let _ = kill(running.pid(), signal);
                name
            }
            _ => "nobody to tell",
        }
    }

    fn fill_disk(&self) -> &'static str {
        let was_full = self.is_full.fetch_xor(true, Ordering::Relaxed);
        if was_full { "disk with room" } else { "full disk" }
    }

    /// For the queue, a clock that jumps makes files old or young.
    fn turn_clock(&self, random: &mut Random) -> &'static str {
        let by = Duration::from_secs(random.draw() % (30 * DAY));
        let now = SystemTime::now();
        let time = if random.below(2) == 0 { now + by } else { now - by };
        for part in ["info", "local", "remote"] {
            for name in self.site.tree.queue_files(part) {
                let path = self.site.tree.path("queue").join(part).join(name);
                let file = File::options().write(true).open(path);
                let _ = file.and_then(|file| file.set_times(FileTimes::new().set_modified(time)));
            }
        }
        "turned clock"
    }

    fn talk_rubbish(&self, random: &mut Random) -> &'static str {
        let words =
            ["HELO x\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<joe@test.example>\r\n", "DATA\r\n"];
        let mut input: Vec<u8> = words[..random.below(5)].concat().into_bytes();
        input.extend((0..random.below(2000)).map(|_| random.draw().to_le_bytes()[0]));
        let finished = self.site.tree.smtpd_program().stdin(input).run();
        assert_eq!(finished.signal, None, "{}", finished.said());
        "rubbish"
    }

    /// What was discarded since nobody could be told: the double bounces, and why they failed. The
    /// log says so, too, but a killed qmail-send cannot.
    pub(crate) fn discarded(&self) -> Vec<String> {
        self.discarded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All is well again, and nothing runs.
    pub(crate) fn end(&mut self) {
        self.is_full.store(false, Ordering::Relaxed);
        if let Some(mut running) = self.running.take() {
            running.end();
        }
        self.recorder.wait();
    }

    /// What there was.
    pub(crate) fn summary(&self) -> String {
        format!("{:?}", self.counts)
    }
}

/// What qmail-send discards by removing a file with this name, if it is `bounce/N` of a double bounce
/// for which nobody is left.
fn discarded_with(queue: &Path, name: &OsStr) -> Option<String> {
    let number: u64 = name.to_str()?.parse().ok()?;
    let split = u64::try_from(files::names(&queue.join("mess")).len()).ok()?;
    let file = |part: &str| queue.join(part).join((number % split).to_string()).join(name);
    let is_double = std::fs::read(file("info")).ok()? == b"F#@[]\0";
    let failure = queue.join("bounce").join(name);
    if !is_double || file("local").exists() || !failure.exists() {
        return None;
    }
    Some(text(&file("mess")) + &text(&failure))
}
