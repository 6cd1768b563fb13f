//! Which of our certificates a client is shown: RFC 6066 §3.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use qmail_address::is_plain_name;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::error::{Problem, ServerError};
use super::files;
use crate::Identity;

/// The name of the file in the directory of a host name.
const FILE: &str = "servercert.pem";

/// The usual certificate, and where others are.
#[derive(Debug)]
pub(super) struct Certificates {
    usual: Arc<CertifiedKey>,
    by_name: PathBuf,
    provider: Arc<CryptoProvider>,
    now: u64,
    outcome: Mutex<(Option<String>, Option<ServerError>)>,
}

impl Certificates {
    pub(super) fn read(
        usual: &Path,
        by_name: &Path,
        provider: &Arc<CryptoProvider>,
        now: u64,
    ) -> Result<Self, ServerError> {
        Ok(Self {
            usual: certified(usual, provider, now)?,
            by_name: by_name.to_owned(),
            provider: Arc::clone(provider),
            now,
            outcome: Mutex::default(),
        })
    }

    /// The name whose own certificate was shown, and why another was not.
    pub(super) fn outcome(&self) -> (Option<String>, Option<ServerError>) {
        std::mem::take(&mut self.outcome.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn for_name(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        // It comes from outside.
        let name = Some(name.to_ascii_lowercase()).filter(|name| is_plain_name(name.as_bytes()))?;
        let path = self.by_name.join(&name).join(FILE);
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match certified(&path, &self.provider, self.now) {
            Ok(key) => {
                outcome.0 = Some(name);
                Some(key)
            }
            Err(ServerError { problem: Problem::Read(error), .. })
                if error.kind() == ErrorKind::NotFound =>
            {
                None
            }
            Err(error) => {
                outcome.1 = Some(error);
                None
            }
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let own = hello.server_name().and_then(|name| self.for_name(name));
        Some(own.unwrap_or_else(|| Arc::clone(&self.usual)))
    }
}

fn certified(
    path: &Path,
    provider: &CryptoProvider,
    now: u64,
) -> Result<Arc<CertifiedKey>, ServerError> {
    let Identity { chain, key } = files::identity(path, now)?;
    let key = CertifiedKey::from_der(chain, key, provider);
    key.map(Arc::new).map_err(|error| ServerError::new(path, error))
}
