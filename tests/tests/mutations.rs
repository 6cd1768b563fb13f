//! The broken programs of `make mutations` can still be made, and only there.

use std::fs;
use std::path::Path;

use qmail_conformance::mutations::ALL;

#[test]
fn every_mutation_breaks_a_source_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    assert!(ALL.len() >= 10);
    for mutation in ALL {
        let source = fs::read_to_string(root.join(mutation.file)).unwrap();
        let broken = mutation.apply(&source).unwrap_or_else(|line| {
            panic!("{}: {line:?} is not in {} once", mutation.name, mutation.file)
        });
        assert_ne!(broken, source, "{}", mutation.name);
    }
}
