//! Unique ids of messages: RFC 1939 §7, UIDL.

/// The longest that is allowed.
const LONGEST: usize = 70;

/// The id of a message whose file has this name, less its flags. The first of several files that
/// share it has `copy` 0.
///
/// Names are ids as they are, unless they are too long, have bytes that an id may not have, or
/// belong to another file as well.
pub(crate) fn unique_id(stem: &[u8], copy: usize) -> Option<String> {
    let is_allowed = |byte: &u8| (0x21..=0x7e).contains(byte);
    if copy == 0 && (1..=LONGEST).contains(&stem.len()) && stem.iter().all(is_allowed) {
        return None;
    }
    let copy = u64::try_from(copy).unwrap_or(u64::MAX).to_be_bytes();
    Some(format!("{:032x}", hash(&[stem, &copy].concat())))
}

/// FNV-1a: it stays the same from one session to the next, and nobody gains by a collision but the
/// owner of both messages.
fn hash(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_ids_as_they_are() {
        assert_eq!(unique_id(b"1767323045.M1P2.here.example,S=3", 0), None);
        assert_eq!(unique_id(&[b'x'; 70], 0), None);
    }

    #[test]
    fn other_names_and_copies_have_ids_of_their_own() {
        let long = [b'x'; 71];
        let names = [(&long[..], 0), (b"a b", 0), (b"\xe9", 0), (b"", 0), (b"a", 1), (b"a", 2)];
        let mut ids: Vec<String> =
            names.iter().map(|(stem, copy)| unique_id(stem, *copy).unwrap()).collect();
        assert!(ids.iter().all(|id| id.len() == 32));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), names.len());
    }

    #[test]
    fn the_hash_is_the_public_one() {
        assert_eq!(hash(b""), 0x6c62272e07bb014262b821756295c58d);
        assert_eq!(hash(b"a"), 0xd228cb696f1a8caf78912b704e4a8964);
    }
}
