//! One command makes a working, safe server; another takes it back.

use qmail_conformance::conversation::Conversation;
use qmail_conformance::dns::{Server, Zone};
use qmail_conformance::host::{RUNIT, install};
use qmail_conformance::maildir::Maildir;
use qmail_conformance::process::Finished;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, files, wait};

const OWN_FILES: [&str; 4] = ["alias", "control", "services", "supervise"];

/// A host, and its name server: tcpserver wants to know the names of clients.
fn host() -> Option<(Tree, Server)> {
    let tree = Tree::on_a_host(&["tcpserver", "tcprules", "curl"])?;
    // It names itself.
    tree.remove_control("me");
    // Debian's would make links for init, which is not what is tested.
    tree.shell("rm -f /usr/sbin/update-rc.d; ip address add 192.0.2.1/24 dev lo");
    let names = tree.name_server(Zone::new());
    Some((tree, names))
}

fn setup(tree: &Tree, words: &str) -> Finished {
    let program = install().with_file_name("qmail-setup");
    let line = format!("exec {} {words}", program.display());
    let path = format!("{RUNIT}:/usr/bin:/bin:/usr/sbin:/sbin");
    tree.command("/bin/sh").args(["-c", &line]).env("PATH", path).run()
}

/// What was added to this, and what is gone from it.
fn differences<'a>(before: &'a str, after: &'a str) -> Vec<&'a str> {
    let has = |text: &str, line: &str| text.lines().any(|known| known == line);
    let added = after.lines().filter(|line| !has(before, line));
    added.chain(before.lines().filter(|line| !has(after, line))).collect()
}

/// Everything that it may change, with sizes.
fn everything(tree: &Tree) -> String {
    let home = tree.home().display();
    let own = OWN_FILES.map(|name| format!("{home}/{name}")).join(" ");
    tree.shell(&format!(
        "for part in {own} /etc /usr/sbin /usr/lib/sendmail /bin/qmaild; do \
             find $part ! -type d -printf '%p %y %s %l\\n' 2> /dev/null || :; \
             find $part -name '*qmail*' 2> /dev/null || :; \
         done | sort"
    ))
}

