//! A mail system of your own, for a minute: `demo DIRECTORY`, where DIRECTORY has the programs.
//!
//! Runs as:     anybody; as root it goes on as `nobody`
//! Descriptors: 1 what happens, step by step; 2 what went wrong
//! Exit codes:  0 everything happened as it should; 1 it did not; 100 wrong usage
#![forbid(unsafe_code)]

mod dialogue;
mod failure;
mod log;
mod mailbox;
mod messages;
mod say;
mod stage;
mod unprivileged;

use std::path::Path;
use std::process::ExitCode;

use crate::failure::{Failure, Outcome};
use crate::say::{heading, say};
use crate::stage::Stage;

fn main() -> ExitCode {
    let Some(programs) = std::env::args_os().nth(1) else {
        eprintln!("demo: usage: demo DIRECTORY-WITH-PROGRAMS");
        return ExitCode::from(100);
    };
    let played = if nix::unistd::geteuid().is_root() {
        unprivileged::play_as_nobody(Path::new(&programs))
    } else {
        play(Path::new(&programs)).map(|()| ExitCode::SUCCESS)
    };
    match played {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("\ndemo: FAILED: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn play(programs: &Path) -> Outcome<()> {
    let work = tempfile::TempDir::with_prefix("qmail-demo-")
        .map_err(Failure::because("cannot make a temporary directory"))?;
    say("A mail system of your own, for a minute.");
    let stage = Stage::install(programs, work.path())?;
    let mut qmail = stage.start()?;
    let scenes = acts(&stage, &qmail);
    if scenes.is_err() {
        say("\nThe log up to here:");
        qmail.log.since(0).iter().for_each(|line| say(format!("  log  {line}")));
    }
    let stopped = qmail.stop();
    scenes.and(stopped)?;
    stage.queue_is_empty()?;
    heading("Everything happened as it should.");
    Ok(())
}

fn acts(stage: &Stage, qmail: &stage::Running) -> Outcome<()> {
    messages::over_smtp(stage, qmail)?;
    messages::by_sendmail(stage, qmail)?;
    messages::relayed(stage, qmail)?;
    messages::bounced(stage, qmail)?;
    mailbox::fetched(stage)
}
