//! qmail-lspawn: whose mail it is, and what becomes of it.

use std::collections::BTreeSet;
use std::fs;

use qmail_conformance::spawner::Spawner;
use qmail_conformance::{Tree, cdb, files, wait};

const DONE: &str = "did 0+0+1\n";

/// A message, and the qmail-lspawn that is told to deliver it.
struct Mail {
    lspawn: Spawner,
    message: String,
}

impl Mail {
    fn of(tree: &Tree) -> Self {
        Self { lspawn: tree.lspawn(), message: tree.spawnable("hi\n") }
    }

    /// The report on its delivery to somebody.
    fn to(&mut self, recipient: &str) -> String {
        self.lspawn.deliver(&self.message, "a@b", recipient)
    }
}

/// The record of an assignment.
fn fields(user: &str, ids: (&str, &str), home: &str, dash: &str, extension: &str) -> Vec<u8> {
    [user, ids.0, ids.1, home, dash, extension].join("\0").into_bytes()
}

#[test]
fn a_delivery_runs_as_the_user_with_his_group_only() {
    let Some(tree) = Tree::of_root() else { return };
    let joe = tree.user("joe");
    joe.instruct("", "|id -u; id -g; id -G; pwd\n");
    let said = Mail::of(&tree).to("joe@test.example");
    let (uid, gid) = (joe.identity().uid, joe.identity().gid);
    let home = joe.home().display();
    assert_eq!(said, format!("K{uid}\n{gid}\n{gid}\n{home}\n{DONE}"));
}

#[test]
fn mail_for_nobody_is_for_alias() {
    let tree = Tree::under_test();
    let other = tree.alias("other");
    other.instruct("", "|echo \"$LOCAL $EXT $USER\"\n");
    let mut mail = Mail::of(&tree);
    let said = mail.to("Other@test.example");
    let user = if tree.is_single_user() { "" } else { " alias" };
    assert!(said.starts_with(&format!("KOther Other{user}")), "{said}");
    let nobody = "DSorry, no mailbox here by that name. (#5.1.1)\n";
    assert_eq!(mail.to("nobody@test.example"), nobody);
}

#[test]
fn the_arguments_of_qmail_local_are_as_agreed() {
    let Some(tree) = Tree::of_root() else { return };
    let joe = tree.user("joe");
    let message = tree.spawnable("hi\n");
    tree.replace_program("qmail-local", "printf '<%s>' \"$@\"; exit 0");
    let mut lspawn = tree.lspawn();
    let home = joe.home().display();
    let said = lspawn.deliver(&message, "a b@c", "Joe-X.y@z@Test.Example");
    let alias = tree.home().join("alias");
    // Split at the last @: so the user is not joe, but joe-x.y@z.
    let expected =
        format!("K<--><joe><{home}><Joe-X.y@z><-><X.y@z><Test.Example><a b@c><./Maildir/>");
    assert_eq!(said, expected);
    let said = lspawn.deliver(&message, "", "Nobody@x");
    let alias = alias.display();
    assert_eq!(said, format!("K<--><alias><{alias}><Nobody><-><Nobody><x><><./Maildir/>"));
}

