//! qmail-newcert: makes control/servercert.pem, a certificate of our own making.
//!
//! Usage:       qmail-newcert [-f] [NAME...]
//! Runs as:     root
//! Descriptors: 2 what went wrong
//! Exit codes:  0 made; 100 wrong usage, or there is one already; 111 not made
#![forbid(unsafe_code)]

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use admin_tools::certificate::{certificate, store};
use admin_tools::fatal::{PERMANENT, TEMPORARY, because, give_up};
use qmail_core::accounts::Accounts;
use qmail_core::control::Controls;
use qmail_core::options::{Given, Options};

/// What is said if it fails, and with which code.
struct Failure(String, u8);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text, code)) => give_up(&format!("qmail-newcert: fatal: {text}"), code),
    }
}

fn run() -> Result<(), Failure> {
    let (replaced, names) = command_line()?;
    let home = qmail_core::home::home();
    let accounts = Accounts::load(&home).map_err(|error| Failure(error.to_string(), TEMPORARY))?;
    let names = if names.is_empty() { vec![own_name(&home)?] } else { names };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = certificate(&names, now)
        .map_err(|error| Failure(format!("unable to make a certificate: {error}"), PERMANENT))?;
    store(&home, &accounts, &text, replaced).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure("control/servercert.pem is there already: see -f".into(), PERMANENT)
        }
        _ => Failure(because("unable to write control/servercert.pem", &error), TEMPORARY),
    })
}

fn command_line() -> Result<(bool, Vec<String>), Failure> {
    let usage = || Failure("usage: qmail-newcert [-f] [name ...]".into(), PERMANENT);
    let mut options = Options::new(b"f", std::env::args_os());
    let mut replaced = false;
    while let Some(Given::Letter(b'f')) = options.next_option().map_err(|_| usage())? {
        replaced = true;
    }
    let names = options.operands().into_iter().map(String::from_utf8);
    Ok((replaced, names.collect::<Result<_, _>>().map_err(|_| usage())?))
}

/// What `control/me` says.
fn own_name(home: &std::path::Path) -> Result<String, Failure> {
    let controls = Controls::open(home).map_err(|error| Failure(error.to_string(), TEMPORARY))?;
    let name = controls.me().and_then(|me| String::from_utf8(me.to_vec()).ok());
    name.filter(|name| !name.is_empty())
        .ok_or_else(|| Failure("there is no control/me: say a name".into(), PERMANENT))
}
