//! qmail-local: instructions, and what is done with the mail.

use std::fs;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use qmail_conformance::local::Delivery;
use qmail_conformance::process::Finished;
use qmail_conformance::user::User;
use qmail_conformance::{Tree, files, wait};

/// Delivers a short message to joe, whose instructions these are.
fn deliver(instructions: &str) -> (Tree, User, Finished) {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", instructions);
    let finished = tree.deliver(&joe, &Delivery::to(&joe));
    (tree, joe, finished)
}

/// Exit code and all output of a delivery with these instructions.
fn outcome(instructions: &str) -> (Option<i32>, String) {
    let (_, _, finished) = deliver(instructions);
    (finished.code, finished.said())
}

fn done(files: u32, forwards: u32, programs: u32) -> (Option<i32>, String) {
    (Some(0), format!("did {files}+{forwards}+{programs}\n"))
}

/// Whether the first line of an mbox is as it should be for this sender.
fn is_from_line(line: &str, sender: &str) -> bool {
    let Some(date) = line.strip_prefix(&format!("From {sender} ")) else { return false };
    let fields: Vec<&str> = date.split(' ').collect();
    let [weekday, month, day, time, year] = fields[..] else { return false };
    "Mon Tue Wed Thu Fri Sat Sun".split(' ').any(|name| name == weekday)
        && "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(' ').any(|name| name == month)
        && day.len() == 2
        && day.parse::<u8>().is_ok()
        && time.len() == 8
        && year.len() == 4
}

#[test]
fn an_mbox_gets_its_lines_and_quoted_text() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./mbox\n");
    let mut delivery = Delivery::to(&joe);
    delivery.message =
        b"From me\nSubject: x\n\n>From you\n>>>From us\n >From\nFrom\nFromage\n>x\nlast".to_vec();
    let finished = tree.deliver(&joe, &delivery);
    assert_eq!((finished.code, finished.said()), done(1, 0, 0));
    let mbox = joe.read("mbox");
    let (first, rest) = mbox.split_once('\n').unwrap();
    assert!(is_from_line(first, "sender@far.example"), "{first:?}");
    assert_eq!(
        rest,
        "Return-Path: <sender@far.example>\nDelivered-To: joe@test.example\n>From me\n\
         Subject: x\n\n>>From you\n>>>>From us\n >From\nFrom\nFromage\n>x\nlast\n\n"
    );
    assert_eq!(files::mode(&joe.home().join("mbox")), 0o600);
}

#[test]
fn an_mbox_is_appended_to() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./mbox\n");
    joe.write("mbox", "what was there\n");
    assert_eq!(tree.deliver(&joe, &Delivery::to(&joe)).code, Some(0));
    let mbox = joe.read("mbox");
    assert!(mbox.starts_with("what was there\nFrom sender@far.example "), "{mbox}");
    assert!(mbox.ends_with("\nSubject: hello\n\nHi.\n\n"), "{mbox}");
}

#[test]
fn an_mbox_in_use_is_waited_for() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./mbox\n");
    joe.write("mbox", "");
    let file = fs::File::options().append(true).open(joe.home().join("mbox")).unwrap();
    let lock = Flock::lock(file, FlockArg::LockExclusive).unwrap();
    let delivery = Delivery::to(&joe);
    let mut conversation = tree.local_program(&joe, &delivery).converse();
    assert!(conversation.is_silent_for(Duration::from_millis(500)));
    assert_eq!(joe.read("mbox"), "");
    drop(lock);
    assert_eq!((conversation.end(), conversation.rest()), (Some(0), b"did 1+0+0\n".to_vec()));
}

#[test]
fn an_mbox_locked_for_30_seconds_is_tried_later() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./mbox\n");
    joe.write("mbox", "");
    let file = fs::File::options().append(true).open(joe.home().join("mbox")).unwrap();
    let _lock = Flock::lock(file, FlockArg::LockExclusive).unwrap();
    let finished = tree.deliver(&joe, &Delivery::to(&joe));
    let text = "File has been locked for 30 seconds straight. (#4.3.0)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
    assert_eq!(joe.read("mbox"), "");
}

