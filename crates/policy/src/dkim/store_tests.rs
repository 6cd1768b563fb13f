use super::*;

const RSA: &str = include_str!("../../samples/keys/rsa.pem");
const RSA_PKCS1: &str = include_str!("../../samples/keys/rsa-pkcs1.pem");
const RSA_1024: &str = include_str!("../../samples/keys/rsa-1024.pem");
const ED25519: &str = include_str!("../../samples/keys/ed25519.pem");

/// A store with these files.
fn store(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path)
            .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
            .unwrap();
    }
    root
}

/// The domain and selectors found for these domains.
fn found(store: &tempfile::TempDir, domains: &[&str]) -> Result<Option<String>, StoreError> {
    let domains = domains.iter().map(|name| Domain::parse(name.as_bytes()).unwrap());
    let keys = keys_for(store.path(), domains)?;
    Ok(keys.map(|found| {
        let selectors: Vec<_> = found.keys.iter().map(|key| key.selector().as_str()).collect();
        format!("{}: {}", found.domain, selectors.join(" "))
    }))
}

#[test]
fn the_first_domain_with_a_directory_signs_with_all_its_keys() {
    let store = store(&[
        ("b.example/s2", RSA),
        ("b.example/s1", ED25519),
        ("b.example/s.3", RSA_PKCS1),
        ("c.example/x", RSA),
    ]);
    let signs = found(&store, &["a.example", "b.example", "c.example"]).unwrap();
    assert_eq!(signs.unwrap(), "b.example: s.3 s1 s2");
    assert_eq!(found(&store, &["a.example"]).unwrap(), None);
}

#[test]
fn without_any_store_nothing_is_signed() {
    let gone = store(&[]);
    let root = gone.path().join("domainkeys");
    let domain = Domain::parse(b"a.example").unwrap();
    assert!(keys_for(&root, [domain]).unwrap().is_none());
}

#[test]
fn what_is_not_a_key_by_its_name_is_passed_over() {
    let store = store(&[
        ("a.example/default", RSA),
        ("a.example/default.pub", "x"),
        ("a.example/default.txt", "x"),
        ("a.example/.next", RSA),
        ("a.example/default~", "x"),
        ("a.example/README", "x"),
        ("default", "a key for all domains, of another layout"),
    ]);
    assert_eq!(found(&store, &["default", "a.example"]).unwrap().unwrap(), "a.example: default");
}

#[test]
fn an_empty_directory_means_not_signed() {
    let store = store(&[("a.example/.next", RSA), ("b.example/s", RSA)]);
    assert_eq!(found(&store, &["a.example", "b.example"]).unwrap(), None);
}

#[test]
fn keys_that_cannot_sign_are_errors() {
    for (text, expected) in
        [("nonsense", KeyError::Format), (RSA_1024, KeyError::Kind), ("", KeyError::Format)]
    {
        let store = store(&[("a.example/s", text)]);
        match found(&store, &["a.example"]) {
            Err(StoreError::Key(path, error)) if error == expected => assert!(path.ends_with("s")),
            other => panic!("{text}: {other:?}"),
        }
    }
    let many: Vec<_> = (0..9).map(|number| format!("a.example/s{number}")).collect();
    let files: Vec<_> = many.iter().map(|path| (path.as_str(), RSA)).collect();
    let crowded = store(&files);
    assert!(matches!(found(&crowded, &["a.example"]), Err(StoreError::TooMany(_))));
}

#[test]
fn a_giant_file_is_not_read_to_its_end() {
    let giant = format!("{RSA}{}", "x".repeat(1 << 20));
    let store = store(&[("a.example/s", giant.as_str())]);
    assert_eq!(found(&store, &["a.example"]).unwrap().unwrap(), "a.example: s");
}
