//! One message to many.

use std::io;

use super::{Figure, ORDINARY, Scenario};
use crate::arguments::Size;
use crate::client::{self, Load};
use crate::sink::Sink;
use crate::systems::System;

/// All of them at the sink.
#[derive(Debug)]
pub(crate) struct Explosion;

impl Scenario for Explosion {
    fn name(&self) -> &'static str {
        "explosion"
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        let sink = Sink::start(site.tree())?;
        system.work(&site)?;
        let name = |number| format!("them-{number}@remote.example");
        let recipients: Vec<String> = (0..size.recipients).map(name).collect();
        let body = client::body(ORDINARY);
        let load = Load { messages: 1, sessions: 1, recipients: &recipients, body: &body };
        let window = site.open()?;
        client::send(site.tree(), &load)?;
        sink.wait_for(size.recipients)?;
        let costs = site.close(window)?;
        let what = format!("one message to {} recipients", size.recipients);
        Ok(vec![Figure::rate(what, size.recipients, costs)])
    }
}
