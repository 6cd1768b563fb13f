//! What is measured, one kind a file.

mod big;
mod burst;
mod connect;
mod drain;
mod explosion;
mod flat;
mod idle;
mod inject;
mod local;
mod pop3;
mod queue;
mod remote;
mod smtp;

use std::io;

use qmail_conformance::files;

use crate::arguments::Size;
use crate::client::{self, Load};
use crate::meter::Costs;
use crate::site::Site;
use crate::systems::System;

/// Something to measure.
pub(crate) trait Scenario {
    /// By which it is chosen.
    fn name(&self) -> &'static str;

    /// Whether a system can do it.
    fn suits(&self, system: &dyn System) -> bool {
        let _ = system;
        true
    }

    /// Whether system calls are worth counting.
    fn is_counted(&self) -> bool {
        false
    }

    /// Whether it repeats itself, because it is long in the making.
    fn repeats_itself(&self) -> bool {
        false
    }

    /// Does it once. With `counts`, only the costs are of interest.
    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>>;
}

/// A result.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What it is of.
    pub what: String,
    pub unit: &'static str,
    pub better: Better,
    pub value: f64,
    /// What it cost, and for how many messages.
    pub costs: Option<(Costs, usize)>,
}

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

impl Figure {
    /// Messages a second.
    fn rate(what: impl Into<String>, messages: usize, costs: Costs) -> Self {
        let value = number(messages) / costs.took.as_secs_f64();
        let costs = Some((costs, messages));
        Self { what: what.into(), unit: "/s", better: Better::Higher, value, costs }
    }

    fn higher(what: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { what: what.into(), unit, better: Better::Higher, value, costs: None }
    }

    fn lower(what: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self { what: what.into(), unit, better: Better::Lower, value, costs: None }
    }
}

/// All of them, in the order of the tables.
pub(crate) fn all() -> Vec<Box<dyn Scenario>> {
    let mut all: Vec<Box<dyn Scenario>> = Vec::new();
    all.extend([1, 4, 20].map(|writers| Box::new(inject::Inject { writers }) as Box<dyn Scenario>));
    all.extend([1, 4, 20].map(|writers| Box::new(queue::Queue { writers }) as Box<dyn Scenario>));
    all.extend([1, 10, 50].map(|sessions| Box::new(smtp::Smtp { sessions }) as Box<dyn Scenario>));
    all.extend([
        Box::new(local::Local) as Box<dyn Scenario>,
        Box::new(drain::Drain),
        Box::new(remote::Remote),
        Box::new(burst::Burst),
        Box::new(explosion::Explosion),
        Box::new(idle::Idle),
        Box::new(connect::Connect),
        Box::new(big::Big),
        Box::new(pop3::Pop3),
        Box::new(flat::Flat),
    ]);
    all
}

/// The size of an ordinary message.
const ORDINARY: usize = 4096;

/// How many clients there are where their number is not what is measured.
const SESSIONS: usize = 10;

/// So many of this system.
fn sessions(system: &dyn System) -> usize {
    SESSIONS.min(system.most_sessions())
}

/// Sends ordinary messages by SMTP.
fn send(site: &Site, messages: usize, sessions: usize, to: &str) -> io::Result<()> {
    let (recipients, body) = ([to.to_owned()], client::body(ORDINARY));
    client::send(site.tree(), &Load { messages, sessions, recipients: &recipients, body: &body })
}

/// An ordinary message in a file.
fn message(site: &Site) -> std::path::PathBuf {
    let path = site.tree().scratch().join("message");
    let mut body = client::body(ORDINARY);
    body.retain(|byte| *byte != b'\r');
    files::write(&path, body);
    path
}

/// Exact for every number of messages that there can be.
#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 messages")]
fn number(count: usize) -> f64 {
    count as f64
}

fn plural(count: usize, one: &str) -> String {
    if count == 1 { format!("{count} {one}") } else { format!("{count} {one}s") }
}
