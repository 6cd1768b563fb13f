//! qmail-queue: what it takes, what it writes, and how it ends.

use std::fs;
use std::io::{Write, pipe};

use qmail_conformance::queue::envelope;
use qmail_conformance::{Identity, Need, Tree, files};

fn somebody(tree: &Tree) -> Identity {
    tree.user("jane").identity()
}

/// The exit code for an envelope.
fn code(tree: &Tree, envelope: &[u8]) -> Option<i32> {
    let finished = tree.queue_as(somebody(tree), b"hi\n", envelope);
    assert_eq!((finished.text(), finished.errors()), (String::new(), String::new()));
    finished.code
}

#[test]
fn a_message_is_queued_with_its_envelope() {
    let tree = Tree::under_test();
    let finished = tree.queue_as(somebody(&tree), b"a\nb", &envelope("x@y", &["joe@here", "z"]));
    assert_eq!(finished.code, Some(0));
    let queued = tree.only_todo();
    let uid = somebody(&tree).uid;
    let expected = format!("u{uid}\0p{}\0Fx@y\0Tjoe@here\0Tz\0", finished.pid);
    assert_eq!(String::from_utf8_lossy(&queued.envelope), expected);
    assert_eq!(queued.without_received(), "a\nb");
    assert_eq!(tree.queue_files("mess").len(), 1);
    assert_eq!(tree.queue_files("intd").len(), 1);
    assert_eq!(tree.queue_files("pid").len(), 0);
}

#[test]
fn the_number_of_a_message_is_its_inode() {
    use std::os::unix::fs::MetadataExt;
    let tree = Tree::under_test();
    tree.queue("x@y", &["joe@here"], "hi\n");
    let number = tree.only_todo().number;
    let file = tree.message_file("mess", number);
    assert_eq!(fs::metadata(file).unwrap().ino(), number);
    let inode = |part: &str| {
        let file = &tree.queue_files(part)[0];
        fs::metadata(tree.path("queue").join(part).join(file)).unwrap().ino()
    };
    assert_eq!(inode("todo"), inode("intd"));
}

#[test]
fn files_have_their_owners_and_modes() {
    let tree = Tree::under_test();
    let script = "umask 077; printf 'Fa\\0Tb\\0\\0' > e; exec qmail-queue < e 1< e";
    let program = tree.command("/bin/sh").run_as(somebody(&tree)).args(["-c", script]);
    let finished = program.in_directory(tree.scratch()).run();
    assert_eq!(finished.code, Some(0), "{}", finished.errors());
    let queued = tree.only_todo();
    let mess = tree.message_file("mess", queued.number);
    let todo = tree.path("queue/todo").join(&tree.queue_files("todo")[0]);
    for file in [mess, todo] {
        assert_eq!(files::mode(&file), 0o644, "{}", file.display());
        assert_eq!(files::owner(&file).0, tree.accounts().qmailq.uid, "{}", file.display());
    }
}

#[test]
fn the_received_line_says_who_called() {
    let tree = Tree::under_test();
    let uid = somebody(&tree).uid;
    let accounts = tree.accounts().clone();
    let mut table = vec![(somebody(&tree), format!("by uid {uid}"))];
    if !tree.is_single_user() {
        table.push((Identity { uid: 0, gid: 0 }, "by uid 0".to_owned()));
        table.push((accounts.alias, "by alias".to_owned()));
        table.push((accounts.qmaild, "from network".to_owned()));
        table.push((accounts.qmails, "for bounce".to_owned()));
        table.push((accounts.qmailr, format!("by uid {}", accounts.qmailr.uid)));
    }
    for (identity, who) in table {
        let tree = Tree::under_test();
        let finished = tree.queue_as(identity, b"", &envelope("", &[]));
        assert_eq!(finished.code, Some(0));
        let text = tree.only_todo().text();
        let start = format!("Received: (qmail {} invoked ", finished.pid);
        let rest = text.strip_prefix(&start).unwrap_or_else(|| panic!("{text}"));
        let (says, date) = rest.split_once("); ").unwrap();
        if !tree.is_single_user() {
            assert_eq!(says, who);
        }
        let date = date.strip_suffix(" -0000\n").unwrap_or_else(|| panic!("{text}"));
        assert_eq!(date.split(' ').count(), 4, "{date}");
        assert!(!date.starts_with('0'), "{date}");
    }
}

