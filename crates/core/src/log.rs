//! Log lines: each reaches the log in one write, so that no other writer can break it.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

/// A line that is being put together. What comes from outside goes in by [`Line::safe`].
///
/// ```
/// # use qmail_core::log::Line;
/// let line = Line::new("delivery ").number(7).text(": success: ").safe(b"did 1+0+0\n").end();
/// assert_eq!(line, b"delivery 7: success: did_1+0+0/\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Line(Vec<u8>);

impl Line {
    /// A line that begins with `text`.
    pub fn new(text: &str) -> Self {
        Self(Vec::with_capacity(80)).text(text)
    }

    /// Adds words of our own.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.text(&number.to_string())
    }

    /// Adds bytes from outside: LF as `/`, other control bytes, blanks, `%` and bytes beyond ASCII
    /// as `_`.
    #[must_use]
    pub fn safe(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes.iter().copied().map(safe_byte));
        self
    }

    /// The line with its LF.
    pub fn end(mut self) -> Vec<u8> {
        self.0.push(b'\n');
        self.0
    }
}

fn safe_byte(byte: u8) -> u8 {
    match byte {
        b'\n' => b'/',
        b'%' | ..33 | 127.. => b'_',
        _ => byte,
    }
}

/// A pipe takes so many bytes as a whole (`PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// A log: what reads it puts time stamps before lines and keeps them.
///
/// Lines are collected, since a write for each of them is much of the work of a busy qmail-send.
/// Whoever waits has to [`Self::flush`] before.
#[derive(Debug)]
pub struct Log {
    output: File,
    waiting: RefCell<Vec<u8>>,
}

impl Log {
    /// A log that is written to `output`.
    pub fn new(output: OwnedFd) -> Self {
        Self { output: File::from(output), waiting: RefCell::default() }
    }

    /// Adds a line, which ends with LF.
    pub fn write(&self, line: &[u8]) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() + line.len() > AT_ONCE {
            self.write_out(&mut waiting);
        }
        waiting.extend_from_slice(line);
    }

    /// Writes all lines there are. If the log is gone there is nobody to tell, and mail goes on
    /// without it.
    pub fn flush(&self) {
        self.write_out(&mut self.waiting.borrow_mut());
    }

    fn write_out(&self, waiting: &mut Vec<u8>) {
        if !waiting.is_empty() {
            let _ = (&self.output).write_all(waiting);
            waiting.clear();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_comes_from_outside_cannot_break_a_line() {
        let line = Line::new("x ").safe(b"a b\n%\r\t\x7f\xe9\0~!").end();
        assert_eq!(line, b"x a_b/______~!\n");
    }

    #[test]
    fn lines_arrive_whole() {
        let pipe = qmail_sys::pipe().unwrap();
        let log = Log::new(pipe.write);
        log.write(&Line::new("new msg ").number(7).end());
        log.write(&Line::new("status: exiting").end());
        drop(log);
        let mut all = String::new();
        File::from(pipe.read).read_to_string(&mut all).unwrap();
        assert_eq!(all, "new msg 7\nstatus: exiting\n");
    }

    #[test]
    fn lines_are_written_together_and_none_is_broken() {
        let pipe = qmail_sys::pipe().unwrap();
        qmail_sys::set_nonblocking(&pipe.read).unwrap();
        let (log, mut reader) = (Log::new(pipe.write), File::from(pipe.read));
        let (line, long) = ([&[b'x'; 99][..], b"\n"].concat(), [&[b'y'; 9999][..], b"\n"].concat());
        let mut block = [0; 20_000];
        log.write(&line);
        assert!(reader.read(&mut block).is_err(), "it waits for others");
        for _ in 0..40 {
            log.write(&line);
        }
        assert_eq!(reader.read(&mut block).unwrap(), 4000);
        log.write(&long);
        assert_eq!(reader.read(&mut block).unwrap(), 100);
        log.flush();
        assert_eq!(reader.read(&mut block).unwrap(), 10_000);
    }
}
