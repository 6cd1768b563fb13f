//! Starting a program: data first, then one call.

mod prepared;
mod setting;

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::unistd::ForkResult;

use crate::{Child, Gid, Identity, borrow, environment, fd};
use prepared::Prepared;
use setting::Setting;

/// What a child exits with when it cannot become the program.
#[derive(Clone, Copy, Debug)]
pub struct FailureCodes {
    /// Descriptors, groups or user could not be set up.
    pub setup: u8,
    /// The directory could not be entered.
    pub directory: u8,
    /// exec failed in a way that may pass.
    pub temporary: u8,
    /// exec failed for good: no such program, say.
    pub permanent: u8,
}

impl FailureCodes {
    /// The same code whatever goes wrong.
    pub const fn all(code: u8) -> Self {
        Self { setup: code, directory: code, temporary: code, permanent: code }
    }
}

/// A change of the environment: a name, and the value that it gets, if any.
pub type Change = (OsString, Option<OsString>);

/// What there is to know of a [`Spawn`], for those who have it done in another way.
#[derive(Debug)]
pub struct Parts<'spawn, 'fd> {
    /// The arguments, and before them the name of the program.
    pub arguments: &'spawn [OsString],
    /// What is different in its environment.
    pub environment: &'spawn [Change],
    /// Its descriptors: the number that each has for it.
    pub descriptors: Vec<(u8, BorrowedFd<'fd>)>,
    /// Where it works.
    pub directory: Option<&'spawn OsStr>,
    /// Who it is, if not who we are.
    pub identity: Option<Identity>,
    /// What it ends with if it cannot begin.
    pub codes: FailureCodes,
}

/// A child, and what is known of how it began.
#[derive(Debug)]
pub struct Started {
    /// The child, which has to be waited for in any case.
    pub child: Child,
    /// Why it did not become the program. Of one that becomes another user this is not known.
    pub failure: Option<io::Error>,
}

/// A program to be started.
///
/// The child gets the descriptors that are connected, our environment as changed here, an empty
/// signal mask and the usual meaning of SIGPIPE. Everything is allocated before the fork, and the
/// child makes only async-signal-safe calls.
#[derive(Debug)]
pub struct Spawn<'fd> {
    program: OsString,
    search: bool,
    arguments: Vec<OsString>,
    environment: Vec<Change>,
    descriptors: Vec<(RawFd, Option<BorrowedFd<'fd>>)>,
    directory: Option<OsString>,
    identity: Option<Identity>,
    group: Option<Gid>,
    codes: FailureCodes,
}

impl<'fd> Spawn<'fd> {
    /// Runs the file `program`, whose name is also its first argument.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref().to_owned();
        Self {
            arguments: vec![program.clone()],
            program,
            search: false,
            environment: Vec::new(),
            descriptors: Vec::new(),
            directory: None,
            identity: None,
            group: None,
            codes: FailureCodes::all(111),
        }
    }

    /// As [`Self::new`], but a name without a slash is looked for in `$PATH`.
    pub fn search(program: impl AsRef<OsStr>) -> Self {
        Self { search: true, ..Self::new(program) }
    }

    /// Shows the program another name for itself.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<OsStr>) -> Self {
        if let Some(first) = self.arguments.first_mut() {
            *first = name.as_ref().to_owned();
        }
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds an argument given as bytes.
    #[must_use]
    pub fn arg_bytes(self, argument: &[u8]) -> Self {
        self.arg(OsStr::from_bytes(argument))
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        arguments.into_iter().fold(self, |spawn, argument| spawn.arg(argument))
    }

    /// Sets a variable for the program only.
    #[must_use]
    pub fn env(mut self, name: &str, value: &[u8]) -> Self {
        let value = OsStr::from_bytes(value).to_owned();
        self.environment.push((name.into(), Some(value)));
        self
    }

