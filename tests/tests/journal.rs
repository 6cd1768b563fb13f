//! What is on a disk when mail has been accepted: its image is copied while everything goes on, and the
//! copy is mounted, as after a power failure.

use qmail_conformance::process::Finished;
use qmail_conformance::queue::envelope;
use qmail_conformance::{Need, Tree};

/// A kind of file system.
struct Kind {
    name: &'static str,
    /// Makes one in `disk`.
    make: &'static str,
    /// What it is mounted with. Nothing comes to disk by itself while a test runs.
    options: &'static str,
    /// Whether its journal keeps the order of names.
    keeps_order: bool,
}

const KINDS: [Kind; 3] = [
    Kind { name: "ext4", make: "mkfs.ext4 -q", options: "commit=300", keeps_order: true },
    Kind {
        name: "ext4 without a journal",
        make: "mkfs.ext4 -q -O ^has_journal",
        options: "noatime",
        keeps_order: false,
    },
    Kind { name: "xfs", make: "mkfs.xfs -q", options: "nouuid", keeps_order: true },
];

const MESSAGE: &str = "Subject: a disk\n\nof its own\n";

/// A tree whose queue and joe's Maildir are on a disk of their own.
struct Site {
    tree: Tree,
    kind: &'static Kind,
}

impl Site {
    fn all() -> Vec<Self> {
        KINDS.iter().filter_map(Self::on).collect()
    }

    fn on(kind: &'static Kind) -> Option<Self> {
        let tree = Tree::under_test();
        let tool = kind.make.split(' ').next().unwrap_or_default();
        if tree.lacks(Need::Root)
            || tree.lacks(Need::Tool(tool))
            || tree.lacks(Need::Tool("strace"))
        {
            return None;
        }
        let joe = tree.user("joe");
        let _ = joe.make_maildir("box");
        joe.instruct("", "./box/\n");
        let site = Self { tree, kind };
        site.in_world(&format!(
            "truncate -s 400M disk; {} disk; mkdir here
             mount -o loop,{} disk here
             cp -a \"$1\" here/queue; cp -a \"$2\" here/box
             mount --bind here/queue \"$1\"; mount --bind here/box \"$2\"
             sync -f here",
            kind.make, kind.options
        ));
        Some(site)
    }

    /// The same, of programs of ours: netqmail syncs no names, and what it has accepted is not there.
    fn all_of_ours() -> Vec<Self> {
        let mut all = Self::all();
        all.retain(|site| !site.tree.is_original());
        all
    }

    /// In the world of the tree, with the paths of queue and Maildir.
    fn in_world(&self, script: &str) -> Finished {
        let joe = self.tree.user("joe");
        let program = self.tree.command("/bin/sh").args(["-ec", script, "sh"]);
        let program = program.arg(self.tree.home().join("queue")).arg(joe.home().join("box"));
        let done = program.in_directory(self.tree.scratch()).run();
        assert_eq!(done.code, Some(0), "{}: {}", self.kind.name, done.said());
        done
    }

    /// Mounts the disk as it is now, and prints what is in these files.
    fn after_power_failure(&self, files: &str) -> String {
        let options = if self.kind.name == "xfs" { ",nouuid" } else { "" };
        let script = format!(
            "cp disk copy; mkdir -p there
             mount -o loop{options} copy there
             cat {files} 2> /dev/null || :
             umount there; rm copy"
        );
        self.in_world(&script).text()
    }

    /// Queues the message; the calls by which it came to disk.
    fn queue(&self) -> String {
        let joe = self.tree.user("joe");
        joe.write("message", MESSAGE);
        joe.write("envelope", envelope("jane@test.example", &["joe@test.example"]));
        let script =
            "exec strace -f -o trace -e trace=fsync,fdatasync \"$1\" < message 1< envelope";
        let program = self.tree.command("/bin/sh").args(["-ec", script, "sh"]);
        let program = program.arg(self.tree.home().join("bin/qmail-queue"));
        let done = program.in_directory(joe.home()).run();
        assert_eq!(done.code, Some(0), "{}: {}", self.kind.name, done.said());
        joe.read("trace")
    }
}

#[test]
fn what_was_queued_is_on_disk() {
    for site in Site::all_of_ours() {
        let name = site.kind.name;
        let trace = site.queue();
        let found = site
            .after_power_failure("there/queue/mess/*/* there/queue/todo/* there/queue/todo/*/*");
        assert!(found.contains(MESSAGE), "{name}: {found}");
        assert!(found.contains("Tjoe@test.example\0"), "{name}: {found}");
        let syncs = trace.matches("fsync(").count();
        assert_eq!(syncs, if site.kind.keeps_order { 1 } else { 4 }, "{name}: {trace}");
    }
}

#[test]
fn what_was_delivered_is_on_disk() {
    for site in Site::all_of_ours() {
        let name = site.kind.name;
        let mut running = site.tree.start();
        site.tree.queue("jane@test.example", &["joe@test.example"], MESSAGE);
        running.wait_for(" success: ");
        let found = site.after_power_failure("there/box/new/*");
        assert!(found.ends_with(MESSAGE), "{name}: {found}");
        running.end();
    }
}

/// Or else the others could not fail.
#[test]
fn what_nobody_synced_is_not_on_disk() {
    for site in Site::all() {
        site.in_world("echo something > here/box/new/unsynced");
        let found = site.after_power_failure("there/box/new/unsynced");
        assert_eq!(found, "", "{}", site.kind.name);
    }
}