#[test]
fn assignments_come_before_accounts() {
    let Some(tree) = Tree::of_root() else { return };
    let joe = tree.user("joe");
    let (uid, gid) = (joe.identity().uid.to_string(), joe.identity().gid.to_string());
    let ids = (uid.as_str(), gid.as_str());
    let data = |user: &str, dash: &str, extension: &str| fields(user, ids, "/", dash, extension);
    let exact = data("exact", "-", "ext");
    let lists = data("lists", "-", "l-");
    let prefix = data("prefix", "+", "");
    let plus = data("plus", "", "p");
    let all = data("all", "-", "a-");
    let database = cdb::make(&[
        (b"!jane\0", &exact),
        (b"!lists-", &lists),
        (b"!lists-sub-", &prefix),
        (b"!x+", &plus),
        (b"!lists", &all),
        (b"!", &all),
        (b"", b"-+"),
    ]);
    files::write(&tree.path("users/cdb"), database);
    tree.replace_program("qmail-local", "printf '<%s>' \"$2\" \"$4\" \"$5\" \"$6\"; exit 0");
    let mut mail = Mail::of(&tree);
    let table = [
        ("Jane", "<exact><Jane><-><ext>"),
        ("jane-x", "<all><jane-x><-><a-jane-x>"),
        ("Lists-A-B", "<lists><Lists-A-B><-><l-A-B>"),
        ("lists-", "<lists><lists-><-><l->"),
        ("lists-SUB-x", "<prefix><lists-SUB-x><+><x>"),
        ("lists-sub", "<lists><lists-sub><-><l-sub>"),
        ("listsx", "<all><listsx><-><a-listsx>"),
        ("x+y", "<plus><x+y><><py>"),
        ("joe", "<all><joe><-><a-joe>"),
    ];
    for (local, expected) in table {
        let said = mail.to(&format!("{local}@test.example"));
        assert_eq!(said, format!("K{expected}"), "{local}");
    }
}

#[test]
fn newu_makes_the_assignments_that_lspawn_reads() {
    let Some(tree) = Tree::of_root() else { return };
    let joe = tree.user("joe");
    let (uid, gid, home) = (joe.identity().uid, joe.identity().gid, joe.home().display());
    let assign = format!(
        "=Shop:one:{uid}:{gid}:{home}:::\n+shop-:two:{uid}:{gid}:{home}:-:s-:\n\
         +:three:{uid}:{gid}:{home}:-:c-:\n.\n"
    );
    files::write(&tree.path("users/assign"), assign);
    let made = tree.program("qmail-newu").run();
    assert_eq!((made.code, made.said()), (Some(0), String::new()));
    assert_eq!(files::mode(&tree.path("users/cdb")), 0o644);
    tree.replace_program("qmail-local", "printf '<%s>' \"$2\" \"$6\"; exit 0");
    let mut mail = Mail::of(&tree);
    for (local, said) in
        [("shop", "K<one><>"), ("shop-X", "K<two><s-X>"), ("other", "K<three><c-other>")]
    {
        assert_eq!(mail.to(&format!("{local}@x")), said);
    }
}

#[test]
fn without_an_assignment_the_account_is_looked_up() {
    let Some(tree) = Tree::of_root() else { return };
    tree.user("joe").instruct("", "|echo account\n");
    files::write(&tree.path("users/cdb"), cdb::make(&[(b"", b"")]));
    let said = Mail::of(&tree).to("joe@test.example");
    assert_eq!(said, format!("Kaccount\n{DONE}"));
}

#[test]
fn damaged_assignments_hold_all_mail() {
    let tree = Tree::under_test();
    let whole = cdb::make(&[(b"!jane\0", b"x"), (b"", b"-")]);
    let mut wild = whole.clone();
    wild[2048..2056].fill(0xff);
    let mut far = whole.clone();
    for header in far[..2048].chunks_mut(8) {
        header.copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0]);
    }
    let files: [&[u8]; 6] =
        [b"", b"short", &whole[..2048], &cdb::make(&[(b"!jane\0", b"x")]), &wild, &far];
    let mut mail = Mail::of(&tree);
    for (number, content) in files.iter().enumerate() {
        files::write(&tree.path("users/cdb"), content);
        let said = mail.to("jane@test.example");
        if number == 4 && tree.is_original() {
            // Lengths of records are not checked against the file before memory is asked for.
            assert!(said.starts_with('Z'), "{said}");
            continue;
        }
        assert_eq!(said, "ZTrouble reading users/cdb in qmail-lspawn.\n", "case {number}");
    }
}

