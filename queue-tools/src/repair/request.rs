//! The command line of qmail-qrepair.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use qmail_core::options::{BadOption, Given, Options};
use qmail_core::queue::Todo;

use super::detect::is_prime;

/// What is printed for `-h`, and for a command line that cannot be understood.
pub const USAGE: &str =
    "qmail-qrepair: usage: qmail-qrepair [ -trchbni ] [ -s split ] [ qmaildir ]";

const LETTERS: &[u8] = b"trchbnis:";

/// Options as queue_repair.py has them.
const LONG: [(&str, &str); 8] = [
    ("--test", "-t"),
    ("--repair", "-r"),
    ("--create", "-c"),
    ("--help", "-h"),
    ("--bigtodo", "-b"),
    ("--no-bigtodo", "-n"),
    ("--i-want-a-broken-conf-split", "-i"),
    ("--split", "-s"),
];

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Say what is wrong.
    Test,
    /// Put it right.
    Repair,
    /// Make a new queue.
    Create,
    /// Say how the command is used.
    Help,
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub job: Job,
    /// The number of parts that the queue is to have; the one that it has, if this is `None`.
    pub split: Option<u64>,
    /// The layout of `todo` that the queue is to have.
    pub todo: Option<Todo>,
    /// Where qmail is.
    pub home: Option<PathBuf>,
}

/// Why a command line is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// No such option, or no argument for it.
    Option(BadOption),
    /// More than one directory.
    Words,
    /// The split is no number from 1 to 65535.
    Split,
    /// Messages would not spread well over this number of parts.
    NotPrime(u64),
    /// A new queue needs a split and a layout.
    Shape,
}

impl fmt::Display for BadRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(bad) => bad.fmt(formatter),
            Self::Words => formatter.write_str(USAGE),
            Self::Split => {
                formatter.write_str("qmail-qrepair: fatal: the split is a number from 1 to 65535")
            }
            Self::NotPrime(split) => write!(
                formatter,
                "qmail-qrepair: fatal: {split} is not prime; \
                 use --i-want-a-broken-conf-split if you mean it"
            ),
            Self::Shape => formatter.write_str(
                "qmail-qrepair: fatal: a new queue needs --split and --bigtodo or --no-bigtodo",
            ),
        }
    }
}

impl std::error::Error for BadRequest {}

impl Request {
    /// Reads a command line, the program's name first.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, BadRequest> {
        let mut options = Options::new(LETTERS, words.into_iter().flat_map(short));
        let mut request = Self { job: Job::Test, split: None, todo: None, home: None };
        let mut any_split = false;
        while let Some(given) = options.next_option().map_err(BadRequest::Option)? {
            match given {
                Given::Letter(b't') => request.job = Job::Test,
                Given::Letter(b'r') => request.job = Job::Repair,
                Given::Letter(b'c') => request.job = Job::Create,
                Given::Letter(b'h') => return Ok(Self { job: Job::Help, ..request }),
                Given::Letter(b'b') => request.todo = Some(Todo::Hashed),
                Given::Letter(b'n') => request.todo = Some(Todo::Flat),
                Given::Letter(b'i') => any_split = true,
                Given::Argument(_, split) => request.split = Some(parse_split(&split)?),
                Given::Letter(_) => {}
            }
        }
        if let Some(split) = request.split.filter(|split| !any_split && !is_prime(*split)) {
            return Err(BadRequest::NotPrime(split));
        }
        if request.job == Job::Create && (request.split.is_none() || request.todo.is_none()) {
            return Err(BadRequest::Shape);
        }
        let mut words = options.operands().into_iter();
        request.home = words.next().map(|word| OsString::from_vec(word).into());
        if words.next().is_some() {
            return Err(BadRequest::Words);
        }
        Ok(request)
    }
}

/// A word with the short form of its option; a long one may have its argument in it.
fn short(word: OsString) -> Vec<OsString> {
    for (long, letter) in LONG {
        if word == long {
            return vec![letter.into()];
        }
        let argument = word.as_bytes().strip_prefix(long.as_bytes());
        if let Some(argument) = argument.and_then(|rest| rest.strip_prefix(b"=")) {
            return vec![letter.into(), OsStr::from_bytes(argument).to_owned()];
        }
    }
    vec![word]
}

fn parse_split(text: &[u8]) -> Result<u64, BadRequest> {
    let number: u16 = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(BadRequest::Split)?;
    if number == 0 { Err(BadRequest::Split) } else { Ok(number.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Request, BadRequest> {
        Request::parse(
            std::iter::once("x/qmail-qrepair").chain(words.iter().copied()).map(Into::into),
        )
    }

    #[test]
    fn long_and_short_options_mean_the_same() {
        let expected = Request {
            job: Job::Repair,
            split: Some(401),
            todo: Some(Todo::Hashed),
            home: Some("/q".into()),
        };
        for words in [
            &["-r", "-b", "-s", "401", "/q"][..],
            &["-rbs401", "/q"],
            &["--repair", "--bigtodo", "--split", "401", "/q"],
            &["--repair", "--bigtodo", "--split=401", "/q"],
        ] {
            assert_eq!(parse(words).as_ref(), Ok(&expected), "{words:?}");
        }
        assert_eq!(parse(&[]).unwrap().job, Job::Test);
        assert_eq!(parse(&["--no-bigtodo"]).unwrap().todo, Some(Todo::Flat));
        assert_eq!(
            parse(&["-z", "--help"]).unwrap_err().to_string(),
            "qmail-qrepair: illegal option -- z"
        );
        assert_eq!(parse(&["--help"]).unwrap().job, Job::Help);
    }

    #[test]
    fn a_split_is_a_prime_unless_told_otherwise() {
        assert_eq!(parse(&["-s", "400"]), Err(BadRequest::NotPrime(400)));
        assert!(parse(&["-is400"]).is_ok());
        for split in ["", "0", "x", "-1", "+23", "65536", "99999999999999999999"] {
            assert_eq!(parse(&["-s", split]), Err(BadRequest::Split), "{split}");
        }
    }

    #[test]
    fn a_new_queue_needs_a_whole_layout() {
        assert_eq!(parse(&["-c"]), Err(BadRequest::Shape));
        assert_eq!(parse(&["-cs23"]), Err(BadRequest::Shape));
        assert_eq!(parse(&["-cns23"]).unwrap().job, Job::Create);
        assert_eq!(parse(&["/a", "/b"]), Err(BadRequest::Words));
    }
}
