//! qmail-newu: makes users/cdb from users/assign.
//!
//! Runs as:     root
//! Descriptors: 2 what went wrong; on a terminal, how far it has come
//! Exit codes:  0 made; 111 not made, and the old one stays
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;

use admin_tools::assign::{BadFormat, Line, Wildcards};
use admin_tools::database::{DatabaseError, Writer, replace};
use admin_tools::fatal::{TEMPORARY, give_up};
use admin_tools::lines::{Next, each_line};
use qmail_core::progress::Watched;

const ASSIGN: &str = "users/assign";
const TEMPORARY_FILE: &str = "users/cdb.tmp";

/// What is said if it fails.
struct Failure(&'static str);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text)) => give_up(&format!("qmail-newu: fatal: {text}"), TEMPORARY),
    }
}

fn run() -> Result<(), Failure> {
    qmail_sys::change_mask(0o033);
    std::env::set_current_dir(qmail_core::home::home()).map_err(|_| Failure("unable to chdir"))?;
    let assign = File::open(ASSIGN).map_err(|_| Failure("unable to open users/assign"))?;
    let assign = Watched::new("bytes of users/assign", assign);
    let target = Path::new(qmail_core::users::DATABASE);
    replace(Path::new(TEMPORARY_FILE), target, |writer| fill(writer, assign))
}

fn fill(writer: &mut Writer, assign: Watched) -> Result<(), Failure> {
    let mut add = |key: &[u8], data: &[u8]| {
        writer.add(key, data).map_err(|error| Failure::from(DatabaseError::Write(error)))
    };
    let mut wildcards = Wildcards::default();
    let mut is_complete = false;
    each_line(BufReader::new(assign), |line| match Line::parse(line)? {
        Line::End => {
            is_complete = true;
            Ok(Next::Stop)
        }
        Line::Record { key, data, wildcard } => {
            wildcard.into_iter().for_each(|byte| wildcards.add(byte));
            add(&key, &data).map(|()| Next::Go)
        }
    })?;
    if !is_complete {
        return Err(BadFormat.into());
    }
    add(b"", wildcards.as_bytes())
}

impl From<BadFormat> for Failure {
    fn from(_: BadFormat) -> Self {
        Self("bad format in users/assign")
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self("unable to read users/assign")
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self(match error {
            DatabaseError::Open(_) => "unable to open users/cdb.tmp",
            DatabaseError::Write(_) => "unable to write users/cdb.tmp",
            DatabaseError::Move(_) => "unable to move users/cdb.tmp to users/cdb",
        })
    }
}
