//! tcp-env: tells a program about the connection that it serves.
//!
//! Runs as:     whoever started it, under inetd or a systemd socket
//! Descriptors: 0 the connection
//! Exit codes:  111 if anything fails, and nothing is printed; otherwise those of the program
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::ExitCode;

use admin_tools::tcp_env::{Network, Request, describe};
use qmail_sys::Spawn;

fn main() -> ExitCode {
    match run() {
        Ok(never) => match never {},
        Err(_) => ExitCode::from(111),
    }
}

fn run() -> io::Result<Infallible> {
    let request = Request::parse(std::env::args_os()).ok_or(io::ErrorKind::InvalidInput)?;
    let program = || Spawn::search(&request.program).args(&request.arguments);
    if std::env::var_os("PROTO").is_some_and(|protocol| protocol == "TCP") {
        return program().replace();
    }
    let connection = TcpStream::from(qmail_sys::inherit(0)?);
    let variables = describe(&connection, &Network::new(request.ident))?;
    let spawn = variables.iter().fold(program(), |spawn, (name, value)| match value {
        Some(value) => spawn.env(name, value),
        None => spawn.env_remove(name),
    });
    spawn.connect(0, connection.as_fd()).replace()
}
