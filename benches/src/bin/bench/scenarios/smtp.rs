//! Mail from the network, while nothing is delivered.

use std::io;

use super::{Figure, Scenario, plural, send};
use crate::arguments::Size;
use crate::site::LOCAL;
use crate::systems::System;

/// A connection for each message, several at once.
#[derive(Debug)]
pub(crate) struct Smtp {
    pub sessions: usize,
}

impl Scenario for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn suits(&self, system: &dyn System) -> bool {
        self.sessions <= system.most_sessions() || self.sessions == 10
    }

    fn is_counted(&self) -> bool {
        self.sessions == 10
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        system.take(&site)?;
        let window = site.open()?;
        send(&site, size.messages, self.sessions.min(system.most_sessions()), LOCAL)?;
        let costs = site.close(window)?;
        let what = format!("SMTP acceptance, {}", plural(self.sessions, "session"));
        Ok(vec![Figure::rate(what, size.messages, costs)])
    }
}
