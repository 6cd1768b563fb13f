//! simulation: a week of a large site in minutes, by a clock that does not tick by itself.
//!
//! Usage: `simulation [--messages N] [--destinations N] [--days N] [--places N] DIRECTORY`: qmail-send's
//! scheduler, the very code, decides what is tried when; the world around it is a model. The report
//! is `README.md` in the directory, and its plots are beside it.
#![forbid(unsafe_code)]
#![expect(clippy::print_stderr, reason = "it is told how far it is")]

mod chance;
mod destinations;
mod history;
mod messages;
mod plot;
mod report;
mod timeouts;
mod world;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use qmail_wire::spawn::DeliveryNumber;

use world::World;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub messages: u64,
    pub destinations: u32,
    pub days: u64,
    /// `concurrencyremote`.
    pub places: DeliveryNumber,
}

fn main() -> ExitCode {
    let Some((scale, directory)) = parse(std::env::args_os().skip(1)) else {
        eprintln!(
            "simulation: usage: simulation [--messages N] [--destinations N] [--days N] [--places N] directory"
        );
        return ExitCode::from(100);
    };
    match simulate(scale, &directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulation: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn parse(words: impl Iterator<Item = OsString>) -> Option<(Scale, PathBuf)> {
    let mut scale = Scale { messages: 10_000_000, destinations: 100_000, days: 7, places: 200 };
    let mut words = words;
    loop {
        let word = words.next()?;
        let mut number = || words.next()?.to_str()?.parse::<u64>().ok();
        match word.to_str()? {
            "--messages" => scale.messages = number()?,
            "--destinations" => scale.destinations = u32::try_from(number()?).ok()?,
            "--days" => scale.days = number()?,
            "--places" => scale.places = number()?.try_into().ok()?,
            directory => {
                let is_last = !directory.starts_with('-') && words.next().is_none();
                return is_last.then(|| (scale, PathBuf::from(word.clone())));
            }
        }
    }
}

fn simulate(scale: Scale, directory: &std::path::Path) -> io::Result<()> {
    let begin = Instant::now();
    let history = World::new(scale).run();
    let totals = history.totals();
    eprintln!("simulation: {} attempts, {} s", totals.attempts, begin.elapsed().as_secs());
    if totals.delivered + totals.failed != totals.arrived {
        return Err(io::Error::other("messages were forgotten"));
    }
    report::write(scale, &history, begin.elapsed(), directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_world_ends_with_an_empty_queue_and_nobody_forgotten() {
        let scale = Scale { messages: 20_000, destinations: 500, days: 2, places: 3 };
        let history = World::new(scale).run();
        let totals = history.totals();
        assert_eq!(totals.arrived, 20_000);
        assert_eq!(totals.delivered + totals.failed, totals.arrived);
        assert!(totals.attempts > totals.arrived, "something was tried again");
        let longest = history.hours().iter().map(|hour| hour.first.most()).max();
        assert!(longest > Some(0), "there was not always a free place");
    }

    #[test]
    fn the_same_world_goes_the_same_way_twice() {
        let scale = Scale { messages: 3_000, destinations: 50, days: 1, places: 200 };
        let [one, two] = [World::new(scale).run(), World::new(scale).run()];
        assert_eq!(one.totals(), two.totals());
    }
}
