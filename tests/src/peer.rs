//! Mail servers of others that run in a tree's world: what they have in common.

pub mod postfix;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::process::Program;
use crate::{Need, Tree, wait};

/// Where they send what they take.
pub const SINK: &str = "127.0.0.20:2525";

/// Where `.ci/peers` unpacks them.
const UNPACKED: &str = "/usr/local/lib/mail-servers";

/// A running server.
pub struct Peer {
    child: Child,
}

impl Peer {
    /// Starts a server, and waits until it listens there.
    #[must_use]
    pub fn start(tree: &Tree, program: Program<'_>, address: &str) -> Self {
        let (child, _output) = program.start();
        let peer = Self { child };
        wait::until(&format!("a server at {address}"), || {
            tree.within_network(|| std::net::TcpStream::connect(address)).ok()
        });
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The directory with the files of a package; none if it is not there.
#[must_use]
pub fn package(tree: &Tree, name: &str, program: &'static str) -> Option<PathBuf> {
    let package = Path::new(UNPACKED).join(name);
    (!tree.lacks(Need::Tool(program))).then_some(package)
}

/// An account that a server runs as, in the place of one that this host may have.
pub fn add_account(tree: &Tree, name: &str, id: u32) {
    let script = format!(
        "set -e
        users=$(grep -v '^{name}:' /etc/passwd) groups=$(grep -v '^{name}:' /etc/group)
        printf '%s\\n' \"$users\" {name}:x:{id}:{id}::/:/bin/false > /etc/passwd
        printf '%s\\n' \"$groups\" {name}:x:{id}: > /etc/group"
    );
    let added = tree.command("/bin/sh").args(["-c", &script]).run();
    assert_eq!(added.code, Some(0), "{}", added.errors());
}

/// A file with certificates.
#[must_use]
pub fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("certificates").join(name)
}

/// A copy of certificate and key that only their server can read.
#[must_use]
pub fn identity(directory: &Path, name: &str, owner: u32) -> PathBuf {
    let path = directory.join(name);
    fs::copy(certificate(name), &path).expect("a temporary directory has room");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
        .expect("a temporary directory has room");
    chown(&path, Some(owner), None).expect("a temporary directory has room");
    path
}

/// A directory of this owner.
pub fn directory(parent: &Path, name: &str, owner: u32, group: u32, mode: u32) -> PathBuf {
    let path = parent.join(name);
    fs::create_dir(&path).expect("a temporary directory has room");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))
        .expect("a temporary directory has room");
    chown(&path, Some(owner), Some(group)).expect("a temporary directory has room");
    path
}
