//! Maildir++ quotas, as deliveries, POP3 and the tools keep them.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use qmail_conformance::local::Delivery;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::pop3::Session;
use qmail_conformance::process::Finished;
use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, files};

const FULL: &str = "Recipient's mailbox is full, message returned to sender. (#5.2.2)\n";

/// Joe, whose mail goes to a Maildir.
struct Post {
    tree: Tree,
    joe: User,
    maildir: Maildir,
}

impl Post {
    /// None if the tree knows of no quotas.
    fn new() -> Option<Self> {
        let tree = Tree::under_test();
        if tree.lacks(Need::Program("deliverquota")) {
            return None;
        }
        let joe = tree.user("joe");
        joe.write(".qmail", "./Maildir/\n");
        let maildir = joe.make_maildir("Maildir");
        Some(Self { tree, joe, maildir })
    }

    /// With this quota.
    fn with_quota(quota: &str) -> Option<Self> {
        let post = Self::new()?;
        assert_eq!(post.tool("maildirmake", &["-q", quota, "Maildir"], "").said(), "");
        Some(post)
    }

    fn tool(&self, name: &str, words: &[&str], input: &str) -> Finished {
        let program = self.tree.program(name).args(words.iter().copied()).stdin(input);
        program.run_as(self.joe.identity()).in_directory(self.joe.home()).run()
    }

    /// A delivery whose file has so many bytes in all.
    fn deliver(&self, bytes: usize) -> Finished {
        self.deliver_with(bytes, &[])
    }

    fn deliver_with(&self, bytes: usize, variables: &[(&str, &str)]) -> Finished {
        let lines = "Return-Path: <sender@far.example>\nDelivered-To: joe@test.example\n";
        let mut delivery = Delivery::to(&self.joe);
        delivery.message = b"Subject: size\n\n".to_vec();
        delivery.message.resize(bytes - lines.len() - 1, b'x');
        delivery.message.push(b'\n');
        self.tree.local_program(&self.joe, &delivery).envs(variables).run()
    }

    fn sums(&self) -> (String, i64, i64) {
        sums(&self.maildir.path().join("maildirsize"))
    }
}

/// The first line, and the sums of the others.
fn sums(file: &Path) -> (String, i64, i64) {
    let text = fs::read_to_string(file).unwrap();
    let (quota, lines) = text.split_once('\n').unwrap();
    let numbers: Vec<i64> = lines.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let sum = |from: usize| numbers.iter().skip(from).step_by(2).sum();
    (quota.to_owned(), sum(0), sum(1))
}

#[test]
fn mail_is_counted_and_refused_where_there_is_no_room() {
    let Some(post) = Post::with_quota("2000S,10C") else { return };
    for expected in [900, 1800] {
        assert_eq!(post.deliver(900).code, Some(0));
        assert_eq!(post.sums(), ("2000S,10C".to_owned(), expected, expected / 900));
    }
    let refused = post.deliver(900);
    assert_eq!((refused.code, refused.errors().as_str()), (Some(100), FULL));
    assert!(refused.text().is_empty());
    assert_eq!((post.maildir.messages().len(), post.maildir.names("tmp").len()), (2, 0));
    assert_eq!(post.deliver(200).code, Some(0), "there is room for this one");
}

#[test]
fn messages_are_limited_by_number_too() {
    let Some(post) = Post::with_quota("2C") else { return };
    assert_eq!(
        [300, 300, 300].map(|bytes| post.deliver(bytes).code),
        [Some(0), Some(0), Some(100)]
    );
}

#[test]
fn names_tell_sizes_where_there_is_a_quota_or_a_setting() {
    let Some(post) = Post::new() else { return };
    post.deliver(500);
    assert!(!post.maildir.names("new")[0].contains(",S="));
    post.deliver_with(501, &[("MAILDIRSIZES", "")]);
    post.tool("maildirmake", &["-q", "10000S", "Maildir"], "");
    post.deliver(502);
    let names = post.maildir.names("new");
    let with = |end: &str| names.iter().filter(|name| name.ends_with(end)).count();
    // Five lines each.
    assert_eq!((with(",S=501,W=506"), with(",S=502,W=507")), (1, 1), "{names:?}");
}

#[test]
fn the_setting_says_what_becomes_of_the_mail() {
    let Some(post) = Post::with_quota("1S") else { return };
    for (setting, code, text) in [
        ("defer\n", 111, "Recipient's mailbox is full. (#4.2.2)\n"),
        ("bounce User over quota. (#5.1.1)\n", 100, "User over quota. (#5.1.1)\n"),
        ("nonsense\n", 111, "Recipient's mailbox is full. (#4.2.2)\n"),
    ] {
        post.tree.control("overquota", setting);
        let finished = post.deliver(500);
        assert_eq!((finished.code, finished.errors().as_str()), (Some(code), text), "{setting}");
    }
}

