//! repeat: what commands cost that read a message, one after the other, so that whatever else the
//! machine does meets all of them alike. It counts processor time: time waited for others says
//! nothing.
//!
//! Usage: `repeat ROUNDS COMMANDS`: a line of the file COMMANDS is a name, a file for descriptor 0,
//! and a command, with a tab between all words. The first line is what the others are compared with.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

use std::fs::{File, read_to_string};
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use qmail_benches::Sample;

struct Contender {
    name: String,
    input: String,
    command: Vec<String>,
    sample: Sample,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rounds, path] = arguments.as_slice() else {
        eprintln!("repeat: usage: repeat rounds commands");
        return ExitCode::from(100);
    };
    match rounds.parse().map_err(io::Error::other).and_then(|rounds| measure(rounds, path)) {
        Ok(contenders) => {
            print(&contenders);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("repeat: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn measure(rounds: u32, path: &str) -> io::Result<Vec<Contender>> {
    let mut contenders: Vec<Contender> = read_to_string(path)?.lines().filter_map(parse).collect();
    for _ in 0..rounds {
        for contender in &mut contenders {
            run(contender)?;
        }
    }
    Ok(contenders)
}

fn parse(line: &str) -> Option<Contender> {
    let mut words = line.split('\t').map(str::to_owned);
    let (name, input) = (words.next()?, words.next()?);
    Some(Contender { name, input, command: words.collect(), sample: Sample::default() })
}

fn run(contender: &mut Contender) -> io::Result<()> {
    let Some((program, arguments)) = contender.command.split_first() else { return Ok(()) };
    let input = File::open(&contender.input)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    let before = used()?;
    let status = command.status()?;
    contender.sample.push(used()?.saturating_sub(before));
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: {status}", contender.name)))
}

/// What all children that have ended took of the processor.
fn used() -> io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let times = [usage.user_time(), usage.system_time()].map(|time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        Duration::from_secs(seconds) + Duration::from_micros(time.tv_usec().unsigned_abs())
    });
    Ok(times.iter().sum())
}

fn print(contenders: &[Contender]) {
    let milliseconds = |sample: &Sample| sample.median().as_secs_f64() * 1000.0;
    let least = contenders.first().map_or(0.0, |first| milliseconds(&first.sample));
    println!("{:40} {:>10} {:>10}", "", "ms", "more");
    for contender in contenders {
        let time = milliseconds(&contender.sample);
        println!("{:40} {time:>10.2} {:>10.2}", contender.name, time - least);
    }
}
