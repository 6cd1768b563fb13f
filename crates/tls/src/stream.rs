//! A stream inside TLS.

use std::io::{self, ErrorKind, Read, Write};

use rustls::{Connection, ProtocolVersion};

use crate::HandshakeError;
use crate::cipher::name_of;

/// A stream inside TLS, over another one whose reads and writes wait, each with its own limit.
#[derive(Debug)]
pub struct Stream<S> {
    connection: Connection,
    inner: S,
}

/// What was agreed upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher, as OpenSSL calls it.
    pub cipher: &'static str,
}

impl<S: Read + Write> Stream<S> {
    /// Shakes hands. Both sides come through here.
    pub(crate) fn begin(connection: Connection, inner: S) -> Result<Self, HandshakeError> {
        let mut stream = Self { connection, inner };
        while stream.connection.is_handshaking() {
            stream.push().map_err(HandshakeError::Io)?;
            if stream.connection.is_handshaking() {
                stream.shake()?;
            }
        }
        stream.push().map_err(HandshakeError::Io)?;
        Ok(stream)
    }

    fn shake(&mut self) -> Result<(), HandshakeError> {
        match self.connection.read_tls(&mut self.inner) {
            Ok(0) => return Err(HandshakeError::Io(ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(HandshakeError::Io(error)),
        }
        if let Err(error) = self.connection.process_new_packets() {
            // The other side may hear why, but it does not matter if it does not.
            let _: io::Result<()> = self.push();
            return Err(error.into());
        }
        Ok(())
    }

    /// What was agreed upon.
    pub fn session(&self) -> Session {
        let version = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "unknown",
        };
        let suite = self.connection.negotiated_cipher_suite();
        Session { version, cipher: suite.map_or("unknown", |suite| name_of(suite.suite())) }
    }

    /// The certificate of the other side, if it showed one.
    #[cfg(test)]
    pub(crate) fn peer_certificate(&self) -> Option<&[u8]> {
        self.connection.peer_certificates()?.first().map(AsRef::as_ref)
    }

    /// Bytes that have arrived and can be read without waiting for more.
    pub fn buffered(&mut self) -> usize {
        let state = self.connection.process_new_packets();
        state.map_or(0, |state| state.plaintext_bytes_to_read())
    }

    /// As `read`, but what is below is read at most once: `None` if that was not enough, since the
    /// rest of what the other side enciphered at once is still on its way.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if let Some(length) = self.read_buffered(buffer)? {
            return Ok(Some(length));
        }
        let is_open = self.pull()?;
        match self.read_buffered(buffer)? {
            // The end without a word: rustls says so if it is one.
            None if !is_open => Err(ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }

    fn read_buffered(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.connection.reader().read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }

    /// The stream below.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The stream below.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Says that nothing will follow: without this, the other side cannot tell an end from a cut.
    ///
    /// # Errors
    /// If that cannot be sent.
    pub fn close(&mut self) -> io::Result<()> {
        self.connection.send_close_notify();
        self.push()
    }

    /// Sends what has been made ready.
    fn push(&mut self) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut self.inner) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.inner.flush()
    }

    /// Receives some more; whether there was any.
    fn pull(&mut self) -> io::Result<bool> {
        let length = match self.connection.read_tls(&mut self.inner) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            result => result?,
        };
        let invalid = |error| io::Error::new(ErrorKind::InvalidData, error);
        self.connection.process_new_packets().map_err(invalid)?;
        // An answer to a change of keys, say.
        self.push()?;
        Ok(length > 0)
    }
}

impl<S: Read + Write> Read for Stream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(length) = self.read_once(buffer)? {
                return Ok(length);
            }
        }
    }
}

impl<S: Read + Write> Write for Stream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.connection.writer().write(bytes)?;
        self.push()?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}
