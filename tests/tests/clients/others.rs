//! Mail programs of people and of scripts: mutt, s-nail, getmail6 and two modules of Node.

use qmail_conformance::{Tree, files};

use crate::matrix::{LINKS, Link, fetch_by, lacks, send_by};

/// What mutt and s-nail, which look for their user's files, find.
fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

#[test]
fn mutt_sends() {
    send_by("mutt", |program, mechanism, link, password| {
        let place = home();
        let (scheme, port) = if link == Link::Implicit { ("smtps", 465) } else { ("smtp", 587) };
        let upgrade = if link == Link::Upgraded { "yes" } else { "no" };
        let certificate = "/var/qmail/control/servercert.pem";
        let settings = format!(
            "set copy=no from=joe@test.example smtp_url={scheme}://joe@127.0.0.1:{port} \
             smtp_pass={password} smtp_authenticators={} ssl_starttls={upgrade} \
             ssl_force_tls={upgrade} ssl_verify_host=no ssl_verify_dates=no \
             certificate_file={certificate}",
            mechanism.to_lowercase(),
        );
        let program = program.args(["-n", "-F", "/dev/null", "-e", &settings, "-s", "x"]);
        let program = program.args(["--", "joe@test.example"]).stdin("hello\n");
        program.env("HOME", place.path()).env("TERM", "dumb").run()
    });
}

#[test]
fn s_nail_sends() {
    send_by("s-nail", |program, mechanism, link, password| {
        let place = home();
        let (scheme, port) = if link == Link::Implicit { ("smtps", 465) } else { ("smtp", 587) };
        let program = program.args(["-:/", "-Sv15-compat", "-Stls-verify=ignore", "-Ssendwait"]);
        let program = program.arg(format!("-Smta={scheme}://joe:{password}@127.0.0.1:{port}"));
        let program = program.arg(format!("-Ssmtp-auth={}", mechanism.to_lowercase()));
        let program = match link {
            Link::Upgraded => program.arg("-Ssmtp-use-starttls"),
            Link::Plain | Link::Implicit => program,
        };
        let program = program.args(["-Sfrom=joe@test.example", "-s", "x", "joe@test.example"]);
        program.env("HOME", place.path()).env("LC_ALL", "C.UTF-8").stdin("hello\n").run()
    });
}

const NODEMAILER: &str = r"
const [mechanism, link, password] = process.argv.slice(-3);
const server = require('nodemailer').createTransport({
    host: '127.0.0.1', port: link === 'Implicit' ? 465 : 587, secure: link === 'Implicit',
    requireTLS: link === 'Upgraded', ignoreTLS: link === 'Plain',
    authMethod: mechanism, auth: { user: 'joe', pass: password },
    tls: { rejectUnauthorized: false },
});
server.sendMail({ from: 'joe@test.example', to: 'joe@test.example', subject: 'x', text: 'hello' })
    .catch((error) => { console.error(error.message); process.exitCode = 1; });
";

#[test]
fn nodemailer_sends() {
    if lacks(&Tree::under_test(), "/usr/share/nodejs/nodemailer/package.json") {
        return;
    }
    send_by("node", |program, mechanism, link, password| {
        let program = program.env("NODE_PATH", "/usr/share/nodejs");
        program.args(["-e", NODEMAILER, mechanism, &format!("{link:?}"), password]).run()
    });
}

/// Neither of the two knows STLS.
const WITHOUT_UPGRADE: [Link; 2] = [Link::Plain, Link::Implicit];

const NODE_POP3: &str = r"
const [link, password] = process.argv.slice(-2);
const Client = require('/usr/local/lib/mail-clients/node-pop3/lib/Command.cjs');
const implicit = link === 'Implicit';
const server = new (Client.default || Client)({
    host: '127.0.0.1', port: implicit ? 995 : 110, tls: implicit, user: 'joe', password,
    tlsOptions: { rejectUnauthorized: false }, servername: 'localhost',
});
(async () => {
    console.log(await server.RETR(1), await server.STAT(), await server.UIDL());
    await server.QUIT();
})().catch((error) => { console.error(error.message); process.exitCode = 1; });
";

#[test]
fn node_pop3_fetches() {
    if lacks(&Tree::under_test(), "/usr/local/lib/mail-clients/node-pop3/package.json") {
        return;
    }
    fetch_by("node", "node", &["USER"], &WITHOUT_UPGRADE, |program, _, link, password| {
        program.args(["-e", NODE_POP3, &format!("{link:?}"), password]).run()
    });
}

