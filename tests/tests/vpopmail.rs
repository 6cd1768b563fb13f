//! Domains of vpopmail: its tree, with its programs and without.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;

use qmail_conformance::local::Delivery;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::process::Finished;
use qmail_conformance::user::User;
use qmail_conformance::{Need, Tree, cdb, files, wait};

/// "secret", as crypt(3) leaves it.
const HASH: &str = "$6$wZyZ1iAeQxHq2V1b$XmWd8VFzALcwYUS4UC0.6Akko.ufMr.cyTKpvCdg7KxxciKqPnPt6UC1SYK6Qf3ijEQ/jqd8IdBhLgsWNZdce1";
const OURS: &str = "vpopmail/vdelivermail";
const DOMAIN: &str = "v.example";

/// A domain that belongs to joe's account, as with vpopmail all do to one.
struct Domain {
    tree: Tree,
    joe: User,
    path: PathBuf,
}

impl Domain {
    /// With ann, and bob who gets no mail, and carol with a quota.
    fn new() -> Option<Self> {
        let tree = Tree::under_test();
        if tree.lacks(Need::Root) || tree.lacks(Need::Program("deliverquota")) {
            return None;
        }
        let joe = tree.user("joe");
        joe.make_directory("domains");
        joe.make_directory("domains/v.example");
        let path = joe.home().join("domains/v.example");
        let domain = Self { tree, joe, path };
        domain.instruct("bounce-no-mailbox");
        domain.users(&[("ann", "0", ""), ("bob", "16", "NOQUOTA"), ("carol", "0", "1000S")]);
        Some(domain)
    }

    fn users(&self, users: &[(&str, &str, &str)]) {
        let record = |(name, flags, quota): &(&str, &str, &str)| {
            let home = self.path.join(name);
            format!("{HASH}:1:{flags}:{name}:{}:{quota}:tanstaaftanstaaf", home.display())
        };
        let lines = users.iter().map(|user| format!("{}:{}\n", user.0, record(user)));
        self.joe.write("domains/v.example/vpasswd", lines.collect::<String>());
        let records: Vec<_> = users.iter().map(|user| (user.0.to_owned(), record(user))).collect();
        let records: Vec<_> =
            records.iter().map(|(key, data)| (key.as_bytes(), data.as_bytes())).collect();
        self.joe.write("domains/v.example/vpasswd.cdb", cdb::make(&records));
    }

    /// qmail-local, for an address of the domain.
    fn deliver(&self, name: &str, message: &str) -> Finished {
        let mut delivery = Delivery::to(&self.joe);
        delivery.home = self.path.clone().into();
        delivery.local = format!("{DOMAIN}-{name}").into();
        delivery.dash = "-".to_owned();
        delivery.extension = name.into();
        delivery.domain = DOMAIN.into();
        delivery.message = message.into();
        self.tree.deliver(&self.joe, &delivery)
    }

    fn maildir(&self, name: &str) -> Maildir {
        Maildir::at(self.path.join(name).join("Maildir"))
    }

    fn instruct(&self, nobody: &str) {
        let program = self.tree.home().join(OURS);
        let line = format!("| {} '' {nobody}\n", program.display());
        self.joe.write("domains/v.example/.qmail-default", line);
    }

    fn assign(&self) {
        let (uid, gid) = (self.joe.identity().uid, self.joe.identity().gid);
        let home = self.path.display();
        let line = format!("+{DOMAIN}-:{DOMAIN}:{uid}:{gid}:{home}:-::\n.\n");
        files::write(&self.tree.path("users/assign"), line);
        let made = self.tree.program("qmail-newu").run();
        assert_eq!(made.code, Some(0), "{}", made.said());
    }

    /// vchkpw as root, for a program that tells what it sees.
    fn check(&self, request: &str, port: &str) -> Finished {
        let file = self.tree.scratch().join("request");
        files::write(&file, request.replace('|', "\0"));
        let redirection = format!("3<{}", file.display());
        let program =
            self.tree.command(self.tree.home().join("vpopmail/vchkpw")).env("TCPLOCALPORT", port);
        let show = "id -u; pwd; echo $USER $HOME $VPOPUSER";
        program.args(["sh", "-c", show]).redirected(&redirection).run()
    }
}

const MESSAGE: &str = "Subject: x\n\nHi.\n";

