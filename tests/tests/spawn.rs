//! What qmail-lspawn and qmail-rspawn have in common, and what qmail-rspawn makes of a report.

use std::fs;

use qmail_conformance::spawner::Spawner;
use qmail_conformance::{Need, Tree, files};

/// Both spawners; neither reaches a delivery program that does anything.
fn both(tree: &Tree) -> [Spawner; 2] {
    tree.user("joe").instruct("", "|exit 0\n");
    [tree.lspawn(), tree.rspawn("printf 'r\\0Kok\\n\\0'")]
}

#[test]
fn they_say_how_many_deliveries_they_allow() {
    let tree = Tree::under_test();
    for spawner in both(&tree) {
        assert!(spawner.limit() >= 1);
        assert_eq!(spawner.end(), (Some(0), Vec::new()));
    }
}

#[test]
fn broken_commands_are_reported() {
    let tree = Tree::under_test();
    let good = tree.spawnable("hi\n");
    let long = "1".repeat(101);
    let nonnumerics = "DInternal error: messid has nonnumerics. (#5.3.5)\n";
    let unable = "Zqmail-spawn unable to open message. (#4.3.0)\n";
    let no_host = "DSorry, address must include host name. (#5.1.3)\n";
    let table = [
        ("x", "joe@test.example", nonnumerics),
        ("/1/2", "joe@test.example", nonnumerics),
        ("../pid/x", "joe@test.example", nonnumerics),
        ("1/2a", "joe@test.example", nonnumerics),
        (long.as_str(), "joe@test.example", "DInternal error: messid too long. (#5.3.5)\n"),
        ("", "joe@test.example", "DInternal error: messid too short. (#5.3.5)\n"),
        (good.as_str(), "joe", no_host),
        (good.as_str(), "", no_host),
        ("0/999999999999", "joe@test.example", unable),
        ("999", "joe@test.example", unable),
    ];
    for mut spawner in both(&tree) {
        for (message, recipient, report) in table {
            assert_eq!(spawner.deliver(message, "a@b", recipient), report, "{message} {recipient}");
        }
        // And they are none the worse for it.
        assert!(spawner.deliver(&good, "a@b", "joe@test.example").starts_with('K'));
    }
}

#[test]
fn a_delivery_number_is_used_once_and_not_too_large() {
    let tree = Tree::under_test();
    let message = tree.spawnable("hi\n");
    let go = tree.scratch().join("go");
    let wait = format!("until test -e {}; do sleep 0.02; done", go.display());
    tree.user("joe").instruct("", format!("|{wait}\n"));
    let spawners = [tree.lspawn(), tree.rspawn(&format!("{wait}; printf 'r\\0Kok\\n\\0'"))];
    for mut spawner in spawners {
        let _ = fs::remove_file(&go);
        spawner.command(1, &message, "a@b", "joe@test.example");
        spawner.command(1, &message, "a@b", "joe@test.example");
        let in_use = "ZInternal error: delnum in use. (#4.3.5)\n";
        let report = spawner.report();
        assert_eq!((report.delivery, report.text.as_str()), (1, in_use));
        if spawner.limit() < 255 {
            let number = spawner.limit();
            spawner.command(number, &message, "a@b", "joe@test.example");
            let report = spawner.report();
            let too_big = "ZInternal error: delnum too big. (#4.3.5)\n";
            assert_eq!((report.delivery, report.text.as_str()), (number, too_big));
        }
        files::write(&go, "");
        assert!(spawner.report().text.starts_with('K'));
    }
}

#[test]
fn only_messages_of_the_queue_are_delivered() {
    let tree = Tree::under_test();
    let bucket = tree.path("queue/mess/0");
    fs::create_dir(bucket.join("23000000")).unwrap();
    files::write(&bucket.join("46000000"), "not of the queue\n");
    std::os::unix::fs::chown(bucket.join("23000000"), Some(tree.accounts().qmailq.uid), None)
        .unwrap();
    for mut spawner in both(&tree) {
        let report = spawner.deliver("0/23000000", "a@b", "joe@test.example");
        assert_eq!(report, "ZSorry, message has wrong type. (#4.3.5)\n");
        if !tree.is_single_user() {
            let report = spawner.deliver("0/46000000", "a@b", "joe@test.example");
            assert_eq!(report, "ZSorry, message has wrong owner. (#4.3.5)\n");
        }
    }
}

