//! The table in its file, under its lock.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::table::{RECORD, TABLE, Table};

/// The file with the table.
#[derive(Clone, Debug)]
pub struct TimeoutFile {
    path: PathBuf,
}

/// What the table says of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: try it. There is nothing to forget if it answers.
    Unknown,
    /// It has a record, but may be tried.
    Remembered,
    /// It has timed out so often that trying it is a waste of time.
    Skip,
}

impl TimeoutFile {
    /// The file of the tree at `home`.
    pub fn new(home: &Path) -> Self {
        Self { path: home.join("queue/lock/tcpto") }
    }

    /// Whether the process with this id should try `address` now.
    pub fn check(&self, address: Ipv4Addr, now: u64, process: u32) -> Verdict {
        match self.table().ok().and_then(|table| table.find(address)) {
            None => Verdict::Unknown,
            Some(record) if record.advises_against(now, process) => Verdict::Skip,
            Some(_) => Verdict::Remembered,
        }
    }

    /// Counts that `address` did not answer in time.
    pub fn time_out(&self, address: Ipv4Addr, now: u64) {
        self.change(|table| table.time_out(address, now));
    }

    /// Forgets that `address` ever timed out, since it answered: to be called for hosts that were
    /// [`Verdict::Remembered`].
    pub fn clear(&self, address: Ipv4Addr) {
        self.change(|table| table.clear(address));
    }

    /// The table as it is now.
    ///
    /// # Errors
    /// If the file cannot be opened, locked or read.
    pub fn table(&self) -> io::Result<Table> {
        self.locked().and_then(|file| read(&file))
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// If the file cannot be opened, locked or written. It is not created.
    pub fn reset(&self) -> io::Result<()> {
        self.locked()?.write_all_at(&[0; TABLE], 0)
    }

    /// Writes back the one record that `change` names. The table only saves time, so nobody is
    /// told if that fails.
    fn change(&self, change: impl FnOnce(&mut Table) -> Option<usize>) {
        let _: io::Result<()> = self.locked().and_then(|file| {
            let mut table = read(&file)?;
            let Some(number) = change(&mut table) else { return Ok(()) };
            let offset = u64::try_from(number * RECORD).unwrap_or(u64::MAX);
            file.write_all_at(table.bytes_of(number), offset)
        });
    }

    /// The file, ours until it is closed: waits for whoever has it.
    fn locked(&self) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        file.lock()?;
        Ok(file)
    }
}

fn read(file: &File) -> io::Result<Table> {
    let mut bytes = Vec::with_capacity(TABLE);
    let most = u64::try_from(TABLE).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Table::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const NOW: u64 = 1_700_000_000;

    fn tree(length: u64) -> (tempfile::TempDir, TimeoutFile) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("queue/lock")).unwrap();
        let file = TimeoutFile::new(home.path());
        File::create(&file.path).unwrap().set_len(length).unwrap();
        (home, file)
    }

    #[test]
    fn time_outs_are_remembered_until_the_host_answers() {
        let (_home, file) = tree(1024);
        assert_eq!(file.check(HOST, NOW, 0), Verdict::Unknown);
        file.time_out(HOST, NOW - 1000);
        assert_eq!(file.check(HOST, NOW, 0), Verdict::Remembered);
        file.time_out(HOST, NOW - 500);
        assert_eq!(file.check(HOST, NOW, 0), Verdict::Skip);
        file.clear(HOST);
        assert_eq!(file.check(HOST, NOW, 0), Verdict::Remembered);
        assert_eq!(std::fs::metadata(&file.path).unwrap().len(), 1024);
    }

    #[test]
    fn reset_forgets_everything_and_fills_an_empty_file() {
        let (_home, file) = tree(0);
        file.time_out(HOST, NOW);
        assert_eq!(file.table().unwrap().records().count(), 0);
        file.reset().unwrap();
        file.time_out(HOST, NOW);
        assert_eq!(file.check(HOST, NOW, 0), Verdict::Remembered);
        file.reset().unwrap();
        assert_eq!(file.check(HOST, NOW, 0), Verdict::Unknown);
    }

    #[test]
    fn without_the_file_nothing_is_remembered_and_nothing_fails() {
        let home = tempfile::tempdir().unwrap();
        let file = TimeoutFile::new(home.path());
        file.time_out(HOST, NOW);
        file.clear(HOST);
        assert_eq!(file.check(HOST, NOW, 0), Verdict::Unknown);
        assert!(file.reset().is_err());
    }
}