#[test]
fn an_mbox_that_cannot_be_written_is_tried_later() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./mbox\n");
    joe.make_directory("mbox");
    let finished = tree.deliver(&joe, &Delivery::to(&joe));
    let text = "Unable to open ./mbox: is a directory. (#4.2.1)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
}

#[test]
fn a_message_that_does_not_fit_is_taken_out_of_the_mbox_again() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./mbox\n");
    joe.write("mbox", "what was there\n");
    let mut delivery = Delivery::to(&joe);
    delivery.message = [b"Subject: big\n\n".to_vec(), vec![b'x'; 300_000]].concat();
    files::write(&tree.scratch().join("big"), &delivery.message);
    let script = "trap '' XFSZ; ulimit -f 200; exec \"$@\" < \"$0\"";
    let big = tree.scratch().join("big");
    let program = tree.command("/bin/sh").run_as(joe.identity()).arg("-c").arg(script).arg(big);
    let program = program.arg(tree.home().join("bin/qmail-local")).arg("--").arg(joe.name());
    let program = program.arg(joe.home()).args(["joe", "", "", "test.example", "s@far", "./x"]);
    let finished = program.run();
    assert_eq!(finished.code, Some(111), "{}", finished.said());
    let start = "Unable to write ./mbox: ";
    assert!(finished.said().starts_with(start), "{}", finished.said());
    assert_eq!(joe.read("mbox"), "what was there\n");
}

#[test]
fn a_maildir_gets_the_message_as_it_is() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./Maildir/\n");
    let maildir = joe.make_maildir("Maildir");
    let mut delivery = Delivery::to(&joe);
    delivery.message = b"From me\nSubject: x\n\nFrom you\n>From us\nlast\0".to_vec();
    let finished = tree.deliver(&joe, &delivery);
    assert_eq!((finished.code, finished.said()), done(1, 0, 0));
    assert_eq!(
        maildir.only(),
        "Return-Path: <sender@far.example>\nDelivered-To: joe@test.example\n\
         From me\nSubject: x\n\nFrom you\n>From us\nlast\0"
    );
    assert_eq!(maildir.names("tmp"), [""; 0]);
    let name = &maildir.names("new")[0];
    let parts: Vec<&str> = name.splitn(3, '.').collect();
    assert!(parts[0].parse::<u64>().unwrap() > 1_700_000_000, "{name}");
    assert!(parts.len() == 3 && !name.contains([':', '/']), "{name}");
    assert_eq!(files::mode(&maildir.path().join("new").join(name)), 0o600);
}

#[test]
fn a_maildir_that_is_not_there_is_waited_for() {
    let expected = (Some(111), "Unable to chdir to maildir. (#4.2.1)\n".to_owned());
    assert_eq!(outcome("./Maildir/\n"), expected);
}

#[test]
fn a_maildir_that_others_read_need_not_be_listed() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./Maildir/\n");
    let maildir = joe.make_maildir("Maildir");
    let new = maildir.path().join("new");
    files::set_mode(&new, 0o300);
    let finished = tree.deliver(&joe, &Delivery::to(&joe));
    files::set_mode(&new, 0o700);
    assert_eq!((finished.code, finished.said()), done(1, 0, 0));
    assert!(maildir.only().ends_with("\nSubject: hello\n\nHi.\n"));
    assert_eq!(maildir.names("tmp"), [""; 0]);
}

#[test]
fn a_broken_maildir_is_a_temporary_error() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./Maildir/\n");
    let maildir = joe.make_maildir("Maildir");
    fs::remove_dir(maildir.path().join("new")).unwrap();
    let finished = tree.deliver(&joe, &Delivery::to(&joe));
    let text = "Temporary error on maildir delivery. (#4.3.0)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
    assert_eq!(maildir.names("tmp"), [""; 0]);
}

