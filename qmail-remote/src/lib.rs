//! qmail-remote: sends a message to a host by SMTP.
//!
//! What decides does no I/O: where to send (`route`, `targets`), what to say (`dialogue`, with an
//! `extension` in a file each) and what became of it (`report`). Around that are sockets
//! (`channel`, `connection`), certificates (`security`) and the loop over the targets (`attempt`).
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod attempt;
mod channel;
mod connection;
mod dialogue;
mod envelope;
mod extension;
mod literal;
mod message;
mod report;
mod route;
mod security;
mod settings;
mod source;
mod surroundings;
mod targets;

use std::fs::File;
use std::io;
use std::path::Path;

use qmail_core::control::Controls;
use qmail_core::own_addresses::OwnAddresses;

use crate::attempt::Delivery;
use crate::envelope::Envelope;
use crate::message::Facts;
use crate::route::{Relay, Route};
use crate::settings::Settings;
use crate::targets::{Families, Target};

pub use report::{Failure, Report};
pub use surroundings::{Surroundings, System};

/// What the program was given.
#[derive(Debug)]
pub struct Input<'s, S> {
    /// Host, sender and recipients.
    pub arguments: Vec<Vec<u8>>,
    /// The message, from here to its end.
    pub message: io::Result<File>,
    /// Home of the qmail tree.
    pub home: &'s Path,
    /// Everything else.
    pub system: &'s S,
}

/// Sends the message, and tells what became of it.
pub fn run(input: Input<'_, impl Surroundings>) -> Report {
    send(input).unwrap_or_else(|failure| failure.report())
}

fn send(input: Input<'_, impl Surroundings>) -> Result<Report, Failure> {
    let [host, sender, recipients @ ..] = input.arguments.as_slice() else {
        return Err(Failure::Usage);
    };
    if recipients.is_empty() {
        return Err(Failure::Usage);
    }
    std::env::set_current_dir(input.home).map_err(|_| Failure::Home)?;
    let settings = Settings::read(input.home)?;
    let envelope = Envelope::new(sender, recipients)?;
    let route = Route::find(&settings.senders, &envelope.sender, &settings.routes, host)
        .map_err(|_| Failure::Controls)?;
    let targets = find_targets(&route, host, &settings, &input)?;
    let mut message = input.message.map_err(|_| Failure::Message)?;
    let delivery = Delivery {
        settings: &settings,
        envelope: &envelope,
        facts: Facts::of(&message).map_err(|_| Failure::Message)?,
        route: &route,
        home: input.home,
        system: input.system,
    };
    delivery.to_any(&targets, &mut message)
}

/// The addresses to try, in order.
fn find_targets(
    route: &Route,
    host: &[u8],
    settings: &Settings,
    input: &Input<'_, impl Surroundings>,
) -> Result<Vec<Target>, Failure> {
    let system = input.system;
    let interfaces = system.own_addresses();
    let automatic = || Families::on_host_with(interfaces.as_deref().unwrap_or_default());
    let families = settings.families.unwrap_or_else(automatic);
    match route {
        // Whoever names a relay knows where he sends it: there is no check for loops.
        Route::Relay(Relay { host, .. }) => {
            targets::of_host(host, families, system).map_err(|error| error.failure(host))
        }
        Route::Exchangers => {
            let find = |families| {
                targets::of_domain(host, families, system).map_err(|error| error.failure(host))
            };
            let found = find(families)?;
            let controls = Controls::open(input.home)?;
            let own = OwnAddresses::read(&controls, interfaces.map_err(|_| Failure::Resources)?)?;
            match targets::closer_than_us(found, &own) {
                // Those who are closer may have nothing but IPv6.
                Err(Failure::BestPreference) if families == Families::Spare6 => {
                    targets::closer_than_us(find(Families::Prefer4)?, &own)
                }
                closer => closer,
            }
        }
    }
}

#[cfg(test)]
mod tests;