fn is_open(tree: &Tree, port: u16) -> bool {
    tree.within_network(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
}

fn listens(tree: &Tree, ports: &[u16]) {
    for port in ports {
        wait::until(&format!("port {port}"), || is_open(tree, *port).then_some(()));
    }
}

/// Mail comes in, goes through a log-in, and is read; and what must not be is not.
fn serves_safely(tree: &Tree) {
    listens(tree, &[25, 465, 587, 995]);
    let maildir = Maildir::at(tree.user("joe").home().join("Maildir"));
    // From elsewhere: for us, and for nobody else.
    let socket = tree.within_network(|| {
        let script = "import socket,sys; s=socket.create_connection(('192.0.2.1',25), \
                      source_address=('192.0.2.1',0)); f=s.makefile('rwb'); print(f.readline()); \
                      [ (f.write(l.encode()+b'\\r\\n'), f.flush(), print(f.readline())) for l in \
                      ['HELO x','MAIL FROM:<a@far.example>','RCPT TO:<x@far.example>', \
                      'RCPT TO:<joe@mail.new.example>', 'RCPT TO:<joe@new.example>', \
                      'RCPT TO:<postmaster@mail.new.example>'] ]";
        tree.command("/usr/bin/python3").args(["-c", script]).run()
    });
    let said = socket.said();
    let codes: Vec<&str> = said.lines().map(|line| &line[2..5]).collect();
    assert_eq!(codes, ["220", "250", "250", "553", "250", "250", "250"], "{said}");
    let mut session = Session::with(Conversation::over(tree.connect("192.0.2.1:25")));
    assert_eq!(session.reply().code, 220);
    let extensions = session.command("EHLO x").text;
    assert!(extensions.contains("STARTTLS") && !extensions.contains("AUTH"), "{extensions}");
    assert_eq!(session.command("QUIT").code, 221);
    // Passwords are for TLS only.
    let mut session = Session::with(Conversation::over(tree.connect("127.0.0.1:587")));
    assert_eq!(session.reply().code, 220);
    let extensions = session.command("EHLO x").text;
    assert!(extensions.contains("STARTTLS") && !extensions.contains("AUTH"), "{extensions}");
    assert_eq!(session.command("QUIT").code, 221);
    assert!(!is_open(tree, 110));
    tree.shell(
        r"
        printf 'Subject: x\n\nhi\n' > /run/message
        for way in smtps://127.0.0.1:465 '--ssl-reqd smtp://127.0.0.1:587'; do
            curl --silent --show-error --insecure --crlf --user joe:secret -T /run/message \
                --mail-from joe@new.example --mail-rcpt joe@new.example $way
        done
        echo hi | /usr/sbin/sendmail joe@new.example
        ",
    );
    let _ = maildir.wait_for(3);
    let read = "curl --silent --show-error --insecure --user joe:secret pop3s://127.0.0.1:995/1";
    assert!(tree.shell(read).contains("Delivered-To: joe@new.example"));
    // A wrong password is none.
    let wrong = "curl --silent --insecure --user joe:wrong pop3s://127.0.0.1:995/1 || echo no";
    assert_eq!(tree.shell(wrong), "no\n");
}

fn there_and_back(words: &str, stays: &[&str]) {
    let Some((tree, _names)) = host() else { return };
    there_and_back_on(&tree, words, stays);
}

fn there_and_back_on(tree: &Tree, words: &str, stays: &[&str]) {
    let before = everything(tree);
    let words = format!("{words} -p joe mail.new.example new.example");
    let made = setup(tree, &words);
    assert_eq!(made.code, Some(0), "{}", made.said());
    assert!(made.text().contains("made /etc/tcp.smtp.cdb\n"), "{}", made.text());
    serves_safely(tree);
    // Again: everything is kept.
    let again = setup(tree, &words);
    assert_eq!(again.code, Some(0), "{}", again.said());
    assert!(!again.text().contains("made "), "{}", again.text());
    // Another name would make a mess of it.
    let other = setup(tree, "other.example");
    assert_eq!(other.code, Some(100));
    assert!(other.errors().contains("control/me says mail.new.example already"));
    let undone = setup(tree, "-u");
    assert_eq!(undone.code, Some(0), "{}", undone.said());
    let left = || {
        let mut names = tree.names_of_processes();
        names.retain(|name| !stays.contains(&name.as_str()));
        names
    };
    wait::until(&format!("the end of {:?}", left()), || left().is_empty().then_some(()));
    assert_eq!(differences(&before, &everything(tree)), Vec::<&str>::new());
    assert_eq!(setup(tree, "-u").errors(), "qmail-setup: fatal: nothing was set up here\n");
}

#[test]
fn with_the_start_script() {
    there_and_back("-s script", &[]);
}

#[test]
fn with_daemontools() {
    let Some((tree, _names)) = host() else { return };
    if tree.lacks(Need::Tool("svscan")) {
        return;
    }
    tree.shell("svscan /etc/service > /dev/null 2>&1 < /dev/null &");
    there_and_back_on(&tree, "-s daemontools -d /etc/service", &["svscan"]);
}

#[test]
fn with_runit() {
    let Some((tree, _names)) = host() else { return };
    if tree.lacks_runit() {
        return;
    }
    tree.shell(&format!("PATH={RUNIT}:$PATH runsvdir /etc/service > /dev/null 2>&1 < /dev/null &"));
    there_and_back_on(&tree, "-s runit -d /etc/service", &["runsvdir"]);
}

#[test]
fn with_s6() {
    let Some((tree, _names)) = host() else { return };
    if tree.lacks(Need::Tool("s6-svscan")) {
        return;
    }
    tree.shell("s6-svscan /etc/service > /dev/null 2>&1 < /dev/null &");
    let scans = || tree.in_its_world("/etc/service/.s6-svscan/control").exists().then_some(());
    wait::until("s6-svscan", scans);
    there_and_back_on(&tree, "-s s6 -d /etc/service", &["s6-svscan"]);
}

#[test]
fn what_was_there_and_what_was_changed_stays() {
    let Some((tree, _names)) = host() else { return };
    tree.control("locals", "mine.example\n");
    tree.write_in_its_world("/etc/tcp.smtp", "10.:allow,RELAYCLIENT=\"\"\n");
    let made = setup(&tree, "-s script mail.new.example");
    assert_eq!(made.code, Some(0), "{}", made.said());
    assert_eq!(files::read(&tree.path("control/locals")), b"mine.example\n");
    listens(&tree, &[25]);
    // Nobody was named, so mail for postmaster waits for whoever looks.
    tree.queue("a@b", &["postmaster@mine.example"], "hi\n");
    let kept = Maildir::at(tree.path("alias/Maildir"));
    let _ = kept.wait_for(1);
    tree.control("rcpthosts", "mail.new.example\nmine.example\n");
    let undone = setup(&tree, "-u");
    assert_eq!(undone.code, Some(0), "{}", undone.said());
    for line in [
        format!("kept {}: it was changed\n", tree.home().join("control/rcpthosts").display()),
        format!("kept {}: it is not empty\n", tree.home().join("alias/Maildir").display()),
    ] {
        assert!(undone.text().contains(&line), "{}", undone.text());
    }
    assert_eq!(kept.messages().len(), 1);
    assert_eq!(files::read(&tree.path("control/locals")), b"mine.example\n");
    assert!(tree.in_its_world("/etc/tcp.smtp").exists());
}

#[test]
fn nothing_is_begun_that_cannot_be_finished() {
    let Some((tree, _names)) = host() else { return };
    let before = everything(&tree);
    tree.shell("rm /usr/bin/tcpserver");
    let refused = setup(&tree, "-s script mail.new.example");
    assert_eq!(refused.code, Some(100));
    assert!(refused.errors().contains("there is no tcpserver: it is part of ucspi-tcp"));
    assert_eq!(setup(&tree, "").code, Some(100));
    assert_eq!(differences(&before, &everything(&tree)), Vec::<&str>::new());
}
