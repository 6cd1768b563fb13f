//! TLS and AUTH: what is refused, what is forgotten, and what a broken set-up says.

use std::os::unix::fs::symlink;
use std::time::Duration;

use qmail_conformance::conversation::Conversation;
use qmail_conformance::secure::Secure;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, files};

fn lacks_tls() -> bool {
    let tree = Tree::under_test();
    tree.lacks(Need::Root)
        || tree.lacks(Need::Program("qmail-newcert"))
        || tree.lacks(Need::Tool("openssl"))
}

/// A session after its greeting.
fn greeted(program: qmail_conformance::process::Program<'_>) -> Session {
    let mut session = Session::with(program.converse());
    assert_eq!(session.reply().code, 220);
    session
}

const IN_CLEAR: [(&str, &str); 2] = [("SMTPAUTH", "+cram"), ("FORCETLS", "0")];

#[test]
fn what_was_piped_behind_starttls_is_not_obeyed() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(25, secure.smtpd(&[]));
    let mut client = Session::with(Conversation::over(secure.tree.connect("127.0.0.1:25")));
    assert_eq!(client.reply().code, 220);
    client.send("EHLO x\r\n");
    assert!(client.reply().text.contains("STARTTLS"));
    client.send("STARTTLS\r\nRSET\r\nMAIL FROM:<evil@x>\r\n");
    assert_eq!(client.reply().code, 220);
    assert_eq!(client.rest(), "");
}

#[test]
fn nothing_of_before_tls_counts_in_it() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(25, secure.smtpd(&IN_CLEAR));
    // Logged in, and in a transaction, before TLS; then straight on in TLS.
    let script = "
import smtplib, ssl
server = smtplib.SMTP('127.0.0.1', 25)
server.login('joe', 'secret')
print(server.docmd('MAIL FROM:<joe@x>'), server.docmd('RCPT TO:<far@away>'))
code = server.docmd('STARTTLS')
server.sock = ssl._create_unverified_context().wrap_socket(server.sock)
server.file = None
print(server.docmd('DATA'), server.docmd('RCPT TO:<far@away>'))
print(server.docmd('MAIL FROM:<joe@x>'), server.docmd('RCPT TO:<far@away>'))
print(server.docmd('STARTTLS'), server.docmd('EHLO x'))
";
    let said = secure.tree.command("/usr/bin/python3").args(["-c", script]).run().said();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert_eq!(lines[0], "(250, b'ok') (250, b'ok')");
    assert_eq!(lines[1], "(503, b'MAIL first (#5.5.1)') (503, b'MAIL first (#5.5.1)')");
    assert!(lines[2].contains("(553, ") && lines[2].contains("no valid cert for gatewaying"));
    assert!(lines[3].starts_with("(502, ") && !lines[3].contains("STARTTLS"), "{said}");
}

#[test]
fn auth_has_its_replies() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let mut session = greeted(secure.smtpd(&IN_CLEAR));
    assert!(session.command("EHLO x").text.contains("250 AUTH LOGIN PLAIN CRAM-MD5\r\n"));
    let table = [
        ("AUTH", "504 auth type unimplemented (#5.5.1)"),
        ("AUTH GSSAPI", "504 auth type unimplemented (#5.5.1)"),
        ("AUTH PLAIN !", "501 malformed auth input (#5.5.4)"),
        ("AUTH PLAIN =", "501 malformed auth input (#5.5.4)"),
        ("AUTH PLAIN AGpvZQBzAGVjcmV0", "501 malformed auth input (#5.5.4)"),
        ("AUTH PLAIN AABzZWNyZXQ=", "501 malformed auth input (#5.5.4)"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        ("am9l", "334 UGFzc3dvcmQ6"),
        ("*", "501 auth exchange canceled (#5.0.0)"),
        ("AUTH LOGIN am9l", "334 UGFzc3dvcmQ6"),
        ("am\x00l", "501 malformed auth input (#5.5.4)"),
        ("AUTH LOGIN ", "334 VXNlcm5hbWU6"),
        ("*", "501 auth exchange canceled (#5.0.0)"),
        ("AUTH PLAIN", "334 "),
        ("NOOP", "501 malformed auth input (#5.5.4)"),
        ("NOOP", "250 ok"),
        ("MAIL FROM:<a@b>", "250 ok"),
        ("AUTH LOGIN", "503 no auth during mail transaction (#5.5.0)"),
        ("RSET", "250 flushed"),
        ("AUTH PLAIN AGpvZQBzZWNyZXQ=", "235 ok, go ahead (#2.0.0)"),
        ("AUTH PLAIN AGpvZQBzZWNyZXQ=", "503 you're already authenticated (#5.5.0)"),
        ("RSET", "250 flushed"),
        ("EHLO y", ""),
        ("MAIL FROM:<a@b>", "250 ok"),
        ("RCPT TO:<far@away>", "250 ok"),
    ];
    for (line, reply) in table {
        let said = session.command(line).text;
        assert!(reply.is_empty() || said == format!("{reply}\r\n"), "{line}: {said}");
    }
}

