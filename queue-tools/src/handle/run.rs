//! One run of qmail-qhandle.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use qmail_core::errno;
use qmail_core::queue::{Queue, QueueId};
use qmail_sys::send_signal;
use qmail_sys::signal::Signal;

use super::act::{Daemon, Done, delete, expire, make_due, renew};
use super::held::{Facts, Held, Stage};
use super::list::{Paint, Statistics, message};
use super::parts::Parts;
use super::request::{Fate, Listed, Request};
use super::select::Choice;
use crate::alone::{Alone, NotAlone, holder};
use crate::say::{self, printable};
use qmail_core::progress::Progress;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Complete,
    /// Something was not.
    Incomplete,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Complete => say::FINE,
            Self::Incomplete => say::UNSETTLED,
        }
    }
}

/// Why it ended early.
#[derive(Debug)]
pub enum Failure {
    /// A directory or file of the queue is out of reach.
    Queue(PathBuf, io::Error),
    /// qmail-send runs, but cannot be found.
    Hidden,
    /// It cannot be sent a signal.
    Signal(io::Error),
    /// Nobody reads what is printed.
    Write(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(path, error) => {
                write!(formatter, "unable to read {}: {}", path.display(), errno::text(error))
            }
            Self::Hidden => formatter.write_str("unable to find qmail-send"),
            Self::Signal(error) => {
                write!(formatter, "unable to signal qmail-send: {}", errno::text(error))
            }
            Self::Write(error) => write!(formatter, "unable to write: {}", errno::text(error)),
        }
    }
}

impl std::error::Error for Failure {}

/// Whether what is printed may reach a terminal, which would obey it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// It may.
    Terminal,
    /// It goes to a file or a program.
    Other,
}

/// Does what `request` says with the queue of the tree at `home`.
pub fn run(
    request: &Request,
    home: &Path,
    reader: Reader,
    output: impl Write,
) -> Result<Outcome, Failure> {
    let root = home.join("queue");
    let failed = |error| Failure::Queue(root.join("mess"), error);
    let queue = Queue::open(&root).map_err(failed)?;
    // Held to the end: qmail-send does not start while we work as if it did not run.
    let alone = if request.changes() || request.wake {
        match Alone::take(&root) {
            Ok(alone) => Some(alone),
            Err(NotAlone::Running) => None,
            Err(NotAlone::System(_, path, error)) => return Err(Failure::Queue(path, error)),
            Err(NotAlone::Busy(_)) => None,
        }
    } else {
        None
    };
    let daemon = if alone.is_some() { Daemon::Absent } else { Daemon::Running };
    let mut work = Work { queue: &queue, request, daemon, reader, output, incomplete: false };
    work.look()?;
    work.show()?;
    work.change()?;
    if request.wake {
        work.wake()?;
    }
    work.output.flush().map_err(Failure::Write)?;
    Ok(if work.incomplete { Outcome::Incomplete } else { Outcome::Complete })
}

struct Work<'q, W> {
    queue: &'q Queue,
    request: &'q Request,
    daemon: Daemon,
    reader: Reader,
    output: W,
    incomplete: bool,
}

impl<'q, W: Write> Work<'q, W> {
    /// Lists and counts.
    fn look(&mut self) -> Result<(), Failure> {
        if self.request.list.is_none() && !self.request.statistics {
            return Ok(());
        }
        let mut statistics = Statistics::default();
        self.each(|work, held, facts| {
            statistics.count(facts);
            let listed = match work.request.list {
                None => false,
                Some(Listed::All) => true,
                Some(Listed::On(channel)) => facts.has(channel),
            };
            if listed { work.list(held, facts) } else { Ok(()) }
        })?;
        if self.request.statistics {
            self.print(statistics.text().as_bytes())?;
        }
        Ok(())
    }

    fn list(&mut self, held: &Held<'_>, facts: &Facts) -> Result<(), Failure> {
        if self.request.numbers_only {
            return self.print(format!("{}\n", held.id).as_bytes());
        }
        let paint = if self.request.colours { Paint::Colours } else { Paint::None };
        match held.message().and_then(Parts::read) {
            Ok(parts) => {
                let text = message(self.queue, held.id, held.size, facts, &parts, paint);
                self.print(&text)
            }
            Err(error) => self.trouble(held.id, &error),
        }
    }

    fn show(&mut self) -> Result<(), Failure> {
        for id in &self.request.show {
            let Some(held) = self.hold(*id)? else {
                self.complain(*id, "is not in the queue")?;
                continue;
            };
            match held.message() {
                Ok(mut message) => self.copy(&mut message)?,
                Err(error) => self.trouble(*id, &error)?,
            }
        }
        Ok(())
    }

    fn copy(&mut self, message: &mut impl Read) -> Result<(), Failure> {
        let mut block = vec![0; 65_536];
        loop {
            let length = message.read(&mut block).map_err(Failure::Write)?;
            let read = block.get(..length).unwrap_or_default();
            match self.reader {
                _ if length == 0 => return Ok(()),
                Reader::Other => self.print(read)?,
                Reader::Terminal => {
                    let lines = read.split_inclusive(|byte| *byte == b'\n').map(|line| match line
                        .split_last()
                    {
                        Some((b'\n', line)) => [&printable(line)[..], b"\n"].concat(),
                        _ => printable(line),
                    });
                    self.print(&lines.collect::<Vec<_>>().concat())?;
                }
            }
        }
    }

