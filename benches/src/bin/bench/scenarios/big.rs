//! One large message, in and out again.

use std::io;

use super::{Figure, Scenario, number};
use crate::arguments::Size;
use crate::client::{self, Load};
use crate::sink::Sink;
use crate::site::REMOTE;
use crate::systems::System;

/// In: the whole session of the client. Out: from the first byte at the sink to its reply.
#[derive(Debug)]
pub(crate) struct Big;

impl Scenario for Big {
    fn name(&self) -> &'static str {
        "big"
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        let sink = Sink::start(site.tree())?;
        system.take(&site)?;
        let body = client::body(size.mebibytes << 20);
        let recipients = [REMOTE.to_owned()];
        let load = Load { messages: 1, sessions: 1, recipients: &recipients, body: &body };
        let window = site.open()?;
        client::send(site.tree(), &load)?;
        let taken = site.close(window)?;
        site.stop();
        // Alone, so that the two do not get in each other's way.
        let window = site.open()?;
        system.work(&site)?;
        let sent = sink.wait_for(1)?.last;
        let costs = site.close(window)?;
        let (size, took) = (number(size.mebibytes), taken.took);
        let mut figures = vec![
            Figure::higher(format!("{size} MiB in"), " MiB/s", size / took.as_secs_f64()),
            Figure::higher(format!("{size} MiB out"), " MiB/s", size / sent.as_secs_f64()),
        ];
        for (figure, costs) in figures.iter_mut().zip([taken, costs]) {
            figure.costs = Some((costs, 1));
        }
        Ok(figures)
    }
}
