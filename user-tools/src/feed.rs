//! Running a program on some lines of ours and then our own input: for preline, predate, mailsubj.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use qmail_sys::{Child, Exit, Spawn, fork, pipe};

use crate::failure::{Failure, say};
use qmail_core::errno;

const BLOCK: usize = 65_536;

/// A program to be fed.
#[derive(Clone, Copy, Debug)]
pub struct Eater<'a> {
    /// Who runs it, for what is said if that fails.
    pub caller: &'a str,
    /// Its name, looked for in `$PATH` unless it has a slash.
    pub program: &'a OsString,
    /// Its arguments.
    pub arguments: &'a [OsString],
    /// Our exit code if there is no such program.
    pub missing: u8,
}

impl Eater<'_> {
    /// Feeds it `lines` and then `input`; its exit code. It need not eat up.
    ///
    /// # Errors
    /// If `input` cannot be read, the program is killed before it could take what it has for all:
    /// half a message is worse than none.
    pub fn feed(self, lines: &[u8], input: &mut impl Read) -> Result<u8, Failure> {
        let pipe = pipe().map_err(|error| Failure::system("unable to create pipe", &error))?;
        let child = fork(|| self.become_program(&pipe.read))
            .map_err(|error| Failure::system("unable to fork", &error))?;
        drop(pipe.read);
        let mut output = File::from(pipe.write);
        if let Err(error) = pour(lines, input, &mut output) {
            // Before the pipe is closed, which would be the end of the message.
            let _ = child.kill();
            drop(output);
            let _ = child.wait();
            return Err(Failure::system("unable to copy input", &error));
        }
        drop(output);
        exit_code(child)
    }

    fn become_program(self, input: &impl AsFd) -> u8 {
        let spawn = Spawn::search(self.program).args(self.arguments).connect(0, input.as_fd());
        let Err(error) = spawn.replace();
        let what = [b"unable to run ", self.program.as_bytes()].concat();
        say(&Failure::system(what, &error).line(self.caller));
        if errno::is_temporary(&error) { 111 } else { self.missing }
    }
}

fn exit_code(child: Child) -> Result<u8, Failure> {
    match child.wait().map_err(|error| Failure::system("wait failed", &error))? {
        Exit::Code(code) => Ok(code),
        Exit::Signal(_) => Err(Failure::Temporary(b"child crashed".to_vec())),
    }
}

/// Copies until the input ends or nobody wants more of it.
fn pour(lines: &[u8], input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut block = lines.to_vec();
    let mut length = block.len();
    block.resize(block.len().max(BLOCK), 0);
    loop {
        match output.write_all(block.get(..length).unwrap_or_default()) {
            // A program that has seen enough is not in error, and its exit code says the rest.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
        length = loop {
            match input.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if length == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_come_first_and_all_input_follows() {
        let message = vec![b'x'; 200_000];
        let mut output = Vec::new();
        pour(b"A: b\n", &mut message.as_slice(), &mut output).unwrap();
        assert_eq!(output, [b"A: b\n".as_slice(), &message].concat());
    }

    #[test]
    fn nobody_wanting_more_is_no_error() {
        assert!(pour(b"A: b\n", &mut b"c".as_slice(), &mut Closed).is_ok());
    }

    #[test]
    fn unreadable_input_is_an_error() {
        let mut directory = File::open("/").unwrap();
        assert!(pour(b"A: b\n", &mut directory, &mut Vec::new()).is_err());
    }
}
