//! Signatures on what leaves and on what comes in, with OpenDKIM, dkimpy and Mail::DKIM on the
//! other side, and with messages and name servers that mean us no good.

#[path = "dkim/original.rs"]
mod original;
#[path = "dkim/site.rs"]
mod site;

use std::time::{Duration, Instant};

use qmail_conformance::dns::Zone;
use qmail_conformance::process::Finished;
use qmail_conformance::{Need, Tree, files};

use site::{ED25519, MESSAGE, RSA, Site, strings};

/// Verifies the signatures of a message, one after the other.
const DKIMPY: &str = "import sys, dkim\nsigned = dkim.DKIM(sys.stdin.buffer.read())\n\
                      print([signed.verify(number) for number in range(int(sys.argv[1]))])\n";

/// What others make of a message whose first signature is of an Ed25519 key, the second of RSA.
fn verdicts_of_others(site: &Site, message: &str) -> Option<[String; 3]> {
    for tool in ["opendkim-testmsg", "dkimverify", "dkimproxy-verify"] {
        if site.tree.lacks(Need::Tool(tool)) {
            return None;
        }
    }
    let dkimpy = site.run("/usr/bin/python3", &["-c", DKIMPY, "2"], message);
    // It does not know Ed25519, and wants the line ends of the network.
    let opendkim = site.run("opendkim-testmsg", &[], &message.replace('\n', "\r\n"));
    let perl = site.run("dkimproxy-verify", &[], message);
    let perl: Vec<String> = perl
        .said()
        .lines()
        .filter_map(|line| line.strip_prefix("verify result: ").map(str::to_owned))
        .collect();
    Some([dkimpy.said(), format!("{:?} {}", opendkim.code, opendkim.said()), perl.join("; ")])
}

/// Signs a message with OpenDKIM's library: its own tools offer SHA-1 only.
const OPENDKIM: &str = "
import ctypes, sys
library = ctypes.CDLL('libopendkim.so.11')
for name in ['dkim_init', 'dkim_sign']:
    getattr(library, name).restype = ctypes.c_void_p
message = sys.stdin.buffer.read()
key = open(sys.argv[1], 'rb').read()
state = ctypes.c_int()
signing = ctypes.c_void_p(library.dkim_sign(
    ctypes.c_void_p(library.dkim_init(None, None)), b'id', None, key, b'r', b'test.example',
    int(sys.argv[2]), int(sys.argv[2]), 1, ctypes.c_ssize_t(-1), ctypes.byref(state)))
library.dkim_chunk(signing, message, ctypes.c_size_t(len(message)))
library.dkim_chunk(signing, None, ctypes.c_size_t(0))
assert library.dkim_eom(signing, None) == 0
field = ctypes.create_string_buffer(4096)
assert library.dkim_getsighdr(signing, field, ctypes.c_size_t(4096), ctypes.c_size_t(16)) == 0
print('DKIM-Signature: ' + field.value.decode())
";

const BOTH_PASS: &str = "[True, True]\n";

#[test]
fn what_we_sign_is_verified_by_others() {
    let Some(site) = Site::new() else { return };
    let signed = site.signed(MESSAGE);
    assert_eq!(signed.matches("DKIM-Signature: ").count(), 2, "{signed}");
    assert!(signed.ends_with(MESSAGE), "{signed}");
    let Some([dkimpy, opendkim, perl]) = verdicts_of_others(&site, &signed) else { return };
    assert_eq!(dkimpy, BOTH_PASS, "{signed}");
    assert_eq!(opendkim, "Some(0) ", "{signed}");
    // Debian's does not know Ed25519.
    assert_eq!(perl, "invalid (unsupported algorithm ed25519-sha256); pass", "{signed}");
}

