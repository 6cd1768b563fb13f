//! qmail-local: which instructions an address has, and what programs are told.

use std::fs;

use qmail_conformance::local::Delivery;
use qmail_conformance::process::Finished;
use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, files};

/// Delivers to an extension of joe that has these files; each file only says its own name.
fn chosen(extension: &str, names: &[&str]) -> Finished {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    for name in names {
        joe.write(name, format!("|echo \"{name}: $DEFAULT.\"\n"));
    }
    tree.deliver(&joe, &Delivery::to_extension(&joe, extension))
}

/// What a program printed, without the counts.
fn printed(finished: &Finished) -> String {
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    finished.text().strip_suffix("did 0+0+1\n").unwrap().to_owned()
}

#[test]
fn the_most_special_file_is_chosen() {
    let all = [
        ".qmail",
        ".qmail-a",
        ".qmail-default",
        ".qmail-a-default",
        ".qmail-a-b",
        ".qmail-a-b-default",
        ".qmail-a-b-c",
    ];
    let table = [
        ("a-b-c", 7, ".qmail-a-b-c: .\n"),
        ("a-b-c", 6, ".qmail-a-b-default: c.\n"),
        ("a-b-c", 5, ".qmail-a-default: b-c.\n"),
        ("a-b-c", 3, ".qmail-default: a-b-c.\n"),
        ("a-B-C", 6, ".qmail-a-b-default: C.\n"),
        ("A", 7, ".qmail-a: .\n"),
        ("z", 7, ".qmail-default: z.\n"),
        ("a-", 7, ".qmail-a-default: .\n"),
        ("a-b-", 7, ".qmail-a-b-default: .\n"),
        ("", 7, ".qmail-default: .\n"),
        ("a-default", 7, ".qmail-a-default: default.\n"),
        ("default", 7, ".qmail-default: default.\n"),
    ];
    for (extension, count, said) in table {
        let finished = chosen(extension, &all[..count]);
        assert_eq!(printed(&finished), said, "{extension} of {count}");
    }
}

#[test]
fn dots_become_colons_and_slashes_stay() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail-a:b::c", "|echo colons\n");
    joe.make_directory(".qmail-sub");
    joe.write(".qmail-sub/x", "|echo sub\n");
    joe.write(".qmail-sub/default", "|echo never\n");
    joe.write("secret", "|echo never\n");
    for (extension, said) in [("A.b..C", "colons\n"), ("sub/x", "sub\n")] {
        let finished = tree.deliver(&joe, &Delivery::to_extension(&joe, extension));
        assert_eq!(printed(&finished), said, "{extension}");
    }
    for extension in ["sub/../../secret", "/../secret", "sub/y"] {
        let finished = tree.deliver(&joe, &Delivery::to_extension(&joe, extension));
        assert_eq!(finished.code, Some(100), "{extension}: {}", finished.said());
    }
}

#[test]
fn nobody_by_that_name_is_permanent() {
    let finished = chosen("nobody", &[".qmail", ".qmail-other"]);
    let text = "Sorry, no mailbox here by that name. (#5.1.1)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(100), text));
}

#[test]
fn an_address_without_extension_has_an_odd_second_file() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmaildefault", "|echo odd\n");
    joe.write(".qmail-default", "|echo never\n");
    assert_eq!(printed(&tree.deliver(&joe, &Delivery::to(&joe))), "odd\n");
}

#[test]
fn what_is_no_file_is_passed_over() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.make_directory(".qmail-a-b");
    std::os::unix::fs::symlink("/nonexistent", joe.home().join(".qmail-a-default")).unwrap();
    joe.write(".qmail-default", "|echo reached\n");
    let finished = tree.deliver(&joe, &Delivery::to_extension(&joe, "a-b"));
    assert_eq!(printed(&finished), "reached\n");
}

#[test]
fn symbolic_links_are_followed() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write("elsewhere", "|echo followed\n");
    std::os::unix::fs::symlink("elsewhere", joe.home().join(".qmail-a")).unwrap();
    let finished = tree.deliver(&joe, &Delivery::to_extension(&joe, "a"));
    assert_eq!(printed(&finished), "followed\n");
}