#[test]
fn mail_goes_to_the_maildir_of_the_user() {
    let Some(domain) = Domain::new() else { return };
    let finished = domain.deliver("Ann", MESSAGE);
    assert_eq!((finished.code, finished.said().as_str()), (Some(0), "did 0+0+1\n"));
    let lines = "Return-Path: <sender@far.example>\nDelivered-To: ann@v.example\n";
    assert_eq!(domain.maildir("ann").only(), format!("{lines}{MESSAGE}"));
    assert_eq!(files::mode(&domain.path.join("ann")), 0o700);
}

#[test]
fn directories_that_were_half_made_are_completed() {
    let Some(domain) = Domain::new() else { return };
    domain.joe.make_directory("domains/v.example/ann");
    assert_eq!(domain.deliver("ann", MESSAGE).code, Some(0));
    assert_eq!(domain.maildir("ann").messages().len(), 1);
    domain.joe.make_directory("domains/v.example/carol");
    domain.joe.make_directory("domains/v.example/carol/Maildir");
    domain.joe.make_directory("domains/v.example/carol/Maildir/new");
    assert_eq!(domain.deliver("carol", MESSAGE).code, Some(0));
    assert_eq!(domain.maildir("carol").messages().len(), 1);
}

#[test]
fn the_program_of_the_site_is_run_where_it_is() {
    let Some(domain) = Domain::new() else { return };
    let instructions = "| ../../bin/vdelivermail '' bounce-no-mailbox\n";
    domain.joe.write("domains/v.example/.qmail-default", instructions);
    // Nothing is there: mail waits.
    assert_eq!(domain.deliver("ann", MESSAGE).code, Some(111));
    domain.joe.make_directory("bin");
    let theirs = domain.joe.home().join("bin/vdelivermail");
    files::write_script(&theirs, "echo \"theirs: $EXT@$HOST $1 $2\"; cat > ../../got; exit 0");
    let finished = domain.deliver("ann", MESSAGE);
    let text = "theirs: ann@v.example  bounce-no-mailbox\ndid 0+0+1\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(0), text));
    assert_eq!(domain.joe.read("got"), MESSAGE);
    // A link to ours does for a program that is lost.
    fs::remove_file(&theirs).unwrap();
    std::os::unix::fs::symlink(domain.tree.home().join(OURS), &theirs).unwrap();
    assert_eq!(domain.deliver("ann", MESSAGE).code, Some(0));
    assert_eq!(domain.maildir("ann").messages().len(), 1);
}

#[test]
fn a_filter_may_be_in_front() {
    let Some(domain) = Domain::new() else { return };
    let ours = domain.tree.home().join(OURS);
    let behind = |filter: &str| {
        let line = format!("| {filter} | {} '' bounce-no-mailbox\n", ours.display());
        domain.joe.write("domains/v.example/.qmail-default", line);
        domain.deliver("ann", MESSAGE)
    };
    assert_eq!(behind("sed s/Hi/Ho/").code, Some(0));
    assert!(domain.maildir("ann").only().ends_with("\n\nHo.\n"));
    let finished = behind("false");
    let text = "vdelivermail: unable to read the message: ended too early. (#4.3.0)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
    assert_eq!(domain.maildir("ann").messages().len(), 1);
}

#[test]
fn mail_to_nobody_is_returned_deleted_or_kept() {
    let Some(domain) = Domain::new() else { return };
    let finished = domain.deliver("nobody", MESSAGE);
    let text = "Sorry, no mailbox here by that name. (#5.1.1)\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(100), text));
    domain.joe.write("domains/.no-user.msg", "We know nobody of this name.\n");
    assert_eq!(domain.deliver("nobody", MESSAGE).said(), "We know nobody of this name.\n");
    domain.instruct("delete");
    assert_eq!(domain.deliver("nobody", MESSAGE).code, Some(0));
    domain.instruct(domain.path.join("ann").to_str().unwrap());
    assert_eq!(domain.deliver("ann", MESSAGE).code, Some(0));
    assert_eq!(domain.deliver("nobody", MESSAGE).code, Some(0));
    let messages = domain.maildir("ann").messages();
    assert_eq!(messages.len(), 2);
    let of_nobody = |mail: &Vec<u8>| mail.windows(17).any(|part| part == b"nobody@v.example\n");
    assert_eq!(messages.iter().filter(|mail| of_nobody(mail)).count(), 1);
}