#[test]
fn getmail_fetches() {
    let mechanisms = ["USER", "APOP"];
    fetch_by(
        "getmail",
        "sh",
        &mechanisms,
        &WITHOUT_UPGRADE,
        |program, mechanism, link, password| {
            let place = home();
            let (kind, port) = match link {
                Link::Implicit => ("SimplePOP3SSLRetriever", 995),
                Link::Plain | Link::Upgraded => ("SimplePOP3Retriever", 110),
            };
            let directory = place.path().display();
            files::write(
                &place.path().join("getmailrc"),
                format!(
                    "[retriever]\ntype = {kind}\nserver = 127.0.0.1\nport = {port}\n\
                 username = joe\npassword = {password}\nuse_apop = {}\n\
                 [destination]\ntype = MDA_external\npath = /usr/bin/tee\n\
                 arguments = ('-a', '{directory}/mail')\nallow_root_commands = True\n\
                 [options]\nread_all = true\n",
                    if mechanism == "APOP" { "True" } else { "False" },
                ),
            );
            let script = format!(
                "cd {directory}
             getmail --getmaildir={directory} --rcfile=getmailrc >&2 || exit
             cat mail"
            );
            program.args(["-c", &script]).env("HOME", place.path()).run()
        },
    );
}

#[test]
fn s_nail_fetches() {
    fetch_by(
        "s-nail",
        "s-nail",
        &["USER", "APOP"],
        &LINKS,
        |program, mechanism, link, password| {
            let place = home();
            let (scheme, port) =
                if link == Link::Implicit { ("pop3s", 995) } else { ("pop3", 110) };
            let program =
                program.args(["-:/", "-Sv15-compat", "-Stls-verify=ignore", "-Sfolder=."]);
            let program = match link {
                Link::Upgraded => program.arg("-Spop3-use-starttls"),
                Link::Plain | Link::Implicit => program,
            };
            let program = if mechanism == "APOP" { program } else { program.arg("-Spop3-no-apop") };
            let program = program.args(["-N", "-Y", "type 1", "-Y", "xit", "-f"]);
            let program = program.arg(format!("{scheme}://joe:{password}@127.0.0.1:{port}"));
            program.env("HOME", place.path()).env("LC_ALL", "C.UTF-8").run()
        },
    );
}

#[test]
fn mutt_fetches() {
    let mechanisms = ["USER", "APOP", "PLAIN", "LOGIN", "CRAM-MD5"];
    fetch_by("mutt", "python3", &mechanisms, &LINKS, |program, mechanism, link, password| {
        let place = home();
        let (scheme, port) = if link == Link::Implicit { ("pops", 995) } else { ("pop", 110) };
        let upgrade = if link == Link::Upgraded { "yes" } else { "no" };
        std::fs::create_dir(place.path().join("mail")).expect("a fresh directory has room");
        files::write(
            &place.path().join("muttrc"),
            format!(
                "set pop_pass={password} pop_authenticators={} ssl_starttls={upgrade}\n\
                 set ssl_force_tls={upgrade} ssl_verify_host=no ssl_verify_dates=no\n\
                 set certificate_file=/var/qmail/control/servercert.pem pop_delete=no\n\
                 set spoolfile=+inbox folder={}/mail mbox_type=Maildir quit=yes confirmcreate=no\n\
                 set header_cache= message_cachedir= move=no confirmappend=no mail_check=0\n\
                 folder-hook . 'push <copy-message>=saved<enter><exit>'\n",
                mechanism.to_lowercase(),
                place.path().display(),
            ),
        );
        // It wants a terminal, and ends as well as not if nobody let it in.
        let terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) != 0)";
        let program = program.args(["-c", terminal, "timeout", "30", "mutt", "-n", "-F"]);
        let program = program.arg(place.path().join("muttrc")).arg("-f");
        let program = program.arg(format!("{scheme}://joe@127.0.0.1:{port}/"));
        let mut finished = program.env("HOME", place.path()).env("TERM", "vt100").run();
        let saved = ["new", "cur"].map(|part| place.path().join("mail/saved").join(part));
        let in_it = |part: &std::path::PathBuf| -> Vec<std::path::PathBuf> {
            files::names(part).into_iter().map(|name| part.join(name)).collect()
        };
        let there: Vec<_> = saved.iter().flat_map(in_it).collect();
        finished.output.extend(there.iter().flat_map(|path| files::read(path)));
        if there.is_empty() && finished.code == Some(0) {
            finished.code = Some(1);
        }
        finished
    });
}
