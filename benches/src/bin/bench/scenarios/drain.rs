//! A queue that is full when the system starts.

use std::io;

use super::{Figure, Scenario, send, sessions};
use crate::arguments::Size;
use crate::arrivals::Arrivals;
use crate::site::LOCAL;
use crate::systems::System;

/// The time is that from the start of the system to the last message in the Maildir.
#[derive(Debug)]
pub(crate) struct Drain;

impl Scenario for Drain {
    fn name(&self) -> &'static str {
        "drain"
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        system.take(&site)?;
        let messages = size.messages * 2;
        send(&site, messages, sessions(system), LOCAL)?;
        site.stop();
        let mut arrivals = Arrivals::of(site.maildir())?;
        let window = site.open()?;
        system.work(&site)?;
        arrivals.wait_for(messages)?;
        let costs = site.close(window)?;
        arrivals.check(messages)?;
        Ok(vec![Figure::rate("drain of a full queue", messages, costs)])
    }
}
