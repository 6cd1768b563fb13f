//! qmail-queue alone.

use std::io;

use qmail_conformance::files;

use super::{Figure, Scenario, message, plural};
use crate::arguments::Size;
use crate::helper::Job;
use crate::site::{LOCAL, words};
use crate::systems::{Qmail, System};

/// What every message goes through, several at once.
#[derive(Debug)]
pub(crate) struct Queue {
    pub writers: usize,
}

impl Scenario for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn suits(&self, system: &dyn System) -> bool {
        system.qmail().is_some()
    }

    fn is_counted(&self) -> bool {
        self.writers == 4
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        let envelope = site.tree().scratch().join("envelope");
        files::write(&envelope, format!("Fsender@elsewhere.example\0T{LOCAL}\0\0"));
        let job = Job {
            times: size.messages,
            at_once: self.writers,
            input: message(&site),
            envelope: Some(envelope),
            words: words([Qmail::program(&site, "qmail-queue")]),
            variables: Vec::new(),
        };
        let window = site.open()?;
        job.run_in(&site)?;
        let costs = site.close(window)?;
        let what = format!("`qmail-queue`, {}", plural(self.writers, "writer"));
        Ok(vec![Figure::rate(what, size.messages, costs)])
    }
}
