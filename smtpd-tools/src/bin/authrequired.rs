//! authrequired: a plug-in that refuses senders who have not shown who they are.
//!
//! Runs as:     who runs qmail-smtpd
//! Descriptors: 1 the answer; 2 the log
//! Exit codes:  0
#![forbid(unsafe_code)]

use std::os::unix::process::parent_id;

use smtpd_tools::session::{answer, log, variable};

fn main() {
    if variable("SMTPAUTHUSER").is_none() {
        let pid = parent_id();
        log(format!("authrequired: pid {pid} - message rejected, SMTP AUTH required.").as_bytes());
        answer(b"E550 SMTP AUTH required");
    }
}
