//! Command line options as qmail's programs have always read them: letters may be grouped, an
//! argument is the rest of the word or the next word, `--` or the first other word ends options.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;

/// A command line that is being read.
///
/// ```
/// # use qmail_core::options::{Given, Options};
/// let words = ["/bin/tool", "-vf", "joe", "rest"].map(Into::into);
/// let mut options = Options::new(b"vf:", words);
/// assert_eq!(options.next_option(), Ok(Some(Given::Letter(b'v'))));
/// assert_eq!(options.next_option(), Ok(Some(Given::Argument(b'f', b"joe".to_vec()))));
/// assert_eq!(options.next_option(), Ok(None));
/// assert_eq!(options.operands(), [b"rest"]);
/// ```
pub struct Options {
    program: Vec<u8>,
    letters: &'static [u8],
    words: std::iter::Peekable<std::vec::IntoIter<Vec<u8>>>,
    /// What is left of a word of grouped letters.
    group: std::vec::IntoIter<u8>,
}

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A letter without an argument.
    Letter(u8),
    /// A letter and its argument.
    Argument(u8, Vec<u8>),
}

/// An option that the program does not have, or that lacks its argument. Shown as the line, without
/// LF, that goes to standard error; some programs say nothing but their usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOption {
    program: Vec<u8>,
    letter: u8,
    known: bool,
}

impl Options {
    /// A whole command line, the program's name first. `letters` are all options, each with a `:`
    /// behind it if it has an argument.
    pub fn new(letters: &'static [u8], words: impl IntoIterator<Item = OsString>) -> Self {
        let mut words = words.into_iter().map(OsString::into_vec).collect::<Vec<_>>().into_iter();
        let program = program_name(&words.next().unwrap_or_default()).to_vec();
        Self { program, letters, words: words.peekable(), group: Vec::new().into_iter() }
    }

    /// The last path component of the name by which the program was started.
    pub fn program(&self) -> &[u8] {
        &self.program
    }

    /// The next option; `None` when only operands are left.
    pub fn next_option(&mut self) -> Result<Option<Given>, BadOption> {
        let Some(letter) = self.group.next().or_else(|| self.next_group()) else {
            return Ok(None);
        };
        match self.wants_argument(letter) {
            None => Err(self.bad(letter, false)),
            Some(false) => Ok(Some(Given::Letter(letter))),
            Some(true) => {
                let rest = self.rest_of_word();
                let argument = if rest.is_empty() { self.words.next() } else { Some(rest) };
                match argument {
                    None => Err(self.bad(letter, true)),
                    Some(argument) => Ok(Some(Given::Argument(letter, argument))),
                }
            }
        }
    }

    /// Takes what is left of the present word, for options whose argument may be missing.
    pub fn rest_of_word(&mut self) -> Vec<u8> {
        self.group.by_ref().collect()
    }

    /// The words behind the options.
    pub fn operands(self) -> Vec<Vec<u8>> {
        self.words.collect()
    }

    /// Opens the next word if it holds options, and gives its first letter.
    fn next_group(&mut self) -> Option<u8> {
        let is_dash = |word: &Vec<u8>| word.first() == Some(&b'-') && word.len() > 1;
        let mut letters = self.words.next_if(is_dash)?.into_iter().skip(1);
        // Quirk: whatever follows a double dash in its word goes with it, as in the C programs.
        let first = letters.next().filter(|letter| *letter != b'-')?;
        self.group = letters.collect::<Vec<_>>().into_iter();
        Some(first)
    }

    fn wants_argument(&self, letter: u8) -> Option<bool> {
        let at = self.letters.iter().position(|known| *known == letter && letter != b':')?;
        Some(self.letters.get(at + 1) == Some(&b':'))
    }

    fn bad(&self, letter: u8, known: bool) -> BadOption {
        BadOption { program: self.program.clone(), letter, known }
    }
}

/// The last component of a path.
fn program_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

impl fmt::Display for BadOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = String::from_utf8_lossy(&self.program);
        let problem = if self.known { "option requires an argument" } else { "illegal option" };
        write!(formatter, "{program}: {problem} -- {}", char::from(self.letter))
    }
}

impl std::error::Error for BadOption {}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Options {
        Options::new(
            b"abf:",
            std::iter::once("/x/tool").chain(words.iter().copied()).map(Into::into),
        )
    }

    fn read(words: &[&str]) -> (Vec<Given>, Vec<Vec<u8>>) {
        let mut options = options(words);
        let mut given = Vec::new();
        while let Some(option) = options.next_option().unwrap() {
            given.push(option);
        }
        (given, options.operands())
    }

    fn problem(words: &[&str]) -> String {
        let mut options = options(words);
        loop {
            if let Err(bad) = options.next_option() {
                return bad.to_string();
            }
        }
    }

    #[test]
    fn letters_may_be_grouped_and_the_last_may_take_the_rest() {
        let expected =
            vec![Given::Letter(b'a'), Given::Letter(b'b'), Given::Argument(b'f', b"joe".to_vec())];
        assert_eq!(read(&["-abfjoe"]).0, expected);
        assert_eq!(read(&["-a", "-b", "-f", "joe"]).0, expected);
    }

    #[test]
    fn an_argument_may_be_empty_or_look_like_an_option() {
        assert_eq!(read(&["-f", ""]).0, [Given::Argument(b'f', Vec::new())]);
        assert_eq!(read(&["-f", "--"]).0, [Given::Argument(b'f', b"--".to_vec())]);
    }

    #[test]
    fn double_dash_a_lone_dash_and_other_words_end_options() {
        assert_eq!(read(&["-a", "--", "-b"]).1, [b"-b"]);
        assert_eq!(read(&["-a", "-", "-b"]).1, [b"-".to_vec(), b"-b".to_vec()]);
        assert_eq!(read(&["-a", "x", "-b"]).1, [b"x".to_vec(), b"-b".to_vec()]);
        assert_eq!(read(&["--help", "x"]), (vec![], vec![b"x".to_vec()]));
        assert_eq!(read(&["", "-b"]).1, [b"".to_vec(), b"-b".to_vec()]);
    }

    #[test]
    fn problems_are_told_with_the_name_of_the_program() {
        assert_eq!(problem(&["-az"]), "tool: illegal option -- z");
        assert_eq!(problem(&["-:"]), "tool: illegal option -- :");
        assert_eq!(problem(&["-f"]), "tool: option requires an argument -- f");
    }

    #[test]
    fn the_rest_of_a_word_can_be_skipped() {
        let mut options = options(&["-axyz", "-b"]);
        assert_eq!(options.next_option(), Ok(Some(Given::Letter(b'a'))));
        assert_eq!(options.rest_of_word(), b"xyz");
        assert_eq!(options.next_option(), Ok(Some(Given::Letter(b'b'))));
    }
}