#[test]
fn guessing_is_slow_and_ends() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let mut session = greeted(secure.smtpd(&IN_CLEAR));
    let started = std::time::Instant::now();
    for code in [535, 535, 421] {
        assert_eq!(session.command("AUTH PLAIN AGpvZQB3cm9uZw==").code, code);
    }
    assert!(started.elapsed() >= Duration::from_secs(14));
    assert_eq!(session.rest(), "");
    let log = session.conversation().errors();
    assert_eq!(log.matches("auth: auth-failed type=plain user=<joe> ip=192.0.2.1").count(), 3);
}

#[test]
fn a_megabyte_of_base64_is_dropped_and_the_exchange_over() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let mut session = greeted(secure.smtpd(&IN_CLEAR));
    assert_eq!(session.command("AUTH LOGIN").code, 334);
    assert_eq!(session.command("QUFB".repeat(1 << 18)).code, 500);
    assert_eq!(session.command("NOOP").code, 250);
    assert_eq!(session.command(format!("AUTH PLAIN {}", "QUFB".repeat(1 << 18))).code, 500);
    // As long as it may be, and pipelined.
    session.send(format!(
        "AUTH LOGIN\r\n{}\r\n{}\r\nNOOP\r\n",
        "QUFB".repeat(200),
        "QUFB".repeat(200)
    ));
    let codes: Vec<u16> = (0..4).map(|_| session.reply().code).collect();
    assert_eq!(codes, [334, 334, 535, 250]);
}

#[test]
fn a_checker_that_fails_is_no_wrong_password() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let table = [
        ("exit 111", 454),
        ("kill -9 $$", 454),
        ("cat <&3 >/dev/null; kill -SEGV $$", 454),
        ("cat <&3 >/dev/null; exec \"$@\"", 235),
    ];
    for (script, code) in table {
        let checker = secure.tree.scratch().join("checker");
        files::write_script(&checker, script);
        let program = secure.tree.smtpd_program().env("FORCETLS", "0");
        let mut session = greeted(program.arg(checker).arg("true"));
        assert_eq!(session.command("AUTH PLAIN AGpvZQBzZWNyZXQ=").code, code, "{script}");
        session.command("QUIT");
        let log = session.conversation().errors();
        let word = if code == 454 { "auth: the AUTH program failed ip=" } else { "auth-success" };
        assert!(log.contains(word) && !log.contains("auth-failed"), "{script}: {log}");
    }
    let program = secure.tree.smtpd_program().env("FORCETLS", "0");
    let mut session = greeted(program.args(["/nonexistent/checker", "true"]));
    assert_eq!(session.command("AUTH PLAIN AGpvZQBzZWNyZXQ=").code, 454);
}

#[test]
fn a_subprogram_in_the_place_of_the_checker_accepts_nobody() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    for words in [&["true"][..], &["/bin/true", "x"], &["no.such.host", "true", "x"]] {
        let program = secure.tree.smtpd_program().env("FORCETLS", "0");
        let mut session = greeted(program.args(words.iter().copied()));
        assert!(!session.command("EHLO x").text.contains("AUTH"), "{words:?}");
        let reply = session.command("AUTH PLAIN AGpvZQBzZWNyZXQ=").text;
        assert_eq!(reply, "503 auth not available (#5.3.3)\r\n", "{words:?}");
    }
}

