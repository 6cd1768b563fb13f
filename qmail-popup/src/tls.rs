//! TLS, which another process does: what strangers send is no business of root's.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use qmail_core::complaint::complain;
use qmail_core::control::{Controls, SERVERCERT_PEM};
use qmail_core::log::Line;
use qmail_core::tlsrelay::{TlsRelay, Waiting};
use qmail_wire::tlsrelay::Failure;

use crate::connection::Connection;

/// The program that does it, and whom it is done for.
#[derive(Clone, Debug)]
pub struct Tls {
    relay: TlsRelay,
    /// The address of the client, for the log.
    client: Vec<u8>,
}

/// A process that is able to speak TLS, and waits.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    tls: &'a Tls,
    relay: Waiting,
}

impl Tls {
    /// If there is a certificate in the tree at `home`, and `DISABLETLS` does not forbid it.
    ///
    /// # Errors
    /// If the control files of the tree cannot be read.
    pub fn find(
        home: &Path,
        variable: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> io::Result<Option<Self>> {
        let forbidden = variable("DISABLETLS").is_some_and(|value| value != b"0");
        let controls = Controls::open(home).map_err(io::Error::other)?;
        if forbidden || !controls.has(&SERVERCERT_PEM) {
            return Ok(None);
        }
        let client = variable("TCPREMOTEIP").unwrap_or_else(|| b"unknown".to_vec());
        Ok(Some(Self { relay: TlsRelay::new(home), client }))
    }

    /// Starts it for this connection, in which nothing is said to the client before
    /// [`Ready::begin`]. `None` if it does not find what it needs; the log knows why.
    pub(crate) fn start(&self, client: &Connection) -> Option<Ready<'_>> {
        let report = self.relay.start(client.input.as_fd(), client.output.as_fd());
        report.notes.iter().for_each(|note| self.log(note));
        Some(Ready { tls: self, relay: report.outcome.ok()? })
    }

    fn log(&self, text: &str) {
        let line = Line::new("qmail-popup: pid ").number(std::process::id().into()).text(" ");
        complain(&line.safe(&self.client).text(": TLS: ").text(text).end());
    }
}

impl Ready<'_> {
    /// Shakes hands. From now on the client is behind the returned connection; `None` if he is lost.
    pub(crate) fn begin(self) -> Option<Connection> {
        let report = self.relay.begin();
        report.notes.iter().for_each(|note| self.tls.log(note));
        match report.outcome {
            Ok(carried) => {
                let (input, output, relay) = carried.into_parts().ok()?;
                Some(Connection { input, output, relay: Some(relay) })
            }
            // Clients that break off are not worth a line.
            Err(Failure::Gone) => None,
            Err(Failure::Reason(reason)) => {
                self.tls.log(&format!("connection failed: {reason}"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, create_dir};

    #[test]
    fn tls_needs_a_certificate_and_can_be_forbidden() {
        let home = tempfile::tempdir().unwrap();
        create_dir(home.path().join("control")).unwrap();
        let find = |value: &str| {
            let variable = |name: &str| (name == "DISABLETLS").then(|| value.as_bytes().to_vec());
            Tls::find(home.path(), &variable).unwrap().is_some()
        };
        assert!(!find("0"));
        File::create(home.path().join("control/servercert.pem")).unwrap();
        assert!(find("0") && !find("1"));
    }
}
