//! A private view of the file system and a private network, both gone with the test.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use nix::sched::{CloneFlags, setns};
use nix::unistd::Pid;

use crate::accounts::{Identity, Mount};
use crate::strays;

/// `bind FROM TO` mounts; where TO is missing, its parent is rebuilt privately with it in place.
const SCRIPT: &str = r#"
set -e
work=$1; shift
appear() {
    parent=$(dirname "$2")
    while [ ! -d "$parent" ]; do parent=$(dirname "$parent"); done
    hidden=$(mktemp -d "$work/hidden.XXXXXX")
    mount --rbind "$parent" "$hidden"
    mount -t tmpfs -o mode=755 tmpfs "$parent"
    for each in "$hidden"/* "$hidden"/.[!.]*; do
        name=$parent/${each##*/}
        if [ -L "$each" ]; then cp -P "$each" "$name"
        elif [ -d "$each" ]; then mkdir "$name"; mount --rbind "$each" "$name"
        elif [ -e "$each" ]; then : > "$name"; mount --bind "$each" "$name"
        fi
    done
    if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")"; : > "$2"; fi
}
# An interrupt from the terminal ends the test, whose end is then seen below.
trap '' INT TERM HUP
ip link set lo up
while [ $# -gt 0 ]; do
    [ -e "$2" ] || appear "$1" "$2"
    mount --rbind "$1" "$2"
    shift 2
done
echo ready
read -r end && exit
# The test has died, and nobody else can tell what it had running.
here=$(readlink /proc/self/ns/mnt)
for process in /proc/[0-9]*; do
    number=${process#/proc/}
    [ "$number" != $$ ] || continue
    [ "$(readlink "$process/ns/mnt")" != "$here" ] || kill -KILL "$number" || :
done 2> /dev/null
"#;

/// The namespaces, held open by a process that ends with us.
pub(crate) struct Sandbox {
    holder: Child,
}

impl Sandbox {
    /// Makes the namespaces and then mounts each pair, in order, the first over the second.
    pub(crate) fn start(work: &Path, mounts: &[Mount]) -> Self {
        let mut holder = Command::new("unshare")
            .args(["--mount", "--net", "--propagation", "private", "sh", "-c", SCRIPT, "sandbox"])
            .arg(work)
            .args(mounts.iter().flat_map(|(from, to)| [from, to]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("unshare runs");
        let mut line = String::new();
        let output = holder.stdout.take().expect("stdout is a pipe");
        BufReader::new(output).read_line(&mut line).expect("the sandbox answers");
        if line != "ready\n" {
            let mut errors = String::new();
            let _ = holder.stderr.take().map(|mut pipe| pipe.read_to_string(&mut errors));
            panic!("cannot make a sandbox: {errors}");
        }
        Self { holder }
    }

    /// The words that run a program inside.
    pub(crate) fn enter(
        &self,
        identity: Option<Identity>,
        directory: Option<&Path>,
    ) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["nsenter".into()];
        words.push(format!("--mount={}", self.namespace("mnt")).into());
        words.push(format!("--net={}", self.namespace("net")).into());
        if let Some(directory) = directory {
            let mut word = OsString::from("--wdns=");
            word.push(directory);
            words.push(word);
        }
        if let Some(Identity { uid, gid }) = identity {
            words.push(format!("--setuid={uid}").into());
            words.push(format!("--setgid={gid}").into());
        }
        words.push("--".into());
        words
    }

    /// Runs `work`, usually a `bind` or a `connect`, in the private network. A socket stays there.
    pub(crate) fn in_network<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = self.namespace("net");
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                let namespace = File::open(path).expect("the network namespace is there");
                setns(namespace, CloneFlags::CLONE_NEWNET).expect("root may enter it");
                work()
            });
            inside.join().expect("the work does not panic")
        })
    }

    /// A path inside, as the test sees it.
    pub(crate) fn path(&self, inside: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// All that run inside.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let Ok(ours) = fs::read_link(self.namespace("mnt")) else { return Vec::new() };
        let inside =
            |process: &Path| fs::read_link(process.join("ns/mnt")).is_ok_and(|its| its == ours);
        let holder = i32::try_from(self.holder.id()).ok().map(Pid::from_raw);
        strays::processes(inside).into_iter().filter(|found| Some(*found) != holder).collect()
    }

    fn namespace(&self, kind: &str) -> String {
        format!("/proc/{}/ns/{kind}", self.holder.id())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        strays::end(|| self.processes());
        if let Some(mut stdin) = self.holder.stdin.take() {
            let _ = stdin.write_all(b"end\n");
        }
        let _ = self.holder.wait();
    }
}
