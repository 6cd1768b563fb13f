//! Clients that say nothing.

use std::io;

use super::{Figure, Scenario, number};
use crate::arguments::Size;
use crate::client;
use crate::meter::memory;
use crate::systems::System;

const SESSIONS: usize = 40;

/// How much more memory each takes.
#[derive(Debug)]
pub(crate) struct Idle;

impl Scenario for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 KiB")]
    fn run(&self, system: &dyn System, _: &Size, counts: bool) -> io::Result<Vec<Figure>> {
        let site = system.site(counts)?;
        system.take(&site)?;
        // The first ones may find processes waiting for them.
        let first = (0..2).map(|_| client::idle(site.tree())).collect::<io::Result<Vec<_>>>()?;
        let before = memory(site.tree());
        let sessions =
            (0..SESSIONS).map(|_| client::idle(site.tree())).collect::<io::Result<Vec<_>>>()?;
        let more = memory(site.tree()).saturating_sub(before);
        drop((first, sessions));
        Ok(vec![Figure::lower("memory of an idle session", " KiB", more as f64 / number(SESSIONS))])
    }
}