#[test]
fn a_changed_byte_is_caught_by_others_and_by_us() {
    let Some(site) = Site::new() else { return };
    let signed = site.signed(MESSAGE);
    for (from, to) in [("Hello", "Hullo"), ("Subject: two", "Subject: too")] {
        let changed = signed.replacen(from, to, 1);
        assert_ne!(signed, changed);
        let results = site.results(&changed);
        assert_eq!(results.matches("dkim=fail").count(), 2, "{results}");
        let Some([dkimpy, opendkim, perl]) = verdicts_of_others(&site, &changed) else { return };
        assert!(!dkimpy.contains("True"), "{dkimpy}");
        assert!(!opendkim.starts_with("Some(0)"), "{opendkim}");
        assert!(perl.contains("; fail"), "{perl}");
    }
}

#[test]
fn what_we_sign_we_verify() {
    let Some(site) = Site::new() else { return };
    let signed = site.signed(MESSAGE);
    let results = site.results(&signed);
    let expected = "Authentication-Results: test.example; \
                    dkim=pass header.d=test.example header.s=e \
                    header.a=ed25519-sha256 header.b=";
    assert!(results.starts_with(expected), "{results}");
    assert_eq!(results.matches("dkim=pass").count(), 2, "{results}");
}

#[test]
fn what_others_sign_we_verify() {
    let Some(site) = Site::new() else { return };
    for tool in ["opendkim-testmsg", "dkimsign", "dkimproxy-sign"] {
        if site.tree.lacks(Need::Tool(tool)) {
            return;
        }
    }
    let rsa = site.file("rsa.pem", RSA);
    let seed = ED25519.lines().nth(1).unwrap();
    // dkimpy wants the bare 32 bytes.
    let program = "import sys, base64; \
                   print(base64.b64encode(base64.b64decode(sys.argv[1])[16:]).decode(), end='')";
    let seed = site.run("/usr/bin/python3", &["-c", program, seed], "").text();
    let seed = site.file("seed", &seed);
    let wire = MESSAGE.replace('\n', "\r\n");
    let opendkim = |form| site.run("/usr/bin/python3", &["-c", OPENDKIM, &rsa, form], &wire);
    let dkimpy = ["r", "test.example", &rsa];
    let ed25519 = ["--signalg", "ed25519-sha256", "e", "test.example", &seed];
    let simple = ["--hcanon", "simple", "--bcanon", "simple", "r", "test.example", &rsa];
    let key = format!("--key={rsa}");
    let perl =
        ["--type=dkim", "--algorithm=rsa-sha256", "--method=relaxed/relaxed", "--selector=r"];
    let perl = site.run(
        "dkimproxy-sign",
        &[&perl[..], &["--domain=test.example", &key]].concat(),
        MESSAGE,
    );
    let all = [
        ("OpenDKIM", opendkim("1")),
        ("OpenDKIM, simple", opendkim("0")),
        ("dkimpy", site.run("dkimsign", &dkimpy, MESSAGE)),
        ("dkimpy, simple", site.run("dkimsign", &simple, MESSAGE)),
        ("dkimpy, Ed25519", site.run("dkimsign", &ed25519, MESSAGE)),
        ("Mail::DKIM", perl),
    ];
    let sha1 = ["-s", "r", "-d", "test.example", "-k", &rsa];
    let sha1 = site.run("opendkim-testmsg", &sha1, &wire).text().replace("\r\n", "\n");
    assert!(site.results(&sha1).contains("dkim=policy (rsa-sha1)"), "{sha1}");
    for (name, finished) in all {
        let signed = whole(name, &finished);
        let results = site.results(&signed);
        assert!(results.contains("dkim=pass header.d=test.example"), "{name}: {results}\n{signed}");
        let changed = site.results(&signed.replacen("Hello", "Hullo", 1));
        assert!(changed.contains("dkim=fail (body does not match)"), "{name}: {changed}");
    }
}

/// A message that a signer wrote: some write the field only.
fn whole(name: &str, finished: &Finished) -> String {
    assert_eq!(finished.code, Some(0), "{name}: {}", finished.said());
    let text = finished.text().replace("\r\n", "\n");
    if text.contains("\n\n") { text } else { format!("{}\n{MESSAGE}", text.trim_end()) }
}

