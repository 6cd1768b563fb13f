//! Whether a message costs more when many others wait.

use std::io;
use std::time::Instant;

use super::{Figure, SESSIONS, Scenario, send};
use crate::arguments::Size;
use crate::arrivals::Arrivals;
use crate::backlog;
use crate::meter::resident;
use crate::site::{LOCAL, Site};
use crate::systems::{Qmail, System};

/// From SMTP to a Maildir beside queues of three sizes, whose messages wait for another attempt.
#[derive(Debug)]
pub(crate) struct Flat;

/// A queue of one size, and a qmail that works on it.
struct Full {
    site: Site,
    queued: usize,
    arrivals: Arrivals,
    arrived: usize,
}

impl Scenario for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }

    fn suits(&self, system: &dyn System) -> bool {
        system.qmail().is_some()
    }

    fn repeats_itself(&self) -> bool {
        true
    }

    fn run(&self, system: &dyn System, size: &Size, _: bool) -> io::Result<Vec<Figure>> {
        let mut figures = Vec::new();
        let mut all = Vec::new();
        for queued in size.queued {
            all.push(Full::start(system, queued, &mut figures)?);
        }
        for _ in 0..size.rounds {
            for full in &mut all {
                figures.push(full.measure(size.messages)?);
            }
        }
        Ok(figures)
    }
}

impl Full {
    /// What the start takes is a figure, too: until a message that has just come is delivered.
    fn start(system: &dyn System, queued: usize, figures: &mut Vec<Figure>) -> io::Result<Self> {
        let site = system.site(false)?;
        backlog::fill(site.tree(), queued)?;
        system.take(&site)?;
        send(&site, 1, 1, LOCAL)?;
        let mut arrivals = Arrivals::of(site.maildir())?;
        let begin = Instant::now();
        Qmail::deliver(&site);
        arrivals.wait_for(1)?;
        let seconds = begin.elapsed().as_secs_f64();
        let memory = resident(site.tree(), "qmail-send");
        figures.push(Figure::lower(format!("start with {queued} queued"), " s", seconds));
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 KiB")]
        figures.push(Figure::lower(
            format!("qmail-send with {queued} queued"),
            " KiB",
            memory as f64,
        ));
        Ok(Self { site, queued, arrivals, arrived: 1 })
    }

    fn measure(&mut self, messages: usize) -> io::Result<Figure> {
        let window = self.site.open()?;
        send(&self.site, messages, SESSIONS, LOCAL)?;
        self.arrived += messages;
        self.arrivals.wait_for(self.arrived)?;
        let costs = self.site.close(window)?;
        Ok(Figure::rate(format!("SMTP to Maildir with {} queued", self.queued), messages, costs))
    }
}
