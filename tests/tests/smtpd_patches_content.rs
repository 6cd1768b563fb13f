//! What people patched into qmail-smtpd to look at messages, and the programs around it: each
//! feature by a real client over tcpserver. Ours only.

use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::exchanger::Exchanger;
use qmail_conformance::{Tree, files};

fn ours() -> Option<Tree> {
    Tree::ours_for_mail("looks at no contents")
}

/// Executables, as the documentation of the patch has them.
const SIGNATURES: &str = "# Windows executables seen in active virii\nTVqQAAMAA\nTVpQAAIAA\n\
                          # Additional windows executable signatures not yet seen in virii\n\
                          TVpAALQAc\nTVpyAXkAX\nTVrmAU4AA\nTVrhARwAk\nTVoFAQUAA\nTVoAAAQAA\n\
                          TVoIARMAA\nTVouARsAA\nTVrQAT8AA\n# .ZIPfile signatures\n#UEsDBBQAA\n\
                          #UEsDBAoAAA\n";

/// A message with a part that is base64.
fn with_part(base64: &str) -> String {
    format!(
        "Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n\
         text\n--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n\
         {base64}\n--b--\n"
    )
}

const GREEN: &str = "Subject: x\n\ntext\n";

#[test]
fn executables_are_refused_by_their_signatures() {
    let Some(tree) = ours() else { return };
    tree.control("signatures", SIGNATURES);
    let executable = "552 we don't accept email with such content (#5.3.4)";
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    for start in ["TVqQAAMAAAAEAAAA", "TVrQAT8AAAAA"] {
        mx.swaks_message(&with_part(start), &[]).expect(executable);
    }
    mx.swaks_message(&with_part("UEsDBBQAAAAI"), &[]).expect_acceptance();
    mx.swaks_message("Subject: x\n\ntext\nTVqQAAMAA\n", &[]).expect_acceptance();
    drop(mx);
    let Some(mx) = Exchanger::start(&tree, &[("EXECUTABLEOK", "1")]) else { return };
    mx.swaks_message(&with_part("TVqQAAMAAAAEAAAA"), &[]).expect_acceptance();
}

#[test]
fn spamcontrol_looks_for_types_and_loaders_in_base64() {
    let Some(tree) = ours() else { return };
    tree.control("badmimetypes", "# EXE\nTVqQAAMAAAAEAAAA\n");
    tree.control("badloadertypes", "M2UUM\n");
    let made = tree.program("qmail-newlist").args(["badmimetypes", "badloadertypes"]).run();
    assert_eq!(made.code, Some(0), "{}", made.errors());
    tree.control("smtpdlog", "spamcontrol\n");
    let variables = [("BADMIMETYPE", "!"), ("BADLOADERTYPE", "M"), ("REPLY_CONTENT", "see us")];
    let Some(mx) = Exchanger::start(&tree, &variables) else { return };
    let invalid = "554 sorry, invalid message content see us (#5.3.2)";
    for base64 in ["TVqQAAMAAAAE", "iVBORw0KGgo\nAAAM2UUMAAAA", "iVBOR w0KGgo"] {
        mx.swaks_message(&with_part(base64), &[]).expect(invalid);
    }
    mx.swaks_message(&with_part("iVBORw0KGgoAAAA"), &[]).expect_acceptance();
    mx.swaks_message("Subject: x\n\nTVqQAAMAA M2UUM\n", &[]).expect_acceptance();
    assert!(mx.log().contains("Reject::DATA::Bad_MIME P:SMTP S:127.0.0.1:"), "{}", mx.log());
}