#[test]
fn what_is_demanded_comes_before_mail() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let mut session = greeted(secure.smtpd(&[("SMTPAUTH", "!"), ("FORCETLS", "0")]));
    assert_eq!(session.command("MAIL FROM:<>").text, "530 Authorization required (#5.7.1) \r\n");
    let mut session = greeted(secure.smtpd(&[("FORCE_TLS", "1")]));
    assert_eq!(session.command("MAIL FROM:<>").text, "503 STARTTLS first (#5.5.1)\r\n");
    let variables = [("FORCEAUTHMAILFROM", "1"), ("FORCETLS", "0")];
    let mut session = greeted(secure.smtpd(&variables));
    assert_eq!(session.command("AUTH PLAIN AGpvZQBzZWNyZXQ=").code, 235);
    let reply = session.command("MAIL FROM:<jane@test.example>").text;
    assert_eq!(reply, "503 from and auth not the same (#5.5.1)\r\n");
    assert_eq!(session.command("MAIL FROM:<joe@test.example>").code, 250);
    let program = secure.smtpd(&[("FORCE_TLS", "1"), ("DENY_TLS", "1")]);
    let mut session = Session::with(program.converse());
    assert_eq!(session.reply().text, "421 FORCE_TLS and DENY_TLS both found (#4.3.0)\r\n");
}

#[test]
fn a_message_says_how_it_came() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(465, secure.smtpd(&[("SMTPS", ""), ("SMTPAUTH", "!")]));
    let script = "
import smtplib, ssl
server = smtplib.SMTP_SSL('127.0.0.1', 465, context=ssl._create_unverified_context())
server.login('joe', 'secret')
server.sendmail('joe@test.example', ['far@away.example'], 'Subject: x\\r\\n\\r\\nx\\r\\n')
";
    let finished = secure.tree.command("/usr/bin/python3").args(["-c", script]).run();
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    let text = String::from_utf8(secure.tree.todo().remove(0).message).unwrap();
    assert!(text.contains("(joe@192.0.2.1)"), "{text}");
    assert!(text.contains("with ESMTPSA (TLS_") && text.contains(" encrypted, authenticated); "));
}

#[test]
fn certificates_that_cannot_be_used_are_told_to_client_and_log() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let path = secure.tree.path("control/servercert.pem");
    let good = String::from_utf8(files::read(&path)).unwrap();
    let key = good.split_once("-----BEGIN CERT").unwrap().0.to_owned();
    let table = [
        (String::new(), 0o640, "no private key found"),
        (key, 0o640, "no certificate found"),
        (good, 0o644, "private key is readable by everybody"),
    ];
    for (text, mode, reason) in table {
        files::write(&path, text);
        files::set_mode(&path, mode);
        let mut session = greeted(secure.smtpd(&[]));
        assert!(session.command("EHLO x").text.contains("STARTTLS"));
        let reply = session.command("STARTTLS").text;
        assert_eq!(reply, format!("454 TLS unable to initialize ctx: {reason} (#4.3.0)\r\n"));
        assert_eq!(session.command("NOOP").code, 250);
        assert_eq!(session.command("QUIT").code, 221);
        let log = session.conversation().errors();
        assert!(log.contains(&format!("control/servercert.pem: {reason} ip=192.0.2.1")), "{log}");
    }
    secure.tree.remove_control("servercert.pem");
    let mut session = greeted(secure.smtpd(&[]));
    assert!(!session.command("EHLO x").text.contains("STARTTLS"));
    assert_eq!(session.command("STARTTLS").code, 502);
    let mut first = Session::with(secure.smtpd(&[("SMTPS", "")]).converse());
    assert_eq!(first.reply().text, "454 TLS missing certificate (#4.3.0)\r\n");
    assert!(first.conversation().errors().contains("TLS missing certificate"));
    symlink("loop", &path).unwrap();
    assert_eq!(greeted(secure.smtpd(&[])).command("STARTTLS").code, 502);
}

#[test]
fn what_is_no_tls_is_told_and_a_handshake_that_breaks_off_ends() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let mut session = Session::with(secure.smtpd(&[("SMTPS", "")]).converse());
    session.send("EHLO client.example\r\n");
    let told = session.rest();
    assert!(told.contains("454 TLS connection failed: "), "{told:?}");
    assert!(session.conversation().errors().contains("TLS: connection failed: "));
    let mut session = Session::with(secure.smtpd(&[("SMTPS", "")]).converse());
    session.send(b"\x16\x03\x01\x02\x00\x01\x00\x01");
    assert_eq!(session.end(), Some(1));
    // TLS to a port that waits for a command: nothing of it is one.
    let _server = secure.serve(25, secure.smtpd(&[]));
    let finished = secure.client(25, &[]).run();
    assert_ne!(finished.code, Some(0));
}

