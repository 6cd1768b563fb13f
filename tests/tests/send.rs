//! qmail-send: routing, delivering, and the log.

use std::fs;

use nix::sys::signal::Signal;
use qmail_conformance::log::Running;
use qmail_conformance::{Tree, files, wait};

/// The log without status lines, numbers replaced by letters.
fn story(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .filter(|line| !line.starts_with("status:"))
        .map(|line| {
            line.split(' ')
                .map(|word| {
                    let digits = word.trim_end_matches(':');
                    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                    if number && digits.len() > 3 { word.replace(digits, "N") } else { word.into() }
                })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

/// Where each recipient goes, as the log says.
fn routes(tree: &Tree, recipients: &[&str]) -> Vec<String> {
    tree.control("concurrencyremote", "0");
    tree.control("concurrencylocal", "0");
    tree.queue("a@b", recipients, "hi\n");
    let number = tree.only_todo().number;
    let running = tree.start();
    wait::until("preprocessing", || tree.queue_files("todo").is_empty().then_some(()));
    running.stop();
    let mut routes = Vec::new();
    for channel in ["local", "remote"] {
        let file = tree.message_file(channel, number);
        let Ok(records) = fs::read(file) else { continue };
        for record in records.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
            let address = record.strip_prefix(b"T").unwrap();
            routes.push(format!("{channel} {}", String::from_utf8_lossy(address)));
        }
    }
    routes
}

#[test]
fn a_local_delivery_is_logged_from_end_to_end() {
    let tree = Tree::under_test();
    let maildir = tree.user("joe").uses_maildir();
    tree.queue("a@b", &["joe@test.example"], "Subject: x\n\nhi\n");
    let queued = tree.only_todo();
    let running = tree.start();
    running.wait_for("end msg");
    let lines = running.stop();
    let (number, size) = (queued.number, queued.message.len());
    let (process, uid) = (&queued.records(b'p')[0], &queued.records(b'u')[0]);
    let expected = [
        "status: local 0/10 remote 0/20".to_owned(),
        format!("new msg {number}"),
        format!("info msg {number}: bytes {size} from <a@b> qp {process} uid {uid}"),
        format!("starting delivery 1: msg {number} to local joe@test.example"),
        "status: local 1/10 remote 0/20".to_owned(),
        "delivery 1: success: did_1+0+0/".to_owned(),
        "status: local 0/10 remote 0/20".to_owned(),
        format!("end msg {number}"),
        "status: exiting".to_owned(),
    ];
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains("todo stop")).collect();
    assert_eq!(lines, expected);
    let message = maildir.only();
    let start = "Return-Path: <a@b>\nDelivered-To: joe@test.example\nReceived: (qmail ";
    assert!(message.starts_with(start), "{message}");
    assert!(message.ends_with("\nSubject: x\n\nhi\n"), "{message}");
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
}

#[test]
fn strange_bytes_are_safe_in_the_log() {
    let tree = Tree::under_test();
    tree.control("concurrencylocal", "0");
    tree.queue("a b%\n\u{e9}~@x", &["joe@test.example"], "hi\n");
    let running = tree.start();
    let line = running.wait_for("info msg");
    assert!(line.contains(" from <a_b_/__~@x> qp "), "{line}");
}

#[test]
fn the_output_of_a_delivery_is_in_the_log() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|printf 'a b%%\\n\\n\\303\\251\\t~'\n");
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    let running = tree.start();
    let line = running.wait_for("delivery 1: success");
    assert_eq!(line, "delivery 1: success: a_b_//___~did_0+0+1/");
}

#[test]
fn a_failure_and_a_deferral_are_told_apart() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|echo no; exit 100\n");
    tree.user("jane").instruct("", "|echo later; exit 111\n");
    tree.queue("", &["joe@test.example", "jane@test.example"], "hi\n");
    let running = tree.start();
    running.wait_for(": failure: no/");
    running.wait_for(": deferral: later/");
    let lines = running.stop();
    let story = story(&lines);
    assert!(story.contains(&"starting delivery 2: msg N to local jane@test.example".to_owned()));
    assert!(!story.iter().any(|line| line.starts_with("end msg")), "{story:#?}");
    let (_, status) = (lines.len(), lines.iter().filter(|l| l.starts_with("status: local 2/10")));
    assert!(status.count() >= 1);
}

