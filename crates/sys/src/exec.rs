//! Starting a program: data first, then one call.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::ptr;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::unistd::ForkResult;

use crate::identity::change_group;
use crate::{Child, Gid, Identity, borrow, errno, fd, signal};

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
    environment: Vec<(OsString, Option<OsString>)>,
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
    pub fn env_remove(mut self, name: &str) -> Self {
        self.environment.push((name.into(), None));
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
        let prepared = Prepared::from(self)?;
        if prepared.identity.is_none() && prepared.group.is_none() {
            return borrow::start(|| prepared.run().0);
        }
        // SAFETY: the child calls only `Prepared::run`, which is async-signal-safe, and `_exit`.
        match unsafe { nix::unistd::fork() }? {
            ForkResult::Parent { child } => Ok(Child::new(child)),
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
}

/// A [`Spawn`] in the form that the kernel takes: nothing is allocated from here on.
struct Prepared {
    candidates: Vec<CString>,
    _arguments: Vec<CString>,
    argument_pointers: Vec<*const libc::c_char>,
    _environment: Vec<CString>,
    environment_pointers: Vec<*const libc::c_char>,
    descriptors: Vec<(RawFd, Option<RawFd>)>,
    _lifted: Vec<OwnedFd>,
    directory: Option<CString>,
    identity: Option<Identity>,
    group: Option<Gid>,
    codes: FailureCodes,
}

impl Prepared {
    fn from(spawn: Spawn<'_>) -> io::Result<Self> {
        let candidates = candidates(&spawn.program, spawn.search)?;
        let arguments: Vec<CString> =
            spawn.arguments.into_iter().map(c_string).collect::<Result<_, _>>()?;
        let environment = changed_environment(&spawn.environment)?;
        // Above every target, so that no dup2 overwrites what a later one needs, and none is onto
        // itself, which would keep close-on-exec.
        let floor = spawn.descriptors.iter().map(|(target, _)| *target).max().unwrap_or(-1);
        let mut lifted = Vec::new();
        let mut descriptors = Vec::new();
        for (target, source) in &spawn.descriptors {
            let source = match source {
                None => None,
                Some(source) if source.as_raw_fd() > floor => Some(source.as_raw_fd()),
                Some(source) => {
                    let copy = fd::lift(*source, floor)?;
                    let raw = copy.as_raw_fd();
                    lifted.push(copy);
                    Some(raw)
                }
            };
            descriptors.push((*target, source));
        }
        Ok(Self {
            candidates,
            argument_pointers: pointers(&arguments),
            _arguments: arguments,
            environment_pointers: pointers(&environment),
            _environment: environment,
            descriptors,
            _lifted: lifted,
            directory: spawn.directory.map(c_string).transpose()?,
            identity: spawn.identity,
            group: spawn.group,
            codes: spawn.codes,
        })
    }

    /// Becomes the program; on failure, the exit code that says why, and the errno.
    fn run(&self) -> (u8, i32) {
        // Before the user: to get there may take more rights than he has.
        if let Some(directory) = &self.directory {
            // SAFETY: chdir reads a string that ends in NUL and that we own.
            if unsafe { libc::chdir(directory.as_ptr()) } == -1 {
                return (self.codes.directory, Errno::last_raw());
            }
        }
        if let Err(errno) = self.set_up() {
            return (self.codes.setup, errno);
        }
        let errno = self.execute();
        let temporary = errno::is_temporary_code(errno);
        (if temporary { self.codes.temporary } else { self.codes.permanent }, errno)
    }

    fn set_up(&self) -> Result<(), i32> {
        for (target, source) in &self.descriptors {
            let result = match source {
                // SAFETY: dup2 takes two numbers and touches no memory.
                Some(source) => unsafe { libc::dup2(*source, *target) },
                // SAFETY: close takes a number; the child needs nothing that had it.
                None => unsafe { libc::close(*target) },
            };
            if result == -1 && source.is_some() {
                return Err(Errno::last_raw());
            }
        }
        // Std ignores SIGPIPE at start, and an ignored signal stays ignored over exec.
        signal::restore(&[Signal::SIGPIPE]).map_err(|_| Errno::last_raw())?;
        let nothing = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&nothing), None).map_err(|errno| errno as i32)?;
        let errno = self.group.map_or(0, change_group);
        let errno = if errno == 0 { self.identity.map_or(0, Identity::change) } else { errno };
        if errno == 0 { Ok(()) } else { Err(errno) }
    }

    /// Tries each candidate, as execvp(3) does: one that we may not run is not the end.
    fn execute(&self) -> i32 {
        let mut errno = libc::ENOENT;
        for candidate in &self.candidates {
            // SAFETY: path, arguments and environment are strings that end in NUL, in arrays that
            // end in a null pointer, all owned by self.
            unsafe {
                libc::execve(
                    candidate.as_ptr(),
                    self.argument_pointers.as_ptr(),
                    self.environment_pointers.as_ptr(),
                )
            };
            match Errno::last_raw() {
                libc::ENOENT | libc::ENOTDIR => {}
                libc::EACCES => errno = libc::EACCES,
                other => return other,
            }
        }
        errno
    }
}

fn c_string(string: OsString) -> io::Result<CString> {
    CString::new(string.into_vec()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// The files that `program` may mean. An empty part of `$PATH` is the current directory.
fn candidates(program: &OsStr, search: bool) -> io::Result<Vec<CString>> {
    if !search || program.as_bytes().contains(&b'/') {
        return Ok(vec![c_string(program.to_owned())?]);
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&path).map(|directory| c_string(directory.join(program).into())).collect()
}

fn changed_environment(changes: &[(OsString, Option<OsString>)]) -> io::Result<Vec<CString>> {
    let unchanged =
        std::env::vars_os().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let last = |name: &OsString| changes.iter().rev().find(|(changed, _)| changed == name);
    let set = changes.iter().enumerate().filter_map(|(at, (name, value))| {
        // A variable that is changed twice keeps the last value only.
        let is_last = last(name).is_some_and(|entry| ptr::eq(entry, &raw const changes[at]));
        value.clone().filter(|_| is_last).map(|value| (name.clone(), value))
    });
    unchanged
        .chain(set)
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            c_string(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;

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
