//! Where the queues and mailboxes are while we measure.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};

use crate::arguments::{Arguments, Disk};
use crate::meter;

/// Set once we are on it.
const VARIABLE: &str = "QMAIL_BENCH_BED";

/// Room for a million messages, whose small files are in their inodes.
const LARGE: Room = Room { mebibytes: 4_096, inodes: 3_600_000, features: "inline_data" };

/// Room for everything else.
const SMALL: Room = Room { mebibytes: 2_048, inodes: 400_000, features: "^inline_data" };

/// A file system.
struct Room {
    mebibytes: usize,
    inodes: usize,
    /// Of the file system, beside the usual ones.
    features: &'static str,
}

/// Mounted for the program that follows alone, and gone with it. That dies with who started it.
const EXT4: &str = r#"
set -e
image=$1 inodes=$2 features=$3 place=$4; shift 4
mkfs.ext4 -q -N "$inodes" -O "$features" -E lazy_itable_init=0,lazy_journal_init=0,nodiscard "$image"
loop=$(losetup --find --show --direct-io=on "$image" || losetup --find --show "$image")
rm "$image"
mount "$loop" "$place" || { losetup --detach "$loop"; exit 111; }
losetup --detach "$loop"
chmod 755 "$place"
TMPDIR=$place exec setpriv --pdeathsig KILL "$@"
"#;

const TMPFS: &str = r#"
set -e
place=$1; shift
mount -t tmpfs -o mode=755,nr_inodes=0 tmpfs "$place"
TMPDIR=$place exec setpriv --pdeathsig KILL "$@"
"#;

const DIRECTORY: &str = r#"
place=$1; shift
TMPDIR=$place exec setpriv --pdeathsig KILL "$@"
"#;

/// Outlives whoever started it, however that ends, and takes away what is left.
const ATTENDANT: &str = r#"
trap '' INT TERM HUP
read -r end
for second in 1 2 3 4 5 6 7 8 9 10; do
    left=
    for group in "$2"-*; do
        [ ! -d "$group" ] || rmdir "$group" 2> /dev/null || left=1
    done
    rm -rf "$1" && [ ! "$left" ] && exit
    sleep 1
done
"#;

/// Runs this program again with its temporary files on the disk that was asked for; nothing to do
/// when we are there already.
pub(crate) fn move_there(arguments: &Arguments) -> io::Result<Option<ExitStatus>> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(None);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix("qmail-bench-");
    let home = match &arguments.disk {
        Disk::Directory(directory) => builder.tempdir_in(directory)?,
        Disk::Ext4 | Disk::Tmpfs => builder.tempdir()?,
    };
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))?;
    let groups = home.path().file_name().unwrap_or_default().to_owned();
    let attendant =
        attend(home.path(), &meter::group(&groups).unwrap_or_else(|| "/nowhere".into()))?;
    let place = home.path().join("bed");
    fs::create_dir(&place)?;
    let mut command = match &arguments.disk {
        Disk::Directory(_) => with_mount(DIRECTORY, &[&place]),
        Disk::Tmpfs => with_mount(TMPFS, &[&place]),
        Disk::Ext4 => on_ext4(home.path(), &place, room(arguments)),
    }?;
    command.args(std::env::args_os().skip(1)).env(VARIABLE, groups);
    let status = command.status();
    drop(attendant);
    status.map(Some)
}

/// What all groups of processes are called.
pub(crate) fn name() -> Option<OsString> {
    std::env::var_os(VARIABLE)
}

/// Until its input is closed, which happens when we end, too.
fn attend(home: &Path, groups: &Path) -> io::Result<Option<ChildStdin>> {
    let mut command = Command::new("sh");
    command.args(["-c", ATTENDANT, "sh"]).arg(home).arg(groups).stdin(Stdio::piped());
    Ok(command.spawn()?.stdin.take())
}

/// The device below a directory, as /proc/diskstats names it; none if it has none.
pub(crate) fn device(directory: &Path) -> Option<String> {
    let number = fs::metadata(directory).ok()?.dev();
    let (major, minor) = (nix::sys::stat::major(number), nix::sys::stat::minor(number));
    let link = fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    Some(link.file_name()?.to_string_lossy().into_owned())
}

/// The directory for temporary files.
pub(crate) fn directory() -> PathBuf {
    std::env::temp_dir()
}

fn room(arguments: &Arguments) -> Room {
    let large = arguments.size.queued.iter().any(|queued| *queued > 10_000);
    if large && arguments.scenarios.iter().any(|scenario| scenario == "flat") {
        LARGE
    } else {
        SMALL
    }
}

/// Written in full first: blocks that are allocated while we measure cost more than others.
fn on_ext4(home: &Path, place: &Path, room: Room) -> io::Result<Command> {
    let image = home.join("image");
    let mut file = File::create(&image)?;
    let block = vec![0; 1 << 20];
    for _ in 0..room.mebibytes {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let inodes = room.inodes.to_string();
    with_mount(EXT4, &[&image, Path::new(&inodes), Path::new(room.features), place])
}

fn with_mount(script: &str, words: &[&Path]) -> io::Result<Command> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
    command.args(words).arg(std::env::current_exe()?);
    Ok(command)
}
