//! Scripts as people have them, written for the original: they start our programs as well.

use qmail_conformance::conversation::Conversation;
use qmail_conformance::sink::Sink;
use qmail_conformance::smtp::Session;
use qmail_conformance::{Tree, wait};

fn host(tools: &[&'static str]) -> Option<Tree> {
    let tree = Tree::on_a_host(tools)?;
    tree.control("rcpthosts", "test.example\n");
    Some(tree)
}

fn shell(tree: &Tree, script: &str) -> String {
    let script = script.replace("HOME_OF_QMAIL", &tree.home().display().to_string());
    let finished = tree
        .command("/bin/sh")
        .args(["-ec", &script])
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .run();
    assert_eq!(finished.code, Some(0), "{script}: {}", finished.said());
    finished.said()
}

fn listens(tree: &Tree, port: u16) {
    let connect = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    wait::until(&format!("port {port}"), || tree.within_network(connect).then_some(()));
}

/// A message in by SMTP, and one out.
fn mail_flows(tree: &Tree) {
    let sink = Sink::start(tree.listen("127.0.0.1:2525")).unwrap();
    tree.control("smtproutes", ":127.0.0.1:2525\n");
    let maildir = tree.user("joe").uses_maildir();
    listens(tree, 25);
    let mut session = Session::with(Conversation::over(tree.connect("127.0.0.1:25")));
    assert_eq!(session.reply().code, 220);
    let session = session.mail_from("a@far.example").rcpt_to("joe@test.example");
    let mut session = session.rcpt_to("x@far.example");
    assert_eq!(session.data("Subject: x\r\n\r\nhi\r\n").code, 250);
    assert_eq!(session.command("QUIT").code, 221);
    let _ = maildir.wait_for(1);
    assert_eq!(sink.wait_for(1)[0].rcpt, ["TO:<x@far.example>"]);
}

fn nobody_is_left(tree: &Tree, but: &[&str]) {
    wait::until("the end of everybody", || {
        let left = tree.names_of_processes();
        left.iter().all(|name| but.contains(&name.as_str())).then_some(())
    });
}

/// The files of "Life with qmail", below /service, where its programs are in /usr/local/bin.
const LIFE_WITH_QMAIL: &str = r#"
ln -s /usr/bin/svscan /usr/bin/supervise /usr/bin/svc /usr/bin/svok /usr/bin/svstat \
    /usr/bin/setuidgid /usr/bin/softlimit /usr/bin/multilog /usr/bin/tcpserver /usr/local/bin
echo ./Maildir/ > HOME_OF_QMAIL/control/defaultdelivery
echo 20 > HOME_OF_QMAIL/control/concurrencyincoming
cat > HOME_OF_QMAIL/rc << 'END'
#!/bin/sh
# Using stdout for logging
# Using control/defaultdelivery from qmail-local to deliver messages by default
exec env - PATH="HOME_OF_QMAIL/bin:$PATH" \
qmail-start "`cat HOME_OF_QMAIL/control/defaultdelivery`"
END
mkdir -p HOME_OF_QMAIL/supervise/qmail-send/log HOME_OF_QMAIL/supervise/qmail-smtpd/log
cat > HOME_OF_QMAIL/supervise/qmail-send/run << 'END'
#!/bin/sh
exec HOME_OF_QMAIL/rc
END
cat > HOME_OF_QMAIL/supervise/qmail-send/log/run << 'END'
#!/bin/sh
exec /usr/local/bin/setuidgid qmaill /usr/local/bin/multilog t /var/log/qmail
END
cat > HOME_OF_QMAIL/supervise/qmail-smtpd/run << 'END'
#!/bin/sh
QMAILDUID=`id -u qmaild`
NOFILESGID=`id -g qmaild`
MAXSMTPD=`cat HOME_OF_QMAIL/control/concurrencyincoming`
LOCAL=`head -1 HOME_OF_QMAIL/control/me`
if [ -z "$QMAILDUID" -o -z "$NOFILESGID" -o -z "$MAXSMTPD" -o -z "$LOCAL" ]; then
    echo QMAILDUID, NOFILESGID, MAXSMTPD, or LOCAL is unset in
    echo HOME_OF_QMAIL/supervise/qmail-smtpd/run
    exit 1
fi
if [ ! -f HOME_OF_QMAIL/control/rcpthosts ]; then
    echo "No HOME_OF_QMAIL/control/rcpthosts!"
    echo "Refusing to start SMTP listener because it'll create an open relay"
    exit 1
fi
exec /usr/local/bin/softlimit -m 64000000 \
    /usr/local/bin/tcpserver -v -R -l "$LOCAL" -x /etc/tcp.smtp.cdb -c "$MAXSMTPD" \
        -u "$QMAILDUID" -g "$NOFILESGID" 0 smtp HOME_OF_QMAIL/bin/qmail-smtpd 2>&1
END
cat > HOME_OF_QMAIL/supervise/qmail-smtpd/log/run << 'END'
#!/bin/sh
exec /usr/local/bin/setuidgid qmaill /usr/local/bin/multilog t /var/log/qmail/smtpd
END
chmod 755 HOME_OF_QMAIL/rc HOME_OF_QMAIL/supervise/*/run HOME_OF_QMAIL/supervise/*/log/run
mkdir -p /var/log/qmail/smtpd
chown qmaill /var/log/qmail /var/log/qmail/smtpd
echo '127.:allow,RELAYCLIENT=""' > /etc/tcp.smtp
tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp < /etc/tcp.smtp
chmod 644 /etc/tcp.smtp.cdb
mkdir -p /service
mount -t tmpfs tmpfs /service
ln -s HOME_OF_QMAIL/supervise/qmail-send HOME_OF_QMAIL/supervise/qmail-smtpd /service
svscan /service > /dev/null 2>&1 < /dev/null &
"#;

#[test]
fn life_with_qmail_runs_as_it_is_written() {
    let Some(tree) = host(&["svscan", "multilog", "tcpserver", "tcprules"]) else { return };
    shell(&tree, LIFE_WITH_QMAIL);
    mail_flows(&tree);
    let log = tree.in_its_world("/var/log/qmail/current");
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned();
    assert!(text.lines().all(|line| line.starts_with("@4")), "{text}");
    // By its own qmailctl, and by ours, which speaks the same words.
    let ours = "HOME_OF_QMAIL/boot/qmailctl";
    shell(&tree, "svc -h /service/qmail-send; svc -a /service/qmail-send");
    let stat = shell(&tree, &format!("{ours} stat"));
    assert!(stat.contains("/service/qmail-send: up (pid "), "{stat}");
    assert!(stat.contains("/service/qmail-smtpd/log: up (pid "), "{stat}");
    assert!(stat.ends_with("messages in queue but not yet preprocessed: 0\n"), "{stat}");
    let words = [
        ("stop", "Stopping qmail...\n  qmail-smtpd\n  qmail-send\n"),
        ("start", "Starting qmail\n"),
        (
            "restart",
            "Restarting qmail:\n* Stopping qmail-smtpd.\n\
             * Sending qmail-send SIGTERM and restarting.\n* Restarting qmail-smtpd.\n",
        ),
        ("flush", "Flushing timeout table and sending ALRM signal to qmail-send.\n"),
        ("reload", "Sending HUP signal to qmail-send.\n"),
        ("pause", "Pausing qmail-send\nPausing qmail-smtpd\n"),
        ("cont", "Continuing qmail-send\nContinuing qmail-smtpd\n"),
        ("cdb", "Reloaded /etc/tcp.smtp.\n"),
        ("zap", "Zapping qmail...\n  qmail-smtpd\n  qmail-send\n"),
    ];
    for (verb, text) in words {
        assert_eq!(shell(&tree, &format!("{ours} {verb}")), text, "{verb}");
    }
    nobody_is_left(&tree, &["svscan", "supervise", "multilog"]);
    let unknown = shell(&tree, &format!("{ours} sotp || echo code $?"));
    assert!(unknown.starts_with("Usage: ") && unknown.ends_with("code 1\n"), "{unknown}");
}

#[test]
fn every_boot_script_of_netqmail_starts_us() {
    let Some(tree) = host(&["tcpserver"]) else { return };
    tree.user("joe").instruct("", "./Mailbox\n");
    let deliveries = [
        ("home", "./Mailbox"),
        ("proc", "'|preline procmail'"),
        (
            "binm1",
            r#"'|preline -f /usr/libexec/mail.local -r "${SENDER:-MAILER-DAEMON}" -d "$USER"'"#,
        ),
        ("binm2", r#"'|preline -f /bin/mail -r "${SENDER:-MAILER-DAEMON}" -d "$USER"'"#),
        ("binm3", r#"'|preline -f /bin/mail -f "${SENDER:-MAILER-DAEMON}" -d "$USER"'"#),
    ];
    for (name, delivery) in deliveries {
        for forward in ["", "|dot-forward .forward\n"] {
            let delivery = delivery.trim_matches('\'');
            let script = format!(
                "cat > HOME_OF_QMAIL/rc << 'END'\n#!/bin/sh\n\n\
                 # Using splogger to send the log through syslog.\n\
                 exec env - PATH=\"HOME_OF_QMAIL/bin:$PATH\" \\\n\
                 qmail-start '{forward}{delivery}' splogger qmail\nEND\n\
                 chmod 755 HOME_OF_QMAIL/rc\n\
                 csh=sh; $csh -c 'HOME_OF_QMAIL/rc &' < /dev/null > /dev/null 2>&1\n"
            );
            shell(&tree, &script);
            tree.queue("a@b", &["joe@test.example"], "hi\n");
            wait::until(&format!("the delivery by {name}"), || {
                tree.queue_files("mess").is_empty().then_some(())
            });
            let send = tree.processes_named("qmail-send");
            assert_eq!(send.len(), 1, "{name}");
            nix::sys::signal::kill(send[0], nix::sys::signal::Signal::SIGTERM).unwrap();
            nobody_is_left(&tree, &[]);
        }
    }
    assert_eq!(tree.user("joe").read("Mailbox").matches("\nhi\n").count(), 10);
}

/// A start/stop script without daemontools, as the documents describe it: each service in the
/// background, its number in a file, TLS by stunnel between tcpserver and the daemon.
const WITH_STUNNEL: &str = r#"
QMAIL=HOME_OF_QMAIL
PATH=$QMAIL/bin:$PATH
HOST=`cat $QMAIL/control/me`
U=`id -u qmaild` G=`id -g qmaild`
cat > /etc/smtp.conf << END
cert = $QMAIL/control/servercert.pem
exec = $QMAIL/bin/qmail-smtpd
execargs = qmail-smtpd $HOST /bin/qmaild/checkpassword true
END
cat > /etc/pop3.conf << END
cert = $QMAIL/control/servercert.pem
exec = $QMAIL/bin/qmail-popup
execargs = qmail-popup $HOST $QMAIL/bin/checkpassword $QMAIL/bin/qmail-pop3d Maildir
END
echo '127.:allow,RELAYCLIENT=""' | tcprules /etc/smtp.rules.cdb /etc/smtp.rules.tmp
chmod 644 /etc/smtp.rules.cdb
run() {
    file=/run/old-$1.pid
    shift
    pido $file "$@" < /dev/null > /dev/null 2>&1 &
}
run send env - PATH="$PATH" qmail-start ./Maildir/
run smtp tcpserver -v -R -l "$HOST" -x /etc/smtp.rules.cdb -u $U -g $G 0 25 qmail-smtpd
run smtps env TLS=external SMTPAUTH=! \
    tcpserver -v -R -l "$HOST" -u $U -g $G 0 465 stunnel /etc/smtp.conf
run pop3s env TLS=external tcpserver -v -R -l "$HOST" 0 995 stunnel /etc/pop3.conf
"#;

#[test]
fn tcpserver_and_stunnel_run_as_they_always_did() {
    let tools = ["tcpserver", "tcprules", "stunnel", "curl"];
    let Some(tree) = host(&tools) else { return };
    let install = qmail_conformance::host::install();
    shell(&tree, &format!("{} protect", install.display()));
    let made = tree.program("qmail-newcert").arg("test.example").run();
    assert_eq!(made.code, Some(0), "{}", made.errors());
    shell(&tree, WITH_STUNNEL);
    mail_flows(&tree);
    listens(&tree, 465);
    listens(&tree, 995);
    let maildir = tree.user("jane").make_maildir("Maildir");
    let script = r"
        printf 'Subject: x\n\nhi\n' > /run/message
        curl --silent --show-error --insecure --crlf --user joe:secret --mail-from joe@test.example \
            --mail-rcpt jane@test.example -T /run/message smtps://127.0.0.1:465
    ";
    shell(&tree, script);
    let text = String::from_utf8_lossy(&maildir.wait_for(1)[0]).into_owned();
    // stunnel stands in between, and the address of the client is right all the same.
    assert!(text.contains("(joe@127.0.0.1)\n"), "{text}");
    let read = "curl --silent --show-error --insecure --user jane:secret pop3s://127.0.0.1:995/1";
    assert!(shell(&tree, read).contains("Delivered-To: jane@test.example"));
    shell(&tree, "for file in /run/old-*.pid; do kill `cat $file`; done");
    nobody_is_left(&tree, &[]);
}