#[test]
fn malformed_assignments_deliver_nothing() {
    let Some(tree) = Tree::of_root() else { return };
    tree.replace_program("qmail-local", "echo delivered; id -u; id -g");
    let mut mail = Mail::of(&tree);
    let records: [&[u8]; 6] = [
        b"",
        b"joe",
        b"joe\x007801",
        b"joe\x007801\x007801",
        b"joe\x007801\x007801\0/",
        b"joe\x007801\x007801\0/\0-",
    ];
    for record in records {
        files::write(&tree.path("users/cdb"), cdb::make(&[(b"!jane\0", record), (b"", b"-")]));
        let said = mail.to("jane@test.example");
        let shown = String::from_utf8_lossy(record);
        assert!(said.starts_with('Z'), "{shown:?}: {said}");
    }
}

#[test]
fn nothing_is_ever_delivered_as_root() {
    let Some(tree) = Tree::of_root() else { return };
    tree.replace_program("qmail-local", "echo delivered; id -u; id -g");
    let mut mail = Mail::of(&tree);
    for uid in ["0", "root", "", "00", "-1", "4294967296"] {
        let record = fields("root", (uid, "7801"), "/", "", "");
        files::write(&tree.path("users/cdb"), cdb::make(&[(b"!jane\0", &record), (b"", b"-")]));
        let said = mail.to("jane@test.example");
        assert!(said.starts_with('Z'), "{uid}: {said}");
        if uid == "0" {
            assert_eq!(said, "ZNot allowed to perform deliveries as root.\n");
        }
    }
}

#[test]
fn a_group_that_is_no_number_is_not_group_0() {
    let Some(tree) = Tree::of_root() else { return };
    if tree.is_original() {
        // It is: whatever is no number is 0.
        return;
    }
    tree.replace_program("qmail-local", "echo delivered; id -g");
    let mut mail = Mail::of(&tree);
    for gid in ["staff", "", "x1"] {
        let record = fields("joe", ("7801", gid), "/", "", "");
        files::write(&tree.path("users/cdb"), cdb::make(&[(b"!jane\0", &record), (b"", b"-")]));
        let said = mail.to("jane@test.example");
        assert_eq!(said, "ZInternal qmail-lspawn bug.\n", "{gid}");
    }
}

#[test]
fn exit_codes_of_qmail_local_become_reports() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let table = [
        (0, "Ksaid\n"),
        (71, "Zsaid\n"),
        (74, "Zsaid\n"),
        (75, "Zsaid\n"),
        (111, "Zsaid\n"),
        (100, "Dsaid\n"),
        (1, "Dsaid\n"),
        (99, "Dsaid\n"),
        (112, "ZInternal qmail-lspawn bug.\n"),
        (113, "ZNot allowed to perform deliveries as root.\n"),
        (115, "ZNFS failure in qmail-local.\n"),
        (116, "ZUnable to find alias user!\n"),
        (117, "ZTrouble reading users/cdb in qmail-lspawn.\n"),
        (118, "ZTemporary failure in qmail-lspawn.\n"),
        (119, "ZOut of memory in qmail-lspawn.\n"),
        (120, "ZUnable to run qmail-local.\n"),
        (121, "ZUnable to run qmail-getpw.\n"),
        (126, "DUnable to run qmail-local.\n"),
    ];
    let code = tree.scratch().join("code");
    tree.replace_program("qmail-local", &format!("echo said; exit $(cat {})", code.display()));
    let mut mail = Mail::of(&tree);
    for (number, report) in table {
        files::write(&code, number.to_string());
        assert_eq!(mail.to(&joe.address()), report, "{number}");
    }
}

#[test]
fn a_crash_of_qmail_local_is_tried_again() {
    let tree = Tree::under_test();
    tree.replace_program("qmail-local", "echo said; kill -9 $$");
    let said = Mail::of(&tree).to("joe@test.example");
    assert_eq!(said, "Zqmail-local crashed.\n");
}

