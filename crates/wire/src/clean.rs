//! Between qmail-send or qmail-todo and a qmail-clean: a request, then one byte, strictly in turn.

/// Bytes of a request, its NUL included.
const LIMIT: usize = 100;

/// What is to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `foop/4711`: message 4711 is finished; its file in `mess/` goes.
    Message(u64),
    /// `todo/4711` or `todo/17/4711`: the message is preprocessed; its file in `todo/` goes.
    Todo {
        /// The message.
        id: u64,
        /// The sub-directory of `todo/`, if it has any (big-todo).
        part: Option<u64>,
    },
}

/// A request that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRequest;

/// The answer to a request, whatever it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The files are gone.
    Done,
    /// One of them could not be removed.
    Failed,
    /// The request made no sense.
    Unknown,
}

impl Request {
    /// Reads a request, without its NUL.
    ///
    /// # Errors
    /// Unless all of it is as it should be.
    pub fn parse(request: &[u8]) -> Result<Self, BadRequest> {
        if request.len() >= LIMIT {
            return Err(BadRequest);
        }
        if let Some(id) = request.strip_prefix(b"foop/") {
            return number(id).map(Self::Message);
        }
        let rest = request.strip_prefix(b"todo/").ok_or(BadRequest)?;
        match rest.iter().position(|byte| *byte == b'/') {
            None => Ok(Self::Todo { id: number(rest)?, part: None }),
            Some(slash) => {
                let (part, id) = rest.split_at(slash);
                let id = id.strip_prefix(b"/").ok_or(BadRequest)?;
                Ok(Self::Todo { id: number(id)?, part: Some(number(part)?) })
            }
        }
    }

    /// The bytes for qmail-clean.
    pub fn encode(self) -> Vec<u8> {
        let name = match self {
            Self::Message(id) => format!("foop/{id}\0"),
            Self::Todo { id, part: None } => format!("todo/{id}\0"),
            Self::Todo { id, part: Some(part) } => format!("todo/{part}/{id}\0"),
        };
        name.into_bytes()
    }
}

/// Digits only: a request is never a path.
fn number(digits: &[u8]) -> Result<u64, BadRequest> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(BadRequest);
    }
    std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).ok_or(BadRequest)
}

impl Reply {
    /// The byte for whoever asked.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Done => b'+',
            Self::Failed => b'!',
            Self::Unknown => b'x',
        }
    }

    /// Whether a byte says that it is done.
    pub const fn is_done(byte: u8) -> bool {
        byte == Self::Done.byte()
    }
}

/// Collects requests from what arrives, in bounded memory.
#[derive(Debug, Default)]
pub struct RequestParser {
    request: Vec<u8>,
}

impl RequestParser {
    /// A parser at the beginning of a request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what has arrived, and gives the requests that are complete with it.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Request, BadRequest>> {
        bytes.iter().filter_map(|byte| self.push_byte(*byte)).collect()
    }

    fn push_byte(&mut self, byte: u8) -> Option<Result<Request, BadRequest>> {
        if byte == 0 {
            return Some(Request::parse(&std::mem::take(&mut self.request)));
        }
        // One byte more than is allowed is kept, so that too long a request is known as one.
        if self.request.len() < LIMIT {
            self.request.push(byte);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_are_written() {
        let requests = [
            (Request::Message(10_117_699), b"foop/10117699\0".as_slice()),
            (Request::Message(u64::MAX), b"foop/18446744073709551615\0"),
            (Request::Todo { id: 7, part: None }, b"todo/7\0"),
            (Request::Todo { id: 24, part: Some(1) }, b"todo/1/24\0"),
        ];
        for (request, bytes) in requests {
            assert_eq!(request.encode(), bytes);
            assert_eq!(RequestParser::new().push(bytes), [Ok(request)]);
        }
    }

    #[test]
    fn each_bad_request_is_one_bad_request() {
        let bad = [
            b"".as_slice(),
            b"foop/",
            b"foop/1a2b3",
            b"foop/../1",
            b"foop/1/2",
            b"foop/-1",
            b"foop/ 1",
            b"FOOP/1",
            b"mess/1",
            b"todoX1",
            b"todo/",
            b"todo//1",
            b"todo/1/",
            b"todo/1/2/3",
            b"foop/99999999999999999999",
            &[b'0'; 5000],
        ];
        for request in bad {
            let bytes = [request, b"\0"].concat();
            assert_eq!(RequestParser::new().push(&bytes), [Err(BadRequest)], "{request:?}");
        }
    }

    #[test]
    fn a_request_has_at_most_100_bytes() {
        let zeros = |count: usize| [b"foop/".as_slice(), &vec![b'0'; count], b"\0"].concat();
        assert_eq!(RequestParser::new().push(&zeros(94)), [Ok(Request::Message(0))]);
        assert_eq!(RequestParser::new().push(&zeros(95)), [Err(BadRequest)]);
    }

    #[test]
    fn requests_may_arrive_in_pieces() {
        let mut parser = RequestParser::new();
        assert_eq!(parser.push(b"foop/1\0to"), [Ok(Request::Message(1))]);
        assert_eq!(parser.push(b"do/2\0x\0").len(), 2);
    }
}
