//! What somebody logs in for.

use qmail_core::vpopmail::Barred;

/// A way to get at mail, or to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Reading by POP3.
    Pop,
    /// Reading by IMAP.
    Imap,
    /// Sending.
    Smtp,
}

impl Service {
    /// The service at a port of this host; at another one, what the program is for.
    pub fn of(port: Option<&[u8]>, program: &[u8]) -> Self {
        let contains = |word: &[u8]| program.windows(word.len()).any(|part| part == word);
        match port.unwrap_or_default() {
            b"25" | b"465" | b"587" => Self::Smtp,
            b"110" | b"995" => Self::Pop,
            b"143" | b"993" => Self::Imap,
            // Who checks passwords for SMTP wants no more than the exit code.
            _ if contains(b"true") || program == b"-" => Self::Smtp,
            _ if contains(b"imap") => Self::Imap,
            _ => Self::Pop,
        }
    }

    /// Whether somebody may use it who may not do these things.
    pub fn is_open_to(self, barred: Barred) -> bool {
        !barred.has(match self {
            Self::Pop => Barred::POP,
            Self::Imap => Barred::IMAP,
            Self::Smtp => Barred::SMTP,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_comes_before_the_program() {
        assert_eq!(Service::of(Some(b"587"), b"qmail-pop3d"), Service::Smtp);
        assert_eq!(Service::of(Some(b"995"), b"/bin/true"), Service::Pop);
        assert_eq!(Service::of(Some(b"143"), b"x"), Service::Imap);
        assert_eq!(Service::of(Some(b"1110"), b"qmail-pop3d"), Service::Pop);
        assert_eq!(Service::of(None, b"/bin/true"), Service::Smtp);
        assert_eq!(Service::of(None, b"/usr/bin/imapd"), Service::Imap);
    }
}