#[test]
fn generated_lines_are_one_line_each_and_quoted() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./Maildir/\n./mbox\n");
    let maildir = joe.make_maildir("Maildir");
    let mut delivery = Delivery::to(&joe);
    delivery.sender = "a \"b\n@x\ny".into();
    delivery.local = "Joe\nx".into();
    delivery.domain = "Test.Example".into();
    assert_eq!(tree.deliver(&joe, &delivery).code, Some(0));
    let message = maildir.only();
    let start = "Return-Path: <\"a \\\"b\\_\"@x_y>\nDelivered-To: Joe_x@Test.Example\nSubject";
    assert!(message.starts_with(start), "{message:?}");
    let mbox = joe.read("mbox");
    assert!(is_from_line(mbox.lines().next().unwrap(), "a-\"b-@x-y"), "{mbox}");
}

#[test]
fn senders_are_quoted_where_they_need_it() {
    let table = [
        ("", "<>"),
        ("#@[]", "<#@[]>"),
        ("joe", "<joe>"),
        ("a.b@c", "<a.b@c>"),
        (".a@c", "<\".a\"@c>"),
        ("a.@c", "<\"a.\"@c>"),
        ("a..b@c", "<\"a..b\"@c>"),
        ("@c", "<\"\"@c>"),
        ("a b@c d", "<\"a b\"@c d>"),
        ("a\\b@c", "<\"a\\\\b\"@c>"),
        ("a@b@c", "<\"a@b\"@c>"),
        ("!#$%&'*+-/09=?AZ^_`az{|}~@c", "<!#$%&'*+-/09=?AZ^_`az{|}~@c>"),
        ("a,b@c", "<\"a,b\"@c>"),
        ("\u{e9}@c", "<\"\u{e9}\"@c>"),
    ];
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|printf '%s' \"$RPLINE\"\n");
    for (sender, path) in table {
        let mut delivery = Delivery::to(&joe);
        delivery.sender = sender.into();
        let text = tree.deliver(&joe, &delivery).text();
        assert_eq!(text, format!("Return-Path: {path}\ndid 0+0+1\n"), "{sender:?}");
    }
}

#[test]
fn without_instructions_the_default_delivery_is_made() {
    for instructions in [None, Some("")] {
        let tree = Tree::under_test();
        let joe = tree.user("joe");
        if let Some(text) = instructions {
            joe.write(".qmail", text);
            // The x bit of an empty file does not count.
            files::set_mode(&joe.home().join(".qmail"), 0o744);
        }
        let mut delivery = Delivery::to(&joe);
        delivery.default_delivery = "#comment\n./default-mbox\n|exit 0".to_owned();
        let finished = tree.deliver(&joe, &delivery);
        assert_eq!((finished.code, finished.said()), done(1, 0, 1), "{instructions:?}");
        assert!(joe.read("default-mbox").starts_with("From sender@far.example "));
    }
}

#[test]
fn instructions_without_a_delivery_discard() {
    assert_eq!(outcome("#./mbox\n"), done(0, 0, 0));
    assert_eq!(outcome("# x\n\n+other\n\n"), done(0, 0, 0));
}

#[test]
fn a_blank_first_line_is_a_mistake() {
    let expected = (Some(111), "Uh-oh: first line of .qmail file is blank. (#4.2.1)\n".to_owned());
    for instructions in ["\n./mbox\n", " \t\n./mbox\n", "\t\t\t\n", " "] {
        assert_eq!(outcome(instructions), expected, "{instructions:?}");
    }
}

#[test]
fn other_blank_lines_and_blanks_at_line_ends_do_not_count() {
    let (_tree, joe, finished) = deliver("./mbox \t \n\n \t \n\t\n|exit 0\t");
    assert_eq!((finished.code, finished.said()), done(1, 0, 1));
    assert!(joe.home().join("mbox").exists());
}