#[test]
fn qhpsi_asks_a_scanner_before_the_queue() {
    let Some(tree) = ours() else { return };
    let scanner = tree.script(
        "scanner",
        "[ \"$2 $3\" = '--one --two' ] && [ ! -t 0 ] || exit 9\n\
         case $(cat \"$1\") in *EVIL*) exit 5;; *ODD*) exit 7;; esac",
    );
    tree.control("smtpdlog", "spamcontrol\n");
    let variables = [
        ("QHPSI", scanner.as_str()),
        ("QHPSIARG1", "--one"),
        ("QHPSIARG2", "--two"),
        ("QHPSIRC", "5"),
        ("QHPSIMAXSIZE", "10000"),
    ];
    let Some(mx) = Exchanger::start(&tree, &variables) else { return };
    mx.swaks_message(GREEN, &[]).expect_acceptance();
    assert!(tree.only_todo().text().contains("\nSubject: x\n\ntext\n"), "the whole message");
    let infected = "554 mail server permanently rejected message (#5.3.0)";
    mx.swaks_message("Subject: x\n\nEVIL\n", &[]).expect(infected);
    let failed = "451 mail server temporarily rejected message (#4.3.0)";
    mx.swaks_message("Subject: x\n\nODD\n", &[]).expect(failed);
    let large = format!("Subject: x\n\nEVIL\n{}", "long\n".repeat(3000));
    mx.swaks_message(&large, &[]).expect_acceptance();
    assert!(mx.log().contains("Reject::DATA::Virus_Infected "), "{}", mx.log());
    drop(mx);
    let queue = tree.script("queue", "printf 'Dsecond in line' >&4; exit 82");
    let base64 = [&variables[..4], &[("BASE64", ""), ("QMAILQUEUE", &queue)]].concat();
    let Some(mx) = Exchanger::start(&tree, &base64) else { return };
    mx.swaks_message("Subject: x\n\nEVIL\n", &[]).expect("554 second in line");
    mx.swaks_message(&with_part("EVIL"), &[]).expect(infected);
}

#[test]
fn a_scanner_that_hangs_is_for_later() {
    let Some(tree) = ours() else { return };
    tree.control("timeoutfilters", "1\n");
    let scanner = tree.script("scanner", "exec sleep 100");
    let Some(mx) = Exchanger::start(&tree, &[("QHPSI", &scanner)]) else { return };
    let failed = "451 mail server temporarily rejected message (#4.3.0)";
    mx.swaks_message(GREEN, &[]).expect(failed);
    assert_eq!(tree.queued(), 0);
}

#[test]
fn queue_programs_say_why() {
    let Some(tree) = ours() else { return };
    let program = tree.script("queue",
        "case $RCPTTO in 'all@x a@here.example') exit 21;; *b@*) printf 'Dno spam here' >&4; exit 82;;\n\
         *c@*) printf 'Zbusy' >&6; exit 82;; *d@*) printf 'Dnot today' >&$ERROR_FD; exit 88;;\n\
         *e@*) exit 31;; esac; exit 71",
    );
    let variables = [("QMAILQUEUE", program.as_str()), ("DELIVERTO", "all@x")];
    let Some(mx) = Exchanger::start(&tree, &variables) else { return };
    for (to, said) in [
        ("a@here.example", "554 message rejected by spam filter (#5.7.1)"),
        ("b@here.example", "554 no spam here"),
        ("c@here.example", "451 busy"),
        ("d@here.example", "554 not today"),
        ("e@here.example", "554 mail server permanently rejected message (#5.3.0)"),
        ("f@here.example", "451 mail server temporarily rejected message (#4.3.0)"),
    ] {
        mx.swaks_message(GREEN, &["--to", to]).expect(said);
    }
}

