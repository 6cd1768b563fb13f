//! Between qmail-send and qmail-todo: single bytes one way, messages that end with NUL the other.

/// Most bytes of a message from qmail-todo that are kept.
const LIMIT: usize = 10_000;

/// What qmail-send tells qmail-todo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin: what was preprocessed before is known.
    Start,
    /// Read the control files again.
    Reread,
    /// Stop.
    Stop,
}

impl Order {
    /// The byte for qmail-todo.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Start => b'S',
            Self::Reread => b'H',
            Self::Stop => b'X',
        }
    }

    /// The order that a byte is.
    pub const fn parse(byte: u8) -> Option<Self> {
        match byte {
            b'S' => Some(Self::Start),
            b'H' => Some(Self::Reread),
            b'X' => Some(Self::Stop),
            _ => None,
        }
    }
}

/// What qmail-todo tells qmail-send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A line for the log, with its LF.
    Log(Vec<u8>),
    /// A message can be delivered.
    Preprocessed {
        /// The message.
        id: u64,
        /// Whether it has local recipients.
        local: bool,
        /// Whether it has remote recipients.
        remote: bool,
    },
    /// qmail-todo has stopped.
    Stopped,
}

/// Why news cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNews {
    /// Nobody knows what kind they are.
    UnknownKind,
    /// They are of a known kind, but not as these should be.
    Mangled,
}

impl News {
    /// The bytes for qmail-send.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Log(line) => {
                let line = line.iter().copied().filter(|byte| *byte != 0);
                std::iter::once(b'L').chain(line).chain([0]).collect()
            }
            Self::Preprocessed { id, local, remote } => {
                let channels = match (local, remote) {
                    (true, false) => 'L',
                    (false, true) => 'R',
                    (true, true) => 'B',
                    (false, false) => 'X',
                };
                format!("D{channels}{id}\0").into_bytes()
            }
            Self::Stopped => b"X\0".to_vec(),
        }
    }

    /// Reads news, without their NUL.
    ///
    /// # Errors
    /// If they make no sense.
    pub fn parse(news: &[u8]) -> Result<Self, BadNews> {
        match news {
            [b'L', line @ ..] => Ok(Self::Log(line.to_vec())),
            [b'D', channels, id @ ..] => {
                let (local, remote) = match channels {
                    b'L' => (true, false),
                    b'R' => (false, true),
                    b'B' => (true, true),
                    b'X' => (false, false),
                    _ => return Err(BadNews::Mangled),
                };
                let digits = std::str::from_utf8(id).ok();
                let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                let id = digits.and_then(|text| text.parse().ok()).ok_or(BadNews::Mangled)?;
                Ok(Self::Preprocessed { id, local, remote })
            }
            [b'D'] => Err(BadNews::Mangled),
            [b'X'] => Ok(Self::Stopped),
            _ => Err(BadNews::UnknownKind),
        }
    }
}

/// Collects news from what arrives, in bounded memory. A log line that is too long is cut.
#[derive(Debug, Default)]
pub struct NewsParser {
    news: Vec<u8>,
}

impl NewsParser {
    /// A parser at the beginning of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what has arrived, and gives the news that are complete with it.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<News, BadNews>> {
        bytes.iter().filter_map(|byte| self.push_byte(*byte)).collect()
    }

    fn push_byte(&mut self, byte: u8) -> Option<Result<News, BadNews>> {
        if byte == 0 {
            return Some(News::parse(&std::mem::take(&mut self.news)));
        }
        match self.news.len() {
            LIMIT.. => {}
            // The last byte that is kept ends the line.
            length if length + 1 == LIMIT => self.news.push(b'\n'),
            _ => self.news.push(byte),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_are_written() {
        let preprocessed = |id, local, remote| News::Preprocessed { id, local, remote };
        let all = [
            (News::Log(b"new msg 7\n".to_vec()), b"Lnew msg 7\n\0".as_slice()),
            (preprocessed(7, true, false), b"DL7\0"),
            (preprocessed(7, false, true), b"DR7\0"),
            (preprocessed(u64::MAX, true, true), b"DB18446744073709551615\0"),
            (preprocessed(7, false, false), b"DX7\0"),
            (News::Stopped, b"X\0"),
        ];
        for (news, bytes) in all {
            assert_eq!(news.encode(), bytes);
            assert_eq!(NewsParser::new().push(bytes), [Ok(news)]);
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_from_what_is_mangled() {
        for (bytes, bad) in [
            (b"\0".as_slice(), BadNews::UnknownKind),
            (b"Q\0", BadNews::UnknownKind),
            (b"Xy\0", BadNews::UnknownKind),
            (b"D\0", BadNews::Mangled),
            (b"DL\0", BadNews::Mangled),
            (b"DZ7\0", BadNews::Mangled),
            (b"DL7x\0", BadNews::Mangled),
            (b"DL+7\0", BadNews::Mangled),
        ] {
            assert_eq!(NewsParser::new().push(bytes), [Err(bad)], "{bytes:?}");
        }
    }

    #[test]
    fn a_log_line_that_is_too_long_is_cut_and_still_a_line() {
        let long = News::Log(vec![b'x'; 70_000]).encode();
        let arrived = NewsParser::new().push(&long);
        let [Ok(News::Log(line))] = arrived.as_slice() else { panic!("{arrived:?}") };
        assert_eq!((line.len(), line.last()), (LIMIT - 1, Some(&b'\n')));
    }

    #[test]
    fn orders_are_single_bytes() {
        for order in [Order::Start, Order::Reread, Order::Stop] {
            assert_eq!(Order::parse(order.byte()), Some(order));
        }
        assert_eq!(Order::parse(b'?'), None);
    }
}
