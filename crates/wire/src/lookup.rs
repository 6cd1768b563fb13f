//! Between qmail-lspawn and a qmail-getpw that stays: questions one way, answers the other.
//!
//! qmail-getpw finds out about one address, and ends. Started with an empty address and
//! [`STANDING`], ours stays and answers one question after the other; it says so first. Any other
//! program in its place looks up nobody's address and ends, which shows that it is another one.

/// The argument that has qmail-getpw stay.
pub const STANDING: &str = "standing";
/// The descriptor that it reads questions from. Not 0: what reads that must find an end.
pub const QUESTIONS: u8 = 3;
/// What it says first.
const GREETING: &[u8] = b"qmail-getpw standing\0";
/// A question of so many bytes, its NUL included, never has to wait for room in an empty pipe.
const LONGEST_QUESTION: usize = 4096;
/// Strings of an answer.
const STRINGS: usize = 6;
/// An answer has names and an address, which programs take as arguments.
const LONGEST_ANSWER: usize = 1 << 20;

/// The question about `local`; `None` if it is too long to be one, or is not one.
pub fn question(local: &[u8]) -> Option<Vec<u8>> {
    let fits = local.len() < LONGEST_QUESTION && !local.contains(&0);
    fits.then(|| [local, b"\0"].concat())
}

/// What begins a dialogue.
pub fn greeting() -> &'static [u8] {
    GREETING
}

/// What came of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Six strings, each ended by a NUL.
    Found(Vec<u8>),
    /// The exit code that qmail-getpw would end with.
    Failed(u8),
}

impl Answer {
    /// The bytes for qmail-lspawn.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Found(strings) => [b"\0", strings.as_slice()].concat(),
            // A failure that calls itself 0 is one all the same.
            Self::Failed(code) => vec![(*code).max(1)],
        }
    }
}

/// What has been heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Not all of it yet.
    Nothing,
    /// It stays, and can be asked.
    Greeting,
    /// The answer.
    Answer(Answer),
}

/// Whoever talks like this is not a qmail-getpw that stays, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

/// Collects what arrives from qmail-getpw, in bounded memory.
#[derive(Debug, Default)]
pub struct AnswerParser {
    greeted: bool,
    bytes: Vec<u8>,
}

impl AnswerParser {
    /// A parser before the greeting.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the greeting was heard.
    pub fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Takes what has arrived.
    ///
    /// # Errors
    /// If that is no answer, or more than one: only one question is ever open.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Heard, Garbled> {
        self.bytes.extend_from_slice(bytes);
        if !self.greeted {
            return self.greeting();
        }
        let Some((code, strings)) = self.bytes.split_first() else { return Ok(Heard::Nothing) };
        let answer = match (code, strings.iter().filter(|byte| **byte == 0).count()) {
            (0, STRINGS) if strings.ends_with(b"\0") => Answer::Found(strings.to_vec()),
            (0, ..STRINGS) if strings.len() < LONGEST_ANSWER => return Ok(Heard::Nothing),
            (1.., _) if strings.is_empty() => Answer::Failed(*code),
            _ => return Err(Garbled),
        };
        self.bytes.clear();
        Ok(Heard::Answer(answer))
    }

    fn greeting(&mut self) -> Result<Heard, Garbled> {
        if self.bytes == GREETING {
            self.greeted = true;
            self.bytes.clear();
            return Ok(Heard::Greeting);
        }
        if GREETING.starts_with(&self.bytes) { Ok(Heard::Nothing) } else { Err(Garbled) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeted() -> AnswerParser {
        let mut parser = AnswerParser::new();
        assert_eq!(parser.push(GREETING), Ok(Heard::Greeting));
        parser
    }

    #[test]
    fn answers_arrive_as_they_were_sent_however_they_are_cut() {
        let found = Answer::Found(b"joe\x001\x002\0/home/joe\0-\0x\0".to_vec());
        for answer in [found, Answer::Failed(115)] {
            let bytes = [GREETING, &answer.encode()].concat();
            let mut parser = AnswerParser::new();
            let heard: Vec<Heard> =
                bytes.iter().map(|byte| parser.push(&[*byte]).unwrap()).collect();
            assert_eq!(heard[GREETING.len() - 1], Heard::Greeting);
            assert_eq!(heard.last(), Some(&Heard::Answer(answer)));
            let heard = heard.iter().filter(|heard| **heard != Heard::Nothing);
            assert_eq!(heard.count(), 2);
        }
    }

    #[test]
    fn another_program_is_known_by_its_first_words() {
        for said in
            [&b"alias\x007\x008\0/alias\0-\0\0"[..], b"\0", b"q\0", b"qmail-getpw standing\0x"]
        {
            let mut parser = AnswerParser::new();
            assert_eq!(parser.push(said), Err(Garbled), "{said:?}");
            assert!(!parser.is_greeted());
        }
    }

    #[test]
    fn what_is_not_one_answer_is_none() {
        for said in
            [&b"\0a\0b\0c\0d\0e\0f\0g"[..], b"\0a\0b\0c\0d\0e\0f\0\0", b"\x73x", b"\x73\x73"]
        {
            assert_eq!(greeted().push(said), Err(Garbled), "{said:?}");
        }
        let mut parser = greeted();
        let mut heard = Ok(Heard::Nothing);
        let mut taken = 0;
        while heard == Ok(Heard::Nothing) && taken < 10 * LONGEST_ANSWER {
            heard = parser.push(if taken == 0 { b"\0" } else { &[b'x'; 4096] });
            taken += 4096;
        }
        assert_eq!(heard, Err(Garbled), "an answer that never ends");
    }

    #[test]
    fn a_question_fits_into_a_pipe_and_is_one() {
        assert_eq!(question(b"joe-x").unwrap(), b"joe-x\0");
        assert_eq!(question(&[b'x'; 4095]).map(|question| question.len()), Some(4096));
        assert_eq!(question(&[b'x'; 4096]), None);
        assert_eq!(question(b"a\0b"), None);
    }

    #[test]
    fn a_failure_is_never_success() {
        assert_eq!(Answer::Failed(0).encode(), [1]);
    }
}