#[test]
fn an_unreadable_file_is_tried_later_and_not_passed_over() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail-a", "|echo never\n");
    joe.write(".qmail-default", "|echo never\n");
    files::set_mode(&joe.home().join(".qmail-a"), 0);
    let finished = tree.deliver(&joe, &Delivery::to_extension(&joe, "a"));
    let text = "Unable to open .qmail-a: access denied. (#4.3.0)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
}

/// What NEWSENDER is for a sender, with these files besides `.qmail-default`.
fn new_sender(tree: &Tree, joe: &User, sender: &str, extension: &str) -> String {
    joe.write(".qmail-default", "|echo \"<$NEWSENDER>\"\n");
    let mut delivery = Delivery::to_extension(joe, extension);
    delivery.sender = sender.into();
    printed(&tree.deliver(joe, &delivery))
}

#[test]
fn an_owner_file_changes_the_sender() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    assert_eq!(new_sender(&tree, &joe, "a@b", "List.x"), "<a@b>\n");
    joe.write(".qmail-list:x-owner", "#\n");
    assert_eq!(new_sender(&tree, &joe, "a@b", "List.x"), "<joe-List.x-owner@test.example>\n");
    assert_eq!(new_sender(&tree, &joe, "a@b", "list.y"), "<a@b>\n");
    joe.write(".qmail-list:x-owner-default", "#\n");
    let verp = "<joe-List.x-owner-@test.example-@[]>\n";
    assert_eq!(new_sender(&tree, &joe, "a@b", "List.x"), verp);
    for sender in ["", "#@[]"] {
        assert_eq!(new_sender(&tree, &joe, sender, "list.x"), format!("<{sender}>\n"));
    }
    fs::remove_file(joe.home().join(".qmail-list:x-owner")).unwrap();
    assert_eq!(new_sender(&tree, &joe, "a@b", "List.x"), "<a@b>\n");
}

#[test]
fn forwards_go_out_from_the_owner() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail-list", "&jane@test.example\n&far@away.example\n");
    joe.write(".qmail-list-owner", "#\n");
    joe.write(".qmail-list-owner-default", "#\n");
    let finished = tree.deliver(&joe, &Delivery::to_extension(&joe, "list"));
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    assert_eq!(tree.only_todo().sender(), "joe-list-owner-@test.example-@[]");
}

#[test]
fn programs_are_told_everything_in_their_environment() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail-one-default", "|env\n");
    let mut delivery = Delivery::to_extension(&joe, "One-tWo-three.x--four");
    delivery.sender = "a b@far.example".into();
    delivery.domain = "A.b.c.D".into();
    let finished = tree.deliver(&joe, &delivery);
    let text = printed(&finished);
    let home = format!("HOME={}\n", joe.home().display());
    let expected = [
        "HOST=A.b.c.D\n",
        "HOST2=A.b.c\n",
        "HOST3=A.b\n",
        "HOST4=A\n",
        home.as_str(),
        "USER=joe\n",
        "LOCAL=joe-One-tWo-three.x--four\n",
        "RECIPIENT=joe-One-tWo-three.x--four@A.b.c.D\n",
        "DTLINE=Delivered-To: joe-One-tWo-three.x--four@A.b.c.D\n\n",
        "SENDER=a b@far.example\n",
        "NEWSENDER=a b@far.example\n",
        "RPLINE=Return-Path: <\"a b\"@far.example>\n\n",
        "UFLINE=From a-b@far.example ",
        "EXT=One-tWo-three.x--four\n",
        "EXT2=tWo-three.x--four\n",
        "EXT3=three.x--four\n",
        "EXT4=-four\n",
        "DEFAULT=tWo-three.x--four\n",
    ];
    let text = format!("\n{text}");
    for line in expected {
        assert!(text.contains(&format!("\n{line}")), "{line:?} is not in {text}");
    }
}

