//! A Debian package of our own, and a machine to install it on.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::process::Finished;
use crate::{ours, tree};

/// Writable layers over the directories that packages write to, no qmail, and no packages but those
/// that ours depends on. It stays until its standard input ends.
const SCRIPT: &str = r#"
set -e
work=$1
mount -t tmpfs -o mode=755 tmpfs "$work"
database=$work/dpkg
mkdir -p "$database/info" "$database/updates" "$database/triggers"
for name in libc6 libcrypt1 passwd; do
    dpkg-query --status "$name" | sed /^Conffiles:/,/^[^[:space:]]/{/^Conffiles:/d\;/^[[:space:]]/d\;}
    echo
done > "$database/status"
for part in etc usr var; do
    mkdir -p "$work/$part/upper" "$work/$part/work"
    mount -t overlay -o "lowerdir=/$part,upperdir=$work/$part/upper,workdir=$work/$part/work" \
        overlay "/$part"
done
mount --bind "$database" /var/lib/dpkg
mount -t tmpfs -o mode=755 tmpfs /run
rm -rf /var/qmail /var/lib/qmail
# Some other mail system may have these.
rm -f /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases
rm -f /usr/share/man/man8/sendmail.8.gz /usr/share/man/man1/mailq.1.gz /usr/share/man/man1/newaliases.1.gz
sed -i -E '/^(alias|qmail[dlpqrs]):/d' /etc/passwd /etc/shadow
sed -i -E '/^(qmail|nofiles):/d' /etc/group /etc/gshadow
echo mail.package.example > /etc/mailname
ip link set lo up
echo ready
read -r end
"#;

/// A machine that has no qmail, until the test gives it one. Nothing of it remains.
pub struct Machine {
    holder: Child,
    // Held until its mounts are gone.
    work: TempDir,
}

impl Machine {
    /// Makes one, as root.
    ///
    /// # Panics
    ///
    /// When the kernel cannot lay directories over others.
    #[must_use]
    pub fn start() -> Self {
        let work = tree::workplace();
        let mut holder = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
            .args(["--mount-proc", "--propagation", "private", "sh", "-c", SCRIPT, "machine"])
            .arg(work.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare runs");
        let mut line = String::new();
        let output = holder.stdout.take().expect("stdout is a pipe");
        BufReader::new(output).read_line(&mut line).expect("the machine answers");
        assert_eq!(line, "ready\n", "the machine cannot be made");
        Self { holder, work }
    }

    /// A command there, with the usual path and nothing else in its environment. It has no words
    /// yet: the first is the program.
    ///
    /// # Panics
    ///
    /// When the machine is gone.
    #[must_use]
    pub fn command(&self) -> Command {
        // The shell is the first process of its world; unshare only waits for it.
        let children = format!("/proc/{0}/task/{0}/children", self.holder.id());
        let first = std::fs::read_to_string(children).expect("the machine is there");
        let mut command = Command::new("nsenter");
        command
            .args(["--target", first.trim(), "--mount", "--net", "--pid", "--"])
            .args(["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"])
            .stdin(Stdio::null());
        command
    }

    /// Runs a shell script there; how it ended.
    ///
    /// # Panics
    ///
    /// When nothing can be run there.
    #[must_use]
    pub fn try_shell(&self, script: &str) -> Finished {
        let output = self.command().args(["sh", "-ec", script]).output().expect("nsenter runs");
        Finished {
            code: output.status.code(),
            signal: None,
            output: output.stdout,
            error_output: output.stderr,
            pid: 0,
        }
    }

    /// Runs a shell script there, which must succeed; what it says.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn shell(&self, script: &str) -> String {
        let finished = self.try_shell(script);
        assert_eq!(finished.code, Some(0), "{script}: {}", finished.said());
        finished.said()
    }

    /// What is in the layers now that was not there, or is not any more: its kind (`c` is
    /// something that is gone) and its path from the root.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let script = format!(
            "cd {} && find etc/upper usr/upper var/upper -mindepth 1 ! -type d -printf '%y %p\\n' \
             -o -path '*qmail*' -printf '%y %p\\n'",
            self.work.path().display()
        );
        let mut paths: Vec<String> =
            self.shell(&script).lines().map(|path| path.replacen("/upper", "", 1)).collect();
        paths.sort();
        paths
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// A package that is ours but for its version, in a directory of the test's.
///
/// # Panics
///
/// When it cannot be made.
#[must_use]
pub fn debian_of_version(version: &str, directory: &Path) -> PathBuf {
    let script = "cd \"$1\" && dpkg-deb --raw-extract \"$2\" parts && \
                  sed -i \"s/^Version: .*/Version: $3/\" parts/DEBIAN/control && \
                  dpkg-deb --root-owner-group -Znone --build parts other.deb";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(directory).arg(debian()).arg(version);
    let output = shell.output().expect("sh runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    directory.join("other.deb")
}

/// The package, made once for all tests of a process.
///
/// # Panics
///
/// When it cannot be made.
#[must_use]
pub fn debian() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let directory = tree::workplace().keep();
        tree::remove_at_exit(&directory);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/debian/build");
        let build = Command::new(script)
            .args([ours::build().into_os_string(), OsString::from(&directory)])
            .env("COMPRESSION", "none")
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .output()
            .expect("the script runs");
        let errors = String::from_utf8_lossy(&build.stderr);
        assert!(build.status.success(), "{errors}");
        let mut entries = directory.read_dir().expect("it was just written").flatten();
        let made = entries.find(|entry| entry.path().extension().is_some_and(|it| it == "deb"));
        made.expect("there is a package").path()
    })
}
