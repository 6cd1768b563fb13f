use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use qmail_core::accounts::Accounts;
use qmail_core::queue::{Todo, is_closed};
use tempfile::TempDir;

use super::areas::areas;
use super::inventory::Inventory;
use super::plan::Plan;
use super::{Failure, Job, Outcome, Request, Shape, run};
use crate::alone::NotAlone;
use qmail_core::progress::Progress;

struct Tree(TempDir);

impl Tree {
    /// With an empty queue of this shape.
    fn new(split: u64, todo: Todo) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        let (outcome, text) = tree.run(Job::Create, Some(split), Some(todo));
        assert_eq!(outcome.unwrap(), Outcome::Sound, "{text}");
        tree
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("queue")
    }

    fn accounts(&self) -> Accounts {
        Accounts::single_user(qmail_sys::effective_uid(), qmail_sys::real_gid(), self.0.path())
    }

    fn run(
        &self,
        job: Job,
        split: Option<u64>,
        todo: Option<Todo>,
    ) -> (Result<Outcome, Failure>, String) {
        let mut text = Vec::new();
        let request = Request { job, split, todo, home: None };
        let result = run(&request, self.0.path(), &self.accounts(), &mut text);
        (result, String::from_utf8(text).unwrap())
    }

    fn test(&self) -> (Outcome, String) {
        let (result, text) = self.run(Job::Test, None, None);
        (result.unwrap(), text)
    }

    fn repair(&self) -> (Outcome, String) {
        let (result, text) = self.run(Job::Repair, None, None);
        (result.unwrap(), text)
    }

    fn write(&self, name: &str, contents: &[u8], mode: u32) -> u64 {
        let path = self.root().join(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(contents).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        file.metadata().unwrap().ino()
    }

    /// A message whose files are named `name`, whatever its inode; all files say who they are.
    fn message(&self, name: u64, split: u64, mark: &str) -> u64 {
        let part = name % split;
        let inode = self.write(&format!("mess/{part}/{name}"), mark.as_bytes(), 0o644);
        let sender = format!("F{mark}\0");
        self.write(&format!("info/{part}/{name}"), sender.as_bytes(), 0o600);
        let recipient = format!("T{mark}\0");
        self.write(&format!("remote/{part}/{name}"), recipient.as_bytes(), 0o600);
        self.write(&format!("bounce/{name}"), mark.as_bytes(), 0o600);
        inode
    }

    /// What is in all files of messages, by their names below the queue.
    fn contents(&self) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        let mut directories = vec![self.root()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if !path.to_str().unwrap().contains("/lock/") {
                    let name = path.strip_prefix(self.root()).unwrap();
                    let text = fs::read_to_string(&path).unwrap();
                    contents.insert(name.to_str().unwrap().to_owned(), text);
                }
            }
        }
        contents
    }

    fn plan(&self, shape: Shape) -> Plan {
        let areas = areas(&self.root());
        let mut progress = Progress::new("test", None);
        Plan::of(&Inventory::take(&self.root(), &areas, &mut progress).unwrap(), &areas, shape)
    }

    fn is_message(&self, inode: u64, split: u64, mark: &str) {
        let (part, contents) = (inode % split, self.contents());
        let file = |name: String| contents.get(&name).map(String::as_str);
        assert_eq!(file(format!("mess/{part}/{inode}")), Some(mark));
        assert_eq!(file(format!("info/{part}/{inode}")), Some(&*format!("F{mark}\0")));
        assert_eq!(file(format!("remote/{part}/{inode}")), Some(&*format!("T{mark}\0")));
        assert_eq!(file(format!("bounce/{inode}")), Some(mark));
    }
}

#[test]
fn a_new_queue_is_sound_in_either_layout() {
    for todo in [Todo::Flat, Todo::Hashed] {
        let tree = Tree::new(3, todo);
        assert_eq!(tree.root().join("intd/2").is_dir(), todo == Todo::Hashed);
        let (outcome, text) = tree.test();
        assert_eq!(outcome, Outcome::Sound, "{text}");
        assert!(text.starts_with("running in test-only mode\n"), "{text}");
        assert!(text.contains("  conf-split appears to be 3\n"), "{text}");
        assert!(text.ends_with("0 found, 0 left\n"), "{text}");
        let (result, _) = tree.run(Job::Create, Some(3), Some(todo));
        assert!(matches!(result, Err(Failure::Exists)));
    }
}

