//! Clients that want nothing.

use std::io;

use super::{Figure, Scenario, sessions};
use crate::arguments::Size;
use crate::client;
use crate::systems::System;

/// Greeting and QUIT.
#[derive(Debug)]
pub(crate) struct Connect;

impl Scenario for Connect {
    fn name(&self) -> &'static str {
        "connect"
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        system.take(&site)?;
        let times = size.messages * 2;
        let window = site.open()?;
        client::greet(site.tree(), times, sessions(system))?;
        let costs = site.close(window)?;
        Ok(vec![Figure::rate("connections", times, costs)])
    }
}
