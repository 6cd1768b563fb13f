//! Whose an address is: the assignments come first, then the accounts of the host. Paths are
//! relative to the home directory of qmail.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

use qmail_core::users;
use qmail_sys::{Child, Exit, FailureCodes, Identity, Spawn, pipe};

use crate::delivery::Failure;
use crate::trouble::Trouble;

/// What qmail-getpw may say: names and an address, which programs take as arguments.
const LIMIT: u64 = 1 << 20;
/// What a program ends with whose libraries cannot be loaded: see ld.so(8).
const NOT_LOADED: u8 = 127;

/// The six strings for `local`. `lookup` asks for accounts: name services run code of others, and
/// not as root.
pub(crate) fn find(local: &[u8], lookup: Identity) -> Result<Vec<u8>, Failure> {
    match users::find(Path::new(users::DATABASE), local) {
        Ok(Some(strings)) => Ok(strings),
        Ok(None) => account(local, lookup),
        Err(_) => Err(Trouble::Database.into()),
    }
}

fn account(local: &[u8], lookup: Identity) -> Result<Vec<u8>, Failure> {
    let answer = pipe().map_err(|_| Trouble::System)?;
    // Not our commands, which it could read.
    let nothing = File::open("/dev/null").map_err(|_| Trouble::System)?;
    let codes =
        FailureCodes { setup: Trouble::Bug.code(), ..FailureCodes::all(Trouble::RunLookup.code()) };
    let child = Spawn::new("bin/qmail-getpw")
        .arg_bytes(local)
        .connect(0, nothing.as_fd())
        .connect(1, answer.write.as_fd())
        .as_user(lookup)
        .failing_with(codes)
        .start()
        .map_err(|_| Trouble::System)?;
    drop(answer.write);
    let mut strings = Vec::new();
    let read = File::from(answer.read).take(LIMIT).read_to_end(&mut strings);
    let ended = end_of(child);
    // What we did not let it finish has no meaning, nor has its end.
    let is_whole =
        read.is_ok_and(|length| u64::try_from(length).is_ok_and(|length| length < LIMIT));
    if !is_whole {
        return Err(Trouble::System.into());
    }
    ended.map(|()| strings)
}

fn end_of(child: Child) -> Result<(), Failure> {
    match child.wait() {
        Ok(Exit::Code(0)) => Ok(()),
        // It could not start, which says nothing of the address: passed on, it would bounce.
        Ok(Exit::Code(NOT_LOADED)) => Err(Trouble::RunLookup.into()),
        Ok(Exit::Code(code)) => Err(Failure::Lookup(code)),
        Ok(Exit::Signal(_)) | Err(_) => Err(Trouble::System.into()),
    }
}