#[test]
fn addresses_may_hold_anything_but_nul() {
    let tree = Tree::under_test();
    let strange = "a b\n\"<>\r\u{1}\u{7f}\u{e9}@@%";
    assert_eq!(code(&tree, &envelope(strange, &[strange, "", "nohost"])), Some(0));
    let queued = tree.only_todo();
    assert_eq!(queued.sender(), strange);
    assert_eq!(queued.recipients(), [strange, "", "nohost"]);
}

#[test]
fn the_special_senders_are_kept() {
    for sender in ["", "#@[]", "list-@here-@[]"] {
        let tree = Tree::under_test();
        assert_eq!(code(&tree, &envelope(sender, &["joe@here"])), Some(0));
        assert_eq!(tree.only_todo().sender(), sender);
    }
}

#[test]
fn no_recipient_and_no_message_are_fine() {
    let tree = Tree::under_test();
    let finished = tree.queue_as(somebody(&tree), b"", &envelope("x@y", &[]));
    assert_eq!(finished.code, Some(0));
    assert_eq!(tree.only_todo().without_received(), "");
}

#[test]
fn every_byte_of_the_message_is_kept() {
    let tree = Tree::under_test();
    let message: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let finished = tree.queue_as(somebody(&tree), &message, &envelope("x@y", &["joe@here"]));
    assert_eq!(finished.code, Some(0));
    assert!(tree.only_todo().message.ends_with(&message));
}

#[test]
fn ten_thousand_recipients_are_kept() {
    let tree = Tree::under_test();
    let recipients: Vec<String> = (0..10_000).map(|n| format!("user{n}@here")).collect();
    let names: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert_eq!(code(&tree, &envelope("x@y", &names)), Some(0));
    assert_eq!(tree.only_todo().recipients(), recipients);
}

#[test]
fn what_follows_the_envelope_is_ignored() {
    let tree = Tree::under_test();
    let mut bytes = envelope("x@y", &["joe@here"]);
    bytes.extend(b"Tjane@here\0rubbish");
    assert_eq!(code(&tree, &bytes), Some(0));
    assert_eq!(tree.only_todo().recipients(), ["joe@here"]);
}

#[test]
fn an_address_of_1002_bytes_is_the_longest() {
    let longest = "x".repeat(1002);
    let longer = "x".repeat(1003);
    let table = [
        (longest.as_str(), longest.as_str(), 0),
        (longer.as_str(), "joe@here", 11),
        ("x@y", longer.as_str(), 11),
    ];
    for (sender, recipient, expected) in table {
        let tree = Tree::under_test();
        assert_eq!(code(&tree, &envelope(sender, &["first", recipient])), Some(expected));
        assert_eq!(tree.todo().len(), usize::from(expected == 0));
    }
}

#[test]
fn a_malformed_envelope_is_91() {
    for bytes in [&b"Tjoe@here\0\0"[..], b"\0", b"x", b"fa\0\0", b"Fa\0Fb\0\0", b"Fa\0Tb\0x\0\0"] {
        let tree = Tree::under_test();
        assert_eq!(code(&tree, bytes), Some(91), "{}", String::from_utf8_lossy(bytes));
        assert_eq!(tree.todo().len(), 0);
    }
}

#[test]
fn an_unfinished_envelope_is_54_and_nothing_stays() {
    for bytes in [&b""[..], b"F", b"Fx@y", b"Fx@y\0", b"Fx@y\0T", b"Fx@y\0Tjoe", b"Fx@y\0Tjoe\0"] {
        let tree = Tree::under_test();
        assert_eq!(code(&tree, bytes), Some(54), "{}", String::from_utf8_lossy(bytes));
        assert!(tree.queue_is_empty());
    }
}

#[test]
fn an_unreadable_message_is_54_and_nothing_stays() {
    let tree = Tree::under_test();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&envelope("x@y", &["joe@here"])).unwrap();
    let directory = fs::File::open(tree.scratch()).unwrap();
    let program = tree.program("qmail-queue").run_as(somebody(&tree));
    let finished = program.stdin_from(directory).stdout_to(reader).run();
    assert_eq!(finished.code, Some(54));
    assert!(tree.queue_is_empty());
}

#[test]
fn a_closed_envelope_descriptor_is_54() {
    let tree = Tree::under_test();
    let program = tree.program("qmail-queue").run_as(somebody(&tree));
    let finished = program.redirected("1>&-").stdin("hi\n").run();
    if tree.is_original() {
        // The message file itself becomes descriptor 1, and is not open for reading; but its
        // litter can stay.
        assert_ne!(finished.code, Some(0));
    } else {
        assert_eq!(finished.code, Some(54));
    }
    assert_eq!(tree.todo().len(), 0);
}

