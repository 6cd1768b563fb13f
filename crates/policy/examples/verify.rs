//! Verifies messages with records from a file rather than from DNS: `verify RECORDS MESSAGE...`
//!
//! A line of the file is a name, a blank, and a text; `~~` is a name server that does not answer.
//! So collections of sample messages can be tried: see docs/dkim.md.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write};

use qmail_dns::{Cause, Failure};
use qmail_policy::dkim::{HEADER_LIMIT, Limits, Outcome, Records, Verifier};
use qmail_policy::text::{Blocks, wire};

struct Known(HashMap<String, String>);

impl Records for Known {
    fn texts(&self, name: &str) -> Result<Vec<Vec<u8>>, Failure> {
        match self.0.get(name.trim_end_matches('.')).map(String::as_str) {
            None | Some("NXDOMAIN") => Err(Failure::NoSuchName),
            Some(text) if text.starts_with("~~") => Err(Failure::Temporary(Cause::TimedOut)),
            Some(text) => Ok(vec![text.as_bytes().to_vec()]),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let records = fs::read_to_string(arguments.next().ok_or("usage: verify RECORDS MESSAGE...")?)?;
    let pairs = records.lines().filter_map(|line| line.split_once(|c: char| c.is_whitespace()));
    let known = Known(
        pairs.map(|(name, text)| (name.to_ascii_lowercase(), text.trim().to_owned())).collect(),
    );
    for path in arguments {
        let results: Vec<String> = verify(&path, &known)?.iter().map(describe).collect();
        writeln!(io::stdout(), "{path}: {}", results.join("; "))?;
    }
    Ok(())
}

fn describe(outcome: &Outcome) -> String {
    format!("{} ({})", outcome.method().result, outcome.verdict.words())
}

fn verify(path: &str, known: &Known) -> io::Result<Vec<Outcome>> {
    let mut blocks = Blocks::new(fs::File::open(path)?);
    let (header, beginning) = blocks.read_header(HEADER_LIMIT)?;
    let on_the_wire = wire(header.text());
    let mut verifier = Verifier::new(&on_the_wire, Limits::default());
    verifier.body(&beginning);
    while let Some(block) = blocks.next_block()? {
        verifier.body(&block);
    }
    Ok(verifier.finish(known, Limits::default()))
}
