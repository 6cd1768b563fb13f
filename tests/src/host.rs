//! A tree on a host that a test may change: its configuration, what it starts, and its log.

use std::path::Path;

use crate::{Need, Tree, strays};

/// Lays writable directories over those of the machine. The tree is at its place still, and of its
/// own files, those that come from a release can be changed, too.
const SCRIPT: &str = r#"
set -e
work=$1 home=$2
mount -t tmpfs -o mode=755 tmpfs "$work"
mkdir "$work/own" "$work/home"
mount --rbind "$home" "$work/home"
cp -pL /etc/passwd /etc/group /etc/shadow /etc/resolv.conf "$work/own"
lay() {
    mkdir -p "$work/$2/upper" "$work/$2/below"
    mount -t overlay -o "lowerdir=$1,upperdir=$work/$2/upper,workdir=$work/$2/below" overlay "$1"
}
for part in etc usr var; do
    lay "/$part" "$part"
done
rm -f /etc/resolv.conf
cp -p "$work/own/"* /etc
# Some other mail system may have these.
rm -f /usr/sbin/sendmail /usr/lib/sendmail
rm -rf /etc/service /usr/bin/qmaild /etc/init.d/qmail /etc/default/qmail
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p "$home" /etc/service
mount --rbind "$work/home" "$home"
lay "$home/services" services
"#;

/// Where `.ci/peers` unpacks runit, which would start at once if it were installed.
pub const RUNIT: &str = "/usr/local/lib/mail-servers/runit/usr/bin";

impl Tree {
    /// The tree under test on such a host, with all of `tools`. None if one of them is missing, or
    /// we are not root, or the tree has no services.
    ///
    /// # Panics
    ///
    /// When the kernel cannot lay directories over others.
    #[must_use]
    pub fn on_a_host(tools: &[&'static str]) -> Option<Self> {
        let tree = Self::under_test();
        let lacks = |need| tree.lacks(need);
        if lacks(Need::Root) || lacks(Need::Program("pido")) {
            return None;
        }
        if tools.iter().any(|tool| lacks(Need::Tool(tool))) {
            return None;
        }
        let work = tree.scratch().join("host");
        std::fs::create_dir(&work).expect("a temporary directory has room");
        let laid =
            tree.command("/bin/sh").args(["-c", SCRIPT, "sh"]).arg(work).arg(tree.home()).run();
        assert_eq!(laid.code, Some(0), "{}", laid.errors());
        Some(tree)
    }

    /// Whether runit was unpacked.
    #[must_use]
    pub fn lacks_runit(&self) -> bool {
        !Path::new(RUNIT).join("sv").exists() && self.lacks(Need::Tool("sv"))
    }

    /// The names of all that runs in the tree's world, sorted.
    #[must_use]
    pub fn names_of_processes(&self) -> Vec<String> {
        let mut names: Vec<String> = self.processes().into_iter().map(strays::name).collect();
        names.sort();
        names
    }
}

/// Our `install`, where it was built.
#[must_use]
pub fn install() -> std::path::PathBuf {
    crate::ours::build().join("install")
}
