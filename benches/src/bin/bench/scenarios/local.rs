//! From the network to a Maildir.

use std::io;

use super::{Figure, Scenario, send, sessions};
use crate::arguments::Size;
use crate::arrivals::Arrivals;
use crate::site::LOCAL;
use crate::systems::System;

/// The time ends when the last message is there.
#[derive(Debug)]
pub(crate) struct Local;

impl Scenario for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn is_counted(&self) -> bool {
        true
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        system.work(&site)?;
        let mut arrivals = Arrivals::of(site.maildir())?;
        let window = site.open()?;
        send(&site, size.messages, sessions(system), LOCAL)?;
        arrivals.wait_for(size.messages)?;
        let costs = site.close(window)?;
        arrivals.check(size.messages)?;
        Ok(vec![Figure::rate("SMTP to Maildir", size.messages, costs)])
    }
}