#[test]
fn bounces_are_signed() {
    let Some(site) = Site::new() else { return };
    site.tree.user("joe").instruct("", "|echo go away; exit 100\n");
    let path = site.path();
    let program = site.tree.program("qmail-start").arg("./Maildir/").env("PATH", path);
    site.tree.queue("jane@far.example", &["joe@test.example"], "Subject: x\n\nbody\n");
    let program = program.env("QMAILREMOTE", "qmail-dkim-remote");
    let running = qmail_conformance::log::Running::of(program);
    let bounce = site.arrived(1);
    running.wait_for("end msg ");
    // It would take what is queued next, too.
    running.stop();
    assert!(bounce.contains("From: MAILER-DAEMON@test.example\n"), "{bounce}");
    assert_eq!(bounce.matches("DKIM-Signature: ").count(), 2, "{bounce}");
    let results = site.results(&bounce);
    assert_eq!(results.matches("dkim=pass header.d=test.example").count(), 2, "{results}");
}

#[test]
fn forwarded_mail_is_signed_by_this_host() {
    let Some(site) = Site::new() else { return };
    site.tree.user("joe").instruct("", "&jane@far.example\n");
    let path = site.path();
    let program = site.tree.program("qmail-start").arg("./Maildir/").env("PATH", path);
    let message = "From: x@elsewhere.example\nSubject: x\n\nbody\n";
    site.tree.queue("x@elsewhere.example", &["joe@test.example"], message);
    let program = program.env("QMAILREMOTE", "qmail-dkim-remote");
    let running = qmail_conformance::log::Running::of(program);
    let forwarded = site.arrived(1);
    running.wait_for("end msg ");
    // It would take what is queued next, too.
    running.stop();
    let results = site.results(&forwarded);
    assert_eq!(results.matches("dkim=pass header.d=test.example").count(), 2, "{results}");
}

#[test]
fn the_wrapper_may_have_the_name_of_qmail_remote() {
    let Some(site) = Site::new() else { return };
    let place = site.tree.scratch().join("renamed");
    std::fs::create_dir(&place).unwrap();
    let bin = site.tree.bin();
    std::fs::copy(bin.join("qmail-dkim-remote"), place.join("qmail-remote")).unwrap();
    std::fs::copy(bin.join("qmail-remote"), place.join("qmail-remote.orig")).unwrap();
    for name in ["qmail-remote", "qmail-remote.orig"] {
        files::set_mode(&place.join(name), 0o755);
    }
    let program = site.tree.command(place.join("qmail-remote"));
    let program = program.run_as(site.tree.accounts().qmailr);
    let words = ["far.example", "joe@test.example", "jane@far.example"];
    let said = program.args(words).stdin(MESSAGE).run().text();
    assert!(said.starts_with("r\0K"), "{said:?}");
    assert_eq!(site.arrived(1).matches("DKIM-Signature: ").count(), 2);
}

#[test]
fn a_wrapper_that_would_run_itself_says_so() {
    let Some(site) = Site::new() else { return };
    let program = site.tree.program("qmail-dkim-remote").run_as(site.tree.accounts().qmailr);
    let ourselves = site.tree.home().join("bin/qmail-dkim-remote");
    let words = ["far.example", "joe@test.example", "jane@far.example"];
    let said = program.args(words).env("DKIMREMOTE", ourselves).stdin(MESSAGE).run().text();
    assert_eq!(said, "Zqmail-dkim-remote was to run itself as qmail-remote. (#4.3.5)\n\0");
}

