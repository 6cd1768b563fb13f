//! What this program does when it is started inside a world: it starts commands, many at once.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, scope};

use crate::site::{Site, words};

/// The first word of its command line.
pub(crate) const WRITERS: &str = "@writers";

/// A command that is to be run many times.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub times: usize,
    pub at_once: usize,
    /// What each reads from descriptor 0.
    pub input: PathBuf,
    /// What each has as descriptor 1, to read from; none for nothing.
    pub envelope: Option<PathBuf>,
    pub words: Vec<OsString>,
    pub variables: Vec<(&'static str, OsString)>,
}

impl Job {
    /// Has it done in a world.
    pub(crate) fn run_in(&self, site: &Site) -> io::Result<()> {
        let envelope = self.envelope.clone().unwrap_or_else(|| "-".into());
        let mut all = words([std::env::current_exe()?.into_os_string(), WRITERS.into()]);
        all.extend([self.times.to_string().into(), self.at_once.to_string().into()]);
        all.extend([self.input.clone().into(), envelope.into_os_string()]);
        all.extend(self.words.iter().cloned());
        site.run(&all, &self.variables)
    }

    /// From the words after [`WRITERS`].
    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut number = || words.next()?.to_str()?.parse().ok();
        let (times, at_once) = (number()?, number()?);
        let (input, envelope) = (words.next()?.into(), words.next()?);
        let envelope = (envelope != "-").then(|| envelope.into());
        // They are ours already.
        let variables = Vec::new();
        Some(Self { times, at_once, input, envelope, words: words.collect(), variables })
    }

    /// Does it, here.
    pub(crate) fn run(&self) -> io::Result<()> {
        let next = AtomicUsize::new(0);
        let writer = || {
            while next.fetch_add(1, Ordering::Relaxed) < self.times {
                self.once()?;
            }
            Ok(())
        };
        scope(|scope| {
            let started: io::Result<Vec<_>> = (0..self.at_once)
                .map(|_| Builder::new().stack_size(128 << 10).spawn_scoped(scope, writer))
                .collect();
            let lost = |_| Err(io::Error::other("a writer died"));
            started?.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(lost))
        })
    }

    fn once(&self) -> io::Result<()> {
        let (program, arguments) = self.words.split_first().ok_or(io::ErrorKind::NotFound)?;
        let status = Command::new(program)
            .args(arguments)
            .stdin(File::open(&self.input)?)
            .stdout(self.envelope()?)
            .status()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("{}: {status}", Path::new(program).display())))
    }

    fn envelope(&self) -> io::Result<Stdio> {
        let Some(path) = &self.envelope else { return Ok(Stdio::null()) };
        File::open(path).map(Stdio::from)
    }
}