#[test]
fn recipients_are_marked_done() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|exit 0\n");
    tree.user("jane").instruct("", "|exit 111\n");
    tree.queue("", &["joe@test.example", "jane@test.example"], "hi\n");
    let number = tree.only_todo().number;
    let running = tree.start();
    running.wait_for("success");
    running.wait_for("deferral");
    running.stop();
    let file = tree.message_file("local", number);
    assert_eq!(files::read(&file), b"Djoe@test.example\0Tjane@test.example\0");
    assert_eq!(files::read(&tree.message_file("info", number)), b"F\0");
    for file in [file, tree.message_file("info", number)] {
        assert_eq!(files::mode(&file), 0o600);
        assert_eq!(files::owner(&file).0, tree.accounts().qmails.uid);
    }
}

#[test]
fn a_message_without_recipients_just_ends() {
    let tree = Tree::under_test();
    tree.queue("a@b", &[], "hi\n");
    let running = tree.start();
    running.wait_for("end msg");
    wait::until("an empty queue", || tree.queue_is_empty().then_some(()));
    assert_eq!(story(&running.stop())[2..], ["end msg N"]);
}

#[test]
fn a_message_that_comes_later_is_seen_at_once() {
    let tree = Tree::under_test();
    let maildir = tree.user("joe").uses_maildir();
    let running = tree.start();
    running.wait_for("status:");
    for count in 1..4 {
        tree.queue("a@b", &["joe@test.example"], "hi\n");
        assert_eq!(maildir.wait_for(count).len(), count);
    }
    let _ = running.wait_for_several("end msg", 3);
}

#[test]
fn mail_to_an_empty_local_part_is_thrown_away() {
    let tree = Tree::under_test();
    tree.queue("a@b", &["@test.example"], "hi\n");
    let running = tree.start();
    assert_eq!(running.wait_for("delivery 1: success"), "delivery 1: success: ");
    running.wait_for("end msg");
}

#[test]
fn locals_and_envnoathost_decide_who_is_local() {
    let tree = Tree::under_test();
    tree.control("locals", "#x\nhere.example \n.wild.example\nLocal.Example\n");
    tree.control("envnoathost", "here.example\n");
    let routes = routes(
        &tree,
        &[
            "joe@here.example",
            "Joe@HERE.Example",
            "joe@sub.here.example",
            "joe@x.wild.example",
            "joe@local.example",
            "joe",
            "",
            "joe@here.example.",
            "a@b@here.example",
            "joe@[127.0.0.1]",
            "joe@test.example",
        ],
    );
    let expected = [
        "local joe@here.example",
        "local Joe@HERE.Example",
        "local joe@local.example",
        "local joe@here.example",
        "local @here.example",
        "local a@b@here.example",
        "remote joe@sub.here.example",
        "remote joe@x.wild.example",
        "remote joe@here.example.",
        "remote joe@[127.0.0.1]",
        "remote joe@test.example",
    ];
    assert_eq!(routes, expected);
}

#[test]
fn without_locals_and_envnoathost_they_are_me() {
    let tree = Tree::under_test();
    let expected = ["local joe@test.example", "local jane@TEST.example", "remote x@y"];
    assert_eq!(routes(&tree, &["joe", "jane@TEST.example", "x@y"]), expected);
}

#[test]
fn virtualdomains_are_searched_in_order() {
    let tree = Tree::under_test();
    tree.control("locals", "here.example\n");
    let table = "Joe@V.example:user-joe\n\
        v.example:dom\n\
        .v.example:wild\n\
        deep.v.example:\n\
        .b.c:long\n\
        .c:short\n\
        here.example:never\n\
        x@here.example:never\n\
        twice.example:first\n\
        twice.example:second:with:colons\n\
        nocolon.example\n";
    tree.control("virtualdomains", table);
    let recipients = [
        "joe@v.example",
        "Jane@V.Example",
        "x@a.v.example",
        "x@deep.v.example",
        "x@a.b.c",
        "x@b.c",
        "x@c",
        "x@here.example",
        "x@twice.example",
        "x@nocolon.example",
        "x@other.example",
    ];
    let expected = [
        "local user-joe-joe@v.example",
        "local dom-Jane@V.Example",
        "local wild-x@a.v.example",
        "local long-x@a.b.c",
        "local short-x@b.c",
        "local x@here.example",
        "local second:with:colons-x@twice.example",
        "remote x@deep.v.example",
        "remote x@c",
        "remote x@nocolon.example",
        "remote x@other.example",
    ];
    assert_eq!(routes(&tree, &recipients), expected);
}

