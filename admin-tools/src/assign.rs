//! The lines of `users/assign`, as records of `users/cdb`.

/// What a line of `users/assign` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// An address belongs to somebody.
    Record {
        /// What stands for the address in the database.
        key: Vec<u8>,
        /// To whom: six strings with NULs between them.
        data: Vec<u8>,
        /// The last byte of an address that stands for all that begin with it. qmail-lspawn looks
        /// for such addresses only where it meets one of these bytes.
        wildcard: Option<u8>,
    },
    /// The list is over.
    End,
}

/// A line that assigns nothing to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFormat;

/// Strings in the data of a record.
const FIELDS: usize = 6;

impl Line {
    /// Parses a line with the LF at its end, which only the last one may lack.
    pub fn parse(line: &[u8]) -> Result<Self, BadFormat> {
        if line.starts_with(b".") {
            return Ok(Self::End);
        }
        let line = line.strip_suffix(b"\n").filter(|line| !line.contains(&0)).ok_or(BadFormat)?;
        let mut fields = line.split(|byte| *byte == b':');
        let address = fields.next().ok_or(BadFormat)?;
        let (kind, address) = address.split_first().ok_or(BadFormat)?;
        let address = address.to_ascii_lowercase();
        // The last colon has to be there, and what is behind it does not count.
        let data: Vec<&[u8]> = fields.by_ref().take(FIELDS).collect();
        if data.len() < FIELDS || fields.next().is_none() {
            return Err(BadFormat);
        }
        let is_wildcard = *kind == b'+';
        // A local address has no NUL: a key with one is for that address alone.
        let end: &[u8] = if is_wildcard { b"" } else { b"\0" };
        Ok(Self::Record {
            key: [b"!", address.as_slice(), end].concat(),
            data: data.join(&0),
            // In lower case, as it is looked for.
            wildcard: address.last().copied().filter(|_| is_wildcard),
        })
    }
}

/// The bytes that addresses standing for others end in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wildcards(Vec<u8>);

impl Wildcards {
    /// Notes one.
    pub fn add(&mut self, byte: u8) {
        if !self.0.contains(&byte) {
            self.0.push(byte);
        }
    }

    /// All of them, in the order of their first appearance.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> (Vec<u8>, Vec<u8>, Option<u8>) {
        match Line::parse(line.as_bytes()).unwrap() {
            Line::Record { key, data, wildcard } => (key, data, wildcard),
            Line::End => panic!("{line} is no record"),
        }
    }

    #[test]
    fn an_exact_address_has_a_nul_behind_it() {
        let data = b"joe\x001\x002\0/home/joe\0-\0x".to_vec();
        assert_eq!(record("=Joe.S:joe:1:2:/home/joe:-:x:\n"), (b"!joe.s\0".to_vec(), data, None));
        assert_eq!(record("joe:j:1:2:/:::ignored:\n").0, b"!oe\0");
        assert_eq!(record("=:j:1:2:/:::\n").0, b"!\0");
    }

    #[test]
    fn a_wildcard_ends_in_lower_case() {
        let data = b"joe\x001\x002\0/home/joe\0-\0".to_vec();
        assert_eq!(record("+joe-:joe:1:2:/home/joe:-::\n"), (b"!joe-".to_vec(), data, Some(b'-')));
        assert_eq!(record("+fooX:j:1:2:/:-::\n").2, Some(b'x'));
        let catch_all = record("+:alias:7:8:/a:-::\n");
        assert_eq!((catch_all.0, catch_all.2), (b"!".to_vec(), None));
    }

    #[test]
    fn a_dot_ends_the_list_whatever_follows_it() {
        for line in [".\n", ".", ".\0", ".=x:y\n"] {
            assert_eq!(Line::parse(line.as_bytes()), Ok(Line::End));
        }
    }

    #[test]
    fn everything_else_is_bad_format() {
        for line in [
            "\n",
            "",
            "# comment\n",
            ":a:b:c:d:e:f:g:\n",
            "=a:b:c:d:e:f\n",
            "=a:b:c:d:e:f:g\n",
            "=a:b:1:2:/:-:x:",
            "=a\0:b:1:2:/:-:x:\n",
        ] {
            assert_eq!(Line::parse(line.as_bytes()), Err(BadFormat), "{line:?}");
        }
    }

    #[test]
    fn each_wildcard_counts_once() {
        let mut wildcards = Wildcards::default();
        b"-+-=+".iter().for_each(|byte| wildcards.add(*byte));
        assert_eq!(wildcards.as_bytes(), b"-+=");
    }
}