    /// Deletes, bounces and renews.
    fn change(&mut self) -> Result<(), Failure> {
        if !self.request.changes() {
            return Ok(());
        }
        let (mut ended, mut renewed) = (0_u64, 0_u64);
        let numbers_only = self.request.renewed.is_empty()
            && self.request.chosen.iter().all(|choice| matches!(choice, Choice::Number(_)));
        if numbers_only {
            for choice in &self.request.chosen {
                let Choice::Number(id) = choice else { continue };
                match self.hold(*id)? {
                    Some(held) => ended += self.end(&held)?,
                    None => self.complain(*id, "is not in the queue")?,
                }
            }
        } else {
            self.each(|work, held, facts| {
                if work.is_meant(&work.request.chosen, held, facts)? {
                    ended += work.end(held)?;
                } else if work.is_meant(&work.request.renewed, held, facts)? {
                    let done = renew(held, work.daemon);
                    renewed += work.judge(held.id, done)?;
                }
                Ok(())
            })?;
        }
        self.tell(ended, renewed)
    }

    fn end(&mut self, held: &Held<'_>) -> Result<u64, Failure> {
        let done = match self.request.fate {
            Fate::Delete => delete(held, self.daemon),
            Fate::Bounce => expire(held, self.daemon),
        };
        self.judge(held.id, done)
    }

    /// How many messages this was done to: one or none.
    fn judge(&mut self, id: QueueId, done: io::Result<Done>) -> Result<u64, Failure> {
        match done {
            Ok(Done::Yes) => return Ok(1),
            Ok(Done::NotQueued) => self.complain(id, "is not in the queue")?,
            Ok(Done::NotYet) => self.complain(id, "is not yet preprocessed; try again later")?,
            Err(error) => self.trouble(id, &error)?,
        }
        Ok(0)
    }

    fn tell(&mut self, ended: u64, renewed: u64) -> Result<(), Failure> {
        if !self.request.chosen.is_empty() {
            let text = match self.request.fate {
                Fate::Delete => format!("Deleted {ended} messages from queue\n"),
                Fate::Bounce => format!("Expired {ended} messages in queue\n"),
            };
            self.print(text.as_bytes())?;
        }
        if !self.request.renewed.is_empty() {
            self.print(format!("Renewed {renewed} messages in queue\n").as_bytes())?;
        }
        if self.daemon == Daemon::Running && !self.request.wake && ended > 0 {
            self.print(b"qmail-send acts on that at the next attempt of each; -a makes it now\n")?;
        }
        Ok(())
    }

    fn is_meant(
        &self,
        choices: &[Choice],
        held: &Held<'_>,
        facts: &Facts,
    ) -> Result<bool, Failure> {
        // Nobody chooses a message that is not one, or not yet.
        if facts.stage == Stage::Unfinished {
            return Ok(false);
        }
        let parts = if choices.iter().any(Choice::wants_parts) {
            let failed = |error| Failure::Queue(self.queue.mess(held.id), error);
            held.message().and_then(Parts::read).map_err(failed)?
        } else {
            Parts::default()
        };
        Ok(choices.iter().any(|choice| choice.means(held.id, facts, &parts)))
    }

    /// Has all messages tried now, or as soon as qmail-send starts.
    fn wake(&mut self) -> Result<(), Failure> {
        if self.daemon == Daemon::Absent {
            return self.each(|work, held, _| match make_due(held) {
                Ok(()) => Ok(()),
                Err(error) => work.trouble(held.id, &error),
            });
        }
        let mutex = self.queue.root().join("lock/sendmutex");
        let process = holder(&mutex, "qmail-send").ok_or(Failure::Hidden)?;
        send_signal(process.id, Signal::SIGALRM).map_err(Failure::Signal)
    }

    /// Shows each message that is in the queue, or on its way in or out, to `look`.
    fn each(
        &mut self,
        mut look: impl FnMut(&mut Self, &Held<'_>, &Facts) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut progress = Progress::new("looking at messages", None);
        for directory in self.queue.parts("mess") {
            let failed = |error| Failure::Queue(directory.clone(), error);
            for entry in fs::read_dir(&directory).map_err(failed)? {
                let name = entry.map_err(failed)?.file_name();
                let Some(id) = QueueId::parse(name.as_encoded_bytes()) else { continue };
                progress.step();
                let Some(held) = self.hold(id)? else { continue };
                match held.facts() {
                    // Not accepted yet, or finished.
                    Ok(facts) if facts.stage == Stage::Unfinished => {}
                    Ok(facts) => look(self, &held, &facts)?,
                    Err(error) => self.trouble(id, &error)?,
                }
            }
        }
        Ok(())
    }

    /// Takes hold of a message; trouble is told of.
    fn hold(&mut self, id: QueueId) -> Result<Option<Held<'q>>, Failure> {
        match Held::take(self.queue, id) {
            Ok(held) => Ok(held),
            Err(error) => self.trouble(id, &error).map(|()| None),
        }
    }

    fn trouble(&mut self, id: QueueId, error: &io::Error) -> Result<(), Failure> {
        let text = match error.kind() {
            io::ErrorKind::InvalidData => "is not the number of its file; see qmail-qrepair",
            io::ErrorKind::UnexpectedEof => "has a damaged file; see qmail-qrepair",
            _ => return self.complain(id, errno::text(error)),
        };
        self.complain(id, text)
    }

    fn complain(&mut self, id: QueueId, what: &str) -> Result<(), Failure> {
        self.incomplete = true;
        self.print(format!("warning: #{id}: {what}\n").as_bytes())
    }

    fn print(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.output.write_all(text).map_err(Failure::Write)
    }
}
