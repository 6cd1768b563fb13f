//! Why a delivery was not made, in the words that bounces and logs show.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use qmail_core::errno;
use qmail_core::maildir::MaildirError;
use qmail_core::mbox::MboxError;
use qmail_core::overquota;
use qmail_core::submit::Refusal;

/// Why a delivery, or the rest of it, was not made.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage,
    /// The home directory could not be entered.
    SwitchHome(PathBuf, io::Error),
    /// The home directory could not be looked at.
    StatHome(io::Error),
    /// Others may write to the home directory.
    HomeWritable,
    /// The user is changing his instructions.
    HomeSticky,
    /// The message has been here before.
    Looping,
    /// There are no instructions for this address.
    NoMailbox,
    /// Instructions could not be opened.
    OpenInstructions(Vec<u8>, io::Error),
    /// Instructions could not be read.
    ReadInstructions(Vec<u8>, io::Error),
    /// Others may write to the instructions.
    InstructionsWritable,
    /// The instructions begin with a blank line.
    BlankFirstLine,
    /// The instructions are damaged.
    NulInInstructions,
    /// A file delivery where only forwarding is allowed.
    FileNotAllowed,
    /// A program where only forwarding is allowed.
    ProgramNotAllowed,
    /// The message is no file, or there is none.
    Rewind,
    /// The message could not be read.
    ReadMessage(io::Error),
    /// Delivery to a maildir failed.
    Maildir(MaildirError),
    /// The maildir has no room for it.
    Full(overquota::Refusal),
    /// This variable is set to something that makes no sense.
    Setting(&'static str),
    /// Delivery to the mbox of this name failed.
    Mbox(Vec<u8>, MboxError),
    /// No process could be started.
    Fork(io::Error),
    /// A program was killed by a signal.
    Crashed,
    /// A program refused the message for good. It has said why.
    ProgramRefused,
    /// A program wants to be asked again later. It has said why.
    ProgramDeferred,
    /// The message could not be forwarded.
    Forward(Refusal),
}

impl Failure {
    /// The exit code: see qmail-local(8), EXIT CODES.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage | Self::Looping | Self::NoMailbox | Self::ProgramRefused => 100,
            Self::Forward(refusal) if refusal.permanent => 100,
            Self::Full(refusal) if refusal.is_permanent => 100,
            Self::SwitchHome(..)
            | Self::StatHome(_)
            | Self::HomeWritable
            | Self::HomeSticky
            | Self::OpenInstructions(..)
            | Self::ReadInstructions(..)
            | Self::InstructionsWritable
            | Self::BlankFirstLine
            | Self::NulInInstructions
            | Self::FileNotAllowed
            | Self::ProgramNotAllowed
            | Self::Rewind
            | Self::ReadMessage(_)
            | Self::Maildir(_)
            | Self::Full(_)
            | Self::Setting(_)
            | Self::Mbox(..)
            | Self::Fork(_)
            | Self::Crashed
            | Self::ProgramDeferred
            | Self::Forward(_) => 111,
        }
    }

    /// The line for the report; nothing where a program has said it already.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Self::SwitchHome(home, error) => {
                about(b"Unable to switch to ", home.as_os_str().as_bytes(), error, "(#4.3.0)")
            }
            Self::StatHome(error) => {
                about(b"Unable to stat home directory", b"", error, "(#4.3.0)")
            }
            Self::OpenInstructions(name, error) => {
                about(b"Unable to open ", name, error, "(#4.3.0)")
            }
            Self::ReadInstructions(name, error) => {
                about(b"Unable to read ", name, error, "(#4.3.0)")
            }
            Self::ReadMessage(error) | Self::Mbox(_, MboxError::Read(error)) => {
                about(b"Unable to read message", b"", error, "(#4.3.0)")
            }
            Self::Fork(error) => about(b"Unable to fork", b"", error, "(#4.3.0)"),
            Self::Mbox(name, MboxError::Open(error)) => {
                about(b"Unable to open ", name, error, "(#4.2.1)")
            }
            Self::Mbox(name, MboxError::Lock(error)) => {
                about(b"Unable to lock ", name, error, "(#4.3.0)")
            }
            Self::Mbox(name, MboxError::Write(error)) => {
                about(b"Unable to write ", name, error, "(#4.3.0)")
            }
            Self::Forward(refusal) => {
                [b"Unable to forward message: ", refusal.text.as_slice(), b".\n"].concat()
            }
            Self::Full(refusal) => [refusal.text.as_slice(), b"\n"].concat(),
            Self::Setting(name) => format!("Unable to understand {name}. (#4.3.5)\n").into_bytes(),
            Self::ProgramRefused | Self::ProgramDeferred => Vec::new(),
            _ => [self.fixed_text().as_bytes(), b"\n"].concat(),
        }
    }

    /// The texts that need nothing put in. The others are in [`Self::message`].
    fn fixed_text(&self) -> &'static str {
        match self {
            Self::Usage => {
                "qmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty"
            }
            Self::HomeWritable => "Uh-oh: home directory is writable. (#4.7.0)",
            Self::HomeSticky => {
                "Home directory is sticky: user is editing his .qmail file. (#4.2.1)"
            }
            Self::Looping => {
                "This message is looping: it already has my Delivered-To line. (#5.4.6)"
            }
            Self::NoMailbox => "Sorry, no mailbox here by that name. (#5.1.1)",
            Self::InstructionsWritable => "Uh-oh: .qmail file is writable. (#4.7.0)",
            Self::BlankFirstLine => "Uh-oh: first line of .qmail file is blank. (#4.2.1)",
            Self::NulInInstructions => "Uh-oh: .qmail file has a NUL. (#4.2.1)",
            Self::FileNotAllowed => "Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)",
            Self::ProgramNotAllowed => {
                "Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)"
            }
            Self::Rewind => "Unable to rewind message. (#4.3.0)",
            Self::Maildir(error) => maildir_text(error),
            Self::Crashed => "Aack, child crashed. (#4.3.0)",
            Self::Mbox(..) => "File has been locked for 30 seconds straight. (#4.3.0)",
            _ => "",
        }
    }
}

