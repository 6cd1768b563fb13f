//! mlmmj, a mailing-list manager, set up word by word as its README.qmail says.

use std::process::Child;

use qmail_conformance::log::Running;
use qmail_conformance::maildir::Maildir;
use qmail_conformance::{Need, Tree, wait};

/// A tree with the list `ml@test.example`, which belongs to joe's account `joe-list`.
struct Lists {
    tree: Tree,
    running: Running,
    smtpd: Child,
}

impl Drop for Lists {
    fn drop(&mut self) {
        let _ = self.smtpd.kill();
        let _ = self.smtpd.wait();
    }
}

/// The README's example, with the alias user in the place of vpopmail's domain.
const SETUP: &str = r#"
umask 022
mkdir -p /var/spool/mlmmj
printf 'test.example\npostmaster@test.example\n\n' | mlmmj-make-ml -L ml > /dev/null
chown -R alias:nofiles /var/spool/mlmmj/ml
cd /var/spool/mlmmj/ml/control/
echo '-' > delimiter
touch subonlypost
chown alias:nofiles delimiter subonlypost
cd "$1"/alias
echo "|/usr/bin/mlmmj-receive -L /var/spool/mlmmj/ml/" > .qmail-ml
cp -a .qmail-ml .qmail-ml-default
chown alias:nofiles .qmail-ml .qmail-ml-default
chmod 600 .qmail-ml .qmail-ml-default
"#;

impl Lists {
    fn new() -> Option<Self> {
        let tree = Tree::among_others("usr/bin/mlmmj-receive")?;
        if tree.lacks(Need::Tool("tcpserver")) {
            return None;
        }
        tree.control("rcpthosts", "test.example\n");
        tree.alias("postmaster").instruct("", "#\n");
        let set_up = tree.command("/bin/sh").args(["-ec", SETUP, "sh"]).arg(tree.home()).run();
        assert_eq!(set_up.code, Some(0), "{}", set_up.said());
        // What mlmmj sends, it sends to port 25 of this host.
        let qmaild = tree.accounts().qmaild;
        let (uid, gid) = (qmaild.uid.to_string(), qmaild.gid.to_string());
        let server = tree.command("tcpserver").args(["-HRl0", "-u", &uid, "-g", &gid]);
        let server = server.env("RELAYCLIENT", "").args(["127.0.0.1", "25"]);
        let (smtpd, _) = server.arg(tree.home().join("bin/qmail-smtpd")).start();
        wait::until("the server", || {
            tree.within_network(|| std::net::TcpStream::connect("127.0.0.1:25").ok())
        });
        let running = tree.start();
        Some(Self { tree, running, smtpd })
    }

    fn send(&self, from: &str, to: &str, subject: &str) {
        let message = format!(
            "From: {from}\nTo: {to}\nSubject: {subject}\nMessage-ID: <{subject}@x>\n\nhi\n"
        );
        self.tree.queue(from, &[to], &message);
    }

    /// Waits for a message that says this, in full.
    fn arrives(&self, maildir: &Maildir, text: &str) -> String {
        let found = wait::until(&format!("{text:?} in {}", maildir.path().display()), || {
            let messages = maildir.messages().into_iter();
            let mut texts = messages.map(|message| String::from_utf8_lossy(&message).into_owned());
            texts.find(|message| message.contains(text))
        });
        assert!(!self.running.lines().iter().any(|line| line.contains("failure: ")));
        found
    }

    /// Has a user subscribe by mail, and confirm.
    fn subscribe(&self, address: &str, maildir: &Maildir) {
        self.send(address, "ml-subscribe@test.example", "please");
        let request = self.arrives(maildir, "ml-confsub-");
        let line = request.lines().find(|line| line.contains("ml-confsub-")).unwrap_or_default();
        let start = line.find("ml-confsub-").unwrap_or_default();
        let rest = &line[start..];
        let end = rest.find("test.example").unwrap_or_default() + "test.example".len();
        self.send(address, &rest[..end], "yes");
        self.arrives(maildir, "Thank you for confirming your subscription.");
    }
}

#[test]
fn a_list_takes_subscriptions_and_passes_mail_on() {
    let Some(lists) = Lists::new() else { return };
    let (joe, jane) =
        (lists.tree.user("joe").uses_maildir(), lists.tree.user("jane").uses_maildir());
    lists.subscribe("joe@test.example", &joe);
    lists.subscribe("jane@test.example", &jane);
    lists.send("jane@test.example", "ml@test.example", "news");
    for maildir in [&joe, &jane] {
        let mail = lists.arrives(maildir, "Subject: news\n");
        assert!(mail.starts_with("Return-Path: <ml-bounces-"), "{mail}");
    }
    // Somebody else is told that he may not.
    let eve = lists.tree.alias("eve").uses_maildir();
    lists.send("eve@test.example", "ml@test.example", "spam");
    lists.arrives(&eve, "ml@test.example");
    assert!(joe.messages().iter().all(|mail| !String::from_utf8_lossy(mail).contains("spam")));
}

#[test]
fn a_list_notices_bounces() {
    let Some(lists) = Lists::new() else { return };
    let joe = lists.tree.user("joe").uses_maildir();
    lists.subscribe("joe@test.example", &joe);
    lists.tree.user("joe").instruct("", "|echo gone; exit 100\n");
    lists.tree.queue(
        "joe@test.example",
        &["ml@test.example"],
        "From: joe@test.example\nTo: ml@test.example\nSubject: news\n\nhi\n",
    );
    let bounces = lists.tree.in_its_world("/var/spool/mlmmj/ml/bounce");
    wait::until("a note of the bounce", || {
        let names = qmail_conformance::files::names(&bounces);
        names.iter().any(|name| name.starts_with("joe=test.example")).then_some(())
    });
}
