//! The log on descriptor 2.

use std::io::{self, Write};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Volume {
    /// Nothing at all: `-q`.
    Nothing,
    /// What went wrong: `-Q`.
    Trouble,
    /// That, and each connection: `-v`.
    Everything,
}

/// Lines that go out together.
#[derive(Debug)]
pub(crate) struct Log {
    volume: Volume,
    waiting: Vec<u8>,
}

impl Log {
    /// An empty one.
    pub(crate) fn new(volume: Volume) -> Self {
        Self { volume, waiting: Vec::new() }
    }

    /// Adds a line about a connection, which is only made if it is wanted.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> Vec<u8>) {
        if self.volume >= Volume::Everything {
            self.waiting.extend(line());
            self.waiting.push(b'\n');
        }
    }

    /// Adds a line about something that went wrong.
    pub(crate) fn complain(&mut self, line: &str) {
        if self.volume >= Volume::Trouble {
            self.waiting.extend(line.as_bytes());
            self.waiting.push(b'\n');
        }
    }

    /// Writes what there is.
    pub(crate) fn flush(&mut self) {
        if !self.waiting.is_empty() {
            // Connections do not wait for a log that cannot be written.
            let _ = io::stderr().write_all(&self.waiting);
            self.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_volume_tells_more_than_the_one_before() {
        let told = |volume| {
            let mut log = Log::new(volume);
            log.tell(|| b"told".to_vec());
            log.complain("wrong");
            String::from_utf8(log.waiting).unwrap()
        };
        assert_eq!(told(Volume::Nothing), "");
        assert_eq!(told(Volume::Trouble), "wrong\n");
        assert_eq!(told(Volume::Everything), "told\nwrong\n");
    }
}
