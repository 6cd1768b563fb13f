//! The start/stop scripts, by hand: words and exit codes of each verb.

use nix::sys::signal::{Signal, kill};

use qmail_conformance::process::Finished;
use qmail_conformance::sink::{Answer, Script, Sink};
use qmail_conformance::{Need, Tree, files, wait};

fn host() -> Option<Tree> {
    let tree = Tree::on_a_host(&["tcpserver", "multilog"])?;
    tree.control("rcpthosts", "test.example\n");
    tree.control("defaultdelivery", "./Maildir/\n");
    tree.write_in_its_world("/etc/default/qmail", "LOGS=/var/log/qmail\n");
    Some(tree)
}

/// Runs a script of `boot`, as someone who has logged in would.
fn script(tree: &Tree, words: &str) -> Finished {
    let line = format!("cd /; {}/boot/{words}", tree.home().display());
    tree.command("/bin/sh").args(["-c", &line]).env("PATH", "/usr/bin:/bin").run()
}

/// What it says, with numbers as `N`, and its exit code.
fn said(tree: &Tree, words: &str) -> (String, Option<i32>) {
    let finished = script(tree, words);
    let said = finished.said();
    let mut pieces = said.split("(pid ");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text = text + "(pid N" + piece.trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    (text, finished.code)
}

fn expect(tree: &Tree, words: &str, text: &str, code: i32) {
    assert_eq!(said(tree, words), (text.to_owned(), Some(code)), "{words}");
}

#[test]
fn each_verb_has_its_words_and_its_exit_code() {
    let Some(tree) = host() else { return };
    expect(&tree, "qmail status", "send: is not running\nsmtp: is not running\n", 3);
    expect(&tree, "qmail start", "send: started (pid N)\nsmtp: started (pid N)\n", 0);
    let again = "send: is running already (pid N)\nsmtp: is running already (pid N)\n";
    expect(&tree, "qmail start", again, 0);
    expect(&tree, "qmail status", "send: is running (pid N)\nsmtp: is running (pid N)\n", 0);
    expect(&tree, "qmail stop smtp", "smtp: stopped\n", 0);
    expect(&tree, "qmail status", "send: is running (pid N)\nsmtp: is not running\n", 3);
    expect(&tree, "qmail status send", "send: is running (pid N)\n", 0);
    expect(&tree, "qmail stop smtp", "smtp: is not running\n", 0);
    expect(&tree, "qmail restart smtp", "smtp: is not running\nsmtp: started (pid N)\n", 0);
    expect(&tree, "qmail zap", "smtp: zapped\nsend: zapped\n", 0);
    expect(&tree, "qmail zap", "smtp: is not running\nsend: is not running\n", 0);
    wait::until("the end of everybody", || tree.names_of_processes().is_empty().then_some(()));
    let mut left = files::names(&tree.in_its_world("/run"));
    left.retain(|name| name != "mount");
    assert_eq!(left, Vec::<String>::new());
    let usage = "usage: qmail start|stop|restart|status|zap \
                 [send smtp smtps submission pop3 pop3s qmtp qmqp]\n";
    for words in ["qmail", "qmail sotp", "qmail stop smpt"] {
        expect(&tree, words, usage, 100);
    }
}

#[test]
fn services_are_chosen_by_name_by_variable_or_by_both() {
    let Some(tree) = host() else { return };
    tree.program("qmail-newcert").arg("test.example").run().code.unwrap();
    let by_variable = "qmail stop pop3s; pop3s=yes pop3=no ";
    let line = format!("{by_variable}{}/boot/qmail start qmtp", tree.home().display());
    let text = "pop3s: is not running\npop3s: started (pid N)\nqmtp: started (pid N)\n";
    assert_eq!(said(&tree, &line), (text.to_owned(), Some(0)));
    // What was started by its name stops with the others.
    let text = "qmtp: stopped\npop3s: stopped\nsmtp: is not running\nsend: is not running\n";
    expect(&tree, "qmail stop", text, 0);
}

