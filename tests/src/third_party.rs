//! Mail programs of others, which meet a tree as they would on a host that has it.

use std::path::Path;

use crate::{Need, Tree, files};

/// Where `.ci/third-party` unpacks them.
pub const UNPACKED: &str = "/opt/third-party";

/// Lays what was unpacked over the directories that it is made for, and links what a postmaster
/// links. All of it is writable, and gone with the world.
const SCRIPT: &str = r#"
set -e
unpacked=$1 work=$2 home=$3
mount -t tmpfs -o mode=755 tmpfs "$work"
mkdir "$work/own" "$work/home"
mount --rbind "$home" "$work/home"
cp -pL /etc/passwd /etc/group /etc/shadow /etc/resolv.conf "$work/own"
for part in etc usr var/lib var/spool; do
    upper=$work/$part/upper below=$work/$part/work
    mkdir -p "$upper" "$below"
    mount -t overlay -o "lowerdir=$unpacked/$part:/$part,upperdir=$upper,workdir=$below" \
        overlay "/$part"
done
rm -f /etc/resolv.conf
cp -p "$work/own/"* /etc
mount -t tmpfs -o mode=755 tmpfs /run
# Debian's qmail lives in the latter, and so its companions look there.
for place in "$home" /var/lib/qmail; do
    mkdir -p "$place"
    mount --rbind "$work/home" "$place"
done
ln -sf "$home/bin/sendmail" /usr/sbin/sendmail
ln -sf "$home/bin/sendmail" /usr/lib/sendmail
"#;

impl Tree {
    /// The tree under test, in a world where the mail programs of others are installed and `path`,
    /// relative to the root, is one of them. None if it is not there, or we are not root.
    ///
    /// # Panics
    ///
    /// When the kernel cannot lay directories over others.
    #[must_use]
    pub fn among_others(path: &'static str) -> Option<Self> {
        let tree = Self::under_test();
        if tree.lacks(Need::Root) || tree.lacks(Need::ThirdParty(path)) {
            return None;
        }
        let work = tree.scratch().join("third-party");
        std::fs::create_dir(&work).expect("a temporary directory has room");
        let laid = tree
            .command("/bin/sh")
            .args(["-c", SCRIPT, "sh", UNPACKED])
            .arg(work)
            .arg(tree.home())
            .run();
        assert_eq!(laid.code, Some(0), "{}", laid.errors());
        Some(tree)
    }

    /// Writes a file of the tree's world, mode 0644.
    pub fn write_in_its_world(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.in_its_world(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("it can be made");
        files::write(&path, content);
    }

    /// Runs a shell script as root in the tree's world, which must succeed; what it says.
    pub fn shell(&self, script: &str) -> String {
        let finished = self.command("/bin/sh").args(["-ec", script]).run();
        assert_eq!(finished.code, Some(0), "{script}: {}", finished.said());
        finished.said()
    }
}