#[test]
fn pop3_has_its_replies() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _server = secure.serve(110, secure.popup(&[("FORCETLS", "1")]));
    let connect = || {
        let conversation = Conversation::over(secure.tree.connect("127.0.0.1:110"));
        let mut session = qmail_conformance::pop3::Session::with(conversation);
        assert!(session.line().starts_with("+OK <"));
        session
    };
    let mut session = connect();
    assert!(session.listing("CAPA").contains("STLS\r\n"));
    assert_eq!(session.command("USER joe"), "-ERR TLS required but not negotiated");
    assert_eq!(session.rest(), "");
    // What was piped behind STLS is no command in TLS.
    let mut session = connect();
    session.send("STLS\r\nCAPA\r\nUSER joe\r\nPASS secret\r\n");
    assert_eq!(session.line(), "+OK starting TLS negotiation");
    assert!(!session.rest().contains("+OK"));
    files::set_mode(&secure.tree.path("control/servercert.pem"), 0o644);
    let mut session = connect();
    assert_eq!(session.command("STLS"), "-ERR STLS not available");
    assert_eq!(session.command("NOOP"), "+OK ");
    assert!(!session.listing("CAPA").contains("STLS"));
    assert_eq!(session.command("QUIT"), "+OK ");
}

#[test]
fn root_takes_no_tls_apart() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let joe = secure.tree.user("joe");
    let _ = joe.make_maildir("Maildir");
    let _server = secure.serve(995, secure.popup(&[("POP3S", "")]));
    let script = "
import os, poplib, ssl
server = poplib.POP3_SSL('127.0.0.1', 995, context=ssl._create_unverified_context())
server.user('joe'); server.pass_('secret')
for process in filter(str.isdigit, os.listdir('/proc')):
    try:
        name = os.path.basename(os.readlink(f'/proc/{process}/exe'))
        uid = os.stat(f'/proc/{process}').st_uid
    except OSError:
        continue
    if name in ('qmail-tlsrelay', 'qmail-pop3d'):
        print(name, uid)
server.quit()
";
    let said = secure.tree.command("/usr/bin/python3").args(["-c", script]).run().said();
    let daemon = secure.tree.accounts().qmaild.uid;
    assert!(said.contains(&format!("qmail-tlsrelay {daemon}\n")), "{said}");
    assert!(said.contains(&format!("qmail-pop3d {}\n", joe.identity().uid)), "{said}");
}

#[test]
fn checkpassword_can_be_where_only_qmaild_reaches_it() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let tree = &secure.tree;
    let directory = tree.scratch().join("qmaild");
    let bin = tree.home().join("bin");
    let [bin, protected] = [&bin, &directory].map(|path| path.to_str().unwrap());
    let made = tree.install(&["--from", bin, "protect", protected]);
    assert_eq!(made.code, Some(0), "{}", made.said());
    assert_eq!(
        (files::mode(&directory), files::owner(&directory).0),
        (0o500, tree.accounts().qmaild.uid)
    );
    let path = directory.join("checkpassword");
    assert_eq!((files::mode(&path), files::owner(&path)), (0o4711, (0, 0)));
    let check = |request: &str, identity| {
        let program = tree.command("sh").args(["-c", "exec \"$0\" -"]).arg(&path);
        let program = program.run_as(identity).env("CHECKPASSWORD_UNIT", "0");
        program.stdin(request.as_bytes()).run().code
    };
    let daemon = tree.accounts().qmaild;
    assert_eq!(check("joe\0secret\0x\0", daemon), Some(0));
    assert_eq!(check("joe\0wrong\0x\0", daemon), Some(1));
    assert_eq!(check("nobody-here\0secret\0x\0", daemon), Some(1));
    assert_eq!(check("joe", daemon), Some(2));
    assert_eq!(check("joe\0secret\0x\0", tree.user("jane").identity()), Some(126));
    // And with the shadow file, by SMTP.
    let program = tree.smtpd_program().env("FORCETLS", "0").arg(&path).arg("true");
    let mut session = greeted(program);
    assert_eq!(session.command("AUTH PLAIN AGpvZQBzZWNyZXQ=").code, 235);
}

