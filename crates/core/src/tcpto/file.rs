//! The tables in their files, under their locks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::table::{Family, Table};

/// The files with the tables: `queue/lock/tcpto`, and `queue/lock/tcpto6` beside it.
#[derive(Clone, Debug)]
pub struct TimeoutFile {
    directory: PathBuf,
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
    /// The files of the tree at `home`.
    pub fn new(home: &Path) -> Self {
        Self { directory: home.join("queue/lock") }
    }

    /// Whether the process with this id should try `address` now.
    pub fn check(&self, address: impl Into<IpAddr>, now: u64, process: u32) -> Verdict {
        let address = address.into();
        match self.table_of(Family::of(address)).ok().and_then(|table| table.find(address)) {
            None => Verdict::Unknown,
            Some(record) if record.advises_against(now, process) => Verdict::Skip,
            Some(_) => Verdict::Remembered,
        }
    }

    /// Counts that `address` did not answer in time.
    pub fn time_out(&self, address: impl Into<IpAddr>, now: u64) {
        let address = address.into();
        self.change(Family::of(address), |table| table.time_out(address, now));
    }

    /// Forgets that `address` ever timed out, since it answered: to be called for hosts that were
    /// [`Verdict::Remembered`].
    pub fn clear(&self, address: impl Into<IpAddr>) {
        let address = address.into();
        self.change(Family::of(address), |table| table.clear(address));
    }

    /// The table of IPv4 hosts as it is now.
    ///
    /// # Errors
    /// If the file cannot be opened, locked or read.
    pub fn table(&self) -> io::Result<Table> {
        self.table_of(Family::Ipv4)
    }

    /// The table of these hosts as it is now.
    ///
    /// # Errors
    /// If the file cannot be opened, locked or read: that for IPv6 need not be there.
    pub fn table_of(&self, family: Family) -> io::Result<Table> {
        self.locked(family).and_then(|file| read(family, &file))
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// If the file for IPv4 cannot be opened, locked or written, or that for IPv6 is there and
    /// cannot. Neither is created.
    pub fn reset(&self) -> io::Result<()> {
        self.locked(Family::Ipv4)?.write_all_at(&[0; Family::Ipv4.table()], 0)?;
        match self.locked(Family::Ipv6) {
            Ok(file) => file.write_all_at(&[0; Family::Ipv6.table()], 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes back the one record that `change` names. The table only saves time, so nobody is
    /// told if that fails.
    fn change(&self, family: Family, change: impl FnOnce(&mut Table) -> Option<usize>) {
        let _: io::Result<()> = self.locked_or_new(family).and_then(|file| {
            let mut table = read(family, &file)?;
            let Some(number) = change(&mut table) else { return Ok(()) };
            let offset = u64::try_from(number * family.record()).unwrap_or(u64::MAX);
            file.write_all_at(table.bytes_of(number), offset)
        });
    }

    /// A tree that netqmail made has no table for IPv6. Whoever may write beside the other one
    /// makes it when there is something to remember.
    fn locked_or_new(&self, family: Family) -> io::Result<File> {
        match self.locked(family) {
            Err(error) if family == Family::Ipv6 && error.kind() == io::ErrorKind::NotFound => {
                let mut options = OpenOptions::new();
                let path = self.path(family);
                let file =
                    options.read(true).write(true).create(true).truncate(false).open(path)?;
                file.lock()?;
                if file.metadata()?.len() == 0 {
                    file.set_len(u64::try_from(family.table()).unwrap_or(0))?;
                }
                Ok(file)
            }
            result => result,
        }
    }

    /// The file, ours until it is closed: waits for whoever has it.
    fn locked(&self, family: Family) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(family))?;
        file.lock()?;
        Ok(file)
    }

    fn path(&self, family: Family) -> PathBuf {
        self.directory.join(match family {
            Family::Ipv4 => "tcpto",
            Family::Ipv6 => "tcpto6",
        })
    }
}

fn read(family: Family, file: &File) -> io::Result<Table> {
    let mut bytes = Vec::with_capacity(family.table());
    let most = u64::try_from(family.table()).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Table::new(family, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::net::Ipv4Addr;

    const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const NOW: u64 = 1_700_000_000;

    fn tree(length: u64) -> (tempfile::TempDir, TimeoutFile) {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("queue/lock")).unwrap();
        let file = TimeoutFile::new(home.path());
        File::create(file.path(Family::Ipv4)).unwrap().set_len(length).unwrap();
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
        assert_eq!(std::fs::metadata(file.path(Family::Ipv4)).unwrap().len(), 1024);
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

    #[test]
    fn the_table_for_ipv6_is_made_when_there_is_something_to_remember() {
        let (home, file) = tree(1024);
        let host: IpAddr = "2001:db8::1".parse().unwrap();
        let path = home.path().join("queue/lock/tcpto6");
        assert_eq!(file.check(host, NOW, 0), Verdict::Unknown);
        file.reset().unwrap();
        assert!(!path.exists());
        file.time_out(host, NOW);
        assert_eq!(file.check(host, NOW, 0), Verdict::Remembered);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 2048);
        assert_eq!(file.table().unwrap().records().filter(|it| it.timeouts > 0).count(), 0);
        file.reset().unwrap();
        assert_eq!(file.check(host, NOW, 0), Verdict::Unknown);
    }
}