#[test]
fn hi_q_refuses_in_the_session() {
    let Some(tree) = ours() else { return };
    let filter = tree.script("filter", "sed 's/^Subject: /&[seen] /'");
    tree.control(
        "filters",
        format!(
            "{filter}\n:tee /dev/stderr 2>/dev/null | cat\n:cat > m.$$; \
        f=m.$$; grep -q RED $f && s=1; grep -q BROKEN $f && s=2; cat $f; rm $f; exit ${{s:-0}}\n"
        ),
    );
    files::set_mode(&tree.path(""), 0o777);
    let Some(mx) = Exchanger::start(&tree, &[("QMAILQUEUE", "bin/hi-q")]) else { return };
    mx.swaks_message(GREEN, &[]).expect_acceptance();
    assert!(tree.only_todo().text().contains("Subject: [seen] x\n"));
    let spam = "554 message rejected by spam filter (#5.7.1)";
    mx.swaks_message("Subject: x\n\nRED\n", &[]).expect(spam);
    let failed = "451 mail server temporarily rejected message (#4.3.0)";
    mx.swaks_message("Subject: x\n\nBROKEN\n", &[]).expect(failed);
    assert_eq!(tree.queued(), 1);
}

/// What simscan is to a queue client: a working directory, scanners, the text on descriptor 4, a
/// field of its own, and then qmail-queue with the same descriptors.
const LIKE_SIMSCAN: &str = "\
umask 077; work=$(mktemp -d) || exit 71; trap 'rm -rf $work' EXIT\n\
{ printf 'Received: by simscan 1.4.0 ppid: %s, pid: %s, t: 0.0001s\\n         scanners: none\\n' \
$PPID $$; cat; } > $work/msg || exit 71\n\
cat <&1 > $work/envelope || exit 71\n\
if grep -q EICAR $work/msg; then\n\
    printf 'DYour email was rejected because it contains the Eicar-Test virus' >&4; exit 82\n\
fi\n\
[ $(tr -cd '\\000' < $work/envelope | wc -c) -ge 3 ] || exit 91\n\
bin/qmail-queue < $work/msg 1< $work/envelope\n";

/// And qmail-scanner: it keeps what is infected, and says that all is well.
const LIKE_QMAIL_SCANNER: &str = "\
work=$(mktemp -d) || exit 71; trap 'rm -rf $work' EXIT\n\
cat > $work/msg || exit 71; cat <&1 > $work/envelope || exit 71\n\
if grep -q EICAR $work/msg; then mv $work/msg QUARANTINE/; exit 0; fi\n\
{ printf 'Received: from %s by here (envelope-from <>, uid 0) with qmail-scanner-2.11\\n' \
\"$TCPREMOTEIP\"; printf 'X-Qmail-Scanner-Mail-From: %s via here\\n' ann; cat $work/msg; } \
> $work/out\n\
exec bin/qmail-queue < $work/out 1< $work/envelope\n";

#[test]
fn scanners_in_the_place_of_the_queue_work() {
    let Some(tree) = ours() else { return };
    let quarantine = tree.scratch().join("quarantine");
    std::fs::create_dir(&quarantine).expect("a fresh directory");
    files::set_mode(&quarantine, 0o777);
    let infected = "Subject: x\n\nEICAR\n";
    let simscan = tree.script("simscan", LIKE_SIMSCAN);
    let Some(mx) = Exchanger::start(&tree, &[("QMAILQUEUE", &simscan)]) else { return };
    let virus = "554 Your email was rejected because it contains the Eicar-Test virus";
    mx.swaks_message(infected, &[]).expect(virus);
    mx.swaks_message(GREEN, &["--to", "joe@here.example,ann@here.example"]).expect_acceptance();
    let queued = tree.only_todo();
    assert_eq!(queued.recipients(), ["joe@here.example", "ann@here.example"]);
    assert!(queued.text().contains("Received: by simscan 1.4.0 ppid: "), "{}", queued.text());
    drop(mx);
    let quarantine = quarantine.display().to_string();
    let body = LIKE_QMAIL_SCANNER.replace("QUARANTINE", &quarantine);
    let qmail_scanner = tree.script("qmail-scanner-queue", &body);
    let Some(mx) = Exchanger::start(&tree, &[("QMAILQUEUE", &qmail_scanner)]) else { return };
    mx.swaks_message(infected, &[]).expect_acceptance();
    assert_eq!(tree.queued(), 1);
    mx.swaks_message(GREEN, &[]).expect_acceptance();
    assert_eq!(tree.queued(), 2);
    assert_eq!(std::fs::read_dir(quarantine).expect("it is there").count(), 1);
}