    /// As [`Self::env`], for names that no program of ours has.
    #[must_use]
    pub fn env_bytes(mut self, name: &[u8], value: &[u8]) -> Self {
        let (name, value) = (OsStr::from_bytes(name), OsStr::from_bytes(value));
        self.environment.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Hides a variable from the program.
    #[must_use]
    pub fn env_remove(self, name: &str) -> Self {
        self.env_remove_bytes(name.as_bytes())
    }

    /// As [`Self::env_remove`], for names that no program of ours has.
    #[must_use]
    pub fn env_remove_bytes(mut self, name: &[u8]) -> Self {
        self.environment.push((OsStr::from_bytes(name).to_owned(), None));
        self
    }

    /// Sets the variables that have a value, and hides the others.
    #[must_use]
    pub fn changes(
        mut self,
        changes: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>,
    ) -> Self {
        let changes = changes.into_iter();
        let changes =
            changes.map(|(name, value)| (OsString::from_vec(name), value.map(OsString::from_vec)));
        self.environment.extend(changes);
        self
    }

    /// Makes `fd` the program's descriptor `target`.
    #[must_use]
    pub fn connect(mut self, target: u8, fd: BorrowedFd<'fd>) -> Self {
        self.descriptors.push((target.into(), Some(fd)));
        self
    }

    /// Gives the program no descriptor `target`.
    #[must_use]
    pub fn close(mut self, target: u8) -> Self {
        self.descriptors.push((target.into(), None));
        self
    }

    /// Starts it in this directory.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.as_os_str().to_owned());
        self
    }

    /// Starts it as this user with his one group: see [`Identity::assume`].
    #[must_use]
    pub fn as_user(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Starts it with this one group and the user who we are.
    #[must_use]
    pub fn with_group(mut self, gid: Gid) -> Self {
        self.group = Some(gid);
        self
    }

    /// What the child exits with when it cannot become the program (otherwise 111).
    #[must_use]
    pub fn failing_with(mut self, codes: FailureCodes) -> Self {
        self.codes = codes;
        self
    }

    /// Starts the program in a child.
    ///
    /// # Errors
    /// Those of fork(2) and of preparing it. What fails later is the child's exit code.
    ///
    /// A child that stays who we are borrows our memory until it is the program, which takes half
    /// the time of a copy. One that becomes somebody else gets a copy: he could stop it on its way
    /// (kill(2)), and us with it.
    pub fn start(self) -> io::Result<Child> {
        Ok(self.start_telling()?.child)
    }

    /// As [`Self::start`]; if the child cannot become the program, says why.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_telling(self) -> io::Result<Started> {
        let is_somebody_else = self.identity.is_some() || self.group.is_some();
        let prepared = Prepared::from(self)?;
        if !is_somebody_else {
            // We share memory with the child, and go on when it is the program or has given up.
            let told = AtomicI32::new(0);
            let child = borrow::start(|| {
                let (code, errno) = prepared.run();
                told.store(errno, Ordering::Relaxed);
                code
            })?;
            let errno = Some(told.into_inner()).filter(|errno| *errno != 0);
            return Ok(Started { child, failure: errno.map(io::Error::from_raw_os_error) });
        }
        // SAFETY: the child calls only `Prepared::run`, which is async-signal-safe, and `_exit`.
        match unsafe { nix::unistd::fork() }? {
            ForkResult::Parent { child } => Ok(Started { child: Child::new(child), failure: None }),
            ForkResult::Child => {
                let (code, _) = prepared.run();
                // SAFETY: _exit takes a number, runs nothing of ours, and does not come back.
                unsafe { libc::_exit(code.into()) }
            }
        }
    }

    /// Becomes the program. Comes back only if that fails.
    pub fn replace(self) -> io::Result<Infallible> {
        let prepared = Prepared::from(self)?;
        let (_, errno) = prepared.run();
        Err(io::Error::from_raw_os_error(errno))
    }

    /// Makes this process what the program would find itself in, and returns its arguments: for
    /// copies of a program that do what it would do.
    ///
    /// # Errors
    /// The code to end with.
    pub fn stay(self) -> Result<Vec<OsString>, u8> {
        let setup = self.codes.setup;
        let setting = Setting::of(&self).map_err(|_| setup)?;
        setting.take_effect().map_err(|(code, _)| code)?;
        // Here, and not where they are put in place: a child that borrows our memory does that, too.
        self.descriptors.iter().for_each(|(target, _)| fd::give_again(*target));
        environment::change(&self.environment).map_err(|_| setup)?;
        Ok(self.arguments)
    }

    /// The files that it may be, in the order in which they are tried.
    pub fn files(&self) -> Vec<PathBuf> {
        let directory = self.directory.as_deref().map(Path::new).unwrap_or(Path::new(""));
        let files = prepared::candidates(&self.program, self.search);
        files.into_iter().map(|file| directory.join(file)).collect()
    }