#[test]
fn the_environment_gives_a_quota_to_maildirs_that_have_none() {
    let Some(post) = Post::new() else { return };
    let quota = [("MAILDIRQUOTA", "1KB")];
    assert_eq!(post.deliver_with(900, &quota).code, Some(0));
    assert_eq!(post.sums(), ("1024S".to_owned(), 900, 1));
    assert_eq!(post.deliver_with(900, &quota).code, Some(100));
    assert_eq!(post.deliver_with(900, &[("MAILDIRQUOTA", "9MB")]).code, Some(100));
    let finished = post.deliver_with(900, &[("MAILDIRQUOTA", "much")]);
    assert_eq!(finished.code, Some(111));
    assert_eq!(finished.errors(), "Unable to understand MAILDIRQUOTA. (#4.3.5)\n");
}

#[test]
fn what_readers_removed_is_found_by_counting() {
    let Some(post) = Post::with_quota("2000S") else { return };
    post.deliver(900);
    post.deliver(900);
    let name = post.maildir.names("new").remove(0);
    fs::remove_file(post.maildir.path().join("new").join(name)).unwrap();
    // The sums are of several lines, so they are not believed.
    assert_eq!(post.deliver(900).code, Some(0));
    assert_eq!(post.sums(), ("2000S".to_owned(), 1800, 2));
}

#[test]
fn sums_of_one_line_are_believed_for_fifteen_minutes() {
    let Some(post) = Post::new() else { return };
    let file = post.maildir.path().join("maildirsize");
    post.joe.write("Maildir/maildirsize", "1000S\n1000 1\n");
    files::set_times(&file, SystemTime::now() - Duration::from_secs(14 * 60));
    assert_eq!(post.deliver(500).code, Some(100));
    files::set_times(&file, SystemTime::now() - Duration::from_secs(15 * 60));
    assert_eq!(post.deliver(500).code, Some(0));
}

#[test]
fn folders_count_and_trash_does_not() {
    let Some(post) = Post::with_quota("1000S") else { return };
    for folder in ["Drafts", "Trash"] {
        assert_eq!(post.tool("maildirmake", &["-f", folder, "Maildir"], "").said(), "");
        assert_eq!(files::read(&post.maildir.path().join(format!(".{folder}/maildirfolder"))), b"");
    }
    post.joe.write(".qmail", "./Maildir/.Trash/\n");
    assert_eq!([700, 700].map(|bytes| post.deliver(bytes).code), [Some(0); 2]);
    post.joe.write(".qmail", "./Maildir/.Drafts/\n");
    assert_eq!([700, 700].map(|bytes| post.deliver(bytes).code), [Some(0), Some(100)]);
    post.joe.write(".qmail", "./Maildir/\n");
    assert_eq!(post.deliver(700).code, Some(100));
    assert_eq!(post.sums(), ("1000S".to_owned(), 700, 1));
}

#[test]
fn pop3_takes_what_it_deletes_from_the_sums() {
    let Some(post) = Post::with_quota("10000S") else { return };
    for bytes in [500, 600, 700] {
        assert_eq!(post.deliver(bytes).code, Some(0));
    }
    let open = || {
        let program = post.tree.program("qmail-pop3d").run_as(post.joe.identity());
        let mut session = Session::with(program.arg(post.maildir.path()).converse());
        assert_eq!(session.line(), "+OK ");
        session
    };
    let mut session = open();
    // Sent with CR LF, and an empty line more.
    assert_eq!(session.command("STAT"), format!("+OK 3 {}", 1800 + 3 * 7));
    assert_eq!(session.command("DELE 2"), "+OK ");
    assert_eq!(session.end(), Some(0));
    assert_eq!(post.sums().1, 1800, "nothing was deleted");
    let mut session = open();
    assert_eq!([session.command("DELE 2"), session.command("DELE 3")], ["+OK ", "+OK "]);
    assert_eq!(session.command("QUIT"), "+OK ");
    assert_eq!(session.end(), Some(0));
    assert_eq!(post.sums(), ("10000S".to_owned(), 500, 1));
}

#[test]
fn maildir2mbox_takes_what_it_moves_from_the_sums() {
    let Some(post) = Post::with_quota("10000S") else { return };
    for bytes in [500, 600] {
        assert_eq!(post.deliver(bytes).code, Some(0));
    }
    let path = |name: &str| post.joe.home().join(name);
    // It leaves alone what has come this very second.
    for name in post.maildir.names("new") {
        let ago = SystemTime::now() - Duration::from_secs(10);
        files::set_times(&post.maildir.path().join("new").join(name), ago);
    }
    let program = post.tree.program("maildir2mbox").run_as(post.joe.identity());
    let program = program.env("MAILDIR", path("Maildir")).env("MAIL", path("mbox"));
    let finished = program.env("MAILTMP", path("mbox.new")).run();
    assert_eq!((finished.code, finished.said().as_str()), (Some(0), ""));
    assert_eq!(post.sums(), ("10000S".to_owned(), 0, 0));
}

