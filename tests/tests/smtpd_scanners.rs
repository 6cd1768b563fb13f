//! hi-q with the real SpamAssassin and the real ClamAV behind it. Ours only.

use std::path::Path;
use std::process::Child;

use qmail_conformance::smtp::Reply;
use qmail_conformance::{Need, Tree, files, wait};

const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

/// A tree on whose machine these programs are.
fn with(tools: &[&'static str]) -> Option<Tree> {
    let tree = Tree::under_test();
    if tree.is_original() {
        println!("skipped: the original has no hi-q");
        return None;
    }
    let needs = tools.iter().map(|tool| Need::Tool(tool)).chain([Need::Root]);
    for need in needs {
        if tree.lacks(need) {
            return None;
        }
    }
    Some(tree)
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn send(tree: &Tree, variables: &[(&str, &str)], body: &str) -> Reply {
    let mut variables = variables.to_vec();
    variables.extend([("QMAILQUEUE", "bin/hi-q"), ("PATH", "/usr/local/bin:/usr/bin:/bin")]);
    let session = tree.smtpd_with(&variables).mail_from("a@sender.example");
    let header = "From: Ann <a@sender.example>\r\nTo: joe@here.example\r\nSubject: minutes\r\n\
                  Message-ID: <1@sender.example>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n";
    let mut session = session.rcpt_to("joe@here.example");
    session.data(format!("{header}\r\nHere are the minutes of the meeting.\r\n{body}\r\n"))
}

#[test]
fn spamd_has_a_green_a_yellow_and_a_red_zone() {
    let Some(tree) = with(&["spamd", "spamc"]) else { return };
    tree.control("filters", "bin/spam-zones -d 127.0.0.1 -p 7830\n");
    let dead = send(&tree, &[], "");
    assert_eq!(dead.text, "451 mail server temporarily rejected message (#4.3.0)\r\n");
    let spamd = tree
        .command("/usr/sbin/spamd")
        .args(["-L", "-x", "-u", "nobody", "-i", "127.0.0.1", "-A", "127.0.0.1", "-p", "7830"])
        .args(["-m", "1"])
        .start();
    let _server = Server(spamd.0);
    wait::until("spamd", || {
        tree.within_network(|| std::net::TcpStream::connect("127.0.0.1:7830")).ok()
    });
    assert_eq!(send(&tree, &[], "").code, 250);
    assert!(tree.only_todo().text().contains("X-Spam-Status: No"));
    let red = send(&tree, &[], GTUBE);
    assert_eq!(red.text, "554 message rejected by spam filter (#5.7.1)\r\n");
    assert_eq!(tree.queued(), 1);
    assert_eq!(send(&tree, &[("SPAM_RED", "2000")], GTUBE).code, 250);
    let yellow = tree.todo().into_iter().any(|queued| queued.text().contains("X-Spam-Status: Yes"));
    assert!(yellow, "not marked");
}

#[test]
fn clamd_refuses_what_is_in_its_database() {
    let Some(tree) = with(&["clamd", "clamdscan"]) else { return };
    let directory = tree.scratch().join("clamav");
    std::fs::create_dir(&directory).unwrap();
    files::set_mode(&directory, 0o777);
    // Not the whole text in one piece, or this file would be refused itself.
    let eicar =
        [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let hex: String = eicar.bytes().map(|byte| format!("{byte:02x}")).collect();
    files::write(&directory.join("own.ndb"), format!("Own.Eicar:0:*:{hex}\n"));
    let configuration = configure(&directory);
    let filter = format!("bin/virus-check --config-file={configuration} --stream\n");
    tree.control("filters", filter);
    let dead = send(&tree, &[], "");
    assert_eq!(dead.text, "451 mail server temporarily rejected message (#4.3.0)\r\n");
    let clamd = tree.command("/usr/sbin/clamd").args(["-c", &configuration]).start();
    let _server = Server(clamd.0);
    wait::until("clamd", || directory.join("socket").exists().then_some(()));
    assert_eq!(send(&tree, &[], "").code, 250);
    let refused = send(&tree, &[], &eicar);
    assert_eq!(refused.text, "554 message rejected by spam filter (#5.7.1)\r\n");
    assert_eq!(tree.queued(), 1);
}

fn configure(directory: &Path) -> String {
    let path = directory.join("clamd.conf");
    let place = directory.display();
    let text = format!(
        "Foreground yes\nDatabaseDirectory {place}\nLocalSocket {place}/socket\n\
         LocalSocketMode 666\nTemporaryDirectory {place}\nOfficialDatabaseOnly no\n"
    );
    files::write(&path, text);
    path.to_str().expect("a plain path").to_owned()
}
