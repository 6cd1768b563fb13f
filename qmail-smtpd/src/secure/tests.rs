use super::*;
use std::cell::RefCell;
use std::fs::{self, File, Permissions, create_dir};
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use qmail_core::accounts::Accounts;
use qmail_core::submit::QueueServer;
use qmail_wire::tlsrelay::{ClientCertificate, Failure, Handshake, Preparation, Secured};

use crate::testing::write_script;
use crate::variables::Variables;

/// What came of a session in a tree whose qmail-tlsrelay is a script.
struct Outcome {
    /// What the client was told in the clear.
    told: String,
    /// What was said to the script after its reports.
    inside: String,
    log: String,
    ended: Ended,
    /// What the queue program was given.
    queued: Vec<u8>,
}

const READY: &str = "printf '4:1:R,,' >&3; head -c 1 <&3 >/dev/null; ";

fn secured(server_name: Option<&str>, client: Option<ClientCertificate>) -> Secured {
    let server_name = server_name.map(str::to_owned);
    Secured { version: "TLSv1.3".into(), cipher: "CIPHER".into(), server_name, client }
}

fn report(outcome: Result<Secured, Failure>) -> String {
    let report = Handshake { notes: Vec::new(), outcome };
    String::from_utf8(report.encode()).unwrap()
}

/// A script that says what it has to, then what the client says, and writes down the answers.
fn carrying(secured: Secured, said: &str) -> String {
    let report = report(Ok(secured));
    format!("{READY}printf '%s' '{report}' >&3; printf '{said}' >&3; cat <&3 > inside/told")
}

/// A client who sends `input` at once. No script: the program is not there.
fn session(script: Option<&str>, input: &str, variables: &'static [(&str, &str)]) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let write = |name: &str, text: &str| {
        File::create(path(name)).unwrap().write_all(text.as_bytes()).unwrap();
    };
    for directory in ["bin", "control", "users", "inside"] {
        create_dir(path(directory)).unwrap();
    }
    // Started by root, somebody else runs it.
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(path("inside"), Permissions::from_mode(0o777)).unwrap();
    write("users/ids", &Accounts::single_user(65_534, 65_534, home.path()).to_ids());
    for (name, text) in
        [("me", "here"), ("rcpthosts", "here"), ("servercert.pem", ""), ("tlsclients", "a@b\n")]
    {
        write(&format!("control/{name}"), text);
    }
    if let Some(script) = script {
        let script = format!("cd {}; {script}", home.path().display());
        write_script(&path("bin/qmail-tlsrelay"), &script);
    }
    write_script(&path("bin/qmail-queue"), "cat > message; cat <&1 > envelope");
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_bytes().to_vec())
    };
    let settings = Settings::read(home.path(), Variables::new(Box::new(variable))).unwrap();
    let mut said = tempfile::tempfile().unwrap();
    said.write_all(input.as_bytes()).and_then(|()| said.rewind()).unwrap();
    let told = File::create(path("told")).unwrap();
    let connection = Connection::over(said.into(), told.into(), Duration::from_secs(600));
    let log = RefCell::new(Vec::new());
    let write_down = |line: &[u8]| log.borrow_mut().extend([line, b"\n"].concat());
    let world =
        World { home: home.path(), queue: &QueueServer::new(), now: || 0, log: &write_down };
    let ended = serve(connection, settings, [], &world);
    let text = |name: &str| fs::read_to_string(path(name)).unwrap_or_default();
    let (told, inside, queued) = (text("told"), text("inside/told"), text("envelope").into_bytes());
    Outcome { told, inside, log: String::from_utf8(log.take()).unwrap(), ended, queued }
}

const STARTTLS: &str = "EHLO x\r\nSTARTTLS\r\n";

#[test]
fn inside_tls_the_session_begins_anew() {
    let said = "MAIL FROM:<a@b>\\r\\nSTARTTLS\\r\\nEHLO in\\r\\nQUIT\\r\\n";
    let outcome = session(Some(&carrying(secured(None, None), said)), STARTTLS, &[]);
    assert!(outcome.told.ends_with("220 ready for tls\r\n"), "{}", outcome.told);
    let expected = "250 ok\r\n502 unimplemented (#5.5.1)\r\n\
                    250-here\r\n250-PIPELINING\r\n250 8BITMIME\r\n221 here\r\n";
    assert_eq!((outcome.inside.as_str(), outcome.ended), (expected, Ended::Quit));
    assert_eq!(outcome.log, "");
}

#[test]
fn a_client_is_greeted_by_the_name_it_asked_for() {
    let script = carrying(secured(Some("other.example"), None), "QUIT\\r\\n");
    let outcome = session(Some(&script), "", &[("SMTPS", "")]);
    assert_eq!(outcome.inside, "220 other.example ESMTP\r\n221 other.example\r\n");
    assert_eq!((outcome.told.as_str(), outcome.ended), ("", Ended::Quit));
}

