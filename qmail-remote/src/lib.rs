//! qmail-remote: sends a message to a host by SMTP.
//!
//! What decides does no I/O: where to send (`route`, `targets`), what to say (`dialogue`) and what
//! became of it (`report`). Around that are sockets (`connection`) and the loop over the targets
//! (`attempt`).
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod attempt;
mod connection;
mod dialogue;
mod envelope;
mod literal;
mod report;
mod route;
mod settings;
mod surroundings;
mod targets;

use std::fs::File;
use std::io;
use std::path::Path;

use crate::attempt::Delivery;
use crate::envelope::Envelope;
use crate::route::Route;
use crate::settings::Settings;
use crate::targets::Target;

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
    let settings = Settings::read(input.home).map_err(|_| Failure::Controls)?;
    let route = Route::find(&settings.routes, host).map_err(|_| Failure::Controls)?;
    let envelope = Envelope::new(sender, recipients)?;
    let targets = find_targets(&route, host, input.system)?;
    let delivery = Delivery {
        settings: &settings,
        envelope: &envelope,
        port: route.port(),
        home: input.home,
        system: input.system,
    };
    let message = input.message.map_err(|_| Failure::Message)?;
    delivery.to_any(&targets, message)
}

/// The addresses to try, in order.
fn find_targets(
    route: &Route,
    host: &[u8],
    system: &impl Surroundings,
) -> Result<Vec<Target>, Failure> {
    match route {
        // Whoever names a relay knows where he sends it: there is no check for loops.
        Route::Relay { host, .. } => {
            targets::of_host(host, 0, system).map_err(|error| error.failure(host))
        }
        Route::Exchangers => {
            let targets = targets::of_domain(host, system).map_err(|error| error.failure(host))?;
            let mut own = system.own_addresses().map_err(|_| Failure::Resources)?;
            own.push(std::net::Ipv4Addr::UNSPECIFIED.into());
            let closer = targets::closer_than_us(targets, &own);
            if closer.is_empty() { Err(Failure::BestPreference) } else { Ok(closer) }
        }
    }
}

#[cfg(test)]
mod tests;
