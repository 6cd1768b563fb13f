//! Everything that can go wrong, what is said of it and which exit code it has.

use std::io;

use qmail_core::control::ControlError;
use qmail_core::options::BadOption;
use qmail_core::submit::Refusal;

/// Why a message was not queued.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(BadOption),
    /// A field, a control or the option `-f` does not hold what it should.
    Line(Vec<u8>),
    /// A recipient on the command line is no address.
    Address(Vec<u8>),
    /// The header, or a field of it, is longer than anybody needs.
    TooLong(&'static str),
    /// The message or a control file cannot be read.
    Read(io::Error),
    /// The message cannot be written to standard output.
    Write,
    /// The home directory of qmail cannot be entered.
    Home,
    /// The queue program cannot be started.
    Queue,
    /// The queue program does not want the message.
    Refused(Refusal),
}

impl Failure {
    /// The exit code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Line(_) | Self::Address(_) | Self::TooLong(_) => 100,
            Self::Read(_) | Self::Write | Self::Home | Self::Queue => 111,
            Self::Refused(refusal) => {
                if refusal.permanent {
                    100
                } else {
                    111
                }
            }
        }
    }

    /// What goes to standard error.
    pub fn message(&self) -> Vec<u8> {
        let fatal = |text: &[u8]| [b"qmail-inject: fatal: ", text, b"\n"].concat();
        match self {
            Self::Usage(bad) => format!("{bad}\n").into_bytes(),
            // The line brings its own LF, as far as it has one.
            Self::Line(line) => [fatal(b"unable to parse this line:").as_slice(), line].concat(),
            Self::Address(address) => fatal(&[b"unable to parse address: ", &**address].concat()),
            Self::TooLong(what) => fatal(format!("{what} too long").as_bytes()),
            Self::Read(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                fatal(b"out of memory")
            }
            Self::Read(_) => fatal(b"read error"),
            Self::Write => fatal(b"write error"),
            Self::Home => fatal(b"internal bug"),
            Self::Queue => fatal(b"unable to run qmail-queue"),
            Self::Refused(refusal) => fatal(&refusal.text),
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::Read(error.error)
    }
}

impl From<BadOption> for Failure {
    fn from(bad: BadOption) -> Self {
        Self::Usage(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_queue_said_and_how_final_it_is() {
        for (permanent, code) in [(true, 100), (false, 111)] {
            let text = b"no (#5.7.1)".to_vec();
            let failure = Failure::Refused(Refusal { permanent, text });
            assert_eq!(failure.code(), code);
            assert_eq!(failure.message(), b"qmail-inject: fatal: no (#5.7.1)\n");
        }
    }

    #[test]
    fn a_line_is_shown_below_its_complaint() {
        let failure = Failure::Line(b"To: a>\n".to_vec());
        assert_eq!(failure.message(), b"qmail-inject: fatal: unable to parse this line:\nTo: a>\n");
        let failure = Failure::Address(b"a@)".to_vec());
        assert_eq!(failure.message(), b"qmail-inject: fatal: unable to parse address: a@)\n");
    }
}
