//! qmail-tcpserver: accepts connections, and starts a program for each.
//!
//! Runs as:     root until it listens, then as `-u` and `-g` say; programs as it runs itself
//! Descriptors: 1 the port, with `-1`; 2 the log. A program has the connection as 0 and 1
//! Exit codes:  0 it listened until SIGTERM; 100 wrong usage; 111 the system failed before that
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(qmail_tcpserver::run(std::env::args_os()))
}
