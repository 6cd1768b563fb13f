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
    write(home.path(), "joe/.qmail-sub/x", "");
    write(home.path(), "joe/.qmail-sub/default", "");
    write(home.path(), "joe/secret", "");
    write(home.path(), "alias/.qmail-postmaster", "");
    write(home.path(), "v/.qmail-default", "| /bin/vdelivermail '' bounce-no-mailbox\n");
    write(home.path(), "v/.qmail-sales", "&joe\n");
    write(home.path(), "v/news/editor", "");
    let record = |flags: u32, name: &str, quota: &str| {
        format!("x:1:{flags}:{name}:{}:{quota}", home.path().join("v").join(name).display())
    };
    let (ann, bob, carol) = (
        record(0, "ann", "NOQUOTA"),
        record(16, "bob", "NOQUOTA"),
        record(1, "carol", "1000S,10C"),
    );
    let mailboxes = [("ann", ann.as_str()), ("bob", &bob), ("carol", &carol)];
    cdb(home.path(), "v/vpasswd.cdb", &mailboxes);
    for name in ["ann", "carol"] {
        write(home.path(), &format!("v/{name}/Maildir/maildirsize"), "1000S,10C\n800 1\n150 1\n");
    }
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
        "news-subscribe@v.example",
    ] {
        assert_eq!(
            directory.find(Question::about(address.as_bytes())).unwrap(),
            Found::Somebody,
            "{address}"
        );
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
        assert_eq!(
            directory.find(Question::about(address.as_bytes())).unwrap(),
            Found::Nobody,
            "{address}"
        );
    }
    assert_eq!(
        directory.find(Question::about(b"joe@elsewhere.example")).unwrap(),
        Found::Elsewhere
    );
}

#[test]
fn a_slash_is_one_for_qmail_local_and_leads_nowhere_up() {
    let home = tree();
    let directory = Directory::open(home.path()).unwrap();
    let find = |extension: &str| {
        let address = format!("joe-{extension}@here.example");
        directory.find(Question::about(address.as_bytes())).unwrap()
    };
    assert_eq!(find("Sub/X"), Found::Somebody);
    for extension in ["sub/y", "sub:x", "list/one", "sub/../../secret", "/../secret"] {
        assert_eq!(find(extension), Found::Nobody, "{extension}");
    }
}

#[test]
fn a_file_that_never_ends_is_not_waited_for() {
    let home = tree();
    let directory = Directory::open(home.path()).unwrap();
    let default = home.path().join("joe/.qmail-default");
    std::os::unix::fs::symlink("/dev/zero", default).unwrap();
    let anybody = Question::about(b"joe-anybody@here.example");
    assert_eq!(directory.find(anybody).unwrap(), Found::Somebody);
}

#[test]
fn what_cannot_be_told_is_unclear_or_an_error() {
    let home = tree();
    fs::remove_file(home.path().join("v/vpasswd.cdb")).unwrap();
    let directory = Directory::open(home.path()).unwrap();
    assert_eq!(directory.find(Question::about(b"ann@v.example")).unwrap(), Found::Unclear);
    File::create(home.path().join("users/cdb")).unwrap();
    assert!(directory.find(Question::about(b"joe@here.example")).is_err());
}

#[test]
fn a_mailbox_is_full_from_the_percentage_on_that_is_asked_for() {
    let home = tree();
    let directory = Directory::open(home.path()).unwrap();
    let find = |address: &'static [u8], percent| {
        let question = Question { quota: Some(percent), ..Question::about(address) };
        directory.find(question).unwrap()
    };
    assert_eq!(find(b"carol@v.example", 95), Found::Full);
    assert_eq!(find(b"carol@v.example", 96), Found::Somebody);
    assert_eq!(find(b"ann@v.example", 1), Found::Somebody);
    fs::remove_file(home.path().join("v/carol/Maildir/maildirsize")).unwrap();
    assert_eq!(find(b"carol@v.example", 1), Found::Somebody);
}

#[test]
fn where_mailboxes_are_not_listed_nobody_is_missing_if_so_asked() {
    let home = tree();
    let directory = Directory::open(home.path()).unwrap();
    let find = |address: &'static [u8]| {
        let question = Question { only_known_domains: true, ..Question::about(address) };
        directory.find(question).unwrap()
    };
    assert_eq!(find(b"jane@here.example"), Found::Somebody);
    assert_eq!(find(b"zoe@v.example"), Found::Nobody);
}
