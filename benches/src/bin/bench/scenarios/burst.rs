//! Mail that comes faster than it goes.

use std::io;

use super::{Figure, Scenario, message, number};
use crate::arguments::Size;
use crate::arrivals::Arrivals;
use crate::helper::Job;
use crate::site::LOCAL;
use crate::systems::{Delivery, Sendmail, System};

/// Twenty writers at once; whether deliveries starve meanwhile.
#[derive(Debug)]
pub(crate) struct Burst;

impl Scenario for Burst {
    fn name(&self) -> &'static str {
        "burst"
    }

    fn run(&self, system: &dyn System, size: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        system.work(&site)?;
        let Sendmail { mut words, variables, .. } = system.sendmail(&site, Delivery::Now);
        words.push(LOCAL.into());
        let messages = size.messages * 2;
        let input = message(&site);
        let job = Job { times: messages, at_once: 20, input, envelope: None, words, variables };
        let mut arrivals = Arrivals::of(site.maildir())?;
        let window = site.open()?;
        job.run_in(&site)?;
        let share = number(arrivals.count()?) / number(messages);
        arrivals.wait_for(messages)?;
        let costs = site.close(window)?;
        arrivals.check(messages)?;
        Ok(vec![
            Figure::rate("burst of 20 writers, to the last delivery", messages, costs),
            Figure::higher("burst: delivered when the last is in the queue", " %", share * 100.0),
        ])
    }
}
