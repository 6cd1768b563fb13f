//! What strangers and broken set-ups say to TLS, AUTH and POP3.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::chown;
use std::path::Path;

use qmail_conformance::conversation::Conversation;
use qmail_conformance::secure::Secure;
use qmail_conformance::{Need, Tree, files, peer, pop3, smtp};

fn lacks_tls() -> bool {
    let tree = Tree::under_test();
    tree.lacks(Need::Root)
        || tree.lacks(Need::Program("qmail-newcert"))
        || tree.lacks(Need::Tool("openssl"))
}

/// In the place of the certificate: what qmail-smtpd says to STARTTLS, and to its log.
fn starttls_with(secure: &Secure, text: &[u8]) -> (String, String) {
    let path = secure.tree.path("control/servercert.pem");
    let daemon = secure.tree.accounts().qmaild;
    files::write(&path, text);
    files::set_mode(&path, 0o640);
    chown(&path, Some(daemon.uid), Some(daemon.gid)).expect("root may");
    let mut session = smtp::Session::with(secure.smtpd(&[]).converse());
    assert_eq!(session.reply().code, 220);
    let reply = session.command("STARTTLS").text;
    assert_eq!(session.command("NOOP").code, 250, "{reply}");
    assert_eq!(session.command("QUIT").code, 221);
    (reply, session.conversation().errors())
}

fn parts(path: &Path) -> (String, String) {
    let text = String::from_utf8(files::read(path)).expect("it is text");
    let (key, certificate) = text.split_once("-----BEGIN CERT").expect("it has both");
    (key.to_owned(), format!("-----BEGIN CERT{certificate}"))
}

#[test]
fn an_expired_certificate_and_one_of_another_key_are_told_and_not_used() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let (key, _) = parts(&peer::certificate("other.pem"));
    let (_, certificate) = parts(&peer::certificate("relay.pem"));
    let damaged =
        certificate.replace("-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nAAA");
    let table = [
        (files::read(&peer::certificate("expired.pem")), "certificate is not valid now"),
        ([key.as_bytes(), certificate.as_bytes()].concat(), "key"),
        ([key.as_bytes(), damaged.as_bytes()].concat(), ""),
    ];
    for (text, reason) in table {
        let (reply, log) = starttls_with(&secure, &text);
        assert!(reply.starts_with("454 TLS unable to initialize"), "{reason}: {reply}");
        assert!(reply.contains(reason), "{reply}");
        assert!(log.contains("servercert.pem") && log.contains(reason), "{log}");
        // Who reads mail learns as much.
        let _pops = secure.serve(995, secure.popup(&[("POP3S", "1")]));
        let refused = secure.client(995, &[]).run();
        assert_ne!(refused.code, Some(0), "{reason}");
    }
}

#[test]
fn a_handshake_that_breaks_off_leaves_nothing_behind() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _smtps = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let _pops = secure.serve(995, secure.popup(&[("POP3S", "1")]));
    // The beginning of a hello; one whose length is a lie; plain text; what is no protocol at all.
    let beginnings: [&[u8]; 4] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"\x16\x03\x01\xff\xff\x01\x00\xff\xff\x03\x03",
        b"EHLO client.example\r\nUSER joe\r\n",
        &[0; 4096],
    ];
    for port in [465, 995] {
        for beginning in beginnings {
            let mut stream = secure.tree.connect(&format!("127.0.0.1:{port}"));
            stream.write_all(beginning).expect("somebody listens");
            stream.shutdown(Shutdown::Write).expect("it is connected");
            let mut said = Vec::new();
            // Ended or reset: there is nobody any more.
            let _ = stream.read_to_end(&mut said);
            let said = String::from_utf8_lossy(&said);
            assert!(!said.contains("220 ") && !said.contains("+OK"), "{port}: {said}");
        }
    }
    // Other sessions have not noticed.
    let finished = secure.client(465, &[]).stdin("QUIT\r\n").run();
    assert!(finished.text().contains("221 "), "{}", finished.said());
    let finished = secure.client(995, &[]).stdin("QUIT\r\n").run();
    assert!(finished.text().contains("+OK "), "{}", finished.said());
    for name in ["qmail-smtpd", "qmail-popup", "qmail-tlsrelay"] {
        qmail_conformance::wait::until(name, || {
            secure.tree.processes_named(name).is_empty().then_some(())
        });
    }
}

#[test]
fn a_handshake_where_commands_are_expected_is_no_command() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _submission = secure.serve(587, secure.smtpd(&[("SMTPAUTH", "!")]));
    let _pop = secure.serve(110, secure.popup(&[]));
    for port in [587, 110] {
        let finished = secure.client(port, &[]).run();
        assert_ne!(finished.code, Some(0), "{}", finished.said());
    }
    assert_eq!(secure.tree.queued(), 0);
}