fn maildir_text(error: &MaildirError) -> &'static str {
    match error {
        MaildirError::Enter(_) => "Unable to chdir to maildir. (#4.2.1)",
        MaildirError::Timeout => "Timeout on maildir delivery. (#4.3.0)",
        MaildirError::Read(_) => "Unable to read message. (#4.3.0)",
        MaildirError::Full | MaildirError::Other(_) => {
            "Temporary error on maildir delivery. (#4.3.0)"
        }
    }
}

fn about(what: &[u8], name: &[u8], error: &io::Error, status: &str) -> Vec<u8> {
    let reason = errno::text(error).as_bytes();
    [what, name, b": ", reason, b". ", status.as_bytes(), b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> io::Error {
        std::fs::File::open("/nonexistent").unwrap_err()
    }

    fn text(failure: &Failure) -> (String, u8) {
        (String::from_utf8(failure.message()).unwrap(), failure.code())
    }

    #[test]
    fn errors_are_told_in_qmails_words() {
        for (failure, expected, code) in [
            (
                Failure::SwitchHome("/x".into(), missing()),
                "Unable to switch to /x: file does not exist. (#4.3.0)\n",
                111,
            ),
            (
                Failure::StatHome(missing()),
                "Unable to stat home directory: file does not exist. (#4.3.0)\n",
                111,
            ),
            (
                Failure::Mbox(b"./M".to_vec(), MboxError::Open(missing())),
                "Unable to open ./M: file does not exist. (#4.2.1)\n",
                111,
            ),
            (
                Failure::Mbox(b"./M".to_vec(), MboxError::Locked),
                "File has been locked for 30 seconds straight. (#4.3.0)\n",
                111,
            ),
            (
                Failure::Maildir(MaildirError::Read(missing())),
                "Unable to read message. (#4.3.0)\n",
                111,
            ),
            (
                Failure::Full(overquota::Refusal { is_permanent: true, text: b"No.".to_vec() }),
                "No.\n",
                100,
            ),
            (
                Failure::Full(overquota::Refusal { is_permanent: false, text: b"No.".to_vec() }),
                "No.\n",
                111,
            ),
            (Failure::Setting("X"), "Unable to understand X. (#4.3.5)\n", 111),
            (Failure::ProgramRefused, "", 100),
            (Failure::ProgramDeferred, "", 111),
        ] {
            assert_eq!(text(&failure), (expected.to_owned(), code));
        }
    }

    #[test]
    fn a_refusal_of_the_queue_decides_for_good_or_for_later() {
        let refusal = |permanent| Failure::Forward(Refusal { permanent, text: b"no".to_vec() });
        assert_eq!(text(&refusal(true)), ("Unable to forward message: no.\n".to_owned(), 100));
        assert_eq!(refusal(false).code(), 111);
    }

    #[test]
    fn no_failure_but_a_programs_own_is_silent() {
        for failure in [
            Failure::Usage,
            Failure::HomeWritable,
            Failure::HomeSticky,
            Failure::Looping,
            Failure::NoMailbox,
            Failure::InstructionsWritable,
            Failure::BlankFirstLine,
            Failure::NulInInstructions,
            Failure::FileNotAllowed,
            Failure::ProgramNotAllowed,
            Failure::Rewind,
            Failure::Crashed,
        ] {
            assert!(failure.message().len() > 10, "{failure:?}");
        }
    }
}
