//! The command lines of SMTP and POP3.

/// A command line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What stands before the first space, in lower case.
    pub verb: Vec<u8>,
    /// What stands behind that space and any that follow it.
    pub argument: Vec<u8>,
}

impl Command {
    /// From a line without its LF; a CR at its end goes too, and a NUL ends it early.
    pub fn parse(line: &[u8]) -> Self {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (verb, rest) = line.split_at(space);
        Self { verb: verb.to_ascii_lowercase(), argument: strip_spaces(rest).to_vec() }
    }
}

/// `bytes` without the spaces at the beginning; a tab is not a space here.
pub(crate) fn strip_spaces(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != b' ').unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let Command { verb, argument } = Command::parse(line);
        (verb, argument)
    }

    #[test]
    fn the_verb_ends_at_the_first_space_and_the_argument_keeps_its_own() {
        assert_eq!(parts(b"MaIl  FROM:<a b>  \r"), (b"mail".to_vec(), b"FROM:<a b>  ".to_vec()));
        assert_eq!(parts(b"quit"), (b"quit".to_vec(), vec![]));
        assert_eq!(parts(b" quit"), (vec![], b"quit".to_vec()));
        assert_eq!(parts(b"HELO\tx"), (b"helo\tx".to_vec(), vec![]));
        assert_eq!(parts(b""), (vec![], vec![]));
    }

    #[test]
    fn one_carriage_return_at_the_end_is_removed() {
        assert_eq!(parts(b"noop\r\r"), (b"noop\r".to_vec(), vec![]));
        assert_eq!(parts(b"pass a\rb\r"), (b"pass".to_vec(), b"a\rb".to_vec()));
    }

    #[test]
    fn a_nul_ends_the_line() {
        assert_eq!(parts(b"noop\0 x\r"), (b"noop".to_vec(), vec![]));
        assert_eq!(parts(b"helo a\0b\r"), (b"helo".to_vec(), b"a".to_vec()));
    }
}
