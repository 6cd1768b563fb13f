//! What layout a queue has.

use std::fs;
use std::path::Path;

use qmail_core::queue::QueueId;

/// The number of parts that the directories of the queue at `root` were made for. A damaged queue
/// lacks some, or has too many: the majority decides, and `mess` where there is none.
pub(super) fn split(root: &Path) -> Option<u64> {
    let counts = ["mess", "info", "local", "remote"].map(|area| parts(&root.join(area)));
    let votes = |count: &u64| counts.iter().filter(|other| **other == Some(*count)).count();
    let mut best: Option<u64> = None;
    for count in counts.iter().flatten() {
        if best.is_none_or(|best| votes(count) > votes(&best)) {
            best = Some(*count);
        }
    }
    best
}

/// Whether the envelopes of the queue at `root` are in parts.
pub(super) fn is_hashed(root: &Path) -> bool {
    root.join("todo/0").is_dir()
}

/// One more than the highest part.
fn parts(directory: &Path) -> Option<u64> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let highest = directories
        .filter_map(|entry| QueueId::parse(entry.file_name().as_encoded_bytes()))
        .max()?;
    highest.as_u64().checked_add(1)
}

/// Whether numbers fall evenly into so many parts.
pub(super) fn is_prime(number: u64) -> bool {
    let mut divisors = (2_u64..).take_while(|divisor| divisor.saturating_mul(*divisor) <= number);
    number >= 2 && divisors.all(|divisor| !number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_of_directories_tells_the_split() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(split(root.path()), None);
        for (area, parts) in [("mess", 4), ("info", 3), ("local", 3), ("remote", 2)] {
            for part in 0..parts {
                fs::create_dir_all(root.path().join(format!("{area}/{part}"))).unwrap();
            }
        }
        assert_eq!(split(root.path()), Some(3));
        fs::remove_dir(root.path().join("local/2")).unwrap();
        fs::remove_dir(root.path().join("info/0")).unwrap();
        fs::create_dir(root.path().join("remote/3")).unwrap();
        assert_eq!(split(root.path()), Some(4));
    }

    #[test]
    fn primes_are_told_from_other_numbers() {
        let primes: Vec<u64> = (0..24).filter(|number| is_prime(*number)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23]);
        assert!(is_prime(401) && !is_prime(400) && !is_prime(361));
    }
}
