//! The Debian package on a machine that is in use: upgraded while mail flows, removed, and exchanged
//! with another mail system.

use qmail_conformance::package::{Machine, debian, debian_of_version};
use qmail_conformance::{Need, Tree};
use tempfile::TempDir;

/// A server of one command, from a package older than ours.
struct Server {
    machine: Machine,
    _packages: TempDir,
}

const SETUP: &str = "/usr/lib/qmail-rs/qmail-setup -s script mail.package.example";

/// Messages that were accepted and are not in the Maildir, and those that are there twice.
const AMISS: &str = "cd /var/qmail/alias/Maildir/new
    cat * | sed -n 's/^Subject: //p' | sort > /run/arrived
    sort -u /run/accepted | comm -23 - /run/arrived; uniq -d /run/arrived";

/// Processes of a server. Nobody there takes notice of those that have ended.
const RUNNING: &str = "ps -e -o state=,comm= | grep -E '^[^Z] (qmail|tcpserver|splogger)' || :";

fn lacks(needs: &[Need]) -> bool {
    let tree = Tree::under_test();
    needs.iter().any(|need| tree.lacks(*need))
}

fn install(package: &std::path::Path) -> String {
    format!("dpkg --install {} 2>&1", package.display())
}

impl Server {
    fn start() -> Option<Self> {
        let tools = ["dpkg-deb", "tcpserver", "setpriv"].map(Need::Tool);
        if lacks(&[Need::Root]) || lacks(&tools) {
            return None;
        }
        let packages = tempfile::tempdir().unwrap();
        let machine = Machine::start();
        machine.shell(&install(&debian_of_version("0.0.9", packages.path())));
        machine.shell(SETUP);
        // Mail that has to wait, and a setting of the administrator's.
        machine.shell(
            "echo '|exit 111' > /var/qmail/alias/.qmail-later
             echo 7 > /var/qmail/control/concurrencylocal
             echo later | tee -a /run/accepted | sed 's/^/Subject: /' | /usr/sbin/sendmail later",
        );
        Some(Self { machine, _packages: packages })
    }

    /// Waits until a condition of the shell holds.
    fn until(&self, condition: &str) {
        let script =
            format!("for try in $(seq 3000); do if {condition}; then exit; fi; sleep 0.1; done");
        assert_eq!(self.machine.shell(&format!("{script}; echo no")), "", "{condition}");
    }

    /// What waits is delivered now.
    fn deliver_what_waits(&self) {
        self.machine.shell(
            "echo ./Maildir/ > /var/qmail/alias/.qmail-later
             kill -ALRM $(cat /run/qmail-send.pid)",
        );
        self.until("[ -z \"$(find /var/qmail/queue/mess -type f)\" ]");
    }

    fn process_of_send(&self) -> String {
        self.machine.shell("cat /run/qmail-send.pid; cat /proc/$(cat /run/qmail-send.pid)/comm")
    }
}

#[test]
fn mail_flows_during_an_upgrade_and_nothing_is_lost_or_stopped() {
    let Some(server) = Server::start() else { return };
    let machine = &server.machine;
    let before = server.process_of_send();
    // Whoever sends meanwhile may be told to try later; what is accepted is written down.
    machine.shell(
        "(i=0; until [ -e /run/enough ]; do
             i=$((i + 1))
             ! printf 'Subject: %s\\n\\nhi\\n' $i | /usr/sbin/sendmail postmaster ||
                 echo $i >> /run/accepted
             sleep 0.2
         done; touch /run/ended) > /dev/null 2>&1 &",
    );
    server.until("[ -s /run/accepted ]");
    let said = machine.shell(&install(debian()));
    assert!(said.contains("qmail-send goes on as it was started"), "{said}");
    let version = machine.shell("dpkg-query --show --showformat '${Version}' qmail-rs");
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    machine.shell("wc -l < /run/accepted > /run/count");
    server.until("[ $(wc -l < /run/accepted) -gt $(cat /run/count) ]");
    machine.shell("touch /run/enough");
    server.until("[ -e /run/ended ]");

    // Everything is as it was, and the copy of a program is the new one.
    assert_eq!(server.process_of_send(), before);
    machine.shell("/var/qmail/boot/qmail status");
    assert_eq!(machine.shell("/usr/lib/qmail-rs/install check; dpkg --verify qmail-rs"), "");
    let settings = machine.shell("cd /var/qmail/control; cat me concurrencylocal");
    assert_eq!(settings, "mail.package.example\n7\n");
    machine.shell("cmp /bin/qmaild/checkpassword /var/qmail/bin/checkpassword");

    machine.shell("/var/qmail/boot/qmail restart");
    assert!(!machine.shell("ls -l /proc/$(cat /run/qmail-send.pid)/exe").contains("deleted"));
    server.deliver_what_waits();
    assert_eq!(machine.shell(AMISS), "");
    assert!(machine.shell("wc -l < /run/arrived").trim().parse::<u32>().unwrap() > 2);
}

