//! Sets and maps whose names are the same in upper and lower case.

use std::collections::{HashMap, HashSet};

/// Names from a control file, compared without regard to ASCII case.
#[derive(Clone, Debug, std::default::Default)]
pub struct Set(HashSet<Vec<u8>>);

impl Set {
    /// Whether `name` is one of them.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.0.contains(&name.to_ascii_lowercase())
    }
}

impl FromIterator<Vec<u8>> for Set {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(lines: I) -> Self {
        Self(lines.into_iter().map(lower).collect())
    }
}

/// Values by name, from lines of `key:value`. The last line for a key counts, lines without a
/// colon do not.
#[derive(Clone, Debug, std::default::Default)]
pub struct Map(HashMap<Vec<u8>, Vec<u8>>);

impl Map {
    /// The value for `key`.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }

    /// The value for the first of `keys` that has one.
    pub fn first<'k>(&self, keys: impl IntoIterator<Item = &'k [u8]>) -> Option<&[u8]> {
        keys.into_iter().find_map(|key| self.get(key))
    }
}

impl FromIterator<Vec<u8>> for Map {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(lines: I) -> Self {
        let pairs = lines.into_iter().filter_map(|mut line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let value = line.split_off(colon).split_off(1);
            Some((lower(line), value))
        });
        Self(pairs.collect())
    }
}

fn lower(mut name: Vec<u8>) -> Vec<u8> {
    name.make_ascii_lowercase();
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[&str]) -> Map {
        lines.iter().map(|line| line.as_bytes().to_vec()).collect()
    }

    #[test]
    fn keys_end_at_the_first_colon_and_the_last_duplicate_wins() {
        let map = map(&["A.b:one", "a.B:two:three", "ignored", ":all"]);
        assert_eq!(map.get(b"a.b"), Some(b"two:three".as_slice()));
        assert_eq!(map.get(b""), Some(b"all".as_slice()));
        assert_eq!(map.get(b"ignored"), None);
    }

    #[test]
    fn bytes_beyond_ascii_keep_their_case() {
        assert_eq!(map(&["\u{c4}:x"]).get("\u{e4}".as_bytes()), None);
    }
}
