//! Somebody at a machine of his own, who types what a document says.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use qmail_conformance::document::Block;
use qmail_conformance::package::Machine;
use qmail_conformance::sources::workspace;
use qmail_conformance::{files, host};
use tempfile::TempDir;

/// How long all commands of a document may take together.
const LIMIT: Duration = Duration::from_secs(1200);

/// Stands before what a block prints.
const MARK: &str = "=== the next block ===\n";

/// The sources, as if they had just been built; homes; people; a world beyond this host with
/// elsewhere.example in it, whose mail is kept, and a DNS list that has 127.0.0.2, as all of them do.
const SCRIPT: &str = r#"
workspace=$1 programs=$2 people=$3 watch=$4
mount -t tmpfs -o mode=755 tmpfs /home
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=700 tmpfs /root
rm -rf /etc/service /bin/qmaild /etc/init.d/qmail /etc/default/qmail /etc/tcp.smtp*
mkdir -p /root/upper /root/below /usr/src/qmail-rs
mount -t overlay -o "lowerdir=$workspace,upperdir=/root/upper,workdir=/root/below" \
    overlay /usr/src/qmail-rs
mkdir -p /usr/src/qmail-rs/target/programs
mount --bind "$programs" /usr/src/qmail-rs/target/programs
sed -i -E '/^(you|joe|ann):/d' /etc/passwd /etc/shadow /etc/group /etc/gshadow
for name in $people; do
    useradd --create-home --shell /bin/sh "$name"
    echo "$name:secret" | chpasswd
done
rm -f /etc/resolv.conf
echo nameserver 127.0.0.1 > /etc/resolv.conf
ip link add here type veth peer name there
ip address add 198.51.100.1/24 dev here
ip link set here up
dnsmasq --no-hosts --no-resolv --user=root --listen-address=127.0.0.1 --bind-interfaces \
    --local=/#/ --pid-file=/run/dnsmasq.pid \
    --mx-host=elsewhere.example,mx.elsewhere.example,10 \
    --host-record=mx.elsewhere.example,198.51.100.25 \
    --host-record=mail.example.org,127.0.0.1 --host-record=spammer.example,198.51.100.66 \
    --host-record=2.0.0.127.dnsbl.example.net,127.0.0.2 \
    --txt-record=2.0.0.127.dnsbl.example.net,'This is only a test.'
mkdir /run/elsewhere
chmod 777 /run/elsewhere
cd /run/elsewhere
sh -c "$watch" > /dev/null 2>&1 < /dev/null &
until [ -p /run/answer ]; do sleep 0.05; done
# Behind a wire: port 25 is taken by this host as well.
unshare --net sh -ec '
    until ip address add 198.51.100.25/24 dev there 2> /dev/null; do sleep 0.05; done
    ip link set there up
    exec /usr/local/bin/smtp-sink -u nobody -D %M. 198.51.100.25:25 10
' > /dev/null 2>&1 < /dev/null &
until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set there netns "$!"
until swaks --server 198.51.100.25 --quit-after BANNER > /dev/null 2>&1; do sleep 0.05; done
"#;

/// `make` as it is, but that everything is built already.
const MAKE: &str = "exec /usr/bin/make -s -o all \"$@\"\n";

/// People wait a moment; a test waits until the queue is empty, as root, who alone can see that.
const SLEEP: &str = r#"
echo "${QMAILHOME:-/var/qmail}" > /run/question
read -r answer < /run/answer
[ -z "$answer" ] || { echo "$answer" >&2; exit 1; }
"#;

/// Root, who answers.
const WATCH: &str = r#"
is_empty() { "$1/bin/qmail-qstat" 2> /dev/null | grep -q '^messages in queue: 0$'; }
# The log comes later than what it tells.
lines() { grep -c " $1 msg " /var/log/qmail/current; }
is_told() { [ ! -e /var/log/qmail/current ] || [ "$(lines new)" = "$(lines end)" ]; }
wait_for() {
    export QMAILHOME="$1"
    for attempt in $(seq 1200); do
        ! is_empty "$1" || ! is_told || return 0
        sleep 0.05
    done
    echo 'there is still something in the queue'
}
mkfifo -m 666 /run/question /run/answer
exec 3<> /run/question
while read -r home <&3; do
    answer=$(wait_for "$home")
    echo "$answer" > /run/answer
done
"#;

/// A machine, and what is typed at it.
pub(crate) struct Desk {
    machine: Machine,
    papers: TempDir,
}

impl Desk {
    pub(crate) fn new(people: &str) -> Self {
        let papers = tempfile::tempdir().expect("a temporary directory has room");
        files::set_mode(papers.path(), 0o755);
        let desk = Self { machine: Machine::start(), papers };
        fs::create_dir(desk.path("bin")).expect("it is empty");
        for (name, body) in [("make", MAKE), ("sleep", SLEEP)] {
            files::write_script(&desk.path("bin").join(name), body);
        }
        let programs = host::install();
        let programs = programs.parent().expect("it is in a directory");
        let made = desk
            .machine
            .command()
            .args(["sh", "-ec", SCRIPT, "sh"])
            .args([&workspace(), programs])
            .args([people, WATCH])
            .output()
            .expect("nsenter runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.papers.path().join(name)
    }

    /// Types the blocks, one after the other, in one shell; what each of them has printed that was
    /// begun, and whether all went well.
    pub(crate) fn type_in(&self, blocks: &[&Block]) -> (Vec<String>, bool) {
        let mut script = "cd /usr/src/qmail-rs\n".to_owned();
        for (at, block) in blocks.iter().enumerate() {
            script.push_str(&format!("printf '{MARK}'\n{}", self.typed(at, block)));
        }
        files::write(&self.path("script"), script);
        let log = fs::File::create(self.path("log")).expect("there is room");
        let typed = self
            .machine
            .command()
            .args(["HOME=/root", "USER=root", "LOGNAME=root", "PATIENCE=120", &self.search_path()])
            .args(["timeout", &LIMIT.as_secs().to_string(), "sh", "-e"])
            .arg(self.path("script"))
            .stderr(log.try_clone().expect("a descriptor is free"))
            .stdout(log)
            .status()
            .expect("nsenter runs");
        let printed = String::from_utf8_lossy(&files::read(&self.path("log"))).into_owned();
        let parts = printed.split(MARK).skip(1).map(str::to_owned);
        (parts.collect(), typed.success())
    }

    /// Mail that has arrived elsewhere, in one piece.
    pub(crate) fn elsewhere(&self) -> String {
        self.machine.shell("cat /run/elsewhere/*")
    }

    fn search_path(&self) -> String {
        let bin = self.path("bin");
        format!("PATH={}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", bin.display())
    }

    /// What the shell is given: the block, or how somebody else is given it.
    fn typed(&self, at: usize, block: &Block) -> String {
        let Some(user) = block.setting("as") else { return block.text.clone() };
        let file = self.path(&format!("block-{at}"));
        files::write(&file, &block.text);
        let path = self.search_path();
        format!(
            "runuser -u {user} -- env -i HOME=/home/{user} USER={user} LOGNAME={user} {path} \
             LC_ALL=C sh -e {}\n",
            file.display()
        )
    }
}
