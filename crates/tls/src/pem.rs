//! Certificates and keys from files.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rustls::pki_types::pem::{PemObject, SectionKind};
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
        let (text, _) = contents(path).map_err(SetupError::Read)?;
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| SetupError::NoCertificate)?;
        Ok(Self { chain: certificates_in(&text).ok_or(SetupError::NoCertificate)?, key })
    }
}

/// The certificates in a file, at least one.
///
/// # Errors
/// If the file cannot be read, or has none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let (text, _) = contents(path).map_err(SetupError::Read)?;
    certificates_in(&text).ok_or(SetupError::NoCertificate)
}

/// The certificates in a text; `None` if it has none, or something that is not what it says.
pub(crate) fn certificates_in(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text);
    let sections: Vec<_> = sections.collect::<Result<_, _>>().ok()?;
    let certificates = sections.into_iter().filter(|(kind, _)| *kind == SectionKind::Certificate);
    let found: Vec<_> = certificates.map(|(_, bytes)| CertificateDer::from(bytes)).collect();
    Some(found).filter(|found| !found.is_empty())
}

/// What is in a file, and what else is known of it.
pub(crate) fn contents(path: &Path) -> io::Result<(Vec<u8>, Metadata)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= LARGEST => Ok((text, metadata)),
        _ => Err(ErrorKind::FileTooLarge.into()),
    }
}
