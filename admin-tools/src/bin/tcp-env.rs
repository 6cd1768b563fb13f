//! tcp-env: tells a program about the connection that it serves.
//!
//! Runs as:     whoever started it, under inetd or a systemd socket
//! Descriptors: 0 the connection
//! Exit codes:  100 the rules deny it; 111 if anything fails, and nothing is printed; otherwise
//!              those of the program
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use admin_tools::tcp_env::{Network, Request, Variable, describe};
use qmail_core::tcp_rules::{Client, Verdict, ask};
use qmail_sys::Spawn;

/// Why there is no program.
enum Failure {
    System,
    /// The rules are against it.
    Denied,
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::System
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(never) => match never {},
        Err(Failure::Denied) => ExitCode::from(100),
        Err(Failure::System) => ExitCode::from(111),
    }
}

fn run() -> Result<Infallible, Failure> {
    let request = Request::parse(std::env::args_os()).ok_or(Failure::System)?;
    let program = Spawn::search(&request.program).args(&request.arguments);
    if std::env::var_os("PROTO").is_some_and(|protocol| protocol == "TCP") {
        let known = |name| std::env::var_os(name).map(OsString::into_vec);
        return Ok(ruled(&request, program, known)?.replace()?);
    }
    let connection = TcpStream::from(qmail_sys::inherit(0)?);
    let variables = describe(&connection, &Network::new(request.ident))?;
    let program = variables.iter().fold(program, |spawn, (name, value)| match value {
        Some(value) => spawn.env(name, value),
        None => spawn.env_remove(name),
    });
    let known = |name| value_of(&variables, name);
    Ok(ruled(&request, program, known)?.connect(0, connection.as_fd()).replace()?)
}

/// The program with what the rules say, if there are any and they let it run.
fn ruled<'fd>(
    request: &Request,
    program: Spawn<'fd>,
    known: impl Fn(&'static str) -> Option<Vec<u8>>,
) -> Result<Spawn<'fd>, Failure> {
    let Some((rules, without)) = &request.rules else { return Ok(program) };
    let (host, info) = (known("TCPREMOTEHOST"), known("TCPREMOTEINFO"));
    // Nobody without an address comes over a network.
    let ip = known("TCPREMOTEIP").ok_or(Failure::System)?;
    let client = Client { ip: &ip, host: host.as_deref(), info: info.as_deref() };
    match ask(rules, *without, &client)? {
        Verdict::Deny => Err(Failure::Denied),
        Verdict::Allow(variables) => {
            let set = |spawn: Spawn<'fd>, (name, value): (Vec<u8>, Vec<u8>)| {
                spawn.env_bytes(&name, &value)
            };
            Ok(variables.into_iter().fold(program, set))
        }
    }
}

fn value_of(variables: &[Variable], name: &str) -> Option<Vec<u8>> {
    variables.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.clone())
}