#[test]
fn names_with_a_nul_are_nobodys() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let variables = [("SMTPAUTH", "+cram"), ("FORCETLS", "0")];
    let mut session = smtp::Session::with(secure.smtpd(&variables).converse());
    assert_eq!(session.reply().code, 220);
    // joe NUL x, for LOGIN; and a password with a NUL for PLAIN.
    assert_eq!(session.command("AUTH LOGIN am9lAHg=").text, MALFORMED);
    assert_eq!(session.command("AUTH LOGIN am9l").code, 334);
    assert_eq!(session.command("c2VjAHJldA==").text, MALFORMED);
    assert_eq!(session.command("AUTH PLAIN AGpvZQBzZWNyZXQAeA==").text, MALFORMED);
    // An answer to the challenge, of joe NUL x.
    assert_eq!(session.command("AUTH CRAM-MD5").code, 334);
    assert_eq!(session.command("am9lAHggMDAwMA==").text, MALFORMED);
    assert_eq!(session.command("NOOP").code, 250);
    let mut session = pop3::Session::with(secure.popup(&[("POP3AUTH", "+cram")]).converse());
    assert!(session.line().starts_with("+OK "));
    assert_eq!(session.command("AUTH CRAM-MD5").get(..2), Some("+ "));
    assert!(session.command("am9lAHggMDAwMA==").starts_with("-ERR"));
    assert_eq!(session.command("NOOP"), "+OK ");
}

const MALFORMED: &str = "501 malformed auth input (#5.5.4)\r\n";

#[test]
fn a_megabyte_is_no_answer_to_pop3_either() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let mut session = pop3::Session::with(secure.popup(&[("POP3AUTH", "+cram")]).converse());
    assert!(session.line().starts_with("+OK "));
    let megabyte = "QUFB".repeat(1 << 18);
    assert_eq!(session.command("AUTH CRAM-MD5").get(..2), Some("+ "));
    assert!(session.command(&megabyte).starts_with("-ERR"));
    assert!(session.command(&format!("USER {megabyte}")).starts_with("-ERR"));
    assert!(session.command(&format!("APOP {megabyte} x")).starts_with("-ERR"));
    // Cancelled, and an exchange that there is not.
    assert_eq!(session.command("AUTH CRAM-MD5").get(..2), Some("+ "));
    assert!(session.command("*").starts_with("-ERR"));
    assert!(session.command("AUTH GSSAPI").starts_with("-ERR"));
    assert_eq!(session.command("NOOP"), "+OK ");
}

#[test]
fn commands_behind_an_exchange_wait_for_its_end() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let variables = [("SMTPAUTH", "!"), ("FORCETLS", "0")];
    let mut session = smtp::Session::with(secure.smtpd(&variables).converse());
    assert_eq!(session.reply().code, 220);
    session.send("AUTH PLAIN\r\nAGpvZQBzZWNyZXQ=\r\nMAIL FROM:<joe@x>\r\nAUTH LOGIN\r\nRSET\r\n");
    let codes: Vec<u16> = (0..5).map(|_| session.reply().code).collect();
    assert_eq!(codes, [334, 235, 250, 503, 250]);
    session.send("AUTH LOGIN\r\n*\r\nNOOP\r\n");
    let codes: Vec<u16> = (0..3).map(|_| session.reply().code).collect();
    assert_eq!(codes, [503, 502, 250]);
}

#[test]
fn a_client_who_goes_during_the_check_takes_nobody_along() {
    if lacks_tls() {
        return;
    }
    let secure = Secure::new();
    let _ = secure.tree.user("joe").make_maildir("Maildir");
    let checker = secure.tree.scratch().join("checker");
    let mark = secure.tree.scratch().join("checked");
    files::write_script(
        &checker,
        &format!("cat <&3 > /dev/null; sleep 1; : > {}; exit 1", mark.display()),
    );
    let program = secure.tree.smtpd_program().env("FORCETLS", "0").arg(&checker).arg("true");
    let mut session = smtp::Session::with(program.converse());
    assert_eq!(session.reply().code, 220);
    session.send("AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n");
    assert_eq!(session.end(), Some(1));
    assert!(mark.exists());
    fs::remove_file(&mark).expect("it is there");
    let program = secure.tree.program("qmail-popup").args(["pop.test.example".into(), checker]);
    let mut conversation: Conversation = program.arg("x").converse();
    conversation.send("USER joe\r\nPASS secret\r\n");
    assert_eq!(conversation.end(), Some(1));
    assert!(mark.exists());
}
