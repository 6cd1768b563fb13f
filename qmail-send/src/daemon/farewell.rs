//! The end: what is known about the times of further attempts is left in the queue.

use std::fs::{File, FileTimes};
use std::io;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::Daemon;
use crate::lines::{self, Trouble};
use crate::schedule::Time;

impl Daemon {
    pub(super) fn farewell(&self) {
        for (channel, id, due) in self.scheduler.waiting() {
            let path = self.queue.recipients(channel, id);
            if set_time(&path, due).is_err() {
                self.warn(Trouble::Time, &path);
            }
        }
        self.say(lines::EXITING);
    }
}

fn set_time(path: &Path, time: Time) -> io::Result<()> {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(time));
    let time = time.ok_or(io::ErrorKind::InvalidInput)?;
    File::open(path)?.set_times(FileTimes::new().set_accessed(time).set_modified(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_left_where_the_next_start_looks_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("7");
        File::create(&path).unwrap();
        set_time(&path, 1_800_000_123).unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        assert_eq!(crate::files::modified(&metadata), 1_800_000_123);
        assert!(set_time(&directory.path().join("8"), 1).is_err());
    }
}
