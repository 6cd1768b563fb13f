//! Every client can log in where it should, and nowhere else: client by mechanism by connection.

#[path = "clients/matrix.rs"]
mod matrix;
#[path = "clients/others.rs"]
mod others;
#[path = "clients/scanners.rs"]
mod scanners;

use qmail_conformance::process::Program;
use qmail_conformance::secure::Secure;
use qmail_conformance::{Tree, files};

use matrix::{LINKS, Link, MESSAGE, fetch_by, lacks, send_by};

#[test]
fn swaks_sends() {
    send_by("swaks", |program, mechanism, link, password| {
        let program = match link {
            Link::Plain => program.args(["--server", "127.0.0.1:587"]),
            Link::Upgraded => program.args(["--server", "127.0.0.1:587", "--tls"]),
            Link::Implicit => program.args(["--server", "127.0.0.1:465", "--tlsc"]),
        };
        let program = program.args(["--auth", mechanism, "--auth-user", "joe"]);
        let program = program.args(["--auth-password", password, "--from", "joe@test.example"]);
        program.args(["--to", "joe@test.example"]).run()
    });
}

#[test]
fn msmtp_sends() {
    send_by("msmtp", |program, mechanism, link, password| {
        let program = program.args(["--host=127.0.0.1", "--user=joe", "--tls-certcheck=off"]);
        let program = program.arg(format!("--auth={}", mechanism.to_lowercase()));
        let program = program.arg(format!("--passwordeval=echo {password}"));
        let program = match link {
            Link::Plain => program.args(["--port=587", "--tls=off"]),
            Link::Upgraded => program.args(["--port=587", "--tls=on", "--tls-starttls=on"]),
            Link::Implicit => program.args(["--port=465", "--tls=on", "--tls-starttls=off"]),
        };
        program.args(["--from=joe@test.example", "joe@test.example"]).stdin(MESSAGE).run()
    });
}

#[test]
fn curl_sends() {
    send_by("curl", |program, mechanism, link, password| {
        let (scheme, port) = if link == Link::Implicit { ("smtps", 465) } else { ("smtp", 587) };
        let program = program.args(["-sS", "-k", "--max-time", "60", "--upload-file", "-"]);
        let program = if link == Link::Plain { program } else { program.arg("--ssl-reqd") };
        let program = program.args(["--mail-from", "joe@test.example"]);
        let program = program.args(["--mail-rcpt", "joe@test.example", "--user"]);
        let program = program.arg(format!("joe:{password}")).arg("--login-options");
        let program = program.arg(format!("AUTH={mechanism}"));
        program.arg(format!("{scheme}://127.0.0.1:{port}/client.example")).stdin(MESSAGE).run()
    });
}

const SMTPLIB: &str = r#"
import smtplib, ssl, sys
mechanism, link, password = sys.argv[1:]
context = ssl._create_unverified_context()
if link == 'Implicit':
    server = smtplib.SMTP_SSL('127.0.0.1', 465, context=context)
else:
    server = smtplib.SMTP('127.0.0.1', 587)
    if link == 'Upgraded':
        server.starttls(context=context)
server.user, server.password = 'joe', password
server.ehlo()
method = {'PLAIN': server.auth_plain, 'LOGIN': server.auth_login, 'CRAM-MD5': server.auth_cram_md5}
server.auth(mechanism, method[mechanism])
server.sendmail('joe@test.example', ['joe@test.example'], 'Subject: x\r\n\r\nhello\r\n')
server.quit()
"#;

#[test]
fn python_sends() {
    send_by("python3", |program, mechanism, link, password| {
        program.args(["-c", SMTPLIB, mechanism, &format!("{link:?}"), password]).run()
    });
}

