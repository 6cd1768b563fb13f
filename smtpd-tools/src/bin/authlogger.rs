//! authlogger: a plug-in that logs users who have shown who they are.
//!
//! Runs as:     who runs qmail-smtpd
//! Descriptors: 2 the log
//! Exit codes:  0
#![forbid(unsafe_code)]

use std::os::unix::process::parent_id;

use smtpd_tools::session::{log, variable, word};

fn main() {
    let shown = |name: &str| word(&variable(name).unwrap_or_else(|| b"unknown".to_vec()));
    let start = format!("authlogger: pid {} - user ", parent_id());
    let line = [
        start.as_bytes(),
        &shown("SMTPAUTHUSER"),
        b" authenticated by ",
        &shown("SMTPAUTHMETHOD"),
        b" from ",
        &shown("TCPREMOTEIP"),
    ];
    log(&line.concat());
}
