//! From the network to another server.

use std::io;

use super::{Figure, Scenario, send, sessions};
use crate::arguments::Size;
use crate::sink::Sink;
use crate::site::REMOTE;
use crate::systems::System;

/// The time ends when the sink has taken the last message.
#[derive(Debug)]
pub(crate) struct Remote;

impl Scenario for Remote {
    fn name(&self) -> &'static str {
        "remote"
    }

    fn is_counted(&self) -> bool {
        true
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        let sink = Sink::start(site.tree())?;
        system.work(&site)?;
        let window = site.open()?;
        send(&site, size.messages, sessions(system), REMOTE)?;
        sink.wait_for(size.messages)?;
        let costs = site.close(window)?;
        Ok(vec![Figure::rate("SMTP to another server", size.messages, costs)])
    }
}
