//! qmail-newmrh: makes control/morercpthosts.cdb from control/morercpthosts.
//!
//! Runs as:     root
//! Descriptors: 2 what went wrong; on a terminal, how far it has come
//! Exit codes:  0 made; 111 not made, and the old one stays
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;

use admin_tools::database::{DatabaseError, Writer, replace};
use admin_tools::fatal::{TEMPORARY, because, give_up};
use admin_tools::lines::{Next, each_line};
use qmail_core::control::counting;
use qmail_core::progress::Watched;

const SOURCE: &str = "control/morercpthosts";
const TEMPORARY_FILE: &str = "control/morercpthosts.tmp";
const DATABASE: &str = "control/morercpthosts.cdb";

/// What is said if it fails.
struct Failure(String);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text)) => give_up(&format!("qmail-newmrh: fatal: {text}"), TEMPORARY),
    }
}

fn run() -> Result<(), Failure> {
    qmail_sys::change_mask(0o033);
    let home = qmail_core::home::home();
    std::env::set_current_dir(&home).map_err(|error| {
        Failure(because(&format!("unable to chdir to {}", home.display()), &error))
    })?;
    let source = Watched::new("bytes of control/morercpthosts", File::open(SOURCE)?);
    replace(Path::new(TEMPORARY_FILE), Path::new(DATABASE), |writer| fill(writer, source))
}

fn fill(writer: &mut Writer, source: Watched) -> Result<(), Failure> {
    each_line(BufReader::new(source), |line| {
        if let Some(line) = counting(line) {
            // As it is looked for.
            writer.add(&line.to_ascii_lowercase(), b"").map_err(DatabaseError::Write)?;
        }
        Ok(Next::Go)
    })
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(because(&format!("unable to read {SOURCE}"), &error))
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self(match error {
            DatabaseError::Open(error) | DatabaseError::Write(error) => {
                because(&format!("unable to write to {TEMPORARY_FILE}"), &error)
            }
            DatabaseError::Move(error) => {
                because(&format!("unable to move {TEMPORARY_FILE} to {DATABASE}"), &error)
            }
        })
    }
}
