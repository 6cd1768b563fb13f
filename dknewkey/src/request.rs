//! What the command line asks for.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use qmail_core::options::{Given, Options};
use qmail_policy::Domain;

use crate::{Failure, Kind};

const DEFAULT_BITS: usize = 2048;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The kind of key.
    pub kind: Kind,
    /// Whether mail is signed with it at once.
    pub use_now: bool,
    /// Where it goes.
    pub target: Target,
}

/// Where a key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Among the keys of a domain.
    Domain {
        /// The domain.
        domain: Domain,
        /// The name of the key.
        selector: Domain,
    },
    /// Into a file, whose name is the selector.
    File {
        /// The file.
        path: PathBuf,
        /// The name of the key.
        selector: Domain,
    },
}

impl Request {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Options::new(b"enb:", words);
        let mut kind = Kind::Rsa(DEFAULT_BITS);
        let mut use_now = true;
        while let Some(given) = options.next_option().map_err(|_| Failure::Usage)? {
            match given {
                Given::Letter(b'e') => kind = Kind::Ed25519,
                Given::Letter(b'n') => use_now = false,
                Given::Argument(_, bits) => kind = Kind::Rsa(parse_bits(&bits)?),
                Given::Letter(_) => return Err(Failure::Usage),
            }
        }
        Ok(Self { kind, use_now, target: target(&options.operands())? })
    }
}

/// What signs is taken by those who verify: RFC 8301 has 2048 as the least to sign with, and more
/// than 4096 is more than they need to understand.
fn parse_bits(bits: &[u8]) -> Result<usize, Failure> {
    let bits = std::str::from_utf8(bits).ok().and_then(|bits| bits.parse().ok());
    bits.filter(|bits| matches!(bits, 2048 | 3072 | 4096)).ok_or(Failure::Usage)
}

fn target(operands: &[Vec<u8>]) -> Result<Target, Failure> {
    match operands {
        [selector, domain] => Ok(Target::Domain {
            domain: Domain::parse(domain).ok_or(Failure::Usage)?,
            selector: Domain::parse(selector).ok_or(Failure::Usage)?,
        }),
        [path] => {
            let path = Path::new(OsStr::from_bytes(path));
            let name = path.file_name().ok_or(Failure::Usage)?.as_bytes();
            let selector = Domain::parse(name).filter(|s| s.as_str().as_bytes() == name);
            Ok(Target::File { path: path.into(), selector: selector.ok_or(Failure::Usage)? })
        }
        _ => Err(Failure::Usage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Request> {
        Request::parse(line.split(' ').map(Into::into)).ok()
    }

    #[test]
    fn a_key_is_for_a_domain_or_a_file() {
        let request = parse("dknewkey S1 Example.org").unwrap();
        assert_eq!((request.kind, request.use_now), (Kind::Rsa(2048), true));
        let name = |name: &str| Domain::parse(name.as_bytes()).unwrap();
        let target = Target::Domain { domain: name("example.org"), selector: name("s1") };
        assert_eq!(request.target, target);
        let request = parse("dknewkey -n -e keys/s1").unwrap();
        assert_eq!((request.kind, request.use_now), (Kind::Ed25519, false));
        assert_eq!(request.target, Target::File { path: "keys/s1".into(), selector: name("s1") });
        assert_eq!(parse("dknewkey -b 4096 s").unwrap().kind, Kind::Rsa(4096));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "dknewkey",
            "dknewkey a b c",
            "dknewkey -x a",
            "dknewkey -b 1024 a",
            "dknewkey -b x a",
            "dknewkey ..",
            "dknewkey S1",
            "dknewkey a ../b",
            "dknewkey a/b c.example",
        ] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
