//! A certificate to start with: of our own making, so that nobody vouches for it.

use std::fs::Permissions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, fchown, symlink};
use std::path::Path;
use std::time::Duration;

use qmail_core::accounts::{Accounts, Group, Role};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use crate::whole_file::replace;

/// With [`EARLIER`], the longest that clients believe a certificate of a server: 825 days.
const VALID: Duration = Duration::from_secs(824 * 86_400);
/// Clocks are not all right.
const EARLIER: Duration = Duration::from_secs(86_400);
/// Its owner, who speaks TLS, and the group of qmail.
const MODE: u32 = 0o640;

/// A key, and a certificate for these names of this host, in one text.
///
/// # Errors
/// If a name is none that a certificate can have.
pub fn certificate(names: &[String], now: Duration) -> Result<String, rcgen::Error> {
    let mut parameters = CertificateParams::new(names.to_vec())?;
    let name = names.first().cloned().unwrap_or_default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let epoch = date_time_ymd(1970, 1, 1);
    parameters.not_before = epoch + now.saturating_sub(EARLIER);
    parameters.not_after = epoch + now + VALID;
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

/// Puts `text` where servers look for it, and a link for clients beside it.
///
/// # Errors
/// `AlreadyExists` if there is a certificate, unless it may be `replaced`.
pub fn store(home: &Path, accounts: &Accounts, text: &str, replaced: bool) -> io::Result<()> {
    let control = home.join("control");
    let path = control.join("servercert.pem");
    if !replaced && path.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    replace(&path, 0o600, |file| {
        file.write_all(text.as_bytes())?;
        if qmail_sys::effective_uid() == 0 {
            let group = accounts.group(Group::Qmail).0;
            fchown(&file, Some(accounts.user(Role::Daemon).uid), Some(group))?;
        }
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()
    })?;
    match symlink("servercert.pem", control.join("clientcert.pem")) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => qmail_sys::sync_directory(&control),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn it_is_stored_once_and_replaced_when_told_to() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("control")).unwrap();
        let accounts = Accounts::single_user(7801, 7802, home.path());
        let now = Duration::from_secs(1_700_000_000);
        let text = certificate(&["mail.example.org".into()], now).unwrap();
        assert!(text.contains("PRIVATE KEY") && text.contains("BEGIN CERTIFICATE"));
        store(home.path(), &accounts, &text, false).unwrap();
        let path = home.path().join("control/servercert.pem");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, MODE);
        let link = fs::read_link(home.path().join("control/clientcert.pem")).unwrap();
        assert_eq!(link.to_str(), Some("servercert.pem"));
        let again = store(home.path(), &accounts, "x", false).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        // Somebody was interrupted.
        File::create(home.path().join("control/servercert.pem.new")).unwrap();
        store(home.path(), &accounts, "x", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "x");
    }
}
