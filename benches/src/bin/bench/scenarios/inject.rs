//! Mail of this host, while nothing is delivered.

use std::io;

use super::{Figure, Scenario, message, plural};
use crate::arguments::Size;
use crate::helper::Job;
use crate::site::LOCAL;
use crate::systems::{Delivery, Sendmail, System};

/// The sendmail command of the system, several at once.
#[derive(Debug)]
pub(crate) struct Inject {
    pub writers: usize,
}

impl Scenario for Inject {
    fn name(&self) -> &'static str {
        "inject"
    }

    fn is_counted(&self) -> bool {
        self.writers == 4
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        let sendmail = system.sendmail(&site, Delivery::Later);
        if sendmail.asks_a_daemon {
            system.take(&site)?;
        }
        let Sendmail { mut words, variables, .. } = sendmail;
        words.push(LOCAL.into());
        let (times, at_once) = (size.messages, self.writers);
        let job = Job { times, at_once, input: message(&site), envelope: None, words, variables };
        let window = site.open()?;
        job.run_in(&site)?;
        let costs = site.close(window)?;
        let what = format!("`sendmail`, {}", plural(self.writers, "writer"));
        Ok(vec![Figure::rate(what, size.messages, costs)])
    }
}