#[test]
fn a_virtual_domain_may_catch_everything() {
    let tree = Tree::under_test();
    tree.control("virtualdomains", ":all\nspecial.example:\n");
    let expected = ["local all-x@y.example", "local z@test.example", "remote x@special.example"];
    let recipients = ["x@y.example", "x@special.example", "z@test.example"];
    assert_eq!(routes(&tree, &recipients), expected);
}

#[test]
fn the_percent_hack_is_for_listed_domains() {
    let tree = Tree::under_test();
    tree.control("locals", "here.example\n");
    tree.control("percenthack", "Hack.example\nhere.example\n");
    let recipients = [
        "a%far.example@hack.example",
        "a%b%here.example@HACK.example",
        "a@hack.example",
        "a%far.example@other.example",
        "a%here.example@here.example",
        "%@hack.example",
    ];
    let expected = [
        "local a@here.example",
        "remote a@far.example",
        "remote a@b",
        "remote a@hack.example",
        "remote a%far.example@other.example",
        "remote @",
    ];
    let mut expected = expected.map(str::to_owned).to_vec();
    let mut found = routes(&tree, &recipients);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

/// Waits until nothing in `control` matters any more but after a signal: mail was preprocessed, which
/// other processes than the one that logs may do.
fn has_read_its_controls(tree: &Tree, running: &Running) {
    tree.queue("x@y", &[], "hi\n");
    running.wait_for("end msg");
}

#[test]
fn hup_rereads_locals_and_virtualdomains_only() {
    let tree = Tree::under_test();
    tree.control("concurrencylocal", "0");
    tree.control("concurrencyremote", "0");
    let running = tree.start();
    has_read_its_controls(&tree, &running);
    tree.control("locals", "new.example\n");
    tree.control("virtualdomains", "virtual.example:prefix\n");
    tree.control("envnoathost", "elsewhere.example\n");
    let recipients = ["a@new.example", "b@virtual.example", "c"];
    let route = |channel: &str| {
        wait::until("preprocessing", || tree.queue_files("todo").is_empty().then_some(()));
        let number: u64 = tree
            .queue_files("info")
            .iter()
            .rev()
            .find_map(|file| file.file_name()?.to_str()?.parse().ok())?;
        let records = fs::read(tree.message_file(channel, number)).ok()?;
        Some(String::from_utf8_lossy(&records).into_owned())
    };
    running.signal(Signal::SIGHUP);
    // There is no sign that it has read them but what it does.
    wait::until("new routes", || {
        tree.queue("x@y", &recipients, "hi\n");
        let local = route("local").unwrap_or_default();
        let found = local == "Ta@new.example\0Tprefix-b@virtual.example\0";
        if !found {
            for part in ["info", "local", "remote"] {
                for file in tree.queue_files(part) {
                    let _ = fs::remove_file(tree.path("queue").join(part).join(file));
                }
            }
        }
        found.then_some(())
    });
    assert_eq!(route("remote").as_deref(), Some("Tc@test.example\0"));
}

#[test]
fn a_failed_reread_keeps_both_tables() {
    let tree = Tree::under_test();
    tree.control("locals", "here.example\n");
    tree.control("concurrencylocal", "0");
    tree.control("concurrencyremote", "0");
    let running = tree.start();
    has_read_its_controls(&tree, &running);
    tree.control("locals", "other.example\n");
    fs::create_dir(tree.path("control/virtualdomains")).unwrap();
    running.signal(Signal::SIGHUP);
    running.wait_for("alert: unable to reread control/virtualdomains");
    tree.queue("x@y", &["joe@here.example"], "hi\n");
    running.wait_for("info msg");
    wait::until("routing", || (!tree.queue_files("local").is_empty()).then_some(()));
    fs::remove_file(tree.path("control/locals")).unwrap();
    fs::create_dir(tree.path("control/locals")).unwrap();
    running.signal(Signal::SIGHUP);
    running.wait_for("alert: unable to reread control/locals");
}

#[test]
fn a_second_qmail_send_refuses_to_start() {
    let tree = Tree::under_test();
    let running = tree.start();
    running.wait_for("status:");
    let mut second = tree.start();
    second.wait_for("alert: cannot start: qmail-send is already running");
    assert_eq!(second.wait(), Some(111));
}

#[test]
fn what_is_missing_at_the_start_is_said() {
    for (file, text) in [
        ("queue/lock/sendmutex", "alert: cannot start: unable to open mutex"),
        ("queue", "alert: cannot start: unable to switch to queue directory"),
    ] {
        let tree = Tree::under_test();
        fs::rename(tree.path(file), tree.path("elsewhere")).unwrap();
        let mut running = tree.start();
        running.wait_for(text);
        assert_eq!(running.wait(), Some(111), "{file}");
    }
}

#[test]
fn unreadable_controls_stop_the_start() {
    for control in ["locals", "virtualdomains", "concurrencylocal", "me", "queuelifetime"] {
        let tree = Tree::under_test();
        tree.remove_control(control);
        fs::create_dir(tree.path("control").join(control)).unwrap();
        let mut running = tree.start();
        running.wait_for("alert: cannot start: unable to read controls");
        assert_eq!(running.wait(), Some(111), "{control}");
    }
}

#[test]
fn without_me_and_locals_it_does_not_start() {
    let tree = Tree::under_test();
    tree.remove_control("me");
    let mut running = tree.start();
    running.wait_for("alert: cannot start: unable to read controls");
    assert_eq!(running.wait(), Some(111));
}

#[test]
fn concurrency_is_what_the_controls_say() {
    let tree = Tree::under_test();
    tree.control("concurrencylocal", "2\n");
    tree.control("concurrencyremote", "7 or so\n");
    let go = tree.scratch().join("go");
    let program = format!("|until test -e {}; do sleep 0.05; done\n", go.display());
    tree.user("joe").instruct("", program);
    tree.queue("a@b", &["joe@test.example"; 5], "hi\n");
    let running = tree.start();
    running.wait_for("status: local 0/2 remote 0/7");
    running.wait_for("status: local 2/2 remote 0/7");
    assert_eq!(running.wait_for_several("starting delivery", 2).len(), 2);
    files::write(&go, "");
    running.wait_for("end msg");
    let lines = running.stop();
    assert!(!lines.iter().any(|line| line.contains("local 3/2")), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains(": success:")).count(), 5);
}

