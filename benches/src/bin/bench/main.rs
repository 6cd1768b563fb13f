//! bench: measures qmail trees and other mail systems beside each other.
//!
//! Usage: `bench [--rounds N] [--messages N] [--recipients N] [--mebibytes N] [--queued N]
//! [--scenarios NAME,…] [--systems NAME,…] [--tree NAME=DIRECTORY[:HOME]] [--programs
//! NAME=DIRECTORY] [--disk ext4|tmpfs|DIRECTORY] [--no-counts] [--into DOCUMENT]`. Every system has
//! a world of its own, is given the same mail, and is measured in turn with the others, so that
//! whatever else the machine does meets all of them alike. See docs/performance.md.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tables are what this is for")]

mod arguments;
mod arrivals;
mod backlog;
mod bed;
mod client;
mod floor;
mod helper;
mod meter;
mod report;
mod scenarios;
mod sink;
mod site;
mod systems;
mod tracer;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use arguments::{Arguments, Size};
use report::Report;
use scenarios::Scenario;
use systems::System;

/// How many messages are sent while system calls are counted.
const SAMPLE: usize = 40;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let first = words.first().and_then(|word| word.to_str()).unwrap_or_default();
    let done = match first {
        helper::WRITERS => write(&words),
        floor::FLOOR => measure_floor(&words),
        _ => match Arguments::parse(words.into_iter()) {
            Ok(arguments) => measure(&arguments),
            Err(error) => {
                eprintln!("bench: {error} See the head of benches/src/bin/bench/main.rs.");
                return ExitCode::from(100);
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn write(words: &[OsString]) -> io::Result<()> {
    let job = helper::Job::parse(words.iter().skip(1).cloned());
    job.ok_or(io::ErrorKind::InvalidInput)?.run()
}

fn measure_floor(words: &[OsString]) -> io::Result<()> {
    println!("{}", floor::measure(words.get(1..).unwrap_or_default())?);
    Ok(())
}

fn measure(arguments: &Arguments) -> io::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return Err(io::Error::other("only root can give every system a world of its own"));
    }
    if let Some(status) = bed::move_there(arguments)? {
        return if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) };
    }
    let systems = arguments.systems();
    let mut report = Report::new(systems.iter().map(|system| system.name().to_owned()).collect());
    let mut text = format!("{}\n\n", floor::machine());
    text += &floor::table(&arguments.size)?;
    for scenario in scenarios::all() {
        let is_wanted = |name: &String| name == scenario.name();
        if arguments.scenarios.is_empty() || arguments.scenarios.iter().any(is_wanted) {
            measure_one(scenario.as_ref(), &systems, arguments, &mut report);
        }
    }
    text += &format!("\n{}", report.text());
    println!("{text}");
    arguments.into.as_ref().map_or(Ok(()), |document| report::put(&text, document))
}

/// All systems in turn, several times. One that fails is left out of this table row, aloud.
fn measure_one(
    scenario: &dyn Scenario,
    systems: &[Box<dyn System>],
    arguments: &Arguments,
    report: &mut Report,
) {
    let suitable = || systems.iter().filter(|system| scenario.suits(system.as_ref()));
    let rounds = if scenario.repeats_itself() { 1 } else { arguments.size.rounds };
    for round in 0..rounds {
        for system in suitable() {
            let who = format!("{}, round {}, {}", scenario.name(), round + 1, system.name());
            match scenario.run(system.as_ref(), &arguments.size, false) {
                Ok(figures) => {
                    for figure in figures {
                        eprintln!("{who}: {}: {:.2}{}", figure.what, figure.value, figure.unit);
                        report.add(system.name(), figure);
                    }
                }
                Err(error) => eprintln!("bench: {who}: {error}"),
            }
        }
    }
    if !arguments.counts || !scenario.is_counted() || !tracer::is_there() {
        return;
    }
    let size = Size { messages: SAMPLE.min(arguments.size.messages), ..arguments.size };
    for system in suitable() {
        match scenario.run(system.as_ref(), &size, true) {
            Ok(figures) => figures.into_iter().for_each(|f| report.add_calls(system.name(), f)),
            Err(error) => eprintln!("bench: counting calls of {}: {error}", system.name()),
        }
    }
}