#[test]
fn without_messages_or_an_order_there_is_no_split() {
    let tree = Tree(tempfile::tempdir().unwrap());
    fs::create_dir_all(tree.root().join("todo")).unwrap();
    assert!(matches!(tree.run(Job::Repair, None, None).0, Err(Failure::NoShape)));
}

#[test]
fn test_mode_changes_nothing_and_says_what_is_wrong() {
    let tree = Tree::new(3, Todo::Flat);
    tree.message(1, 3, "a");
    tree.write("todo/core", b"", 0o644);
    fs::remove_dir(tree.root().join("local/1")).unwrap();
    fs::set_permissions(tree.root().join("mess/0"), Permissions::from_mode(0o777)).unwrap();
    let before = tree.contents();
    let (outcome, text) = tree.test();
    assert_eq!((outcome, tree.contents()), (Outcome::Flawed, before));
    for line in [
        "/local/1 does not exist\n  testmode, not fixing\n",
        "/mess/0 has wrong permissions\n  testmode, not fixing\n",
        "/todo/core is an unexpected entry\n",
        "  remote/1/1 is inode ",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!tree.root().join("local/1").exists() && !is_closed(&tree.root()));
}

#[test]
fn a_copied_queue_gets_its_new_numbers_even_where_they_are_old_ones_of_others() {
    let tree = Tree::new(3, Todo::Flat);
    // Old numbers that are the new ones of their neighbours.
    let first = tree.message(1, 3, "a");
    let second = tree.message(first, 3, "b");
    let third = tree.message(second, 3, "c");
    let (outcome, text) = tree.repair();
    assert_eq!(outcome, Outcome::Sound, "{text}");
    for (inode, mark) in [(first, "a"), (second, "b"), (third, "c")] {
        tree.is_message(inode, 3, mark);
    }
    assert_eq!(tree.contents().len(), 12);
    assert!(text.contains(&format!("  mess/1/1 is inode {first}\n")), "{text}");
    assert_eq!(tree.test().0, Outcome::Sound);
}

#[test]
fn renumbering_can_be_interrupted_after_every_single_move() {
    for cut in 0.. {
        let tree = Tree::new(3, Todo::Flat);
        let first = tree.message(1, 3, "a");
        let second = tree.message(first, 3, "b");
        let plan = tree.plan(Shape { split: 3, todo: Todo::Flat });
        let moves: Vec<_> = plan.groups().into_iter().flatten().collect();
        for file in moves.iter().take(cut) {
            fs::rename(tree.root().join(&file.from), tree.root().join(&file.to)).unwrap();
        }
        let (outcome, text) = tree.repair();
        assert_eq!(outcome, Outcome::Sound, "{cut}: {text}");
        tree.is_message(first, 3, "a");
        tree.is_message(second, 3, "b");
        assert_eq!(tree.contents().len(), 8, "{cut}: {text}");
        if cut >= moves.len() {
            return;
        }
    }
}

#[test]
fn the_layout_is_converted_and_converted_back() {
    let tree = Tree::new(3, Todo::Flat);
    let sent = tree.message(1, 3, "a");
    let (outcome, _) = tree.repair();
    assert_eq!(outcome, Outcome::Sound);
    let waiting = tree.write("mess/0/0", b"w", 0o644);
    let (old, new) = (waiting % 3, waiting % 7);
    fs::rename(tree.root().join("mess/0/0"), tree.root().join(format!("mess/{old}/{waiting}")))
        .unwrap();
    for name in ["todo", "intd"] {
        tree.write(&format!("{name}/{waiting}"), b"u1\0p2\0Fw\0Tx\0", 0o644);
    }
    let before = tree.contents();
    let (result, text) = tree.run(Job::Repair, Some(7), Some(Todo::Hashed));
    assert_eq!(result.unwrap(), Outcome::Sound, "{text}");
    tree.is_message(sent, 7, "a");
    for name in ["mess", "todo", "intd"] {
        assert!(tree.root().join(format!("{name}/{new}/{waiting}")).is_file(), "{name}: {text}");
    }
    assert_eq!(tree.test().0, Outcome::Sound);
    let (result, text) = tree.run(Job::Repair, Some(3), Some(Todo::Flat));
    assert_eq!(result.unwrap(), Outcome::Sound, "{text}");
    assert_eq!(tree.contents(), before);
    assert!(!tree.root().join("mess/3").exists() && !tree.root().join("todo/0").exists());
}

