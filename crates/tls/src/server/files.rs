//! Reading certificates, keys and lists for a server.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use qmail_core::if_there;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use super::error::{Problem, ServerError};
use crate::Identity;
use crate::certificate::Names;
use crate::pem::{certificates_in, contents};

/// The bit of a mode that lets everybody read.
const EVERYBODY_READS: u32 = 0o004;

/// A key and its certificate, which has to be valid `now`.
pub(super) fn identity(path: &Path, now: u64) -> Result<Identity, ServerError> {
    read_identity(path, now).map_err(|problem| ServerError::new(path, problem))
}

fn read_identity(path: &Path, now: u64) -> Result<Identity, Problem> {
    let (text, metadata) = contents(path)?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| Problem::NoKey)?;
    if metadata.permissions().mode() & EVERYBODY_READS != 0 {
        return Err(Problem::Exposed);
    }
    let chain = certificates_in(&text).ok_or(Problem::NoCertificate)?;
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    if chain.first().is_some_and(|first| !Names::of(first).are_valid_at(now)) {
        return Err(Problem::Expired);
    }
    Ok(Identity { chain, key })
}

/// The certificates in a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let (text, _) = contents(path).map_err(|error| ServerError::new(path, error))?;
    certificates_in(&text).ok_or_else(|| ServerError::new(path, Problem::NoCertificate))
}

/// The lists of revoked certificates in a file; `None` if there is no such file.
pub(super) fn revocations(
    path: &Path,
) -> Result<Option<Vec<CertificateRevocationListDer<'static>>>, ServerError> {
    let found = if_there(contents(path)).map_err(|error| ServerError::new(path, error))?;
    let Some((text, _)) = found else { return Ok(None) };
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&text).collect();
    match lists {
        Ok(lists) if !lists.is_empty() => Ok(Some(lists)),
        _ => Err(ServerError::new(path, Problem::NoList)),
    }
}
