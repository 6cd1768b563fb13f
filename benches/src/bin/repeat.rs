//! repeat: how long commands take that read a message, one after the other, so that whatever else
//! the machine does meets all of them alike.
//!
//! Usage: `repeat ROUNDS COMMANDS`: a line of the file COMMANDS is a name, a file for descriptor 0,
//! and a command, with a tab between all words. The first line is what the others are compared with.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]

use std::fs::{File, read_to_string};
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

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
    let started = Instant::now();
    let status = command.status()?;
    contender.sample.push(started.elapsed());
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: {status}", contender.name)))
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
