//! Certificates and keys from files.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::SetupError;

/// More is no file with certificates; the authorities of a whole system are less.
const LARGEST: u64 = 4 << 20;

/// Who we are to the other side: a certificate, those that vouch for it, and its key.
#[derive(Debug)]
pub struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl Identity {
    /// Reads a file with a key, a certificate and the chain above it.
    ///
    /// # Errors
    /// If the file cannot be read, or has no certificate or no key.
    pub fn read(path: &Path) -> Result<Self, SetupError> {
        let text = read(path)?;
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| SetupError::NoCertificate)?;
        Ok(Self { chain: parse(&text)?, key })
    }
}

/// The certificates in a file, at least one.
///
/// # Errors
/// If the file cannot be read, or has none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    parse(&read(path)?)
}

fn parse(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        match section {
            Ok((SectionKind::Certificate, bytes)) => found.push(CertificateDer::from(bytes)),
            Ok(_) => {}
            Err(pem::Error::NoItemsFound) => break,
            Err(_) => return Err(SetupError::NoCertificate),
        }
    }
    if found.is_empty() { Err(SetupError::NoCertificate) } else { Ok(found) }
}

fn read(path: &Path) -> Result<Vec<u8>, SetupError> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(SetupError::Read)?;
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(SetupError::Read)?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= LARGEST => Ok(text),
        _ => Err(SetupError::Read(ErrorKind::FileTooLarge.into())),
    }
}