#[test]
fn concurrency_is_bounded_by_the_spawner() {
    let tree = Tree::under_test();
    tree.control("concurrencylocal", "70000\n");
    let line = tree.start().wait_for("status:");
    let limit: u32 = line.split(['/', ' ']).nth(3).unwrap().parse().unwrap();
    assert!((1..=65_000).contains(&limit), "{line}");
    assert!(limit >= 120, "{line}");
}

#[test]
fn term_waits_for_running_deliveries() {
    let tree = Tree::under_test();
    let go = tree.scratch().join("go");
    let program = format!("|until test -e {}; do sleep 0.05; done\n", go.display());
    tree.user("joe").instruct("", program);
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    let mut running = tree.start();
    running.wait_for("starting delivery 1");
    running.signal(Signal::SIGTERM);
    files::write(&go, "");
    assert_eq!(running.wait(), Some(0));
    running.wait_for("status: local 0/10 remote 0/20 exitasap");
    running.wait_for("status: exiting");
    running.wait_for("delivery 1: success: did_0+0+1/");
}

#[test]
fn mail_with_a_verp_sender_has_its_own_sender_for_each_recipient() {
    let tree = Tree::under_test();
    tree.control("virtualdomains", "virtual.example:joe\n");
    tree.user("joe").instruct("", "|echo \"<$SENDER>\"\n");
    tree.user("joe").instruct("-x", "|echo \"<$SENDER>\"\n");
    let recipients = ["joe@test.example", "x@virtual.example"];
    tree.queue("owner-@far.example-@[]", &recipients, "hi\n");
    let running = tree.start();
    running.wait_for("success: <owner-joe=test.example@far.example>/did_0+0+1/");
    running.wait_for("success: <owner-joe-x=virtual.example@far.example>/did_0+0+1/");
}

#[test]
fn senders_that_only_look_like_verp_are_left_alone() {
    for sender in ["#@[]", "x-@[]", "a@b-@[]x", ""] {
        let tree = Tree::under_test();
        tree.user("joe").instruct("", "|echo \"<$SENDER>\"\n");
        tree.queue(sender, &["joe@test.example"], "hi\n");
        let running = tree.start();
        running.wait_for(&format!("success: <{sender}>/did"));
    }
}

#[test]
fn mail_that_waits_survives_a_restart() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.instruct("", "|exit 111\n");
    tree.queue("a@b", &["joe@test.example"], "hi\n");
    let running = tree.start();
    running.wait_for("deferral");
    running.stop();
    assert_eq!(tree.queued(), 1);
    joe.instruct("", "|exit 0\n");
    let running = tree.start();
    running.wait_for("status:");
    running.signal(Signal::SIGALRM);
    running.wait_for("success");
    running.wait_for("end msg");
}