#[test]
fn commands_may_come_in_pieces() {
    let tree = Tree::under_test();
    let message = tree.spawnable("hi\n");
    tree.user("joe").instruct("", "|exit 0\n");
    let mut conversation = tree.program("qmail-lspawn").arg("./Maildir/").converse();
    assert_eq!(conversation.bytes(1).len(), 1);
    for byte in format!("\x02{message}\0a@b\0joe@test.example\0").bytes() {
        conversation.send([byte]);
    }
    assert_eq!(conversation.until(0), b"\x02Kdid 0+0+1\n\0");
}

#[test]
fn rspawn_gives_qmail_remote_its_arguments_and_the_message() {
    let tree = Tree::under_test();
    let message = tree.spawnable("hi\n");
    let mut spawner = tree.rspawn("printf 'r\\0K'; printf '<%s>' \"$@\"; tail -n 1; printf '\\0'");
    let said = spawner.deliver(&message, "a b@c", "x@y@Far.Example");
    assert_eq!(said, "K<Far.Example><a b@c><x@y@Far.Example>hi\n");
}

#[test]
fn reports_of_qmail_remote_are_interpreted() {
    let table = [
        ("r\\0Kaccepted\\n\\0", "Kaccepted\n"),
        ("h550 no\\n\\0Dgiving up\\n\\0", "D550 no\nDgiving up\n"),
        ("s450 wait\\n\\0Dgiving up\\n\\0", "Z450 wait\ngiving up\n"),
        ("r\\0Zdied\\n\\0", "Zdied\n"),
        ("r\\0Drefused\\n\\0", "Drefused\n"),
        ("Zlater\\n\\0", "Zlater\n"),
        ("Dnever\\n\\0", "Dnever\n"),
        ("h550 no\\n\\0Zlater\\n\\0", "D550 no\n"),
        ("s450 wait\\n\\0Zdied\\n\\0", "Z450 wait\ndied\n"),
    ];
    let tree = Tree::under_test();
    let message = tree.spawnable("hi\n");
    for (output, report) in table {
        let mut spawner = tree.rspawn(&format!("printf '{output}'"));
        let said = spawner.deliver(&message, "a@b", "x@far.example");
        let report = report.replace("\nDgiving up", "\ngiving up");
        assert_eq!(said, report, "{output}");
    }
}

#[test]
fn trouble_with_qmail_remote_is_reported() {
    let table = [
        ("kill -9 $$", "Zqmail-remote crashed.\n"),
        ("exit 111", "ZUnable to run qmail-remote.\n"),
        ("exit 100", "DUnable to run qmail-remote.\n"),
        ("exit 0", "Zqmail-remote produced no output.\n"),
        ("printf 'r\\0Kok\\0'; exit 111", "ZUnable to run qmail-remote.\n"),
    ];
    let tree = Tree::under_test();
    let message = tree.spawnable("hi\n");
    for (script, report) in table {
        let mut spawner = tree.rspawn(script);
        assert_eq!(spawner.deliver(&message, "a@b", "x@far.example"), report, "{script}");
    }
}

#[test]
fn a_report_without_a_verdict_is_no_reason_to_bounce() {
    let tree = Tree::under_test();
    if tree.is_original() {
        // There it is one.
        return;
    }
    let message = tree.spawnable("hi\n");
    for script in [
        "printf 'r\\0'",
        "printf 'r'",
        "printf 'loader: no memory\\n' >&2",
        "printf 'r\\0Kacc'",
        "printf '\\0'",
    ] {
        let mut spawner = tree.rspawn(script);
        let said = spawner.deliver(&message, "a@b", "x@far.example");
        assert!(said.starts_with('Z'), "{script}: {said}");
    }
}

#[test]
fn what_a_loader_or_a_shell_writes_is_no_reason_to_send_again() {
    let tree = Tree::under_test();
    let message = tree.spawnable("hi\n");
    for script in [
        "echo 'perl: warning: Setting locale failed.' >&2; printf 'r\\0Kaccepted\\n\\0'",
        "printf 'r\\0Kaccepted\\n\\0'; echo 'sh: something is odd' >&2",
    ] {
        let mut spawner = tree.rspawn(script);
        let said = spawner.deliver(&message, "a@b", "x@far.example");
        assert!(said.starts_with('K'), "{script}: {said}");
    }
}

