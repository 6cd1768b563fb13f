//! hi-q: runs filters before the queue program, while the client waits.
//!
//! Runs as:     who runs qmail-smtpd, as $QMAILQUEUE
//! Descriptors: 0 message and 1 envelope, both read
//! Exit codes:  those of qmail-queue; 21 a filter refuses the message; 71 a filter failed;
//!              55 no list of filters; 61 no home directory
#![forbid(unsafe_code)]

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use qmail_core::control::{Controls, FILTERS, TIMEOUTFILTERS, list_lines};
use qmail_core::home::home;
use smtpd_tools::chain::Chain;
use smtpd_tools::command::parse;

fn main() -> ExitCode {
    ExitCode::from(run().unwrap_or_else(|code| code))
}

fn run() -> Result<u8, u8> {
    let home = home();
    env::set_current_dir(&home).map_err(|_| 61)?;
    let controls = Controls::open(&home).map_err(|_| 55)?;
    let list = match env::var_os("HIQ_FILTERS") {
        Some(path) => list_lines(&std::fs::read(PathBuf::from(path)).map_err(|_| 55)?),
        None => controls.list(&FILTERS).map_err(|_| 55)?.ok_or(55)?,
    };
    let seconds = controls.number(&TIMEOUTFILTERS).map_err(|_| 55)?;
    let chain = Chain {
        filters: list.iter().filter_map(|line| parse(line)).collect(),
        queue: env::var_os("HIQ_QMAILQUEUE").unwrap_or_else(|| "bin/qmail-queue".into()),
        time: Duration::from_secs(seconds.clamp(1, 3600)),
        may_drop: env::var_os("HIQ_DROP").is_some(),
    };
    let message = qmail_sys::inherit(0).map_err(|_| 54)?;
    let envelope = qmail_sys::inherit(1).map_err(|_| 54)?;
    chain.run(message, envelope).map_err(|_| 71)
}