#[test]
fn a_program_that_is_not_there_is_not_run() {
    let tree = Tree::under_test();
    tree.replace_program("qmail-local", "exit 0");
    if !tree.is_single_user() {
        files::set_mode(&tree.scratch().join("qmail-local"), 0o644);
        let said = Mail::of(&tree).to("joe@test.example");
        assert_eq!(said, "DUnable to run qmail-local.\n");
    }
}

#[test]
fn too_long_a_report_is_cut() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|yes 0123456789 | head -c 100000\n");
    let said = Mail::of(&tree).to("joe@test.example");
    assert_eq!(said.len(), 1 + 2997);
    assert!(said.starts_with("K0123456789\n"), "{said}");
    assert!(said.ends_with("\nError report too long, sorry.\n"), "{said}");
}

#[test]
fn a_report_ends_at_its_first_nul() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|printf 'a\\0b'; exit 100\n");
    let mut mail = Mail::of(&tree);
    assert_eq!(mail.to("joe@test.example"), "Da");
    // And the next one is whole again.
    tree.user("joe").instruct("", "|echo next\n");
    let next = format!("Knext\n{DONE}");
    assert_eq!(mail.to("joe@test.example"), next);
}

#[test]
fn deliveries_run_at_the_same_time() {
    let tree = Tree::under_test();
    let go = tree.scratch().join("go");
    let program = format!("|until test -e {}; do sleep 0.02; done\n", go.display());
    tree.user("joe").instruct("", program);
    tree.user("jane").instruct("", "|echo first\n");
    let message = tree.spawnable("hi\n");
    let mut lspawn = tree.lspawn();
    lspawn.command(0, &message, "a@b", "joe@test.example");
    lspawn.command(7, &message, "a@b", "jane@test.example");
    let first = lspawn.report();
    assert_eq!((first.delivery, first.text), (7, format!("Kfirst\n{DONE}")));
    fs::File::create(&go).unwrap();
    assert_eq!(lspawn.report().delivery, 0);
}

#[test]
fn at_the_end_of_its_input_it_waits_for_what_runs() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|sleep 1; echo finished\n");
    let message = tree.spawnable("hi\n");
    let mut lspawn = tree.lspawn();
    lspawn.command(3, &message, "a@b", "joe@test.example");
    let expected = format!("\x03Kfinished\n{DONE}\0").into_bytes();
    assert_eq!(lspawn.end(), (Some(0), expected));
}

#[test]
fn without_a_default_delivery_it_does_not_start() {
    let tree = Tree::under_test();
    assert_eq!(tree.program("qmail-lspawn").run().code, Some(100));
}

#[test]
fn an_empty_local_part_is_success() {
    let tree = Tree::under_test();
    assert_eq!(Mail::of(&tree).to("@test.example"), "K");
}

#[test]
fn every_delivery_reads_the_message_from_its_start() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|head -c 9\n|tail -n 1\n");
    let message = tree.spawnable("last\n");
    let mut lspawn = tree.lspawn();
    for _ in 0..2 {
        let said = lspawn.deliver(&message, "a@b", "joe@test.example");
        assert_eq!(said, "KReceived:last\ndid 0+0+2\n");
    }
}

#[test]
fn one_qmail_getpw_answers_for_many_deliveries() {
    let tree = Tree::under_test();
    if tree.is_original() {
        // It starts one for each.
        return;
    }
    tree.user("joe").instruct("", "|exit 0\n");
    let mut mail = Mail::of(&tree);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let said = mail.to("joe@test.example");
        assert_eq!(said, format!("K{DONE}"));
        let running = tree.processes_named("qmail-getpw");
        assert_eq!(running.len(), 1);
        seen.extend(running);
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "the same one");
    assert_eq!(mail.lspawn.end(), (Some(0), Vec::new()));
    // It ends with whoever asks it.
    wait::until("its end", || tree.processes_named("qmail-getpw").is_empty().then_some(()));
}

