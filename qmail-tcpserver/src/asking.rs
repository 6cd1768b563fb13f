//! A child that finds out about a connection, by asking others, before it becomes the program.
//! However long they take, nobody else waits for it.

use std::io::{self, Write};
use std::net::{IpAddr, TcpStream};
use std::os::unix::ffi::OsStrExt;

use qmail_core::ident;

use crate::ends::Ends;
use crate::facts::Facts;
use crate::lines::{self, Decision};
use crate::log::Log;
use crate::names::Names;
use crate::options::{Belief, Request};
use crate::reception::{admit, prepare};
use crate::sessions::{Accepted, Programs};

/// What the child exits with, unless it becomes the program.
const DENIED: u8 = 100;
const FAILED: u8 = 111;

/// The life of the child: it comes back, with an exit code, only if there is no program.
pub(crate) fn serve(
    connection: TcpStream,
    ends: &Ends,
    request: &Request,
    programs: &Programs,
) -> u8 {
    let mut log = Log::new(request.volume);
    let result = become_program(connection, ends, request, programs, &mut log);
    let code = result.unwrap_or_else(|line| {
        log.complain(&line);
        FAILED
    });
    log.flush();
    code
}

/// The exit code, or what the log is to say.
fn become_program(
    mut connection: TcpStream,
    ends: &Ends,
    request: &Request,
    programs: &Programs,
    log: &mut Log,
) -> Result<u8, String> {
    let process = std::process::id();
    log.tell(|| lines::arrival(process, ends));
    log.flush();
    prepare(&connection, ends, request);
    connection
        .write_all(&request.banner)
        .map_err(|error| lines::dropped("unable to print banner", &error))?;
    let facts = find_out(ends, request, log);
    let admitted =
        admit(ends, &facts, request).map_err(|(what, error)| lines::dropped(&what, &error))?;
    let Some(changes) = admitted else {
        log.tell(|| lines::decision(Decision::Deny, process, ends, &facts));
        return Ok(DENIED);
    };
    log.tell(|| lines::decision(Decision::Ok, process, ends, &facts));
    log.flush();
    let error = programs.replace(Accepted { socket: connection.into(), changes });
    Err(lines::dropped(&unable_to_run(programs), &error))
}

/// What the log says of a program that cannot be run.
pub(crate) fn unable_to_run(programs: &Programs) -> String {
    format!("unable to run {}", String::from_utf8_lossy(programs.name().as_bytes()))
}

/// Asks whom it is told to ask. Who does not answer is not known: that is no reason not to serve.
fn find_out(ends: &Ends, request: &Request, log: &mut Log) -> Facts {
    let names = Names::of_this_tree();
    let mut name = |address: IpAddr, belief: Belief| match names.name(address, belief) {
        Ok(name) => name,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => None,
        Err(error) => {
            log.complain(&lines::warning("unable to ask for names", &error));
            None
        }
    };
    let local_name = match &request.local_name {
        Some(name) => Some(name.clone()),
        None => name(ends.local.ip(), Belief::Any),
    };
    let remote_name = request.remote_name.and_then(|belief| name(ends.remote.ip(), belief));
    let remote_user = request
        .remote_user
        .and_then(|timeout| ident::ask(ends.local, ends.remote, ident::PORT, timeout).ok());
    Facts { local_name, remote_name, remote_user }
}