#[test]
fn closed_descriptors_never_queue_anything() {
    for closed in ["0<&-", "0<&- 1>&-", "0<&- 1>&- 2>&-"] {
        let tree = Tree::under_test();
        let program = tree.program("qmail-queue").run_as(somebody(&tree));
        let finished = program.redirected(closed).stdin("hi\n").run();
        assert_ne!(finished.code, Some(0), "{closed}");
        assert_eq!(tree.todo().len(), 0, "{closed}");
    }
}

#[test]
fn without_its_home_or_queue_it_says_61_or_62() {
    let tree = Tree::under_test();
    if !tree.is_single_user() {
        // Only the queue can be missing where the home is where it was built for.
        let queue = tree.path("queue");
        fs::rename(&queue, tree.path("elsewhere")).unwrap();
        assert_eq!(code(&tree, &envelope("x@y", &["joe@here"])), Some(62));
        return;
    }
    fs::rename(tree.path("queue"), tree.path("elsewhere")).unwrap();
    assert_eq!(code(&tree, &envelope("x@y", &["joe@here"])), Some(62));
    let program = tree.program("qmail-queue").env("QMAILHOME", "/nonexistent");
    let (reader, writer) = pipe().unwrap();
    drop(writer);
    assert_eq!(program.stdout_to(reader).run().code, Some(61));
}

#[test]
fn codes_name_the_directory_in_trouble() {
    for (part, expected) in [("pid", 63), ("mess", 64), ("intd", 65), ("todo", 66)] {
        let tree = Tree::under_test();
        let directory = tree.path("queue").join(part);
        fs::rename(&directory, tree.path("queue").join("elsewhere")).unwrap();
        let code = code(&tree, &envelope("x@y", &["joe@here"]));
        // Where the split is read from the queue, a queue without mess is none.
        let no_queue = !tree.is_original() && part == "mess" && code == Some(62);
        assert!(no_queue || code == Some(expected), "{part}: {code:?}");
        if part != "todo" {
            assert_eq!(tree.todo().len(), 0);
        }
    }
}

#[test]
fn a_message_that_does_not_fit_is_53_and_nothing_stays() {
    let tree = Tree::under_test();
    let script = "ulimit -f 100; exec qmail-queue 1< \"$1\"";
    let file = tree.scratch().join("envelope");
    files::write(&file, envelope("x@y", &["joe@here"]));
    let program = tree.command("/bin/sh").run_as(somebody(&tree));
    let program = program.args(["-c", script, "sh"]).arg(&file);
    let finished = program.stdin(vec![b'x'; 1_000_000]).run();
    assert_eq!(finished.code, Some(53), "{}", finished.errors());
    assert!(tree.queue_is_empty());
}

#[test]
fn the_trigger_is_pulled() {
    let tree = Tree::under_test();
    let trigger = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(tree.path("queue/lock/trigger"))
        .unwrap();
    tree.queue("x@y", &["joe@here"], "hi\n");
    let mut byte = [1];
    std::io::Read::read_exact(&mut &trigger, &mut byte).unwrap();
    assert_eq!(byte, [0]);
}

#[test]
fn a_full_or_missing_trigger_does_no_harm() {
    let tree = Tree::under_test();
    fs::remove_file(tree.path("queue/lock/trigger")).unwrap();
    tree.queue("x@y", &["joe@here"], "hi\n");
    assert_eq!(tree.todo().len(), 1);
}

#[test]
fn the_message_is_read_whole_before_the_envelope() {
    let tree = Tree::under_test();
    let (message, mut message_writer) = pipe().unwrap();
    let (addresses, mut address_writer) = pipe().unwrap();
    address_writer.write_all(b"Tno sender before it\0\0").unwrap();
    let program = tree.program("qmail-queue").run_as(somebody(&tree));
    let child = std::thread::scope(|scope| {
        let run = scope.spawn(|| program.stdin_from(message).stdout_to(addresses).run());
        for _ in 0..100 {
            message_writer.write_all(&[b'x'; 10_000]).unwrap();
        }
        qmail_conformance::wait::until("the message file", || {
            let file = tree.queue_files("mess").pop()?;
            let size = fs::metadata(tree.path("queue/mess").join(file)).ok()?.len();
            (size > 990_000).then_some(())
        });
        drop(message_writer);
        drop(address_writer);
        run.join().unwrap()
    });
    assert_eq!(child.code, Some(91));
}

