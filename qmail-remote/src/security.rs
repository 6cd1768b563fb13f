//! How much TLS there must be with a host: `control/tlshosts`, `control/notlshosts` and the rest.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use qmail_tls::{Client, Distrust, HandshakeError, Identity, Selection, SetupError, Stream, Trust};

use crate::extension::starttls::Security;
use crate::settings::{Fallback, Settings};

/// No host with a longer name has a file: that would be longer than the name of any can be.
const LONGEST_NAME: usize = 255 - ".pem".len();

/// SMTP inside TLS from the first byte: RFC 8314.
const SUBMISSIONS: u16 = 465;

/// How TLS is done with one host.
#[derive(Debug)]
pub(crate) struct TlsPlan<'s> {
    control: PathBuf,
    settings: &'s Settings,
    host: Option<Vec<u8>>,
    /// The authorities that the server must have, by the host's name as the file has it.
    authorities: Option<String>,
    pub(crate) security: Security,
}

/// Why there is no TLS.
#[derive(Debug)]
pub(crate) enum TlsFailure {
    /// The host's authorities cannot be read.
    Load(SetupError),
    /// Ciphers or certificates cannot be used.
    Setup(String),
    /// The server sent more than the reply that comes before TLS: somebody may have put it there.
    Spoke,
    /// The handshake failed.
    Handshake(HandshakeError),
}

impl<'s> TlsPlan<'s> {
    /// What the control files say of a host.
    ///
    /// # Errors
    /// If nobody can tell whether there is a file for it.
    pub(crate) fn find(
        home: &Path,
        settings: &'s Settings,
        host: Option<&[u8]>,
        port: u16,
    ) -> io::Result<Self> {
        let control = home.join("control");
        let names = host.map(file_names).unwrap_or_default();
        let exists = |path: String| control.join(path).try_exists();
        let mut authorities = None;
        let mut excepted = exists("tlshosts/exhaustivelist".into())?;
        for name in names {
            if exists(format!("tlshosts/{name}.pem"))? {
                authorities.get_or_insert(name.clone());
            }
            excepted |= exists(format!("notlshosts/{name}"))?;
        }
        let security = match settings.fallback {
            // There is no plain text on this port, so there is no exception.
            _ if port == SUBMISSIONS => Security::Implicit,
            _ if authorities.is_some() => Security::Required,
            _ if excepted => Security::Never,
            Fallback::Forbidden => Security::IfOffered,
            Fallback::Plain | Fallback::PlainAndRemember => Security::IfItWorks,
        };
        Ok(Self { control, settings, host: host.map(<[u8]>::to_vec), authorities, security })
    }

    /// Shakes hands.
    pub(crate) fn connect<S: Read + Write>(&self, stream: S) -> Result<Stream<S>, TlsFailure> {
        let client = self.client()?;
        client.connect(self.host.as_deref(), stream).map_err(TlsFailure::Handshake)
    }

    fn client(&self) -> Result<Client, TlsFailure> {
        let trust = match (&self.authorities, &self.host) {
            (Some(name), Some(host)) => {
                let path = self.control.join(format!("tlshosts/{name}.pem"));
                let authorities = qmail_tls::certificates(&path).map_err(TlsFailure::Load)?;
                Trust::Known { host: host.clone(), authorities }
            }
            _ => Trust::Anybody,
        };
        let ciphers = match &self.settings.ciphers {
            Some(list) => Selection::parse(list).map_err(|it| TlsFailure::Setup(it.to_string()))?,
            None => Selection::default(),
        };
        // A certificate is only shown to those who ask, and few do: without it we are nobody.
        if let Ok(identity) = Identity::read(&self.control.join("clientcert.pem"))
            && let Ok(client) = Client::new(trust.clone(), Some(identity), &ciphers)
        {
            return Ok(client);
        }
        Client::new(trust, None, &ciphers).map_err(|error| TlsFailure::Setup(error.to_string()))
    }

    /// Notes that TLS fails with this host, if that is wanted: the next message goes to it in
    /// plain text at once.
    pub(crate) fn remember_failure(&self) {
        if self.settings.fallback != Fallback::PlainAndRemember {
            return;
        }
        let name = self.host.as_deref().map(file_names).and_then(|names| names.into_iter().next());
        if let Some(name) = name {
            let path = self.control.join("notlshosts").join(name);
            // Somebody else may have noted it, or we may not: that costs time, and nothing else.
            let _ = std::fs::File::create_new(path);
        }
    }

    /// The name of the host's file, for reports.
    pub(crate) fn file(&self) -> String {
        format!("control/tlshosts/{}.pem", self.authorities.as_deref().unwrap_or_default())
    }

    /// A failure in the words of a report, but for the address.
    pub(crate) fn explain(&self, failure: &TlsFailure) -> String {
        let file = self.file();
        let text = match failure {
            TlsFailure::Load(SetupError::Read(error)) if error.kind() == ErrorKind::NotFound => {
                format!("TLS unable to load {file}: no such file; connecting")
            }
            TlsFailure::Load(error) => format!("TLS unable to load {file}: {error}; connecting"),
            TlsFailure::Setup(error) => format!("TLS error initializing ssl: {error}; connecting"),
            TlsFailure::Spoke => {
                "TLS connect failed: server spoke before TLS began; connected".to_owned()
            }
            TlsFailure::Handshake(HandshakeError::Distrusted(Distrust::Untrusted(reason))) => {
                format!("TLS unable to verify server with {file}: {reason}; connected")
            }
            TlsFailure::Handshake(HandshakeError::Distrusted(distrust)) => {
                let host = self.authorities.as_deref().unwrap_or_default();
                format!("TLS unable to verify server {host}: {distrust}; connected")
            }
            TlsFailure::Handshake(error) => format!("TLS connect failed: {error}; connected"),
        };
        text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
    }
}

/// The names that files for a host may have: in lower case, and as DNS has it. A name that is no
/// plain file name has none: it comes from outside.
fn file_names(host: &[u8]) -> Vec<String> {
    if !qmail_address::is_plain_name(host) || host.len() > LONGEST_NAME {
        return Vec::new();
    }
    let name = String::from_utf8_lossy(host).into_owned();
    let mut names = vec![name.to_ascii_lowercase(), name];
    names.dedup();
    names
}

#[cfg(test)]
#[path = "security_tests.rs"]
mod tests;
