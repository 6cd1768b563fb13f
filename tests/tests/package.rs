//! Packages: what is in them, and what they leave of a machine.

use std::collections::BTreeMap;
use std::process::Command;

use qmail_conformance::package::{Machine, debian};
use qmail_conformance::{Need, Tree};

const HOME: &str = "/var/qmail";
const INSTALL: &str = "/usr/lib/qmail-rs/install";

/// Whether there is no dpkg here, or, for those who install packages, no root.
fn lacks(needs: &[Need]) -> bool {
    let tree = Tree::under_test();
    needs.iter().any(|need| tree.lacks(*need))
}

const DPKG: Need = Need::Tool("dpkg-deb");

/// What a command of dpkg's prints.
fn printed(words: &[&str]) -> String {
    let output = Command::new("dpkg-deb").args(words).arg(debian()).output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Mode and owner of everything in the package, by its path.
fn contents() -> BTreeMap<String, (String, String)> {
    let listing = printed(&["--contents"]);
    let lines = listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .map(|words| {
            let path = words[5].trim_start_matches('.').trim_end_matches('/');
            (path.to_owned(), (words[0].to_owned(), words[1].to_owned()))
        })
        .collect()
}

/// The lines of the manifest, by path.
fn manifest() -> BTreeMap<String, String> {
    let unpacked = tempfile::tempdir().unwrap();
    let extracted =
        Command::new("dpkg-deb").arg("--extract").arg(debian()).arg(unpacked.path()).status();
    assert!(extracted.unwrap().success());
    let text = std::fs::read_to_string(unpacked.path().join("usr/lib/qmail-rs/manifest")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix('.')?.split_once(' '));
    lines.map(|(path, words)| (path.to_owned(), words.to_owned())).collect()
}

/// `-rwx--x--x` for 0711.
fn shown(mode: u32) -> String {
    let letters = ["r", "w", "x"].iter().cycle();
    let bits = letters.zip((0..9).rev()).map(
        |(letter, bit)| {
            if mode & (1 << bit) == 0 { "-" } else { *letter }
        },
    );
    bits.collect()
}

#[test]
fn a_package_has_what_its_manifest_says_and_nothing_in_it_is_set_id() {
    if lacks(&[DPKG]) {
        return;
    }
    let contents = contents();
    for (path, words) in manifest() {
        let (mode, owner) = contents.get(&path).unwrap_or_else(|| panic!("no {path}"));
        assert_eq!(owner, "root/root", "{path}");
        if words.starts_with("type=link") {
            continue;
        }
        let told = words.rsplit('=').next().unwrap();
        let told = u32::from_str_radix(told, 8).unwrap();
        assert_eq!(mode[1..], shown(told & 0o777), "{path}");
    }
    assert!(contents.values().all(|(mode, _)| !mode.contains(['s', 'S'])), "{contents:#?}");
}

#[test]
fn a_package_has_every_file_that_installation_makes_but_the_queue_and_numbers() {
    if lacks(&[DPKG]) {
        return;
    }
    let tree = Tree::under_test();
    if tree.is_original() {
        return;
    }
    let in_package = contents();
    let parts = ["bin", "boot", "doc", "man/man1", "man/man5", "man/man7", "man/man8"];
    for part in parts.into_iter().chain(["services/systemd"]) {
        let directory = tree.in_its_world(tree.home().join(part).to_str().unwrap());
        let start = format!("{HOME}/{part}/");
        let packed = in_package.keys().filter_map(|path| path.strip_prefix(&start));
        // What is in directories below goes with them.
        let mut packed: Vec<&str> = packed.filter(|name| !name.contains('/')).collect();
        let mut installed = qmail_conformance::files::names(&directory);
        installed.sort();
        packed.sort_unstable();
        assert!(!packed.is_empty(), "{part}");
        assert_eq!(packed, installed, "{part}");
    }
    // systemd looks elsewhere.
    let units = tree.in_its_world(tree.home().join("services/systemd").to_str().unwrap());
    for unit in qmail_conformance::files::names(&units) {
        assert!(in_package.contains_key(&format!("/usr/lib/systemd/system/{unit}")), "{unit}");
    }
    let of_host = |path: &&String| {
        path.starts_with("/var/qmail/queue") || path.starts_with("/var/qmail/users/")
    };
    assert_eq!(in_package.keys().find(of_host), None);
}

#[test]
fn a_package_says_that_it_is_a_mail_system() {
    if lacks(&[DPKG]) {
        return;
    }
    let fields = printed(&["--field"]);
    for field in ["Provides", "Conflicts", "Replaces"] {
        let line = fields.lines().find_map(|line| line.strip_prefix(&format!("{field}: ")));
        assert!(line.is_some_and(|line| line.contains("mail-transport-agent")), "{fields}");
    }
    assert!(fields.contains("\nDepends: libc6 (>= 2."), "{fields}");
    // Somebody who can be written to: whoever made it.
    let maintainer = fields.lines().find_map(|line| line.strip_prefix("Maintainer: "));
    let (name, address) = maintainer.unwrap().split_once(" <").unwrap();
    assert!(!name.is_empty() && address.ends_with('>'), "{fields}");
    let (user, host) = address.split_once('@').unwrap();
    assert!(!user.is_empty() && host.len() > 1, "{fields}");
}

#[test]
fn a_package_has_its_version_and_its_pages_where_debian_looks_for_them() {
    if lacks(&[DPKG]) {
        return;
    }
    let version = env!("CARGO_PKG_VERSION");
    let fields = printed(&["--field"]);
    assert!(fields.contains(&format!("\nVersion: {version}\n")), "{fields}");
    let unpacked = |path: &str| {
        let script = "dpkg-deb --fsys-tarfile \"$1\" | tar -xOf - \"./usr/share/$2\" | zcat";
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", script, "sh"]).arg(debian()).arg(path).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let changelog = unpacked("doc/qmail-rs/changelog.gz");
    let lines: Vec<&str> = changelog.lines().collect();
    assert_eq!(lines[0], format!("qmail-rs ({version}) unstable; urgency=medium"));
    let (by, date) = lines[lines.len() - 1].rsplit_once("  ").unwrap();
    assert!(by.starts_with(" -- ") && by.ends_with('>'), "{changelog}");
    assert!(date.ends_with(" 00:00:00 +0000"), "{changelog}");
    assert!(unpacked("man/man8/sendmail.8.gz").contains("\n.Dt SENDMAIL 8\n"));
}

fn installed(machine: &Machine) -> String {
    machine.shell(&format!("dpkg --install {}", debian().display()))
}

/// Owners and modes are as they should be, and dpkg knows every file.
fn is_whole(machine: &Machine) {
    assert_eq!(machine.shell(&format!("{INSTALL} check; dpkg --verify qmail-rs")), "");
    let queue = machine.shell("stat -c '%U:%G %a' /var/qmail/bin/qmail-queue");
    assert_eq!(queue, "qmailq:qmail 4711\n");
}

/// Queues a message as somebody without any right, and has it delivered.
fn delivers(machine: &Machine) {
    let said = machine.shell(
        r#"
        cd /var/qmail
        install -d -o alias -g qmail alias/Maildir
        for part in cur new tmp; do install -d -o alias -g qmail "alias/Maildir/$part"; done
        echo ./Maildir/ > alias/.qmail-postmaster
        printf 'Subject: x\n\nhi\n' | setpriv --reuid 65534 --regid 65534 --clear-groups \
            /usr/sbin/sendmail -fsomebody@far.example postmaster
        PATH=/var/qmail/bin:$PATH qmail-start ./Maildir/ > /tmp/log 2>&1 &
        for try in $(seq 600); do
            [ -n "$(ls alias/Maildir/new)" ] && break
            sleep 0.1
        done
        kill $!
        wait $!
        cat alias/Maildir/new/*
        rm -rf alias/Maildir alias/.qmail-postmaster
        "#,
    );
    assert!(said.contains("\nDelivered-To: postmaster@mail.package.example\n"), "{said}");
}

#[test]
fn a_package_makes_a_mail_system_and_goes_without_a_trace() {
    if lacks(&[DPKG, Need::Root]) {
        return;
    }
    let machine = Machine::start();
    let before = machine.changes();
    let said = installed(&machine);
    assert!(said.contains("Putting mail.package.example into control/rcpthosts..."), "{said}");
    is_whole(&machine);
    delivers(&machine);
    // As an upgrade does, while a message waits.
    machine.shell("echo hi | /usr/sbin/sendmail postmaster");
    installed(&machine);
    is_whole(&machine);
    machine.shell("dpkg --remove qmail-rs");
    assert_eq!(machine.shell("dpkg-statoverride --list || :"), "");
    let left = machine.shell("cd /var/qmail && find . -type f ! -path './queue/*' | sort");
    let controls = ["defaultdomain", "locals", "me", "plusdomain", "rcpthosts"];
    assert_eq!(left, controls.map(|name| format!("./control/{name}\n")).concat());
    let said = machine.shell("dpkg --purge qmail-rs");
    assert!(said.contains("there is mail in /var/qmail/queue, which stays"), "{said}");
    assert_eq!(
        machine.shell("ls /var/qmail; find /var/qmail/queue/mess -type f | wc -l"),
        "queue\n1\n"
    );
    installed(&machine);
    machine.shell(
        "find /var/qmail/queue/mess /var/qmail/queue/todo /var/qmail/queue/intd -type f -delete",
    );
    machine.shell("dpkg --purge qmail-rs");
    let mut after = machine.changes();
    after.retain(|path| !before.contains(path));
    // The accounts, and what the tools of the system write down.
    let is_of_system = |change: &String| {
        let accounts = ["passwd", "group", "shadow", "gshadow", "subuid", "subgid", ".pwd.lock"];
        accounts.iter().any(|name| change.starts_with(&format!("f etc/{name}")))
            || change.starts_with("f var/log/")
            || change.starts_with("f var/cache/")
    };
    after.retain(|change| !is_of_system(change));
    assert_eq!(after, Vec::<String>::new());
}

#[test]
fn a_package_takes_over_what_is_there() {
    if lacks(&[DPKG, Need::Root]) {
        return;
    }
    let machine = Machine::start();
    // Five parts, and new mail in one directory.
    machine.shell(
        r"
        groupadd --system qmail && useradd --system --gid qmail qmailq
        mkdir -p /var/qmail/control /var/qmail/queue/mess /var/qmail/queue/todo /var/qmail/bin
        for part in 0 1 2 3 4; do mkdir /var/qmail/queue/mess/$part; done
        echo old.example > /var/qmail/control/me
        echo '#!/bin/sh' > /var/qmail/bin/vdelivermail
        ",
    );
    let said = installed(&machine);
    assert!(!said.contains("Putting"), "{said}");
    is_whole(&machine);
    let kept =
        "cd /var/qmail; cat control/me bin/vdelivermail; ls queue/mess queue/todo queue/info";
    let expected = "old.example\n#!/bin/sh\nqueue/info:\n0\n1\n2\n3\n4\n\n\
                    queue/mess:\n0\n1\n2\n3\n4\n\nqueue/todo:\n";
    assert_eq!(machine.shell(kept), expected);
    machine.shell("dpkg --remove qmail-rs");
    assert_eq!(machine.shell(kept), expected);
}

#[test]
fn systemd_makes_the_accounts_and_sets_owners() {
    let systemd = [Need::Tool("systemd-sysusers"), Need::Tool("systemd-tmpfiles")];
    if lacks(&[DPKG, Need::Root]) || lacks(&systemd) {
        return;
    }
    let machine = Machine::start();
    machine.shell(&format!("dpkg-deb --extract {} /", debian().display()));
    let sysusers = machine.shell("systemd-sysusers /usr/lib/sysusers.d/qmail-rs.conf");
    assert!(!sysusers.contains("not a valid"), "{sysusers}");
    let accounts =
        machine.shell("getent passwd alias qmailq | cut -d : -f 5-; id -gn qmailq alias");
    let expected = "qmail, addresses of nobody else:/var/qmail/alias:/bin/false\n\
                    qmail, queue:/var/qmail:/bin/false\nqmail\nnofiles\n";
    assert_eq!(accounts, expected);
    machine.shell("systemd-tmpfiles --create /usr/lib/tmpfiles.d/qmail-rs.conf");
    let complaints = machine.shell(&format!("{INSTALL} check"));
    let is_foreseen = |line: &&str| line.contains("/queue") || line.contains("/users/ids ");
    assert_eq!(complaints.lines().find(|line| !is_foreseen(line)), None);
    // No account is missing now.
    assert_eq!(machine.shell(&format!("{INSTALL} --unpacked; {INSTALL} check")), "");
}