#[test]
fn what_sends_a_message_cannot_read_the_keys_that_signed_it() {
    let Some(site) = Site::new() else { return };
    let home = site.tree.home().display().to_string();
    let script = format!(
        "#!/bin/sh\nexec 2>&1\ngrep NoNewPrivs /proc/self/status\ncat {home}/control/me\n\
         cat {home}/control/domainkeys/test.example/r\ncd {home}/control/domainkeys/test.example\n\
         mv r /tmp/\nchmod 444 r\ncat r\ncat /etc/hostname /etc/passwd > /dev/null && echo fine\n"
    );
    let path = site.tree.scratch().join("nosy");
    files::write(&path, script);
    files::set_mode(&path, 0o755);
    let program = site.tree.program("qmail-dkim-remote").run_as(site.tree.accounts().qmailr);
    let words = ["far.example", "joe@test.example", "jane@far.example"];
    let said = program.args(words).env("DKIMREMOTE", path).stdin(MESSAGE).run().text();
    assert!(said.contains("test.example\n") && said.ends_with("fine\n"), "{said}");
    // A kernel without Landlock leaves it to modes.
    if said.contains("NoNewPrivs:\t1") {
        assert!(!said.contains("PRIVATE KEY"), "{said}");
        assert_eq!(said.matches("r: Permission denied").count(), 2, "{said}");
    }
}

#[test]
fn without_a_key_a_message_goes_as_it_is() {
    let Some(site) = Site::without_keys("") else { return };
    let message = "From: joe@test.example\n\nsecond\n";
    assert_eq!(site.signed(message), message);
}

#[test]
fn a_key_that_cannot_be_used_delays_mail() {
    let Some(site) = Site::without_keys("") else { return };
    site.key("test.example", "r", "nonsense");
    let said = site.send(MESSAGE).text();
    assert!(
        said.starts_with("ZUnable to use DKIM key ") && said.ends_with("(#4.3.5)\n\0"),
        "{said}"
    );
    assert!(site.sink.messages().is_empty());
    site.key("test.example", "r", RSA);
    files::set_mode(&site.tree.path("control/domainkeys/test.example"), 0o000);
    assert!(site.send(MESSAGE).text().starts_with("ZUnable to use DKIM key "));
    // Whoever has no key is not concerned.
    assert!(
        site.send_from("x@other.example", "From: x@other.example\n\nx\n").text().starts_with('Z')
    );
}

#[test]
fn keys_are_made_stored_and_printed() {
    let Some(site) = Site::without_keys("") else { return };
    let make = |words: &[&str]| site.tree.program("dknewkey").args(words.iter().copied()).run();
    let made = make(&["-e", "new", "Made.example"]);
    assert_eq!(made.code, Some(0), "{}", made.said());
    let record = made.text();
    assert!(record.starts_with("new._domainkey.made.example. IN TXT ( \"v=DKIM1; k=ed25519; p="));
    let directory = site.tree.path("control/domainkeys/made.example");
    let owner = site.tree.accounts().qmailr.uid;
    for (path, mode) in [(directory.clone(), 0o700), (directory.join("new"), 0o400)] {
        assert_eq!((files::owner(&path).0, files::mode(&path) & 0o777), (owner, mode), "{path:?}");
    }
    assert_eq!(make(&["-e", "new", "made.example"]).code, Some(111));
    assert_eq!(make(&["../x", "made.example"]).code, Some(100));
    assert_eq!(make(&["waiting", "made.example", "-n"]).code, Some(100));
    let rsa = make(&["-n", "waiting", "made.example"]);
    assert!(rsa.text().contains("\"v=DKIM1; k=rsa; p="), "{}", rsa.said());
    assert!(directory.join(".waiting").is_file() && !directory.join("waiting").exists());
    let signed = site.signed("From: joe@made.example\n\nbody\n");
    assert_eq!(signed.matches("DKIM-Signature: ").count(), 1, "{signed}");
    assert!(signed.contains("s=new; d=made.example"), "{signed}");
}

#[test]
fn a_key_is_made_nowhere_but_where_its_owner_could_make_it() {
    let Some(site) = Site::without_keys("") else { return };
    let make = |domain| site.tree.program("dknewkey").args(["-e", "new", domain]).run();
    assert_eq!(make("other.example").code, Some(0));
    let elsewhere = site.tree.scratch().join("of-root");
    std::fs::create_dir(&elsewhere).unwrap();
    files::set_mode(&elsewhere, 0o755);
    // Who has taken over a process of qmailr may have put this there.
    let link = site.tree.path("control/domainkeys/made.example");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    let made = make("made.example");
    assert_eq!(made.code, Some(111), "{}", made.said());
    assert!(files::names(&elsewhere).is_empty(), "{:?}", files::names(&elsewhere));
}

