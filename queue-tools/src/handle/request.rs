//! The command line of qmail-qhandle: qmHandle's.

use std::ffi::OsString;
use std::fmt;

use qmail_core::options::{BadOption, Given, Options};
use qmail_core::queue::{Channel, QueueId};

use super::select::{Case, Choice, pattern};

const LETTERS: &[u8] = b"lLRNsm:d:f:F:S:h:H:b:B:t:DeacV";

/// What is printed if nothing is asked for.
pub const HELP: &str = "\
usage: qmail-qhandle options
  -l -L -R    list all messages, those with local, those with remote recipients
  -N          of a list, numbers only
  -s          statistics
  -mN         show message N
  -dN         delete message N
  -fSENDER    delete messages of SENDER
  -F're'      delete messages whose sender matches
  -STEXT      delete messages with TEXT in their subject
  -h're'      delete messages with a matching header field; -H if case matters
  -b're'      delete messages with a matching body; -B if case matters
  -D          delete all messages
  -e          instead of deleting, try once more and then bounce
  -t're'      messages with a matching recipient begin their life anew
  -a          have qmail-send try all messages now
  -c          colours
  -V          version
";

/// What is done with the messages that are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delete,
    Bounce,
}

/// Which messages are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    All,
    On(Channel),
}

/// A command line.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) list: Option<Listed>,
    pub(super) numbers_only: bool,
    pub(super) statistics: bool,
    pub(super) show: Vec<QueueId>,
    pub(super) chosen: Vec<Choice>,
    pub(super) fate: Fate,
    pub(super) renewed: Vec<Choice>,
    pub(super) wake: bool,
    pub(super) colours: bool,
    /// Only the version is wanted.
    pub version: bool,
    /// Nothing is wanted.
    pub help: bool,
}

/// Why a command line is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// No such option, or no argument for it.
    Option(BadOption),
    /// There are words that are no options.
    Words,
    /// What should be the number of a message is none.
    Number(Vec<u8>),
    /// What should be a pattern is none.
    Pattern(Vec<u8>),
}

impl fmt::Display for BadRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, text) = match self {
            Self::Option(bad) => return bad.fmt(formatter),
            Self::Words => {
                return formatter.write_str("qmail-qhandle: fatal: there is more than options");
            }
            Self::Number(text) => ("number", text),
            Self::Pattern(text) => ("pattern", text),
        };
        write!(formatter, "qmail-qhandle: fatal: no {what}: {}", String::from_utf8_lossy(text))
    }
}

impl std::error::Error for BadRequest {}

impl Request {
    /// Reads a command line, the program's name first.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, BadRequest> {
        let mut options = Options::new(LETTERS, words);
        let mut request = Self {
            list: None,
            numbers_only: false,
            statistics: false,
            show: Vec::new(),
            chosen: Vec::new(),
            fate: Fate::Delete,
            renewed: Vec::new(),
            wake: false,
            colours: false,
            version: false,
            help: true,
        };
        while let Some(given) = options.next_option().map_err(BadRequest::Option)? {
            request.help = false;
            match given {
                Given::Letter(letter) => request.letter(letter),
                Given::Argument(letter, text) => request.argument(letter, text)?,
            }
        }
        if options.operands().is_empty() { Ok(request) } else { Err(BadRequest::Words) }
    }

    fn letter(&mut self, letter: u8) {
        match letter {
            b'l' => self.list = Some(Listed::All),
            b'L' => self.list = Some(Listed::On(Channel::Local)),
            b'R' => self.list = Some(Listed::On(Channel::Remote)),
            b'N' => self.numbers_only = true,
            b's' => self.statistics = true,
            b'D' => self.chosen.push(Choice::All),
            b'e' => self.fate = Fate::Bounce,
            b'a' => self.wake = true,
            b'c' => self.colours = true,
            _ => self.version = true,
        }
    }

    fn argument(&mut self, letter: u8, text: Vec<u8>) -> Result<(), BadRequest> {
        let like = |text: Vec<u8>, case| pattern(&text, case).ok_or(BadRequest::Pattern(text));
        let choice = match letter {
            b'm' => {
                self.show.push(number(text)?);
                return Ok(());
            }
            b't' => {
                self.renewed.push(Choice::Recipient(like(text, Case::Different)?));
                return Ok(());
            }
            b'd' => Choice::Number(number(text)?),
            b'f' => Choice::Sender(text),
            b'F' => Choice::SenderLike(like(text, Case::Different)?),
            b'S' => Choice::Subject(text),
            b'h' => Choice::Header(like(text, Case::Same)?),
            b'H' => Choice::Header(like(text, Case::Different)?),
            b'b' => Choice::Body(like(text, Case::Same)?),
            _ => Choice::Body(like(text, Case::Different)?),
        };
        self.chosen.push(choice);
        Ok(())
    }

    /// Whether somebody is to be deleted, bounced or renewed.
    pub(super) fn changes(&self) -> bool {
        !self.chosen.is_empty() || !self.renewed.is_empty()
    }
}

fn number(text: Vec<u8>) -> Result<QueueId, BadRequest> {
    QueueId::parse(&text).ok_or(BadRequest::Number(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Request, BadRequest> {
        Request::parse(
            std::iter::once("qmail-qhandle").chain(words.iter().copied()).map(Into::into),
        )
    }

    #[test]
    fn arguments_may_be_glued_to_their_letters() {
        let request = parse(&["-d12", "-d", "13", "-Spay now", "-lNc"]).unwrap();
        assert!(
            matches!(&request.chosen[..], [Choice::Number(a), Choice::Number(b), Choice::Subject(s)]
            if a.as_u64() == 12 && b.as_u64() == 13 && s == b"pay now")
        );
        assert_eq!(request.list, Some(Listed::All));
        assert!(request.numbers_only && request.colours && request.changes() && !request.help);
    }

    #[test]
    fn nothing_asked_for_is_help_and_nonsense_is_told() {
        assert!(parse(&[]).unwrap().help);
        let text = |words: &[&str]| parse(words).unwrap_err().to_string();
        assert_eq!(text(&["-dx"]), "qmail-qhandle: fatal: no number: x");
        assert_eq!(text(&["-F("]), "qmail-qhandle: fatal: no pattern: (");
        assert_eq!(text(&["-z"]), "qmail-qhandle: illegal option -- z");
        assert_eq!(text(&["-l", "12"]), "qmail-qhandle: fatal: there is more than options");
    }
}