#[test]
fn the_last_verdict_counts() {
    let tree = Tree::under_test();
    if tree.is_original() {
        // There the first does, so an early K loses mail.
        return;
    }
    let message = tree.spawnable("hi\n");
    let mut spawner = tree.rspawn("printf 'Kgoing on\\0h550 no\\n\\0Dgiving up\\n\\0'");
    let said = spawner.deliver(&message, "a@b", "x@far.example");
    assert!(!said.starts_with('K'), "{said}");
}

#[test]
fn rspawn_clears_the_table_of_time_outs() {
    let tree = Tree::under_test();
    let table = tree.path("queue/lock/tcpto");
    files::write(&table, [b'x'; 1024]);
    std::os::unix::fs::chown(&table, Some(tree.accounts().qmailr.uid), None).unwrap();
    let spawner = tree.rspawn("exit 0");
    assert_eq!(files::read(&table), [0; 1024]);
    drop(spawner);
}

#[test]
fn another_program_can_take_the_place_of_qmail_remote() {
    let tree = Tree::under_test();
    let message = tree.spawnable("hi\n");
    let script = tree.scratch().join("instead");
    files::write_script(&script, "printf 'r\\0Kinstead %s\\n\\0' \"$1\"");
    let program = tree.program("qmail-rspawn").run_as(tree.accounts().qmailr);
    let mut spawner = Spawner::start(program.env("QMAILREMOTE", &script));
    let said = spawner.deliver(&message, "a@b", "x@far.example");
    // Netqmail does not know the variable.
    assert!(tree.is_original() || said == "Kinstead far.example\n", "{said}");
}

/// One request to qmail-clean after another, and the replies.
fn clean(tree: &Tree, requests: &[&str]) -> String {
    let program = tree.program("qmail-clean").run_as(tree.accounts().qmailq);
    let mut conversation = program.converse();
    let mut replies = String::new();
    for request in requests {
        conversation.send(format!("{request}\0"));
        replies += &String::from_utf8_lossy(&conversation.bytes(1));
    }
    assert_eq!(conversation.end(), Some(0));
    replies + &String::from_utf8_lossy(&conversation.rest())
}

#[test]
fn clean_removes_what_it_is_told() {
    let tree = Tree::under_test();
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    let number = tree.only_todo().number;
    let file = tree.queue_files("todo").remove(0);
    let todo = format!("todo/{}", file.display());
    assert_eq!(clean(&tree, &[&todo]), "+");
    assert!(tree.queue_files("todo").is_empty() && tree.queue_files("intd").is_empty());
    assert_eq!(tree.queued(), 1);
    assert_eq!(clean(&tree, &[&format!("foop/{number}")]), "+");
    assert!(tree.queue_is_empty());
}

#[test]
fn clean_does_not_mind_what_is_gone_already() {
    let tree = Tree::under_test();
    let file = tree.message_file("todo", 123_456);
    let todo = file.strip_prefix(tree.path("queue")).unwrap().to_str().unwrap();
    assert_eq!(clean(&tree, &["foop/123456", todo, "foop/1"]), "+++");
}

#[test]
fn clean_refuses_what_it_does_not_understand() {
    let tree = Tree::under_test();
    let long = format!("foop/{}", "1".repeat(100));
    let requests = ["", "foop/", "foop", "xxxx/12345", &long];
    assert_eq!(clean(&tree, &requests), "xxxxx");
}

#[test]
fn clean_answers_every_request_once() {
    let tree = Tree::under_test();
    if tree.is_original() {
        // It says x for each wrong byte, and then does as it was told.
        return;
    }
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    let number = tree.only_todo().number;
    let request = format!("foop/{number}ab");
    let near = format!("todoX{number}");
    assert_eq!(clean(&tree, &[&request, &near, "foop/../../x", "foop/-1", "foop/1"]), "xxxx+");
    assert_eq!(tree.queued(), 1);
}

#[test]
fn clean_says_when_it_cannot() {
    let tree = Tree::under_test();
    let directory = tree.message_file("mess", 123_456);
    fs::create_dir(&directory).unwrap();
    assert_eq!(clean(&tree, &["foop/123456"]), "!");
}

#[test]
fn clean_removes_old_pid_files_but_not_young_ones() {
    use std::time::{Duration, SystemTime};
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let old = tree.path("queue/pid/12345.1.1");
    files::write(&old, "");
    files::write(&tree.path("queue/pid/12346.1.1"), "");
    files::set_times(&old, SystemTime::now() - Duration::from_secs(129_700));
    assert_eq!(clean(&tree, &["foop/1"]), "+");
    assert_eq!(files::names(&tree.path("queue/pid")), ["12346.1.1"]);
}