#[test]
fn false_results_are_taken_out() {
    let Some(site) = Site::new() else { return };
    let forged = "Authentication-Results: (x) TEST.example; dkim=pass header.d=bank.example\n";
    let others = "Authentication-Results: far.example; dkim=pass\n";
    let reply = site.receive(&[], &format!("{forged}{others}{MESSAGE}"));
    assert!(reply.starts_with("250"), "{reply}");
    let queued = site.tree.only_todo().without_received();
    assert!(queued.starts_with("Authentication-Results: test.example;\n\tdkim=none\n"), "{queued}");
    assert!(
        !queued.contains("bank") && queued.ends_with(&format!("{others}{MESSAGE}")),
        "{queued}"
    );
}

#[test]
fn nothing_is_refused_unless_one_says_so() {
    let Some(site) = Site::new() else { return };
    let changed = site.signed(MESSAGE).replacen("Hello", "Hullo", 1);
    let receive = |letters: &str, message: &str| site.receive(&[("DKIMVERIFY", letters)], message);
    assert!(receive("", &changed).starts_with("250"));
    assert!(receive("p", MESSAGE).starts_with("250"));
    assert!(receive("SI", &changed).starts_with("250"));
    assert_eq!(receive("U", &changed), "554 DKIM: body does not match (#5.7.20)");
    assert_eq!(receive("t", &changed), "451 DKIM: body does not match (#4.7.20)");
    assert_eq!(receive("S", MESSAGE), "554 DKIM: not signed (#5.7.20)");
    assert_eq!(site.tree.queued(), 3);
}

#[test]
fn words_on_a_refusal_go_into_a_pipe_and_nowhere_else() {
    let Some(site) = Site::new() else { return };
    let words = site.tree.scratch().join("words");
    let refuse = |script: &str| {
        let program = site.tree.command("/bin/sh").args(["-c", script]).stdin(MESSAGE);
        program.in_directory(site.tree.home()).env("DKIMVERIFY", "S").run()
    };
    let finished = refuse(&format!("exec bin/qmail-dkim 6>{}", words.display()));
    assert_eq!((finished.code, files::read(&words).len()), (Some(31), 0));
    let finished = refuse("{ bin/qmail-dkim 6>&1 >&2; echo $? >&2; } | cat");
    assert!(finished.said().contains("DDKIM: not signed (#5.7.20)"), "{}", finished.said());
}

/// Runs qmail-dkim alone on a message, with little memory; how it ended, and how long it took.
fn filter(tree: &Tree, message: &[u8], kilobytes: u32) -> (Finished, Duration) {
    let envelope = tree.scratch().join("envelope");
    files::write(&envelope, b"Fx@far.example\0Tjoe@test.example\0\0");
    let script = format!("ulimit -v {kilobytes}; exec bin/qmail-dkim");
    let start = Instant::now();
    let program = tree.command("/bin/sh").args(["-c", &script]).run_as(tree.accounts().qmaild);
    let program = program.in_directory(tree.home()).stdin(message);
    let finished = program.redirected(&format!("1<{}", envelope.display())).run();
    (finished, start.elapsed())
}

#[test]
fn ten_megabytes_of_header_take_little_time_and_memory() {
    let Some(site) = Site::new() else { return };
    let one = format!("X: {}\n{MESSAGE}", "x".repeat(10 << 20));
    let many = format!("{}{MESSAGE}", "X-Field: of many\n".repeat(600_000));
    let folded = format!("X: y\n{}{MESSAGE}", " z\n".repeat(3_000_000));
    for message in [&one, &many, &folded] {
        let (finished, time) = filter(&site.tree, message.as_bytes(), 250_000);
        assert_eq!(finished.code, Some(0), "{}", finished.said());
        assert!(time < Duration::from_secs(30), "{time:?}");
        let said = site.send(message).text();
        assert!(said.starts_with("r\0K"), "{said:?}");
    }
    for queued in site.tree.todo() {
        let text = queued.without_received();
        let expected = "Authentication-Results: test.example;\n\tdkim=neutral (header too large)\n";
        assert!(text.starts_with(expected), "{}", &text[..200]);
    }
}