/// The configurations of Randjic's pages, for port 25 and for port 587.
const PLUGINS: &str = "[auth]\nbin/authlogger\n\n[rcpt]\nbin/ifauthskip\n:bin/rblspp -r bl.test\n";
const SUBMISSION: &str = "[mail]\nbin/authrequired\n\n[auth]\nbin/authlogger\n";
/// It lets joe in.
const CHECKER: &str =
    "tr '\\0' '\\n' <&3 | { read name; read word; [ $name $word = joe secret ]; } || exit 1";

#[test]
fn plugins_of_qmail_spp_take_part_in_their_sections() {
    let Some(tree) = ours() else { return };
    tree.control("smtpplugins", PLUGINS);
    tree.control("msaplugins", SUBMISSION);
    let body =
        CHECKER.replace("[ $name $word = joe secret ]", "[ \"$name $word\" = 'joe secret' ]");
    let checker = tree.script("checker", &format!("{body}\nexec \"$@\""));
    let words = [checker.as_str(), "/bin/true"];
    let insecure = ("ALLOW_INSECURE_AUTH", "1");
    let joe = ["--auth", "PLAIN", "--auth-user", "joe", "--auth-password", "secret"];
    let Some(mx) = Exchanger::start_with(&tree, &[insecure], &words) else { return };
    let zone = Zone::new().with("1.0.0.127.bl.test", Record::Txt(b"see http://bl.test".to_vec()));
    let _server = tree.name_server(zone);
    mx.swaks(&[]).expect("451 see http://bl.test");
    mx.swaks(&joe).expect_acceptance();
    assert!(
        mx.log().contains(" - user joe authenticated by plain from 127.0.0.1\n"),
        "{}",
        mx.log()
    );
    drop(mx);
    let submission = [insecure, ("SPPCONFFILE", "control/msaplugins")];
    let Some(mx) = Exchanger::start_with(&tree, &submission, &words) else { return };
    mx.swaks(&[]).expect("550 SMTP AUTH required");
    mx.swaks(&[&joe[..], &["--to", "x@far.example"]].concat()).expect_acceptance();
    assert!(mx.log().contains(" - message rejected, SMTP AUTH required.\n"), "{}", mx.log());
    drop(mx);
    let off = [insecure, ("NOSPP", ""), ("RBLSMTPD", "")];
    let Some(mx) = Exchanger::start_with(&tree, &off, &words) else { return };
    mx.swaks(&[]).expect_acceptance();
}

#[test]
fn every_section_has_its_moment() {
    let Some(tree) = ours() else { return };
    let section = |name: &str, line: &str| format!("[{name}]\n:{line}\n");
    let plugins = [
        section("connection", "echo 'P220-wait'"),
        section("helo", "echo \"HX-Helo: $SMTPHELOHOST\""),
        section("mail", "echo \"HX-Mail: $SMTPMAILFROM\""),
        section("rcpt", "echo \"HX-Rcpt: $SMTPRCPTTO $SMTPRCPTCOUNT $SMTPRCPTHOSTSOK\""),
        section("pass", "echo \"HX-Pass: $SMTPRCPTCOUNT\""),
        section("data", "echo 'HX-Data: yes'; printf N"),
    ];
    tree.control("smtpplugins", plugins.concat());
    let Some(mx) = Exchanger::start(&tree, &[]) else { return };
    mx.swaks(&[]).expect_acceptance();
    let text = tree.only_todo().text();
    for field in [
        "X-Mail: ann@sender.example\n",
        "X-Rcpt: joe@here.example 0 1\n",
        "X-Pass: 1\n",
        "X-Data: yes\n",
    ] {
        assert!(text.contains(field), "{field}: {text}");
    }
}
