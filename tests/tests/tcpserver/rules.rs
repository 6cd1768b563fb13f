//! Rules by the address of a client.

use std::path::PathBuf;

use qmail_conformance::{Tree, cdb, files};

use crate::server::{Server, ours, plain, servers};

/// A file of rules, each a key and what tcprules would write for it.
pub(crate) fn file(tree: &Tree, rules: &[(&str, &str)]) -> String {
    let rules: Vec<(&[u8], &[u8])> =
        rules.iter().map(|(key, data)| (key.as_bytes(), data.as_bytes())).collect();
    let path = tree.scratch().join("rules.cdb");
    let new = tree.scratch().join("rules.new");
    files::write(&new, cdb::make(&rules));
    files::set_mode(&new, 0o644);
    std::fs::rename(&new, &path).unwrap();
    path.display().to_string()
}

const SHOW: [&str; 3] = ["sh", "-c", "echo \"$RULE\""];

#[test]
fn the_most_special_address_counts_and_a_new_file_at_once() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        let rules = [
            ("127.0.0.1", "+RULE=1\0"),
            ("127.0.0.", "+RULE=2\0"),
            ("127.0.", "+RULE=3\0"),
            ("127.", "+RULE=4\0"),
            ("", "+RULE=5\0"),
            // What is not looked for without a name.
            ("=", "D\0"),
        ];
        let path = file(&tree, &rules);
        let server = Server::start(&tree, &server, &["-HRl0", "-x", &path], &SHOW);
        for at in 0..rules.len() - 1 {
            file(&tree, &rules[at..]);
            assert_eq!(server.heard(), format!("{}\n", at + 1));
        }
        file(&tree, &[]);
        assert_eq!(server.heard(), "\n");
    }
}

#[test]
fn a_rule_sets_variables_over_all_others_or_denies() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        let rules = [
            ("127.0.0.1", "+TCPLOCALHOST=other\0+A=b=c\0+EMPTY=\0nonsense\0+ALSO\0+RULE=x\0"),
            ("127.0.0.2", "+RULE=x\0D\0"),
        ];
        let path = file(&tree, &rules);
        let script = "echo $TCPLOCALHOST $A ${EMPTY+empty} ${ALSO+also} $RULE";
        let options = ["-vHRlmine", "-x", &path];
        let server = Server::start(&tree, &server, &options, &["sh", "-c", script]);
        assert_eq!(server.heard(), "other b=c empty x\n");
        server.log_with(1, "tcpserver: end");
        assert_eq!(server.heard_by("127.0.0.2"), "");
        let log = plain(&server.log_with(2, "tcpserver: end"), server.port());
        assert_eq!(server.heard_by("127.0.0.3"), "mine\n");
        let denied = log.iter().position(|line| line.contains(" deny ")).unwrap();
        assert_eq!(
            log[denied - 1..=denied + 1],
            [
                "tcpserver: pid N from 127.0.0.2",
                "tcpserver: deny N mine:127.0.0.1:HERE :127.0.0.2::THERE",
                "tcpserver: end N status 25600",
            ]
        );
        assert!(log[denied - 2].starts_with("tcpserver: status: 1/40"), "{log:?}");
    }
}

#[test]
fn without_rules_nobody_is_served_unless_that_is_allowed() {
    let tree = Tree::under_test();
    for server in servers(&tree) {
        for asking in ["-HRl0", "-HR"] {
            let missing = tree.scratch().join("missing.cdb").display().to_string();
            let damaged = tree.scratch().join("damaged.cdb").display().to_string();
            files::write(&PathBuf::from(&damaged), b"this is no database");
            for (path, allowed, served) in
                [(&missing, "-Q", false), (&missing, "-X", true), (&damaged, "-X", false)]
            {
                let options = ["-v", asking, "-x", path, allowed, "-v"];
                let server = Server::start(&tree, &server, &options, &["echo", "served"]);
                assert_eq!(server.heard(), if served { "served\n" } else { "" }, "{path}");
                let log = server.log_with(1, "tcpserver: end");
                let drop = "tcpserver: warning: dropping connection, unable to read ";
                let dropped = log.iter().find(|line| line.starts_with(drop));
                assert_eq!(dropped.is_some(), !served, "{log:?}");
                if *path == missing && !served {
                    let expected = format!("{drop}{path}: file does not exist");
                    assert_eq!(dropped.unwrap(), &expected);
                }
                let end = log.iter().find(|line| line.starts_with("tcpserver: end")).unwrap();
                let status = if served { " status 0" } else { " status 28416" };
                assert!(end.ends_with(status), "{log:?}");
            }
        }
    }
}

#[test]
fn rules_are_read_as_the_user_who_serves() {
    let Some(tree) = Tree::of_root() else { return };
    let path = file(&tree, &[("", "+RULE=1\0")]);
    for server in servers(&tree) {
        let options = ["-HRl0", "-x", &path, "-u7801", "-g7802"];
        let server = Server::start(&tree, &server, &options, &SHOW);
        files::set_mode(&PathBuf::from(&path), 0o644);
        assert_eq!(server.heard(), "1\n");
        files::set_mode(&PathBuf::from(&path), 0o600);
        assert_eq!(server.heard(), "");
        let log = server.log_with(1, "tcpserver: warning");
        assert!(log[0].ends_with(&format!("unable to read {path}: access denied")), "{log:?}");
    }
}

#[test]
fn the_newer_family_has_rules_by_its_address_and_parts_of_it() {
    let tree = Tree::under_test();
    let Some(server) = ours(&tree) else { return };
    let path = file(&tree, &[("::1", "+RULE=1\0"), ("::", "+RULE=2\0")]);
    let command = tree.command(server).args(["-HRl0", "-x", &path]);
    let server = Server::run(&tree, command, ":0", &SHOW);
    assert_eq!(server.heard_by("::1"), "1\n");
    file(&tree, &[("::", "+RULE=2\0")]);
    assert_eq!(server.heard_by("::1"), "2\n");
    // An IPv4 client of the same socket is one.
    file(&tree, &[("127.", "+RULE=3\0"), ("::ffff:", "D\0")]);
    assert_eq!(server.heard(), "3\n");
}
