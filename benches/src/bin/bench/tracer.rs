//! Counting system calls.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// strace, attached to all processes of a system and to all that they start.
#[derive(Debug)]
pub(crate) struct Tracer {
    child: Option<Child>,
    directory: PathBuf,
}

impl Tracer {
    /// Attaches to these processes; the counts of those started later with [`Self::words`] are
    /// added. Results are in a directory that is there.
    pub(crate) fn attach(directory: &Path, processes: &[Pid]) -> io::Result<Self> {
        let mut tracer = Self { child: None, directory: directory.to_owned() };
        if processes.is_empty() {
            return Ok(tracer);
        }
        let mut command = Command::new("strace");
        command.args(["-f", "-c", "-U", "name,calls", "-o"]).arg(directory.join("attached"));
        for process in processes {
            command.arg("-p").arg(process.to_string());
        }
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let errors = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(errors).lines();
        for _ in processes {
            lines.next().transpose()?.ok_or_else(|| io::Error::other("strace does not attach"))?;
        }
        // It goes on to name processes as they come.
        std::thread::Builder::new().spawn(move || lines.for_each(drop))?;
        tracer.child = Some(child);
        Ok(tracer)
    }

    /// What comes before the words of a command, so that it is counted, too.
    pub(crate) fn words(directory: &Path) -> Vec<String> {
        let file =
            directory.join(format!("started-{}", fs::read_dir(directory).into_iter().count()));
        ["strace", "-f", "-c", "-U", "name,calls", "-o"]
            .map(str::to_owned)
            .into_iter()
            .chain([file.display().to_string()])
            .collect()
    }

    /// Detaches; the sums.
    pub(crate) fn finish(mut self) -> io::Result<BTreeMap<String, u64>> {
        if let Some(mut child) = self.child.take() {
            let process = i32::try_from(child.id()).map_err(io::Error::other)?;
            kill(Pid::from_raw(process), Signal::SIGINT)?;
            child.wait()?;
        }
        let mut sums = BTreeMap::new();
        for entry in fs::read_dir(&self.directory)? {
            add(&fs::read_to_string(entry?.path())?, &mut sums);
        }
        Ok(sums)
    }
}

/// Whether it can be had.
pub(crate) fn is_there() -> bool {
    Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
}

fn add(table: &str, sums: &mut BTreeMap<String, u64>) {
    for line in table.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(count), None) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        if let (Ok(count), false) = (count.parse::<u64>(), name == "total") {
            *sums.entry(name.to_owned()).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_added_up_without_their_totals() {
        let table = "syscall              calls\n---------------- ---------\n\
                     execve                   3\nopenat                  12\n\
                     ---------------- ---------\ntotal                   15\n";
        let mut sums = BTreeMap::new();
        add(table, &mut sums);
        add(table, &mut sums);
        assert_eq!(sums, BTreeMap::from([("execve".to_owned(), 6), ("openat".to_owned(), 24)]));
    }
}
