//! What watches a mail system: munin, monitoring plug-ins, logwatch, isoqlog and fail2ban, on our
//! queue and on logs of ours as syslog and multilog keep them.

use std::time::{SystemTime, UNIX_EPOCH};

use qmail_conformance::listener::{Listener, Service};
use qmail_conformance::sink::Sink;
use qmail_conformance::{Need, Tree, wait};

/// A tree whose queue holds two messages, of which one is not preprocessed.
fn with_mail_waiting(path: &'static str) -> Option<Tree> {
    let tree = Tree::among_others(path)?;
    tree.control("concurrencylocal", "0");
    tree.queue("ann@far.example", &["joe@test.example"], "hi\n");
    let running = tree.start();
    wait::until("preprocessing", || tree.todo().is_empty().then_some(()));
    running.stop();
    tree.queue("ann@far.example", &["joe@test.example"], "hi\n");
    Some(tree)
}

#[test]
fn munin_counts_messages() {
    let plugin = "usr/share/munin/plugins/qmailqstat";
    let Some(tree) = with_mail_waiting(plugin) else { return };
    let qstat = tree.home().join("bin/qmail-qstat");
    let run = |word: &str| {
        let program = tree.command(format!("/{plugin}")).env("qmailqstat", &qstat);
        let finished = if word.is_empty() { program } else { program.arg(word) }.run();
        assert_eq!((finished.code, finished.errors()), (Some(0), String::new()));
        finished.text()
    };
    assert_eq!(run("autoconf"), "yes\n");
    assert!(run("config").contains("total.label Total messages in queue\n"));
    assert_eq!(run(""), "total.value 2\nnotpreprocessed.value 1\n");
}

#[test]
fn check_mailq_knows_the_queue() {
    let plugin = "usr/lib/nagios/plugins/check_mailq";
    let Some(tree) = with_mail_waiting(plugin) else { return };
    // Debian leaves this to the administrator.
    let qstat = tree.home().join("bin/qmail-qstat");
    tree.shell(&format!(
        "sed -i 's|^\\$PATH_TO_QMAIL_QSTAT *=.*|$PATH_TO_QMAIL_QSTAT = \"{}\";|' \
        /usr/lib/nagios/plugins/utils.pm",
        qstat.display()
    ));
    let run = |warning: &str, critical: &str| {
        let words = ["-M", "qmail", "-w", warning, "-c", critical];
        let finished = tree.command(format!("/{plugin}")).args(words).run();
        (finished.code, finished.text())
    };
    let (code, text) = run("5", "10");
    assert_eq!((code, &text[..28]), (Some(0), "OK: qmail mailq (2) is below"), "{text}");
    let (code, text) = run("1", "10");
    assert_eq!((code, &text[..25]), (Some(1), "WARNING: qmail mailq is 2"), "{text}");
    let (code, text) = run("1", "2");
    assert_eq!((code, &text[..26]), (Some(2), "CRITICAL: qmail mailq is 2"), "{text}");
}

/// The log of a tree that has done a bit of everything: local and remote deliveries, a failure, a
/// deferral and a bounce.
fn eventful_log(tree: &Tree) -> Vec<String> {
    tree.control("smtproutes", "far.example:127.0.0.1:2525\nlate.example:127.0.0.1:2526\n");
    let sink = Sink::start(tree.listen("127.0.0.1:2525")).unwrap();
    let busy = Service::new("/bin/sh").arg("-c").arg("echo '421 later'; cat > /dev/null");
    let _busy = Listener::start(tree.listen("127.0.0.1:2526"), busy).unwrap();
    let _joe = tree.user("joe").uses_maildir();
    let _jane = tree.user("jane").uses_maildir();
    let running = tree.start();
    for _ in 0..5 {
        let recipients = ["joe@test.example", "bob@far.example"];
        tree.queue("jane@test.example", &recipients, "Subject: x\n\nhi\n");
    }
    tree.queue("jane@test.example", &["nobody@test.example"], "Subject: x\n\nhi\n");
    tree.queue("jane@test.example", &["bob@late.example"], "Subject: x\n\nhi\n");
    // Five messages, one that cannot be delivered, and what is said about it.
    assert_eq!(running.wait_for_several("end msg ", 7).len(), 7);
    running.wait_for("deferral: ");
    assert_eq!(sink.wait_for(5).len(), 5);
    running.stop()
}

/// The log as qmail-send's lines come through splogger and syslog: see install.md, section 7.
fn as_syslog(tree: &Tree, log: &[String]) -> String {
    let stamp = tree.shell("LC_ALL=C date '+%b %e %H:%M:%S'");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let line = |line: &String| format!("{} vm qmail: {now}.123456 {line}\n", stamp.trim_end());
    log.iter().map(line).collect()
}

/// The log as multilog keeps it, in TAI64N.
fn as_multilog(log: &[String]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    // Atomic time is ahead of ours: 2^62 + 10.
    let label = (1_u64 << 62) + 10 + now;
    log.iter().map(|line| format!("@{label:016x}07270e00 {line}\n")).collect()
}

/// Runs logwatch for a service on log files that are there; its report.
fn logwatch(tree: &Tree, service: &str) -> String {
    tree.shell("mkdir -p /run/logwatch");
    // Senders of few messages count, too.
    let settings =
        "$qmail_high_detail = 1\n$threshold = 1\n$from_threshold = 1\n$local_threshold = 1\n";
    tree.write_in_its_world(&format!("/etc/logwatch/conf/services/{service}.conf"), settings);
    tree.write_in_its_world("/etc/logwatch/conf/logwatch.conf", "TmpDir = /run/logwatch\n");
    let words = ["--output", "stdout", "--format", "text", "--range", "all", "--detail", "high"];
    let finished = tree
        .command("/usr/sbin/logwatch")
        .args(words)
        .args(["--logdir", "/run/log", "--service", service])
        .run();
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    finished.text()
}

