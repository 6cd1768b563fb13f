//! The account of somebody who knows the password.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use qmail_core::users::{self, Assignment, DATABASE};
use qmail_core::vpopmail::{self, Mailbox};
use qmail_digests::{Method, proves};
use qmail_login::password::matches;
use qmail_login::{Failure, Request};
use qmail_sys::{Gid, Identity, Uid, crypt};

use crate::login::Login;
use crate::service::Service;

/// Whom the program runs as, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account of the domain.
    pub identity: Identity,
    /// The directory of the user.
    pub home: PathBuf,
}

/// The account, if the request proves that its password is known, and it may use the service.
///
/// # Errors
/// [`Failure::Rejected`] if not; [`Failure::Temporary`] if that cannot be told.
pub fn account(
    qmail_home: &Path,
    login: Option<&Login>,
    request: &Request,
    service: Service,
) -> Result<Account, Failure> {
    let found = match login {
        Some(login) => find(qmail_home, login)?,
        None => None,
    };
    let mailbox = found.as_ref().map(|(_, mailbox)| mailbox);
    // Both, whether or not there is such a user: it takes the same time.
    let digest = proves(request, mailbox.and_then(|mailbox| mailbox.password.as_deref()));
    let hash = mailbox.map(|mailbox| mailbox.hash.as_slice());
    let right = matches(&request.proof, hash, || None, &crypt);
    let proven = right | matches!(digest, Some(Method::CramMd5 | Method::Apop));
    let (owner, mailbox) = found.filter(|_| proven).ok_or(Failure::Rejected)?;
    if !service.is_open_to(mailbox.barred) {
        return Err(Failure::Rejected);
    }
    // Nobody's mail is root's.
    let uid = Uid::new(owner.uid).ok_or(Failure::Rejected)?;
    Ok(Account { identity: Identity { uid, gid: Gid(owner.gid) }, home: mailbox.home })
}

fn find(qmail_home: &Path, login: &Login) -> Result<Option<(Assignment, Mailbox)>, Failure> {
    let prefix = [login.domain.as_slice(), b"-"].concat();
    let owner = users::assigned(&qmail_home.join(DATABASE), &prefix);
    let Some(owner) = owner.map_err(|_| Failure::Temporary)? else { return Ok(None) };
    match vpopmail::find(&owner.home, &login.user) {
        Ok(mailbox) => Ok(mailbox.map(|mailbox| (owner, mailbox))),
        // A domain that is not vpopmail's.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(_) => Err(Failure::Temporary),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qmail_core::cdb::CdbWriter;
    use qmail_login::read_request;
    use std::fs::{self, File};
    use std::io::Write as _;

    /// Of "Hello world!".
    const HASH: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

    fn tree(uid: u32, barred: u32) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for directory in ["users", "d"] {
            fs::create_dir(tree.path().join(directory)).unwrap();
        }
        let mut writer = CdbWriter::new(File::create(tree.path().join(DATABASE)).unwrap()).unwrap();
        let domain = tree.path().join("d");
        let record = format!("d.example\0{uid}\0{}\0{}\0-\0", 7002, domain.display());
        writer.add(b"!d.example-", record.as_bytes()).unwrap();
        writer.add(b"!", record.as_bytes()).unwrap();
        writer.finish().unwrap();
        let list = format!("ann:{HASH}:1:{barred}:Ann:/v/ann::tanstaaftanstaaf\n");
        File::create(domain.join("vpasswd")).unwrap().write_all(list.as_bytes()).unwrap();
        tree
    }

    fn check(tree: &Path, name: &str, proof: &str, challenge: &str) -> Result<Account, Failure> {
        let request = format!("{name}\0{proof}\0{challenge}\0");
        let request = read_request(Ok(request.as_bytes())).unwrap();
        let login = Login::parse(&request.login, || None);
        account(tree, login.as_ref(), &request, Service::Pop)
    }

    #[test]
    fn passwords_and_digests_are_accepted_and_nothing_else() {
        let tree = tree(7001, 0);
        let challenge = "<1896.697170952@postoffice.reston.mci.net>";
        let digest = "b913a602c7eda7a495b4e6e7334d3890";
        let ann = check(tree.path(), "ann@d.example", "Hello world!", "").unwrap();
        assert_eq!((ann.home.to_str(), ann.identity.gid.0), (Some("/v/ann"), 7002));
        assert_eq!(check(tree.path(), "ann@d.example", digest, challenge), Ok(ann));
        for (name, proof, challenge) in [
            ("ann@d.example", "Hello world", ""),
            ("ann@d.example", "", ""),
            ("ann@d.example", digest, "<1@x>"),
            // The password for digests is not one to type, unless it is that of the hash.
            ("ann@d.example", "tanstaaftanstaaf", challenge),
            ("bob@d.example", "Hello world!", ""),
            ("ann@other.example", "Hello world!", ""),
            ("ann", "Hello world!", ""),
        ] {
            assert_eq!(
                check(tree.path(), name, proof, challenge),
                Err(Failure::Rejected),
                "{name}"
            );
        }
    }

    #[test]
    fn who_may_not_is_rejected_and_so_is_root() {
        for (uid, barred) in [(7001, 2), (0, 0)] {
            let tree = tree(uid, barred);
            let result = check(tree.path(), "ann@d.example", "Hello world!", "");
            assert_eq!(result, Err(Failure::Rejected));
        }
        assert!(check(tree(7001, 8).path(), "ann@d.example", "Hello world!", "").is_ok());
    }

    #[test]
    fn damaged_files_are_no_wrong_password() {
        let tree = tree(7001, 0);
        File::create(tree.path().join("d/vpasswd.cdb")).unwrap();
        let result = check(tree.path(), "ann@d.example", "Hello world!", "");
        assert_eq!(result, Err(Failure::Temporary));
    }
}
