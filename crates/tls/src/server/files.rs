//! Reading certificates, keys and lists for a server.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use super::error::{Problem, ServerError};
use crate::Identity;
use crate::certificate::Names;

/// More is no file with certificates; the authorities of a whole system are less.
const LARGEST: u64 = 4 << 20;
/// The bit of a mode that lets everybody read.
const EVERYBODY_READS: u32 = 0o004;

/// A key and its certificate, which has to be valid `now`.
pub(super) fn identity(path: &Path, now: u64) -> Result<Identity, ServerError> {
    read_identity(path, now).map_err(|problem| ServerError::new(path, problem))
}

fn read_identity(path: &Path, now: u64) -> Result<Identity, Problem> {
    let (text, mode) = contents(path)?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| Problem::NoKey)?;
    if mode & EVERYBODY_READS != 0 {
        return Err(Problem::Exposed);
    }
    let chain = certificates_in(&text)?;
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    if chain.first().is_some_and(|first| !Names::of(first).are_valid_at(now)) {
        return Err(Problem::Expired);
    }
    Ok(Identity { chain, key })
}

/// The certificates in a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let read = || certificates_in(&contents(path)?.0);
    read().map_err(|problem| ServerError::new(path, problem))
}

/// The lists of revoked certificates in a file; `None` if there is no such file.
pub(super) fn revocations(
    path: &Path,
) -> Result<Option<Vec<CertificateRevocationListDer<'static>>>, ServerError> {
    let text = match contents(path) {
        Err(Problem::Read(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|problem| ServerError::new(path, problem))?.0,
    };
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&text).collect();
    match lists {
        Ok(lists) if !lists.is_empty() => Ok(Some(lists)),
        _ => Err(ServerError::new(path, Problem::NoList)),
    }
}

fn certificates_in(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let sections: Result<Vec<(SectionKind, Vec<u8>)>, _> =
        <(SectionKind, Vec<u8>)>::pem_slice_iter(text).collect();
    let sections = sections.map_err(|_| Problem::NoCertificate)?;
    let found: Vec<_> = sections
        .into_iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, bytes)| CertificateDer::from(bytes))
        .collect();
    if found.is_empty() { Err(Problem::NoCertificate) } else { Ok(found) }
}

/// What is in a file, and its mode.
fn contents(path: &Path) -> Result<(Vec<u8>, u32), Problem> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= LARGEST => Ok((text, mode)),
        _ => Err(Problem::Read(ErrorKind::FileTooLarge.into())),
    }
}
