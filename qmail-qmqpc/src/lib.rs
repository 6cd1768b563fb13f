//! The QMQP client: takes a message as qmail-queue does, and has a server queue it.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod failure;
pub mod reply;
pub mod words;

mod envelope;
mod server;

use std::io::{BufRead, Read};
use std::net::Ipv4Addr;
use std::path::Path;

use qmail_core::control::{Controls, QMQPSERVERS};

use failure::Failure;
use reply::Reply;
use server::{Attempt, Parcel, parse_address};

/// Reads the message and its envelope, and has the first server that can be reached queue them.
pub fn run(
    home: &Path,
    message: &mut impl Read,
    envelope: &mut impl BufRead,
) -> Result<Reply, Failure> {
    std::env::set_current_dir(home).map_err(|_| Failure::Home)?;
    let servers = servers(home)?;
    let message = read_message(message)?;
    let envelope = envelope::to_netstrings(envelope)?;
    let parcel = Parcel::new(&message, &envelope);
    let mut last = Failure::NoServer;
    for address in servers {
        match server::hand_over(address, &parcel)? {
            Attempt::Answered(reply) => return Ok(reply),
            Attempt::Unreachable(failure) => last = failure,
        }
    }
    Err(last)
}

fn servers(home: &Path) -> Result<Vec<Ipv4Addr>, Failure> {
    let controls = Controls::open(home).map_err(|_| Failure::Controls)?;
    let list = controls.list(&QMQPSERVERS).map_err(|_| Failure::Controls)?;
    let lines = list.ok_or(Failure::Controls)?;
    Ok(lines.iter().filter_map(|line| parse_address(line)).collect())
}

/// All of it: its length has to be sent first.
fn read_message(input: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut message = Vec::new();
    input.read_to_end(&mut message).map_err(|error| Failure::reading(&error))?;
    Ok(message)
}