#[test]
fn signals_of_a_terminal_do_not_end_it() {
    use nix::sys::signal::{Signal, kill};
    let tree = Tree::under_test();
    let (addresses, mut address_writer) = pipe().unwrap();
    let program = tree.program("qmail-queue").run_as(somebody(&tree)).stdin("hi\n");
    let finished = std::thread::scope(|scope| {
        let run = scope.spawn(|| program.stdout_to(addresses).run());
        let process = qmail_conformance::wait::until("the message", || {
            let file = tree.queue_files("mess").pop()?;
            let text = fs::read_to_string(tree.path("queue/mess").join(file)).ok()?;
            text.ends_with("hi\n").then_some(())?;
            text.strip_prefix("Received: (qmail ")?.split(' ').next()?.parse().ok()
        });
        for signal in [Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGPIPE] {
            kill(nix::unistd::Pid::from_raw(process), signal).unwrap();
        }
        address_writer.write_all(&envelope("x@y", &["joe@here"])).unwrap();
        drop(address_writer);
        run.join().unwrap()
    });
    assert_eq!((finished.code, finished.signal), (Some(0), None));
    assert_eq!(tree.todo().len(), 1);
}

#[test]
fn its_timer_ends_it_with_52() {
    use nix::sys::signal::{Signal, kill};
    let tree = Tree::under_test();
    let (addresses, address_writer) = pipe().unwrap();
    let program = tree.program("qmail-queue").run_as(somebody(&tree)).stdin("hi\n");
    let finished = std::thread::scope(|scope| {
        let run = scope.spawn(|| program.stdout_to(addresses).run());
        let process = qmail_conformance::wait::until("the message", || {
            let file = tree.queue_files("mess").pop()?;
            let text = fs::read_to_string(tree.path("queue/mess").join(file)).ok()?;
            text.strip_prefix("Received: (qmail ")?.split(' ').next()?.parse().ok()
        });
        kill(nix::unistd::Pid::from_raw(process), Signal::SIGALRM).unwrap();
        run.join().unwrap()
    });
    drop(address_writer);
    assert_eq!(finished.code, Some(52));
    assert_eq!(tree.todo().len(), 0);
}

#[test]
fn the_queue_is_closed_to_everybody_else() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    tree.queue("x@y", &["joe@here"], "secret\n");
    let queue = tree.home().join("queue");
    for command in ["ls", "cat", "find"] {
        let program = tree.command(format!("/usr/bin/{command}")).run_as(somebody(&tree));
        let finished = program.arg(&queue).run();
        assert_ne!(finished.code, Some(0), "{command}: {}", finished.text());
    }
}

#[test]
fn a_caller_cannot_name_another_home() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) {
        return;
    }
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&envelope("x@y", &["joe@here"])).unwrap();
    drop(writer);
    let program = tree.program("qmail-queue").run_as(somebody(&tree));
    let program = program.env("QMAILHOME", "/nonexistent").stdout_to(reader);
    assert_eq!(program.stdin("hi\n").run().code, Some(0));
    assert_eq!(tree.todo().len(), 1);
}

#[test]
fn the_directories_have_their_owners_and_modes() {
    let tree = Tree::under_test();
    let accounts = tree.accounts();
    let (queue, send) = (accounts.qmailq.uid, accounts.qmails.uid);
    let table = [
        ("", queue, 0o750),
        ("pid", queue, 0o700),
        ("intd", queue, 0o700),
        ("todo", queue, 0o750),
        ("bounce", send, 0o700),
        ("mess", queue, 0o750),
        ("mess/0", queue, 0o750),
        ("info", send, 0o700),
        ("info/0", send, 0o700),
        ("local", send, 0o700),
        ("local/0", send, 0o700),
        ("remote", send, 0o700),
        ("remote/0", send, 0o700),
        ("lock", queue, 0o750),
        ("lock/sendmutex", send, 0o600),
        ("lock/tcpto", accounts.qmailr.uid, 0o644),
        ("lock/trigger", send, 0o622),
    ];
    for (part, owner, mode) in table {
        let path = tree.path("queue").join(part);
        assert_eq!(files::mode(&path), mode, "{part}");
        assert_eq!(files::owner(&path), (owner, accounts.qmailq.gid), "{part}");
    }
    assert_eq!(fs::metadata(tree.path("queue/lock/tcpto")).unwrap().len(), 1024);
}
