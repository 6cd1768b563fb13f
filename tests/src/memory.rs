//! How much memory a process has had.

use std::fs;

use nix::unistd::Pid;

use crate::{Tree, wait};

impl Tree {
    /// The most memory that the only process with this name has had so far, in KiB.
    ///
    /// # Panics
    ///
    /// When there is none, or several, or the system does not say.
    #[must_use]
    pub fn peak_memory_of(&self, name: &str) -> u64 {
        let process = wait::until(name, || match *self.processes_named(name) {
            [process] => Some(process),
            _ => None,
        });
        peak(process)
    }
}

fn peak(process: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it is running");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux has it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