#[test]
fn a_package_that_is_removed_stops_what_runs_and_comes_back_to_its_mail_and_settings() {
    let Some(server) = Server::start() else { return };
    let machine = &server.machine;
    let elsewhere = "ls -d /etc/init.d/qmail /etc/rc?.d/*qmail /etc/default/qmail /etc/tcp.smtp* \
                     /bin/qmaild 2> /dev/null || :";
    assert!(machine.shell(elsewhere).lines().count() >= 5, "{}", machine.shell(elsewhere));
    server.until("grep -q . /var/qmail/queue/info/*/*");
    let said = machine.shell("dpkg --remove qmail-rs 2>&1");
    assert!(said.contains("send: stopped") && said.contains("submission: stopped"), "{said}");
    assert!(!said.contains("is running"), "{said}");
    assert_eq!(machine.shell(RUNNING), "");
    machine.shell("[ ! -e /usr/sbin/sendmail ]");
    let kept = machine.shell("cd /var/qmail/control; cat me concurrencylocal; ls servercert.pem");
    assert_eq!(kept, "mail.package.example\n7\nservercert.pem\n");

    let said = machine.shell(&install(debian()));
    assert!(said.contains("nothing is started"), "{said}");
    assert_eq!(machine.shell(RUNNING), "");
    machine.shell("/var/qmail/boot/qmail start");
    server.deliver_what_waits();
    assert_eq!(machine.shell(AMISS), "");

    // What was made elsewhere goes with the last of it; mailboxes stay.
    let said = machine.shell("dpkg --purge qmail-rs 2>&1");
    assert!(said.contains("send: stopped"), "{said}");
    assert_eq!(machine.shell(elsewhere), "");
    assert_eq!(
        machine.shell("ls -A /var/qmail /var/qmail/alias"),
        "/var/qmail:\nalias\n\n/var/qmail/alias:\nMaildir\n"
    );
    assert_eq!(machine.shell(AMISS), "");
}

#[test]
fn another_mail_system_gives_way_and_takes_over_again() {
    if lacks(&[Need::Root, Need::Tool("dpkg-deb")]) {
        return;
    }
    let machine = Machine::start();
    let other = machine.shell(
        r#"mkdir -p /run/other/DEBIAN /run/other/usr/sbin
        printf '%s\n' 'Package: other' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@x.example>' \
            'Description: x' 'Provides: mail-transport-agent' 'Conflicts: mail-transport-agent' \
            'Replaces: mail-transport-agent' > /run/other/DEBIAN/control
        echo other > /run/other/usr/sbin/sendmail
        dpkg-deb -Znone --build /run/other /run/other.deb > /dev/null
        dpkg --install /run/other.deb > /dev/null 2>&1
        cat /usr/sbin/sendmail"#,
    );
    assert_eq!(other, "other\n");
    // As apt does it: two of them are refused.
    let refused = machine.try_shell(&install(debian()));
    assert!(refused.said().contains("conflicting packages"), "{}", refused.said());
    machine.shell(&format!("dpkg --remove other; {}", install(debian())));
    machine.shell("echo hi | /usr/sbin/sendmail postmaster");
    let refused = machine.try_shell("dpkg --install /run/other.deb");
    assert!(refused.said().contains("conflicting packages"), "{}", refused.said());
    assert_eq!(machine.shell("/usr/lib/qmail-rs/install check"), "");

    machine.shell("dpkg --remove qmail-rs; dpkg --install /run/other.deb");
    let said = machine.shell("dpkg --purge qmail-rs 2>&1");
    assert!(said.contains("there is mail in /var/qmail/queue, which stays"), "{said}");
    let left = "cat /usr/sbin/sendmail; find /var/qmail/queue/mess -type f | wc -l";
    assert_eq!(machine.shell(left), "other\n1\n");
}

#[test]
fn systemd_is_told_what_to_start_again_and_what_to_stop() {
    if lacks(&[Need::Root, Need::Tool("dpkg-deb")]) {
        return;
    }
    let packages = tempfile::tempdir().unwrap();
    let old = debian_of_version("0.0.9", packages.path());
    let machine = Machine::start();
    machine.shell(
        r#"mkdir -p /run/systemd/system
        printf '#!/bin/sh\necho "$*" >> /run/told\n' > /usr/bin/systemctl.new
        chmod 755 /usr/bin/systemctl.new && mv /usr/bin/systemctl.new /usr/bin/systemctl"#,
    );
    let told = |command: &str| {
        machine.shell(&format!(": > /run/told; {command} > /dev/null 2>&1; cat /run/told"))
    };
    assert_eq!(told(&install(&old)), "daemon-reload\n");
    let upgrade = "daemon-reload\n--no-block try-restart qmail-send.service\n";
    assert_eq!(told(&install(debian())), upgrade);
    let removal = told("dpkg --remove qmail-rs");
    let (disabled, rest) = removal.split_once('\n').unwrap();
    assert_eq!(rest, "daemon-reload\n");
    let units = disabled.strip_prefix("--quiet disable --now ").unwrap();
    let mut units: Vec<&str> = units.split(' ').collect();
    units.sort_unstable();
    // All that can be enabled: what an instance is of is stopped with its socket.
    let known = machine.shell(&format!("dpkg-deb --contents {}", debian().display()));
    let known = known.lines().filter_map(|line| line.rsplit_once("/usr/lib/systemd/system/"));
    let is_enabled = |name: &&str| !name.is_empty() && !name.contains('@');
    let mut known: Vec<&str> = known.map(|(_, name)| name).filter(is_enabled).collect();
    known.sort_unstable();
    assert_eq!(units, known);
}