#[test]
fn zap_ends_a_delivery_that_hangs_and_stop_does_not() {
    let Some(tree) = host() else { return };
    let hangs = Script { greeting: Answer::Hang, ..Script::default() };
    let sink = Sink::scripted(tree.listen("127.0.0.1:2525"), hangs).unwrap();
    tree.control("smtproutes", ":127.0.0.1:2525\n");
    let settings = "LOGS=/var/log/qmail\nDELIVERIES=1\n";
    tree.write_in_its_world("/etc/default/qmail", settings);
    expect(&tree, "qmail start send", "send: started (pid N)\n", 0);
    tree.queue("a@b", &["x@far.example"], "hi\n");
    wait::until("a connection", || (sink.connections() > 0).then_some(()));
    expect(&tree, "qmail stop", "smtp: is not running\nsend: still running (pid N)\n", 1);
    assert!(!tree.processes_named("qmail-remote").is_empty());
    expect(&tree, "qmail zap send", "send: zapped\n", 0);
    wait::until("the end of everybody", || tree.names_of_processes().is_empty().then_some(()));
    // The message is still there, and goes out next time.
    assert_eq!(tree.queue_files("mess").len(), 1);
}

#[test]
fn what_cannot_start_is_not_said_to_have_started() {
    let Some(tree) = host() else { return };
    let taken = tree.listen("0.0.0.0:25");
    let text = "smtp: did not start; its log says why\n";
    assert_eq!(said(&tree, "qmail start smtp"), (text.to_owned(), Some(1)));
    drop(taken);
    tree.remove_control("rcpthosts");
    assert_eq!(said(&tree, "qmail start smtp"), (text.to_owned(), Some(1)));
    let log = tree.in_its_world("/var/log/qmail/smtpd/current");
    let read = || String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned();
    wait::until("the reason", || read().contains("it'll create an open relay").then_some(()));
    assert!(read().contains("unable to bind: address already used"), "{}", read());
    // Somebody else's qmail-send is not ours to stop, and ours does not start beside it.
    let other = tree.start();
    other.wait_for("status:");
    let text = "send: did not start; its log says why\n";
    assert_eq!(said(&tree, "qmail start send"), (text.to_owned(), Some(1)));
    expect(&tree, "qmail stop send", "send: is not running\n", 0);
    let _ = other.stop();
}

#[test]
fn a_number_that_is_somebody_elses_is_left_alone() {
    let Some(tree) = host() else { return };
    let (mut other, _output) = tree.command("/bin/sleep").arg("600").start();
    for service in ["send", "smtp"] {
        let file = format!("/run/qmail-{service}.pid");
        tree.write_in_its_world(&file, format!("{}\n", other.id()));
    }
    expect(&tree, "qmail stop", "smtp: is not running\nsend: is not running\n", 0);
    assert!(other.try_wait().unwrap().is_none());
    tree.write_in_its_world("/run/qmail-smtp.pid", "-1\n");
    expect(&tree, "qmail zap smtp", "smtp: is not running\n", 0);
    assert!(other.try_wait().unwrap().is_none());
    let _ = kill(nix::unistd::Pid::from_raw(other.id().cast_signed()), Signal::SIGKILL);
    let _ = other.wait();
}

