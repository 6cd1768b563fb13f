//! What becomes of a connection once everything about it is known.

use std::io;
use std::net::TcpStream;

use qmail_core::tcp_rules::{self, Client, Verdict};
use qmail_sys::{forget_source_route, interface_name};

use crate::ends::Ends;
use crate::environment::{Changes, changes};
use crate::facts::Facts;
use crate::options::Request;

/// Why a connection is not served: what could not be done, and the reason.
pub(crate) type Dropped = (String, io::Error);

/// Does to a connection what no program has to do.
pub(crate) fn prepare(connection: &TcpStream, ends: &Ends, request: &Request) {
    if !request.keeps_route && ends.remote.is_ipv4() {
        // It fails for a client that has gone, whose program will see the end.
        let _ = forget_source_route(connection);
    }
}

/// The environment of the program for a connection; `None` if the rules deny it.
///
/// # Errors
/// If nobody can tell what the rules say.
pub(crate) fn admit(
    ends: &Ends,
    facts: &Facts,
    request: &Request,
) -> Result<Option<Changes>, Dropped> {
    let set = match verdict(ends, facts, request)? {
        Verdict::Deny => return Ok(None),
        Verdict::Allow(set) => set,
    };
    let interface = ends.interface().and_then(interface_name);
    Ok(Some(changes(ends, facts, interface, set)))
}

fn verdict(ends: &Ends, facts: &Facts, request: &Request) -> Result<Verdict, Dropped> {
    let Some((path, without)) = &request.rules else { return Ok(Verdict::Allow(Vec::new())) };
    let ip = ends.remote.ip().to_string();
    let host = facts.remote_name.as_deref();
    let client = Client { ip: ip.as_bytes(), host, info: facts.remote_user.as_deref() };
    tcp_rules::ask(path, *without, &client)
        .map_err(|error| (format!("unable to read {}", path.display()), error))
}