#[test]
fn deliveries_that_come_together_ask_one_qmail_getpw() {
    let tree = Tree::under_test();
    if tree.is_original() {
        // It starts one for each.
        return;
    }
    tree.user("joe").instruct("", "|exit 0\n");
    let Mail { mut lspawn, message } = Mail::of(&tree);
    for number in 0..10 {
        lspawn.command(number, &message, "a@b", "joe@test.example");
    }
    let mut over: Vec<_> = (0..10).map(|_| lspawn.report()).collect();
    over.sort_by_key(|report| report.delivery);
    for (report, number) in over.iter().zip(0..) {
        assert_eq!((report.delivery, &report.text), (number, &format!("K{DONE}")));
    }
    assert_eq!(tree.processes_named("qmail-getpw").len(), 1);
}

#[test]
fn a_qmail_getpw_that_is_replaced_is_asked_no_more() {
    let tree = Tree::under_test();
    tree.user("joe").instruct("", "|exit 0\n");
    let mut mail = Mail::of(&tree);
    assert_eq!(mail.to("joe@test.example"), format!("K{DONE}"));
    tree.replace_program("qmail-getpw", "exit 115");
    let said = mail.to("joe@test.example");
    assert_eq!(said, "ZNFS failure in qmail-local.\n");
}

#[test]
fn no_process_makes_deliveries_for_two_users() {
    let Some(tree) = Tree::of_root() else { return };
    let mut mail = Mail::of(&tree);
    let mut processes = ["joe", "jane"].map(|name| (name, BTreeSet::new()));
    for (name, _) in &processes {
        tree.user(name).instruct("", "|echo $PPID\n");
    }
    for _ in 0..5 {
        for (name, processes) in &mut processes {
            processes.insert(mail.to(&format!("{name}@test.example")));
        }
    }
    let [(_, joe), (_, jane)] = &processes;
    assert!(joe.is_disjoint(jane), "{processes:?}");
}

#[test]
fn another_program_in_the_place_of_qmail_local_makes_the_next_delivery() {
    let Some(tree) = Tree::of_root() else { return };
    tree.user("joe").instruct("", "|echo by qmail-local\n");
    let mut mail = Mail::of(&tree);
    let mut deliver = || mail.to("joe@test.example");
    let by_itself = format!("Kby qmail-local\n{DONE}");
    assert_eq!((deliver(), deliver()), (by_itself.clone(), by_itself.clone()));
    let (program, kept) = (tree.home().join("bin/qmail-local"), tree.scratch().join("kept"));
    assert_eq!(tree.command("/bin/cp").arg(&program).arg(&kept).run().code, Some(0));
    // What wrappers do: the arguments are passed on, whatever they are.
    let wrapper = format!("echo through a wrapper; exec {} \"$@\"", kept.display());
    tree.replace_program("qmail-local", &wrapper);
    let wrapped = format!("Kthrough a wrapper\nby qmail-local\n{DONE}");
    assert_eq!((deliver(), deliver()), (wrapped.clone(), wrapped));
    assert_eq!(tree.command("/bin/umount").arg(&program).run().code, Some(0));
    assert_eq!((deliver(), deliver()), (by_itself.clone(), by_itself));
}

#[test]
fn a_delivery_that_is_killed_is_tried_again_and_the_next_one_is_made() {
    let tree = Tree::under_test();
    let joe = tree.user("joe");
    let mut mail = Mail::of(&tree);
    for _ in 0..3 {
        joe.instruct("", "|kill -9 $PPID\n");
        let said = mail.to("joe@test.example");
        assert_eq!(said, "Zqmail-local crashed.\n");
        joe.instruct("", "|echo alive\n");
        let said = mail.to("joe@test.example");
        assert_eq!(said, format!("Kalive\n{DONE}"));
    }
}
