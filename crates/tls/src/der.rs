//! DER, as far as certificates need it: a tag, a length and contents, one after the other.

/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'d> {
    pub(crate) tag: u8,
    pub(crate) contents: &'d [u8],
}

/// Elements that follow each other; what is no element ends them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'d>(pub(crate) &'d [u8]);

impl<'d> Elements<'d> {
    /// The contents of the next element if it has this tag; any other is left where it is.
    pub(crate) fn next_if(&mut self, tag: u8) -> Option<&'d [u8]> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element.contents)
    }
}

impl<'d> Iterator for Elements<'d> {
    type Item = Element<'d>;

    fn next(&mut self) -> Option<Element<'d>> {
        let (tag, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag: *tag, contents })
    }
}

/// A length of at most three bytes: no certificate has 16 MiB.
fn length(input: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = input.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(*first & 0x7f);
    if !(1..=3).contains(&count) {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(count)?;
    Some((bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_follow_each_other_until_one_is_cut_short() {
        let mut elements = Elements(b"\x02\x01\x05\x30\x81\x02ab\x04\x05abc");
        assert_eq!(elements.next_if(SEQUENCE), None);
        assert_eq!(elements.next_if(2), Some(b"\x05".as_slice()));
        assert_eq!(elements.next_if(SEQUENCE), Some(b"ab".as_slice()));
        assert_eq!(elements.next(), None);
    }

    #[test]
    fn hostile_lengths_are_no_elements() {
        for bytes in [&b"\x30"[..], b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x83\xff\xff"] {
            assert_eq!(Elements(bytes).next(), None);
        }
    }
}
