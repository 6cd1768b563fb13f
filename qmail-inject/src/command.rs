//! The command line.

use qmail_core::options::{BadOption, Given, Options};

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// Print the message instead of queueing it (`-n`).
    pub print: bool,
    /// The envelope sender (`-f`), not yet completed.
    pub sender: Option<Vec<u8>>,
    /// Recipients on the command line that count, not yet completed.
    pub recipients: Vec<Vec<u8>>,
    /// Whether recipients in the header count.
    pub header_recipients: bool,
}

#[derive(Clone, Copy)]
enum Recipients {
    ArgumentsOrHeader,
    Arguments,
    Header,
    Both,
}

impl Command {
    /// Reads it.
    pub(crate) fn parse(mut options: Options) -> Result<Self, BadOption> {
        let mut recipients = Recipients::ArgumentsOrHeader;
        let mut print = false;
        let mut sender = None;
        while let Some(option) = options.next_option()? {
            match option {
                Given::Letter(b'a') => recipients = Recipients::Arguments,
                Given::Letter(b'A') => recipients = Recipients::ArgumentsOrHeader,
                Given::Letter(b'h') => recipients = Recipients::Header,
                Given::Letter(b'H') => recipients = Recipients::Both,
                Given::Letter(b'n') => print = true,
                Given::Letter(_) => print = false,
                Given::Argument(_, argument) => sender = Some(argument),
            }
        }
        let arguments = options.operands();
        let (recipients, header_recipients) = match recipients {
            Recipients::Arguments => (arguments, false),
            Recipients::Header => (Vec::new(), true),
            Recipients::Both => (arguments, true),
            Recipients::ArgumentsOrHeader => {
                let none = arguments.is_empty();
                (arguments, none)
            }
        };
        Ok(Self { print, sender, recipients, header_recipients })
    }
}

/// The options of qmail-inject.
pub(crate) const LETTERS: &[u8] = b"aAhHnNf:";

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Command {
        let words = std::iter::once("qmail-inject").chain(words.iter().copied()).map(Into::into);
        Command::parse(Options::new(LETTERS, words)).unwrap()
    }

    fn recipients(words: &[&str]) -> (usize, bool) {
        let command = command(words);
        (command.recipients.len(), command.header_recipients)
    }

    #[test]
    fn recipients_come_from_where_the_last_letter_says() {
        assert_eq!(recipients(&[]), (0, true));
        assert_eq!(recipients(&["joe"]), (1, false));
        assert_eq!(recipients(&["-h", "joe"]), (0, true));
        assert_eq!(recipients(&["-hH", "joe"]), (1, true));
        assert_eq!(recipients(&["-Ha", "joe"]), (1, false));
        assert_eq!(recipients(&["-a"]), (0, false));
        assert_eq!(recipients(&["-aA"]), (0, true));
    }

    #[test]
    fn the_last_sender_and_the_last_n_win() {
        let command = command(&["-fa", "-nNn", "-f", "b"]);
        assert_eq!((command.sender, command.print), (Some(b"b".to_vec()), true));
    }
}
