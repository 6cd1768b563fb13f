//! Processes that a test has left running.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{files, wait};

/// The processes of which this is true, by their directory in /proc.
pub(crate) fn processes(is_one: impl Fn(&Path) -> bool) -> Vec<Pid> {
    let numbers = files::names(Path::new("/proc")).into_iter().filter_map(|name| name.parse().ok());
    numbers.map(Pid::from_raw).filter(|process| is_one(&directory(*process))).collect()
}

/// Ends processes until none are found.
pub(crate) fn end(find: impl Fn() -> Vec<Pid>) {
    let start = Instant::now();
    loop {
        let found = find();
        if found.is_empty() || start.elapsed() > wait::LIMIT {
            return;
        }
        for process in found {
            // It may have ended by itself meanwhile.
            let _ = kill(process, Signal::SIGKILL);
        }
        sleep(Duration::from_millis(2));
    }
}

/// What a process is called, at most 15 bytes of it.
pub(crate) fn name(process: Pid) -> String {
    let name = fs::read_to_string(directory(process).join("comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

fn directory(process: Pid) -> PathBuf {
    PathBuf::from(format!("/proc/{process}"))
}
