//! qmail-smtpd: plug-ins (qmail-spp) and the plug-ins that come with it. Ours only.

use qmail_conformance::dns::{Record, Zone};
use qmail_conformance::smtp::Session;
use qmail_conformance::{Need, Tree, files};

fn ours(plugins: &str) -> Option<Tree> {
    let tree = Tree::under_test();
    if tree.is_original() {
        println!("skipped: the original has no plug-ins");
        return None;
    }
    tree.control("rcpthosts", "here.example\n");
    tree.control("smtpplugins", plugins);
    Some(tree)
}

const OK: &str = "250 ok\r\n";

#[test]
fn sections_are_asked_at_their_steps() {
    let plugins = "# comment\n[connection]\n:echo \"P220-hello\"\n[helo]\n\
                   :[ $SMTPHELOHOST != bad ] || echo 'E550 bad helo'\n[mail]\n\
                   :[ \"$SMTPMAILFROM\" != bad@b ] || echo 'E550 bad sender'\n[rcpt]\n\
                   :echo \"HX-Rcpt: $SMTPRCPTTO $SMTPRCPTCOUNT $SMTPRCPTCOUNTALL $SMTPRCPTHOSTSOK\"\n\
                   [data]\n:[ \"$SMTPRCPTTO\" != late@here.example ] || echo 'E550 no data'\n";
    let Some(tree) = ours(plugins) else { return };
    let mut session = Session::with(tree.smtpd_program().converse());
    assert_eq!(session.reply().text, "220-hello\r\n220 test.example ESMTP\r\n");
    assert_eq!(session.command("HELO bad").text, "550 bad helo\r\n");
    assert_eq!(session.command("EHLO good").code, 250);
    assert_eq!(session.command("MAIL FROM:<bad@b>").text, "550 bad sender\r\n");
    assert_eq!(session.command("RCPT TO:<a@here.example>").text, "503 MAIL first (#5.5.1)\r\n");
    let mut session = session.mail_from("a@b").rcpt_to("a@here.example").rcpt_to("b@here.example");
    assert_eq!(session.data("Subject: x\r\n\r\n").code, 250);
    let text = tree.only_todo().text();
    let headers = "X-Rcpt: a@here.example 0 1 1\nX-Rcpt: b@here.example 1 2 1\nSubject: x\n";
    assert!(text.contains(headers), "{text}");
    let mut session = session.mail_from("a@b").rcpt_to("late@here.example");
    assert_eq!(session.command("DATA").text, "550 no data\r\n");
}

#[test]
fn output_commands_do_what_they_say() {
    let Some(tree) = ours("") else { return };
    let said = |plugin: &str| {
        tree.control("smtpplugins", format!("[rcpt]\n{plugin}\n"));
        let mut session = tree.smtpd().mail_from("a@b");
        session.command("RCPT TO:<x@far.example>").text
    };
    let not_ours = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n";
    assert_eq!(said(":true"), not_ours);
    assert_eq!(said(":echo O"), OK);
    assert_eq!(said(":echo N\n:echo O"), not_ours);
    assert_eq!(said(":echo A\n:echo O"), not_ours);
    assert_eq!(said(":printf 'E450 wait'"), "450 wait\r\n");
    assert_eq!(said(":echo R421 bye"), "421 bye\r\n");
    assert_eq!(said(":echo D"), "");
    assert_eq!(said(":echo LR550 queued\n:true"), not_ours);
    assert_eq!(
        said("plugins/none"),
        "451 qmail-spp failure: plugins/none: can't execute (#4.3.0)\r\n"
    );
    assert_eq!(
        said(":kill -9 $$"),
        "451 qmail-spp failure: :kill -9 $$: child crashed (#4.3.0)\r\n"
    );
    assert_eq!(said(":yes x | head -c 5000000; echo O"), not_ours);
}

#[test]
fn a_plugin_that_hangs_is_ended_and_named() {
    let Some(tree) = ours("[mail]\n:exec sleep 100\n") else { return };
    tree.control("timeoutplugin", "1\n");
    let said = tree.smtpd().command("MAIL FROM:<a@b>").text;
    assert_eq!(said, "451 qmail-spp failure: :exec sleep 100: timeout (#4.3.0)\r\n");
}

