//! A program that is about to be started.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::ptr;

use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::{Change, FailureCodes, Setting, Spawn};
use crate::{errno, signal};

/// A [`Spawn`] in the form that the kernel takes: nothing is allocated from here on.
pub(super) struct Prepared {
    candidates: Vec<CString>,
    _arguments: Vec<CString>,
    argument_pointers: Vec<*const libc::c_char>,
    _environment: Vec<CString>,
    environment_pointers: Vec<*const libc::c_char>,
    setting: Setting,
    codes: FailureCodes,
}

impl Prepared {
    pub(super) fn from(spawn: Spawn<'_>) -> io::Result<Self> {
        let setting = Setting::of(&spawn)?;
        let candidates = candidates(&spawn.program, spawn.search);
        let candidates =
            candidates.into_iter().map(|path| c_string(path.into())).collect::<Result<_, _>>()?;
        let arguments: Vec<CString> =
            spawn.arguments.into_iter().map(c_string).collect::<Result<_, _>>()?;
        let environment = changed_environment(&spawn.environment)?;
        Ok(Self {
            candidates,
            argument_pointers: pointers(&arguments),
            _arguments: arguments,
            environment_pointers: pointers(&environment),
            _environment: environment,
            setting,
            codes: spawn.codes,
        })
    }

    /// Becomes the program; on failure, the exit code that says why, and the errno.
    pub(super) fn run(&self) -> (u8, i32) {
        // Std ignores SIGPIPE at start, and an ignored signal stays ignored over exec.
        if signal::restore(&[Signal::SIGPIPE]).is_err() {
            return (self.codes.setup, Errno::last_raw());
        }
        if let Err(failure) = self.setting.take_effect() {
            return failure;
        }
        let errno = self.execute();
        let temporary = errno::is_temporary_code(errno);
        (if temporary { self.codes.temporary } else { self.codes.permanent }, errno)
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

pub(super) fn c_string(string: OsString) -> io::Result<CString> {
    CString::new(string.into_vec()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// The files that `program` may mean. An empty part of `$PATH` is the current directory.
pub(super) fn candidates(program: &OsStr, search: bool) -> Vec<PathBuf> {
    if !search || program.as_bytes().contains(&b'/') {
        return vec![program.into()];
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&path).map(|directory| directory.join(program)).collect()
}

fn changed_environment(changes: &[Change]) -> io::Result<Vec<CString>> {
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
        .map(|(name, value)| {
            // As long as it will be with its NUL, so that it is moved nowhere.
            let mut entry = Vec::with_capacity(name.len() + value.len() + 2);
            entry.extend_from_slice(name.as_bytes());
            entry.push(b'=');
            entry.extend_from_slice(value.as_bytes());
            c_string(OsString::from_vec(entry))
        })
        .collect()
}