#[test]
fn logwatch_understands_the_log_in_syslog() {
    let Some(tree) = Tree::among_others("usr/sbin/logwatch") else { return };
    let log = as_syslog(&tree, &eventful_log(&tree));
    tree.write_in_its_world("/run/log/mail.log", log);
    let report = logwatch(&tree, "qmail");
    assert!(report.contains("jane@test.example - 7 Time(s)"), "{report}");
    assert!(report.contains("Failure(511) - 1 Time(s)"), "{report}");
    assert!(report.contains("Deferral(421) - 1 Time(s)"), "{report}");
}

#[test]
fn logwatch_understands_the_log_of_multilog() {
    let Some(tree) = Tree::among_others("usr/sbin/logwatch") else { return };
    let log = as_multilog(&eventful_log(&tree));
    tree.write_in_its_world("/run/log/qmail/current", log);
    let report = logwatch(&tree, "qmail-send");
    assert!(report.contains("jane@test.example - 7 Time(s)"), "{report}");
    assert!(report.contains("Deferral(421) - 1 Time(s)"), "{report}");
    assert!(!report.contains("Unmatched"), "{report}");
}

/// Sets isoqlog up for logs of a kind and runs it; its pages about today, without their tags.
fn isoqlog(tree: &Tree, kind: &str, place: &str) -> String {
    let settings = [
        ("logtype", kind),
        ("logstore", place),
        ("domainsfile", "/etc/isoqlog/isoqlog.domains"),
        ("outputdir", "/run/isoqlog"),
        ("htmldir", "/usr/share/isoqlog/htmltemp"),
        ("langfile", "/usr/share/isoqlog/lang/english"),
        ("hostname", "test.example"),
    ];
    let mut text: String = settings.map(|(name, value)| format!("{name} = \"{value}\"\n")).concat();
    for table in ["maxsender", "maxreceiver", "maxtotal", "maxbyte"] {
        text += &format!("{table} = 100\n");
    }
    tree.write_in_its_world("/etc/isoqlog/isoqlog.conf", text);
    tree.write_in_its_world("/etc/isoqlog/isoqlog.domains", "test.example\n");
    tree.write_in_its_world("/run/low_memory.c", include_str!("third_party/low_memory.c"));
    tree.shell(
        "mkdir -p /run/isoqlog
        cc -shared -fPIC -o /run/low_memory.so /run/low_memory.c
        LD_PRELOAD=/run/low_memory.so isoqlog
        cat /run/isoqlog/test.example/*/*/[0-9]*.html | sed 's/<[^>]*>/ /g' | tr -s ' \t\n' ' '",
    )
}

#[test]
fn isoqlog_counts_mail() {
    let Some(tree) = Tree::among_others("usr/bin/isoqlog") else { return };
    if tree.lacks(Need::Tool("cc")) {
        return;
    }
    let log = eventful_log(&tree);
    tree.write_in_its_world("/run/log/mail.log", as_syslog(&tree, &log));
    tree.write_in_its_world("/run/log/qmail/current", as_multilog(&log));
    for (kind, place) in
        [("qmail-syslog", "/run/log/mail.log"), ("qmail-multilog", "/run/log/qmail")]
    {
        let report = isoqlog(&tree, kind, place);
        let (_, senders) = report.split_once("Top 100 Sender").unwrap_or_default();
        let (senders, receivers) = senders.split_once("Top 100 Receiver").unwrap_or_default();
        assert!(senders.contains(" 1 jane@test.example 7 "), "{kind}: {report}");
        assert!(receivers.contains(" joe@test.example 5 "), "{kind}: {report}");
    }
}

#[test]
fn fail2ban_finds_nobody_to_ban_in_the_log_of_deliveries() {
    let Some(tree) = Tree::among_others("usr/bin/fail2ban-regex") else { return };
    let log = as_syslog(&tree, &eventful_log(&tree));
    let count = log.lines().count();
    tree.write_in_its_world("/run/log/mail.log", log);
    let report = tree.shell("fail2ban-regex /run/log/mail.log qmail");
    let expected = format!("Lines: {count} lines, 0 ignored, 0 matched, {count} missed");
    assert!(report.contains(&expected), "{report}");
}

/// The filter that Debian has is for patched versions of rblsmtpd; one line does for the usual one.
#[test]
fn fail2ban_finds_whom_rblsmtpd_turned_away() {
    let Some(tree) = Tree::among_others("usr/bin/fail2ban-regex") else { return };
    if tree.lacks(Need::Tool("rblsmtpd")) {
        return;
    }
    let smtpd = tree.home().join("bin/qmail-smtpd");
    let refused = tree
        .command("rblsmtpd")
        .arg(smtpd)
        .env("RBLSMTPD", "listed")
        .env("TCPREMOTEIP", "192.0.2.7")
        .run_as(tree.accounts().qmaild)
        .stdin("HELO x\r\nMAIL FROM:<ann@far.example>\r\nRCPT TO:<joe@test.example>\r\nQUIT\r\n")
        .run();
    assert!(refused.text().contains("451 listed"), "{}", refused.said());
    let log = as_syslog(&tree, &[refused.errors().trim_end().to_owned()]);
    tree.write_in_its_world("/run/log/mail.log", log);
    let report = tree.shell(
        "fail2ban-regex --print-all-matched /run/log/mail.log 'rblsmtpd: <HOST> pid \\d+: 451 '",
    );
    assert!(report.contains("1 matched") && report.contains("192.0.2.7"), "{report}");
}
