//! startup: how long the programs of a tree take from start to exit, beside a static C program.
//!
//! Usage: `startup BASELINE PROGRAM…`: each is run 2,000 times, in turn, so that whatever else the
//! machine does meets all of them alike. `$QMAILHOME` names no directory then, so that a program
//! of ours ends with its first step, as the baseline does (`benches/startup.c`).
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use qmail_benches::Sample;

const ROUNDS: usize = 2_000;

fn main() -> ExitCode {
    let programs: Vec<OsString> = std::env::args_os().skip(1).collect();
    if programs.is_empty() {
        eprintln!("startup: usage: startup baseline program ...");
        return ExitCode::from(100);
    }
    match measure(&programs) {
        Ok(samples) => {
            print(&programs, &samples);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("startup: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn measure(programs: &[OsString]) -> io::Result<Vec<Sample>> {
    let mut samples = vec![Sample::default(); programs.len()];
    for _ in 0..ROUNDS {
        for (program, sample) in programs.iter().zip(&mut samples) {
            sample.push(time(program)?);
        }
    }
    Ok(samples)
}

fn time(program: &OsString) -> io::Result<Duration> {
    let started = Instant::now();
    Command::new(program)
        .env_clear()
        .env("QMAILHOME", "/nonexistent")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    Ok(started.elapsed())
}

fn print(programs: &[OsString], samples: &[Sample]) {
    let baseline = samples.first().map_or(Duration::ZERO, Sample::median);
    println!("{:<24} {:>9} {:>9} {:>9} {:>6}", "program", "median us", "p10 us", "p90 us", "ratio");
    for (program, sample) in programs.iter().zip(samples) {
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        println!(
            "{name:<24} {:>9.0} {:>9.0} {:>9.0} {:>6.2}",
            microseconds(sample.median()),
            microseconds(sample.quantile(1, 10)),
            microseconds(sample.quantile(9, 10)),
            sample.median().as_secs_f64() / baseline.as_secs_f64(),
        );
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