#[test]
fn the_list_of_certificates_is_ours_to_judge() {
    let rcpt = "MAIL FROM:<x@y>\\r\\nRCPT TO:<far@away>\\r\\nQUIT\\r\\n";
    let trusted = |mailboxes: &[&str]| {
        let mailboxes = mailboxes.iter().map(|mailbox| mailbox.as_bytes().to_vec());
        Some(ClientCertificate::Trusted(mailboxes.collect()))
    };
    for (client, reply) in [
        (trusted(&["a@b"]), "250 ok"),
        (trusted(&["x@y", "A@B"]), "250 ok"),
        (trusted(&["x@y"]), "gatewaying: email address not in my list of tlsclients (#5.7.1)"),
        (trusted(&[]), "gatewaying: contains no email address (#5.7.1)"),
        (Some(ClientCertificate::Doubtful("expired".into())), "gatewaying: expired (#5.7.1)"),
        (None, "no valid cert for gatewaying (#5.7.1)"),
    ] {
        let script = carrying(secured(None, client.clone()), rcpt);
        let outcome = session(Some(&script), STARTTLS, &[]);
        let said = outcome.inside.lines().nth(1).unwrap();
        assert!(said.ends_with(reply), "{client:?}: {said}");
    }
}

#[test]
fn one_that_is_missing_or_not_able_is_told_and_the_session_goes_on() {
    let unable = Preparation { notes: vec!["reason".into()], outcome: Err("no use".into()) };
    let unable = format!("printf '{}' >&3", String::from_utf8(unable.encode()).unwrap());
    let broken = "454 TLS unable to initialize ctx: qmail-tlsrelay does not work (#4.3.0)\r\n";
    for (script, reply, log) in [
        (None, broken, "bin/qmail-tlsrelay does not work: file does not exist ip="),
        (Some("exit 1"), broken, "bin/qmail-tlsrelay does not work: it ended without a report ip="),
        (Some("echo hello >&3"), broken, "bin/qmail-tlsrelay does not work: malformed report ip="),
        (
            Some(unable.as_str()),
            "454 TLS unable to initialize ctx: no use (#4.3.0)\r\n",
            "TLS: reason ip=",
        ),
    ] {
        let outcome = session(script, "STARTTLS\r\nNOOP\r\nQUIT\r\n", &[]);
        let expected = format!("220 here ESMTP\r\n{reply}250 ok\r\n221 here\r\n");
        assert_eq!((outcome.told, outcome.ended), (expected, Ended::Quit), "{script:?}");
        assert!(outcome.log.contains(log), "{}", outcome.log);
        let outcome = session(script, "EHLO x\r\nQUIT\r\n", &[("SMTPS", "")]);
        assert_eq!((outcome.told.as_str(), outcome.ended), (reply, Ended::Otherwise), "{script:?}");
        assert!(outcome.log.contains(log), "{}", outcome.log);
    }
}

#[test]
fn after_a_handshake_that_failed_nothing_is_obeyed() {
    let failed = "454 TLS connection failed: ";
    let said = |failure| format!("printf '{}' >&3", report(Err(failure)));
    let broken = "qmail-tlsrelay does not work";
    let mut half = report(Ok(secured(None, None)));
    half.truncate(half.len() / 2);
    for (script, reason) in [
        (said(Failure::Reason("bad hello".into())), "bad hello"),
        (said(Failure::Gone), "connection closed"),
        ("exit 1".into(), broken),
        (format!("printf '{half}' >&3; kill -9 $$"), broken),
        ("printf 'QUIT\\r\\n' >&3".into(), broken),
    ] {
        for (input, variables) in [(STARTTLS, &[][..]), ("", &[("SMTPS", "")][..])] {
            let outcome = session(Some(&format!("{READY}{script}")), input, variables);
            let expected = format!("{failed}{reason} (#4.3.0)\r\n");
            assert!(outcome.told.ends_with(&expected), "{script}: {}", outcome.told);
            assert_eq!(outcome.ended, Ended::Otherwise);
            assert!(outcome.log.contains(&format!("TLS: connection failed: {reason} ip=")));
        }
    }
}

#[test]
fn a_message_that_breaks_off_with_tls_is_not_queued() {
    let begin =
        "MAIL FROM:<x@y>\\r\\nRCPT TO:<joe@here>\\r\\nDATA\\r\\nSubject: x\\r\\n\\r\\nx\\r\\n";
    let report = report(Ok(secured(None, None)));
    let broken = format!("{READY}printf '{report}{begin}' >&3; kill -9 $$");
    let outcome = session(Some(&broken), STARTTLS, &[]);
    assert_eq!((outcome.queued, outcome.ended), (Vec::new(), Ended::Otherwise));
    assert!(outcome.told.ends_with("220 ready for tls\r\n"), "{}", outcome.told);
    let whole = carrying(secured(None, None), &format!("{begin}.\\r\\nQUIT\\r\\n"));
    let outcome = session(Some(&whole), STARTTLS, &[]);
    assert_eq!(
        (outcome.queued.as_slice(), outcome.ended),
        (&b"Fx@y\0Tjoe@here\0\0"[..], Ended::Quit)
    );
}
