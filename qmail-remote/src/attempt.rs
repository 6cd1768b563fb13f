//! The targets one after the other, until one takes the connection.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;

use qmail_core::tcpto::{TimeoutFile, Verdict};

use crate::connection::Connection;
use crate::dialogue::Dialogue;
use crate::envelope::Envelope;
use crate::report::{Failure, Report};
use crate::settings::Settings;
use crate::surroundings::Surroundings;
use crate::targets::Target;

/// A message on its way to a server.
pub(crate) struct Delivery<'d, S> {
    pub(crate) settings: &'d Settings,
    pub(crate) envelope: &'d Envelope,
    pub(crate) port: u16,
    pub(crate) home: &'d Path,
    pub(crate) system: &'d S,
}

/// What came of trying one target.
enum Attempt<M> {
    /// This one took the connection, so its word is final.
    Done(Report),
    /// Nothing; the message is untouched, so another target may have it.
    TryNext(M),
}

impl<S: Surroundings> Delivery<'_, S> {
    /// Tries the targets in their order.
    pub(crate) fn to_any(
        &self,
        targets: &[Target],
        mut message: impl Read,
    ) -> Result<Report, Failure> {
        for target in targets {
            match self.attempt(target.address, message)? {
                Attempt::Done(report) => return Ok(report),
                Attempt::TryNext(untouched) => message = untouched,
            }
        }
        Err(Failure::NoConnection)
    }

    fn attempt<M: Read>(&self, address: IpAddr, message: M) -> Result<Attempt<M>, Failure> {
        let Some(stream) = self.connect(address)? else { return Ok(Attempt::TryNext(message)) };
        let dialogue = Dialogue::new(&self.settings.greeting_name, self.envelope, address);
        Ok(Attempt::Done(match self.prepare(&stream) {
            Ok(()) => Connection::new(stream).converse(dialogue, message),
            Err(_) => dialogue.lost(),
        }))
    }

    /// Connects, unless the target has lately been silent too often, and remembers how it went.
    fn connect(&self, address: IpAddr) -> Result<Option<TcpStream>, Failure> {
        let memory = Memory::of(self, address);
        if memory.verdict == Verdict::Skip {
            return Ok(None);
        }
        let server = SocketAddr::new(address, self.port);
        match TcpStream::connect_timeout(&server, self.settings.connect_timeout) {
            Err(error) if qmail_sys::lacks_resources(&error) => Err(Failure::Resources),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                memory.time_out();
                Ok(None)
            }
            Err(_) => {
                memory.clear();
                Ok(None)
            }
            Ok(stream) => {
                memory.clear();
                Ok(Some(stream))
            }
        }
    }

    fn prepare(&self, stream: &TcpStream) -> io::Result<()> {
        let timeout = Some(self.settings.transfer_timeout);
        stream.set_read_timeout(timeout)?;
        stream.set_write_timeout(timeout)?;
        // Each write is whole: nothing is gained by waiting for more of it.
        stream.set_nodelay(true)
    }
}

/// What the table of time-outs has on a target. It has no room for IPv6.
struct Memory<'d, S> {
    file: TimeoutFile,
    address: Option<Ipv4Addr>,
    verdict: Verdict,
    system: &'d S,
}

impl<'d, S: Surroundings> Memory<'d, S> {
    fn of(delivery: &Delivery<'d, S>, address: IpAddr) -> Self {
        let (file, system) = (TimeoutFile::new(delivery.home), delivery.system);
        let address = match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        let check = |address| file.check(address, system.now(), system.process());
        let verdict = address.map_or(Verdict::Unknown, check);
        Self { file, address, verdict, system }
    }

    fn time_out(&self) {
        if let Some(address) = self.address {
            self.file.time_out(address, self.system.now());
        }
    }

    /// Whatever it said, it answered.
    fn clear(&self) {
        if let Some(address) = self.address
            && self.verdict == Verdict::Remembered
        {
            self.file.clear(address);
        }
    }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