#[test]
fn an_absolute_path_is_a_file_too() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let mbox = joe.home().join("absolute");
    joe.write(".qmail", format!("{}\n", mbox.display()));
    assert_eq!(tree.deliver(&joe, &Delivery::to(&joe)).text(), "did 1+0+0\n");
    assert!(mbox.exists());
}

#[test]
fn exit_codes_of_programs_decide() {
    let table = [
        (0, Some(0), "did 0+0+2\n"),
        (99, Some(0), "did 0+0+1\n"),
        (100, Some(100), ""),
        (64, Some(100), ""),
        (65, Some(100), ""),
        (70, Some(100), ""),
        (76, Some(100), ""),
        (77, Some(100), ""),
        (78, Some(100), ""),
        (112, Some(100), ""),
        (111, Some(111), ""),
        (1, Some(111), ""),
        (63, Some(111), ""),
        (66, Some(111), ""),
        (71, Some(111), ""),
        (75, Some(111), ""),
        (98, Some(111), ""),
        (113, Some(111), ""),
        (127, Some(111), ""),
        (255, Some(111), ""),
    ];
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    for (code, expected, text) in table {
        joe.write(".qmail", format!("|exit {code}\n|true\n"));
        let finished = tree.deliver(&joe, &Delivery::to(&joe));
        assert_eq!((finished.code, finished.said().as_str()), (expected, text), "{code}");
    }
}

#[test]
fn a_crashing_program_is_tried_again() {
    let expected = (Some(111), "Aack, child crashed. (#4.3.0)\n".to_owned());
    assert_eq!(outcome("|kill -9 $$\n"), expected);
}

#[test]
fn a_program_has_the_message_home_and_a_broken_pipe_kills_it() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|cat > first\n|head -c 3 > x\n|cat > second; pwd\n|yes | head -1\n");
    let finished = tree.deliver(&joe, &Delivery::to(&joe));
    let home = joe.home().display();
    assert_eq!(finished.said(), format!("{home}\ny\ndid 0+0+4\n"));
    assert_eq!(joe.read("first"), "Subject: hello\n\nHi.\n");
    assert_eq!(joe.read("second"), "Subject: hello\n\nHi.\n");
    assert_eq!(finished.errors(), "", "yes complained of a broken pipe");
}

#[test]
fn output_of_programs_comes_before_the_counts() {
    let (_, _, finished) = deliver("|echo out; echo err >&2\n");
    assert_eq!(finished.text(), "out\ndid 0+0+1\n");
    assert_eq!(finished.errors(), "err\n");
}

#[test]
fn the_first_failure_ends_everything_and_nothing_is_forwarded() {
    let (tree, joe, finished) = deliver("./mbox\n&jane@test.example\n|exit 100\n|touch late\n");
    assert_eq!((finished.code, finished.said()), (Some(100), String::new()));
    assert!(joe.home().join("mbox").exists());
    assert!(!joe.home().join("late").exists());
    assert_eq!(tree.queued(), 0);
}

#[test]
fn exit_99_stops_but_forwards_what_came_before() {
    let (tree, joe, finished) = deliver("&jane@test.example\n|exit 99\n&never@x\n./mbox\n");
    let queued = tree.only_todo();
    let process = &queued.records(b'p')[0];
    assert_eq!(finished.said(), format!("did 0+1+1\nqp {process}\n"));
    assert_eq!(queued.recipients(), ["jane@test.example"]);
    assert!(!joe.home().join("mbox").exists());
}

#[test]
fn forwards_go_out_as_one_message() {
    let (tree, _, finished) =
        deliver("&jane@test.example\nplain@test.example\n&nohost\n& a@b\n leading@x\n&\n#c\n");
    assert_eq!(finished.code, Some(0));
    assert!(finished.said().starts_with("did 0+6+0\nqp "), "{}", finished.said());
    let queued = tree.only_todo();
    assert_eq!(queued.sender(), "sender@far.example");
    let expected = ["jane@test.example", "plain@test.example", "nohost", " a@b", " leading@x", ""];
    assert_eq!(queued.recipients(), expected);
    let message = "Delivered-To: joe@test.example\nSubject: hello\n\nHi.\n";
    assert_eq!(queued.without_received(), message);
}