#[test]
fn what_belongs_to_no_message_is_kept_out_of_sight() {
    let tree = Tree::new(3, Todo::Flat);
    tree.write("bounce/5", b"stale", 0o600);
    tree.write("info/2/5", b"F\0", 0o600);
    // A message that has recipients, but no sender: cleaning up would remove it.
    let lost = tree.write("mess/0/0", b"lost", 0o644);
    fs::rename(tree.root().join("mess/0/0"), tree.root().join(format!("mess/{}/{lost}", lost % 3)))
        .unwrap();
    tree.write(&format!("local/{}/{lost}", lost % 3), b"Tx\0", 0o600);
    let (outcome, text) = tree.repair();
    assert_eq!(outcome, Outcome::Flawed, "{text}");
    let contents = tree.contents();
    let names: Vec<&str> = contents.keys().map(String::as_str).collect();
    assert!(names.iter().all(|name| name.starts_with("orphans/")), "{names:?}");
    assert_eq!(names.len(), 4);
    assert_eq!(contents[&format!("orphans/mess.{lost}.{lost}")], "lost");
    assert_eq!(tree.test().0, Outcome::Sound);
}

#[test]
fn a_bounce_of_a_message_that_was_not_tried_is_somebody_elses() {
    let tree = Tree::new(1, Todo::Flat);
    let id = tree.write("mess/0/0", b"new", 0o644);
    fs::rename(tree.root().join("mess/0/0"), tree.root().join(format!("mess/0/{id}"))).unwrap();
    tree.write(&format!("todo/{id}"), b"u1\0p2\0F\0Tx\0", 0o644);
    tree.write(&format!("bounce/{id}"), b"of another", 0o600);
    tree.repair();
    assert!(!tree.root().join(format!("bounce/{id}")).exists());
    assert!(tree.root().join(format!("todo/{id}")).exists());
}

#[test]
fn the_files_of_further_channels_get_new_numbers_as_well() {
    let tree = Tree::new(2, Todo::Flat);
    for part in 0..2 {
        fs::create_dir_all(tree.root().join(format!("suppl0/{part}"))).unwrap();
    }
    let inode = tree.message(1, 2, "a");
    tree.write("suppl0/1/1", b"Ts\0", 0o600);
    let (outcome, text) = tree.repair();
    assert_eq!(outcome, Outcome::Sound, "{text}");
    assert!(tree.root().join(format!("suppl0/{}/{inode}", inode % 2)).exists());
}

#[test]
fn damaged_files_are_told_of_and_left_alone() {
    let tree = Tree::new(1, Todo::Flat);
    let inode = tree.message(1, 1, "a");
    tree.repair();
    tree.write(&format!("remote/0/{inode}"), b"Ta\0\0\0", 0o600);
    let (outcome, text) = tree.repair();
    assert_eq!(outcome, Outcome::Flawed);
    assert!(text.contains(&format!("/remote/0/{inode} is damaged\n")), "{text}");
    assert!(text.ends_with("1 found, 1 left\n"), "{text}");
}

#[test]
fn nothing_is_repaired_while_qmail_send_runs() {
    let tree = Tree::new(1, Todo::Flat);
    tree.message(1, 1, "a");
    let before = tree.contents();
    let mutex = File::create(tree.root().join("lock/sendmutex")).unwrap();
    mutex.lock().unwrap();
    let (result, _) = tree.run(Job::Repair, None, None);
    assert!(matches!(result, Err(Failure::NotAlone(NotAlone::Running))));
    assert_eq!(tree.contents(), before);
    let (outcome, text) = tree.test();
    assert_eq!(outcome, Outcome::Flawed);
    assert!(text.contains("warning: qmail-send is running"), "{text}");
}

#[test]
fn a_repair_that_fails_half_way_leaves_the_queue_closed_and_the_next_one_ends_it() {
    let tree = Tree::new(1, Todo::Flat);
    let inode = tree.message(1, 1, "a");
    // Something that no plan foresees is where the message has to go.
    let obstacle = tree.root().join(format!("mess/0/{inode}"));
    fs::create_dir(&obstacle).unwrap();
    let (result, _) = tree.run(Job::Repair, None, None);
    assert!(matches!(result, Err(Failure::Unfinished(_))), "{result:?}");
    assert!(is_closed(&tree.root()));
    assert!(tree.test().1.contains("the queue is closed"));
    fs::remove_dir(&obstacle).unwrap();
    let (result, text) = tree.run(Job::Repair, Some(1), None);
    assert_eq!(result.unwrap(), Outcome::Sound, "{text}");
    tree.is_message(inode, 1, "a");
    assert!(!is_closed(Path::new(&tree.root())));
}