#[test]
fn a_user_is_warned_once() {
    let Some(post) = Post::with_quota("1000S") else { return };
    let text = "From: postmaster\nSubject: your mailbox\n\nIt is nearly full.\n";
    post.tree.control("quotawarnmsg", text);
    post.deliver(890);
    assert_eq!(post.maildir.messages().len(), 1, "89 percent");
    fs::remove_file(post.maildir.path().join("new").join(&post.maildir.names("new")[0])).unwrap();
    post.tool("maildirmake", &["-q", "1000S", "Maildir"], "");
    post.deliver(900);
    let mail: Vec<String> = post.maildir.messages().iter().map(|m| lossy(m)).collect();
    assert_eq!(mail.len(), 2, "90 percent: {mail:#?}");
    let warning = mail.iter().find(|mail| mail.ends_with(text)).unwrap();
    let fields = ["Return-Path: <>\nDelivered-To: joe@test.example\nDate: ", "\nMessage-Id: <"];
    assert!(fields.iter().all(|field| warning.contains(field)), "{warning}");
    assert_eq!(post.sums().2, 2, "the warning counts");
    post.tool("maildirmake", &["-q", "9999S", "Maildir"], "");
    post.tool("maildirmake", &["-q", "1400S", "Maildir"], "");
    assert_eq!(post.deliver(250).code, Some(0));
    assert_eq!(post.maildir.messages().len(), 3, "not again today");
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn deliverquota_delivers_what_it_reads() {
    let Some(post) = Post::new() else { return };
    assert_eq!(post.tool("deliverquota", &["./Maildir", "10S"], "Hi.\n").code, Some(0));
    assert_eq!(post.maildir.only(), "Hi.\n");
    let refused = post.tool("deliverquota", &["./Maildir"], "too long\n");
    assert_eq!((refused.code, refused.errors().as_str()), (Some(77), "Mail quota exceeded.\n"));
    assert_eq!(post.tool("deliverquota", &["./Maildir", "99S"], "too long\n").code, Some(0));
    assert_eq!(post.sums(), ("99S".to_owned(), 13, 2));
    post.tree.control("overquota", "defer\n");
    assert_eq!(post.tool("deliverquota", &["./Maildir", "1S"], "x\n").code, Some(75));
    assert_eq!(post.tool("deliverquota", &["./nowhere"], "x\n").code, Some(75));
    assert_eq!(post.tool("deliverquota", &["-c", "./a/b", "99S"], "x\n").code, Some(0));
    assert_eq!(Maildir::at(post.joe.home().join("a/b")).only(), "x\n");
    for words in [&[][..], &["a", "b", "c"], &["-w", "x", "a"], &["a", "much"]] {
        assert_eq!(post.tool("deliverquota", words, "x\n").code, Some(100), "{words:?}");
    }
}

#[test]
fn deliverquota_waits_where_the_environment_makes_no_sense() {
    let Some(post) = Post::new() else { return };
    let deliver = |quota: &str| {
        let program = post.tree.program("deliverquota").arg("./Maildir").stdin("Hi.\n");
        let program = program.run_as(post.joe.identity()).in_directory(post.joe.home());
        program.env("MAILDIRQUOTA", quota).run().code
    };
    assert_eq!((deliver("lots"), post.maildir.messages().len()), (Some(75), 0));
    assert_eq!((deliver("99S"), post.maildir.messages().len()), (Some(0), 1));
}

#[test]
fn deliverquota_warns_as_it_is_told() {
    let Some(post) = Post::with_quota("1000S") else { return };
    post.joe.write("text", "Subject: half\n\nfull\n");
    let words = ["-w", "50", "-W", "text", "./Maildir"];
    assert_eq!(post.tool("deliverquota", &words, &"x".repeat(400)).code, Some(0));
    assert_eq!(post.maildir.messages().len(), 1);
    assert_eq!(post.tool("deliverquota", &words, &"x".repeat(400)).code, Some(0));
    assert_eq!(post.maildir.messages().len(), 3);
}

#[test]
fn maildirmake_sets_changes_and_removes_quotas() {
    let Some(post) = Post::new() else { return };
    post.deliver(500);
    assert_eq!(post.tool("maildirmake", &["-q", "1MB,5C", "Maildir"], "").code, Some(0));
    assert_eq!(post.sums(), ("1048576S,5C".to_owned(), 500, 1));
    assert_eq!(post.tool("maildirmake", &["-q", "NOQUOTA", "Maildir"], "").code, Some(0));
    assert!(!post.maildir.path().join("maildirsize").exists());
    assert_eq!(post.tool("maildirmake", &["-q", "10S", "Other"], "").code, Some(0));
    assert_eq!(sums(&post.joe.home().join("Other/maildirsize")), ("10S".to_owned(), 0, 0));
    for words in [&["-q", "x", "M"][..], &["-q"], &["-f", "a/b", "Maildir"], &["-f", "", "Maildir"]]
    {
        assert_eq!(post.tool("maildirmake", words, "").code, Some(100), "{words:?}");
    }
}

#[test]
fn a_link_in_the_place_of_the_sums_is_not_followed() {
    let Some(post) = Post::new() else { return };
    post.joe.write("other", "1S\n");
    std::os::unix::fs::symlink("../other", post.maildir.path().join("maildirsize")).unwrap();
    let finished = post.deliver(500);
    assert_eq!(finished.code, Some(111));
    assert_eq!(finished.errors(), "Temporary error on maildir delivery. (#4.3.0)\n");
    assert_eq!(post.joe.read("other"), "1S\n");
}
