//! Filters that ask another program about the whole message and pass it on, or not.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use qmail_sys::Exit;

use crate::{command, spool};

/// What a program made of a message.
#[derive(Debug)]
pub struct Scanned {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote.
    pub output: File,
}

/// Runs a program on a message, from its start.
///
/// # Errors
/// If there are no files or processes left.
pub fn scan(words: &[OsString], message: &File) -> io::Result<Scanned> {
    let mut output = spool::empty()?;
    let child =
        command::spawn(words).connect(0, message.as_fd()).connect(1, output.as_fd()).start()?;
    let exit = child.wait()?;
    io::Seek::rewind(&mut output)?;
    io::Seek::rewind(&mut &*message)?;
    Ok(Scanned { exit, output })
}

/// Passes a message on to standard output.
///
/// # Errors
/// If that does not take it.
pub fn pass_on(mut message: &File) -> io::Result<()> {
    io::copy(&mut message, &mut io::stdout().lock())?;
    io::Write::flush(&mut io::stdout())
}
