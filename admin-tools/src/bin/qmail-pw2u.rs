//! qmail-pw2u: makes users/assign from a passwd file.
//!
//! Runs as:     root
//! Descriptors: 0 passwd(5), read; 1 users/assign, written; 2 what went wrong
//! Exit codes:  0 the list is complete; 100 wrong usage; 111 it is not, and must not be used
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

use admin_tools::fatal::{PERMANENT, TEMPORARY, give_up};
use admin_tools::pw2u::{Failure, Lists, Rules, Writer};
use qmail_core::if_there;

fn main() -> ExitCode {
    let rules = match Rules::parse(std::env::args_os()) {
        Ok(rules) => rules,
        Err(bad) => return give_up(&bad.to_string(), PERMANENT),
    };
    match run(rules) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => give_up(&format!("qmail-pw2u: fatal: {text}"), TEMPORARY),
    }
}

fn run(mut rules: Rules) -> Result<(), String> {
    std::env::set_current_dir(qmail_core::home::home()).map_err(|_| "unable to chdir")?;
    let controls = |_| "unable to read controls".to_owned();
    rules.lists = Lists::read(Path::new("users")).map_err(controls)?;
    let said = |failure: Failure| failure.to_string();
    let passwd = qmail_sys::inherit(0).map_err(|_| said(Failure::Read))?;
    let output = qmail_sys::inherit(1).map_err(|_| said(Failure::Write))?;
    let mut writer = Writer::new(&rules, BufWriter::new(File::from(output)));
    writer.accounts(BufReader::new(File::from(passwd)), owner).map_err(said)?;
    if let Some(subusers) = if_there(File::open("users/subusers")).map_err(controls)? {
        writer.subusers(BufReader::new(subusers)).map_err(said)?;
    }
    if let Some(lines) = if_there(File::open("users/append")).map_err(controls)? {
        writer.append(lines).map_err(said)?;
    }
    writer.finish().map_err(said)
}

fn owner(home: &[u8]) -> io::Result<u32> {
    Ok(fs::metadata(OsStr::from_bytes(home))?.uid())
}
