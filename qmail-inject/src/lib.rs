//! Completes the header of a message, finds out its envelope, and queues it.
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

pub mod failure;

mod additions;
mod author;
mod command;
mod compose;
mod message;
mod output;
mod settings;

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use qmail_address::quote;
use qmail_core::options::Options;

pub use compose::Composed;

use author::Author;
use command::{Command, LETTERS};
use failure::Failure;
use output::Output;
use settings::{Defaults, Settings, Variable};

/// What the process was given.
pub struct Invocation<'a> {
    /// The command line.
    pub words: Vec<OsString>,
    /// The environment.
    pub variable: Variable<'a>,
    /// The home directory of qmail.
    pub home: &'a Path,
    /// Seconds since 1970.
    pub started: u64,
    /// Our process id.
    pub process: u32,
    /// The message.
    pub input: File,
    /// Where it is printed if that is asked for.
    pub output: File,
}

/// Does all of it.
pub fn run(invocation: Invocation<'_>) -> Result<(), Failure> {
    let Invocation { words, variable, home, started, process, input, output } = invocation;
    let author = Author::new(variable);
    // Before the directory changes: its path is the caller's.
    let lists = settings::read_lists(variable)?;
    std::env::set_current_dir(home).map_err(|_| Failure::Home)?;
    let defaults = Defaults::read(home, variable)?;
    let command = Command::parse(Options::new(LETTERS, words))?;
    let print = command.print;
    let settings = Settings::new(author, defaults, lists, command, started, process)?;

    let mut input = BufReader::with_capacity(65_536, input);
    let (composed, body) = message::read_header(&mut input, &settings)?;
    let mut output =
        if print { Output::Print(BufWriter::new(output)) } else { Output::queue(home)? };
    if print {
        let sender = quote(&composed.sender);
        output.write(&[b"Return-Path: <", sender.as_slice(), b">\n"].concat())?;
    }
    output.write(&composed.header)?;
    if let Some(begins) = body {
        message::copy_body(&mut input, &begins, |bytes| output.write(bytes))?;
    }
    output.finish(&composed)
}

#[cfg(test)]
mod tests;