#[test]
fn what_is_missing_or_damaged_makes_mail_wait() {
    let Some(domain) = Domain::new() else { return };
    domain.joe.write("domains/v.example/vpasswd.cdb", "too short");
    assert_eq!(domain.deliver("ann", MESSAGE).code, Some(111));
    fs::remove_file(domain.path.join("vpasswd.cdb")).unwrap();
    assert_eq!(domain.deliver("ann", MESSAGE).code, Some(0), "from the list");
    fs::remove_file(domain.path.join("vpasswd")).unwrap();
    assert_eq!(domain.deliver("ann", MESSAGE).code, Some(111));
    domain.instruct("bounce");
    let finished = domain.deliver("ann", MESSAGE);
    let text = "vdelivermail: invalid syntax in .qmail-default file\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(111), text));
}

#[test]
fn a_user_who_gets_no_mail_and_a_loop_are_told() {
    let Some(domain) = Domain::new() else { return };
    let finished = domain.deliver("bob", MESSAGE);
    let text = "vdelivermail: account is locked email bounced bob@v.example\n";
    assert_eq!((finished.code, finished.said().as_str()), (Some(100), text));
    let finished = domain.deliver("ann", "Delivered-To: ann@v.example\n\n");
    assert_eq!((finished.code, finished.said().as_str()), (Some(100), "mail is looping\n"));
}

#[test]
fn the_quota_of_a_user_is_that_of_his_maildir() {
    let Some(domain) = Domain::new() else { return };
    let big = format!("Subject: x\n\n{}\n", "x".repeat(500));
    assert_eq!(domain.deliver("carol", &big).code, Some(0));
    let finished = domain.deliver("carol", &big);
    assert_eq!((finished.code, finished.said().as_str()), (Some(100), "user is over quota\n"));
    domain.joe.write("domains/v.example/.over-quota.msg", "No room.\n");
    assert_eq!(domain.deliver("carol", &big).said(), "No room.\n");
    // As after vsetuserquota, or vmoduser -q.
    domain.users(&[("carol", "0", "5KB,9C")]);
    assert_eq!(domain.deliver("carol", &big).code, Some(0));
    let sums = files::read(&domain.maildir("carol").path().join("maildirsize"));
    assert!(sums.starts_with(b"5120S,9C\n"), "{}", String::from_utf8_lossy(&sums));
    domain.tree.control("quotawarnpercent", "20\n");
    domain.joe.write("domains/.quotawarn.msg", "Subject: nearly full\n\nSo it is.\n");
    assert_eq!(domain.deliver("carol", &big).code, Some(0));
    let mail = domain.maildir("carol").messages();
    assert!(mail.iter().any(|mail| mail.ends_with(b"Subject: nearly full\n\nSo it is.\n")));
}

#[test]
fn instructions_of_a_user_are_done_in_his_directory() {
    let Some(domain) = Domain::new() else { return };
    domain.joe.make_directory("domains/v.example/ann");
    let instructions = "./mbox\n| echo $EXT $HOST; pwd > where; exit 99\n./never\n";
    domain.joe.write("domains/v.example/ann/.qmail", instructions);
    let finished = domain.deliver("ann", MESSAGE);
    assert_eq!((finished.code, finished.said().as_str()), (Some(0), "ann v.example\ndid 0+0+1\n"));
    let home = domain.path.join("ann");
    assert_eq!(files::read(&home.join("where")), format!("{}\n", home.display()).as_bytes());
    assert!(files::read(&home.join("mbox")).ends_with(b"Hi.\n\n"));
    assert!(!home.join("never").exists());
}

#[test]
fn a_message_comes_from_smtp_to_a_user_and_on_to_another() {
    let Some(domain) = Domain::new() else { return };
    domain.assign();
    domain.tree.control("virtualdomains", format!("{DOMAIN}:{DOMAIN}\n"));
    domain.joe.make_directory("domains/v.example/carol");
    domain.joe.write("domains/v.example/carol/.qmail", "&ann@v.example\n");
    let running = domain.tree.start();
    domain.tree.queue("s@far.example", &["carol@v.example"], MESSAGE);
    let mail = domain.maildir("ann").wait_for(1);
    let text = String::from_utf8_lossy(&mail[0]).into_owned();
    let lines = ["ann@v.example", "v.example-carol@v.example"];
    let lines = lines.map(|address| format!("Delivered-To: {address}\n"));
    assert!(lines.iter().all(|line| text.contains(line)), "{text}");
    wait::until("an empty queue", || domain.tree.queue_is_empty().then_some(()));
    running.stop();
}

