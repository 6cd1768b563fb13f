//! Programs that send mail through `/usr/sbin/sendmail`, which is ours: mutt, s-nail, cron and PHP.

use qmail_conformance::process::Finished;
use qmail_conformance::queue::Queued;
use qmail_conformance::{Tree, files, wait};

/// Runs a program as jane, in her home.
fn as_jane(tree: &Tree, program: &str, arguments: &[&str], input: &str) -> Finished {
    let jane = tree.user("jane");
    tree.command(program)
        .args(arguments.iter().copied())
        .run_as(jane.identity())
        .in_directory(jane.home())
        .env("HOME", jane.home())
        .env("USER", "jane")
        .env("LOGNAME", "jane")
        .env("LC_ALL", "C.UTF-8")
        .stdin(input)
        .run()
}

fn only_message(tree: &Tree, sent: &Finished) -> Queued {
    assert_eq!((sent.code, sent.errors()), (Some(0), String::new()), "{}", sent.text());
    tree.only_todo()
}

fn has_line(message: &Queued, line: &str) -> bool {
    message.text().lines().any(|found| found == line)
}

#[test]
fn mutt_sends_a_message() {
    let Some(tree) = Tree::among_others("usr/bin/mutt") else { return };
    // As `envelope_from` has it, mutt calls `sendmail -oem -oi -f jane@... -- joe@...`.
    let words = [
        "-n",
        "-e",
        "set copy=no use_envelope_from=yes from=jane@test.example realname='Jane Doe'",
        "-s",
        "hello",
        "-c",
        "ann@far.example",
        "-b",
        "eve@far.example",
        "--",
        "joe@test.example",
    ];
    let message = only_message(&tree, &as_jane(&tree, "mutt", &words, "Hi Joe.\n.\nBye.\n"));
    assert_eq!(message.sender(), "jane@test.example");
    let mut recipients = message.recipients();
    recipients.sort();
    assert_eq!(recipients, ["ann@far.example", "eve@far.example", "joe@test.example"]);
    assert!(has_line(&message, "Subject: hello") && has_line(&message, "To: joe@test.example"));
    assert!(has_line(&message, "From: Jane Doe <jane@test.example>"), "{}", message.text());
    assert!(message.text().ends_with("\n\nHi Joe.\n.\nBye.\n"), "{}", message.text());
    assert!(!message.text().contains("eve@"), "{}", message.text());
}

#[test]
fn mutt_sends_an_attachment_and_eight_bit_text() {
    let Some(tree) = Tree::among_others("usr/bin/mutt") else { return };
    let jane = tree.user("jane");
    jane.write("numbers.bin", (0..=255_u8).collect::<Vec<_>>());
    let words =
        ["-n", "-e", "set copy=no", "-s", "Grüße", "-a", "numbers.bin", "--", "joe@test.example"];
    let message = only_message(&tree, &as_jane(&tree, "mutt", &words, "Schöne Grüße\n"));
    assert_eq!(message.sender(), "jane@test.example");
    let text = message.text();
    assert!(text.contains("Content-Type: multipart/mixed;"), "{text}");
    assert!(text.contains("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"));
}

#[test]
fn s_nail_sends_a_message() {
    let Some(tree) = Tree::among_others("usr/bin/s-nail") else { return };
    let words = [
        "-:/",
        "-s",
        "hello",
        "-r",
        "jane@test.example",
        "-c",
        "ann@far.example",
        "-b",
        "eve@far.example",
        "joe@test.example",
    ];
    let message = only_message(&tree, &as_jane(&tree, "s-nail", &words, "Hi Joe.\n.\nBye.\n"));
    assert_eq!(message.sender(), "jane@test.example");
    let mut recipients = message.recipients();
    recipients.sort();
    assert_eq!(recipients, ["ann@far.example", "eve@far.example", "joe@test.example"]);
    assert!(has_line(&message, "Subject: hello") && has_line(&message, "From: jane@test.example"));
    assert!(message.text().ends_with("Hi Joe.\n.\nBye.\n"), "{}", message.text());
    assert!(!message.text().contains("eve@"), "{}", message.text());
}

