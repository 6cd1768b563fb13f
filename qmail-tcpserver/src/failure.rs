//! Why there is no server.

use std::fmt;
use std::io;

use qmail_core::errno::text;
use qmail_sys::ListenFailure;

use crate::options::Misuse;

const USAGE: &str = "tcpserver: usage: tcpserver [ -461UXpPhHrRoOdDqQv ] [ -c limit ] \
    [ -C limit for each address ] [ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] \
    [ -l localname ] [ -t timeout ] host port program";

/// Why there is no server. Shown as the lines that the log gets, without the last LF.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(Misuse),
    /// Nobody knows this port.
    Port(Vec<u8>),
    /// This host has no address of the families that are to be used.
    NoAddress(Vec<u8>),
    /// Nobody can tell now which address this host has.
    Address(Vec<u8>, io::Error),
    /// There is no listening socket.
    Listen(ListenFailure),
    /// It does not say where it is.
    LocalAddress(io::Error),
    /// The group could not be had.
    Group(io::Error),
    /// The user could not be had.
    User(io::Error),
    /// Descriptors 0 and 1 could not be let go.
    Descriptors(io::Error),
    /// Signals could not be waited for.
    Signals(io::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 100,
            Self::Port(_)
            | Self::NoAddress(_)
            | Self::Address(..)
            | Self::Listen(_)
            | Self::LocalAddress(_)
            | Self::Group(_)
            | Self::User(_)
            | Self::Descriptors(_)
            | Self::Signals(_) => 111,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |what: &str, error: &io::Error| format!("{what}: {}", text(error));
        let about = |what: &str, word: &[u8]| format!("{what} {}", String::from_utf8_lossy(word));
        let reason = match self {
            Self::Usage(Misuse { option: Some(bad), .. }) => {
                return write!(formatter, "{bad}\n{USAGE}");
            }
            Self::Usage(_) => return formatter.write_str(USAGE),
            Self::Port(word) => about("unable to figure out port number for", word),
            Self::NoAddress(word) => about("no IP address for", word),
            Self::Address(word, error) => {
                because(&about("temporarily unable to figure out IP address for", word), error)
            }
            Self::Listen(ListenFailure::Socket(error)) => because("unable to create socket", error),
            Self::Listen(ListenFailure::Bind(error)) => because("unable to bind", error),
            Self::Listen(ListenFailure::Listen(error)) => because("unable to listen", error),
            Self::LocalAddress(error) => because("unable to get local address", error),
            Self::Group(error) => because("unable to set gid", error),
            Self::User(error) => because("unable to set uid", error),
            Self::Descriptors(error) => because("unable to set up descriptors", error),
            Self::Signals(error) => because("unable to wait for signals", error),
        };
        write!(formatter, "tcpserver: fatal: {reason}")
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Volume;

    #[test]
    fn only_wrong_usage_is_for_good() {
        let misuse = Misuse { option: None, volume: Volume::Trouble };
        assert_eq!(Failure::Usage(misuse).code(), 100);
        assert_eq!(Failure::Port(Vec::new()).code(), 111);
    }

    #[test]
    fn reasons_are_in_tcpservers_words() {
        let taken = || io::Error::from_raw_os_error(98);
        assert_eq!(
            Failure::Listen(ListenFailure::Bind(taken())).to_string(),
            "tcpserver: fatal: unable to bind: address already used"
        );
        assert_eq!(
            Failure::Port(b"x".to_vec()).to_string(),
            "tcpserver: fatal: unable to figure out port number for x"
        );
        let misuse = Misuse { option: None, volume: Volume::Trouble };
        assert!(Failure::Usage(misuse).to_string().starts_with("tcpserver: usage: tcpserver [ -"));
    }
}