#[test]
fn without_a_place_for_logs_they_go_to_syslog() {
    let Some(tree) = host() else { return };
    let socket = tree.scratch().join("log");
    let syslog = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    files::set_mode(&socket, 0o666);
    let script = r#"touch /run/dev-log; mount -t tmpfs tmpfs /dev; : > /dev/log; : > /dev/null
        mount --bind "$1" /dev/log; mknod -m 666 /dev/full c 1 7; rm /dev/null; mknod -m 666 /dev/null c 1 3"#;
    let made = tree.command("/bin/sh").args(["-ec", script, "sh"]).arg(&socket).run();
    assert_eq!(made.code, Some(0), "{}", made.errors());
    tree.write_in_its_world("/etc/default/qmail", "SERVICES=send\n");
    expect(&tree, "qmail start", "send: started (pid N)\n", 0);
    let mut line = [0; 1000];
    syslog.set_read_timeout(Some(wait::LIMIT)).unwrap();
    let length = syslog.recv(&mut line).unwrap();
    let line = String::from_utf8_lossy(&line[..length]).into_owned();
    assert!(line.starts_with("<22>qmail-send: "), "{line}");
    assert!(line.ends_with(" status: local 0/10 remote 0/20"), "{line}");
    let logger = tree.processes_named("splogger");
    let status = std::fs::read_to_string(format!("/proc/{}/status", logger[0])).unwrap();
    let uid = tree.accounts().qmaill.uid;
    assert!(status.contains(&format!("\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")), "{status}");
    expect(&tree, "qmail stop", "send: stopped\n", 0);
}

#[test]
fn spamd_is_started_and_stopped_in_the_same_way() {
    let Some(tree) = Tree::on_a_host(&["spamd"]) else { return };
    if tree.lacks(Need::Tool("spamc")) {
        return;
    }
    // One rule, so that it starts at once; and no questions to others.
    let options = "OPTIONS='--local -c -m 2 -s /run/spamd.log --siteconfigpath=/run/rules --configpath=/run/rules'\n";
    let rules = "loadplugin Mail::SpamAssassin::Plugin::Check\nuse_bayes 0\n\
                 util_rb_tld com\nbody LOCAL_RULE /xyz/\n";
    tree.write_in_its_world("/run/rules/local.cf", rules);
    tree.write_in_its_world("/etc/default/spamd.qmail", options);
    expect(&tree, "spamd status", "spamd: is not running\n", 3);
    expect(&tree, "spamd start", "spamd: started (pid N)\n", 0);
    expect(&tree, "spamd start", "spamd: is running already (pid N)\n", 0);
    expect(&tree, "spamd status", "spamd: is running (pid N)\n", 0);
    expect(&tree, "spamd restart", "spamd: stopped\nspamd: started (pid N)\n", 0);
    expect(&tree, "spamd stop", "spamd: stopped\n", 0);
    expect(&tree, "spamd stop", "spamd: is not running\n", 0);
    expect(&tree, "spamd", "usage: spamd start|stop|restart|status\n", 100);
    wait::until("the end of everybody", || tree.names_of_processes().is_empty().then_some(()));
}

#[test]
fn a_server_of_our_own_is_known_by_its_name() {
    let Some(tree) = host() else { return };
    let home = tree.home().display().to_string();
    tree.shell(&format!(
        "mkdir -p {home}/supervise && cp -r {home}/services/qmail-smtpd {home}/supervise
         sed 's|/services/listen|/supervise/listen|' {home}/services/qmail-smtpd/run \
             > {home}/supervise/qmail-smtpd/run
         sed 's|^set -- tcpserver|set -- qmail-tcpserver|' {home}/services/listen \
             > {home}/supervise/listen
         chmod 755 {home}/supervise/listen"
    ));
    expect(&tree, "qmail start smtp", "smtp: started (pid N)\n", 0);
    assert!(tree.names_of_processes().iter().any(|name| name == "qmail-tcpserver"));
    expect(&tree, "qmail status smtp", "smtp: is running (pid N)\n", 0);
    expect(&tree, "qmail stop smtp", "smtp: stopped\n", 0);
}

#[test]
fn the_account_of_the_logs_is_given_nothing_but_their_directory() {
    let Some(tree) = host() else { return };
    let log = format!("{}/services/qmail-smtpd/log", tree.home().display());
    let owners = tree.shell(&format!(
        "mkdir -p /var/log/qmail /run/others && chown qmaill /var/log/qmail
         ln -s /run/others /var/log/qmail/smtpd
         cd {log} && ./run < /dev/null > /dev/null 2>&1 || :
         stat -c %U /run/others /var/log/qmail"
    ));
    assert_eq!(owners, "root\nqmaill\n");
}
