//! Getting ready. What fails is told to qmail-send, which logs it.

use qmail_core::home::home;
use qmail_core::queue::Queue;
use std::path::Path;

use crate::Pipes;
use crate::cleaner::Cleaner;
use crate::daemon::Daemon;
use crate::lines::{StartFailure, cannot_start};
use crate::reporter::Reporter;
use crate::settings::Settings;

/// There is no tree to work in; qmail-send has been told.
#[derive(Debug)]
pub(crate) struct CannotStart;

pub(crate) fn start(pipes: Pipes) -> Result<Daemon, CannotStart> {
    // What we make is for us and qmail-send only, who are one user.
    qmail_sys::change_mask(0o077);
    let mut reporter = Reporter::new(pipes.news);
    match tree() {
        Ok((settings, queue)) => {
            let cleaner = Cleaner::new(pipes.requests, pipes.replies);
            Ok(Daemon::new(home(), queue, settings, pipes.orders, reporter, cleaner))
        }
        Err(failure) => {
            reporter.log(cannot_start(failure));
            // Nobody is left to hear of it if this fails, too.
            let _ = reporter.flush();
            Err(CannotStart)
        }
    }
}

fn tree() -> Result<(Settings, Queue), StartFailure> {
    let home = home();
    std::env::set_current_dir(&home).map_err(|_| StartFailure::Home)?;
    let settings = Settings::read(&home).map_err(|_| StartFailure::Controls)?;
    std::env::set_current_dir(home.join("queue")).map_err(|_| StartFailure::Queue)?;
    let queue = Queue::open(Path::new("")).map_err(|_| StartFailure::Queue)?;
    Ok((settings, queue))
}
