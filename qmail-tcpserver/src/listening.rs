//! From the command line to a socket that listens, and to the user who is to serve it.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};

use qmail_sys::{Listen, become_group, become_user, release_input_and_output};

use crate::address::Host;
use crate::failure::Failure;
use crate::names::Names;
use crate::options::Request;
use crate::port;

/// Finds out where to listen, for which name servers may have to be asked.
///
/// # Errors
/// If nobody knows the port or the address.
pub(crate) fn place(request: &Request) -> Result<Listen, Failure> {
    let port = port::of(&request.port).ok_or_else(|| Failure::Port(request.port.clone()))?;
    let (address, both_families) = address(request)?;
    Ok(Listen {
        address: SocketAddr::new(address, port),
        both_families,
        backlog: request.backlog,
        at_once: request.at_once,
    })
}

/// Listens, and then gives up what it took to get there.
///
/// # Errors
/// If the socket or the user cannot be had.
pub(crate) fn open(listen: Listen, request: &Request) -> Result<TcpListener, Failure> {
    let listener = listen.open().map_err(Failure::Listen)?;
    let port = listener.local_addr().map_err(Failure::LocalAddress)?.port();
    // Group before user, who may not change it. Nobody has been accepted yet.
    request.group.map_or(Ok(()), become_group).map_err(Failure::Group)?;
    request.user.map_or(Ok(()), become_user).map_err(Failure::User)?;
    if request.prints_port {
        // As with a log: who does not listen is not waited for.
        let _ = writeln!(io::stdout(), "{port}").and_then(|()| io::stdout().flush());
    }
    release_input_and_output().map_err(Failure::Descriptors)?;
    Ok(listener)
}

/// The address to listen at, and whether it stands for both families.
fn address(request: &Request) -> Result<(IpAddr, bool), Failure> {
    match Host::parse(&request.host, request.families) {
        Host::Everywhere => Ok((Ipv6Addr::UNSPECIFIED.into(), true)),
        Host::At(address) => Ok((address, false)),
        Host::Nowhere => Err(Failure::NoAddress(request.host.clone())),
        Host::Named(name) => match Names::of_this_tree().address(&name, request.families) {
            Ok(Some(address)) => Ok((address, false)),
            Ok(None) => Err(Failure::NoAddress(name)),
            Err(error) => Err(Failure::Address(name, error)),
        },
    }
}
