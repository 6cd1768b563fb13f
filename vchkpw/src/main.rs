//! vchkpw: checks the password of a user of a domain of vpopmail, and runs a program for him.
//!
//! Usage:       vchkpw PROGRAM [ARGUMENT...]; vchkpw -
//! Runs as:     root, and then as the account of the domain; or set-id to who may read the files of
//!              the domains, and then as whoever started it
//! Descriptors: 3, login, password or digest, and challenge, each with a NUL
//! Exit codes:  those of the program, or 0 for -; 1 wrong password or no such user; 2 misused;
//!              111 try again later
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::ExitCode;

use qmail_core::control::first_line;
use qmail_core::home::home;
use qmail_login::{DESCRIPTOR, Failure, read_request};
use qmail_sys::{Spawn, User, give_up_set_id, real_uid};
use vchkpw::{Account, Login, Service, account};

/// Whose home has the files of vpopmail, apart from those of domains.
const OWNER: &[u8] = b"vpopmail";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.code()),
    }
}

fn run() -> Result<(), Failure> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or(Failure::Misused)?;
    let port = std::env::var_os("TCPLOCALPORT").map(OsString::into_vec);
    let service = Service::of(port.as_deref(), program.as_bytes());
    let request = read_request(qmail_sys::inherit(DESCRIPTOR).map(File::from))?;
    let login = Login::parse(&request.login, usual_domain);
    let account = account(&home(), login.as_ref(), &request, service)?;
    let login = login.ok_or(Failure::Rejected)?;
    if program == "-" {
        return Ok(());
    }
    let name = [login.user.as_slice(), b"@", &login.domain].concat();
    let program = Spawn::search(program)
        .args(words)
        .env("USER", &login.user)
        .env("HOME", account.home.as_os_str().as_bytes())
        .env("SHELL", b"NA")
        .env("VPOPUSER", &name);
    match become_user(&account, service, program)? {}
}

fn become_user(
    account: &Account,
    service: Service,
    program: Spawn<'_>,
) -> Result<Infallible, Failure> {
    // Root, too: with a set-id bit he is somebody who can become nobody else.
    give_up_set_id().map_err(|_| Failure::Temporary)?;
    if real_uid() == 0 {
        account.identity.assume().map_err(|_| Failure::Temporary)?;
    }
    // Who sends mail need not have a place where he gets some.
    let program = match service {
        Service::Smtp => program,
        Service::Pop | Service::Imap => program.directory(&account.home),
    };
    program.replace().map_err(|_| Failure::Temporary)
}

/// The domain of users who do not say theirs.
fn usual_domain() -> Option<Vec<u8>> {
    let owner = User::find(OWNER).ok().flatten()?;
    let line = first_line(&std::fs::read(owner.home.join("etc/defaultdomain")).ok()?);
    Some(line.to_ascii_lowercase()).filter(|line| !line.is_empty())
}
