//! What a system under test uses up: processor time, flushes of the disk, system calls.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use qmail_conformance::Tree;

use crate::bed;
use crate::tracer::Tracer;

/// The processes of one system, as the kernel counts them.
#[derive(Debug)]
pub(crate) struct Group {
    directory: Option<PathBuf>,
}

/// The beginning of what is measured.
#[derive(Debug)]
pub(crate) struct Window {
    begin: Instant,
    processor: Option<Duration>,
    flushes: Option<u64>,
    tracer: Option<Tracer>,
}

/// What was used up meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Costs {
    pub took: Duration,
    pub processor: Option<Duration>,
    pub flushes: Option<u64>,
    /// How often each system call was made; empty if they were not counted.
    pub calls: BTreeMap<String, u64>,
}

impl Group {
    /// A new one; without version 2 of control groups it counts nothing.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = bed::name().and_then(|mut name| {
            name.push(format!("-{number}"));
            group(&name)
        });
        Self { directory: directory.filter(|directory| fs::create_dir(directory).is_ok()) }
    }

    /// The file that a process writes its number to, to become one of them.
    pub(crate) fn entrance(&self) -> PathBuf {
        let directory = self.directory.as_ref();
        directory.map_or_else(|| "/dev/null".into(), |directory| directory.join("cgroup.procs"))
    }

    fn processor(&self) -> Option<Duration> {
        let text = fs::read_to_string(self.directory.as_ref()?.join("cpu.stat")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
        line.trim().parse().ok().map(Duration::from_micros)
    }

    /// Waits until what is left to do after the last message is done.
    fn settle(&self) {
        let begin = Instant::now();
        let mut before = self.processor();
        while before.is_some() && begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.processor();
            let used = now.zip(before).map(|(now, before)| now.saturating_sub(before));
            if used.is_none_or(|used| used < Duration::from_millis(2)) {
                return;
            }
            before = now;
        }
    }

    /// Begins to measure.
    pub(crate) fn open(&self, tracer: Option<Tracer>) -> Window {
        let (processor, flushes) = (self.processor(), flushes());
        Window { begin: Instant::now(), processor, flushes, tracer }
    }

    /// Ends it: the time ends now, and the costs when everything is done.
    pub(crate) fn close(&self, window: Window) -> io::Result<Costs> {
        let took = window.begin.elapsed();
        self.settle();
        let processor = self.processor().zip(window.processor);
        let flushes = flushes().zip(window.flushes);
        Ok(Costs {
            took,
            processor: processor.map(|(after, before)| after.saturating_sub(before)),
            flushes: flushes.map(|(after, before)| after.saturating_sub(before)),
            calls: window.tracer.map(Tracer::finish).transpose()?.unwrap_or_default(),
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(directory) = &self.directory else { return };
        let begin = Instant::now();
        // The last of them may still be on its way out.
        while fs::remove_dir(directory).is_err() && begin.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Memory in KiB of all that run in the tree's world, what is shared divided among them.
pub(crate) fn memory(tree: &Tree) -> u64 {
    tree.processes().into_iter().map(|process| kibibytes(process, "smaps_rollup", "Pss:")).sum()
}

/// Memory in KiB of the processes of a name.
pub(crate) fn resident(tree: &Tree, name: &str) -> u64 {
    let processes = tree.processes_named(name).into_iter();
    processes.map(|process| kibibytes(process, "status", "VmRSS:")).sum()
}

fn kibibytes(process: Pid, file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// The directory of a group of this name.
pub(crate) fn group(name: &OsStr) -> Option<PathBuf> {
    mount_point().map(|root| root.join(name))
}

fn mount_point() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mut mounts = mounts.lines().map(|line| line.split(' '));
    mounts.find_map(|mut fields| {
        let place = fields.nth(1)?;
        (fields.next()? == "cgroup2").then(|| PathBuf::from(place))
    })
}

/// How often the disk was told to write everything that it has.
fn flushes() -> Option<u64> {
    let device = bed::device(&bed::directory())?;
    let text = fs::read_to_string("/proc/diskstats").ok()?;
    let mut lines = text.lines().map(|line| line.split_whitespace().skip(2));
    let mut fields = lines.find_map(|mut fields| (fields.next()? == device).then_some(fields))?;
    // Documentation/admin-guide/iostats.rst: field 16 of those after the name.
    fields.nth(15)?.parse().ok()
}
