//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Failure;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make the tree.
    Install,
    /// Make what a package does not bring, and give owners and modes to what it has brought.
    Complete,
    /// Tell what making the tree would change and break.
    DryRun,
    /// Lay out the files of a package below this directory.
    Stage(PathBuf),
    /// Look whether everything in the tree is as it should be.
    Check,
    /// Put checkpassword into this directory, where only qmail-smtpd reaches it.
    Protect(PathBuf),
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub command: Command,
    from: Vec<PathBuf>,
}

/// Where the documents of others have it.
const PROTECTED: &str = "/bin/qmaild";

impl Request {
    /// Reads the words after the program's name; `None` if they make no sense.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut request = Self { command: Command::Install, from: Vec::new() };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.to_str()? {
                "--from" => request.from.push(words.next()?.into()),
                "--stage" => request.command(Command::Stage(words.next()?.into()))?,
                "--unpacked" => request.command(Command::Complete)?,
                "--dry-run" => request.command(Command::DryRun)?,
                "check" => request.command(Command::Check)?,
                "protect" => {
                    let directory = words.next().map_or_else(|| PROTECTED.into(), PathBuf::from);
                    request.command(Command::Protect(directory))?;
                }
                _ => return None,
            }
        }
        Some(request)
    }

    /// One thing at a time.
    fn command(&mut self, command: Command) -> Option<()> {
        let is_first = self.command == Command::Install;
        self.command = command;
        is_first.then_some(())
    }

    /// What messages begin with.
    pub fn name(&self) -> &'static str {
        match self.command {
            Command::Check => "instcheck",
            _ => "install",
        }
    }

    /// Where the programs are: the directories given, or the one that this program is in.
    ///
    /// # Errors
    /// If the kernel does not tell where this program is.
    pub fn sources(&self) -> Result<Vec<PathBuf>, Failure> {
        if !self.from.is_empty() {
            return Ok(self.from.clone());
        }
        let link = PathBuf::from("/proc/self/exe");
        let own = std::env::current_exe().map_err(Failure::unable("read", &link))?;
        Ok(own.parent().map(PathBuf::from).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<Request> {
        Request::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn programs_come_from_beside_this_one_unless_told_otherwise() {
        let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        assert_eq!(parse(&[]).unwrap().sources().unwrap(), [beside]);
        let given = parse(&["--from", "a", "--from", "b"]).unwrap();
        assert_eq!(given.sources().unwrap(), [PathBuf::from("a"), "b".into()]);
    }

    #[test]
    fn an_unknown_word_is_not_taken_for_something_else() {
        assert_eq!(parse(&["chekc"]), None);
        assert_eq!(parse(&["--from"]), None);
        assert_eq!(parse(&["check"]).unwrap().command, Command::Check);
        let protected = |words: &[&str]| parse(words).unwrap().command;
        assert_eq!(protected(&["protect"]), Command::Protect("/bin/qmaild".into()));
        assert_eq!(protected(&["protect", "/elsewhere"]), Command::Protect("/elsewhere".into()));
    }

    #[test]
    fn one_thing_is_done_at_a_time() {
        assert_eq!(parse(&["--dry-run"]).unwrap().command, Command::DryRun);
        assert_eq!(parse(&["--unpacked"]).unwrap().command, Command::Complete);
        assert_eq!(parse(&["--stage", "a"]).unwrap().command, Command::Stage("a".into()));
        assert_eq!(parse(&["--stage"]), None);
        // Whoever wants to see what would happen must not be surprised by it happening.
        assert_eq!(parse(&["--dry-run", "--unpacked"]), None);
        assert_eq!(parse(&["check", "--dry-run"]), None);
    }
}