#[test]
fn a_plugin_changes_addresses_and_the_variables_of_the_queue_program() {
    let plugins = "[mail]\n:echo Cnew@sender.example; echo SFROMPLUGIN=yes\n\
                   [rcpt]\n:echo Cjane@elsewhere.example\n";
    let Some(tree) = ours(plugins) else { return };
    let program = tree.scratch().join("queue");
    files::write_script(&program, "[ \"$FROMPLUGIN\" = yes ] || exit 31\nexec bin/qmail-queue");
    let program = program.to_str().expect("a plain path");
    let session = tree.smtpd_with(&[("QMAILQUEUE", program)]).mail_from("a@b");
    let mut session = session.rcpt_to("joe@here.example");
    assert_eq!(session.data("x\r\n").code, 250);
    let queued = tree.only_todo();
    assert_eq!(
        (queued.sender(), queued.recipients()),
        ("new@sender.example".into(), vec!["jane@elsewhere.example".into()])
    );
}

#[test]
fn switches_choose_the_configuration() {
    let Some(tree) = ours("[mail]\n:echo E550 no\n") else { return };
    let said = |variables: &[(&str, &str)]| {
        let mut session = Session::with(tree.smtpd_program().envs(variables).converse());
        let greeting = session.reply();
        if greeting.code != 220 { greeting.text } else { session.command("MAIL FROM:<a@b>").text }
    };
    assert_eq!(said(&[]), "550 no\r\n");
    assert_eq!(said(&[("NOSPP", "")]), OK);
    tree.control("msaplugins", "[mail]\nbin/authrequired\n");
    let submission = ("SPPCONFFILE", "control/msaplugins");
    assert_eq!(said(&[submission]), "550 SMTP AUTH required\r\n");
    assert_eq!(said(&[submission, ("SMTPAUTHUSER", "joe")]), OK);
    assert_eq!(
        said(&[("SPPCONFFILE", "control/none")]),
        "421 unable to read controls (#4.3.0)\r\n"
    );
}

#[test]
fn the_plugins_that_come_with_it_say_what_they_are_known_for() {
    let Some(tree) = ours("") else { return };
    let run = |name: &str, variables: &[(&str, &str)]| {
        let end = tree.program(name).envs(variables).run();
        (end.text(), end.errors())
    };
    let (said, log) = run("authrequired", &[]);
    assert_eq!(said, "E550 SMTP AUTH required\n");
    assert!(log.ends_with(" - message rejected, SMTP AUTH required.\n"), "{log}");
    assert_eq!(run("ifauthskip", &[]), (String::new(), String::new()));
    assert_eq!(run("ifauthskip", &[("SMTPAUTHUSER", "joe")]).0, "N\n");
    let user = [("SMTPAUTHUSER", "joe"), ("SMTPAUTHMETHOD", "plain"), ("TCPREMOTEIP", "192.0.2.1")];
    let (said, log) = run("authlogger", &user);
    assert_eq!(said, "");
    assert!(log.ends_with(" - user joe authenticated by plain from 192.0.2.1\n"), "{log}");
}

#[test]
fn rblspp_refuses_recipients_of_listed_clients() {
    let Some(tree) = ours("[rcpt]\n:bin/ifauthskip\n:bin/rblspp -b -a good.test -r bad.test\n")
    else {
        return;
    };
    if tree.lacks(Need::Root) {
        return;
    }
    let zone = Zone::new()
        .with("1.2.0.192.bad.test", Record::Txt(b"see http://x".to_vec()))
        .with("2.2.0.192.bad.test", Record::Txt(b"no".to_vec()))
        .a("2.2.0.192.good.test", [127, 0, 0, 2]);
    let _server = tree.name_server(zone);
    let said = |variables: &[(&str, &str)]| {
        let mut session = tree.smtpd_with(variables).mail_from("a@b");
        session.command("RCPT TO:<joe@here.example>").text
    };
    assert_eq!(said(&[]), "553 see http://x\r\n");
    assert_eq!(said(&[("TCPREMOTEIP", "192.0.2.2")]), OK);
    assert_eq!(said(&[("SMTPAUTHUSER", "joe")]), OK);
    assert_eq!(said(&[("RBLSPP", "")]), OK);
    assert_eq!(said(&[("RBLSPP", "wait")]), "451 wait\r\n");
}
