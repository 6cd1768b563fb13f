//! aiosmtpd.

use qmail_conformance::{Need, Tree};

use crate::peer::{Peer, SINK, identity};

const PROGRAM: &str = "/usr/bin/python3";
const SERVER: &str = include_str!("aiosmtpd.py");

/// Ports 25 and 465, with TLS and a password required.
pub(crate) fn start(tree: &Tree) -> Option<Peer> {
    if tree.lacks(Need::Tool(PROGRAM)) || tree.lacks(Need::Tool("aiosmtpd")) {
        return None;
    }
    let certificate = identity(&tree.scratch(), "relay.pem", 0);
    let (host, port) = SINK.split_once(':').unwrap_or_default();
    let program = tree.command(PROGRAM).args(["-c", SERVER]).arg(&certificate).args([host, port]);
    Some(Peer::start(tree, program, "[::1]:465"))
}