#[test]
fn vchkpw_knows_passwords_and_digests() {
    let Some(domain) = Domain::new() else { return };
    domain.assign();
    domain.joe.make_directory("domains/v.example/ann");
    let home = domain.path.join("ann");
    let seen = format!(
        "{}\n{}\nann {} ann@v.example\n",
        domain.joe.identity().uid,
        home.display(),
        home.display()
    );
    let challenge = "<1896.697170952@postoffice.reston.mci.net>";
    let digest = "b913a602c7eda7a495b4e6e7334d3890";
    for request in [
        "ann@v.example|secret||".to_owned(),
        "ANN%V.example|secret|".to_owned(),
        format!("ann@v.example|{digest}|{challenge}|"),
        format!("ann@v.example|{challenge}|{digest}|"),
    ] {
        let finished = domain.check(&request, "110");
        assert_eq!((finished.code, finished.text()), (Some(0), seen.clone()), "{request}");
    }
    for request in ["ann@v.example|wrong||", "ann|secret||", "bob@other.example|secret||"] {
        let finished = domain.check(request, "110");
        assert_eq!((finished.code, finished.said().as_str()), (Some(1), ""), "{request}");
    }
    assert_eq!(domain.check("ann@v.example|secret", "110").code, Some(2));
}

#[test]
fn vchkpw_bars_users_from_services_and_never_becomes_root() {
    let Some(domain) = Domain::new() else { return };
    domain.assign();
    domain.joe.make_directory("domains/v.example/ann");
    domain.users(&[("ann", "2056", "")]);
    let codes =
        ["110", "143", "587", "995"].map(|port| domain.check("ann@v.example|secret||", port).code);
    assert_eq!(codes, [Some(0), Some(1), Some(1), Some(0)]);
    let line = format!("+{DOMAIN}-:{DOMAIN}:0:0:{}:-::\n.\n", domain.path.display());
    files::write(&domain.tree.path("users/assign"), line);
    assert_eq!(domain.tree.program("qmail-newu").run().code, Some(0));
    assert_eq!(domain.check("ann@v.example|secret||", "110").code, Some(1));
}

/// A copy of vchkpw that is set-id to whom the lists belong, and nobody else may read them.
fn set_id_copy(domain: &Domain) -> PathBuf {
    let copy = domain.tree.scratch().join("vchkpw");
    let installed = domain.tree.home().join("vpopmail/vchkpw");
    let installed = domain.tree.in_its_world(installed.to_str().unwrap());
    fs::copy(installed, &copy).unwrap();
    let owner = domain.joe.identity();
    chown(&copy, Some(owner.uid), Some(owner.gid)).unwrap();
    files::set_mode(&copy, 0o4711);
    for list in ["vpasswd", "vpasswd.cdb"] {
        files::set_mode(&domain.path.join(list), 0o600);
    }
    copy
}

#[test]
fn a_set_id_vchkpw_gives_up_what_it_was_given() {
    let Some(domain) = Domain::new() else { return };
    domain.assign();
    let copy = set_id_copy(&domain);
    let caller = domain.tree.accounts().qmaild;
    let request = domain.tree.scratch().join("request");
    for (password, code, text) in
        [("secret", 0, format!("{0} {0}\n", caller.uid)), ("no", 1, String::new())]
    {
        files::write(&request, format!("ann@v.example\0{password}\0\0"));
        files::set_mode(&request, 0o644);
        let finished = domain
            .tree
            .command(copy.clone())
            .args(["sh", "-c", "echo $(id -ru) $(id -u)"])
            .env("TCPLOCALPORT", "587")
            .run_as(caller)
            .redirected(&format!("3<{}", request.display()))
            .run();
        assert_eq!((finished.code, finished.text()), (Some(code), text), "{}", finished.said());
    }
}

#[test]
fn a_set_id_vchkpw_does_for_root_what_another_does() {
    let Some(domain) = Domain::new() else { return };
    domain.assign();
    domain.joe.make_directory("domains/v.example/ann");
    let copy = set_id_copy(&domain);
    let request = domain.tree.scratch().join("request");
    files::write(&request, "ann@v.example\0secret\0\0");
    let program = domain.tree.command(copy).args(["sh", "-c", "id -ru; id -u; id -G; pwd"]);
    let program = program.env("TCPLOCALPORT", "110");
    let finished = program.redirected(&format!("3<{}", request.display())).run();
    let (joe, home) = (domain.joe.identity(), domain.path.join("ann"));
    let text = format!("{0}\n{0}\n{1}\n{2}\n", joe.uid, joe.gid, home.display());
    assert_eq!((finished.code, finished.text()), (Some(0), text), "{}", finished.said());
}