#[test]
fn a_queue_that_refuses_a_forward_decides_what_becomes_of_it() {
    let table = [
        (
            31,
            100,
            "Unable to forward message: mail server permanently rejected message (#5.3.0).\n",
        ),
        (53, 111, "Unable to forward message: qq write error or disk full (#4.3.0).\n"),
        (11, 100, "Unable to forward message: envelope address too long for qq (#5.1.3).\n"),
    ];
    for (code, expected, text) in table {
        let tree = Tree::under_test();
        let joe = tree.user("joe");
        joe.write(".qmail", "&jane@test.example\n");
        let script = tree.scratch().join("queue-program");
        files::write_script(&script, &format!("cat > /dev/null\ncat <&1 >/dev/null\nexit {code}"));
        let delivery = Delivery::to(&joe);
        let program = tree.local_program(&joe, &delivery).env("QMAILQUEUE", script);
        let finished = program.run();
        assert_eq!((finished.code, finished.said().as_str()), (Some(expected), text));
    }
}

#[test]
fn the_x_bit_and_list_forbid_files_and_programs() {
    let file = "Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)\n";
    let program = "Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n";
    let table = [
        (0o744, "./mbox\n", file),
        (0o744, "./Maildir/\n", file),
        (0o744, "|exit 0\n", program),
        (0o644, "+list\n./mbox\n", file),
        (0o644, "+list\n|exit 0\n", program),
        (0o644, "|exit 0\n+list\n|exit 0\n", program),
    ];
    for (mode, instructions, text) in table {
        let tree = Tree::under_test();
        let joe = tree.user("joe");
        joe.write(".qmail", instructions);
        files::set_mode(&joe.home().join(".qmail"), mode);
        let finished = tree.deliver(&joe, &Delivery::to(&joe));
        assert_eq!((finished.code, finished.said().as_str()), (Some(111), text), "{instructions}");
    }
}

#[test]
fn the_x_bit_allows_forwards_and_near_misses_of_list_mean_nothing() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "&jane@test.example\n");
    files::set_mode(&joe.home().join(".qmail"), 0o744);
    assert_eq!(tree.deliver(&joe, &Delivery::to(&joe)).code, Some(0));
    for near in ["+lists", "+List", "+", "+ list"] {
        assert_eq!(outcome(&format!("{near}\n|exit 0\n")), done(0, 0, 1), "{near}");
    }
    assert_eq!(outcome("+list \t\n|exit 0\n").0, Some(111));
}

#[test]
fn a_message_that_was_here_before_is_looping() {
    let text = "This message is looping: it already has my Delivered-To line. (#5.4.6)\n";
    let table: [(&str, bool); 6] = [
        ("Delivered-To: joe@test.example\n\nx\n", true),
        ("Subject: y\nDelivered-To: joe@test.example\nX: z\n", true),
        ("Delivered-To: joe@test.example2\n\nx\n", false),
        ("delivered-to: joe@test.example\n\nx\n", false),
        ("Subject: x\n\nDelivered-To: joe@test.example\n", false),
        ("Delivered-To:\n joe@test.example\n\nx\n", false),
    ];
    for (message, loops) in table {
        let tree = Tree::under_test();
        let joe = tree.user("joe");
        joe.write(".qmail", "|exit 0\n");
        let mut delivery = Delivery::to(&joe);
        delivery.message = message.as_bytes().to_vec();
        let finished = tree.deliver(&joe, &delivery);
        let expected = if loops { (Some(100), text.to_owned()) } else { done(0, 0, 1) };
        assert_eq!((finished.code, finished.said()), expected, "{message:?}");
    }
}

