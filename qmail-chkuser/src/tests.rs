use super::*;
use qmail_core::cdb::CdbWriter;
use std::fs::{self, File};
use std::io::Write;

fn write(home: &Path, name: &str, text: &str) {
    let path = home.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn cdb(home: &Path, name: &str, records: &[(&str, &str)]) {
    let path = home.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = CdbWriter::new(File::create(path).unwrap()).unwrap();
    for (key, data) in records {
        writer.add(key.as_bytes(), data.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
}

fn tree() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let (joe, alias, vpopmail) =
        (home.path().join("joe"), home.path().join("alias"), home.path().join("v"));
    write(home.path(), "control/locals", "here.example\n");
    write(home.path(), "control/virtualdomains", "v.example:v.example\nother.example:joe-other\n");
    let user = |name: &str, home: &Path| format!("{name}\x001\x002\0{}\0", home.display());
    cdb(
        home.path(),
        "users/cdb",
        &[
            ("", "-"),
            ("!joe\0", &format!("{}\0", user("joe", &joe))),
            ("!joe-", &format!("{}-\0", user("joe", &joe))),
            ("!v.example-", &format!("{}-\0", user("vpopmail", &vpopmail))),
            ("!", &format!("{}-\0", user("alias", &alias))),
        ],
    );
    write(home.path(), "joe/.qmail-list:one", "");
    write(home.path(), "joe/.qmail-open-default", "");
    write(home.path(), "alias/.qmail-postmaster", "");
    write(home.path(), "v/.qmail-default", "| /bin/vdelivermail '' bounce-no-mailbox\n");
    write(home.path(), "v/.qmail-sales", "&joe\n");
    write(home.path(), "v/news/editor", "");
    cdb(home.path(), "v/vpasswd.cdb", &[("ann", "ann:x")]);
    home
}

#[test]
fn accounts_extensions_aliases_and_mailboxes_are_found() {
    let home = tree();
    let directory = Directory::open(home.path()).unwrap();
    for address in [
        "joe@here.example",
        "JOE@Here.Example",
        "joe",
        "joe-list.ONE@here.example",
        "joe-open-anything@here.example",
        "postmaster@here.example",
        "Ann@v.example",
        "sales@v.example",
        "news@v.example",
    ] {
        assert_eq!(directory.find(address.as_bytes()).unwrap(), Found::Somebody, "{address}");
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let home = tree();
    let directory = Directory::open(home.path()).unwrap();
    for address in [
        "jane@here.example",
        "joe-@here.example",
        "joe-list@here.example",
        "joe-openly@here.example",
        "bob@v.example",
        "../joe@v.example",
        "x@other.example",
    ] {
        assert_eq!(directory.find(address.as_bytes()).unwrap(), Found::Nobody, "{address}");
    }
    assert_eq!(directory.find(b"joe@elsewhere.example").unwrap(), Found::Elsewhere);
}

#[test]
fn what_cannot_be_told_is_unclear_or_an_error() {
    let home = tree();
    fs::remove_file(home.path().join("v/vpasswd.cdb")).unwrap();
    let directory = Directory::open(home.path()).unwrap();
    assert_eq!(directory.find(b"ann@v.example").unwrap(), Found::Unclear);
    File::create(home.path().join("users/cdb")).unwrap();
    assert!(directory.find(b"joe@here.example").is_err());
}