#[test]
fn large_bodies_take_little_memory() {
    let Some(site) = Site::new() else { return };
    let body = "A line of a large message, as long as most lines are in most of them.\n";
    let message = format!("{MESSAGE}{}", body.repeat(500_000));
    let script = "ulimit -v 60000; exec qmail-dkim-remote \"$@\"";
    let words = ["-c", script, "-", "far.example", "joe@test.example", "jane@far.example"];
    let program = site.tree.command("/bin/sh").args(words).env("PATH", site.path());
    let said = program.run_as(site.tree.accounts().qmailr).stdin(message.as_bytes()).run().text();
    assert!(said.starts_with("r\0K"), "{said:?}");
    let signed = site.arrived(1);
    let (finished, _) = filter(&site.tree, signed.as_bytes(), 60_000);
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    let queued = site.tree.only_todo().without_received();
    assert_eq!(queued.matches("dkim=pass").count(), 2, "{}", &queued[..600]);
}

/// A thousand signatures, each with a key of its own.
fn many_signatures() -> String {
    let field = |number| {
        format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d=slow{number}.example; s=s; c=relaxed/relaxed;\n \
             h=From; bh=g3zLYH4xKxcPrHOD18z9YfpQcnk/GaJedfustWU5uGs=; b=AAAAAAAA\n"
        )
    };
    (0..1000).map(field).collect::<String>() + "From: x@far.example\n\ntest\n"
}

#[test]
fn a_thousand_signatures_and_a_name_server_that_hangs_delay_nobody_for_long() {
    let Some(site) = Site::new() else { return };
    let tree = Tree::under_test();
    let zone = (0..1000).fold(Zone::new(), |zone, number| {
        zone.silent(&format!("s._domainkey.slow{number}.example"))
    });
    let server = tree.name_server(zone);
    let (finished, time) = filter(&tree, many_signatures().as_bytes(), 100_000);
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    assert!(time < Duration::from_secs(90), "{time:?}");
    let queued = tree.only_todo().without_received();
    assert_eq!(queued.matches("dkim=temperror (no answer from DNS)").count(), 10, "{queued}");
    assert_eq!(queued.matches("dkim=policy (too many signatures)").count(), 1, "{queued}");
    assert!(server.questions().len() < 20, "{}", server.questions().len());
    drop(site);
}

#[test]
fn keys_of_a_giant_are_refused_at_once() {
    let large = "A".repeat(3_000);
    let giant = "A".repeat(60_000);
    let records = format!(
        "s._domainkey.slow0 TXT ( \"p=\" {})\ns._domainkey.slow1 TXT ( \"p=\" {})\n",
        strings(&large),
        strings(&giant)
    );
    let Some(site) = Site::without_keys(&records) else { return };
    let (finished, time) = filter(&site.tree, many_signatures().as_bytes(), 100_000);
    assert_eq!(finished.code, Some(0), "{}", finished.said());
    assert!(time < Duration::from_secs(30), "{time:?}");
    let queued = site.tree.only_todo().without_received();
    assert_eq!(queued.matches("dkim=permerror (unusable key in DNS)").count(), 2, "{queued}");
    assert_eq!(queued.matches("dkim=permerror (no key in DNS)").count(), 8, "{queued}");
}

#[test]
fn users_who_relay_are_neither_verified_nor_believed() {
    let Some(site) = Site::new() else { return };
    let forged = format!("Authentication-Results: test.example; dkim=pass\n{MESSAGE}");
    assert!(site.receive(&[("RELAYCLIENT", "")], &forged).starts_with("250"));
    let queued = site.tree.only_todo().without_received();
    assert!(!queued.contains("Authentication-Results"), "{queued}");
}