#[test]
fn s_nail_says_that_a_message_was_not_sent() {
    let Some(tree) = Tree::among_others("usr/bin/s-nail") else { return };
    tree.replace_program("qmail-queue", "exit 53");
    let words = ["-:/", "-Ssendwait", "-s", "hello", "joe@test.example"];
    let sent = as_jane(&tree, "s-nail", &words, "Hi Joe.\n");
    assert_ne!(sent.code, Some(0));
    let expected = "qmail-inject: fatal: qq write error or disk full (#4.3.0)";
    assert!(sent.errors().contains(expected), "{}", sent.errors());
}

#[test]
fn cron_mails_what_a_job_prints() {
    let Some(tree) = Tree::among_others("usr/sbin/cron") else { return };
    // Only this job; those of the machine are not ours to run.
    tree.shell(
        "rm -rf /etc/crontab /etc/cron.d /var/spool/cron/crontabs; mkdir -p /var/spool/cron/crontabs
        printf 'PATH=/usr/bin:/bin\\n@reboot echo done; printf .\\n' > /var/spool/cron/crontabs/joe
        chown joe /var/spool/cron/crontabs/joe; chmod 600 /var/spool/cron/crontabs/joe",
    );
    let (mut cron, _log) = tree.command("/usr/sbin/cron").arg("-f").start();
    let message = wait::until("cron's message", || tree.todo().pop());
    let _ = cron.kill();
    let _ = cron.wait();
    assert_eq!(message.recipients(), ["joe@test.example"]);
    // Its environment names nobody.
    assert_eq!(message.sender(), "anonymous@test.example");
    let text = message.text();
    assert!(text.contains("\nFrom: root@test.example (Cron Daemon)\n"), "{text}");
    assert!(text.contains("echo done") && text.ends_with("\n\ndone\n.\n"), "{text}");
}

/// Runs PHP without its php.ini, so that it calls `/usr/sbin/sendmail -t -i`.
fn php(tree: &Tree, settings: &[&str], program: &str) -> Finished {
    let script = tree.scratch().join("script.php");
    files::write(&script, format!("<?php {program}"));
    let path = script.display().to_string();
    as_jane(tree, "php8.2", &[&["-n"], settings, &[&path]].concat(), "")
}

const PHP_MAIL: &str = r#"exit(mail("joe@test.example, ann@far.example", "hello",
    "Hi.\n.\nBye.\n", "From: shop@test.example\r\nBcc: eve@far.example",
    "-fbounces@test.example") ? 0 : 1);"#;

#[test]
fn php_sends_mail() {
    let Some(tree) = Tree::among_others("usr/bin/php8.2") else { return };
    let sent = php(&tree, &["-d", "mail.mixed_lf_and_crlf=On"], PHP_MAIL);
    assert_eq!(sent.code, Some(0), "{}", sent.said());
    let message = tree.only_todo();
    assert_eq!(message.sender(), "bounces@test.example");
    let mut recipients = message.recipients();
    recipients.sort();
    assert_eq!(recipients, ["ann@far.example", "eve@far.example", "joe@test.example"]);
    let text = message.text();
    let end = "Subject: hello\nFrom: shop@test.example\n\nHi.\n.\nBye.\n\n";
    assert!(text.ends_with(end), "{text:?}");
    assert!(!text.contains("eve@"), "{text:?}");
}

/// Since 8.0 PHP ends lines of the header as SMTP does. Every qmail-inject takes such an empty line
/// for the first one of the body, which costs an empty line, but no mail and no recipient.
#[test]
fn php_sends_mail_with_line_ends_of_the_network() {
    let Some(tree) = Tree::among_others("usr/bin/php8.2") else { return };
    let sent = php(&tree, &[], PHP_MAIL);
    assert_eq!(sent.code, Some(0), "{}", sent.said());
    let message = tree.only_todo();
    assert_eq!(message.sender(), "bounces@test.example");
    let mut recipients = message.recipients();
    recipients.sort();
    assert_eq!(recipients, ["ann@far.example", "eve@far.example", "joe@test.example"]);
    let text = message.text();
    assert!(text.contains("Subject: hello\r\nFrom: shop@test.example\n\n\r\nHi.\n"), "{text:?}");
    assert!(!text.contains("eve@"), "{text:?}");
}

#[test]
fn php_learns_that_mail_was_not_sent() {
    let Some(tree) = Tree::among_others("usr/bin/php8.2") else { return };
    tree.replace_program("qmail-queue", "exit 31");
    let program = r#"exit(mail("joe@test.example", "hello", "Hi.\n") ? 0 : 3);"#;
    assert_eq!(php(&tree, &[], program).code, Some(3));
}
