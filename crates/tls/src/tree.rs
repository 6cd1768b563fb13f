//! The server's side, as the control files of a tree have it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use qmail_core::control::{
    CLIENTCA_PEM, CLIENTCRL_PEM, ControlError, Controls, SERVERCERT_PEM, SERVERCERTS,
    TLSSERVERCIPHERS,
};

use crate::server::{Server, ServerError, ServerFiles};
use crate::{NoCipher, Selection, unknown_words};

/// What a tree has for its servers. Nothing is read until a client wants it.
#[derive(Clone, Debug)]
pub struct TreeServer {
    certificate: PathBuf,
    by_name: PathBuf,
    authorities: Option<PathBuf>,
    revoked: PathBuf,
    ciphers: String,
}

/// A server, and what should be said of it.
#[derive(Debug)]
pub struct Ready {
    /// The server.
    pub server: Server,
    /// Words in the list of ciphers that select none.
    pub unknown_ciphers: Vec<String>,
}

/// Why there is no TLS.
#[derive(Debug)]
pub enum Unready {
    /// A file cannot be used.
    File(ServerError),
    /// No cipher is left.
    Ciphers(NoCipher),
}

impl TreeServer {
    /// Looks at the control files and the environment: `TLSCIPHERS` wins over `tlsserverciphers`.
    /// `None` if there is no certificate, so that TLS is not to be offered.
    ///
    /// # Errors
    /// If a control file cannot be read.
    pub fn find(
        controls: &Controls,
        variable: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Option<Self>, ControlError> {
        let certificate = controls.path(&SERVERCERT_PEM);
        if !exists(&certificate) {
            return Ok(None);
        }
        let ciphers = match variable("TLSCIPHERS") {
            Some(list) => list,
            None => controls.list(&TLSSERVERCIPHERS)?.unwrap_or_default().join(&b':'),
        };
        Ok(Some(Self {
            certificate,
            by_name: controls.path(&SERVERCERTS),
            authorities: None,
            revoked: controls.path(&CLIENTCRL_PEM),
            ciphers: String::from_utf8_lossy(&ciphers).into_owned(),
        }))
    }

    /// Asks clients for a certificate, if there is a file that says whose count.
    #[must_use]
    pub fn asking_clients(mut self, controls: &Controls) -> Self {
        self.authorities = Some(controls.path(&CLIENTCA_PEM)).filter(|path| exists(path));
        self
    }

    /// Whether clients are asked for a certificate.
    pub fn asks_clients(&self) -> bool {
        self.authorities.is_some()
    }

    /// Reads the certificates, which have to be valid `now`, in seconds since 1970.
    ///
    /// # Errors
    /// If one cannot be used, or no cipher is left.
    pub fn ready(&self, now: u64) -> Result<Ready, Unready> {
        let ciphers = match self.ciphers.as_str() {
            "" => Selection::default(),
            list => Selection::parse(list).map_err(Unready::Ciphers)?,
        };
        let files = ServerFiles {
            certificate: &self.certificate,
            by_name: &self.by_name,
            authorities: self.authorities.as_deref(),
            revoked: &self.revoked,
        };
        let server = Server::read(&files, &ciphers, now).map_err(Unready::File)?;
        let unknown_ciphers = unknown_words(&self.ciphers).map(str::to_owned).collect();
        Ok(Ready { server, unknown_ciphers })
    }
}

impl Unready {
    /// What is wrong, without the path of a file: clients may be told.
    pub fn reason(&self) -> String {
        match self {
            Self::File(error) => error.problem.to_string(),
            Self::Ciphers(error) => error.to_string(),
        }
    }
}

impl fmt::Display for Unready {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(formatter, "{error}"),
            Self::Ciphers(error) => write!(formatter, "unable to use tlsserverciphers: {error}"),
        }
    }
}

impl std::error::Error for Unready {}

/// A file that cannot be looked at is there: whoever uses it says what is wrong.
fn exists(path: &Path) -> bool {
    !matches!(std::fs::metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, create_dir};
    use std::io::Write;

    fn find(files: &[(&str, &str)], ciphers: Option<&str>) -> Option<TreeServer> {
        let home = tempfile::tempdir().unwrap();
        create_dir(home.path().join("control")).unwrap();
        for (name, text) in files {
            let mut file = File::create(home.path().join("control").join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        let controls = Controls::open(home.path()).unwrap();
        let variable = |name: &str| {
            assert_eq!(name, "TLSCIPHERS");
            ciphers.map(|list| list.as_bytes().to_vec())
        };
        let found = TreeServer::find(&controls, &variable).unwrap();
        found.map(|server| server.asking_clients(&controls))
    }

    #[test]
    fn without_a_certificate_there_is_no_server() {
        assert!(find(&[("clientca.pem", "")], None).is_none());
        assert!(!find(&[("servercert.pem", "")], None).unwrap().asks_clients());
        let both = [("servercert.pem", ""), ("clientca.pem", "")];
        assert!(find(&both, None).unwrap().asks_clients());
    }

    #[test]
    fn ciphers_are_lines_or_the_variable() {
        let files = [("servercert.pem", ""), ("tlsserverciphers", "HIGH\n#no\n!RSA\n")];
        assert_eq!(find(&files, None).unwrap().ciphers, "HIGH:!RSA");
        assert_eq!(find(&files, Some("DEFAULT")).unwrap().ciphers, "DEFAULT");
    }

    #[test]
    fn what_is_wrong_is_told_with_and_without_the_file() {
        let unready = find(&[("servercert.pem", "")], None).unwrap().ready(0).unwrap_err();
        // The directory is gone by now.
        assert_eq!(unready.reason(), "file does not exist");
        assert!(unready.to_string().contains("control/servercert.pem: file does not exist"));
        let unready = find(&[("servercert.pem", "")], Some("RC4")).unwrap().ready(0).unwrap_err();
        assert_eq!(unready.reason(), "no cipher match");
    }
}