    /// All of it; `None` for what only a new program can be given: a group of another user's, or a
    /// descriptor less.
    pub fn parts(&self) -> Option<Parts<'_, 'fd>> {
        let descriptors = self.descriptors.iter();
        let descriptors =
            descriptors.map(|(target, fd)| Some((u8::try_from(*target).ok()?, (*fd)?)));
        let descriptors = descriptors.collect::<Option<_>>().filter(|_| self.group.is_none())?;
        Some(Parts {
            arguments: &self.arguments,
            environment: &self.environment,
            descriptors,
            directory: self.directory.as_deref(),
            identity: self.identity,
            codes: self.codes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};

    fn output_of(spawn: impl for<'a> FnOnce(BorrowedFd<'a>) -> Spawn<'a>) -> (Exit, String) {
        let pipe = crate::pipe().unwrap();
        let child = spawn(pipe.write.as_fd()).start().unwrap();
        drop(pipe.write);
        let mut output = String::new();
        File::from(pipe.read).read_to_string(&mut output).unwrap();
        (child.wait().unwrap(), output)
    }

    /// What two programs' descriptors say once they are swapped; in a process of its own, where the
    /// pipes get numbers that every shell can name.
    fn swapped() -> io::Result<String> {
        for number in 3..20 {
            // SAFETY: close takes a number; this process has nothing there that it needs.
            unsafe { libc::close(number) };
        }
        let (left, right) = (crate::pipe()?, crate::pipe()?);
        let number = |fd: &OwnedFd| u8::try_from(fd.as_raw_fd()).unwrap_or(0);
        let (one, two) = (number(&left.write), number(&right.write));
        let script = format!("echo first >&{two}; echo second >&{one}");
        let child = Spawn::new("/bin/sh")
            .args(["-c", &script])
            .connect(two, left.write.as_fd())
            .connect(one, right.write.as_fd())
            .start()?;
        drop((left.write, right.write));
        child.wait()?;
        let mut said = String::new();
        File::from(left.read).read_to_string(&mut said)?;
        File::from(right.read).read_to_string(&mut said)?;
        Ok(said)
    }

    #[test]
    fn descriptors_may_be_swapped() {
        let child = crate::fork(|| match swapped() {
            Ok(said) if said == "first\nsecond\n" => 0,
            _ => 1,
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }

    #[test]
    fn why_a_program_did_not_start_is_told() {
        let started = Spawn::new("/nonexistent/program").start_telling().unwrap();
        assert_eq!(started.failure.unwrap().raw_os_error(), Some(libc::ENOENT));
        assert_eq!(started.child.wait().unwrap(), Exit::Code(111));
        let started = Spawn::search("true").start_telling().unwrap();
        assert!(started.failure.is_none());
        assert_eq!(started.child.wait().unwrap(), Exit::Code(0));
    }

    /// In a process of its own, whose descriptor no other test takes.
    #[test]
    fn what_a_child_is_given_is_not_for_its_parent_to_take_again() {
        let child = crate::fork(|| {
            let Ok(ours) = crate::inherit(0) else { return 1 };
            let spawn = Spawn::search("true").connect(0, ours.as_fd());
            if spawn.start().and_then(Child::wait).is_err() {
                return 2;
            }
            let again = crate::inherit(0).map(drop).map_err(|error| error.kind());
            u8::from(again != Err(io::ErrorKind::AlreadyExists))
        });
        assert_eq!(child.unwrap().wait().unwrap(), Exit::Code(0));
    }

    #[test]
    fn environment_is_changed_for_the_program_only() {
        let (exit, output) = output_of(|out| {
            Spawn::search("sh")
                .args(["-c", "echo $A-$B-${PATH+path}"])
                .env("A", b"no")
                .env("A", b"yes")
                .env("B", b"b")
                .env_remove("B")
                .env("PATH", b"/bin:/usr/bin")
                .connect(1, out)
        });
        assert_eq!((exit, output.as_str()), (Exit::Code(0), "yes--path\n"));
    }

    #[test]
    fn a_missing_program_is_the_permanent_code() {
        let codes = FailureCodes { permanent: 126, ..FailureCodes::all(120) };
        let child = Spawn::new("/nonexistent/program").failing_with(codes).start().unwrap();
        assert_eq!(child.wait().unwrap(), Exit::Code(126));
        let codes = FailureCodes { directory: 61, ..FailureCodes::all(120) };
        let spawn = Spawn::new("/bin/true").directory(Path::new("/nonexistent"));
        assert_eq!(spawn.failing_with(codes).start().unwrap().wait().unwrap(), Exit::Code(61));
    }

    #[test]
    fn a_program_dies_of_sigpipe_again() {
        let pipe = crate::pipe().unwrap();
        drop(pipe.read);
        let child = Spawn::new("/bin/cat").arg("/etc/passwd").connect(1, pipe.write.as_fd());
        assert_eq!(child.start().unwrap().wait().unwrap(), Exit::Signal(libc::SIGPIPE));
    }
}