#[test]
fn describing_tells_what_would_be_done() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let instructions = "./mbox \n./Maildir/\n|cat > x\n&a@b\nc@d\n# no\n+list\n";
    joe.write(".qmail", instructions);
    let mut delivery = Delivery::to(&joe);
    delivery.options = vec!["-n".to_owned(), "--".to_owned()];
    delivery.message = b"Delivered-To: joe@test.example\n\n".to_vec();
    let finished = tree.deliver(&joe, &delivery);
    let text = "mbox ./mbox\nmaildir ./Maildir/\nprogram cat > x\nforward a@b\nforward c@d\n\
                did 2+2+1\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(0), text));
    assert!(!joe.home().join("mbox").exists());
    assert_eq!(tree.queued(), 0);
}

#[test]
fn a_writable_home_or_file_is_not_trusted() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|exit 0\n");
    let mut outcomes = Vec::new();
    for (home, file) in [(0o757, 0o644), (0o755, 0o646), (0o775, 0o664)] {
        files::set_mode(joe.home(), home);
        files::set_mode(&joe.home().join(".qmail"), file);
        let finished = tree.deliver(&joe, &Delivery::to(&joe));
        outcomes.push((finished.code, finished.said()));
    }
    files::set_mode(joe.home(), 0o755);
    let expected = [
        (Some(111), "Uh-oh: home directory is writable. (#4.7.0)\n".to_owned()),
        (Some(111), "Uh-oh: .qmail file is writable. (#4.7.0)\n".to_owned()),
        done(0, 0, 1),
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn a_sticky_home_holds_the_mail() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "|exit 0\n");
    files::set_mode(joe.home(), 0o1755);
    let finished = tree.deliver(&joe, &Delivery::to(&joe));
    let text = "Home directory is sticky: user is editing his .qmail file. (#4.2.1)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
    let mut delivery = Delivery::to(&joe);
    delivery.options = vec!["-n".to_owned()];
    let finished = tree.deliver(&joe, &delivery);
    assert_eq!((finished.code, finished.text().as_str()), (Some(0), "program exit 0\ndid 0+0+1\n"));
    assert_eq!(finished.errors(), "Warning: home directory is sticky.\n");
    files::set_mode(joe.home(), 0o755);
}

#[test]
fn a_missing_home_is_waited_for() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let mut delivery = Delivery::to(&joe);
    delivery.home = "/nonexistent/home".into();
    let finished = tree.deliver(&joe, &delivery);
    let text = "Unable to switch to /nonexistent/home: file does not exist. (#4.3.0)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
}

#[test]
fn wrong_arguments_are_100() {
    let tree = Tree::under_test();
    let usage = "usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty\n";
    let arguments: [&[&str]; 4] = [
        &[],
        &["joe", "/", "joe", "", "", "x", "s"],
        &["joe", "relative", "joe", "", "", "x", "s", "./m"],
        &["-z", "joe", "/", "joe", "", "", "x", "s", "./m"],
    ];
    for words in arguments {
        let finished = tree.program("qmail-local").args(words.iter().copied()).run();
        let said = finished.said();
        assert_eq!(finished.code, Some(100), "{words:?}: {said}");
        assert!(said.ends_with(usage), "{words:?}: {said}");
    }
}

#[test]
fn a_nul_in_the_instructions_never_runs_half_a_line() {
    let (tree, joe, finished) = deliver("|touch one\0; touch two\n./mbox\0x\n");
    // The line ends there, or is tried later.
    assert!(matches!(finished.code, Some(0 | 111)), "{}", finished.said());
    assert!(!joe.home().join("two").exists());
    assert!(!joe.home().join("mboxx").exists());
    drop(tree);
}

#[test]
fn a_second_delivery_waits_for_nobody() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    joe.write(".qmail", "./Maildir/\n");
    let maildir = joe.make_maildir("Maildir");
    for _ in 0..5 {
        assert_eq!(tree.deliver(&joe, &Delivery::to(&joe)).code, Some(0));
    }
    assert_eq!(wait::until("five", || Some(maildir.messages().len())), 5);
}