#[test]
fn curl_fetches() {
    let mechanisms = ["USER", "APOP", "PLAIN", "LOGIN", "CRAM-MD5"];
    fetch_by("curl", "curl", &mechanisms, &LINKS, |program, mechanism, link, password| {
        let (scheme, port) = if link == Link::Implicit { ("pop3s", 995) } else { ("pop3", 110) };
        let program = program.args(["-sS", "-k", "--max-time", "60"]);
        let program = if link == Link::Plain { program } else { program.arg("--ssl-reqd") };
        let option = match mechanism {
            "USER" => "AUTH=+LOGIN".to_owned(),
            "APOP" => "AUTH=+APOP".to_owned(),
            other => format!("AUTH={other}"),
        };
        // curl has no word for USER alone: it takes that where it may not use AUTH.
        let program = match mechanism {
            "USER" => program,
            _ => program.args(["--login-options", &option]),
        };
        let program = program.args(["--user", &format!("joe:{password}")]);
        program.arg(format!("{scheme}://127.0.0.1:{port}/1")).run()
    });
}

#[test]
fn mpop_fetches() {
    let mechanisms = ["USER", "APOP", "PLAIN", "LOGIN", "CRAM-MD5"];
    fetch_by("mpop", "sh", &mechanisms, &LINKS, |program, mechanism, link, password| {
        let (port, tls, upgrade) = match link {
            Link::Plain => (110, "off", "off"),
            Link::Upgraded => (110, "on", "on"),
            Link::Implicit => (995, "on", "off"),
        };
        let auth = mechanism.to_lowercase();
        let script = format!(
            "set -e; place=$(mktemp -d); mkdir $place/new $place/cur $place/tmp
             mpop --host=127.0.0.1 --port={port} --user=joe --passwordeval='echo {password}' \
                --auth={auth} --tls={tls} --tls-starttls={upgrade} --tls-certcheck=off --keep=on \
                --uidls-file=$place/ids --delivery=maildir,$place --received-header=off
             cat $place/new/*; rm -r $place"
        );
        program.args(["-c", &script]).run()
    });
}

#[test]
fn fetchmail_fetches() {
    fetch_by(
        "fetchmail",
        "fetchmail",
        &["USER", "APOP"],
        &LINKS,
        |program, mechanism, link, password| {
            let place = tempfile::tempdir().expect("a temporary directory");
            let file = place.path().join("fetchmailrc");
            let (port, ssl) = match link {
                Link::Plain => (110, "sslproto ''"),
                Link::Upgraded => (110, "sslproto 'TLS1.2+'"),
                Link::Implicit => (995, "ssl"),
            };
            let protocol = if mechanism == "APOP" { "APOP" } else { "POP3" };
            let auth = if mechanism == "APOP" { "any" } else { "password" };
            files::write(
                &file,
                format!(
                    "poll 127.0.0.1 service {port} proto {protocol} auth {auth} user 'joe' \
                 password '{password}' {ssl} no sslcertck keep fetchall no rewrite \
                 mda 'cat >&2'\n"
                ),
            );
            files::set_mode(&file, 0o600);
            let program = program.args(["-f".into(), file.clone().into_os_string()]);
            let program = program.args(["--nosyslog", "--pidfile"]).arg(place.path().join("pid"));
            let home = place.path().as_os_str().to_owned();
            let program = program.env("FETCHMAILHOME", home.clone()).env("HOME", home);
            let mut finished = program.run();
            // It keeps what a filter says on standard output for itself.
            finished.output.extend(finished.error_output.clone());
            finished
        },
    );
}

const POPLIB: &str = r#"
import base64, hmac, poplib, ssl, sys
mechanism, link, password = sys.argv[1:]
context = ssl._create_unverified_context()
if link == 'Implicit':
    server = poplib.POP3_SSL('127.0.0.1', 995, context=context)
else:
    server = poplib.POP3('127.0.0.1', 110)
    if link == 'Upgraded':
        server.stls(context)
encode = lambda text: base64.b64encode(text).decode()
if mechanism == 'USER':
    server.user('joe')
    server.pass_(password)
elif mechanism == 'APOP':
    server.apop('joe', password)
elif mechanism == 'PLAIN':
    server._shortcmd('AUTH PLAIN ' + encode(b'\0joe\0' + password.encode()))
elif mechanism == 'LOGIN':
    server._putcmd('AUTH LOGIN')
    for answer in ['joe', password]:
        line = server._getline()[0]
        assert line.startswith(b'+ '), line
        server._putcmd(encode(answer.encode()))
    server._getresp()
else:
    server._putcmd('AUTH CRAM-MD5')
    line = server._getline()[0]
    assert line.startswith(b'+ '), line
    digest = hmac.new(password.encode(), base64.b64decode(line[2:]), 'md5').hexdigest()
    server._shortcmd(encode(b'joe ' + digest.encode()))
print(b'\n'.join(server.retr(1)[1]).decode())
print(server.stat(), server.uidl(), server.capa())
server.quit()
"#;

#[test]
fn python_fetches() {
    let mechanisms = ["USER", "APOP", "PLAIN", "LOGIN", "CRAM-MD5"];
    fetch_by("python3", "python3", &mechanisms, &LINKS, |program, mechanism, link, password| {
        program.args(["-c", POPLIB, mechanism, &format!("{link:?}"), password]).run()
    });
}

#[test]
fn gnutls_finds_tls_of_today() {
    if lacks(&Tree::under_test(), "gnutls-cli") {
        return;
    }
    let secure = Secure::new();
    let _smtps = secure.serve(465, secure.smtpd(&[("SMTPS", "1")]));
    let _pops = secure.serve(995, secure.popup(&[("POP3S", "1")]));
    for port in ["465", "995"] {
        for (priority, welcome) in [
            ("NORMAL:-VERS-ALL:+VERS-TLS1.3", true),
            ("NORMAL:-VERS-ALL:+VERS-TLS1.2", true),
            ("NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", false),
            ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", false),
            ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", false),
        ] {
            let program = secure.tree.command("gnutls-cli").args(["--insecure", "--priority"]);
            let program = program.args([priority, "--port", port, "127.0.0.1"]);
            let finished = program.stdin("QUIT\r\n").run();
            let shaken = finished.text().contains("Handshake was completed");
            assert_eq!(shaken, welcome, "{port} {priority}: {}", finished.said());
        }
    }
}

#[test]
fn stunnel_in_front_keeps_working() {
    if lacks(&Tree::under_test(), "stunnel") {
        return;
    }
    let secure = Secure::new();
    let joe = secure.tree.user("joe");
    let _ = joe.make_maildir("Maildir");
    joe.write("Maildir/new/1.x.h", "Subject: x\n\nhello from the mailbox\n");
    let front = |name: &str, program: Program<'_>| {
        let words: Vec<String> =
            program.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let (home, file) = (secure.tree.home().display(), secure.tree.scratch().join(name));
        files::write(
            &file,
            format!(
                "cert = {home}/control/servercert.pem\nexec = {}\nexecargs = {}\n",
                words[0],
                words.join(" ")
            ),
        );
        file
    };
    let smtp = front("smtp.conf", secure.smtpd(&[]));
    let pop = front("pop.conf", secure.popup(&[]));
    let stunnel = || secure.tree.command("stunnel").env("TLS", "external");
    let daemon = secure.tree.accounts().qmaild;
    let program = stunnel().arg(smtp).env("SMTPAUTH", "!").run_as(daemon);
    let _smtps = secure.serve(465, program);
    let _pops = secure.serve(995, stunnel().arg(pop));
    let sent = secure.tree.command("python3").args(["-c", SMTPLIB, "PLAIN", "Implicit", "secret"]);
    let sent = sent.run();
    assert_eq!((sent.code, secure.tree.queued()), (Some(0), 1), "{}", sent.said());
    let read = secure.tree.command("python3").args(["-c", POPLIB, "PLAIN", "Implicit", "secret"]);
    let read = read.run();
    assert!(read.text().contains("hello from the mailbox"), "{}", read.said());
}