#[test]
fn a_set_id_cmd5checkpw_does_for_root_what_another_does() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new().with_set_id_checker();
    let _ = secure.tree.user("joe").make_maildir("Maildir");
    let mut session = qmail_conformance::pop3::Session::with(secure.popup(&[]).converse());
    assert!(session.line().starts_with("+OK "));
    assert_eq!(session.command("USER joe"), "+OK ");
    assert_eq!(session.command("PASS secret"), "+OK ");
    assert_eq!(session.command("STAT"), "+OK 0 0");
    assert_eq!(session.command("QUIT"), "+OK ");
    // And by SMTP it is nobody's but his who starts it.
    let mut session = greeted(secure.smtpd(&IN_CLEAR));
    assert_eq!(session.command("AUTH PLAIN AGpvZQBzZWNyZXQ=").code, 235);
}

#[test]
fn a_protected_checkpassword_takes_no_passwords_from_who_starts_it() {
    let tree = Tree::under_test();
    if tree.lacks(Need::Root) || tree.lacks(Need::Program("checkpassword")) {
        return;
    }
    let directory = tree.scratch().join("qmaild");
    let bin = tree.home().join("bin");
    let [bin, protected] = [&bin, &directory].map(|path| path.to_str().unwrap());
    let made = tree.install(&["--from", bin, "protect", protected]);
    assert_eq!(made.code, Some(0), "{}", made.said());
    // Root's, and nobody else may read it; but what is in it is the caller's.
    let line = format!("qmailq:{HASH_OF_SECRET}\n");
    let attempt = |file: &str| {
        let become_qmailq = ["-c", "exec \"$0\" -f \"$1\" id -u"];
        let program = tree.command("sh").args(become_qmailq).arg(directory.join("checkpassword"));
        let program = program.arg(file).env("CHECKPASSWORD_UNIT", "0").env("OWN", &line);
        let program = program.env("OTHER", format!("\n{line}"));
        program.run_as(tree.accounts().qmaild).stdin(b"qmailq\0secret\0x\0").run()
    };
    for file in ["/proc/self/environ", "/etc/../proc/self/environ"] {
        let finished = attempt(file);
        assert_eq!((finished.code, finished.text()), (Some(111), String::new()), "{file}");
    }
}

/// "secret", as crypt(3) leaves it.
const HASH_OF_SECRET: &str = "$6$wZyZ1iAeQxHq2V1b$XmWd8VFzALcwYUS4UC0.6Akko.ufMr.cyTKpvCdg7KxxciKqPnPt6UC1SYK6Qf3ijEQ/jqd8IdBhLgsWNZdce1";

#[test]
fn a_certificate_of_a_listed_client_lets_it_relay() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let place = secure.tree.scratch();
    let make = "
set -e
cd \"$0\"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 9
for who in good other; do
    openssl req -newkey rsa:2048 -nodes -keyout $who.key -out $who.csr -subj /CN=$who
    printf 'subjectAltName=email:%s@client.example\\n' $who > ext
    openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -extfile ext -out $who.crt
    cat $who.key $who.crt > $who.pem
done
";
    let made = secure.tree.command("sh").args(["-c", make]).arg(&place).run();
    assert_eq!(made.code, Some(0), "{}", made.errors());
    secure.tree.control("clientca.pem", files::read(&place.join("ca.pem")));
    secure.tree.control("tlsclients", "Good@client.example\n");
    let _server = secure.serve(25, secure.smtpd(&[]));
    let script = "
import smtplib, ssl, sys
context = ssl._create_unverified_context()
if sys.argv[1]:
    context.load_cert_chain(sys.argv[1])
server = smtplib.SMTP('127.0.0.1', 25)
server.starttls(context=context)
server.ehlo()
print(server.docmd('MAIL FROM:<a@b>'), server.docmd('RCPT TO:<far@away>'))
";
    let rcpt = |shown: &str| {
        let file =
            if shown.is_empty() { String::new() } else { place.join(shown).display().to_string() };
        let program = secure.tree.command("/usr/bin/python3").args(["-c", script, &file]);
        program.run().said()
    };
    assert!(rcpt("good.pem").ends_with("(250, b'ok')\n"), "{}", rcpt("good.pem"));
    assert!(rcpt("other.pem").contains("email address not in my list of tlsclients (#5.7.1)"));
    assert!(rcpt("").contains("; no valid cert for gatewaying (#5.7.1)"));
}