#[test]
fn what_is_missing_is_empty_or_repeats() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|echo \"[$EXT][$EXT2][$EXT3][$EXT4][$HOST2][$HOST3][$HOST4]\"\n");
    let mut delivery = Delivery::to(&joe);
    delivery.domain = "a.b".into();
    assert_eq!(printed(&tree.deliver(&joe, &delivery)), "[][][][][a][a][a]\n");
    delivery.domain = "localhost".into();
    let three = "[localhost][localhost][localhost]";
    assert_eq!(printed(&tree.deliver(&joe, &delivery)), format!("[][][][]{three}\n"));
}

#[test]
fn an_inherited_default_is_not_ours() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|echo \"[$DEFAULT]\"\n");
    let delivery = Delivery::to(&joe);
    let finished = tree.local_program(&joe, &delivery).env("DEFAULT", "stale").run();
    // The original lets it through.
    let expected = if tree.is_original() { "[stale]\n" } else { "[]\n" };
    assert_eq!(printed(&finished), expected);
}

#[test]
fn an_empty_sender_is_mailer_daemon_in_the_from_line() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|printf '%s' \"$UFLINE$RPLINE\"\n");
    let mut delivery = Delivery::to(&joe);
    delivery.sender = "".into();
    let text = printed(&tree.deliver(&joe, &delivery));
    assert!(text.starts_with("From MAILER-DAEMON "), "{text}");
    assert!(text.ends_with("\nReturn-Path: <>\n"), "{text}");
}

#[test]
fn the_rest_of_the_environment_is_passed_on() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|echo \"$SPECIAL\"\n");
    let delivery = Delivery::to(&joe);
    let finished = tree.local_program(&joe, &delivery).env("SPECIAL", "kept").run();
    assert_eq!(printed(&finished), "kept\n");
}

#[test]
fn delivery_runs_with_a_closed_umask() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|umask\n");
    assert_eq!(printed(&tree.deliver(&joe, &Delivery::to(&joe))), "0077\n");
}

#[test]
fn getpw_finds_the_user_of_an_address() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let alias = tree.accounts().alias;
    let fields = |user: &User, dash: &str, extension: &str| {
        let (id, home) = (user.identity(), user.home().display());
        format!("{}\0{}\0{}\0{home}\0{dash}\0{extension}\0", user.name(), id.uid, id.gid)
    };
    let (joe, list) = (tree.user("joe"), tree.user("joe-list"));
    let home = tree.home().join("alias");
    let of_alias = |extension: &str| {
        format!("alias\0{}\0{}\0{}\0-\0{extension}\0", alias.uid, alias.gid, home.display())
    };
    let table = [
        ("joe", fields(&joe, "", "")),
        ("JOE", fields(&joe, "", "")),
        ("joe-a-B", fields(&joe, "-", "a-B")),
        ("joe-", fields(&joe, "-", "")),
        ("joe-list", fields(&list, "", "")),
        ("Joe-List-x", fields(&list, "-", "x")),
        ("joe-listen", fields(&joe, "-", "listen")),
        ("joe+x", of_alias("joe+x")),
        ("nobody-Here", of_alias("nobody-Here")),
        ("root", of_alias("root")),
        ("-x", of_alias("-x")),
        ("", of_alias("")),
    ];
    for (local, expected) in table {
        let finished = tree.program("qmail-getpw").run_as(tree.accounts().qmailp).arg(local).run();
        assert_eq!((finished.code, finished.text()), (Some(0), expected), "{local}");
    }
    assert_eq!(tree.program("qmail-getpw").run().code, Some(100));
}

#[test]
fn getpw_passes_over_users_who_do_not_own_their_home() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let jane = tree.user("jane");
    std::os::unix::fs::chown(jane.home(), Some(0), Some(0)).unwrap();
    let finished = tree.program("qmail-getpw").run_as(tree.accounts().qmailp).arg("jane").run();
    assert!(finished.text().starts_with("alias\0"), "{}", finished.text());
    fs::remove_dir(jane.home()).unwrap();
    let finished = tree.program("qmail-getpw").run_as(tree.accounts().qmailp).arg("jane").run();
    assert!(finished.text().starts_with("alias\0"), "{}", finished.text());
}
