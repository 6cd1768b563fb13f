use super::*;
use qmail_policy::Domain;
use qmail_policy::dkim::keys_for;

use std::fs;
use std::os::unix::fs::PermissionsExt;

fn tree() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("control")).unwrap();
    fs::create_dir_all(home.path().join("users")).unwrap();
    let accounts = qmail_core::accounts::Accounts::single_user(
        qmail_sys::real_uid(),
        qmail_sys::real_gid(),
        home.path(),
    );
    let file = fs::File::create(home.path().join("users/ids"));
    std::io::Write::write_all(&mut file.unwrap(), accounts.to_ids().as_bytes()).unwrap();
    home
}

fn name(name: &str) -> Domain {
    Domain::parse(name.as_bytes()).unwrap()
}

fn request(use_now: bool) -> Request {
    let target = Target::Domain { domain: name("example.org"), selector: name("s1") };
    Request { kind: Kind::Ed25519, use_now, target }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_key_is_secret_and_signs_at_once() {
    let home = tree();
    let line = run(&request(true), home.path()).unwrap();
    assert!(line.starts_with("s1._domainkey.example.org. IN TXT ( \"v=DKIM1; k=ed25519; p="));
    let root = home.path().join("control/domainkeys");
    let found = keys_for(&root, [name("example.org")]).unwrap().unwrap();
    assert_eq!(found.keys[0].selector(), &name("s1"));
    let directory = root.join("example.org");
    assert_eq!((mode(&root), mode(&directory), mode(&directory.join("s1"))), (0o700, 0o700, 0o400));
    assert_eq!(fs::read_to_string(directory.join("s1.txt")).unwrap(), line);
}

#[test]
fn a_key_may_wait_until_its_record_is_known() {
    let home = tree();
    run(&request(false), home.path()).unwrap();
    let root = home.path().join("control/domainkeys");
    assert!(keys_for(&root, [name("example.org")]).unwrap().is_none());
    fs::rename(root.join("example.org/.s1"), root.join("example.org/s1")).unwrap();
    assert!(keys_for(&root, [name("example.org")]).unwrap().is_some());
}

#[test]
fn no_key_is_ever_overwritten() {
    let home = tree();
    run(&request(true), home.path()).unwrap();
    let path = home.path().join("control/domainkeys/example.org/s1");
    let before = fs::read(&path).unwrap();
    assert!(matches!(run(&request(true), home.path()), Err(Failure::Exists(_))));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_key_may_go_into_a_file_of_its_own() {
    let home = tree();
    let path = home.path().join("s1");
    let target = Target::File { path: path.clone(), selector: name("s1") };
    let line = run(&Request { kind: Kind::Ed25519, use_now: true, target }, home.path()).unwrap();
    assert!(line.starts_with("s1._domainkey IN TXT ( \"v=DKIM1;"));
    assert_eq!(mode(&path), 0o400);
}
