//! The laws, held against the seeds and against inventions.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken law is to be seen")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use qmail_laws::{LAWS, Law};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The seeds of a law, in their order.
fn seeds(law: &Law) -> Vec<(PathBuf, Vec<u8>)> {
    let place = directory().join("seeds").join(law.name);
    let entries = fs::read_dir(&place).unwrap_or_else(|error| panic!("{place:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Bytes that nobody would send, and pieces of what somebody might, mixed.
fn inventions(law: &Law) -> impl Strategy<Value = Vec<u8>> + use<> {
    let words: Vec<Vec<u8>> = law.words.iter().map(|word| word.as_bytes().to_vec()).collect();
    let piece = prop_oneof![
        8 => select(words),
        1 => vec(any::<u8>(), 0..4),
        1 => "[a-z0-9.]{0,8}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// How many inventions for each law; more of them by `PROPTEST_CASES`.
fn config() -> Config {
    Config { failure_persistence: None, ..Config::default() }
}

#[test]
fn every_law_has_seeds_and_a_target() {
    for law in LAWS {
        assert!(seeds(law).len() >= 3, "{}", law.name);
        let target = directory().join("fuzz_targets").join(law.name).with_extension("rs");
        let text =
            fs::read_to_string(&target).unwrap_or_else(|error| panic!("{target:?}: {error}"));
        assert!(text.contains(&format!("qmail_laws::{}(", law.name)), "{text}");
    }
    let manifest = fs::read_to_string(directory().join("Cargo.toml")).unwrap();
    assert_eq!(manifest.matches("[[bin]]").count(), LAWS.len());
}

#[test]
fn seeds_and_what_is_left_of_them_when_cut_break_no_law() {
    for law in LAWS {
        for (path, seed) in seeds(law) {
            println!("{}", path.display());
            (law.check)(&seed);
            for end in (0..seed.len()).step_by(seed.len() / 16 + 1) {
                (law.check)(&seed[..end]);
                (law.check)(&seed[end..]);
            }
        }
    }
}

#[test]
fn inventions_break_no_law() {
    hold_all(|law| inventions(law).boxed());
}

#[test]
fn arbitrary_bytes_break_no_law() {
    hold_all(|_| vec(any::<u8>(), 0..200).boxed());
}

/// Tries all laws, and names those that are broken.
fn hold_all(strategy: impl Fn(&Law) -> BoxedStrategy<Vec<u8>>) {
    let broken = LAWS.iter().filter_map(|law| {
        let tried = TestRunner::new(config()).run(&strategy(law), |bytes| {
            (law.check)(&bytes);
            Ok(())
        });
        tried.err().map(|error| format!("{}: {error}", law.name))
    });
    let broken: Vec<String> = broken.collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
